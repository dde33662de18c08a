// SPDX-License-Identifier: Apache-2.0
// A story in lines for a person: explain.ts performs it, this words it.
import type { Change } from '../story/difference.ts';
import type { Chapter, Deed, Story } from '../story/story.ts';
import { count, paint } from './io.ts';
import { type Result, resultLines } from './result.ts';

/** Longer lines say no more to a person. */
const SHOWN_LIMIT = 160;

const clipped = (line: string): string =>
  line.length > SHOWN_LIMIT ? `${line.slice(0, SHOWN_LIMIT)}…` : line;

function likeOf({ op, like }: Deed): string {
  return op === 'nft.batch' ? 'nft -f -' : clipped(like);
}

/** What is made, with its reason behind it; files and locks only as a number. */
function deedLines(deeds: readonly Deed[]): string[] {
  const told = deeds.filter(({ op }) => !op.startsWith('store.'));
  const files = deeds.length - told.length;
  const lines = told.map((deed) => {
    const { because } = deed;
    return because === '' ? `  ${likeOf(deed)}` : `  ${likeOf(deed)}\n      ${because}`;
  });
  if (files > 0) lines.push(`  ${count(files, 'change')} of files and locks (--output json)`);
  return lines;
}

function chapterLines(chapter: Chapter, number: number, last: boolean): string[] {
  const { plugin, decisions, deeds } = chapter;
  const own = last ? 'at the end, for all of them' : 'before the first plugin';
  const head = plugin === '' ? own : `${number}. ${plugin}`;
  const why = decisions.map(({ what, is, because }) => `  ${what}: ${is}\n      ${because}`);
  if (plugin !== '' && decisions.length + deeds.length === 0)
    why.push('  notes what is made below');
  return [paint('bold', head), ...why, ...deedLines(deeds)];
}

/** A line of a state as a person reads it. */
function changeLine({ netns, what }: Change): string {
  const where = netns === '' || netns === 'host' ? '' : `${netns.replace(/ path .*/, '')}: `;
  const file = /^(file \S+) "/.exec(what)?.[1];
  const part = /^nft (\w+) \d+$/.exec(what)?.[1];
  const words = part === undefined ? (file ?? what) : `nft rules of our tables for ${part}`;
  return `  ${where}${clipped(words)}`;
}

export interface ToldStory {
  readonly network: string;
  readonly ground: string;
  readonly story: Story;
  readonly notes: readonly string[];
}

/** The whole of it. */
export function printStory({ network, ground, story, notes }: ToldStory): string {
  const { command, answer, chapters, removed, stays, log } = story;
  const lines = [
    `${command.toUpperCase()} of network ${network}, on ${ground}: nothing is changed`,
  ];
  let number = 0;
  for (const [at, chapter] of chapters.entries()) {
    if (chapter.plugin !== '') number++;
    lines.push(...chapterLines(chapter, number, at > 0));
  }
  if (answer.exit_code !== 0) {
    const { code, msg, details } = JSON.parse(answer.stdout) as Record<string, unknown>;
    lines.push(paint('bold', 'it fails'), `  ${msg} (CNI error ${code})`);
    if (details !== undefined) lines.push(`  ${details}`);
  } else if (command === 'add') {
    const result = resultLines(JSON.parse(answer.stdout) as Result);
    lines.push(paint('bold', 'result'), ...result.map((line) => `  ${line.trimStart()}`));
  }
  const parts: [string, readonly string[]][] = [
    [command === 'del' ? 'removed' : 'DEL removes', removed.map(changeLine)],
    ['DEL leaves, as others may use it', stays.map(changeLine)],
    ['it says', log.map((line) => `  ${line}`)],
    ['note', [...story.notes, ...notes].map((line) => `  ${line}`)],
  ];
  for (const [title, items] of parts) {
    if (items.length > 0) lines.push(paint('bold', title), ...items);
  }
  return `${lines.join('\n')}\n`;
}
