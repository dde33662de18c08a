// SPDX-License-Identifier: Apache-2.0
// A rehearsal told as a story: which plugin decides what and why, what it makes, what comes of it
// all, and what a DEL takes away again. It performs nothing but what it is handed the means for.
import type { Answer } from '../core.ts';
import type { SimulatedDriver } from '../drivers/simulated.ts';
import { type Change, difference } from './difference.ts';
import { reasonOf } from './reasons.ts';
import { type Rehearsal, type Rehearsing, rehearse } from './rehearse.ts';
import type { Why } from './why.ts';

/** Something that is made or changed, and what for. */
export interface Deed {
  readonly op: string;
  readonly like: string;
  readonly because: string;
}

/** What one plugin of the chain does; the first and the last chapter are the chain's own. */
export interface Chapter {
  readonly plugin: string;
  readonly decisions: readonly Why[];
  readonly deeds: readonly Deed[];
}

export interface Story {
  readonly command: Command;
  readonly answer: Answer;
  readonly chapters: readonly Chapter[];
  /** What a DEL afterwards removes, and what it leaves of all that was made. */
  readonly removed: readonly Change[];
  readonly stays: readonly Change[];
  /** What was not simulated. */
  readonly notes: readonly string[];
  readonly log: readonly string[];
  /** The state before and after the call. */
  readonly before: string;
  readonly after: string;
}

export const COMMANDS = ['add', 'check', 'del'] as const;
export type Command = (typeof COMMANDS)[number];

const PLUGIN = 'plugin';
const ENOENT = 2;

/** The decisions and deeds of a rehearsal, by plugin. */
function chaptersOf({ steps, whys }: Rehearsal): Chapter[] {
  const chapters: { plugin: string; decisions: Why[]; deeds: Deed[] }[] = [
    { plugin: '', decisions: [], deeds: [] },
  ];
  const hear = (said: readonly Why[]): void => {
    for (const why of said) {
      if (why.what === PLUGIN) chapters.push({ plugin: why.is, decisions: [], deeds: [] });
      else chapters.at(-1)?.decisions.push(why);
    }
  };
  for (const step of steps) {
    hear(step.whys);
    const { op, like, changes, errno } = step;
    const failed = errno !== undefined && errno !== ENOENT ? ` (fails with errno ${errno})` : '';
    if (!changes && (failed === '' || op.includes('_get') || op.includes('read'))) continue;
    chapters.at(-1)?.deeds.push({ op, like: like + failed, because: reasonOf(step) });
  }
  hear(whys);
  return chapters.filter(({ plugin, decisions, deeds }) => {
    return plugin !== '' || decisions.length + deeds.length > 0;
  });
}

/** A line of a state that is there for the network, not for our own book-keeping. */
const isOfNetwork = ({ what }: Change): boolean =>
  !what.startsWith('file /run/fairlead/') && !what.startsWith('file /var/lib/cni/results/');

export interface Telling {
  readonly simulated: SimulatedDriver;
  readonly command: Command;
  /** How each command is performed. */
  readonly perform: (command: Command) => Rehearsing['perform'];
  readonly rehearsing?: Pick<Rehearsing, 'asked' | 'hostNetns'>;
  /** CHECK and DEL are of an attachment that is made first. */
  readonly attached: boolean;
}

/** Performs the call on the simulated kernel, then a DEL on what it left, and tells both. */
export function tell({ simulated, command, perform, rehearsing, attached }: Telling): Story {
  const run = (name: Command): Rehearsal =>
    rehearse({ simulated, perform: perform(name), ...rehearsing });
  if (command !== 'add' && !attached) {
    const made = run('add');
    if (made.answer.exit_code !== 0) return storyOf('add', made, undefined);
  }
  const done = run(command);
  const ends = command !== 'del' && done.answer.exit_code === 0;
  return storyOf(command, done, ends ? run('del') : undefined);
}

/** The link that a line of a state is, "" for any other line. */
const linkOf = ({ netns, what }: Change): string =>
  what.startsWith('link ') ? `${netns} ${what.split(' ', 2)[1]}` : '';

function storyOf(command: Command, done: Rehearsal, del: Rehearsal | undefined): Story {
  const { answer, notes, log, before, after } = done;
  const end = del ?? done;
  const changes = difference(command === 'del' ? before : after, end.after);
  // A bridge that lost its last port is another line, and no other bridge.
  const there = new Set(changes.filter(({ change }) => change === 'added').map(linkOf));
  const removed = changes
    .filter((one) => one.change === 'removed' && (linkOf(one) === '' || !there.has(linkOf(one))))
    .filter(isOfNetwork);
  const stays = difference(before, end.after)
    .filter(({ change }) => change === 'added')
    .filter(isOfNetwork);
  const gone = del === undefined && command !== 'del' ? [] : removed;
  const left = del === undefined ? [] : stays;
  const chapters = chaptersOf(done);
  return { command, answer, chapters, removed: gone, stays: left, notes, log, before, after };
}
