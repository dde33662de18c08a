// SPDX-License-Identifier: Apache-2.0
// Makes dist/.node: the Node 26 that this runs under, without its symbols. It is the same program,
// a fifth smaller; without binutils it is the same file. It refuses to change that Node itself.
import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';

const MADE = 'dist/.node';
const PART = `${MADE}.part`;

copyFileSync(process.execPath, PART);
try {
  execFileSync('strip', [PART], { stdio: 'ignore' });
} catch {
  // The executable is larger then, and works the same.
}
renameSync(PART, MADE);
