// SPDX-License-Identifier: Apache-2.0
// `fairlead record`: the switch of the ring that the calls on this node are recorded in. It records
// nothing itself: each call does, by both hosts.
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { limits } from '../abi/index.ts';
import { keptBy, recordingsIn, ringOf, SWITCH, trim } from '../recording/ring.ts';
import { parseArgs, UsageError } from './args.ts';
import { count, EXIT_FAILED, guarded, type Io, wantsJson, whyNot } from './io.ts';

const CALLS = 100;
const RING_MAX_MIB = limits.RING_MAX_BYTES >> 20;
const HELP = `fairlead record: keep what the calls on this node ask and get

Usage:
  fairlead record                    whether it is on, and what there is
  fairlead record on [--calls N]     keep the last N calls (${CALLS})
  fairlead record off                keep no more; what there is stays

  --output json     {"recording": bool, "calls": N, "folder", "recordings", "bytes"}

Each process that a runtime starts is a call: of a chain there is one for each plugin, unless it is
fused. Recordings lie in /run/fairlead/recordings, in memory, ${RING_MAX_MIB} MiB at most; "fairlead
logs" lists them, "fairlead replay" runs one again. Secrets are stars in them.
CNI_FAIRLEAD_RECORD=FILE in a call's environment records that one; of a folder, into it.
Exit codes: 0 done; 1 the folder cannot be used; 2 wrong usage.
`;

/** What there is of recordings on this node. */
interface State {
  readonly recording: boolean;
  readonly calls: number;
  readonly folder: string;
  readonly recordings: number;
  readonly bytes: number;
}

function stateOf(folder: string): State {
  const calls = keptBy(folder);
  const names = recordingsIn(folder);
  const sizes = names.map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size);
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return { recording: calls > 0, calls, folder, recordings: names.length, bytes };
}

function callsOf(given: string | undefined): number {
  const calls = given === undefined ? CALLS : Number(given);
  if (!Number.isInteger(calls) || calls < 1 || calls > limits.RING_MAX_CALLS) {
    throw new UsageError(`--calls is "${given}": write 1 to ${limits.RING_MAX_CALLS}`);
  }
  return calls;
}

function switchOn(folder: string, calls: number): void {
  mkdirSync(dirname(folder), { recursive: true });
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  const file = join(folder, SWITCH);
  const other = `${file}.${process.pid}`;
  writeFileSync(other, `${calls}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(other, file);
  trim(folder, calls);
}

const WORDS = ['', 'on', 'off'] as const;

function askedOf(operands: readonly string[], calls: string | undefined): (typeof WORDS)[number] {
  const word = WORDS.find((one) => one === (operands[0] ?? ''));
  if (word === undefined) throw new UsageError(`"${operands[0]}" is neither on nor off`);
  if (calls !== undefined && word !== 'on') throw new UsageError('--calls goes with on');
  return word;
}

function told({ recording, calls, folder, recordings, bytes }: State): string {
  const there = `${count(recordings, 'recording')}, ${Math.ceil(bytes / 1024)} KiB`;
  const on = recording ? `on, the last ${count(calls, 'call')} are kept` : 'off';
  return `recording is ${on}: ${there} in ${folder}\n`;
}

/** Runs `record` and gives the exit code. */
export function runRecord(args: readonly string[], io: Io): number {
  return guarded('record', args, io, () => {
    const { help, options, operands } = parseArgs(args, { calls: 'value', output: 'value' }, 1);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const word = askedOf(operands, options.calls);
    const calls = callsOf(options.calls);
    const folder = ringOf(io.env);
    if (folder === undefined) {
      throw new UsageError('CNI_FAIRLEAD_STATE_DIR must be an absolute path without ".."');
    }
    try {
      if (word === 'on') switchOn(folder, calls);
      if (word === 'off') rmSync(join(folder, SWITCH), { force: true });
      const state = stateOf(folder);
      io.write(1, json ? `${JSON.stringify(state)}\n` : told(state));
      return 0;
    } catch (error) {
      const said = `cannot use ${folder}: ${whyNot(error)}`;
      if (json) io.write(1, `${JSON.stringify({ command: 'record', error: said })}\n`);
      else io.write(2, `fairlead record: ${said}\n`);
      return EXIT_FAILED;
    }
  });
}
