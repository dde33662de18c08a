// SPDX-License-Identifier: Apache-2.0
// `fairlead ls`: which attachments there are on this node, by our records, and by results that a
// runtime keeps of those that another plugin wired. The core looks; this prints.
import { resolve } from 'node:path';
import { parseArgs } from './args.ts';
import { CACHE_DIR, formOf, guarded, type Io, paint, table, tellFailure } from './io.ts';

const HELP = `fairlead ls: the attachments of this node

Usage:
  fairlead ls [NETWORK] [--output wide|json] [--cache-dir DIR]

  NETWORK           those of one network
  --output wide     whole container ids, namespaces, and what was made
  --output json     {"attachments": […], "foreign": […]}
  --cache-dir DIR   where runtimes keep results ($FAIRLEAD_CACHE_DIR, ${CACHE_DIR})

STATE is lives, gone (its DEL never came: fairlead gc removes it), or unknown. "foreign" is what a
runtime keeps a result of and we have no record of: another plugin wired it, or it is of before the
boot. Exit codes: 0 done; 1 the records cannot be read; 2 wrong usage.
`;

/** An attachment as the task `attachments` has it (core-as/tasks/attachments.ts). */
export interface Attached {
  readonly network: string;
  readonly containerID: string;
  readonly ifname: string;
  readonly netns: string;
  readonly state: 'lives' | 'gone' | 'unknown';
  readonly addresses: readonly string[];
  readonly since_s?: string;
  readonly effects?: readonly string[];
}

/** The answer of that task. */
export interface Attachments {
  readonly attachments: readonly Attached[];
  readonly foreign: readonly Attached[];
}

/** As other programs shorten ids. */
export const ID_SHOWN = 12;
const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
];

/** How long ago, in its largest unit. */
export function age(since_s: string | undefined, now_s: number): string {
  const seconds = Math.floor(now_s - Number(since_s));
  if (since_s === undefined || since_s === '' || !Number.isFinite(seconds)) return '-';
  const [size = 1, unit = 's'] = UNITS.find(([least]) => seconds >= least) ?? [];
  return `${Math.max(0, Math.floor(seconds / size))}${unit}`;
}

function stateOf({ state }: Attached, foreign: boolean): string {
  return foreign ? `${state}, foreign` : state;
}

function rowsOf({ attachments, foreign }: Attachments, wide: boolean, now_s: number): string[][] {
  const head = ['CONTAINER', 'IFNAME', 'NETWORK', 'ADDRESSES', 'SINCE', 'STATE'];
  const row = (one: Attached, others: boolean): string[] => {
    const { containerID: id, ifname, network, addresses, effects = [] } = one;
    const cells = [
      wide ? id : id.slice(0, ID_SHOWN),
      ifname,
      network,
      addresses.join(',') || '-',
      age(one.since_s, now_s),
      stateOf(one, others),
    ];
    const made = [...new Set(effects)].join(',') || '-';
    return wide ? [...cells, one.netns || '-', made] : cells;
  };
  const rows = [
    ...attachments.map((one) => row(one, false)),
    ...foreign.map((one) => row(one, true)),
  ];
  return [wide ? [...head, 'NETNS', 'MADE'] : head, ...rows];
}

/** Runs `ls` and gives the exit code. */
export function runLs(args: readonly string[], io: Io): number {
  return guarded('ls', args, io, () => {
    const spec = { output: 'value', 'cache-dir': 'value' } as const;
    const { help, options, operands } = parseArgs(args, spec, 1);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const output = formOf(options.output);
    const cacheDir = options['cache-dir'] ?? (io.env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
    const [network = ''] = operands;
    const answer = io.task('attachments', { network, cacheDir: resolve(cacheDir) });
    const json = output === 'json';
    if (answer.exit_code !== 0) return tellFailure('ls', io, answer, json);
    const found = JSON.parse(answer.stdout) as Attachments;
    const rows = rowsOf(found, output === 'wide', Date.now() / 1000);
    const of = network === '' ? '' : ` of network ${network}`;
    if (json) io.write(1, `${answer.stdout}\n`);
    else if (rows.length > 1) io.write(1, table(rows));
    else io.write(1, `${paint('bold', `nothing is attached${of}`)}\n`);
    return 0;
  });
}
