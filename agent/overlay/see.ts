// SPDX-License-Identifier: Apache-2.0
// What the kernel holds of an overlay, in the words of core-as/overlay/entry.ts: devices,
// entries on them, routes into the network's subnets, and by which ways other nodes are
// reached. It refuses to judge any of it.
import { BlockList, isIPv6 } from 'node:net';
import { OsError } from '../../host-node/abi/index.ts';
import { routeOperations } from '../../host-node/drivers/route.ts';
import { Spaces } from '../../host-node/drivers/spaces.ts';
import { dumpOf } from '../../host-node/sys/netlink.ts';
import * as rt from '../../host-node/sys/rtnetlink/index.ts';
import {
  type Encapsulation,
  neighbours,
  type OverlayRoute,
  PROTOCOL,
  parseNeighbour,
  parseOverlayRoute,
  routes,
} from './netlink.ts';
import { type LinkMore, parseLinkMore } from './tunnel.ts';
import { type Device, NETLINK_GENERIC, peerText, WireGuard } from './wireguard.ts';

/** Kinds of devices that tunnels of nodes may be. */
const KINDS = new Set(['vxlan', 'geneve', 'wireguard']);

/** A link that a plan may have to do with: every tunnel device, and those of an alias. */
export interface SeenLink extends Omit<LinkMore, 'parent'> {
  readonly name: string;
  readonly ifindex: number;
  readonly kind: string;
  readonly mtu_bytes: number;
  readonly address: string;
  readonly up: boolean;
  /** The name of the link below, "" for none. */
  readonly parent: string;
}

export interface Underlay {
  readonly v6: boolean;
  readonly address: string;
  readonly dev: string;
  readonly mtu_bytes: number;
}

export interface Way {
  readonly address: string;
  readonly dev: string;
  readonly gateway: string;
  readonly mtu_bytes: number;
}

/** The event `seen` of core-as/overlay/machine.ts. */
export interface Seen {
  readonly event: 'seen';
  readonly links: readonly SeenLink[];
  readonly entries: readonly string[];
  readonly foreign: readonly string[];
  readonly underlay: readonly Underlay[];
  readonly paths: readonly Way[];
}

/** What aliases of devices of any network begin with. */
const ALIAS = 'fairlead overlay ';
/** The alias by which a device is a network's, as core-as/overlay/network.ts has it. */
export const aliasOf = (network: string): string => `${ALIAS}${network}`;

/** What to look at. */
export interface Sight {
  /** The name of the network: what is on devices of others is not looked at. */
  readonly name: string;
  /** Its backend. */
  readonly type: string;
  /** The pods' networks, as CIDR. */
  readonly cidrs: readonly string[];
  /** By which other nodes know this one. */
  readonly own: readonly string[];
  /** Addresses of the others. */
  readonly others: readonly string[];
}

interface Named {
  readonly name: string;
  readonly mtu_bytes: number;
}

function within(cidrs: readonly string[]): (dst: string) => boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [ip = '', bits = '0'] = cidr.split('/');
    list.addSubnet(ip, Number(bits), isIPv6(ip) ? 'ipv6' : 'ipv4');
  }
  return (dst) => {
    const [ip = ''] = dst.split('/');
    return list.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
  };
}

/** A route in the words of entries. */
export function routeText(route: OverlayRoute, dev: string): string {
  const metric = route.metric === 0 ? '' : ` metric ${route.metric}`;
  if (route.unreachable) return `route unreachable ${route.dst}${metric}`;
  const via = route.via === '' ? '' : ` via ${route.via}`;
  const src = route.src === '' ? '' : ` src ${route.src}`;
  const onlink = route.onlink ? ' onlink' : '';
  const lock = route.mtu_locked ? ' lock' : '';
  const mtu = route.mtu_bytes === 0 ? '' : ` mtu${lock} ${route.mtu_bytes}`;
  const inside = route.encap === undefined ? '' : encapsulationText(route.encap);
  return `route ${route.dst}${inside}${via} dev ${dev}${src}${onlink}${metric}${mtu}`;
}

/** The order of words is that of core-as/overlay/desire.ts. */
function encapsulationText({ vni, src, dst, hops, csum }: Encapsulation): string {
  const v6 = isIPv6(dst);
  const ends = `id ${vni} src ${src} dst ${dst} ${v6 ? 'hoplimit' : 'ttl'} ${hops}`;
  return ` encap ${v6 ? 'ip6' : 'ip'} ${ends}${csum ? ' csum' : ''}`;
}

/**
 * A link with what only generic netlink tells of it. The kernel tells a private key along with it,
 * so others are asked for only where their port matters, and no look fails by one of them.
 */
export function unveiled(
  wireguard: Pick<WireGuard, 'device'>,
  link: SeenLink,
  { alias, type }: { readonly alias: string; readonly type: string },
  into: Map<number, Device>,
): SeenLink {
  const ours = link.alias === alias;
  if (link.kind !== 'wireguard' || (!ours && type !== 'wireguard')) return link;
  try {
    const device = wireguard.device(link.name);
    into.set(link.ifindex, device);
    return { ...link, port: device.port, public_key: device.public_key };
  } catch (error) {
    if (ours || !(error instanceof OsError)) throw error;
    return link;
  }
}

/** The kernel of this process's network namespace. */
export class Kernel {
  readonly spaces = new Spaces(undefined);
  readonly wireguard = new WireGuard(() => this.spaces.socket(0, NETLINK_GENERIC));

  close(): void {
    this.spaces.close();
  }

  /** Whether a device of a network's is there. */
  has({ name }: Pick<Sight, 'name'>): boolean {
    const alias = aliasOf(name);
    return this.#links()[0].some((link) => KINDS.has(link.kind) && link.alias === alias);
  }

  see({ name: network, type, cidrs, own, others }: Sight): Seen {
    const [found, names] = this.#links();
    const secrets = new Map<number, Device>();
    const alias = aliasOf(network);
    const links = found.map((link) => unveiled(this.wireguard, link, { alias, type }, secrets));
    const devices = links.filter((link) => KINDS.has(link.kind) && link.alias === alias);
    const kin = links.filter((link) => link.alias.startsWith(ALIAS));
    const theirs = new Set(kin.map(({ ifindex }) => ifindex));
    for (const { ifindex } of devices) theirs.delete(ifindex);
    const entries = devices.flatMap(({ name, ifindex }) => this.#entriesOn(name, ifindex));
    for (const { name, ifindex } of devices) {
      const { peers = [] } = secrets.get(ifindex) ?? {};
      entries.push(...peers.map((peer) => peerText(peer, name)));
    }
    const foreign: string[] = [];
    const inside = within(cidrs);
    for (const { protocol, ...route } of this.#routes()) {
      if (!inside(route.dst)) continue;
      const text = routeText(route, names.get(route.ifindex)?.name ?? '?');
      const own_route = protocol === PROTOCOL && !theirs.has(route.ifindex);
      (own_route ? entries : foreign).push(text);
    }
    const underlay = this.#underlay(own, names);
    return { event: 'seen', links, entries, foreign, underlay, paths: this.ways(others, names) };
  }

  /** By which ways addresses are reached; those that are not are left out. */
  ways(addresses: readonly string[], names = this.#links()[1]): Way[] {
    const { route_get } = routeOperations(this.spaces, (action) => action());
    return addresses.flatMap((address) => {
      try {
        const route = route_get({ ns: 0, dst: address });
        const link = names.get(route.ifindex);
        if (link === undefined) return [];
        const mtu_bytes = route.mtu_bytes || link.mtu_bytes;
        return [{ address, dev: link.name, gateway: route.gw, mtu_bytes }];
      } catch {
        // No route: a plan then goes by what is known of the node.
        return [];
      }
    });
  }

  /** The index of a link by its name; undefined when there is none. */
  ifindex(name: string): number | undefined {
    for (const [ifindex, link] of this.#links()[1]) if (link.name === name) return ifindex;
    return undefined;
  }

  /** All links, by their index. */
  linksByIndex(): ReadonlyMap<number, Named> {
    return this.#links()[1];
  }

  #links(): [SeenLink[], Map<number, Named>] {
    const names = new Map<number, Named>();
    const request = dumpOf(rt.RTM_GETLINK)
      .ifinfomsg(rt.AF_UNSPEC, 0, 0, 0)
      .attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS);
    const all = this.spaces.socket(0).dump<SeenLink & { lower: number }>(request, (one, into) => {
      const link = rt.parseLink(one);
      names.set(link.ifindex, { name: link.name, mtu_bytes: link.mtu_bytes });
      const { parent: lower, ...more } = parseLinkMore(one);
      if (!KINDS.has(link.kind) && more.alias === '') return;
      const { name, ifindex, kind, mtu_bytes, address, up } = link;
      into.push({ name, ifindex, kind, mtu_bytes, address, up, ...more, parent: '', lower });
    });
    const links = all.map(({ lower, ...link }) => ({
      ...link,
      parent: names.get(lower)?.name ?? '',
    }));
    return [links, names];
  }

  #entriesOn(name: string, ifindex: number): string[] {
    const socket = this.spaces.socket(0);
    const entries: string[] = [];
    const list = dumpOf(rt.RTM_GETADDR).ifaddrmsg(rt.AF_UNSPEC, 0, 0, ifindex);
    socket.dump(list, (message) => {
      const found: { address: string }[] = [];
      rt.parseAddress(message, ifindex, found as Parameters<typeof rt.parseAddress>[2]);
      for (const { address } of found) {
        if (!address.startsWith('fe80:')) entries.push(`addr ${address} dev ${name}`);
      }
    });
    for (const family of [rt.AF_BRIDGE, rt.AF_INET, rt.AF_INET6]) {
      socket.dump(neighbours(family, ifindex), (message) => {
        const one = parseNeighbour(message, ifindex);
        if (one === undefined) return;
        const { dst, lladdr } = one;
        if (family === rt.AF_BRIDGE) entries.push(`fdb ${lladdr} dst ${dst} dev ${name}`);
        else entries.push(`neigh ${dst} lladdr ${lladdr} dev ${name}`);
      });
    }
    return entries;
  }

  #routes(): (OverlayRoute & { readonly protocol: number })[] {
    const socket = this.spaces.socket(0);
    return [rt.AF_INET, rt.AF_INET6].flatMap((family) =>
      socket.dump<OverlayRoute & { protocol: number }>(routes(family), (message, into) => {
        const found = parseOverlayRoute(message);
        if (found !== undefined) into.push(found);
      }),
    );
  }

  /** The links of this node's addresses, one of each family. */
  #underlay(own: readonly string[], names: ReadonlyMap<number, Named>): Underlay[] {
    const found = new Map<boolean, Underlay>();
    const list = dumpOf(rt.RTM_GETADDR).ifaddrmsg(rt.AF_UNSPEC, 0, 0, 0);
    const indexOf = new Map<string, number>();
    this.spaces.socket(0).dump(list, (message) => {
      const ifindex = rt.addressIndex(message);
      const at: { address: string }[] = [];
      rt.parseAddress(message, ifindex, at as Parameters<typeof rt.parseAddress>[2]);
      for (const { address } of at) indexOf.set(address.replace(/\/.*/, ''), ifindex);
    });
    for (const address of own) {
      const link = names.get(indexOf.get(address) ?? -1);
      const v6 = isIPv6(address);
      if (link === undefined || found.has(v6)) continue;
      found.set(v6, { v6, address, dev: link.name, mtu_bytes: link.mtu_bytes });
    }
    return [...found.values()];
  }
}
