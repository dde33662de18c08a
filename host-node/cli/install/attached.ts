// SPDX-License-Identifier: Apache-2.0
// What lives on a node while programs are put in place or taken away: containers of ours, by their
// records, and of the plugins before. What becomes of them is the core's to do; here it is decided
// whether to go on, and said. It touches no file of an installation.
import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CniError, Io } from '../io.ts';
import { count } from '../io.ts';
import type { Attached, Attachments } from '../ls.ts';
import { InstallError } from './files.ts';
import { BACKUP_SUFFIX } from './install.ts';
import type { Item } from './report.ts';

/** The node that programs are installed on, as far as attachments go. */
export interface Node {
  readonly task: Io['task'];
  /** Where runtimes keep results, without "/results". */
  readonly cache_dir: string;
  /** Where records, locks and indexes are: /run/fairlead. */
  readonly run_dir: string;
}

/** What was done or is to be told. */
export interface Told {
  readonly items: readonly Item[];
  readonly warnings: readonly string[];
  /** What should have gone and could not. */
  readonly failures: readonly string[];
}

const NOTHING: Told = { items: [], warnings: [], failures: [] };
const NAMED = 5;
/** What is ours in the folder of the core (docs/state.md). */
const OURS = ['attachments', 'leases', 'locks', 'recordings', 'shared'];

/** The answer of a task; its error is an InstallError. */
function ask<T>(node: Node, name: string, request: unknown): T {
  const { exit_code, stdout } = node.task(name, request);
  if (exit_code === 0) return JSON.parse(stdout) as T;
  const { msg, details = '' } = JSON.parse(stdout) as CniError;
  throw new InstallError(`${msg}${details && ` | ${details}`}`);
}

/** The first few by name. */
function names(list: readonly Attached[]): string {
  const shown = list.slice(0, NAMED).map(({ containerID, ifname, network }) => {
    return `${containerID} (${ifname} on ${network})`;
  });
  return `${shown.join(', ')}${list.length > NAMED ? ', …' : ''}`;
}

const attachmentsOf = (node: Node): Attachments =>
  ask(node, 'attachments', { network: '', cacheDir: node.cache_dir });

interface Network {
  readonly name: string;
  readonly plugins: readonly string[];
  readonly inside?: readonly string[];
}

/** Whether a network has plugins of which some are ours now; of one that is not found it may be. */
function concerns(networks: readonly Network[], name: string, types: readonly string[]): boolean {
  const found = networks.find((network) => network.name === name);
  const all = [...(found?.plugins ?? []), ...(found?.inside ?? [])];
  return found === undefined || all.some((type) => types.includes(type));
}

/** After install: containers that the plugins before ours wired, and what happens with them. */
export function tellStrangers(
  node: Node,
  where: { bin_dir: string; conf_dir: string; types: readonly string[] },
): Told {
  const { bin_dir, conf_dir, types } = where;
  let strangers: Attached[];
  try {
    const { networks } = ask<{ networks: Network[] }>(node, 'networks', { confDir: conf_dir });
    strangers = attachmentsOf(node).foreign.filter(
      ({ state, network }) => state === 'lives' && concerns(networks, network, types),
    );
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    return { ...NOTHING, warnings: [`cannot tell which containers live here: ${error.message}`] };
  }
  if (strangers.length === 0) return NOTHING;
  const live = `${count(strangers.length, 'attachment')} of the plugins before live on: `;
  const kept = statSync(bin_dir, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(bin_dir, { withFileTypes: true }).some(
        // In a dry run what will be kept has its name still; ours are links.
        (entry) =>
          entry.name.endsWith(BACKUP_SUFFIX) || (types.includes(entry.name) && entry.isFile()),
      )
    : false;
  const then = kept
    ? `. Their DEL and CHECK call what is kept as NAME${BACKUP_SUFFIX}: leave it there until ` +
      'they are gone'
    : `. Nothing is kept of those plugins in ${bin_dir}, so what these have in iptables stays ` +
      'after their DEL, and is told then';
  return { ...NOTHING, warnings: [`${live}${names(strangers)}${then}`] };
}

interface Drained {
  readonly drained: readonly Pick<Attached, 'network' | 'containerID' | 'ifname'>[];
  readonly left: number;
  readonly errors: readonly string[];
}

/** Takes back what containers left that are gone, with `living` what all have. */
function drain(node: Node, living: boolean): Drained & Told {
  const done = ask<Drained>(node, 'drain', { living });
  const items = done.drained.map(({ containerID, ifname, network }): Item => {
    const path = `attachment ${ifname} of ${containerID} on network ${network}`;
    return { action: 'removed', path, note: '' };
  });
  return { ...done, items, warnings: [], failures: done.errors };
}

/** After install: what containers left that ended while the plugins before ours were in place. */
export function drainDead(node: Node): Told {
  try {
    return drain(node, false);
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    // tellStrangers says why.
    return NOTHING;
  }
}

export type Leaving = 'ask' | 'drain' | 'leave';

/** Before uninstall: refuses while attachments of ours live and nobody said what is to be. */
export function refuseWhileAttached(node: Node, leaving: Leaving): readonly string[] {
  let living: readonly Attached[];
  try {
    living = attachmentsOf(node).attachments.filter(({ state }) => state !== 'gone');
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    return [`cannot tell which containers live here, so all stays of them: ${error.message}`];
  }
  if (living.length === 0 || leaving === 'drain') return [];
  const live = `${count(living.length, 'attachment')} of ours live: ${names(living)}`;
  if (leaving === 'leave') {
    return [
      `${live}. What they have in nftables stays, and ports of the host lead on to their ` +
        'addresses after another plugin deletes them, until install or "nft delete table"',
    ];
  }
  throw new InstallError(
    `${live}. Nothing was changed. Remove these containers first; or take them off their ` +
      'networks now with --drain; or go with --leave, and what they have in nftables stays',
  );
}

/** After uninstall: what is recorded goes, and with the last of it our tables and /run/fairlead. */
export function takeAway(node: Node, living: boolean, dry_run: boolean): Told {
  const gone = dry_run ? rehearsed(node, living) : drain(node, living);
  if (gone.left > 0) {
    const stays = `${count(gone.left, 'attachment')} of ours stay, and our tables with them`;
    return { ...gone, warnings: [...gone.warnings, `${stays}: --drain takes them away`] };
  }
  const retired = ask<{ removed: string[]; kept: string[]; errors: string[] }>(node, 'retire', {
    rehearse: dry_run,
  });
  const items: Item[] = [...gone.items];
  for (const path of retired.removed) items.push({ action: 'removed', path, note: '' });
  for (const path of retired.kept) {
    const [table = '', chain = ''] = path.replace('table ', '').split(', chain ');
    const note =
      `has rules of an administrator; save it with "nft list chain ${table} ${chain}", then ` +
      `"nft delete table ${table}"`;
    items.push({ action: 'kept', path, note });
  }
  items.push(...forget(node.run_dir, dry_run));
  return { ...NOTHING, items, failures: [...gone.failures, ...retired.errors] };
}

function rehearsed(node: Node, living: boolean): Drained & Told {
  const { attachments } = attachmentsOf(node);
  const drained = attachments.filter(({ state }) => living || state === 'gone');
  const items = drained.map(({ containerID, ifname, network }): Item => {
    const path = `attachment ${ifname} of ${containerID} on network ${network}`;
    return { action: 'removed', path, note: '' };
  });
  return { ...NOTHING, drained, items, left: attachments.length - drained.length, errors: [] };
}

/** Removes the folder of records, unless those of another host's namespace are in it. */
function forget(run_dir: string, dry_run: boolean): Item[] {
  const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;
  if (!isThere(run_dir)) return [];
  const records = join(run_dir, 'attachments');
  const others = isThere(records) && !dry_run ? readdirSync(records) : [];
  if (others.length > 0) {
    const note = 'has records of another network namespace of the host';
    return [{ action: 'kept', path: run_dir, note }];
  }
  if (dry_run) return [{ action: 'removed', path: run_dir, note: '' }];
  // The folder may be one that somebody named: what else is in it stays, and it with that.
  for (const name of OURS) rmSync(join(run_dir, name), { recursive: true, force: true });
  if (readdirSync(run_dir).length > 0) {
    return [{ action: 'kept', path: run_dir, note: 'has files that are not ours' }];
  }
  rmdirSync(run_dir);
  return [{ action: 'removed', path: run_dir, note: '' }];
}
