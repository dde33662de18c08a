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

/** A namespace of a process, "" where it may not be known. */
function namespaceOf(proc: string, pid: string, kind: 'net' | 'pid'): string {
  try {
    return readlinkSync(`${proc}/${pid}/ns/${kind}`);
  } catch {
    return '';
  }
}

/** The first namespace of processes, whose number the kernel has fixed (PROC_PID_INIT_INO). */
const FIRST_PROCESSES = 'pid:[4026531836]';
/** What a node has as its first process, where that namespace is not the kernel's first. */
const FIRST_COMMANDS = ['systemd', 'init'];

/** Whether all processes of a node are seen: a container has others, or its own alone. */
function seesAll(proc: string, self: number): boolean {
  const first = commandOf(proc, '1');
  // A /proc may be mounted so that it hides those of other users.
  if (self === 1 || first === '') return false;
  return (
    FIRST_COMMANDS.includes(first) || namespaceOf(proc, String(self), 'pid') === FIRST_PROCESSES
  );
}

/** That flanneld runs on this node, or may and is not seen; "" when it does not. */
export function flanneldHere(proc = '/proc', self = process.pid): string {
  if (!seesAll(proc, self)) {
    return (
      'whether flanneld runs on this node cannot be seen from this container: ' +
      'give its pod hostPID: true, and a /proc that hides no process'
    );
  }
  const own = namespaceOf(proc, String(self), 'net');
  for (const pid of readdirSync(proc)) {
    if (!/^\d+$/.test(pid) || commandOf(proc, pid) !== NAME) continue;
    // One that may not be looked at has more rights than we, as on this node.
    const network = namespaceOf(proc, pid, 'net');
    if (network === '' || network === own) {
      return `flanneld runs on this node (process ${pid}): end it, and this agent takes over`;
    }
  }
  return '';
}

/** One that is started anew, as by its DaemonSet, is back before that. */
const AWAY_MS = 30_000;

/** Flanneld of this node as time goes by: one that restarts is not gone. */
export class Flanneld {
  readonly #look: () => string;
  readonly #now_ms: () => number;
  /** When it was here last; at the start nobody knows since when it is not. */
  #here_ms: number;

  constructor(look: () => string = flanneldHere, now_ms = () => performance.now()) {
    this.#look = look;
    this.#now_ms = now_ms;
    this.#here_ms = now_ms();
  }

  /** Why this node is flanneld's now, "" when it is not. */
  get here(): string {
    const said = this.#look();
    if (said !== '') this.#here_ms = this.#now_ms();
    return said;
  }

  /** What keeps an agent from taking its place, "" for nothing. */
  get keeps(): string {
    const said = this.here;
    if (said !== '' || this.#now_ms() - this.#here_ms >= AWAY_MS) return said;
    const away = 'flanneld is not here, and may be started anew';
    return `${away}: this agent begins when it was away for ${AWAY_MS / 1_000} s`;
  }
}
