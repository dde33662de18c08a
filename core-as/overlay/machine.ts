// SPDX-License-Identifier: Apache-2.0
// The overlay of a node: told of its network, the cluster's nodes and what the kernel holds, it says
// what is to change, in the words of iproute2. It has no clock and touches nothing: a host applies
// the changes, and tells it what it sees then.
//
// Events: network (what it keeps), nodes (of a source: all, or those that changed), seen (all that
// the kernel holds of it). While devices change, nothing else does: `again` asks to look once more.
import { Cidr, cidr_parse } from "../lib/ip";
import { json_parse, json_text, JsonValue, Kind } from "../lib/json";
import { desire_peer, desire_self, tunnel_mtu_bytes, way_to } from "./desire";
import { Devices } from "./device";
import { entry_key, entry_order, route_dst } from "./entry";
import { judge, Problem } from "./judge";
import { Network } from "./network";
import { Node, texts, truth } from "./node";
import { Paths } from "./path";

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
  /** Devices that are as they should be. */
  private devices: string[] = [];
  /** Entries of each node that is served, and the node's text that they are made of. */
  private desired: Map<string, string[]> = new Map<string, string[]>();
  private made_of: Map<string, string> = new Map<string, string>();
  /** What is wanted and what the kernel has, by key. */
  private wanted: Map<string, string> = new Map<string, string>();
  private held: Map<string, string> = new Map<string, string>();
  /** Routes of others to pods' destinations. */
  private foreign: Map<string, string> = new Map<string, string>();
  private problems: Problem[] = [];

  tell(event: JsonValue): JsonValue {
    const word = event.text_at("event");
    this.problems = [];
    if (word == "network") return this.answer(this.take_network(event), false);
    if (word == "nodes") {
      this.paths.read(event);
      if (!this.take_nodes(event)) return this.answer([], false);
      return this.answer(this.renew(false), false);
    }
    if (word == "seen") return this.seen(event);
    if (word == "leave") return this.answer(this.leave(), false);
    this.problems.push(new Problem("", `there is no event "${word}"`));
    return this.answer([], false);
  }

  private take_network(event: JsonValue): string[] {
    const said = event.get("network");
    this.network = Network.read(said ? said : JsonValue.object());
    this.name = event.text_at("self");
    this.made_of.clear();
    if (this.network.problem.length > 0) {
      this.problems.push(new Problem("", this.network.problem, true));
    }
    return [];
  }

  /** Whether the list is to be acted on. */
  private take_nodes(event: JsonValue): bool {
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
      if (node.name.length > 0) this.nodes.set(node.name, node);
      else this.problems.push(new Problem("", "a node of the source has no name"));
    }
    const gone = texts(event, "gone");
    for (let i = 0; i < gone.length; i++) {
      if (!this.nodes.has(gone[i])) continue;
      const addresses = this.nodes.get(gone[i]).addresses;
      for (let k = 0; k < addresses.length; k++) this.paths.forget(addresses[k].toString());
      this.nodes.delete(gone[i]);
    }
    return true;
  }

  private get self(): Node | null {
    return this.nodes.has(this.name) ? this.nodes.get(this.name) : null;
  }

  /** The changes to entries of nodes that are not what they were; `all` looks at every entry. */
  private renew(all: bool): string[] {
    const self = this.self;
    if (this.network.problem.length > 0 || !self) return [];
    if (!this.own_fit(self)) return [];
    const served = judge(this.network, self, this.nodes.values(), this.problems);
    const touched = new Array<string>();
    const stay = new Set<string>();
    stay.add(SELF);
    this.want(SELF, desire_self(this.network, self, this.devices), touched);
    for (let i = 0; i < served.length; i++) {
      const node = served[i];
      stay.add(node.name);
      const made_of = node.text;
      const same = this.made_of.has(node.name) && this.made_of.get(node.name) == made_of;
      if (same && !all) continue;
      this.made_of.set(node.name, made_of);
      const entries = desire_peer(this.network, self, node, this.paths, this.problems);
      this.want(node.name, entries, touched);
    }
    const names = this.desired.keys();
    for (let i = 0; i < names.length; i++) {
      // What vanished from a source that has not said all may still be there.
      if (stay.has(names[i]) || !this.synced) continue;
      this.want(names[i], [], touched);
      this.desired.delete(names[i]);
      this.made_of.delete(names[i]);
    }
    return this.difference(all, touched);
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
    for (let i = 0; i < before.length; i++) {
      if (entries.includes(before[i])) continue;
      const key = entry_key(before[i]);
      if (this.wanted.has(key) && this.wanted.get(key) == before[i]) this.wanted.delete(key);
      touched.push(key);
    }
    for (let i = 0; i < entries.length; i++) {
      const key = entry_key(entries[i]);
      if (!this.wanted.has(key) || this.wanted.get(key) != entries[i]) touched.push(key);
      this.wanted.set(key, entries[i]);
    }
    this.desired.set(name, entries);
  }

  /** What is to be made, then what is to go: nothing leads nowhere in between. */
  private difference(all: bool, touched: string[]): string[] {
    const keys = all ? this.wanted.keys().concat(this.held.keys()) : touched;
    const makes = new Array<string>();
    const goes = new Array<string>();
    const done = new Set<string>();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (done.has(key)) continue;
      done.add(key);
      const is = this.held.has(key) ? this.held.get(key) : "";
      const ought = this.wanted.has(key) ? this.wanted.get(key) : "";
      if (is == ought || !this.may(key, ought)) continue;
      if (ought.length > 0) {
        makes.push(ought);
        this.held.set(key, ought);
      } else if (this.synced) {
        goes.push(is);
        this.held.delete(key);
      }
    }
    makes.sort((a, b) => entry_order(a) - entry_order(b));
    goes.sort((a, b) => entry_order(b) - entry_order(a));
    const changes = new Array<string>();
    for (let i = 0; i < makes.length; i++) changes.push(change("replace", makes[i]));
    for (let i = 0; i < goes.length; i++) changes.push(change("del", goes[i]));
    return changes;
  }

  /** Whether a wanted entry has its device, and nobody else's route is in its place. */
  private may(key: string, ought: string): bool {
    if (ought.length == 0) return true;
    const tunnel4 = this.network.device(false);
    const tunnel6 = this.network.device(true);
    const words = ought.split(" ");
    const at = words.indexOf("dev");
    const dev = at < 0 ? "" : words[at + 1];
    if ((dev == tunnel4 || dev == tunnel6) && !this.devices.includes(dev)) return false;
    if (!this.foreign.has(key)) return true;
    const said = `a route to ${route_dst(ought)} is somebody else's: ${this.foreign.get(key)}`;
    this.problems.push(new Problem("", said));
    return false;
  }

  private seen(event: JsonValue): JsonValue {
    this.paths.read(event);
    const self = this.self;
    if (this.network.problem.length > 0 || !self) return this.answer([], false);
    this.held.clear();
    const extra = new Array<string>();
    const entries = texts(event, "entries");
    for (let i = 0; i < entries.length; i++) {
      const key = entry_key(entries[i]);
      // A second one under one key (a MAC that leads to two nodes) can only go.
      if (this.held.has(key)) extra.push(change("del", entries[i]));
      else this.held.set(key, entries[i]);
    }
    this.foreign.clear();
    const foreign = texts(event, "foreign");
    for (let i = 0; i < foreign.length; i++) this.foreign.set(entry_key(foreign[i]), foreign[i]);
    // What cannot be made right is left as it is.
    if (!this.own_fit(self)) return this.answer([], false);
    const devices = new Devices(this.network, self, this.paths);
    devices.read(event);
    const changes = new Array<string>();
    const before = this.problems.length;
    devices.changes(this.families(self), changes, this.problems);
    this.devices = devices.there;
    for (let i = before; i < this.problems.length; i++) {
      if (this.problems[i].fatal) return this.answer([], false);
    }
    if (changes.length > 0) return this.answer(changes, true);
    const differ = this.renew(true);
    return this.answer(this.synced ? extra.concat(differ) : differ, false);
  }

  /** Over which families tunnels are needed: that of this node's first, and others that nodes have. */
  private families(self: Node): bool[] {
    const families: bool[] = [false, false];
    if (!this.network.tunnels || self.subnets.length == 0) return families;
    if (this.paths.underlay(false)) families[0] = true;
    else if (this.paths.underlay(true)) families[1] = true;
    const nodes = this.nodes.values();
    for (let i = 0; i < nodes.length; i++) {
      if (nodes[i].name == this.name) continue;
      const way = way_to(this.paths, nodes[i]);
      if (way.address.length > 0) families[i32(way.v6)] = true;
    }
    return families;
  }

  /** Takes everything away: what is left of the node is as before the agent. */
  private leave(): string[] {
    const changes = new Array<string>();
    const held = this.held.values();
    held.sort((a, b) => entry_order(b) - entry_order(a));
    for (let i = 0; i < held.length; i++) {
      const words = held[i].split(" ");
      const at = words.indexOf("dev");
      // What is on a device goes with it.
      if (at < 0 || !this.devices.includes(words[at + 1])) changes.push(change("del", held[i]));
    }
    for (let i = 0; i < this.devices.length; i++) changes.push(`link del ${this.devices[i]}`);
    return changes;
  }

  /** The MTU of pods: what fits the way that most packets go. */
  private get mtu_bytes(): i32 {
    for (let family = 0; family < 2; family++) {
      const underlay = this.paths.underlay(family == 1);
      if (!underlay) continue;
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
    said.set("networks", cidrs(this.network.cidrs));
    said.set("served", JsonValue.number(max(this.desired.size - 1, 0)));
    said.set("entries", JsonValue.number(this.wanted.size));
    return said;
  }
}

/** A change in the words of iproute2: "route replace 10.244.2.0/24 via …". */
function change(verb: string, entry: string): string {
  const blank = entry.indexOf(" ");
  return `${entry.substring(0, blank)} ${verb}${entry.substring(blank)}`;
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
