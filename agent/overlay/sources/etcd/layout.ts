// SPDX-License-Identifier: Apache-2.0
// Flannel's layout in etcd: the keys of subnets, what their values say of a node, and how the
// network is cut into subnets. It owns those texts and refuses to ask anybody.
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Json } from '../../config.ts';
import type { ClusterNode, OwnNode } from '../../source.ts';
import { type Joined, unfitOf } from '../backend.ts';

/** A key's last part, such as 10.244.1.0-24&fd00:244:0:1::-64, for subnets as CIDR. */
export const keyOf = (subnets: readonly string[]): string =>
  subnets.map((one) => one.replace('/', '-')).join('&');

/** Subnets of a key's last part, as CIDR; none when it is no such key. */
export function subnetsOf(key: string): string[] {
  const subnets = key.split('&').map((part) => part.replace(/-(?=\d+$)/, '/'));
  const good = subnets.every((one) => {
    const [ip = '', bits = ''] = one.split('/');
    return isIP(ip) !== 0 && /^\d+$/.test(bits);
  });
  return good ? subnets : [];
}

/** What Fairlead's agents say beside what Flannel's do, which do not read it. */
interface Ours {
  readonly node: string;
  readonly mtu_bytes?: number;
}

/** The value of a subnet's key. */
export interface SubnetValue {
  readonly PublicIP: string;
  readonly PublicIPv6: string | null;
  readonly BackendType: string;
  readonly BackendData: object | null;
  readonly BackendV6Data?: object | null;
  readonly Fairlead?: Ours;
}

export interface Self {
  readonly node: string;
  readonly addresses: readonly string[];
  readonly type: string;
  readonly vni: number;
}

/** What this node says of itself, in place of what was said of it `before`. */
export function textOf(
  { node, addresses, type, vni }: Self,
  own: OwnNode | undefined,
  before = '',
): string {
  const data = (key: string, mac: string | undefined): object | null => {
    if (type === 'wireguard') return own?.public_key ? { PublicKey: own.public_key } : null;
    if (type !== 'vxlan') return null;
    return mac === undefined ? kept(key) : { VNI: vni, VtepMAC: mac };
  };
  // Without any device there is nothing new to say, and others go by what there is.
  const { v4, v6 } = own?.macs ?? {};
  const was = v4 === undefined && v6 === undefined ? parsed(before) : undefined;
  const kept = (key: string): object | null => {
    const said = textAt(was, 'BackendType') === type ? field(was, key) : undefined;
    return typeof said === 'object' ? said : null;
  };
  const value: SubnetValue = {
    PublicIP: addresses.find((one) => !isIPv6(one)) ?? '0.0.0.0',
    PublicIPv6: addresses.find(isIPv6) ?? null,
    BackendType: type,
    BackendData: data('BackendData', v4),
    BackendV6Data: data('BackendV6Data', v6),
    Fairlead: { node, ...(own && own.mtu_bytes > 0 && { mtu_bytes: own.mtu_bytes }) },
  };
  return JSON.stringify(value);
}

const field = (of: unknown, key: string): unknown =>
  typeof of === 'object' && of !== null ? (of as Json)[key] : undefined;
const textAt = (of: unknown, key: string): string => {
  const value = field(of, key);
  return typeof value === 'string' ? value : '';
};

/** What a text holds; undefined when it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a value's node is none of a network with nodes of Flannel's, "" when it is. */
export function strangeness(text: string, joined: Joined): string {
  const value = parsed(text);
  const data = ['BackendData', 'BackendV6Data'].map((key) => field(value, key));
  return unfitOf(textAt(value, 'BackendType'), data.map(objectIn), joined);
}
const objectIn = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null ? (value as Json) : undefined;

/**
 * A node of a key and its value; undefined when they are no subnet's, whatever they are. `joined`:
 * where nodes of Flannel's are among them.
 */
export function nodeOf(
  key: string,
  text: string,
  create_revision: string,
  joined?: Joined,
): ClusterNode | undefined {
  const subnets = subnetsOf(key);
  const value = parsed(text);
  const addresses = [textAt(value, 'PublicIP'), textAt(value, 'PublicIPv6')].filter(
    (one) => isIP(one) !== 0 && one !== '0.0.0.0',
  );
  if (subnets.length === 0 || addresses.length === 0) return undefined;
  const v4 = textAt(field(value, 'BackendData'), 'VtepMAC');
  const v6 = textAt(field(value, 'BackendV6Data'), 'VtepMAC');
  const keyAt = (of: string): string => textAt(field(value, of), 'PublicKey');
  const public_key = keyAt('BackendData') || keyAt('BackendV6Data');
  const ours = field(value, 'Fairlead');
  const mtu_bytes = field(ours, 'mtu_bytes');
  const unfit = joined === undefined ? '' : strangeness(text, joined);
  return {
    name: textAt(ours, 'node') || addresses[0]!,
    subnets,
    addresses,
    ...((v4 !== '' || v6 !== '') && { macs: { ...(v4 && { v4 }), ...(v6 && { v6 }) } }),
    ...(public_key !== '' && { public_key }),
    ...(typeof mtu_bytes === 'number' && { mtu_bytes }),
    created: create_revision.padStart(20, '0'),
    ...(unfit !== '' && { unfit }),
  };
}

/** Whether a key's value is flanneld's, which no agent of ours has written to. */
export function isFlannels(text: string): boolean {
  const value = parsed(text);
  return textAt(value, 'BackendType') !== '' && field(value, 'Fairlead') === undefined;
}

/** How one family of the network is cut: numbers of bits, and first addresses as integers. */
interface Cut {
  readonly v6: boolean;
  readonly bits: number;
  readonly first: bigint;
  readonly last: bigint;
}

export function integerOf(ip: string): bigint {
  if (!isIPv6(ip)) return ip.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = '', tail] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::');
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const middle = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...middle, ...after].reduce(
    (sum, part) => (sum << 16n) | BigInt(`0x${part}`),
    0n,
  );
}

export function addressOf(value: bigint, v6: boolean): string {
  if (!v6) return [24n, 16n, 8n, 0n].map((by) => (value >> by) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** The cut of a network by net-conf.json; an Error says which key is wrong. */
function cutOf(cidr: string, conf: Json): Cut {
  const v6 = cidr.includes(':');
  const [ip = '', length = ''] = cidr.split('/');
  const whole = v6 ? 128 : 32;
  const network_bits = Number(length);
  const prefix = v6 ? 'IPv6Subnet' : 'Subnet';
  const usual = v6 ? 64 : 24;
  const said = conf[`${prefix}Len`];
  const bits =
    typeof said === 'number' ? said : network_bits > usual - 2 ? network_bits + 2 : usual;
  const most = v6 ? 126 : 30;
  if (!Number.isInteger(bits) || bits <= network_bits || bits > most) {
    throw new Error(
      `"${prefix}Len" ${bits} does not cut ${cidr}: from ${network_bits + 1} to ${most}`,
    );
  }
  const step = 1n << BigInt(whole - bits);
  const start = (integerOf(ip) >> BigInt(whole - network_bits)) << BigInt(whole - network_bits);
  const end = start + (1n << BigInt(whole - network_bits));
  const bound = (key: string, other: bigint): bigint => {
    const value = conf[key];
    if (value === undefined) return other;
    const given = typeof value === 'string' && isIP(value) !== 0 ? integerOf(value) : -1n;
    if (given < start || given >= end) throw new Error(`"${key}" is no address of ${cidr}`);
    return given - (given % step);
  };
  // The first subnet is left out, as the network's own address is in it.
  const first = bound(`${prefix}Min`, start + step);
  const last = bound(`${prefix}Max`, end - step);
  if (first > last) throw new Error(`"${prefix}Min" is after "${prefix}Max"`);
  return { v6, bits, first, last };
}

/** So many at random are looked at, then one after the other. */
const TRIES = 100;

/** Subnets that no list holds, one of each network; an Error when there is none. */
export function freeSubnets(
  cidrs: readonly string[],
  conf: Json,
  taken: readonly string[],
  random: () => number = Math.random,
): string[] {
  return cidrs.map((cidr) => {
    const cut = cutOf(cidr, conf);
    const list = taken.filter((one) => one.includes(':') === cut.v6);
    const chosen = freeOf(cut, list, random);
    if (chosen === undefined) throw new Error(`every subnet of ${cidr} is taken`);
    return chosen;
  });
}

function freeOf(cut: Cut, taken: readonly string[], random: () => number): string | undefined {
  const whole = cut.v6 ? 128 : 32;
  const step = 1n << BigInt(whole - cut.bits);
  const count = (cut.last - cut.first) / step + 1n;
  const spans = taken.map((cidr) => spanOf(cidr));
  const free = (at: bigint): boolean => spans.every(([from, to]) => at + step <= from || at >= to);
  const named = (at: bigint): string => `${addressOf(at, cut.v6)}/${cut.bits}`;
  for (let tries = 0; tries < TRIES; tries++) {
    const number = BigInt(Math.floor(random() * Number(count < 1n << 48n ? count : 1n << 48n)));
    const at = cut.first + number * step;
    if (free(at)) return named(at);
  }
  // Few are left: the first gap there is.
  spans.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  let at = cut.first;
  for (const [from, to] of spans) {
    if (at + step <= from) break;
    if (to > at) at = to + ((step - (to % step)) % step);
  }
  return at <= cut.last ? named(at) : undefined;
}

/** Whether any of some subnets has addresses of any of others. */
export function overlap(some: readonly string[], others: readonly string[]): boolean {
  const family = (cidr: string): boolean => cidr.includes(':');
  return some.some((one) =>
    others.some((other) => {
      if (family(one) !== family(other)) return false;
      const [[from, to], [start, end]] = [spanOf(one), spanOf(other)];
      return from < end && start < to;
    }),
  );
}

function spanOf(cidr: string): [bigint, bigint] {
  const [ip = '', bits = ''] = cidr.split('/');
  const size = 1n << BigInt((cidr.includes(':') ? 128 : 32) - Number(bits));
  const from = integerOf(ip) - (integerOf(ip) % size);
  return [from, from + size];
}

/** Whether subnets are still what the network is cut into. */
export function fits(subnets: readonly string[], cidrs: readonly string[], conf: Json): boolean {
  if (subnets.length !== cidrs.length) return false;
  return subnets.every((subnet, at) => {
    const cut = cutOf(cidrs[at]!, conf);
    const [ip = '', bits = ''] = subnet.split('/');
    if (subnet.includes(':') !== cut.v6 || Number(bits) !== cut.bits) return false;
    const list = new BlockList();
    const [network = '', length = ''] = cidrs[at]!.split('/');
    list.addSubnet(network, Number(length), cut.v6 ? 'ipv6' : 'ipv4');
    return list.check(ip, cut.v6 ? 'ipv6' : 'ipv4');
  });
}
