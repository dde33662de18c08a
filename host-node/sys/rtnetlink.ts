// The words of rtnetlink: building one request and reading the replies, bytes in and values out.
// It refuses to touch a socket (netlink.ts does) and to trust a reply: every length is checked
// before it is used, and one that does not fit is EBADMSG, never a read past the end or a loop
// that stands still. Numbers are little-endian, as on both machines it ships for.

import {
  type Address,
  type FibRule,
  type Link,
  OsError,
  type PortVlan,
  type Route,
  type RouteTo,
} from '../abi/index.ts';
import { EBADMSG, EINVAL, EMSGSIZE } from './libc.ts';

// linux/netlink.h
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_ECHO = 0x8;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_ACK_TLVS = 0x200;
export const NLM_F_CREATE = 0x400;
const NLMSGERR_ATTR_MSG = 1;
const NLMSG_HDRLEN = 16;
const NLA_HDRLEN = 4;
export const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

// linux/rtnetlink.h
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;
export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
export const RTM_GETRULE = 34;
export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_PRIORITY = 6;
export const RTA_PREFSRC = 7;
export const RTA_METRICS = 8;
export const RTA_MULTIPATH = 9;
export const RTA_TABLE = 15;
export const RTA_VIA = 18;
export const RTAX_MTU = 2;
export const RTAX_ADVMSS = 8;
export const RTN_UNICAST = 1;
export const RTPROT_BOOT = 3;
export const RT_SCOPE_NOWHERE = 255;
export const RT_TABLE_COMPAT = 252;
export const RT_TABLE_DEFAULT = 253;
export const RT_TABLE_MAIN = 254;
export const RT_TABLE_LOCAL = 255;
export const RTM_F_CLONED = 0x200;
export const RTM_F_LOOKUP_TABLE = 0x1000;
export const RTM_F_FIB_MATCH = 0x2000;
export const RTEXT_FILTER_BRVLAN_COMPRESSED = 4;
export const RTEXT_FILTER_SKIP_STATS = 8;

// linux/if_link.h, linux/if.h, linux/veth.h
export const IFF_UP = 0x1;
export const IFF_LOOPBACK = 0x8;
export const IFF_PROMISC = 0x100;
export const IFF_ALLMULTI = 0x200;
export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_LINK = 5;
export const IFLA_MASTER = 10;
export const IFLA_PROTINFO = 12;
export const IFLA_TXQLEN = 13;
export const IFLA_OPERSTATE = 16;
export const IFLA_LINKINFO = 18;
export const IFLA_AF_SPEC = 26;
export const IFLA_NET_NS_FD = 28;
export const IFLA_EXT_MASK = 29;
export const IFLA_LINK_NETNSID = 37;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const IFLA_INFO_SLAVE_KIND = 4;
export const IFLA_INFO_SLAVE_DATA = 5;
export const IFLA_BR_VLAN_FILTERING = 7;
export const IFLA_BRPORT_MODE = 4; // hairpin
export const IFLA_BRPORT_ISOLATED = 33;
export const VETH_INFO_PEER = 1;

// linux/if_bridge.h
export const IFLA_BRIDGE_FLAGS = 0;
export const IFLA_BRIDGE_VLAN_INFO = 2;
export const BRIDGE_FLAGS_SELF = 2;
export const BRIDGE_VLAN_INFO_PVID = 0x2;
export const BRIDGE_VLAN_INFO_UNTAGGED = 0x4;
export const BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x8;
export const BRIDGE_VLAN_INFO_RANGE_END = 0x10;
const VLAN_ID_MAX = 4094;

// linux/if_link.h, IFLA_VRF_*
export const IFLA_VRF_TABLE = 1;

// linux/fib_rules.h
export const FR_ACT_TO_TBL = 1;
export const FRA_SRC = 2;
export const FRA_PRIORITY = 6;
export const FRA_SUPPRESS_PREFIXLEN = 14;
export const FRA_TABLE = 15;
export const FRA_PAD = 18;
export const FRA_PROTOCOL = 21;
const FIB_RULE_INVERT = 2;

// linux/net_namespace.h
export const RTM_GETNSID = 90;
export const NETNSA_NSID = 1;
export const NETNSA_FD = 3;

// linux/if_addr.h
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_BROADCAST = 4;
export const IFA_FLAGS = 8;
export const IFA_F_NODAD = 0x2;
export const IFA_F_DADFAILED = 0x8;
export const IFA_F_TENTATIVE = 0x40;

// sys/socket.h
export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_BRIDGE = 7;
export const AF_INET6 = 10;

const RTGENMSG_LEN = 4; // with its padding
const IFINFOMSG_LEN = 16;
const IFADDRMSG_LEN = 8;
const RTMSG_LEN = 12;
const RTNEXTHOP_LEN = 8;

const MAX_ADDR_LEN = 32; // linux/netdevice.h
const ERRNO_MAX = 4095; // linux/err.h

/** IF_OPER_* of linux/if.h, in iproute2's words. */
const OPERSTATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'];

/** An IPv4 (4 bytes) or IPv6 (16 bytes) address with its prefix length. */
export interface Prefix {
  readonly family: number;
  readonly bytes: Uint8Array;
  readonly length: number;
}

const REQUEST_MAX_BYTES = 4096;

/** One request under construction, over one buffer that every request uses again. */
export class Request {
  readonly #bytes = Buffer.allocUnsafeSlow(REQUEST_MAX_BYTES);
  #at = 0;

  /** Starts a request; NLM_F_REQUEST is added. Length and sequence come with {@link seal}. */
  begin(type: number, flags: number): this {
    this.#at = 0;
    return this.u32(0)
      .u16(type)
      .u16(flags | NLM_F_REQUEST)
      .u32(0)
      .u32(0);
  }

  /** Ends the request. The bytes stay valid until the next {@link begin}. */
  seal(sequence: number): Uint8Array {
    this.#bytes.writeUInt32LE(this.#at, 0);
    this.#bytes.writeUInt32LE(sequence, 8);
    return this.#bytes.subarray(0, this.#at);
  }

  u8(value: number): this {
    this.#bytes[this.#take(1)] = value;
    return this;
  }

  u16(value: number): this {
    this.#bytes.writeUInt16LE(value & 0xffff, this.#take(2));
    return this;
  }

  /** A negative number stands for its unsigned value, as it does in the core's i32. */
  u32(value: number): this {
    this.#bytes.writeUInt32LE(value >>> 0, this.#take(4));
    return this;
  }

  /** struct ifinfomsg; `change` is the mask of the flags to set. */
  ifinfomsg(family: number, ifindex: number, flags: number, change: number): this {
    return this.u8(family).u8(0).u16(0).u32(ifindex).u32(flags).u32(change);
  }

  /** struct rtgenmsg with its padding. */
  rtgenmsg(family: number): this {
    return this.u8(family).u8(0).u16(0);
  }

  /** struct ifaddrmsg, universe (global) scope. */
  ifaddrmsg(family: number, prefix_length: number, flags: number, ifindex: number): this {
    return this.u8(family).u8(prefix_length).u8(flags).u8(0).u32(ifindex);
  }

  /** struct rtmsg. A table over 255 goes into RTA_TABLE, which the caller adds. */
  rtmsg(
    prefix: Prefix,
    table: number,
    protocol: number,
    scope: number,
    type: number,
    flags = 0,
  ): this {
    this.u8(prefix.family).u8(prefix.length).u8(0).u8(0);
    this.u8(table > 255 ? RT_TABLE_COMPAT : table);
    return this.u8(protocol).u8(scope).u8(type).u32(flags);
  }

  /** struct tcmsg of linux/rtnetlink.h. */
  tcmsg(ifindex: number, handle: number, parent: number, info = 0): this {
    return this.u32(AF_UNSPEC).u32(ifindex).u32(handle).u32(parent).u32(info);
  }

  /** struct fib_rule_hdr. A table over 255 goes into FRA_TABLE, which the caller adds. */
  fibRuleHdr(src: Prefix, table: number, action: number): this {
    this.u8(src.family).u8(0).u8(src.length).u8(0);
    this.u8(table >>> 0 > 255 ? RT_TABLE_COMPAT : table);
    return this.u8(0).u8(0).u8(action).u32(0);
  }

  attr(type: number, value: Uint8Array): this {
    const start = this.nest(type, 0);
    this.#bytes.set(value, this.#take(value.length));
    return this.end(start);
  }

  attrU8(type: number, value: number): this {
    const start = this.nest(type, 0);
    return this.u8(value).end(start);
  }

  attrU32(type: number, value: number): this {
    const start = this.nest(type, 0);
    return this.u32(value).end(start);
  }

  /** A NUL-terminated string; one with a NUL inside is EINVAL, the kernel would read half of it. */
  attrText(type: number, value: string): this {
    if (value.includes('\0')) throw new OsError(EINVAL, 'a NUL in a name');
    return this.attr(type, Buffer.from(`${value}\0`));
  }

  /** Opens an attribute that holds others; give the result to {@link end}. */
  nest(type: number, flag = NLA_F_NESTED): number {
    const start = this.#at;
    this.u16(0).u16(type | flag);
    return start;
  }

  /** Closes what {@link nest} opened, padded to four bytes. */
  end(start: number): this {
    this.#bytes.writeUInt16LE(this.#at - start, start);
    while ((this.#at & 3) !== 0) this.u8(0);
    return this;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > REQUEST_MAX_BYTES) throw new OsError(EMSGSIZE, 'request too long');
    this.#at = at + length;
    return at;
  }
}

/** A bounded stretch of a reply. */
export class Span {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** The number at an offset from the start; EBADMSG when it does not lie inside. */
  u8(offset = 0): number {
    return this.bytes.readUInt8(this.#at(offset, 1));
  }
  u16(offset = 0): number {
    return this.bytes.readUInt16LE(this.#at(offset, 2));
  }
  u32(offset = 0): number {
    return this.bytes.readUInt32LE(this.#at(offset, 4));
  }
  i32(offset = 0): number {
    return this.bytes.readInt32LE(this.#at(offset, 4));
  }

  /** The rest from an offset. */
  from(offset: number): Span {
    return new Span(this.bytes, this.#at(offset, 0), this.end);
  }

  /** Text up to the first NUL or the end. */
  text(): string {
    let end = this.start;
    while (end < this.end && this.bytes[end] !== 0) end++;
    return this.bytes.toString('utf8', this.start, end);
  }

  raw(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  #at(offset: number, length: number): number {
    const at = this.start + offset;
    if (at + length > this.end) throw truncated();
    return at;
  }
}

function truncated(): OsError {
  return new OsError(EBADMSG, 'malformed netlink reply');
}

/** One message of a reply: its body is what follows struct nlmsghdr. */
export class Message extends Span {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  constructor(bytes: Buffer, start: number, end: number) {
    super(bytes, start + NLMSG_HDRLEN, end);
    this.type = bytes.readUInt16LE(start + 4);
    this.flags = bytes.readUInt16LE(start + 6);
    this.sequence = bytes.readUInt32LE(start + 8);
  }
}

/** Gives each message of one datagram of `length` bytes to `visit`; EBADMSG when one overruns. */
export function eachMessage(bytes: Buffer, length: number, visit: (message: Message) => void) {
  if (length < NLMSG_HDRLEN || length > bytes.length) throw truncated();
  for (let at = 0; at < length; ) {
    if (length - at < NLMSG_HDRLEN) throw truncated();
    const size = bytes.readUInt32LE(at);
    if (size < NLMSG_HDRLEN || size > length - at) throw truncated();
    visit(new Message(bytes, at, at + size));
    at += (size + 3) & ~3;
  }
}

/** Gives each attribute of a span to `visit`; EBADMSG when one overruns. linux/netlink.h nlattr. */
export function eachAttr(span: Span, visit: (type: number, value: Span) => void): void {
  const { bytes, end } = span;
  for (let at = span.start; at < end; ) {
    if (end - at < NLA_HDRLEN) throw truncated();
    const size = bytes.readUInt16LE(at);
    if (size < NLA_HDRLEN || size > end - at) throw truncated();
    visit(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, new Span(bytes, at + NLA_HDRLEN, at + size));
    at += (size + 3) & ~3;
  }
}

/**
 * The verdict of an NLMSG_ERROR or NLMSG_DONE: null when it is good, else an OsError with the
 * kernel's extended text (linux/netlink.h nlmsgerr). A DONE without a number is good.
 */
export function parseVerdict(message: Message): OsError | null {
  const done = message.type === NLMSG_DONE;
  if (done && message.end - message.start < 4) return null;
  const code = message.i32();
  if (code > 0 || code < -ERRNO_MAX) throw truncated();
  if (code === 0) return null;
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return new OsError(-code);
  // After the number an ERROR repeats the request, only its header when it is capped.
  let skip = 4;
  if (!done) {
    const capped = (message.flags & NLM_F_CAPPED) !== 0;
    skip += capped ? NLMSG_HDRLEN : (message.u32(4) + 3) & ~3;
    if (skip < 4) throw truncated();
  }
  let text = '';
  eachAttr(message.from(skip), (type, value) => {
    if (type === NLMSGERR_ATTR_MSG) text = value.text();
  });
  return new OsError(-code, text);
}

/** An RTM_NEWLINK as a {@link Link}. */
export function parseLink(message: Message): Link {
  let name = '';
  let address = '';
  let [mtu_bytes, txqlen, master, lower] = [0, 0, 0, 0];
  let operstate = 0;
  let info = { kind: '', vlan_filtering: false, table: 0 };
  eachAttr(message.from(IFINFOMSG_LEN), (type, value) => {
    if (type === IFLA_IFNAME) name = value.text();
    else if (type === IFLA_ADDRESS) address = formatHardware(value.raw());
    else if (type === IFLA_MTU) mtu_bytes = value.u32();
    else if (type === IFLA_TXQLEN) txqlen = value.u32();
    else if (type === IFLA_MASTER) master = value.u32();
    else if (type === IFLA_LINK) lower = value.u32();
    else if (type === IFLA_OPERSTATE) operstate = value.u8();
    else if (type === IFLA_LINKINFO) info = parseLinkInfo(value);
  });
  const flags = message.u32(8);
  return {
    ifindex: message.i32(4),
    name,
    kind: info.kind,
    address,
    mtu_bytes,
    up: (flags & IFF_UP) !== 0,
    promisc: (flags & IFF_PROMISC) !== 0,
    allmulti: (flags & IFF_ALLMULTI) !== 0,
    txqlen,
    operstate: OPERSTATES[operstate] ?? 'unknown',
    master,
    peer: info.kind === 'veth' ? lower : 0,
    vlan_filtering: info.vlan_filtering,
    table: info.table,
  };
}

function parseLinkInfo(span: Span): { kind: string; vlan_filtering: boolean; table: number } {
  let kind = '';
  let data: Span | undefined;
  eachAttr(span, (type, value) => {
    if (type === IFLA_INFO_KIND) kind = value.text();
    else if (type === IFLA_INFO_DATA) data = value;
  });
  let [vlan_filtering, table] = [false, 0];
  if (data !== undefined && (kind === 'bridge' || kind === 'vrf')) {
    eachAttr(data, (type, value) => {
      if (kind === 'vrf' && type === IFLA_VRF_TABLE) table = value.u32();
      else if (kind === 'bridge' && type === IFLA_BR_VLAN_FILTERING) {
        vlan_filtering = value.u8() !== 0;
      }
    });
  }
  return { kind, vlan_filtering, table };
}

/** What link_get does not tell of a link. */
export interface LinkExtra {
  readonly loopback: boolean;
  /** The id, in the link's namespace, of the one that a veth's peer lies in; -1 for its own. */
  readonly peer_nsid: number;
  readonly hairpin: boolean;
  readonly isolated: boolean;
}

/** The rest of an RTM_NEWLINK, beside {@link parseLink}. */
export function parseLinkExtra(message: Message): LinkExtra {
  let peer_nsid = -1;
  let [hairpin, isolated] = [false, false];
  const port = (data: Span): void => {
    eachAttr(data, (type, value) => {
      if (type === IFLA_BRPORT_MODE) hairpin = value.u8() !== 0;
      else if (type === IFLA_BRPORT_ISOLATED) isolated = value.u8() !== 0;
    });
  };
  eachAttr(message.from(IFINFOMSG_LEN), (type, value) => {
    if (type === IFLA_LINK_NETNSID) peer_nsid = value.i32();
    if (type !== IFLA_LINKINFO) return;
    let slave = '';
    eachAttr(value, (inner, data) => {
      // The kernel puts the kind before the data.
      if (inner === IFLA_INFO_SLAVE_KIND) slave = data.text();
      else if (inner === IFLA_INFO_SLAVE_DATA && slave === 'bridge') port(data);
    });
  });
  return { loopback: (message.u32(8) & IFF_LOOPBACK) !== 0, peer_nsid, hairpin, isolated };
}

/** The id of an RTM_NEWNSID, -1 when the namespace has none. */
export function parseNsid(message: Message): number {
  let nsid = -1;
  eachAttr(message.from(RTGENMSG_LEN), (type, value) => {
    if (type === NETNSA_NSID) nsid = value.i32();
  });
  return nsid;
}

/** The ifindex of an RTM_NEWLINK. */
export function linkIndex(message: Message): number {
  return message.i32(4);
}

/** The ifindex of the bridge or other device above an RTM_NEWLINK's link, 0 for none. */
export function linkMaster(message: Message): number {
  let master = 0;
  eachAttr(message.from(IFINFOMSG_LEN), (type, value) => {
    if (type === IFLA_MASTER) master = value.i32();
  });
  return master;
}

/** Adds the VLANs of one port's AF_BRIDGE RTM_NEWLINK to `into`, ranges spread out. */
export function parsePortVlans(message: Message, into: PortVlan[]): void {
  eachAttr(message.from(IFINFOMSG_LEN), (outer, spec) => {
    if (outer !== IFLA_AF_SPEC) return;
    let first = 0;
    eachAttr(spec, (type, value) => {
      if (type !== IFLA_BRIDGE_VLAN_INFO) return;
      const flags = value.u16(0);
      const last = value.u16(2);
      if ((flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) !== 0) {
        first = last;
        return;
      }
      if (last > VLAN_ID_MAX) throw truncated();
      const ranged = (flags & BRIDGE_VLAN_INFO_RANGE_END) !== 0 && first !== 0;
      const pvid = (flags & BRIDGE_VLAN_INFO_PVID) !== 0;
      const untagged = (flags & BRIDGE_VLAN_INFO_UNTAGGED) !== 0;
      const low = ranged ? first : last;
      // Each VLAN once: a reply that repeats its ranges would grow without a bound of its own.
      if (into.length + last - low + 1 > VLAN_ID_MAX) throw truncated();
      for (let vid = low; vid <= last; vid++) into.push({ vid, pvid, untagged });
      first = 0;
    });
  });
}

/** The ifindex of an RTM_NEWADDR. */
export function addressIndex(message: Message): number {
  return message.i32(4);
}

/** Adds the address of an RTM_NEWADDR to `into` when it is IP and on `ifindex`. */
export function parseAddress(message: Message, ifindex: number, into: Address[]): void {
  const family = message.u8(0);
  if ((family !== AF_INET && family !== AF_INET6) || addressIndex(message) !== ifindex) return;
  let own: Uint8Array | undefined;
  let far: Uint8Array | undefined;
  let flags = message.u8(2);
  eachAttr(message.from(IFADDRMSG_LEN), (type, value) => {
    if (type === IFA_LOCAL) own = value.raw();
    else if (type === IFA_ADDRESS) far = value.raw();
    else if (type === IFA_FLAGS) flags = value.u32();
  });
  // With a point-to-point peer IFA_ADDRESS is the peer's, IFA_LOCAL our own.
  const bytes = own ?? far;
  if (bytes === undefined) throw truncated();
  into.push({
    address: `${formatIp(bytes)}/${message.u8(1)}`,
    scope: message.u8(3),
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
    dadfailed: (flags & IFA_F_DADFAILED) !== 0,
  });
}

/**
 * Adds the routes of an RTM_NEWROUTE that leave by `ifindex` to `into`: one, one per next hop of a
 * multipath route, or none when it is not unicast, is in table local or is a cache entry.
 */
export function parseRoute(message: Message, family: number, ifindex: number, into: Route[]): void {
  const unicast = message.u8(7) === RTN_UNICAST && (message.u32(8) & RTM_F_CLONED) === 0;
  if (message.u8(0) !== family || !unicast) return;
  const { route, hops } = parseRouteHops(message);
  if (route.table === RT_TABLE_LOCAL) return;
  for (const hop of hops) if (hop.ifindex === ifindex) into.push({ ...route, gw: hop.gw });
}

/** A route of whatever type without a gateway, and where it leads: no, one or several next hops. */
export interface RouteHops {
  readonly type: number;
  /** Whether it is for packets of some source or type of service only. */
  readonly selective: boolean;
  readonly cloned: boolean;
  readonly route: Route;
  readonly hops: readonly { readonly ifindex: number; readonly gw: string }[];
}

/** An RTM_NEWROUTE of an IP family. */
export function parseRouteHops(message: Message): RouteHops {
  const family = message.u8(0);
  const hops: { ifindex: number; gw: string }[] = [];
  let dst = family === AF_INET ? '0.0.0.0' : '::';
  let [src, gw, oif, priority] = ['', '', 0, 0];
  let table = message.u8(4);
  let metrics = { mtu_bytes: 0, advmss: 0 };
  eachAttr(message.from(RTMSG_LEN), (type, value) => {
    if (type === RTA_DST) dst = formatIp(value.raw());
    else if (type === RTA_OIF) oif = value.i32();
    else if (type === RTA_GATEWAY) gw = formatIp(value.raw());
    else if (type === RTA_VIA) gw = formatIp(value.from(2).raw());
    else if (type === RTA_PREFSRC) src = formatIp(value.raw());
    else if (type === RTA_PRIORITY) priority = value.u32();
    else if (type === RTA_TABLE) table = value.u32();
    else if (type === RTA_METRICS) metrics = parseMetrics(value);
    else if (type === RTA_MULTIPATH) parseHops(value, hops);
  });
  if (oif !== 0) hops.push({ ifindex: oif, gw });
  const [scope, protocol] = [message.u8(6), message.u8(5)];
  dst = `${dst}/${message.u8(1)}`;
  return {
    type: message.u8(7),
    selective: message.u8(2) !== 0 || message.u8(3) !== 0,
    cloned: (message.u32(8) & RTM_F_CLONED) !== 0,
    route: { dst, gw: '', src, scope, table, priority, ...metrics, protocol },
    hops,
  };
}

/** A unicast RTM_NEWROUTE with its first next hop; undefined when it is none. */
export function parseRouteTo(message: Message): RouteTo | undefined {
  const { type, cloned, route, hops } = parseRouteHops(message);
  const [hop] = hops;
  return type === RTN_UNICAST && !cloned && hop ? { ...route, ...hop } : undefined;
}

/** Adds the rule of an RTM_NEWRULE of an IP family to `into`. */
export function parseFibRule(message: Message, into: FibRule[]): void {
  const family = message.u8(0);
  if (family !== AF_INET && family !== AF_INET6) return;
  const [src_length, action] = [message.u8(2), message.u8(7)];
  let [src, priority, table] = ['', 0, message.u8(4)];
  // A destination, a type of service, "not".
  let more = message.u8(1) !== 0 || message.u8(3) !== 0 || action !== FR_ACT_TO_TBL;
  more ||= (message.u32(8) & FIB_RULE_INVERT) !== 0;
  eachAttr(message.from(RTMSG_LEN), (type, value) => {
    if (type === FRA_SRC) src = `${formatIp(value.raw())}/${src_length}`;
    else if (type === FRA_PRIORITY) priority = value.u32();
    else if (type === FRA_TABLE) table = value.u32();
    else if (type === FRA_SUPPRESS_PREFIXLEN) more ||= value.i32() !== -1;
    else if (type !== FRA_PAD && type !== FRA_PROTOCOL) more = true;
  });
  into.push({ src, table, priority, more });
}

function parseMetrics(span: Span): { mtu_bytes: number; advmss: number } {
  let mtu_bytes = 0;
  let advmss = 0;
  eachAttr(span, (type, value) => {
    if (type === RTAX_MTU) mtu_bytes = value.u32();
    else if (type === RTAX_ADVMSS) advmss = value.u32();
  });
  return { mtu_bytes, advmss };
}

/** Adds the next hops of a struct rtnexthop list. */
function parseHops(list: Span, into: { ifindex: number; gw: string }[]): void {
  for (let at = list.start; at < list.end; ) {
    const hop = new Span(list.bytes, at, list.end);
    const size = hop.u16(0);
    if (size < RTNEXTHOP_LEN || size > list.end - at) throw truncated();
    let gw = '';
    eachAttr(new Span(list.bytes, at + RTNEXTHOP_LEN, at + size), (type, value) => {
      if (type === RTA_GATEWAY) gw = formatIp(value.raw());
      else if (type === RTA_VIA) gw = formatIp(value.from(2).raw());
    });
    into.push({ ifindex: hop.i32(4), gw });
    at += (size + 3) & ~3;
  }
}

/** A hardware address as 0a:58:…; "" when there is none. EBADMSG: longer than any is. */
export function formatHardware(bytes: Uint8Array): string {
  if (bytes.length > MAX_ADDR_LEN) throw truncated();
  let text = '';
  for (const byte of bytes) {
    text += `${text === '' ? '' : ':'}${byte < 16 ? '0' : ''}${byte.toString(16)}`;
  }
  return text;
}

/** An Ethernet address from its text; EINVAL when it is not six pairs of hex digits. */
export function parseHardware(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
    throw new OsError(EINVAL, `not a hardware address: ${text}`);
  }
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}

/** An IP address as text, IPv6 in the form of RFC 5952; EBADMSG unless it is 4 or 16 bytes. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw truncated();
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  // ::ffff:a.b.c.d is written so by every tool.
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  // The longest run of two or more zero groups, the first of equals, becomes "::".
  let [best, best_length] = [-1, 1];
  for (let i = 0, run = 0; i < 8; i++) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > best_length) [best, best_length] = [i - run + 1, run];
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(':');
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + best_length).join(':')}`;
}

/** The 4 or 16 bytes of an IP address; EINVAL when the text is not one. No zone, no odd octets. */
export function parseIp(text: string): Uint8Array {
  const bytes = text.includes(':') ? parseIp6(text) : parseIp4(text);
  if (bytes === null) throw new OsError(EINVAL, `not an IP address: ${text}`);
  return bytes;
}

function parseIp4(text: string): Uint8Array | null {
  const octets = text.split('.');
  const good = octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256);
  return octets.length === 4 && good ? Uint8Array.from(octets, Number) : null;
}

function parseIp6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const gap = 16 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 2) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The bytes of one side of a "::"; its last group may be a dotted IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | null {
  const bytes: number[] = [];
  if (text === '') return bytes;
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes('.')) {
      const dotted = parseIp4(group);
      if (dotted === null) return null;
      bytes.push(...dotted);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return null;
  }
  return bytes;
}

/** address/length as a {@link Prefix}, host bits kept; EINVAL when it is not one. */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const digits = slash < 0 ? '' : text.slice(slash + 1);
  const bytes = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > bytes.length * 8) {
    throw new OsError(EINVAL, `not an address with a prefix length: ${text}`);
  }
  const family = bytes.length === 4 ? AF_INET : AF_INET6;
  return { family, bytes, length: Number(digits) };
}

/** The broadcast address of an IPv4 prefix: all its host bits set. */
export function broadcastOf(prefix: Prefix): Uint8Array {
  return prefix.bytes.map((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefix.length - i * 8));
    return byte | (0xff >> bits);
  });
}
