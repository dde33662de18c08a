// SPDX-License-Identifier: Apache-2.0
// Where recordings go: into the folder of a ring that `fairlead record on` made, of which the
// oldest goes, or to where CNI_FAIRLEAD_RECORD says. host-native/tape.c does the same. It refuses
// to know what a recording says.
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { limits } from '../abi/index.ts';
import type { Sink } from './tape.ts';

/** Records one call: a file that is not there yet, or a folder. */
const RECORD_VARIABLE = 'CNI_FAIRLEAD_RECORD';
/** Below the folder of the state. */
const RING = 'recordings';
/** In the ring: how many calls it keeps. */
export const SWITCH = 'on';
/** Names sort by time: microseconds since the boot, which /run is of too, and the process. */
const NAME = /^\d{16}-\d+\.jsonl$/;
const MODE = 0o600;

type Env = Readonly<Record<string, string | undefined>>;

const nameNow = (): string => {
  const now_us = process.hrtime.bigint() / 1000n;
  return `${String(now_us).padStart(16, '0')}-${process.pid}.jsonl`;
};

/**
 * The folder of the ring; undefined where the folder of the state is none that the core takes,
 * which says so.
 */
export function ringOf(env: Env): string | undefined {
  const moved = env['CNI_FAIRLEAD_STATE_DIR'] || '/run/fairlead';
  const usable = moved.startsWith('/') && !moved.split('/').includes('..');
  return usable ? join(moved, RING) : undefined;
}

/** The recordings in a ring, the oldest first. */
export function recordingsIn(ring: string): string[] {
  const entries = existsSync(ring) ? readdirSync(ring, { withFileTypes: true }) : [];
  const files = entries.filter((entry) => entry.isFile() && NAME.test(entry.name));
  return files.map(({ name }) => name).sort();
}

/** How many calls a ring keeps: 0 when it is off, or not for those who may not look. */
export function keptBy(ring: string): number {
  const file = join(ring, SWITCH);
  if (!existsSync(file)) return 0;
  try {
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
    const fd = openSync(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    const text = Buffer.alloc(15);
    const length = readSync(fd, text);
    closeSync(fd);
    const calls = Number.parseInt(text.toString('latin1', 0, length), 10);
    return calls > 0 ? Math.min(calls, limits.RING_MAX_CALLS) : 0;
  } catch {
    return 0;
  }
}

/** Removes the oldest recordings, so that no more than `calls` are left. */
export function trim(ring: string, calls: number): void {
  const names = recordingsIn(ring);
  for (const name of names.slice(0, Math.max(0, names.length - calls))) {
    try {
      unlinkSync(join(ring, name));
    } catch (error) {
      // Another call was faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** The file that this call is to be recorded in, and how long it may be. */
interface Place {
  readonly path: string;
  readonly most_bytes: number;
}

/** Undefined when the call is not to be recorded. */
function wanted(env: Env): Place | undefined {
  const most_bytes = limits.RECORDING_MAX_BYTES;
  const named = env[RECORD_VARIABLE] ?? '';
  if (named !== '') {
    const folder = statSync(named, { throwIfNoEntry: false })?.isDirectory() === true;
    return { path: folder ? join(named, nameNow()) : named, most_bytes };
  }
  const ring = ringOf(env);
  const calls = ring === undefined ? 0 : keptBy(ring);
  if (ring === undefined || calls === 0) return undefined;
  trim(ring, calls - 1);
  const part_bytes = Math.floor(limits.RING_MAX_BYTES / calls);
  return { path: join(ring, nameNow()), most_bytes: Math.min(most_bytes, part_bytes) };
}

/** Where the recording of this call goes; undefined when none is wanted, or there can be none. */
export function openRecording(env: Env, complain: (line: string) => void): Sink | undefined {
  let fd = -1;
  const failed = (error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    complain(`fairlead: this call is not recorded, or not to its end: ${why}`);
  };
  let most_bytes = 0;
  try {
    const place = wanted(env);
    if (place === undefined) return undefined;
    most_bytes = place.most_bytes;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_APPEND } = constants;
    fd = openSync(place.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND, MODE);
  } catch (error) {
    failed(error);
    return undefined;
  }
  const write = (text: string): void => {
    if (fd < 0) return;
    try {
      for (let rest = Buffer.from(text); rest.length > 0; ) {
        rest = rest.subarray(writeSync(fd, rest));
      }
    } catch (error) {
      failed(error);
      closeSync(fd);
      fd = -1;
    }
  };
  return { write, most_bytes };
}
