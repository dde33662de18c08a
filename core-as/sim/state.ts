// SPDX-License-Identifier: Apache-2.0
// What the simulated kernel holds: network namespaces with their links, addresses, routes,
// sysctls, nftables and tracked flows, and a tree of files. Classes and lookups alone; how it
// changes is the other files' part.
import { Cidr, Ip } from "../lib/ip";
import { Content, folder_of, Program } from "./content";
import { Daemon } from "./daemon";
import { Flow } from "./flow";
import { Depends, kind_of, LinkKind, LOOPBACK, Masters } from "./kinds";
import { Conf, Knob } from "./knobs";
import { Nft } from "./nft-state";

export const TABLE_MAIN: u32 = 254;
export const TABLE_LOCAL: u32 = 255;
export const SCOPE_LINK: i32 = 253;
export const SCOPE_HOST: i32 = 254;
export const PROTOCOL_KERNEL: i32 = 2;
export const PROTOCOL_BOOT: i32 = 3;
export const TABLE_DEFAULT: u32 = 253;
export const LOOPBACK_INDEX: i32 = 1;
/** RFC 8200 section 5: below it a link has no IPv6. */
export const IPV6_MTU_MIN_BYTES: i32 = 1280;
export const ADDRESS_ZERO = "00:00:00:00:00:00";

export class Addr {
  /** IPv4: after another address of the same network, with which it goes. */
  secondary: bool = false;
  tentative: bool = false;
  /** On lo, once it is up, all of an address's network is local; a later down does not end it. */
  local_network: bool = false;
  constructor(
    public cidr: Cidr,
    public scope: i32,
    public nodad: bool,
  ) {}
}

export class Vlan {
  constructor(
    public vid: i32,
    public pvid: bool,
    public untagged: bool,
  ) {}
}

/** A qdisc: the numbers are those of a tbf, in bytes a second, bytes and ticks of 64 ns. */
export class Qdisc {
  rate: u64 = 0;
  limit: u32 = 0;
  buffer: u32 = 0;
  constructor(
    public kind: string,
    public handle: u32,
  ) {}
}

/** One filter of a pref. */
export class FilterNode {
  constructor(
    public handle: u32,
    /** Where it sends packets; null when nowhere, or when that is gone. */
    public to: Link | null,
  ) {}
}

/** The filters of a pref, all of one kind. */
export class Filters {
  nodes: FilterNode[] = [];
  constructor(
    public pref: i32,
    public kind: string,
    /** Of u32: the handle of its hash table. */
    public table: u32,
  ) {}
}

export class Link {
  /** A root qdisc that is not the kernel's default. */
  root: Qdisc | null = null;
  /** An ingress or clsact qdisc. */
  ingress: Qdisc | null = null;
  /** There was one: its place then stays. */
  had_ingress: bool = false;
  /** Of what comes in, by pref. */
  filters: Filters[] = [];
  address: string = ADDRESS_ZERO;
  mtu_bytes: i32 = 0;
  up: bool = false;
  promisc: bool = false;
  allmulti: bool = false;
  txqlen: i32 = 0;
  /** ifindex of the bridge, or of a master of another kind, that this is a port of. */
  master: i32 = 0;
  hairpin: bool = false;
  isolated: bool = false;
  /** The other end of a veth. */
  peer: Link | null = null;
  /** The link that it lies on. */
  lower: Link | null = null;
  /** Of a macvlan or ipvlan, in the words of ip(8). */
  mode: string = "";
  /** What somebody calls it beside its name. */
  alias: string = "";
  /** The address that it was built with, where that is known. */
  permaddr: string = "";
  /** Of a tap: several may have it open, and who; -1 for nobody in particular. */
  multi_queue: bool = false;
  owner: i64 = -1;
  group: i64 = -1;
  /** Of a macvlan; 0 for the kernel's own. */
  bcqueuelen: u32 = 0;
  /** VLAN ID of a vlan. */
  vid: i32 = 0;
  vlan_filtering: bool = false;
  /** Routing table of a VRF. */
  table: u32 = 0;
  /** Someone chose the address: a bridge no longer follows its ports, a vlan what it lies on. */
  address_set: bool = false;
  /** Someone changed the MTU: a bridge then no longer follows its ports. */
  mtu_set: bool = false;
  /** A bridge that never had a port does not know whether it works. */
  had_ports: bool = false;
  /** Of a link whose working is not modelled, or whose peer nobody knows. */
  operstate_given: string = "";
  /** IPv4 before IPv6, each in the kernel's order. */
  addrs: Addr[] = [];
  /** Ascending. */
  vlans: Vlan[] = [];
  conf: Conf = new Conf();
  /** Its kind. */
  is: LinkKind = LOOPBACK;
  constructor(
    public ifindex: i32,
    public name: string,
  ) {}

  /** Makes it one of a kind, as a new one is. */
  become(kind: LinkKind): void {
    this.is = kind;
    this.mtu_bytes = kind.mtu_bytes;
    this.txqlen = kind.txqlen;
    this.operstate_given = kind.operstate;
    if (kind.no_arp) this.conf.set(Knob.AcceptDad, -1);
    if (this.switches) this.vlans = [new Vlan(1, true, true)];
  }
  get kind(): string {
    return this.is.name;
  }
  /** It is a bridge. */
  get switches(): bool {
    return this.is.masters == Masters.Ports;
  }
  /** It is a VRF. */
  get routes(): bool {
    return this.is.masters == Masters.Routes;
  }
  /** It lies on another. */
  get stacked(): bool {
    return this.is.depends == Depends.Lower;
  }
  /** It is an end of a pair. */
  get paired(): bool {
    return this.is.depends == Depends.Peer;
  }

  get loopback(): bool {
    return this.ifindex == LOOPBACK_INDEX;
  }
  /** The link has IPv6 at all. */
  get ipv6(): bool {
    return this.mtu_bytes >= IPV6_MTU_MIN_BYTES;
  }
  find(ip: Ip): Addr | null {
    for (let i = 0; i < this.addrs.length; i++) {
      if (this.addrs[i].cidr.ip.equals(ip)) return this.addrs[i];
    }
    return null;
  }
  /** The address is this link's, and may be used. */
  is_local(ip: Ip): bool {
    for (let i = 0; i < this.addrs.length; i++) {
      const addr = this.addrs[i];
      if (addr.cidr.ip.equals(ip) ? !addr.tentative : this.is_network_local(addr, ip)) return true;
    }
    return false;
  }
  private is_network_local(addr: Addr, ip: Ip): bool {
    return addr.local_network && !ip.v6 && addr.cidr.contains(ip);
  }
}

export class Route {
  gw: Ip | null = null;
  src: Ip | null = null;
  scope: i32 = 0;
  table: u32 = TABLE_MAIN;
  metric: u32 = 0;
  mtu_bytes: i32 = 0;
  advmss: i32 = 0;
  protocol: i32 = PROTOCOL_BOOT;
  constructor(
    public dst: Cidr,
    public dev: Link,
  ) {}
}

/** A policy routing rule for packets from a prefix; one of others may ask for a mark too. */
export class Rule {
  mark: u32 = 0;
  constructor(
    public src: Cidr,
    public table: u32,
    public priority: u32,
  ) {}
}

export class Space {
  last_ifindex: i32 = 0;
  /** /run/netns/NAME leads here. */
  named: bool = false;
  /** Other paths that lead here. */
  paths: string[] = [];
  links: Link[] = [];
  /** In the order of a dump: see fib.ts. */
  routes: Route[] = [];
  /** Beside those that every namespace has: by family, in the order in which they are asked. */
  rules: Rule[] = [];
  /** A VRF was made here: its rule stays when it goes. */
  had_vrf: bool = false;
  conf_all: Conf = new Conf();
  conf_default: Conf = new Conf();
  nft: Nft = new Nft();
  /** What connection tracking remembers. */
  flows: Flow[] = [];
  constructor(
    public index: i32,
    public name: string,
  ) {
    this.conf_all.set(Knob.AcceptDad, 0);
    const loopback = this.add_link("lo", "");
    loopback.address = ADDRESS_ZERO;
  }

  /** A new link, down, with an address made from its place: two runs make the same. */
  add_link(name: string, kind: string): Link {
    const link = new Link(++this.last_ifindex, name);
    link.conf = this.conf_default.copy();
    this.settle_kind(link, link.loopback ? LOOPBACK : kind_of(kind));
    link.address = `02:00:5e:00:${octet(this.index)}:${octet(link.ifindex)}`;
    this.links.push(link);
    return link;
  }
  /** Makes a new link one of a kind. */
  settle_kind(link: Link, kind: LinkKind): void {
    link.become(kind);
    if (link.routes) this.had_vrf = true;
  }
  by_name(name: string): Link | null {
    for (let i = 0; i < this.links.length; i++) {
      if (this.links[i].name == name) return this.links[i];
    }
    return null;
  }
  by_index(ifindex: i32): Link | null {
    for (let i = 0; i < this.links.length; i++) {
      if (this.links[i].ifindex == ifindex) return this.links[i];
    }
    return null;
  }
  /** The bridge that a link is a port of; null when its master is none. */
  bridge_of(link: Link): Link | null {
    const master = link.master != 0 ? this.by_index(link.master) : null;
    return master && master.switches ? master : null;
  }
  /** The table that routes of a link's addresses are in. */
  table_of(link: Link): u32 {
    const master = link.master != 0 ? this.by_index(link.master) : null;
    return master && master.routes ? master.table : TABLE_MAIN;
  }
  /** Ports of a bridge, by ifindex. */
  ports(bridge: Link): Link[] {
    const ports = new Array<Link>();
    for (let i = 0; i < this.links.length; i++) {
      if (this.links[i].master == bridge.ifindex) ports.push(this.links[i]);
    }
    return ports;
  }
  /** Whether an IPv4 address may be the source of a route: that of a VRF is local there alone. */
  has_local_in(ip: Ip, table: u32): bool {
    for (let i = 0; i < this.links.length; i++) {
      const local = this.table_of(this.links[i]);
      if ((local == TABLE_MAIN || local == table) && this.links[i].is_local(ip)) return true;
    }
    return false;
  }
  /** A link of the namespace has this address, and it may be used. */
  has_local(ip: Ip): bool {
    for (let i = 0; i < this.links.length; i++) {
      if (this.links[i].is_local(ip)) return true;
    }
    return false;
  }
}

function octet(value: i32): string {
  return (value & 255).toString(16).padStart(2, "0");
}

export class State {
  programs: Map<string, Program> = new Map<string, Program>();
  /** By the path of the socket. */
  daemons: Map<string, Daemon> = new Map<string, Daemon>();
  /** The host first. */
  spaces: Space[] = [new Space(0, "host")];
  /** Namespaces by handle. */
  /** null: given back. */
  handles: Array<Space | null> = [];
  files: Map<string, Content> = new Map<string, Content>();
  folders: Set<string> = new Set<string>();
  /** Times of folders that somebody set; any other folder has changed just now. */
  set_ns: Map<string, i64> = new Map<string, i64>();
  locks: Set<i32> = new Set<i32>();
  last_lock: i32 = 0;
  constructor() {
    this.handles.push(this.spaces[0]);
  }

  space(name: string): Space | null {
    for (let i = 0; i < this.spaces.length; i++) {
      if (this.spaces[i].name == name) return this.spaces[i];
    }
    return null;
  }
  /** Where a link lies; null once it is gone. */
  home(link: Link): Space | null {
    for (let i = 0; i < this.spaces.length; i++) {
      if (this.spaces[i].links.includes(link)) return this.spaces[i];
    }
    return null;
  }
  /** The links on a link, of all namespaces. */
  uppers_of(lower: Link): Link[] {
    const uppers = new Array<Link>();
    for (let i = 0; i < this.spaces.length; i++) {
      const links = this.spaces[i].links;
      for (let k = 0; k < links.length; k++) if (links[k].lower === lower) uppers.push(links[k]);
    }
    return uppers;
  }
  /** Where a path leads; null when no namespace says so. */
  space_at(path: string): Space | null {
    for (let i = 0; i < this.spaces.length; i++) {
      if (this.spaces[i].paths.includes(path)) return this.spaces[i];
    }
    return null;
  }
  /** Puts a file at a path, and the folders above it. */
  put_file(path: string, content: Content): void {
    this.files.set(path, content);
    this.add_folder(folder_of(path));
    this.changed(path);
  }
  remove_file(path: string): void {
    this.files.delete(path);
    this.changed(path);
  }
  /** A name in a folder was made or removed, if only for a moment: the folder's time is now. */
  changed(path: string): void {
    this.set_ns.delete(folder_of(path));
  }
  /** Makes a folder and those above it. A folder stays when what was in it goes, as on a disk. */
  add_folder(path: string): void {
    for (let at = path; at.length > 0 && !this.folders.has(at); ) {
      this.folders.add(at);
      this.changed(at);
      at = folder_of(at);
    }
  }
  add_space(name: string): Space {
    const space = new Space(this.spaces.length, name);
    this.spaces.push(space);
    return space;
  }
}

export let state: State = new State();

/** Begins anew with another state. */
export function state_replace(other: State): void {
  state = other;
}
