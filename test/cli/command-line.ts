// SPDX-License-Identifier: Apache-2.0
// The command line as a whole, without a machine: what it writes and its exit code. It knows no
// subcommand.
import { runCommand } from '../../host-node/cli/main.ts';
import { wasmModule } from '../support/wasm.ts';
import type { Said } from './machine.ts';

export function run(...args: string[]): Said {
  const said = ['', '', ''];
  const code = runCommand({
    args,
    version: '9.9.9',
    executable: undefined,
    env: {},
    write: (fd, text) => {
      said[fd] += text;
    },
    colours: false,
    sleep: () => {},
    core: () => wasmModule('tools'),
    hashOf: () => 'abc',
    agent: () => wasmModule('agent'),
    kubernetes: () => {
      throw new Error('nothing here needs the script for Kubernetes');
    },
    sim: () => wasmModule('sim'),
  });
  return { code, stdout: said[1]!, stderr: said[2]! };
}
