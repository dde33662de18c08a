// SPDX-License-Identifier: Apache-2.0
// What a dhcp plugin and its daemon say to each other on the daemon's socket: Go's net/rpc over
// HTTP with gob, the methods and types of the reference plugins, so that either side may be theirs.
// Both sides are here, in bytes; sockets are others'.
import { Cidr, Ip } from "../lib/ip";
import { ByteWriter, Utf8 } from "../lib/utf8";
import { Gob, GobReader } from "./gob";
import { GOB_BYTES, GOB_INT, GOB_STRING, GOB_UINT, GobField, GobWriter } from "./gob-writer";
import { Leased, LeasedIp, LeasedRoute } from "./leased";

export const ALLOCATE = "DHCP.Allocate";
export const RELEASE = "DHCP.Release";

/** What a client says first (net/rpc, DialHTTP), and what a server answers. */
export const HELLO = "CONNECT /_goRPC_ HTTP/1.0\n\n";
export const WELCOME = "HTTP/1.0 200 Connected to Go RPC\n\n";

/** Numbers of our types: a stream has its own, from 64 up. */
const HEAD: i32 = 65;
const ARGS: i32 = 66;
const NOTHING: i32 = 66;
const RESULT: i32 = 67;
const IPS: i32 = 68;
const IP_CONFIG: i32 = 69;
const IP_NET: i32 = 70;
const ROUTES: i32 = 71;
const ROUTE: i32 = 72;
const DNS: i32 = 73;
const TEXTS: i32 = 74;

/** skel.CmdArgs. */
export class CmdArgs {
  containerID: string = "";
  netns: string = "";
  ifname: string = "";
  args: string = "";
  path: string = "";
  /** The network configuration, as it came. */
  stdin: ByteWriter = new ByteWriter();
}

/** The bytes of a call, behind HELLO. */
export function rpc_call(method: string, args: CmdArgs): ByteWriter {
  const out = new GobWriter();
  out.describe_struct(HEAD, "Request", [
    new GobField("ServiceMethod", GOB_STRING),
    new GobField("Seq", GOB_UINT),
  ]);
  out.begin(HEAD);
  out.text_at(0, method);
  out.end();
  out.describe_struct(ARGS, "CmdArgs", [
    new GobField("ContainerID", GOB_STRING),
    new GobField("Netns", GOB_STRING),
    new GobField("IfName", GOB_STRING),
    new GobField("Args", GOB_STRING),
    new GobField("Path", GOB_STRING),
    new GobField("StdinData", GOB_BYTES),
  ]);
  out.begin(ARGS);
  out.text_at(0, args.containerID);
  out.text_at(1, args.netns);
  out.text_at(2, args.ifname);
  out.text_at(3, args.args);
  out.text_at(4, args.path);
  out.bytes_at(5, args.stdin);
  out.end();
  return out.out;
}

/** A call as the daemon reads it. */
export class Call {
  constructor(
    public method: string,
    public seq: u64,
    public args: CmdArgs,
  ) {}
}

/** The calls of a connection, once HELLO is read. */
export class Calls {
  private gobs: GobReader = new GobReader();
  private head: Gob | null = null;

  get problem(): string {
    return this.gobs.problem;
  }
  feed(ptr: usize, len: i32): void {
    this.gobs.feed(ptr, len);
  }
  /** The next whole call. */
  next(): Call | null {
    let value = this.gobs.next();
    if (value && !this.head) {
      this.head = value;
      value = this.gobs.next();
    }
    const head = this.head;
    if (!value || !head) return null;
    this.head = null;
    const args = new CmdArgs();
    args.containerID = value.text_at("ContainerID");
    args.netns = value.text_at("Netns");
    args.ifname = value.text_at("IfName");
    args.args = value.text_at("Args");
    args.path = value.text_at("Path");
    const stdin = value.at("StdinData");
    if (stdin && stdin.bytes) args.stdin = stdin.bytes!;
    return new Call(head.text_at("ServiceMethod"), <u64>head.int_at("Seq"), args);
  }
}

/** The answers of a connection: a type is described once in it. */
export class Answers {
  private begun: bool = false;
  private nothing: bool = false;
  private results: bool = false;

  private head(out: GobWriter, call: Call, error: string): void {
    if (!this.begun) {
      out.describe_struct(HEAD, "Response", [
        new GobField("ServiceMethod", GOB_STRING),
        new GobField("Seq", GOB_UINT),
        new GobField("Error", GOB_STRING),
      ]);
    }
    this.begun = true;
    out.begin(HEAD);
    out.text_at(0, call.method);
    out.uint_at(1, call.seq);
    out.text_at(2, error);
    out.end();
  }
  /** An answer without a result: an error, or "" when it is done. */
  done(call: Call, error: string): ByteWriter {
    const out = new GobWriter();
    this.head(out, call, error);
    if (!this.nothing) out.describe_struct(NOTHING, "", []);
    this.nothing = true;
    out.begin(NOTHING);
    out.end();
    return out.out;
  }
  result(call: Call, leased: Leased): ByteWriter {
    const out = new GobWriter();
    this.head(out, call, "");
    if (!this.results) describe_result(out);
    this.results = true;
    write_result(out, leased);
    return out.out;
  }
}

/** types/100.Result of the CNI library, and what it is made of. */
function describe_result(out: GobWriter): void {
  out.describe_struct(RESULT, "Result", [
    new GobField("CNIVersion", GOB_STRING),
    new GobField("IPs", IPS),
    new GobField("Routes", ROUTES),
    new GobField("DNS", DNS),
  ]);
  out.describe_list(IPS, "[]*types100.IPConfig", IP_CONFIG);
  out.describe_struct(IP_CONFIG, "IPConfig", [
    new GobField("Address", IP_NET),
    new GobField("Gateway", GOB_BYTES),
  ]);
  out.describe_struct(IP_NET, "IPNet", [
    new GobField("IP", GOB_BYTES),
    new GobField("Mask", GOB_BYTES),
  ]);
  out.describe_list(ROUTES, "[]*types.Route", ROUTE);
  out.describe_struct(ROUTE, "Route", [
    new GobField("Dst", IP_NET),
    new GobField("GW", GOB_BYTES),
    new GobField("Priority", GOB_INT),
    new GobField("Scope", GOB_INT),
  ]);
  out.describe_struct(DNS, "DNS", [
    new GobField("Nameservers", TEXTS),
    new GobField("Domain", GOB_STRING),
    new GobField("Search", TEXTS),
  ]);
  out.describe_list(TEXTS, "[]string", GOB_STRING);
}

function write_result(out: GobWriter, leased: Leased): void {
  out.begin(RESULT);
  out.list_at(1, leased.ips.length);
  for (let i = 0; i < leased.ips.length; i++) {
    out.open();
    write_net(out, 0, leased.ips[i].address);
    const gateway = leased.ips[i].gateway;
    if (gateway) out.bytes_at(1, ip_bytes(gateway));
    out.close();
  }
  if (leased.routes.length > 0) {
    out.list_at(2, leased.routes.length);
    for (let i = 0; i < leased.routes.length; i++) write_route(out, leased.routes[i]);
  }
  out.enter(3);
  out.texts_at(0, leased.nameservers);
  out.text_at(1, leased.domain);
  out.texts_at(2, leased.search);
  out.close();
  out.end();
}

function write_route(out: GobWriter, route: LeasedRoute): void {
  out.open();
  write_net(out, 0, route.dst);
  const gw = route.gw;
  if (gw) out.bytes_at(1, ip_bytes(gw));
  out.int_at(2, route.priority);
  out.int_at(3, route.scope);
  out.close();
}

function write_net(out: GobWriter, index: i32, net: Cidr): void {
  out.enter(index);
  out.bytes_at(0, ip_bytes(net.ip));
  out.bytes_at(1, mask_bytes(net));
  out.close();
}

/** An address as net.IP has it: in four bytes, or in sixteen. */
function ip_bytes(ip: Ip): ByteWriter {
  const out = new ByteWriter(16);
  for (let shift: u64 = 64; ip.v6 && shift > 0; ) {
    shift -= 8;
    out.byte(<i32>((ip.high >> shift) & 255));
  }
  for (let shift: u64 = ip.v6 ? 64 : 32; shift > 0; ) {
    shift -= 8;
    out.byte(<i32>((ip.low >> shift) & 255));
  }
  return out;
}

/** The mask of a prefix as net.IPMask has it. */
function mask_bytes(net: Cidr): ByteWriter {
  const out = new ByteWriter(16);
  for (let left = net.bits, at = 0; at < net.ip.width; at += 8, left -= 8) {
    out.byte(left >= 8 ? 255 : left <= 0 ? 0 : (0xff00 >> left) & 255);
  }
  return out;
}

/** What a daemon answered: `leased`, or an error; neither after a release. */
export class Said {
  leased: Leased | null = null;
  /** What the daemon says is wrong. */
  error: string = "";
  /** Why the answer cannot be read; "" when it can. */
  problem: string = "";
}

/** Reads all that came on a connection after one call. */
export function rpc_answer(ptr: usize, len: i32): Said {
  const said = new Said();
  const line = first_line(ptr, len);
  if (!line.includes(" 200 ")) {
    said.problem = line.length > 0 ? `it says "${line}"` : "it says nothing";
    return said;
  }
  const from = behind_head(ptr, len);
  const gobs = new GobReader();
  gobs.feed(ptr + from, len - from);
  const head = gobs.next();
  const body = head ? gobs.next() : null;
  if (head) said.error = head.text_at("Error");
  if (said.error.length > 0) return said;
  if (!head || !body) {
    said.problem = gobs.problem.length > 0 ? gobs.problem : "its answer ends too early";
    return said;
  }
  said.leased = leased_of(body);
  return said;
}

/** The first line of what came, up to 200 bytes of printable ASCII. */
function first_line(ptr: usize, len: i32): string {
  const line = new ByteWriter();
  for (let i = 0; i < min(len, 200); i++) {
    const byte = <i32>load<u8>(ptr + i);
    if (byte < 32 || byte > 126) break;
    line.byte(byte);
  }
  return line.toString();
}

/** Where a head of HTTP ends: behind its first empty line; 0 while that is not there. */
export function behind_head(ptr: usize, len: i32): i32 {
  for (let i = 1; i < len; i++) {
    if (load<u8>(ptr + i) != 10) continue;
    const before = <i32>load<u8>(ptr + i - 1);
    if (before == 10 || (before == 13 && i > 1 && load<u8>(ptr + i - 2) == 10)) return i + 1;
  }
  return 0;
}

/** An address of 4 bytes, or IPv4 in 16 as Go has it; null for any other. */
function ip_of(value: Gob | null): Ip | null {
  const bytes = value ? value.bytes : null;
  if (!bytes || (bytes.len != 4 && bytes.len != 16)) return null;
  const at = bytes.ptr + bytes.len - 4;
  if (bytes.len == 16 && (load<u64>(bytes.ptr) != 0 || load<u16>(bytes.ptr + 10) != 0xffff)) {
    return new Ip(true, bswap(load<u64>(bytes.ptr)), bswap(load<u64>(bytes.ptr + 8)));
  }
  return new Ip(false, 0, <u64>bswap(load<u32>(at)));
}

function net_of(value: Gob | null): Cidr | null {
  const ip = value ? ip_of(value.at("IP")) : null;
  const mask = value ? value.at("Mask") : null;
  const bytes = mask ? mask.bytes : null;
  if (!ip || !bytes || (bytes.len != 4 && bytes.len != 16)) return null;
  let bits = 0;
  for (let i = 0; i < bytes.len; i++) bits += popcnt(<i32>load<u8>(bytes.ptr + i));
  if (bytes.len == 16 && !ip.v6) bits -= 96;
  return bits < 0 || bits > ip.width ? null : new Cidr(ip, bits);
}

function leased_of(body: Gob): Leased | null {
  const ips = body.at("IPs");
  if (!ips || ips.items.length == 0) return null;
  const leased = new Leased();
  for (let i = 0; i < ips.items.length; i++) {
    const address = net_of(ips.items[i].at("Address"));
    if (!address) return null;
    const ip = new LeasedIp(address);
    ip.gateway = ip_of(ips.items[i].at("Gateway"));
    leased.ips.push(ip);
  }
  const routes = body.at("Routes");
  for (let i = 0; routes !== null && i < routes.items.length; i++) {
    const from = routes.items[i];
    const dst = net_of(from.at("Dst"));
    if (!dst) continue;
    const route = new LeasedRoute(dst, ip_of(from.at("GW")));
    route.priority = from.int_at("Priority");
    route.scope = <i32>from.int_at("Scope");
    leased.routes.push(route);
  }
  const dns = body.at("DNS");
  if (dns) {
    leased.nameservers = texts_of(dns.at("Nameservers"));
    leased.domain = dns.text_at("Domain");
    leased.search = texts_of(dns.at("Search"));
  }
  return leased;
}

function texts_of(list: Gob | null): string[] {
  const texts = new Array<string>();
  for (let i = 0; list !== null && i < list.items.length; i++) texts.push(list.items[i].text);
  return texts;
}

/** The bytes of a text. */
export function text_bytes(text: string): ByteWriter {
  const bytes = new Utf8(text);
  const out = new ByteWriter();
  out.bytes(bytes.ptr, bytes.len);
  return out;
}
