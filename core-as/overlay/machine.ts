// SPDX-License-Identifier: Apache-2.0
// The overlay of a node: told of its network, the cluster's nodes and what the kernel holds, it
// says what is to change, in the words of iproute2. It has no clock and touches nothing: a host
// applies the changes, and tells it what it sees then.
//
// Events: network (what it keeps), nodes (of a source: all, or those that changed), seen (all that
// the kernel holds of it), paths (what is each way made of?), leave. While devices change, nothing
// else does: `again` asks to look once more.
import { Cidr, cidr_parse } from "../lib/ip";
import { JsonValue, json_parse, json_text, Kind } from "../lib/json";
import {
  desire_peer,
  desire_self,
  gateway_of,
  own_families,
  tunnel_mtu_bytes,
  way_to,
} from "./desire";
import { Devices } from "./device";
import { change, entry_order, entry_value } from "./entry";
import { Holding } from "./holding";
import { judge, Problem, Taken, usable } from "./judge";
import { Network } from "./network";
import { Node, texts, truth } from "./node";
import { Paths } from "./path";
import { survey } from "./survey";

/** The name under which entries of this node itself are kept. */
const SELF = "";

class Overlay {
  private network: Network = new Network();
  private name: string = "";
  private nodes: Map<string, Node> = new Map<string, Node>();
  private paths: Paths = new Paths();
  /** Whether a source has said all that it knows: before that, nothing is taken away. */
  private synced: bool = false;
  /** Whether the list of a source was empty the last time, after it was not. */
  private emptied: bool = false;
  /** Whether the last event was acted on: a host then goes by it, too. */
  private taken_up: bool = true;
  /** Devices that are as they should be. */
  private devices: string[] = [];
  /** Entries of each node that is served, and the node's text that they are made of. */
  private desired: Map<string, string[]> = new Map<string, string[]>();
  private made_of: Map<string, string> = new Map<string, string>();
  /** What the nodes that are served have. */
  private taken: Taken = new Taken();
  private holding: Holding = new Holding();
  private problems: Problem[] = [];

  tell(event: JsonValue): JsonValue {
    const word = event.text_at("event");
    this.problems = [];
    this.taken_up = true;
    if (word == "network") return this.answer(this.take_network(event), false);
    if (word == "nodes") {
      this.paths.read(event);
      const changed = new Array<string>();
      this.taken_up = this.take_nodes(event, changed);
      if (!this.taken_up) return this.answer([], false);
      if (truth(event, "full") || !this.few(changed)) return this.answer(this.renew(false), false);
      return this.answer(this.renew_few(changed), false);
    }
    if (word == "seen") return this.seen(event);
    if (word == "leave") return this.answer(this.leave(), false);
    if (word == "paths") return this.survey();
    this.problems.push(new Problem("", `there is no event "${word}"`));
    return this.answer([], false);
  }

  private take_network(event: JsonValue): string[] {
    const said = event.get("network");
    this.network = Network.read(said ? said : JsonValue.object());
    this.name = event.text_at("self");
    this.made_of.clear();
    this.unfit();
    return [];
  }

  /** Whether nothing can be done by what the configuration says; every look tells of it. */
  private unfit(): bool {
    if (this.network.problem.length == 0) return false;
    this.problems.push(new Problem("", this.network.problem, true));
    return true;
  }

  /** Whether the list is to be acted on. */
  private take_nodes(event: JsonValue, changed: string[]): bool {
    const list = event.get("nodes");
    const nodes = list && list.kind == Kind.Array ? list.items : new Array<JsonValue>();
    if (truth(event, "full")) {
      const trusted = truth(event, "trusted");
      if (nodes.length == 0 && this.nodes.size > 1 && trusted && !this.emptied) {
        this.emptied = true;
        this.problems.push(new Problem("", "the source knows no node any more: is that so?"));
        return false;
      }
      this.emptied = false;
      this.nodes.clear();
      if (trusted) this.synced = true;
    }
    for (let i = 0; i < nodes.length; i++) {
      if (nodes[i].kind != Kind.Object) continue;
      const node = Node.read(nodes[i]);
      if (node.name.length > 0) this.take_node(node, changed);
      else this.problems.push(new Problem("", "a node of the source has no name"));
    }
    const gone = texts(event, "gone");
    for (let i = 0; i < gone.length; i++) {
      if (!this.nodes.has(gone[i])) continue;
      changed.push(gone[i]);
      this.taken.remove(this.network, this.nodes.get(gone[i]));
      const addresses = this.nodes.get(gone[i]).addresses;
      for (let k = 0; k < addresses.length; k++) this.paths.forget(addresses[k].toString());
      this.nodes.delete(gone[i]);
    }
    return true;
  }

  private take_node(node: Node, changed: string[]): void {
    if (this.nodes.has(node.name)) this.taken.remove(this.network, this.nodes.get(node.name));
    this.nodes.set(node.name, node);
    changed.push(node.name);
  }

  /** Whether what changed is in nobody's way, so that who else is served stays as it is. */
  private few(changed: string[]): bool {
    const self = this.self;
    if (this.taken.contested || !self || !this.synced) return false;
    for (let i = 0; i < changed.length; i++) {
      if (changed[i] == this.name) return false;
      if (!this.nodes.has(changed[i])) continue;
      const node = this.nodes.get(changed[i]);
      if (!this.taken.allows(this.network, node)) return false;
      this.taken.add(this.network, node);
    }
    return this.network.problem.length == 0 && self.subnets.length > 0;
  }

  /** The changes to entries of these nodes alone. */
  private renew_few(changed: string[]): string[] {
    const touched = new Array<string>();
    const self = this.self;
    for (let i = 0; i < changed.length && self; i++) {
      const name = changed[i];
      const node = this.nodes.has(name) ? this.nodes.get(name) : null;
      if (node && usable(this.network, self, node, this.problems)) {
        this.renew_node(self, node, touched);
      } else this.forget(name, touched);
    }
    return this.difference(false, touched);
  }

  private renew_node(self: Node, node: Node, touched: string[]): void {
    this.made_of.set(node.name, this.makings(self, node));
    const entries = desire_peer(this.network, self, node, this.paths, this.problems);
    this.want(node.name, entries, touched);
  }

  private forget(name: string, touched: string[]): void {
    this.want(name, [], touched);
    this.desired.delete(name);
    this.made_of.delete(name);
  }

  /** All that the entries of a node are made of. */
  private makings(self: Node, node: Node): string {
    let ways = "";
    for (let i = 0; i < node.addresses.length; i++) {
      const path = this.paths.to(node.addresses[i].toString());
      if (path) ways += path.text;
    }
    return `${this.paths.generation} ${ways} ${node.text} ${self.text}`;
  }

  private get self(): Node | null {
    return this.nodes.has(this.name) ? this.nodes.get(this.name) : null;
  }

  /** The changes to entries of nodes that are not what they were; `all` looks at every entry. */
  private renew(all: bool): string[] {
    const self = this.self;
    if (this.network.problem.length > 0 || !self) return [];
    if (!this.own_fit(self)) return [];
    this.look_at_key(self);
    const before = this.problems.length;
    const served = judge(this.network, self, this.nodes.values(), this.problems);
    this.taken.contested = this.problems.length > before;
    this.taken.clear();
    this.taken.add(this.network, self);
    const touched = new Array<string>();
    const stay = new Set<string>();
    stay.add(SELF);
    this.want(SELF, desire_self(this.network, self, this.devices), touched);
    for (let i = 0; i < served.length; i++) {
      const node = served[i];
      stay.add(node.name);
      this.taken.add(this.network, node);
      const known = this.made_of.has(node.name) ? this.made_of.get(node.name) : "";
      if (known.length > 0 && known == this.makings(self, node)) continue;
      this.renew_node(self, node, touched);
    }
    const names = this.desired.keys();
    for (let i = 0; i < names.length; i++) {
      // What vanished from a source that has not said all may still be there.
      if (!stay.has(names[i]) && this.synced) this.forget(names[i], touched);
    }
    return this.difference(all, touched);
  }

  /** Others go by what the source says of this node's key. */
  private look_at_key(self: Node): void {
    const own = this.network.public_key;
    if (this.network.type != "wireguard" || self.public_key == own) return;
    const said = self.public_key.length == 0 ? "no" : "another";
    const cure = `until it has ${own}, other nodes take nothing from this one`;
    this.problems.push(new Problem("", `the source has ${said} public key of this node: ${cure}`));
  }

  private own_fit(self: Node): bool {
    if (self.subnets.length == 0) {
      this.problems.push(new Problem("", "this node has no subnet yet", true));
      return false;
    }
    for (let i = 0; i < self.subnets.length; i++) {
      if (this.network.holds(self.subnets[i])) continue;
      const subnet = self.subnets[i].toString();
      this.problems.push(new Problem("", `its subnet ${subnet} is not the network's`, true));
      return false;
    }
    return true;
  }

  /** Sets what is wanted for a node; keys that may differ now are added to `touched`. */
  private want(name: string, entries: string[], touched: string[]): void {
    const before = this.desired.has(name) ? this.desired.get(name) : new Array<string>();
    this.holding.want(before, entries, touched);
    this.desired.set(name, entries);
  }

  /** The changes to what is held under these keys, or to all of it. */
  private difference(all: bool, touched: string[]): string[] {
    return this.holding.difference(all, touched, this.synced, this.absent, this.problems);
  }

  /** Devices of ours that are not as they should be: nothing is put on them. */
  private get absent(): string[] {
    const absent = new Array<string>();
    for (let family = 0; family < 2; family++) {
      const name = this.network.device(family == 1);
      if (!this.devices.includes(name)) absent.push(name);
    }
    return absent;
  }

  private seen(event: JsonValue): JsonValue {
    this.paths.read(event);
    const self = this.self;
    if (this.unfit() || !self) return this.answer([], false);
    const devices = new Devices(this.network, self, this.paths);
    devices.read(event);
    const extra = this.holding.take(ours(texts(event, "entries"), devices));
    this.holding.take_foreign(texts(event, "foreign"));
    // What cannot be made right is left as it is.
    if (!this.own_fit(self)) return this.answer([], false);
    const changes = new Array<string>();
    const before = this.problems.length;
    devices.changes(this.families(self), changes, this.problems);
    this.devices = devices.there;
    for (let i = before; i < this.problems.length; i++) {
      if (this.problems[i].fatal) return this.answer([], false);
    }
    if (changes.length > 0) return this.answer(changes, true);
    const differ = this.renew(this.holding.differs);
    return this.answer(this.synced ? extra.concat(differ) : differ, false);
  }

  /** Over which families tunnels are needed: this node's first, and those that nodes have. */
  private families(self: Node): bool[] {
    const families: bool[] = [false, false];
    if (!this.network.tunnels || self.subnets.length == 0) return families;
    if (this.network.flannel) return own_families(this.network, this.paths);
    if (this.paths.underlay(false)) families[0] = true;
    else if (this.paths.underlay(true)) families[1] = true;
    const nodes = this.nodes.values();
    for (let i = 0; i < nodes.length; i++) {
      if (nodes[i].name == this.name) continue;
      const way = way_to(this.network, this.paths, nodes[i], false);
      if (way.address.length > 0) families[i32(way.v6)] = true;
    }
    return families;
  }

  /** What the way to each node that is served takes; it changes nothing of what is wanted. */
  private survey(): JsonValue {
    const self = this.self;
    let rows = JsonValue.array();
    if (this.network.problem.length == 0 && self && this.own_fit(self)) {
      const served = judge(this.network, self, this.nodes.values(), this.problems);
      rows = survey(this.network, self, served, this.paths);
    } else if (!self) {
      const said = `no node "${this.name}" is known of: is its name right?`;
      this.problems.push(new Problem("", said, true));
    }
    const said = this.answer([], false);
    said.set("paths", rows);
    return said;
  }

  /** Takes everything away: what is left of the node is as before the agent. */
  private leave(): string[] {
    const changes = new Array<string>();
    const held = this.holding.entries;
    held.sort((a, b) => entry_order(b) - entry_order(a));
    for (let i = 0; i < held.length; i++) {
      // What is on a device goes with it.
      const dev = entry_value(held[i], "dev");
      if (!this.devices.includes(dev)) changes.push(change("del", held[i]));
    }
    for (let i = 0; i < this.devices.length; i++) changes.push(`link del ${this.devices[i]}`);
    return changes;
  }

  /** The MTU of pods: what fits the way that most packets go. */
  private get mtu_bytes(): i32 {
    for (let family = 0; family < 2; family++) {
      const underlay = this.paths.underlay(family == 1);
      if (!underlay || !this.network.takes(family == 1)) continue;
      if (this.network.tunnels) return tunnel_mtu_bytes(this.network, this.paths, family == 1);
      const asked_bytes = this.network.mtu_bytes;
      return asked_bytes > 0 ? min(asked_bytes, underlay.mtu_bytes) : underlay.mtu_bytes;
    }
    return 0;
  }

  private answer(changes: string[], again: bool): JsonValue {
    const said = JsonValue.object();
    const list = JsonValue.array();
    for (let i = 0; i < changes.length; i++) list.push(JsonValue.string(changes[i]));
    said.set("changes", list);
    said.set("again", JsonValue.bool(again));
    said.set("taken", JsonValue.bool(this.taken_up));
    let fatal = false;
    const problems = JsonValue.array();
    for (let i = 0; i < this.problems.length; i++) {
      const problem = this.problems[i];
      const one = JsonValue.object();
      one.set("node", JsonValue.string(problem.node));
      one.set("msg", JsonValue.string(problem.msg));
      problems.push(one);
      fatal = fatal || problem.fatal;
    }
    said.set("problems", problems);
    const self = this.self;
    const subnets = self ? self.subnets : new Array<Cidr>();
    const mtu_bytes = this.mtu_bytes;
    const tunnels = !this.network.tunnels || this.devices.length > 0;
    const ready = !fatal && !again && tunnels && subnets.length > 0 && mtu_bytes > 0;
    said.set("ready", JsonValue.bool(ready));
    said.set("mtu_bytes", JsonValue.number(mtu_bytes));
    said.set("subnets", cidrs(subnets));
    said.set("gateways", cidrs(gateways(subnets)));
    said.set("networks", cidrs(this.network.cidrs));
    said.set("served", JsonValue.number(max(this.desired.size - 1, 0)));
    said.set("entries", JsonValue.number(this.holding.size));
    return said;
  }
}

/** Entries without those on devices of somebody else; of routes the host knows whose they are. */
function ours(entries: string[], devices: Devices): string[] {
  const kept = new Array<string>();
  const known = new Map<string, bool>();
  for (let i = 0; i < entries.length; i++) {
    if (!entries[i].startsWith("route ")) {
      const dev = entry_value(entries[i], "dev");
      if (!known.has(dev)) known.set(dev, devices.bears_alias(dev));
      if (!known.get(dev)) continue;
    }
    kept.push(entries[i]);
  }
  return kept;
}

/** The gateways of the pods of subnets, each with the length of its subnet. */
function gateways(subnets: Cidr[]): Cidr[] {
  const made = new Array<Cidr>();
  for (let i = 0; i < subnets.length; i++) {
    made.push(new Cidr(gateway_of(subnets[i]), subnets[i].bits));
  }
  return made;
}

function cidrs(list: Cidr[]): JsonValue {
  const made = JsonValue.array();
  for (let i = 0; i < list.length; i++) made.push(JsonValue.string(list[i].toString()));
  return made;
}

const overlay = new Overlay();

/** Takes an event in JSON; gives the changes, in JSON. */
export function overlay_event(ptr: usize, len: i32): string {
  const event = json_parse(ptr, len);
  if (event.failed) {
    return `{"changes":[],"problems":[{"node":"","msg":"an event that is no JSON"}]}`;
  }
  return json_text(overlay.tell(event.value));
}
