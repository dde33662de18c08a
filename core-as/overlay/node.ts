// SPDX-License-Identifier: Apache-2.0
// A node of the cluster as a source tells of it. Reading refuses nothing: what is missing or of no
// use is said by judge.ts.
import { Cidr, cidr_parse, Ip, ip_parse } from "../lib/ip";
import { JsonValue, json_text, Kind } from "../lib/json";

export class Node {
  name: string = "";
  /** The pods' subnets of the node. */
  subnets: Cidr[] = [];
  /** By which other nodes reach it. */
  addresses: Ip[] = [];
  /** Of its tunnel devices, by the family that they run over; "" for what is made of its name. */
  mac4: string = "";
  mac6: string = "";
  /** Of its WireGuard device, in base64; "" while nothing says it. */
  public_key: string = "";
  /** Of the link that its outer packets leave by; 0 when it is not known. */
  mtu_bytes: i32 = 0;
  /** When the source first knew of it, a text that sorts by time. */
  created: string = "";
  /** Whether the source holds it for dead: it then yields to another with its address. */
  dead: bool = false;
  /** Why the source holds it for one that cannot be reached, "" for nothing. */
  unfit: string = "";
  /** What the source said, to tell a change. */
  text: string = "";
  /** What no other may have, and how many of them are no subnets; judge.ts fills it. */
  claims: string[] = [];
  claimed: i32 = 0;
  /** Texts that are no subnets or addresses. */
  wrong: string[] = [];

  static read(from: JsonValue): Node {
    const node = new Node();
    node.text = json_text(from);
    node.name = from.text_at("name");
    const subnets = texts(from, "subnets");
    for (let i = 0; i < subnets.length; i++) {
      const cidr = cidr_parse(subnets[i]);
      if (cidr && cidr.bits > 0) node.subnets.push(cidr.subnet());
      else node.wrong.push(subnets[i]);
    }
    const addresses = texts(from, "addresses");
    for (let i = 0; i < addresses.length; i++) {
      const ip = ip_parse(addresses[i]);
      if (ip) node.addresses.push(ip);
      else node.wrong.push(addresses[i]);
    }
    const macs = from.get("macs");
    if (macs && macs.kind == Kind.Object) {
      node.mac4 = macs.text_at("v4").toLowerCase();
      node.mac6 = macs.text_at("v6").toLowerCase();
    }
    node.public_key = from.text_at("public_key");
    node.mtu_bytes = number(from, "mtu_bytes");
    node.created = from.text_at("created");
    node.unfit = from.text_at("unfit");
    const dead = from.get("dead");
    node.dead = dead !== null && dead.kind == Kind.Bool && dead.bool;
    return node;
  }

  /** The first address of a family; null for none. */
  address(v6: bool): Ip | null {
    for (let i = 0; i < this.addresses.length; i++) {
      if (this.addresses[i].v6 == v6) return this.addresses[i];
    }
    return null;
  }

  /** The first subnet of a family; null for none. */
  subnet(v6: bool): Cidr | null {
    for (let i = 0; i < this.subnets.length; i++) {
      if (this.subnets[i].ip.v6 == v6) return this.subnets[i];
    }
    return null;
  }
}

/** The strings of a list; what is none is left out. */
export function texts(from: JsonValue, key: string): string[] {
  const list = new Array<string>();
  const value = from.get(key);
  if (!value || value.kind != Kind.Array) return list;
  for (let i = 0; i < value.items.length; i++) {
    if (value.items[i].kind == Kind.String) list.push(value.items[i].text);
  }
  return list;
}

/** A number; 0 when there is none. */
export function number(from: JsonValue, key: string): i32 {
  const value = from.get(key);
  return value && value.isInteger() ? <i32>I64.parseInt(value.text) : 0;
}

/** Whether a member is true. */
export function truth(from: JsonValue, key: string): bool {
  const value = from.get(key);
  return value !== null && value.kind == Kind.Bool && value.bool;
}
