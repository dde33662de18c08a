// SPDX-License-Identifier: Apache-2.0
// The tunnel devices of this node: what they ought to be, and the changes that make them so. A
// device of somebody else is left alone. It refuses to know entries.
import { JsonValue, Kind } from "../lib/json";
import { device_mtu_bytes } from "./desire";
import { Problem } from "./judge";
import { device_mac, Network } from "./network";
import { Node, number, truth } from "./node";
import { Paths, Underlay } from "./path";

/** A link as a host saw it. */
class Seen {
  name: string;
  kind: string;
  address: string;
  alias: string;
  local: string;
  parent: string;
  mtu_bytes: i32;
  vni: i32;
  port: i32;
  up: bool;
  learning: bool;
  /** Whether routes say where its packets go, and not the device. */
  external: bool;
  /** Of a WireGuard device; "" while it has none. */
  public_key: string;
  constructor(from: JsonValue) {
    this.name = from.text_at("name");
    this.kind = from.text_at("kind");
    this.address = from.text_at("address");
    this.alias = from.text_at("alias");
    this.local = from.text_at("local");
    this.parent = from.text_at("parent");
    this.mtu_bytes = number(from, "mtu_bytes");
    this.vni = number(from, "vni");
    this.port = number(from, "port");
    this.up = truth(from, "up");
    this.learning = truth(from, "learning");
    this.external = truth(from, "external");
    this.public_key = from.text_at("public_key");
  }
}

export class Devices {
  /** Names of those that are as they should be, as far as entries depend on it. */
  there: string[] = [];
  private links: Seen[] = [];
  /** Whether flanneld runs on this node: its devices are its own then. */
  private flanneld: bool = false;

  constructor(
    private network: Network,
    private self: Node,
    private paths: Paths,
  ) {}

  read(from: JsonValue): void {
    this.flanneld = truth(from, "flanneld");
    const list = from.get("links");
    if (!list || list.kind != Kind.Array) return;
    for (let i = 0; i < list.items.length; i++) this.links.push(new Seen(list.items[i]));
  }

  /** Whether a link of that name bears this network's alias. */
  bears_alias(name: string): bool {
    const link = this.named(name);
    return link !== null && link.alias == this.network.alias;
  }

  private named(name: string): Seen | null {
    for (let i = 0; i < this.links.length; i++) {
      if (this.links[i].name == name) return this.links[i];
    }
    return null;
  }

  /** The changes for a device over a family, and for those that no family needs any more. */
  changes(families: bool[], changes: string[], problems: Problem[]): void {
    const wanted = new Array<string>();
    for (let family = 0; family < 2; family++) {
      if (!families[family] || wanted.includes(this.network.device(family == 1))) continue;
      // Pods go by the first; by the second some nodes are reached.
      const fatal = wanted.length == 0;
      wanted.push(this.network.device(family == 1));
      const problem = this.change(family == 1, changes);
      if (problem.length > 0) problems.push(new Problem("", problem, fatal));
    }
    for (let i = 0; i < this.links.length; i++) {
      const link = this.links[i];
      if (link.alias == this.network.alias && !wanted.includes(link.name)) {
        changes.unshift(`link del ${link.name}`);
      }
    }
  }

  /** Why a device cannot be made right, "" when it can. */
  private change(v6: bool, changes: string[]): string {
    const network = this.network;
    const underlay = this.paths.underlay(v6);
    if (!underlay) return "";
    const name = network.device(v6);
    const mtu_bytes = device_mtu_bytes(network, this.paths, v6);
    const least_bytes = network.has(true) ? 1280 : 68;
    const mac = device_mac(network, this.self, v6);
    const link = this.named(name);
    const ours = link !== null && this.is_ours(link, mac);
    if (mtu_bytes < least_bytes) {
      // A device below it would lose its IPv6 addresses and routes at once.
      if (ours) this.there.push(name);
      const said = `${underlay.dev} takes ${underlay.mtu_bytes} bytes`;
      return `${said}, which leaves ${mtu_bytes} to pods: they need ${least_bytes}`;
    }
    const words = this.words(underlay, mac);
    if (link && !ours) return `"${name}" is somebody else's: remove it, or use another VNI`;
    const right = link !== null && this.fits(link, underlay);
    const held = right ? "" : this.held(v6);
    if (held.length > 0) return held;
    // Only where ours comes in its place, or is there.
    const left = this.left_behind(v6);
    if (left.length > 0) changes.push(`link del ${left}`);
    if (!link || !right) {
      if (link) changes.push(`link del ${name}`);
      const adding = `link add ${name} type ${network.type}${words} mtu ${mtu_bytes}`;
      this.add(adding, name, changes);
      return "";
    }
    const before = left.length > 0 ? -1 : changes.length;
    const keyed = network.type == "wireguard";
    if (keyed && (link.public_key != network.public_key || link.port != network.port)) {
      changes.push(this.keying);
    }
    if (!keyed && link.address != mac) changes.push(`link set ${name} address ${mac}`);
    if (link.mtu_bytes != mtu_bytes) changes.push(`link set ${name} mtu ${mtu_bytes}`);
    if (link.alias != network.alias) changes.push(`link set ${name} alias ${network.alias}`);
    if (!link.up) changes.push(`link set ${name} up`);
    if (changes.length == before) this.there.push(name);
    return "";
  }

  /** A device that has no alias yet is known by its key, or by its hardware address. */
  private is_ours(link: Seen, mac: string): bool {
    const network = this.network;
    if (link.alias == network.alias) return true;
    if (link.kind != network.type) return false;
    return network.type == "wireguard"
      ? link.public_key == network.public_key
      : link.address == mac;
  }

  /** The kernel takes key and alias of a link that is there only: the key first, to know it by. */
  private add(adding: string, name: string, changes: string[]): void {
    changes.push(adding);
    if (this.network.type == "wireguard") changes.push(this.keying);
    changes.push(`link set ${name} alias ${this.network.alias}`);
    // Nobody on a tunnel is a router, and none of its addresses is made up. What comes by it may
    // leave by another way, as other nodes choose for themselves.
    changes.push(`sysctl net/ipv6/conf/${name}/accept_ra 0`);
    changes.push(`sysctl net/ipv6/conf/${name}/addr_gen_mode 1`);
    changes.push(`sysctl net/ipv4/conf/${name}/rp_filter 2`);
    changes.push(`link set ${name} up`);
  }

  /** Gives the device this node's key, which only the host has, and its port. */
  private get keying(): string {
    return `wg set ${this.network.device(false)} listen-port ${this.network.port} private-key own`;
  }

  /** What of a device is said when it is made, and never changes. */
  private words(underlay: Underlay, mac: string): string {
    const network = this.network;
    if (network.type == "wireguard") return "";
    const port = `dstport ${network.port}`;
    if (network.type == "geneve") return ` external ${port} address ${mac}`;
    const ends = `local ${underlay.address} dev ${underlay.dev}`;
    return ` id ${network.vni} ${ends} ${port} nolearning address ${mac}`;
  }

  /** Whether a device is as it was made. */
  private fits(link: Seen, underlay: Underlay): bool {
    const network = this.network;
    if (link.kind != network.type) return false;
    if (network.type == "wireguard") return true;
    if (link.port != network.port) return false;
    if (network.type == "geneve") return link.external;
    const ends = link.local == underlay.address && link.parent == underlay.dev;
    return ends && link.vni == network.vni && !link.learning;
  }

  /**
   * Flannel's own device over the family, once flanneld is gone: ours takes its place with the
   * hardware address that others know, and two cannot have one VNI and port. "" for none.
   */
  private left_behind(v6: bool): string {
    if (!this.network.flannel || this.flanneld) return "";
    const link = this.named(`${v6 ? "flannel-v6" : "flannel"}.${this.network.vni}`);
    const is = link !== null && link.kind == "vxlan" && link.vni == this.network.vni;
    return is ? link!.name : "";
  }

  /**
   * Which other device keeps ours from being made, "" for none: one with our VNI and port over the
   * family; of Geneve and WireGuard any on our port, which the device has to itself.
   */
  private held(v6: bool): string {
    const network = this.network;
    for (let i = 0; i < this.links.length; i++) {
      const link = this.links[i];
      if (link.kind != network.type || link.port != network.port) continue;
      // One of ours under a former name goes first.
      if (link.name == network.device(v6) || link.alias == network.alias) continue;
      if (link.name == this.left_behind(v6)) continue;
      if (!network.apart) {
        return `port ${network.port} is that of "${link.name}": remove it, or use another port`;
      }
      if (link.vni != network.vni || link.local.includes(":") != v6) continue;
      const said = `VNI ${network.vni} on port ${network.port} is that of "${link.name}"`;
      return `${said}: remove it, or use another VNI`;
    }
    return "";
  }
}
