// Ports of the host that lead to a container: a mapping as runtimes send it, what it is in sets of
// nftables, which mappings clash, and forgetting the flows that conntrack took elsewhere.
// It refuses to know attachments.
import { failure_errno } from "../host/failure";
import { conntrack_del, HOST } from "../host/kernel";
import { EINVAL } from "../lib/errno";
import { Cidr, Ip, ip_parse } from "../lib/ip";
import { JsonValue } from "../lib/json";
import { Element, Owned } from "../nft/element";
import { PORTMAP, snat_chain_name } from "../nft/parts";
import { element_at, elements_in } from "../nft/tables";
import { protocol_number } from "../nft/value";
import { CniError, os_error } from "../spec/error";
import { Reader } from "../spec/reader";

const PORT_MAX = 65535;
const LOOPBACK4 = 127;

/** An entry of runtimeConfig.portMappings (CNI conventions). */
export class Mapping {
  protocol: string = "";
  hostPort: i32 = 0;
  containerPort: i32 = 0;
  /** The host's address that it is for; null for any. */
  address: Ip | null = null;
  /** Families that it is not for: an unspecified address is any of its own family. */
  not4: bool = false;
  not6: bool = false;

  suits(ip: Ip): bool {
    return ip.v6 ? !this.not6 : !this.not4;
  }
  /** Whether a packet to 127.0.0.0/8 is to come through. */
  get loopback(): bool {
    const ip = this.address;
    return !this.not4 && (!ip || is_loopback4(ip));
  }
}

function is_loopback4(ip: Ip): bool {
  return !ip.v6 && ip.low >> 24 == LOOPBACK4;
}

/** Reads one entry; what is wrong lands in the reader. */
export function mapping_read(reader: Reader, item: JsonValue): Mapping {
  const mapping = new Mapping();
  mapping.hostPort = port_read(reader, item, "hostPort", "host");
  mapping.containerPort = port_read(reader, item, "containerPort", "container");
  const given = reader.string(item, "protocol");
  const protocol = given.length > 0 ? given.toLowerCase() : "tcp";
  if (protocol_number(protocol) > 0) mapping.protocol = protocol;
  else {
    reader.invalid(`unknown protocol "${given}": use tcp, udp or sctp`, item.get("protocol"));
  }
  const hostIP = reader.string(item, "hostIP");
  if (hostIP.length == 0) return mapping;
  let ip = ip_parse(hostIP);
  if (!ip) {
    reader.invalid(`"${hostIP}" is no address for "hostIP"`, item.get("hostIP"));
    return mapping;
  }
  // ::ffff:192.0.2.1 is an IPv4 address.
  if (ip.v6 && ip.high == 0 && ip.low >> 32 == 0xffff) ip = new Ip(false, 0, ip.low & 0xffffffff);
  mapping.not4 = ip.v6;
  mapping.not6 = !ip.v6;
  if (ip.high != 0 || ip.low != 0) mapping.address = ip;
  return mapping;
}

function port_read(reader: Reader, item: JsonValue, key: string, whose: string): i32 {
  const value = item.get(key);
  const number = reader.integer(item, key, i64.MIN_VALUE, i64.MAX_VALUE);
  if (number > 0 && number <= PORT_MAX) return <i32>number;
  reader.invalid(
    `Invalid ${whose} port number: ${value ? value.text : "0"}: it must lie in 1..${PORT_MAX}`,
    value,
  );
  return 0;
}

/** What brings packets to a port of the host to a container's address. */
export function dnat_element(mapping: Mapping, ip: Ip): Element {
  const at = mapping.address;
  const set = `hostports${at ? "_ip" : ""}${ip.v6 ? 6 : 4}`;
  const key = `${mapping.protocol} . ${mapping.hostPort}`;
  const data = `${ip.toString()} . ${mapping.containerPort}`;
  return new Element(set, at ? `${at.toString()} . ${key}` : key, data);
}

/** What gives them the host's address as source where the answer would miss the host otherwise. */
export function snat_elements(mapping: Mapping, address: Cidr, all: bool): Element[] {
  const ip = address.ip.toString();
  const family = address.ip.v6 ? 6 : 4;
  const chain = all ? "hostports_all" : snat_chain_name(address);
  const key = `${ip} . ${mapping.protocol} . ${mapping.hostPort}`;
  const made = [new Element(`hostports_snat${family}`, key, `goto ${chain}`)];
  const self = `hostports_self${family}`;
  if (chain == self) made.push(new Element(self, `${ip} . ${ip}`));
  return made;
}

/** An element of dnat_element taken apart. */
export class HostPort {
  v6: bool = false;
  /** "" for any. */
  address: string = "";
  protocol: string = "";
  port: i32 = 0;
  container: string = "";

  get text(): string {
    const whose = this.address.length > 0 ? ` of ${this.address}` : "";
    return `host port ${this.port}/${this.protocol}${whose}`;
  }
}

/** The port of the host that an element is of; null when it is another's. */
export function host_port_of(element: Element): HostPort | null {
  if (element.part != PORTMAP || !element.place.claimed) return null;
  const parts = element.key.split(" . ");
  const made = new HostPort();
  made.v6 = element.set.endsWith("6");
  if (parts.length == 3) made.address = parts[0];
  made.protocol = parts[parts.length - 2];
  made.port = I32.parseInt(parts[parts.length - 1]);
  made.container = element.data.split(" . ")[0];
  return made;
}

/** The set where ports for any address, or for certain ones, would stand in an element's way. */
function rival_set(port: HostPort): string {
  return `hostports${port.address.length > 0 ? "" : "_ip"}${port.v6 ? 6 : 4}`;
}

/** Whether two ports of one family would both be meant by some packet. */
function clash(a: HostPort, b: HostPort): bool {
  if (a.v6 != b.v6 || a.port != b.port || a.protocol != b.protocol) return false;
  return a.address == b.address || a.address.length == 0 || b.address.length == 0;
}

/**
 * Adds elements that would mean packets that some of `wanted` mean, by another key: for any address
 * or for some. Who has the very key the kernel tells. `lost`: among these, whatever their keys.
 */
export function rivals_of(wanted: Owned[], lost: Owned[] | null, into: Owned[]): CniError | null {
  const listed = new Map<string, Owned[]>();
  for (let i = 0; i < wanted.length; i++) {
    const port = host_port_of(wanted[i].element);
    if (!port) continue;
    const set = rival_set(port);
    if (!lost && port.address.length > 0) {
      const there = element_at(new Element(set, `${port.protocol} . ${port.port}`));
      if (there.error) return there.error;
      if (there.owned) into.push(<Owned>there.owned);
      continue;
    }
    if (!lost && !listed.has(set)) {
      const errors = new Array<CniError>();
      listed.set(set, elements_in(set, errors));
      if (errors.length > 0) return errors[0];
    }
    const elements = lost ? lost : listed.get(set);
    for (let k = 0; k < elements.length; k++) {
      const other = host_port_of(elements[k].element);
      if (other && clash(port, other)) into.push(elements[k]);
    }
  }
  return null;
}

/** linux/netfilter.h NFPROTO_* */
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;

/**
 * Makes conntrack forget UDP flows through ports of the host: it would send what belongs to them
 * where it went before. `fresh`: the ports lead to a container from now on, and all flows to them
 * go; else just those to the container.
 */
export function flows_forget(elements: Element[], fresh: bool): CniError | null {
  let error: CniError | null = null;
  let first: HostPort | null = null;
  let end = 0;
  for (let i = 0; i <= elements.length; i++) {
    const port = i < elements.length ? host_port_of(elements[i]) : null;
    if (i < elements.length && (!port || port.protocol != "udp")) continue;
    if (port && first && port.port == end + 1 && same_place(port, first)) {
      end++;
      continue;
    }
    if (first && !error) error = forget(first, end, fresh);
    first = port;
    end = port ? port.port : 0;
  }
  return error;
}

function same_place(a: HostPort, b: HostPort): bool {
  return a.v6 == b.v6 && a.address == b.address && a.container == b.container;
}

function forget(port: HostPort, end: i32, fresh: bool): CniError | null {
  const family = port.v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
  const protocol = protocol_number(port.protocol);
  const from = fresh ? "" : port.container;
  const gone = conntrack_del(HOST, family, protocol, port.address, port.port, end, from);
  // Without ctnetlink nobody remembers a flow that could be told of.
  if (gone >= 0 || failure_errno == EINVAL) return null;
  return os_error(`make conntrack forget ${port.text}`);
}
