// SPDX-License-Identifier: Apache-2.0
// The difference of two states in the text of core-as/sim/text.ts, line by line. It judges nothing.

/** A line of the state's text (core-as/sim/text.ts) that is there only before or only after. */
export interface Change {
  /** The namespace it is of; empty for files, which are the machine's. */
  readonly netns: string;
  readonly change: 'added' | 'removed';
  readonly what: string;
}

/** The lines of a state, each with the namespace it is of; files are of none. */
function sections(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  let at = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('netns ')) at = line;
    else if (line.startsWith('file ') || line.startsWith('plugin ')) at = '';
    const section = found.get(at) ?? new Set();
    found.set(at, section);
    if (line !== '' && line !== at) section.add(line);
  }
  return found;
}

/** What differs between two states. */
export function difference(before: string, after: string): Change[] {
  const [old, now] = [sections(before), sections(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((head) => {
    const [was, is] = [old.get(head) ?? new Set<string>(), now.get(head) ?? new Set<string>()];
    const netns = head.slice('netns '.length);
    const lines = [
      ...[...was].filter((line) => !is.has(line)).map((what) => ({ change: 'removed', what })),
      ...[...is].filter((line) => !was.has(line)).map((what) => ({ change: 'added', what })),
    ] as const;
    // What was and what is now stand together.
    const sorted = [...lines].sort((a, b) => order(a.what, b.what) || order(b.change, a.change));
    return sorted.map(({ change, what }) => ({ netns, change: change as Change['change'], what }));
  });
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
