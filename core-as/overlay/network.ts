// SPDX-License-Identifier: Apache-2.0
// The network that the agent keeps, as its configuration says: whose addresses are pods', and how
// they travel. It refuses to know nodes.
import { Cidr, cidr_parse, Ip } from "../lib/ip";
import { JsonValue } from "../lib/json";
import { Layer, layer_parse } from "../lib/mtu";
import { mac_from } from "../lib/name";
import { Node, number, texts, truth } from "./node";

const TYPES: string[] = ["vxlan", "geneve", "wireguard", "host-gw"];

export class Network {
  name: string = "";
  cidrs: Cidr[] = [];
  /** "vxlan", "geneve", "wireguard", or "host-gw" for plain routes. */
  type: string = "vxlan";
  vni: i32 = 1;
  port: i32 = 0;
  /** What outer packets may have, 0 for what the link that they leave by has. */
  mtu_bytes: i32 = 0;
  /** Whether nodes on one link reach each other's pods without a tunnel. */
  direct: bool = false;
  /** Of this node's WireGuard device, in base64. */
  public_key: string = "";
  /** After so many seconds of silence WireGuard says something; 0 for never. */
  keepalive_s: i32 = 0;
  /** Whether nodes of Flannel's are among the others: it sends each family over its own. */
  flannel: bool = false;
  /** What is wrong with it, "" for nothing. */
  problem: string = "";

  static read(from: JsonValue): Network {
    const network = new Network();
    network.name = from.text_at("name");
    const cidrs = texts(from, "cidrs");
    for (let i = 0; i < cidrs.length; i++) {
      const cidr = cidr_parse(cidrs[i]);
      if (cidr && cidr.bits > 0) network.cidrs.push(cidr.subnet());
      else network.problem = `"${cidrs[i]}" is no network: write one as "10.244.0.0/16"`;
    }
    if (from.get("type")) network.type = from.text_at("type");
    if (from.get("vni")) network.vni = number(from, "vni");
    network.port = from.get("port") ? number(from, "port") : usual_port(network.type);
    network.mtu_bytes = number(from, "mtu_bytes");
    network.direct = truth(from, "direct");
    network.public_key = from.text_at("public_key");
    network.keepalive_s = number(from, "keepalive_s");
    network.flannel = truth(from, "flannel");
    if (network.cidrs.length == 0 && network.problem.length == 0) {
      network.problem = "the network has no subnets: give it Network or IPv6Network";
    } else if (!TYPES.includes(network.type)) {
      network.problem = `there is no backend "${network.type}": use ${TYPES.join(", ")}`;
    } else if (network.vni < 1 || network.vni > 0xffffff) {
      network.problem = `a VNI is from 1 to 16777215, not ${network.vni}`;
    } else if (network.port < 1 || network.port > 65535) {
      network.problem = `a port is from 1 to 65535, not ${network.port}`;
    } else if (network.keepalive_s < 0 || network.keepalive_s > 65535) {
      network.problem = `a keepalive is from 0 to 65535 seconds, not ${network.keepalive_s}`;
    } else if (network.type == "wireguard" && !is_key(network.public_key)) {
      network.problem = "this node has no key of WireGuard";
    } else if (network.type == "wireguard" && network.direct) {
      const said = "DirectRouting sends packets as they are, and wireguard is to encrypt them";
      network.problem = `${said}: leave one of both out`;
    }
    return network;
  }

  get tunnels(): bool {
    return this.type != "host-gw";
  }
  /** Whether each family that tunnels run over has a device of its own. */
  get apart(): bool {
    return this.type == "vxlan";
  }
  /** Whether pods have addresses of the family. */
  has(v6: bool): bool {
    for (let i = 0; i < this.cidrs.length; i++) if (this.cidrs[i].ip.v6 == v6) return true;
    return false;
  }
  /** Whether packets over a family may be pods': Flannel's each travel by their own. */
  takes(v6: bool): bool {
    return !this.flannel || this.has(v6);
  }
  contains(ip: Ip): bool {
    for (let i = 0; i < this.cidrs.length; i++) if (this.cidrs[i].contains(ip)) return true;
    return false;
  }
  /** Whether all of a subnet is the network's. */
  holds(subnet: Cidr): bool {
    for (let i = 0; i < this.cidrs.length; i++) {
      const cidr = this.cidrs[i];
      if (cidr.bits <= subnet.bits && cidr.contains(subnet.ip)) return true;
    }
    return false;
  }
  /** The tunnel device over a family: 15 bytes hold the largest VNI (IFNAMSIZ). */
  device(v6: bool): string {
    return `${v6 && this.apart ? "fl6" : "fl"}.${this.vni}`;
  }
  /** The alias (IFLA_IFALIAS) by which a device is this network's. */
  get alias(): string {
    return `fairlead overlay ${this.name}`;
  }
  /** The largest packet that a tunnel over a family carries in so many bytes. */
  inner_bytes(outer_bytes: i32, v6: bool): i32 {
    const layer: Layer = layer_parse(this.type, v6);
    const inner_bytes = layer.inner_bytes(outer_bytes);
    // Padded to a multiple of 16 (the WireGuard paper, section 5.4.6): beyond one it grows by 16.
    return this.type == "wireguard" ? inner_bytes & ~15 : inner_bytes;
  }
  /** What outer packets need for so many bytes inside, a multiple of 16. */
  outer_bytes(inner_bytes: i32, v6: bool): i32 {
    const layer: Layer = layer_parse(this.type, v6);
    // An arbitrary size: every header has a fixed length, as Geneve has no options here.
    return inner_bytes + 1500 - layer.inner_bytes(1500);
  }
}

/**
 * Linux's own default of VXLAN (drivers/net/vxlan.c), which Flannel and Cilium use while IANA's is
 * 4789; that of RFC 8926; and WireGuard's usual one.
 */
function usual_port(type: string): i32 {
  if (type == "wireguard") return 51820;
  return type == "geneve" ? 6081 : 8472;
}

/** What the last four bits of 32 bytes may be in base64: the letter's other two are zero. */
const LAST: string = "AEIMQUYcgkosw048";

/** Whether a text is 32 bytes in base64, as they are written: the kernel tells a key so. */
export function is_key(text: string): bool {
  if (text.length != 44 || text.charAt(43) != "=") return false;
  for (let i = 0; i < 43; i++) {
    const code = text.charCodeAt(i);
    const letter = (code | 32) >= 97 && (code | 32) <= 122;
    if (!letter && !(code >= 47 && code <= 57) && code != 43) return false;
  }
  return LAST.includes(text.charAt(42));
}

/** The hardware address of a node's tunnel device over a family. */
export function device_mac(network: Network, node: Node, v6: bool): string {
  const second = v6 && network.apart;
  const said = second ? node.mac6 : node.mac4;
  if (said.length > 0) return said;
  return mac_from(`overlay ${network.name} ${node.name} ${second ? "6" : "4"}`);
}

/** The link-local address made of a hardware address (RFC 4291 appendix A). */
export function link_local(mac: string): Ip {
  let id: u64 = 0;
  for (let i = 0; i < 6; i++) {
    let octet = <u64>I32.parseInt(mac.substring(3 * i, 3 * i + 2), 16);
    if (i == 0) octet ^= 2;
    id = (id << 8) | octet;
    if (i == 2) id = (id << 16) | 0xfffe;
  }
  return new Ip(true, 0xfe80000000000000, id);
}
