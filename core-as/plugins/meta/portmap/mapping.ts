// SPDX-License-Identifier: Apache-2.0
// What one entry of runtimeConfig.portMappings asks for (CNI conventions), and what it is in sets
// of nftables. Which ports clash, and the flows through them, are nft/hostport.ts.
import { log } from "../../../host/store";
import { lower } from "../../../lib/ascii";
import { Cidr, Ip, ip_parse } from "../../../lib/ip";
import { JsonValue } from "../../../lib/json";
import { Element } from "../../../nft/element";
import { snat_chain_name } from "../../../nft/subnets";
import { protocol_number } from "../../../nft/value";
import { Reader } from "../../../spec/reader";
import { Request } from "../../../spec/request";
import { IPConfig, Result } from "../../../spec/types";
import { why } from "../../../spec/why";

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
  const protocol = given.length > 0 ? lower(given) : "tcp";
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
  if (isDefined(FAIRLEAD_TELLS)) {
    const where = at ? `at ${at.toString()}` : "at any address of the node";
    why("port", `${mapping.hostPort}/${mapping.protocol} to ${data}`, `portMappings: ${where}`);
  }
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

/** The first address of a family that is not provably on another interface. */
export function address_of(request: Request, result: Result, v6: bool): IPConfig | null {
  for (let i = 0; i < result.ips.length; i++) {
    const ip = result.ips[i];
    if (ip.address.ip.v6 != v6) continue;
    if (ip.interface < 0 || ip.interface >= result.interfaces.length) return ip;
    const at = result.interfaces[ip.interface];
    if (at.name == request.env.ifname && at.sandbox.length > 0) return ip;
  }
  return null;
}

/** Says that a mapping leads to no address. */
export function unused(mapping: Mapping): void {
  const family = mapping.not4 ? "IPv6 " : mapping.not6 ? "IPv4 " : "";
  log(
    `host port ${mapping.hostPort}/${mapping.protocol} leads nowhere: ` +
      `the container has no ${family}address`,
  );
}
