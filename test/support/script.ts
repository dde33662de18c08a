// SPDX-License-Identifier: Apache-2.0
// Runs lists of operations on any driver, links by name, and collects what came back: so that the
// simulated kernel and the real one can be asked the same. It knows no expectations.
import {
  type Address,
  type Driver,
  type Filter,
  type Link,
  OsError,
  type Qdisc,
  type Route,
  type RouteTo,
} from '../../host-node/abi/index.ts';

/** An operation, and its arguments with links and namespaces by name. */
export type Call = readonly [keyof Driver, Record<string, number | string>];

type Method = (args: Record<string, unknown>) => unknown;

/** Namespaces by name, as handles. */
export type Handles = Readonly<Record<string, number>>;

/** The ifindex of a link by name; one that nobody has when there is no such link. */
function indexOf(driver: Driver, ns: number, name: string): number {
  try {
    return (driver.link_get({ ns, name }) as { ifindex: number }).ifindex;
  } catch {
    return 9999;
  }
}

function lowered(driver: Driver, handles: Handles, call: Call): Record<string, unknown> {
  const args: Record<string, unknown> = { ...call[1] };
  for (const key of ['ns', 'peer_ns', 'netns', 'a', 'b']) {
    if (typeof args[key] === 'string') args[key] = handles[args[key] as string] ?? 9999;
  }
  const { ns, content } = args;
  for (const key of ['ifindex', 'lower', 'master', 'to']) {
    if (typeof args[key] !== 'string') continue;
    args[key] = args[key] === '' ? 0 : indexOf(driver, ns as number, args[key]);
  }
  if (typeof content !== 'string') return args;
  return { ...args, content: new TextEncoder().encode(content) };
}

/** A route with the name of its link in place of the ifindex. */
function named(driver: Driver, ns: number, { ifindex, ...route }: RouteTo): unknown {
  const { name } = driver.link_get_index({ ns, ifindex }) as Link;
  return { dev: name, ...route };
}

/** Filters with the names of the links they lead to. */
function filtersOf(driver: Driver, ns: number, filters: readonly Filter[]): unknown {
  const nameOf = (to: number): string =>
    to === 0 ? '' : (driver.link_get_index({ ns, ifindex: to }) as Link).name;
  return filters.map((filter) => ({ ...filter, to: nameOf(filter.to) }));
}

function linkText(link: Link): string {
  const { name, kind, mtu_bytes, up, promisc, allmulti, txqlen, table, mode, vid, alias } = link;
  const flags = `up ${up} promisc ${promisc} allmulti ${allmulti}`;
  const own = `table ${table} mode ${mode} vid ${vid} lower ${link.lower !== 0} alias ${alias}`;
  return `${name} ${kind} mtu ${mtu_bytes} ${flags} txqlen ${txqlen} ${own}`;
}

/** What can be compared: no ifindexes, no addresses the kernel made for itself, no timing. */
function plain(name: string, value: unknown): string {
  if (name === 'addr_list') {
    const list = value as readonly Address[];
    const own = list.filter((addr) => !addr.address.startsWith('fe80:'));
    return own.map((addr) => `${addr.address} scope ${addr.scope}`).join(', ');
  }
  if (name === 'route_list') {
    const list = value as readonly Route[];
    const own = list.filter((route) => !/^(fe80|ff00):/.test(route.dst));
    return own.map((route) => JSON.stringify(route)).join(', ');
  }
  if (name.startsWith('link_get')) return linkText(value as Link);
  if (name === 'link_list') return (value as readonly Link[]).map(linkText).join(', ');
  if (name === 'route_table_list') {
    // What the kernel made for itself lies in the others.
    return JSON.stringify(
      (value as readonly number[]).filter((table) => table < 253 || table > 255),
    );
  }
  // Which default it is, the kind of the link decides.
  if (name === 'qdisc_get' && (value as Qdisc).handle === 0) return 'the default';
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (name === 'netns_open' || name === 'dir_lock') return 'a handle';
  if (name === 'bridge_port_list') return `${(value as number[]).length} ports`;
  return value === undefined ? 'ok' : JSON.stringify(value);
}

/** Runs the calls; a line for each of what it gave, errno and the kernel's words included. */
export function play(driver: Driver, handles: Handles, calls: readonly Call[]): string[] {
  return calls.map((call) => {
    const said = `${call[0]} ${JSON.stringify(call[1])}`;
    try {
      const args = lowered(driver, handles, call);
      let value = (driver[call[0]] as unknown as Method)(args);
      const ns = args['ns'] as number;
      if (call[0] === 'filter_list') value = filtersOf(driver, ns, value as Filter[]);
      if (call[0] === 'route_get') value = named(driver, ns, value as RouteTo);
      return `${said} = ${plain(call[0], value)}`;
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      // Whether a table that never had a route exists is the kernel's own affair.
      const told = error.text.replace('FIB table does not exist', '');
      return `${said} failed: ${error.errno} ${told}`;
    }
  });
}

export const veth = (
  name: string,
  peer: string,
  more: Record<string, number | string> = {},
): Call => [
  'link_add_veth',
  {
    ns: 'host',
    name,
    address: `02:fa:00:00:00:${Buffer.from(name).toString('hex').slice(-2)}`,
    mtu_bytes: 0,
    master: '',
    peer_ns: 'pod',
    peer_name: peer,
    peer_address: `02:fa:00:00:01:${Buffer.from(peer).toString('hex').slice(-2)}`,
    ...more,
  },
];
export const bridge = (name: string, more: Record<string, number | string> = {}): Call => [
  'link_add_bridge',
  { ns: 'host', name, mtu_bytes: 0, vlan_filtering: 0, ...more },
];
export const dummy = (ns: string, name: string, address = '02:fa:00:00:03:01'): Call => [
  'link_add_dummy',
  { ns, name, address },
];
export const macvlan = (
  lower: string,
  name: string,
  more: Record<string, number | string> = {},
): Call => [
  'link_add_macvlan',
  {
    ns: 'host',
    lower,
    netns: 'pod',
    name,
    address: `02:fa:00:00:04:${Buffer.from(name).toString('hex').slice(-2)}`,
    mtu_bytes: 0,
    mode: 'bridge',
    bcqueuelen: 0,
    ...more,
  },
];
export const ipvlan = (
  lower: string,
  name: string,
  more: Record<string, number | string> = {},
): Call => [
  'link_add_ipvlan',
  { ns: 'host', lower, netns: 'pod', name, mtu_bytes: 0, mode: 'l2', ...more },
];
export const vlan = (
  lower: string,
  name: string,
  vid: number,
  more: Record<string, number | string> = {},
): Call => ['link_add_vlan', { ns: 'host', lower, netns: 'pod', name, mtu_bytes: 0, vid, ...more }];
export const move = (ns: string, ifindex: string, netns: string, name: string): Call =>
  on('link_set_netns', ns, ifindex, { netns, name });
export const tap = (ns: string, name: string, more: Record<string, number | string> = {}): Call => [
  'link_add_tap',
  { ns, name, multi_queue: 0, owner: -1, group: -1, ...more },
];
export const ifb = (ns: string, name: string, more: Record<string, number | string> = {}): Call => [
  'link_add_ifb',
  { ns, name, address: '02:fa:00:00:02:01', mtu_bytes: 0, ...more },
];
export const on = (op: keyof Driver, ns: string, ifindex: string, more = {}): Call => [
  op,
  { ns, ifindex, ...more },
];
export const addr = (ns: string, dev: string, address: string, nodad = 1): Call =>
  on('addr_add', ns, dev, { address, nodad });
export const unaddr = (ns: string, dev: string, address: string): Call =>
  on('addr_del', ns, dev, { address });
export const route = (ns: string, dev: string, dst: string, more = {}): Call =>
  on('route_add', ns, dev, {
    dst,
    gw: '',
    src: '',
    scope: 0,
    table: 0,
    priority: 0,
    mtu_bytes: 0,
    advmss: 0,
    protocol: 0,
    ...more,
  });
export const unroute = (ns: string, dev: string, dst: string, gw = '', table = 0): Call =>
  on('route_del', ns, dev, { dst, gw, table });
export const toward = (ns: string, dst: string): Call => ['route_get', { ns, dst }];
/** 1 Mbit/s, a burst of 10 ms and a latency of 95 ms. */
export const tbf = (ns: string, dev: string, more = {}): Call =>
  on('qdisc_add_tbf', ns, dev, {
    handle: 0x10000,
    rate_low: 125000,
    rate_high: 0,
    limit_bytes: 13125,
    buffer_ticks: 156250,
    ...more,
  });
/** -1 is the root, -15 where what comes in is filtered (linux/pkt_sched.h). */
export const qdiscs = (ns: string, dev: string): Call[] => [
  on('qdisc_get', ns, dev, { parent: -1 }),
  on('qdisc_get', ns, dev, { parent: -15 }),
  on('filter_list', ns, dev),
];
export const redirect = (ns: string, dev: string, pref: number, to: string): Call =>
  on('filter_add_redirect', ns, dev, { pref, to });
export const rule = (ns: string, src: string, table: number, priority = 0): Call => [
  'fib_rule_add',
  { ns, src, table, priority },
];
export const unrule = (ns: string, src: string, table: number, priority = 0): Call => [
  'fib_rule_del',
  { ns, src, table, priority },
];
export const master = (ns: string, dev: string, of: string): Call =>
  on('link_set_master', ns, dev, { master: of });
export const vrf = (ns: string, name: string, table: number): Call => [
  'link_add_vrf',
  { ns, name, table },
];
export const up = (ns: string, dev: string): Call => on('link_set_up', ns, dev);
export const down = (ns: string, dev: string): Call => on('link_set_down', ns, dev);
export const write = (ns: string, key: string, value: string): Call => [
  'sysctl_write',
  { ns, key, value },
];
export const read = (ns: string, key: string): Call => ['sysctl_read', { ns, key }];
