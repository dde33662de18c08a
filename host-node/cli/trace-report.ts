// SPDX-License-Identifier: Apache-2.0
// How `fairlead trace --live` tells a person what was computed and what was seen. It judges
// nothing.
import type { Compared, Judged, Passage } from '../story/seen.ts';
import { paint } from './io.ts';
import type { Followed, Live } from './trace-live.ts';

const COLOURS = { arrives: 'green', leaves: 'green', lost: 'red', unseen: 'yellow' } as const;
const MARKS: Readonly<Record<Compared['verdict'], string>> = {
  same: paint('green', '='),
  different: paint('red', '!'),
  unseen: paint('yellow', '?'),
  untold: ' ',
};

function judgedLine({ chain, by, handle, verdict, comment }: Judged): string {
  const what = by === 'policy' ? 'its policy' : `rule handle ${handle}`;
  const said = verdict === 'drop' ? paint('red', verdict) : verdict;
  return `        chain ${chain}, ${what}: ${said}${comment && `  "${comment}"`}`;
}

function passageLines({ family, hook, iif, oif, src, dst, port, judged }: Passage): string[] {
  const by = [iif && `in "${iif}"`, oif && `out "${oif}"`].filter((word) => word !== '').join(' ');
  const way = `${src} > ${dst}${port > 0 ? ` port ${port}` : ''}`;
  // A policy that lets pass is no news: every chain that it came to has one.
  const told = judged.filter(({ by: who, verdict }) => who === 'rule' || verdict !== 'accept');
  return [`    ${family} ${hook}: ${way}, ${by}`, ...told.map(judgedLine)];
}

/** Each step with its mark, both ends, and the hooks with the rules that had a word. */
export function printedLive({ steps, end }: Pick<Followed, 'steps' | 'end'>, live: Live): string {
  const width = Math.max(0, ...steps.map(({ at }) => at.length));
  const lines = steps.flatMap(({ at, does }, index) => {
    const { verdict, seen } = live.steps[index]!;
    const line = `${MARKS[verdict]}${String(index + 1).padStart(2)}  ${at.padEnd(width)}  ${does}`;
    return seen === '' ? [line] : [line, `${' '.repeat(width + 7)}seen: ${seen}`];
  });
  lines.push(`    computed  ${paint(COLOURS[end.outcome], end.outcome)}: ${end.why}`);
  lines.push(
    `    seen      ${paint(COLOURS[live.end.outcome], live.end.outcome)}: ${live.end.why}`,
  );
  const cure = live.end.cure ?? (live.end.outcome === end.outcome ? end.cure : undefined);
  if (cure !== undefined) lines.push(`              ${cure}`);
  for (const text of live.differences) lines.push(`    differs   ${text}`);
  for (const text of live.unseen) lines.push(`    unseen    ${text}`);
  lines.push('', ...live.hooks.flatMap(passageLines));
  if (live.hooks.length > 0) lines.push('', '= as computed, ! otherwise, ? not seen');
  return lines.map((line) => `${line}\n`).join('');
}
