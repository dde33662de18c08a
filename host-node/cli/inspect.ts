// SPDX-License-Identifier: Apache-2.0
// `fairlead inspect`: everything that is known of an attachment, what of it is there now, and the
// commands that show it. The core looks; this prints.
import { resolve } from 'node:path';
import { parseArgs, UsageError } from './args.ts';
import { CACHE_DIR, guarded, type Io, paint, table, tellFailure, wantsJson } from './io.ts';
import { age } from './ls.ts';

const HELP = `fairlead inspect: what was made for an attachment, and what of it is there

Usage:
  fairlead inspect ID|NETWORK|ADDRESS|LINK [--cache-dir DIR] [--output json]

  ID                a container's id, or its beginning (as "fairlead ls" prints it)
  NETWORK           all attachments of a network
  ADDRESS           that of a container
  LINK              the host's end of a veth pair
  --cache-dir DIR   where runtimes keep results ($FAIRLEAD_CACHE_DIR, ${CACHE_DIR})
  --output json     {"attachments": […], "foreign": […], "odd": […]}

STATE of an effect is there, changed, gone or unknown, with why. SHOWN BY is a command that shows
it. An attachment is busy while a call works on it: what that is about to make is gone, too.
Exit codes: 0 done, whatever the states are; 1 nothing has that name, or records cannot be read; 2
wrong usage.
`;

interface Effect {
  readonly effect: string;
  readonly by: string;
  readonly what: string;
  readonly state: 'there' | 'changed' | 'gone' | 'unknown';
  readonly why?: string;
  readonly show: readonly string[];
}

interface Identity {
  readonly network: string;
  readonly containerID: string;
  readonly ifname: string;
  readonly netns: string;
  readonly state: string;
  readonly addresses: readonly string[];
}

interface Inspected extends Identity {
  readonly why?: string;
  readonly since_s: string;
  readonly record: string;
  readonly effects: readonly Effect[];
}

interface Foreign extends Identity {
  readonly show: readonly string[];
}

interface Answered {
  readonly attachments: readonly Inspected[];
  readonly foreign: readonly Foreign[];
  readonly odd: readonly { readonly record: string; readonly why: string }[];
}

const STYLES = { there: 'green', changed: 'red', gone: 'red', unknown: 'yellow' } as const;

function headLines(one: Identity, more: readonly (readonly [string, string])[]): string[] {
  const rows: (readonly [string, string])[] = [
    ['network', one.network],
    ['container', one.containerID],
    ['netns', one.netns || '-'],
    ['addresses', one.addresses.join(', ') || '-'],
    ...more,
  ];
  const [title, state] = [`${one.ifname} of ${one.containerID}`, one.state];
  return [
    `${paint('bold', title)}: ${paint(state === 'lives' ? 'green' : 'yellow', state)}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(10)} ${text}`),
  ];
}

function effectRows(effects: readonly Effect[]): string {
  const rows = effects.map(({ by, what, state, why, show }) => [
    what,
    by || '-',
    show[0] ?? '-',
    `${paint(STYLES[state], state)}${why === undefined ? '' : `: ${why}`}`,
  ]);
  return table([['EFFECT', 'BY', 'SHOWN BY', 'STATE'], ...rows]);
}

function told(one: Inspected, now_s: number): string {
  const lines = headLines(one, [
    ['since', age(one.since_s, now_s)],
    ['record', one.record],
    ...(one.why === undefined ? [] : [['why', one.why] as const]),
  ]);
  return `${lines.join('\n')}\n${effectRows(one.effects)}`;
}

function foreignTold(one: Foreign): string {
  const shown = one.show.map((command): [string, string] => ['shown by', command]);
  const note = ['record', 'none: another plugin wired it, or it is of before the boot'] as const;
  return `${headLines(one, [note, ...shown]).join('\n')}\n`;
}

/** Runs `inspect` and gives the exit code. */
export function runInspect(args: readonly string[], io: Io): number {
  return guarded('inspect', args, io, () => {
    const spec = { output: 'value', 'cache-dir': 'value' } as const;
    const { help, options, operands } = parseArgs(args, spec, 1);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const [what] = operands;
    if (what === undefined) throw new UsageError('ID, NETWORK, ADDRESS or LINK is missing');
    const cacheDir = options['cache-dir'] ?? (io.env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
    const answer = io.task('inspect', { what, cacheDir: resolve(cacheDir) });
    if (answer.exit_code !== 0) return tellFailure('inspect', io, answer, json);
    if (json) {
      io.write(1, `${answer.stdout}\n`);
      return 0;
    }
    const { attachments, foreign, odd } = JSON.parse(answer.stdout) as Answered;
    const parts = [
      ...attachments.map((one) => told(one, Date.now() / 1000)),
      ...foreign.map(foreignTold),
      ...odd.map(({ record, why }) => `${record}: ${paint('yellow', why)}\n`),
    ];
    io.write(1, parts.join('\n'));
    return 0;
  });
}
