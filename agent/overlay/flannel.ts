// SPDX-License-Identifier: Apache-2.0
// Whether flanneld runs on this node: beside it the agent does nothing, as both would keep one
// tunnel. It owns how that is seen, by the names of processes, and refuses to end any.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const NAME = 'flanneld';

function commandOf(proc: string, pid: string): string {
  try {
    return readFileSync(`${proc}/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** The network namespace of a process, "" where it may not be known. */
function networkOf(proc: string, pid: string): string {
  try {
    return readlinkSync(`${proc}/${pid}/ns/net`);
  } catch {
    return '';
  }
}

/** Why it cannot be told, "" when it can: a container sees its own processes alone. */
function blindness(proc: string, self: number): string {
  if (self !== 1 && commandOf(proc, '1') !== 'pause') return '';
  return (
    'whether flanneld runs on this node cannot be seen from this container: ' +
    'give its pod hostPID: true'
  );
}

/** What keeps this agent from acting as Flannel's successor, "" for nothing. */
export function flanneldHere(proc = '/proc', self = process.pid): string {
  const blind = blindness(proc, self);
  if (blind !== '') return blind;
  const own = networkOf(proc, String(self));
  for (const pid of readdirSync(proc)) {
    if (!/^\d+$/.test(pid) || commandOf(proc, pid) !== NAME) continue;
    // One that may not be looked at has more rights than we, as on this node.
    const network = networkOf(proc, pid);
    if (network === '' || network === own) {
      return `flanneld runs on this node (process ${pid}): end it, and this agent takes over`;
    }
  }
  return '';
}
