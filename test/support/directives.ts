// SPDX-License-Identifier: Apache-2.0
// The comment of a fixture: what holds, in words, and after a blank line its directives. It knows
// each directive and each of its values, and refuses all others: one with a slip in it would be
// a fixture that says less than it seems to. Whether a kernel can do it is needs.ts's.
import { LINK_KINDS } from './words.ts';

export interface Directives {
  /** "same", "differs ID", or "skip REASON". */
  readonly referee: string;
  /** "all", or "written": only with the cniVersion as it stands. */
  readonly versions: string;
  /** "real": its operations fail in turn on the real kernel as well. "none": not at all. */
  readonly faults: string;
  /** What the real kernel must have beyond what every kernel has, such as "link vrf table 10". */
  readonly needs: readonly string[];
}

/** What a directive says when it is not there, and what else it may say. */
const RULES: Readonly<Record<keyof Directives, { usual: string; may: RegExp; words: string }>> = {
  referee: {
    usual: 'same',
    may: /^(same|differs [a-z0-9-]+|skip \S.*)$/,
    words: 'same, differs ID, skip REASON',
  },
  versions: { usual: 'all', may: /^(all|written)$/, words: 'all, written' },
  faults: { usual: 'simulated', may: /^(simulated|real|none)$/, words: 'simulated, real, none' },
  needs: {
    usual: '',
    may: /^link [a-z]\S*( [^,]+)?(, link [^,]+)*$/,
    words: 'link KIND [OPTION …]',
  },
};

/** One line as a directive; `undefined` for a line that is none. */
function directive(line: string): [name: string, value: string] | undefined {
  const [, name, value] = /^([a-z][a-z-]*): ?(.*)$/.exec(line) ?? [];
  return name === undefined ? undefined : [name, value ?? ''];
}

function checked(name: string, value: string): void {
  const rule = RULES[name as keyof Directives];
  if (rule === undefined) {
    throw new Error(`"${name}" is no directive; there are ${Object.keys(RULES).join(', ')}`);
  }
  if (!rule.may.test(value)) throw new Error(`"${name}: ${value}" is none of: ${rule.words}`);
}

/** The kind of link that a need is for. */
export const kindNeeded = (need: string): string => need.split(' ')[1] ?? '';

function needsOf(value: string): string[] {
  const needs = value === '' ? [] : value.split(', ');
  const unknown = needs.map(kindNeeded).filter((kind) => !(kind in LINK_KINDS));
  if (unknown.length > 0) {
    throw new Error(`test/support/words.ts has no row for links of kind ${unknown.join(', ')}`);
  }
  return needs;
}

/** Throws an Error that names the line when the comment is not as fixtures/README.md says. */
export function parseDirectives(comment: string): Directives {
  const [about = '', ...rest] = comment.trim().split(/\n\n+/);
  const early = about.split('\n').find((line) => directive(line) !== undefined);
  if (early !== undefined) throw new Error(`"${early}" must stand after a blank line`);
  const given = new Map<string, string>();
  for (const line of rest.flatMap((part) => part.split('\n'))) {
    const [name, value] = directive(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new Error(`"${line}" is no directive: what holds is said before the first blank line`);
    }
    checked(name, value);
    if (given.has(name)) throw new Error(`"${name}" is said twice`);
    given.set(name, value);
  }
  const said = (name: keyof Directives): string => given.get(name) ?? RULES[name].usual;
  return {
    referee: said('referee'),
    versions: said('versions'),
    faults: said('faults'),
    needs: needsOf(said('needs')),
  };
}
