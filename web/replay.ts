// SPDX-License-Identifier: Apache-2.0
// The tab with a recording: chosen or dropped, replayed over core.wasm, gone through line by line.
import { h } from 'preact';
import { useState } from 'preact/hooks';
import { traceLine } from '../host-node/drivers/record.ts';
import { follow } from '../host-node/picture/follow.ts';
import type { Modules } from './engine.ts';
import { Picture } from './picture.ts';
import {
  type Entry,
  RECORDING_LIMIT,
  type Recording,
  RecordingError,
  type Replayed,
  readRecording,
  replay,
} from './recording.ts';

/** So many lines are listed at once. */
const LISTED_LIMIT = 2000;
const SHOWN_LIMIT = 400;

interface Loaded {
  readonly name: string;
  readonly recording: Recording;
  readonly replayed: Replayed;
  /** The state of the picture after each operation. */
  readonly states: readonly string[];
}

/** Reads and replays a file; a text is why not. */
async function load(modules: Modules, file: File): Promise<Loaded | string> {
  if (file.size > RECORDING_LIMIT) {
    const mib = RECORDING_LIMIT / 1024 / 1024;
    return `${file.name} has ${file.size} bytes: this page reads recordings of up to ${mib} MiB`;
  }
  try {
    const recording = readRecording(await file.text());
    const replayed = replay(modules.core, recording);
    return { name: file.name, recording, replayed, states: follow(recording.entries) };
  } catch (error) {
    if (error instanceof RecordingError) return `${file.name}: ${error.message}`;
    return `${file.name} cannot be replayed: ${String(error)}`;
  }
}

function verdict({ recording, replayed }: Loaded): string {
  const { entries, end } = recording;
  const all = entries.filter(({ op }) => !op.startsWith('host.')).length;
  if (replayed.parted !== '') {
    const cut = end === undefined ? 'The recording was cut off. ' : '';
    const { same, parted } = replayed;
    return `${cut}The core parted from the recording after ${same} operations: ${parted}`;
  }
  if (end === undefined) return `The recording was cut off after ${all} operations.`;
  const { answer } = replayed;
  const same = answer?.exit_code === end.exit_code && answer.stdout === end.stdout;
  return same
    ? `Replayed: ${replayed.same} operations, and the same answer to the byte.`
    : `Replayed: ${replayed.same} operations, but another answer than was recorded.`;
}

function isSame({ recording: { end }, replayed: { answer, parted } }: Loaded): boolean {
  if (end === undefined || parted !== '') return false;
  return answer?.exit_code === end.exit_code && answer.stdout === end.stdout;
}

interface ListProps {
  readonly entries: readonly Entry[];
  readonly at: number;
  readonly go: (to: number) => void;
}

function List({ entries, at, go }: ListProps) {
  return h(
    'section',
    { class: 'side', 'aria-label': 'Operations' },
    h('h2', null, 'Operations'),
    h(
      'ol',
      { class: 'steps' },
      entries.slice(0, LISTED_LIMIT).map((entry, index) => {
        const line = traceLine(entry);
        const words = line.length > SHOWN_LIMIT ? `${line.slice(0, SHOWN_LIMIT)}…` : line;
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
        );
      }),
    ),
  );
}

function Shown({ loaded }: { readonly loaded: Loaded }) {
  const [at, setAt] = useState(loaded.recording.entries.length);
  const { recording, states } = loaded;
  const { type, env, entries, end } = recording;
  const go = (to: number): void => setAt(Math.min(entries.length, Math.max(0, to)));
  const named = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS'].map(
    (name) => `${name}=${env[name] ?? ''}`,
  );
  const state = states[at] ?? '';
  return h(
    'div',
    { class: 'stage' },
    h(
      'section',
      { class: 'middle', 'aria-label': 'Recording' },
      h('h2', null, `${type}: ${loaded.name}`),
      h('p', { class: 'hint' }, named.join('  ')),
      h(
        'p',
        { class: `outcome ${isSame(loaded) ? 'good' : 'bad'}`, role: 'status' },
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
      h(Picture, { state, previous: states[Math.max(0, at - 1)] ?? state }),
      h(
        'p',
        { class: 'hint' },
        'The picture has what the operations say, and nothing else of that machine.',
      ),
      end === undefined
        ? null
        : h('details', null, h('summary', null, 'What it printed'), h('pre', null, end.stdout)),
    ),
    h(List, { entries, at, go }),
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
      ? h(Shown, { loaded, key: loaded.name })
      : loaded === ''
        ? h('p', { class: 'choice' }, 'It is read in this page and goes nowhere.')
        : h('p', { class: 'notice', role: 'alert' }, loaded),
  );
}
