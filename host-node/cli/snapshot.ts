// SPDX-License-Identifier: Apache-2.0
// The state of this machine in the text of the simulated kernel (core-as/sim/text.ts): namespaces,
// folders, files and programs, as far as it is asked for them. It only reads; what it cannot say it
// leaves out with a note, and where it may not look it fails, so that a dry run never rests on less
// than it claims. It reads no configuration: which files matter is the caller's to find out.
import { OsError } from '../abi/index.ts';
import type { RealOptions } from '../drivers/index.ts';
import { type SurveyedLink, Surveyor } from '../drivers/survey.ts';
import { routeLine } from '../recording/state-lines.ts';
import { osError } from '../sys/libc.ts';
import * as rt from '../sys/rtnetlink/index.ts';
import * as tc from '../sys/tc.ts';
import { Files } from './snapshot-files.ts';
import { forbidden, isWritable, Notes, SnapshotError } from './snapshot-notes.ts';

/** What a snapshot is to have beside the host's own namespace. All paths are absolute. */
export interface SnapshotOptions extends RealOptions {
  /** Paths of namespaces; one that leads to none is told as what is there instead. */
  readonly netns: Iterable<string>;
  /** Folders with the regular files in them, not with their folders. */
  readonly folders: Iterable<string>;
  /** Single files; of a folder only that it is there. */
  readonly files: Iterable<string>;
  /** Files that are to be executed. */
  readonly programs: Iterable<string>;
  /** Sockets that are to be called. */
  readonly sockets?: Iterable<string>;
  /** What the host's namespace has in nftables, in the text's own lines. */
  readonly nft?: readonly string[];
}

const ROUTES_LIMIT = 10_000;
/** Which the text leaves out. */
const TXQLEN_DEFAULT = 1000;

const IPV6_MTU_MIN_BYTES = 1280;
/** Types of routes that are not simulated and decide where packets go (linux/rtnetlink.h). */
const DEAD_ENDS: Readonly<Record<number, string>> = {
  6: 'blackhole',
  7: 'unreachable',
  8: 'prohibit',
  9: 'throw',
};
const RTPROT_KERNEL = 2;
/** Of the rule that the first VRF of a namespace brings (FIB_RULE_PREF, drivers/net/vrf.c). */
const PRIORITY_VRF = 1000;

/** The sysctls of a link, of `all` and of `default` that are simulated: KNOBS of core-as/sim. */
export const KNOBS: readonly string[] = [
  'ipv4/accept_redirects',
  'ipv4/arp_notify',
  'ipv4/forwarding',
  'ipv4/route_localnet',
  'ipv6/accept_dad',
  'ipv6/accept_ra',
  'ipv6/disable_ipv6',
  'ipv6/enhanced_dad',
  'ipv6/forwarding',
  'ipv6/keep_addr_on_down',
  'ipv6/ndisc_notify',
];

/** Link-local and multicast IPv6, which the kernel makes for itself and the text leaves out. */
function isUnlisted(ip: string): boolean {
  return /^(fe[89ab]|ff[0-9a-f])[0-9a-f]:/.test(ip);
}

/** A namespace that is looked at. */
interface Space {
  readonly ns: number;
  readonly name: string;
  readonly paths: string[];
  /** Whether /run/netns/NAME leads to it, or it is the host. */
  named: boolean;
  readonly links: SurveyedLink[];
  /** Links that have a line, by ifindex. */
  readonly listed: Map<number, SurveyedLink>;
}

/** The namespaces of a snapshot. */
class Namespaces {
  readonly #surveyor: Surveyor;
  readonly #notes: Notes;
  readonly #nft: readonly string[];
  readonly #spaces = new Map<string, Space>();

  constructor(surveyor: Surveyor, notes: Notes, nft: readonly string[]) {
    this.#surveyor = surveyor;
    this.#notes = notes;
    this.#nft = nft;
    this.#add(0, 'host');
  }

  /** Looks at the namespace of a path; false when there is none. */
  open(path: string): boolean {
    let ns: number;
    try {
      ns = this.#surveyor.open(path);
    } catch (error) {
      const failure = osError(error);
      const end = forbidden(`enter the network namespace ${path}`, failure);
      if (end !== undefined) throw end;
      return false;
    }
    const known = this.#spaces.get(this.#surveyor.identity(ns));
    const name = /^\/(?:var\/)?run\/netns\/([^/]+)$/.exec(path)?.[1];
    const space = known ?? this.#add(ns, this.#freeName(name ?? path));
    if (path === `/run/netns/${space.name}` && space.ns !== 0) space.named = true;
    else space.paths.push(path);
    return true;
  }

  lines(): string[] {
    return [...this.#spaces.values()].flatMap((space) => this.#linesOf(space));
  }

  /** A file's line with the identities of namespaces as the simulated kernel gives them. */
  named(line: string): string {
    let named = line;
    for (const [identity, { name }] of this.#spaces) {
      named = named.replaceAll(`\\"${identity}\\"`, `\\"netns:${name}\\"`);
    }
    return named;
  }

  #add(ns: number, name: string): Space {
    const links = this.#surveyor.links(ns);
    const listed = new Map<number, SurveyedLink>();
    const names = new Set<string>();
    for (const link of links) {
      const odd = /[\s\p{Cc}/\uFFFD]/u.test(link.name) || names.has(link.name);
      if (odd || (link.name === 'lo' && !link.loopback)) {
        this.#notes.add(`left out: a link of ${name} whose name cannot be written`);
        continue;
      }
      names.add(link.name);
      listed.set(link.ifindex, link);
    }
    const space = { ns, name, paths: [], named: ns === 0, links, listed };
    this.#spaces.set(this.#surveyor.identity(ns), space);
    return space;
  }

  /** A name made of a path: proc-42-ns-net. */
  #freeName(from: string): string {
    const used = new Set([...this.#spaces.values()].map((space) => space.name));
    const base = from.replace(/^\/+/, '').replace(/[^\w.-]+/g, '-');
    let name = base;
    for (let n = 2; used.has(name) || name === ''; n++) name = `${base}-${n}`;
    return name;
  }

  #linesOf(space: Space): string[] {
    const heads = space.paths.map((path) => `netns ${space.name} path ${path}`);
    if (space.named || heads.length === 0) heads.unshift(`netns ${space.name}`);
    const links = [...space.listed.values()];
    return [
      ...heads,
      ...links.map((link) => this.#linkLine(space, link)),
      ...this.#vlanLines(space),
      ...this.#addressLines(space),
      ...this.#routeLines(space, rt.AF_INET),
      ...this.#routeLines(space, rt.AF_INET6),
      ...this.#ruleLines(space, rt.AF_INET),
      ...this.#ruleLines(space, rt.AF_INET6),
      ...this.#sysctlLines(space),
      ...this.#tcLines(space),
      ...(space.ns === 0 ? this.#nft : []),
    ];
  }

  #linkLine(space: Space, link: SurveyedLink): string {
    const words = ['link', link.name];
    if (/^\S+$/.test(link.kind)) words.push('kind', link.kind);
    words.push(link.up ? 'up' : 'down', 'address', link.address === '' ? 'none' : link.address);
    words.push('mtu', String(link.mtu_bytes));
    if (link.vlan_filtering) words.push('vlan_filtering');
    if (link.promisc) words.push('promisc');
    if (link.allmulti) words.push('allmulti');
    if (link.txqlen !== TXQLEN_DEFAULT) words.push('txqlen', String(link.txqlen));
    words.push('operstate', link.operstate);
    const master = space.listed.get(link.master);
    if (master !== undefined) words.push('master', master.name);
    if (link.table !== 0) words.push('table', String(link.table));
    if (link.kind === 'veth') words.push('peer', this.#peerOf(space, link));
    if (link.mode !== '') words.push('mode', link.mode);
    if (link.kind === 'vlan') words.push('id', String(link.vid));
    const lower = this.#lowerOf(space, link);
    if (lower !== undefined) words.push('lower', lower);
    if (link.hairpin) words.push('hairpin');
    if (link.isolated) words.push('isolated');
    // A kind of the kernel's own may have the address of the link below for one it was built with.
    if (link.kind === '' && link.permaddr !== '') words.push('permaddr', link.permaddr);
    // One of several words says no name, which is all that is asked of it.
    if (/^[^\s\p{Cc}]+$/u.test(link.alias)) words.push('alias', link.alias);
    return words.join(' ');
  }

  /** NETNS/NAME of a veth's other end, "?" when it lies in no namespace of the snapshot. */
  #peerOf(space: Space, link: SurveyedLink): string {
    const there = link.peer_nsid < 0 ? space : this.#byNsid(space, link.peer_nsid);
    const peer = there?.listed.get(link.peer);
    // Both must say so: between two dumps a link may have gone and another have come.
    const mutual = peer?.kind === 'veth' && peer.peer === link.ifindex && peer !== link;
    return mutual ? `${there?.name}/${peer.name}` : '?';
  }

  /** NETNS/NAME of the link that one lies on, when the snapshot has it. */
  #lowerOf(space: Space, link: SurveyedLink): string | undefined {
    if (link.lower === 0) return undefined;
    const there = link.peer_nsid < 0 ? space : this.#byNsid(space, link.peer_nsid);
    const lower = there?.listed.get(link.lower);
    return lower === undefined || lower === link ? undefined : `${there?.name}/${lower.name}`;
  }

  readonly #nsids = new Map<Space, Map<number, Space>>();

  /** The namespace that another knows by a number. */
  #byNsid(space: Space, nsid: number): Space | undefined {
    let known = this.#nsids.get(space);
    if (known === undefined) {
      known = new Map();
      this.#nsids.set(space, known);
    }
    const found = known.get(nsid);
    if (found !== undefined) return found;
    for (const other of this.#spaces.values()) {
      if (other === space || [...known.values()].includes(other)) continue;
      const id = this.#surveyor.nsid(space.ns, other.ns);
      if (id >= 0) known.set(id, other);
      if (id === nsid) return other;
    }
    return undefined;
  }

  #vlanLines({ ns, listed }: Space): string[] {
    const isBridge = (link: SurveyedLink | undefined): boolean => link?.kind === 'bridge';
    const ports = [...listed.values()].filter((link) => isBridge(listed.get(link.master)));
    if (ports.length === 0) return [];
    const vlans = this.#surveyor.vlans(ns);
    return ports.flatMap((port) =>
      (vlans.get(port.ifindex) ?? []).map(({ vid, pvid, untagged }) => {
        const flags = (pvid ? ' pvid' : '') + (untagged ? ' untagged' : '');
        return `vlan ${vid} dev ${port.name}${flags}`;
      }),
    );
  }

  #addressLines({ ns, listed }: Space): string[] {
    const [v4, v6]: [string[], string[]] = [[], []];
    for (const { ifindex, address } of this.#surveyor.addresses(ns)) {
      const link = listed.get(ifindex);
      const six = address.includes(':');
      if (link === undefined || isUnlisted(address)) continue;
      if (six && link.mtu_bytes < IPV6_MTU_MIN_BYTES) continue;
      (six ? v6 : v4).push(`addr ${address} dev ${link.name}`);
    }
    // The newest IPv6 address of a link stands first, in a dump as in what reads this.
    return [...v4, ...v6.reverse()];
  }

  #routeLines(space: Space, family: number): string[] {
    const lines: string[] = [];
    const leave = (what: string) => this.#notes.add(`left out: ${what} of ${space.name}`);
    for (const found of this.#surveyor.routes(space.ns, family)) {
      const { route, type } = found;
      if (found.cloned || route.table === rt.RT_TABLE_LOCAL || isUnlisted(route.dst)) continue;
      const dead_end = DEAD_ENDS[type];
      if (dead_end !== undefined) {
        if (route.protocol !== RTPROT_KERNEL) leave(`${dead_end} route ${route.dst}`);
        continue;
      }
      if (type !== rt.RTN_UNICAST) continue;
      const hops = found.hops.filter((hop) => space.listed.has(hop.ifindex));
      if (found.selective) leave(`route ${route.dst} for some packets only`);
      else if (hops.length === 0) leave(`route ${route.dst} without a next hop`);
      else if (lines.length + hops.length > ROUTES_LIMIT) {
        leave(`a route after ${ROUTES_LIMIT} others`);
      } else {
        for (const { ifindex, gw } of hops) {
          const name = space.listed.get(ifindex)?.name ?? '';
          lines.push(routeLine({ ...route, gw }, name, family === rt.AF_INET6));
        }
      }
    }
    return lines;
  }

  /** Qdiscs before the filters that hang on them. */
  #tcLines({ ns, name, listed }: Space): string[] {
    const lines: string[] = [];
    for (const qdisc of this.#surveyor.qdiscs(ns)) {
      const link = listed.get(qdisc.ifindex);
      if (link === undefined || !/^\S+$/.test(qdisc.kind)) continue;
      const numbers = `rate ${qdisc.rate} limit ${qdisc.limit} buffer ${qdisc.buffer}`;
      const words = `qdisc ${qdisc.kind} ${(qdisc.handle >>> 16).toString(16)}: dev ${link.name}`;
      lines.push(qdisc.kind === 'tbf' ? `${words} ${numbers}` : words);
      if (qdisc.parent !== tc.TC_H_INGRESS) continue;
      const filters = this.#surveyor.filters(ns, qdisc.ifindex);
      const prefs = new Set<string>();
      for (const { pref, kind, handle, to } of filters) {
        // Heads and hash tables are not filters; two kinds under one pref are of two protocols.
        if (handle === 0 || (kind === 'u32' && (handle & 0xfff) === 0)) continue;
        const known = [...prefs].some(
          (one) => one.startsWith(`${pref} `) && one !== `${pref} ${kind}`,
        );
        if (!/^\S+$/.test(kind) || known) {
          this.#notes.add(`left out: a filter of ${link.name} in ${name}`);
          continue;
        }
        prefs.add(`${pref} ${kind}`);
        const target = listed.get(to)?.name;
        const redirect = target === undefined ? '' : ` redirect ${target}`;
        lines.push(`filter ${kind} dev ${link.name} pref ${pref}${redirect}`);
      }
    }
    return lines;
  }

  #ruleLines(space: Space, family: number): string[] {
    const lines: string[] = [];
    for (const { src, table, priority, more } of this.#surveyor.rules(space.ns, family)) {
      if (priority === PRIORITY_VRF && table === 0) continue;
      // Every namespace has these.
      if (src === '' && !more && table >= rt.RT_TABLE_DEFAULT && table <= rt.RT_TABLE_LOCAL)
        continue;
      if (src === '' || more) this.#notes.add(`left out: the rule ${priority} of ${space.name}`);
      else lines.push(`rule ${priority} from ${src} table ${table}`);
    }
    return lines;
  }

  /** Those of `all` come first: forwarding and disable_ipv6 of it change every link's. */
  #sysctlLines(space: Space): string[] {
    const keys = (owner: string, knobs: readonly string[]): string[] =>
      knobs.map((knob) => {
        const [family, name] = knob.split('/');
        return `net/${family}/conf/${owner}/${name}`;
      });
    const v4 = KNOBS.filter((knob) => knob.startsWith('ipv4'));
    const all = [...keys('all', KNOBS), ...keys('default', KNOBS)];
    for (const link of space.listed.values()) {
      all.push(...keys(link.name, link.mtu_bytes < IPV6_MTU_MIN_BYTES ? v4 : KNOBS));
    }
    const values = this.#surveyor.sysctls(space.ns, all);
    const lines = [...values].map(([key, value]) => `sysctl ${key} ${value}`);
    if (values.has('net/ipv6/conf/all/disable_ipv6')) return lines;
    this.#notes.add('this kernel has no IPv6: simulated as IPv6 that is disabled');
    const off = ['all', 'default'].map((owner) => `sysctl net/ipv6/conf/${owner}/disable_ipv6 1`);
    return [...off, ...lines];
  }
}

/**
 * Takes the snapshot. Its lines stand in the kernel's own order, which tells a primary address from
 * a secondary one; what was left out stands at its head, in comments. Throws SnapshotError when
 * something may not be looked at, and changes nothing.
 */
export function snapshot(options: SnapshotOptions): string {
  const notes = new Notes();
  const files = new Files(options.root ?? '', notes);
  const surveyor = new Surveyor(options);
  try {
    const namespaces = new Namespaces(surveyor, notes, options.nft ?? []);
    for (const path of new Set(options.netns)) {
      if (!isWritable(path) || path === '') {
        notes.add(`left out: a namespace whose path ${JSON.stringify(path)} cannot be written`);
      } else if (!namespaces.open(path)) files.stray(path);
    }
    for (const path of options.folders) files.folder(path);
    for (const path of options.files) files.file(path);
    for (const path of options.programs) files.program(path);
    for (const path of options.sockets ?? []) files.socket(path);
    const records = files.lines().map((line) => namespaces.named(line));
    const lines = ['complete', ...namespaces.lines(), ...records];
    return `${[...notes.lines(), ...lines].join('\n')}\n`;
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    if (!(error instanceof OsError)) throw error;
    throw new SnapshotError(`cannot look at this machine, try again: ${error.message}`);
  } finally {
    surveyor.close();
  }
}
