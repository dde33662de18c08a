// SPDX-License-Identifier: Apache-2.0
// The modules of the page, and what it asks of them: core.wasm, tools.wasm and sim.wasm as they
// were built, unpacked out of the page itself. Nothing is fetched.
import { decompress } from 'fzstd';
import { type Answer, performTask } from '../host-node/core.ts';
import { simulatedDriver } from '../host-node/drivers/simulated.ts';
import { BIN_DIR, CACHE_DIR, CONF_DIR, configPath, withConfig } from '../host-node/story/node.ts';
import { type Fault, type Rehearsal, rehearse } from '../host-node/story/rehearse.ts';

export interface Modules {
  readonly core: WebAssembly.Module;
  readonly tools: WebAssembly.Module;
  readonly sim: WebAssembly.Module;
}

const NAMES = ['core', 'tools', 'sim'] as const;

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Unpacks and compiles what the element with the id `modules` holds. */
export async function loadModules(): Promise<Modules> {
  const element = document.getElementById('modules');
  const all = decompress(bytesOf(element?.textContent?.trim() ?? ''));
  const lengths = (element?.dataset['lengths'] ?? '').split(',').map(Number);
  let at = 0;
  const compiled = NAMES.map((_, index) => {
    const start = at;
    at += lengths[index] ?? 0;
    return WebAssembly.compile(all.slice(start, at));
  });
  const [core, tools, sim] = await Promise.all(compiled);
  if (core === undefined || tools === undefined || sim === undefined) {
    throw new Error('the page lacks a module');
  }
  return { core, tools, sim };
}

/** A problem as `validate` tells it; columns count characters of Unicode. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  readonly msg: string;
}

/** What an encapsulation leaves, and why nothing where it does not fit. */
export interface Mtu {
  readonly mtu_bytes: number;
  readonly problem?: string;
  readonly warning?: string;
}

export interface MtuTable extends Mtu {
  readonly mss4_bytes: number;
  readonly mss6_bytes: number;
  readonly table: readonly { readonly name: string; readonly ipv4: Mtu; readonly ipv6: Mtu }[];
}

const around = { stdin: () => new Uint8Array(0), log: () => {}, sleep: () => {} };

function task(modules: Modules, state: string, name: string, request: unknown): Answer {
  return performTask(modules.tools, simulatedDriver(modules.sim, state), name, request, around);
}

/** What is wrong in a configuration on this node. */
export function validate(modules: Modules, state: string, text: string): readonly Problem[] {
  const files = [configPath(text)];
  const { stdout } = task(modules, withConfig(state, text), 'validate', { files, path: '' });
  const answer = JSON.parse(stdout) as {
    readonly files?: readonly { readonly problems: readonly Problem[] }[];
    readonly msg?: string;
    readonly details?: string;
  };
  const broken = `${answer.msg}: ${answer.details ?? ''}`;
  return answer.files?.[0]?.problems ?? [{ severity: 'error', line: 1, column: 1, msg: broken }];
}

export interface MtuAsked {
  readonly underlay_bytes: number;
  readonly layers: readonly string[];
  readonly v6: boolean;
  readonly pods_v4: boolean;
  readonly pods_v6: boolean;
  readonly asked_bytes?: number;
}

export function mtuOf(modules: Modules, asked: MtuAsked): MtuTable {
  return JSON.parse(task(modules, 'netns host\n', 'mtu', asked).stdout) as MtuTable;
}

/** What is asked of a network for a pod. */
export interface Asked {
  readonly command: 'add' | 'check' | 'del';
  readonly network: string;
  readonly pod: string;
  readonly ifname: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly fault?: Fault;
}

/** Performs it on a state. */
export function perform(modules: Modules, state: string, asked: Asked): Rehearsal {
  const { command, network, pod, ifname, capabilities, fault } = asked;
  const request = {
    ...{ network, ifname, netns: `/run/netns/${pod}`, containerID: pod, insists: true },
    ...{ confDir: CONF_DIR, cacheDir: CACHE_DIR, path: BIN_DIR, why: true },
    ...(capabilities === undefined ? {} : { capabilities }),
  };
  return rehearse({
    simulated: simulatedDriver(modules.sim, state),
    perform: (driver, surroundings) =>
      performTask(modules.tools, driver, command, request, surroundings),
    states: true,
    ...(fault === undefined ? {} : { fault }),
  });
}
