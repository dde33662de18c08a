// SPDX-License-Identifier: Apache-2.0
// The operations of the module nft over a nfnetlink socket per namespace. It decides nothing: what
// a transaction says comes from the core, byte for byte.
import {
  type DriverOf,
  type NftBase,
  type NftChain,
  type NftElement,
  type NftRule,
  OsError,
} from '../abi/index.ts';
import { EBADMSG } from '../sys/libc.ts';
import { NETLINK_NETFILTER, type NetlinkSocket } from '../sys/netlink.ts';
import * as nf from '../sys/nfnetlink.ts';
import type { Call, Spaces } from './spaces.ts';

/** The operations of the module `nft`. */
export type NftDriver = DriverOf<'nft'>;
type Args<K extends keyof NftDriver> = Parameters<NftDriver[K]>[0];

function generation(socket: NetlinkSocket): number {
  const now = socket.get(nf.generationNow(), nf.parseGeneration);
  if (!now) throw new OsError(EBADMSG, 'no generation in the reply');
  return now;
}

function ruleList(socket: NetlinkSocket, { family, table }: Args<'rule_list'>): NftRule[] {
  return socket.dump<NftRule>(nf.rulesOf(family, table), (message, into) => {
    const { chain, comment } = nf.parseRule(message);
    into.push({ chain, comment });
  });
}

function chainGet(socket: NetlinkSocket, { family, table, chain }: Args<'chain_get'>): NftChain {
  const use = socket.get(nf.chainOf(family, table, chain), nf.parseUse);
  if (use === undefined) throw new OsError(EBADMSG, 'no chain in the reply');
  const request = nf.rulesOfChain(family, table, chain);
  const rules = socket.dump<NftChain['rules'][number]>(request, (message, into) => {
    const { handle, comment } = nf.parseRule(message);
    into.push({ handle, comment, does: nf.parseDoes(message) });
  });
  return { use, rules };
}

function chainList(socket: NetlinkSocket, { hooknum }: Args<'chain_list'>): NftBase[] {
  return socket.dump<NftBase>(nf.chains(), (message, into) => {
    nf.parseBase(message, hooknum, into);
  });
}

function elementList(socket: NetlinkSocket, args: Args<'element_list'>): NftElement[] {
  return socket.dump(nf.elementsOf(args.family, args.table, args.set), nf.parseElements);
}

function elementGet(socket: NetlinkSocket, args: Args<'element_get'>): NftElement[] {
  const get = nf.elementOf(args.family, args.table, args.set, args.key);
  const found: NftElement[] = [];
  socket.get(get, (message) => nf.parseElements(message, found));
  return found;
}

/** `call` turns what is thrown into an OsError. */
export function nftOperations(spaces: Spaces, call: Call): NftDriver {
  const socket = (ns: number): NetlinkSocket => spaces.socket(ns, NETLINK_NETFILTER);
  return {
    batch: ({ ns, messages }) => call(() => socket(ns).transact(messages)),
    generation: ({ ns }) => call(() => generation(socket(ns))),
    rule_list: (args) => call(() => ruleList(socket(args.ns), args)),
    chain_get: (args) => call(() => chainGet(socket(args.ns), args)),
    chain_list: (args) => call(() => chainList(socket(args.ns), args)),
    element_list: (args) => call(() => elementList(socket(args.ns), args)),
    element_get: (args) => call(() => elementGet(socket(args.ns), args)),
  };
}
