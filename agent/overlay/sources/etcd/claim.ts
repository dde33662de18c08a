// SPDX-License-Identifier: Apache-2.0
// Which subnet of the network is this node's: what it has in etcd already, else what it had, else
// a free one. While pods of this boot may have addresses of a subnet it asks for no other. It
// refuses to take what another node holds.
import type { Json } from '../../config.ts';
import type { ClusterNode, OwnNode } from '../../source.ts';
import {
  fits,
  freeSubnets,
  isFlannels,
  keyOf,
  nodeOf,
  overlap,
  type Self,
  strangeness,
  subnetsOf,
  textOf,
} from './layout.ts';
import type { Memory } from './memory.ts';
import type { Entry, Listed, Store } from './store.ts';

/** Somebody changed etcd between a look and a claim: both again. */
export class Raced extends Error {}
/** Nothing to be had before somebody does something; the message says what. */
export class ClaimRefused extends Error {}

export interface ClaimOptions {
  readonly store: Store;
  readonly memory: Memory;
  readonly cidrs: readonly string[];
  /** The agent's own net-conf.json, where etcd has none. */
  readonly net_conf: Json;
  /** Whether the key of this node may be one that flanneld made. */
  readonly flannel: boolean;
  /** A lease of this node's. */
  readonly lease: (signal: AbortSignal) => Promise<string>;
}

/** The net-conf.json in etcd, or the agent's; both have to be of one network. */
function confOf({ cidrs, net_conf }: ClaimOptions, config: string | undefined): Json {
  if (config === undefined) return net_conf;
  let conf: unknown;
  try {
    conf = JSON.parse(config);
  } catch (error) {
    throw new ClaimRefused(`the key "config" in etcd is no JSON: ${(error as Error).message}`);
  }
  if (typeof conf !== 'object' || conf === null) {
    throw new ClaimRefused('the key "config" in etcd is no object');
  }
  for (const key of ['Network', 'IPv6Network']) {
    const network = (conf as Json)[key];
    const off = key === 'IPv6Network' && (conf as Json)['EnableIPv6'] === false;
    if (network === undefined || network === '' || off) continue;
    if (!cidrs.includes(String(network))) {
      throw new ClaimRefused(
        `the network in etcd is ${network}, and that of the agent ${cidrs.join(', ')}: ` +
          'make "net-conf" and the key "config" the same',
      );
    }
  }
  return conf as Json;
}

/** What was said of this node before, so that neither a restart nor a successor takes it back. */
function ownOf(node: ClusterNode | undefined): OwnNode | undefined {
  if (node === undefined) return undefined;
  const { mtu_bytes = 0, macs = {}, public_key } = node;
  return { ready: false, mtu_bytes, macs, ...(public_key !== undefined && { public_key }) };
}

const entryNode = ({ key, value, create_revision }: Entry): ClusterNode | undefined =>
  nodeOf(key, value, create_revision);

export async function claim(
  options: ClaimOptions,
  self: Self,
  own: OwnNode | undefined,
  listed: Listed,
  signal: AbortSignal,
): Promise<Entry> {
  const { memory, cidrs } = options;
  const conf = confOf(options, listed.config);
  const had = memory.read();
  const named = heldBy(self, had?.subnets ?? [], listed.entries);
  // Flannel knows a node by its address alone.
  const mine = named ?? (options.flannel ? leftBehind(self, listed.entries) : undefined);
  if (mine !== undefined) {
    const kept = await keep(options, self, own, mine, signal);
    memory.write(subnetsOf(kept.key));
    return kept;
  }
  const others = listed.entries.map((entry) => ({ entry, subnets: subnetsOf(entry.key) }));
  const subnets = had !== undefined && usable(had.subnets, cidrs, conf) ? had.subnets : [];
  const wanted = subnets.length > 0 ? subnets : had?.bound === true ? had.subnets : [];
  const taker = others.find((other) => overlap(other.subnets, wanted));
  if (had?.bound === true && wanted.length > 0 && (taker !== undefined || subnets.length === 0)) {
    const who =
      taker === undefined ? 'is not of the network any more' : `is ${nameOf(taker.entry)}'s`;
    throw new ClaimRefused(
      `${wanted.join(', ')}, which pods of this node may have, ${who}: ` +
        'give it back in etcd, or drain this node and start it anew',
    );
  }
  const chosen =
    wanted.length > 0 && taker === undefined
      ? wanted
      : free(
          cidrs,
          conf,
          others.flatMap((other) => other.subnets),
        );
  const lease = await options.lease(signal);
  const made = { key: keyOf(chosen), value: textOf(self, own), lease };
  const entry = await options.store.claim(made, listed.revision, signal);
  if (entry === undefined) throw new Raced('another node claimed a subnet at the same time');
  memory.write(chosen);
  return entry;
}

function usable(subnets: readonly string[], cidrs: readonly string[], conf: Json): boolean {
  try {
    return fits(subnets, cidrs, conf);
  } catch (error) {
    throw new ClaimRefused((error as Error).message);
  }
}

function free(cidrs: readonly string[], conf: Json, taken: readonly string[]): string[] {
  try {
    return freeSubnets(cidrs, conf, taken);
  } catch (error) {
    throw new ClaimRefused((error as Error).message);
  }
}

const nameOf = (entry: Entry): string => entryNode(entry)?.name ?? entry.key;

/** The key that this node has already. One of its name and of another's address is not its own. */
function heldBy(
  { node, addresses }: Self,
  had: readonly string[],
  entries: readonly Entry[],
): Entry | undefined {
  const named = entries.filter((entry) => entryNode(entry)?.name === node);
  const mine = named.find(
    (entry) =>
      entry.key === keyOf(had) ||
      entryNode(entry)?.addresses?.some((address) => addresses.includes(address)),
  );
  const [stranger] = named;
  if (mine !== undefined || stranger === undefined) return mine;
  const at = entryNode(stranger)?.addresses?.join(', ');
  throw new ClaimRefused(
    `"${stranger.key}" in etcd is of a node "${node}" too, at ${at}: ` +
      'give one of them another name, or delete the key if that node is no more',
  );
}

/** The key that flanneld of this node made; with another backend it is not ours to write. */
function leftBehind({ addresses, vni }: Self, entries: readonly Entry[]): Entry | undefined {
  const left = entries.find(
    (entry) =>
      isFlannels(entry.value) &&
      entryNode(entry)?.addresses?.some((address) => addresses.includes(address)),
  );
  const strange = left === undefined ? '' : strangeness(left.value, { vni });
  if (strange === '') return left;
  throw new ClaimRefused(
    `"${left?.key}" in etcd is what flanneld said of this node, and ${strange}: ` +
      'make flanneld’s network the same first, or delete the key if flanneld is no more',
  );
}

/** Takes over what this node had, with its lease when that one lives. */
async function keep(
  { store, lease: granted }: ClaimOptions,
  self: Self,
  own: OwnNode | undefined,
  mine: Entry,
  signal: AbortSignal,
): Promise<Entry> {
  const value = textOf(self, own ?? ownOf(entryNode(mine)), mine.value);
  const lives = mine.lease === '0' || (await store.keepAlive(mine.lease, signal)) > 0;
  const lease = lives ? mine.lease : await granted(signal);
  if (lives && value === mine.value) return mine;
  const entry = await store.replace(mine, { value, lease }, signal);
  if (entry === undefined) throw new Raced('this node’s subnet was changed by somebody');
  return entry;
}
