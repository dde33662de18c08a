// SPDX-License-Identifier: Apache-2.0
// The tab with a recording: chosen or dropped, replayed over core.wasm, gone through line by line.
import { h } from 'preact';
import { useState } from 'preact/hooks';
import { traceLine } from '../host-node/drivers/record.ts';
import { follow } from '../host-node/picture/follow.ts';
import {
  FILE_MAX_BYTES,
  parseRecording,
  type Recording,
  RecordingError,
} from '../host-node/recording/format.ts';
import { type Rehearsed, rehearseFailure } from '../host-node/recording/rehearse.ts';
import { type Replayed, replay } from '../host-node/recording/replay.ts';
import type { Modules } from './engine.ts';
import { ERRNOS, ErrnoChoice, Left } from './fault.ts';
import { Picture } from './picture.ts';

/** So many lines are listed at once. */
const LISTED_LIMIT = 2000;
const SHOWN_LIMIT = 400;
const EIO = 5;
const OF_THE_RECORDING =
  'The picture has what the operations say, and nothing else of that machine.';
const OF_THE_SIMULATION =
  'The picture is of a simulated kernel after the call, begun as the recording has the machine.';

interface Loaded {
  readonly name: string;
  readonly recording: Recording;
  readonly replayed: Replayed;
  /** The state of the picture after each operation. */
  readonly states: readonly string[];
}

/** Reads and replays a file; a text is why not. */
async function load(modules: Modules, file: File): Promise<Loaded | string> {
  if (file.size > FILE_MAX_BYTES) {
    const mib = FILE_MAX_BYTES / 1024 / 1024;
    return `${file.name} has ${file.size} bytes: no recording is larger than ${mib} MiB`;
  }
  try {
    const recording = parseRecording(await file.text());
    const module = recording.head.task === undefined ? modules.core : modules.tools;
    const replayed = replay(module, recording);
    return { name: file.name, recording, replayed, states: follow(recording.lines) };
  } catch (error) {
    if (error instanceof RecordingError) return `${file.name}: ${error.message}`;
    return `${file.name} cannot be replayed: ${String(error)}`;
  }
}

/** How the replay went, in a sentence. */
function verdict({ recording, replayed }: Loaded): string {
  const { performed, outcome, differences } = replayed;
  if (outcome === 'same') {
    return `Replayed: ${performed} operations, and the same answer to the byte.`;
  }
  if (outcome === 'differs') {
    const shown = differences.map((text) => short(text)).join('; ');
    return `The core parted from the recording after ${performed} operations: ${shown}`;
  }
  const cut = recording.cut ? 'more than a recording takes' : 'the recording ends before the call';
  return `The recording was cut off (${cut}): the same for ${performed} operations.`;
}

const short = (text: string): string =>
  text.length > SHOWN_LIMIT ? `${text.slice(0, SHOWN_LIMIT)}…` : text;

/** The call on a simulated kernel with an operation failing; a text is why not. */
interface Failed {
  readonly n: number;
  readonly errno: number;
  readonly done: Rehearsed | string;
}

function failed(modules: Modules, recording: Recording, n: number, errno: number): Failed {
  try {
    const used = { core: modules.tools, sim: modules.sim };
    return { n, errno, done: rehearseFailure(used, recording, n, errno) };
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    return { n, errno, done: error.message };
  }
}

/** How the call ended with the failure, in a sentence. */
function failedWords({ n, errno, done }: Failed): string {
  const tried = `With operation ${n} failing (${ERRNOS[errno]}), simulated`;
  if (typeof done === 'string') return `${tried}: it cannot be told: ${done}`;
  const { exit_code, stdout } = done.answer;
  if (exit_code === 0) return `${tried}: the call is done all the same.`;
  const { code, msg } = JSON.parse(stdout) as { code: number; msg: string };
  return `${tried}: CNI error ${code}: ${msg}`;
}

interface FailureProps {
  readonly fault: Failed;
  readonly forget: () => void;
}

function Failure({ fault, forget }: FailureProps) {
  const { done } = fault;
  const bad = typeof done === 'string' || done.answer.exit_code !== 0;
  const parts = typeof done === 'string' ? '' : done.parts;
  return h(
    'div',
    { class: `outcome fault ${bad ? 'bad' : 'good'}` },
    h('p', { role: 'status' }, failedWords(fault)),
    typeof done === 'string' ? null : h(Left, { before: done.before, after: done.after }),
    parts === '' ? null : h('p', null, `The simulation goes another way than it went: ${parts}`),
    h('button', { type: 'button', onClick: forget }, 'Without the fault'),
  );
}

interface ListProps {
  readonly recording: Recording;
  readonly at: number;
  readonly go: (to: number) => void;
  /** Lets an operation of the recording fail, counted from 1. */
  readonly fail: (n: number, errno: number) => void;
}

function List({ recording, at, go, fail }: ListProps) {
  const [errno, setErrno] = useState(EIO);
  const { lines: entries, operations } = recording;
  return h(
    'section',
    { class: 'side', 'aria-label': 'Operations' },
    h(
      'div',
      { class: 'head' },
      h('h2', null, 'Operations'),
      h(ErrnoChoice, { errno, choose: setErrno }),
    ),
    h(
      'ol',
      { class: 'steps' },
      entries.slice(0, LISTED_LIMIT).map((entry, index) => {
        const words = short(traceLine(entry));
        const n = index + 1 === at ? operations.indexOf(entry) + 1 : 0;
        return h(
          'li',
          { key: index, class: entry.errno === undefined ? '' : 'quiet' },
          h(
            'button',
            {
              type: 'button',
              onClick: () => go(index + 1),
              'aria-current': index + 1 === at ? 'step' : undefined,
            },
            [
              h('span', { class: 'number' }, index + 1),
              h('span', { class: 'like' }, words),
              entry.us === undefined ? null : h('span', { class: 'us' }, ` ${entry.us} µs`),
            ],
          ),
          n === 0
            ? null
            : h(
                'button',
                { type: 'button', class: 'fail', onClick: () => fail(n, errno) },
                'Let it fail',
              ),
        );
      }),
    ),
  );
}

interface ShownProps {
  readonly loaded: Loaded;
  readonly modules: Modules;
}

function Shown({ loaded, modules }: ShownProps) {
  const [at, setAt] = useState(loaded.recording.lines.length);
  const [fault, setFault] = useState<Failed>();
  const { recording, states } = loaded;
  const { head, lines: entries, end } = recording;
  const { type, env, task } = head;
  const go = (to: number): void => {
    setFault(undefined);
    setAt(Math.min(entries.length, Math.max(0, to)));
  };
  const named = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS'].map(
    (name) => `${name}=${env[name] ?? ''}`,
  );
  const simulated = typeof fault?.done === 'object' ? fault.done : undefined;
  const state = simulated?.after ?? states[at] ?? '';
  return h(
    'div',
    { class: 'stage' },
    h(
      'section',
      { class: 'middle', 'aria-label': 'Recording' },
      h('h2', null, `${task?.name ?? type}: ${loaded.name}`),
      h('p', { class: 'hint' }, named.join('  ')),
      h(
        'p',
        { class: `outcome ${loaded.replayed.outcome === 'same' ? 'good' : 'bad'}`, role: 'status' },
        verdict(loaded),
      ),
      h(
        'div',
        { class: 'stepper' },
        h(
          'button',
          { type: 'button', onClick: () => go(at - 1), 'aria-label': 'One step back' },
          '◀',
        ),
        h('input', {
          type: 'range',
          min: 0,
          max: entries.length,
          value: at,
          'aria-label': 'Step',
          onInput: (event: Event) => go(Number((event.currentTarget as HTMLInputElement).value)),
        }),
        h(
          'button',
          { type: 'button', onClick: () => go(at + 1), 'aria-label': 'One step on' },
          '▶',
        ),
        h('span', { class: 'where' }, `${at} of ${entries.length}`),
      ),
      fault === undefined ? null : h(Failure, { fault, forget: () => setFault(undefined) }),
      h(Picture, { state, previous: simulated?.before ?? states[Math.max(0, at - 1)] ?? state }),
      h('p', { class: 'hint' }, simulated === undefined ? OF_THE_RECORDING : OF_THE_SIMULATION),
      end === undefined
        ? null
        : h('details', null, h('summary', null, 'What it printed'), h('pre', null, end.stdout)),
    ),
    h(List, {
      ...{ recording, at, go },
      fail: (n, errno) => setFault(failed(modules, recording, n, errno)),
    }),
  );
}

/** The tab. */
export function Recordings({ modules }: { readonly modules: Modules }) {
  const [loaded, setLoaded] = useState<Loaded | string>('');
  const take = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) setLoaded(await load(modules, file));
  };
  return h(
    'section',
    {
      class: 'recordings',
      'aria-label': 'Recording',
      onDragOver: (event: Event) => event.preventDefault(),
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        void take(event.dataTransfer?.files[0]);
      },
    },
    h(
      'label',
      { class: 'choice' },
      'A recording of a call (fairlead record), or drop one here ',
      h('input', {
        type: 'file',
        onChange: (event: Event) => {
          const input = event.currentTarget as HTMLInputElement;
          void take(input.files?.[0]);
        },
      }),
    ),
    typeof loaded !== 'string'
      ? h(Shown, { loaded, modules, key: loaded.name })
      : loaded === ''
        ? h('p', { class: 'choice' }, 'It is read in this page and goes nowhere.')
        : h('p', { class: 'notice', role: 'alert' }, loaded),
  );
}
