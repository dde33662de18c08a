// SPDX-License-Identifier: Apache-2.0
// The real kernel's state in the text of core-as/sim/text.ts, as iproute2, nft and /proc tell it.
// It reads only, and knows no driver of ours but the way into a namespace: it is the judge of both.
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { insideNetns, OPEN_TO_READ } from '../../host-node/sys/libc.ts';
import { flowLines } from './conntrack.ts';
import { Insides, type Json, type Told } from './inside.ts';
import { listing, rulesetLines } from './nft.ts';
import { outputOf } from './shell.ts';
import { rowOf } from './words.ts';

const NAMES: Readonly<Record<string, string>> = { 2: 'kernel', 3: 'boot', 4: 'static', 9: 'ra' };
const SCOPES: Readonly<Record<string, string>> = { 200: 'site', 253: 'link', 254: 'host' };
const USUAL: Readonly<Record<string, number>> = {
  'ipv4/accept_redirects': 1,
  'ipv4/arp_notify': 0,
  'ipv4/route_localnet': 0,
  'ipv6/accept_dad': 1,
  'ipv6/accept_ra': 1,
  'ipv6/disable_ipv6': 0,
  'ipv6/enhanced_dad': 1,
  'ipv6/keep_addr_on_down': 0,
  'ipv6/ndisc_notify': 0,
};

/** Bytewise for what is ASCII. */
const sorted = (lines: string[]): string[] => lines.sort((a, b) => (a < b ? -1 : Number(a > b)));
const words = (...parts: (string | false | undefined)[]): string =>
  parts.filter((part) => part !== false && part !== undefined && part !== '').join(' ');
const unlisted = (ip: string): boolean => /^(fe[89ab]|ff[0-9a-f])[0-9a-f]:/.test(ip);

/** A namespace as iproute2, nft and /proc see it. */
interface Seen extends Told {
  readonly name: string;
  readonly netns: string;
  /** "KEY:VALUE" for every link. */
  readonly sysctls: string[];
  /** The tables of nft, "" where the kernel has none. */
  readonly ruleset: string;
  /** nf_conntrack of /proc/net, "" where the kernel has none. */
  readonly flows: string;
}

const KEYS = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'];
/** A file of /proc, or "" where the kernel has none: it goes with its interface. */
function procText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return '';
  }
}

/** What only this thread's namespace shows of itself: it goes there for it. */
function insideOf(netns: string): Pick<Seen, 'sysctls' | 'flows'> {
  const [there, home] = [`/run/netns/${netns}`, '/proc/thread-self/ns/net'].map((path) =>
    openSync(path, OPEN_TO_READ),
  ) as [number, number];
  try {
    return insideNetns(there, home, () => {
      const keys = [...KEYS];
      for (const family of ['ipv4', 'ipv6']) {
        const folder = `/proc/sys/net/${family}/conf`;
        const knobs = Object.keys(USUAL).filter((knob) => knob.startsWith(`${family}/`));
        for (const link of existsSync(folder) ? readdirSync(folder) : []) {
          const places = knobs.map((knob) => knob.replace('/', `/conf/${link}/`));
          keys.push(...places.map((place) => `net/${place}`));
        }
      }
      const values = keys.map((key) => [key, procText(`/proc/sys/${key}`)] as const);
      return {
        sysctls: values.filter(([, value]) => value !== '').map((pair) => pair.join(':')),
        // Not /proc/net: that is of the process, and this thread has gone elsewhere.
        flows: procText('/proc/thread-self/net/nf_conntrack'),
      };
    });
  } finally {
    closeSync(there);
    closeSync(home);
  }
}

/** NETNS/NAME of a veth's other end or of the lower link, "?" when it is where nobody looked. */
function farOf(seen: readonly Seen[], home: Seen, link: Json): string {
  let there: Seen | undefined = home;
  if (link.link_netnsid !== undefined) {
    const netns = home.netnsIds.find((entry) => entry.nsid === link.link_netnsid)?.name;
    there = seen.find((other) => other.netns === netns);
  }
  // In one namespace the peer is told by name, else by index.
  const peer = there?.links.find((other) =>
    link.link === undefined ? other.ifindex === link.link_index : other.ifname === link.link,
  );
  return peer === undefined ? '?' : `${there?.name}/${peer.ifname}`;
}

function linkLine(seen: readonly Seen[], home: Seen, link: Json): string {
  const kind: string | undefined = link.linkinfo?.info_kind;
  const row = rowOf(kind);
  const flags: string[] = link.flags;
  const port = link.linkinfo?.info_slave_data;
  const state = String(link.operstate).toLowerCase();
  return words(
    `link ${link.ifname}`,
    kind !== undefined && `kind ${kind}`,
    flags.includes('UP') ? 'up' : 'down',
    `address ${link.address ?? 'none'} mtu ${link.mtu}`,
    ...(row.after_mtu?.(link.linkinfo.info_data) ?? []),
    flags.includes('PROMISC') && 'promisc',
    flags.includes('ALLMULTI') && 'allmulti',
    link.txqlen !== 1000 && `txqlen ${link.txqlen ?? 0}`,
    link.ifname !== 'lo' &&
      !row.vague &&
      `operstate ${state === 'lowerlayerdown' ? 'down' : state}`,
    link.master !== undefined && `master ${link.master}`,
    ...(row.after_master?.(link.linkinfo.info_data) ?? []),
    kind === 'veth' && `peer ${farOf(seen, home, link)}`,
    row.stacked && `lower ${farOf(seen, home, link)}`,
    port?.hairpin === true && 'hairpin',
    port?.isolated === true && 'isolated',
    link.ifalias !== undefined && `alias ${link.ifalias}`,
  );
}

function addrLines({ links }: Seen): string[] {
  const lines: string[] = [];
  for (const link of links) {
    for (const addr of link.addr_info ?? []) {
      if (addr.local === undefined || unlisted(addr.local)) continue;
      lines.push(`addr ${addr.local}/${addr.prefixlen} dev ${link.ifname}`);
    }
  }
  return lines;
}

function vlanLines({ netns, links }: Seen): string[] {
  const filtering = new Set<string>();
  for (const link of links) {
    if (link.linkinfo?.info_data?.vlan_filtering === 1) filtering.add(link.ifname);
  }
  const ports = links.filter((link) => filtering.has(link.master)).map((link) => link.ifname);
  if (ports.length === 0) return [];
  const lines: string[] = [];
  for (const port of JSON.parse(outputOf(['bridge', '-j', '-n', netns, 'vlan']) || '[]')) {
    if (!ports.includes(port.ifname)) continue;
    for (const vlan of port.vlans ?? []) {
      const flags: string[] = vlan.flags ?? [];
      for (let vid = vlan.vlan; vid <= (vlan.vlanEnd ?? vlan.vlan); vid++) {
        const pvid = flags.includes('PVID') && 'pvid';
        const untagged = flags.includes('Egress Untagged') && 'untagged';
        lines.push(words(`vlan ${vid} dev ${port.ifname}`, pvid, untagged));
      }
    }
  }
  return lines;
}

function routeLines({ routes }: Seen): string[] {
  const lines: string[] = [];
  for (const [family, list] of routes.entries()) {
    const v6 = family === 1;
    for (const route of list) {
      const table = String(route.table ?? '254');
      if ((route.type ?? '1') !== '1' && route.type !== 'unicast') continue;
      if (table === '255') continue;
      let dst = String(route.dst);
      if (dst === 'default') dst = v6 ? '::/0' : '0.0.0.0/0';
      else if (!dst.includes('/')) dst += v6 ? '/128' : '/32';
      if (unlisted(dst)) continue;
      const protocol = String(route.protocol ?? '3');
      const scope = String(route.scope ?? '0');
      const metric = Number(route.metric ?? 0);
      const limits = Object.assign({}, ...(route.metrics ?? []));
      for (const hop of route.nexthops ?? [route]) {
        const gw = hop.gateway ?? hop.via?.host;
        lines.push(
          words(
            `route ${dst}`,
            gw !== undefined && `via ${gw}`,
            `dev ${hop.dev}`,
            `proto ${NAMES[protocol] ?? protocol}`,
            !v6 && scope !== '0' && scope !== 'global' && `scope ${SCOPES[scope] ?? scope}`,
            route.prefsrc !== undefined && `src ${route.prefsrc}`,
            metric !== (v6 ? 1024 : 0) && `metric ${metric}`,
            table !== '254' && `table ${table}`,
            limits.mtu !== undefined && `mtu ${limits.mtu}`,
            limits.advmss !== undefined && `advmss ${limits.advmss}`,
          ),
        );
      }
    }
  }
  return lines;
}

/** Those that ask for a source, and for a mark or nothing else. */
function ruleLines({ rules }: Seen): string[] {
  const plain = ['priority', 'src', 'srclen', 'fwmark', 'table', 'protocol'];
  const own = rules.filter(
    (rule) => rule.src !== 'all' && Object.keys(rule).every((key) => plain.includes(key)),
  );
  return own.map(({ priority, src, srclen, fwmark, table }) => {
    const length = srclen ?? (src.includes(':') ? 128 : 32);
    const mark = fwmark === undefined ? '' : ` fwmark ${Number(fwmark)}`;
    return `rule ${priority} from ${src}/${length}${mark} table ${table}`;
  });
}

/** Those that differ from what a new link has. */
function sysctlLines({ links, sysctls }: Seen): string[] {
  const usual = new Map<string, number>(KEYS.map((key) => [key, 0]));
  for (const { ifname, linkinfo } of links) {
    for (const [knob, value] of Object.entries(USUAL)) {
      const [family = '', name = ''] = knob.split('/');
      const alone = ifname === 'lo' || rowOf(linkinfo?.info_kind).no_arp;
      const undetectable = alone && name === 'accept_dad';
      usual.set(`net/${family}/conf/${ifname}/${name}`, undetectable ? -1 : value);
    }
  }
  // A host takes redirects, a router does not.
  const forwards = sysctls.some((line) => /^net\/ipv4\/ip_forward:[^0]/.test(line));
  usual.set('net/ipv4/conf/all/accept_redirects', forwards ? 0 : 1);
  const lines: string[] = [];
  for (const line of sysctls) {
    const [key = '', value = ''] = line.split(':');
    if (usual.has(key) && Number(value) !== usual.get(key)) lines.push(`sysctl ${key} ${value}`);
  }
  return lines;
}

/** Qdiscs that are not the kernel's default, and filters of what comes in. */
function tcLines({ qdiscs, filters }: Seen): string[] {
  const lines: string[] = [];
  for (const { kind, handle, dev, root, parent, options } of qdiscs) {
    if (handle === '0:' || (root !== true && parent !== 'ffff:fff1')) continue;
    const buffer = kind === 'tbf' && Number.parseInt(options.burst_raw, 16);
    const tbf = kind === 'tbf' && `rate ${options.rate} limit ${options.limit} buffer ${buffer}`;
    lines.push(words(`qdisc ${kind} ${handle} dev ${dev}`, tbf));
  }
  for (const [dev, list] of filters) {
    for (const { pref, kind, options } of list) {
      const node = options !== undefined && options.ht_divisor === undefined;
      const bare = options === undefined && list.filter((entry) => entry.pref === pref).length < 3;
      if (!node && !(bare && kind === 'u32')) continue;
      const actions: Json[] = options?.actions ?? [];
      const to = actions.find((action) => action.mirred_action === 'redirect')?.to_dev ?? '*';
      lines.push(words(`filter ${kind} dev ${dev} pref ${pref}`, to !== '*' && `redirect ${to}`));
    }
  }
  return lines;
}

function bootTime_ms(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1000;
}

function fileLines(root: string): string[] {
  if (!existsSync(root)) return [];
  const lines: string[] = [];
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name === 'lock') continue;
    const path = `${entry.parentPath}/${entry.name}`;
    if (path.startsWith(`${root}/run/fairlead/leases/`)) continue;
    const content = readFileSync(path, 'utf8');
    const old = statSync(path).mtimeMs < bootTime_ms() && ' before-boot';
    lines.push(`file ${path.slice(root.length)} ${JSON.stringify(content)}${old || ''}`);
  }
  return lines;
}

/**
 * The state of namespaces of this machine and, given a root, of the files below it. The keys are
 * the names in the text, the values those of `ip netns`.
 */
export function textOf(
  insides: Insides,
  namespaces: Readonly<Record<string, string>>,
  filesRoot?: string,
): string {
  const names = sorted(Object.keys(namespaces).filter((name) => name !== 'host'));
  if ('host' in namespaces) names.unshift('host');
  const seen: Seen[] = names.map((name) => {
    const netns = namespaces[name] ?? '';
    return {
      name,
      netns,
      ...insides.of(netns).look(),
      ruleset: listing(netns),
      ...insideOf(netns),
    };
  });
  const lines: string[] = [];
  for (const space of seen) {
    lines.push(`netns ${space.name}`);
    lines.push(...sorted(space.links.map((link) => linkLine(seen, space, link))));
    for (const group of [addrLines, vlanLines, routeLines, ruleLines, sysctlLines, tcLines]) {
      lines.push(...sorted(group(space)));
    }
    lines.push(...sorted(rulesetLines(space.ruleset)), ...sorted(flowLines(space.flows)));
  }
  if (filesRoot !== undefined) lines.push(...sorted(fileLines(filesRoot)));
  return `${lines.join('\n')}\n`;
}

/** The state of namespaces, where nobody asks for it again. */
export function kernelText(namespaces: Readonly<Record<string, string>>): string {
  const insides = new Insides();
  try {
    return textOf(insides, namespaces);
  } finally {
    insides.close();
  }
}
