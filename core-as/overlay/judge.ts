// SPDX-License-Identifier: Apache-2.0
// Which nodes of a source are served. Of two that claim one thing (a subnet, an address, a hardware
// address) one stays: the living before the dead, then the newer, then the first by name; a node
// that is gone may linger in a source while another has got its address. It refuses to drop a node
// without a word.
import { Cidr, Ip } from "../lib/ip";
import { device_mac, is_key, Network } from "./network";
import { Node } from "./node";

/**
 * What the nodes that are served have, to tell whether one that changed is in nobody's way: then
 * the others need not be looked at again. It gives up where subnets are of several lengths.
 */
export class Taken {
  private owners: Map<string, string> = new Map<string, string>();
  private lengths: Set<i32> = new Set<i32>();
  /** Whether somebody is left out for the sake of another: who stays may change with any change. */
  contested: bool = true;

  clear(): void {
    this.owners.clear();
    this.lengths.clear();
  }
  add(network: Network, node: Node): void {
    const claims = claims_of(network, node);
    for (let i = 0; i < claims.length; i++) this.owners.set(claims[i], node.name);
    for (let i = 0; i < node.subnets.length; i++) this.lengths.add(length_of(node.subnets[i]));
  }
  remove(network: Network, node: Node): void {
    const claims = claims_of(network, node);
    for (let i = 0; i < claims.length; i++) {
      if (this.owners.has(claims[i]) && this.owners.get(claims[i]) == node.name) {
        this.owners.delete(claims[i]);
      }
    }
  }
  /** Whether a node is for sure in nobody's way. */
  allows(network: Network, node: Node): bool {
    for (let i = 0; i < node.subnets.length; i++) {
      const lengths = this.lengths.values();
      const own = length_of(node.subnets[i]);
      for (let k = 0; k < lengths.length; k++) {
        if (lengths[k] > 128 == own > 128 && lengths[k] != own) return false;
      }
    }
    const claims = claims_of(network, node);
    for (let i = 0; i < claims.length; i++) {
      if (this.owners.has(claims[i]) && this.owners.get(claims[i]) != node.name) return false;
    }
    return true;
  }
}

/** A prefix length and its family in one number. */
function length_of(subnet: Cidr): i32 {
  return subnet.ip.v6 ? 256 + subnet.bits : subnet.bits;
}

/** Before a public key among the claims. */
const KEY: string = "key ";

/** Everything that no two nodes may have; made once for what a source said. */
function claims_of(network: Network, node: Node): string[] {
  if (node.claims.length > 0) return node.claims;
  const claims = new Array<string>();
  for (let i = 0; i < node.addresses.length; i++) claims.push(node.addresses[i].toString());
  if (network.type == "wireguard") claims.push(`${KEY}${node.public_key}`);
  else if (network.tunnels) {
    claims.push(device_mac(network, node, false));
    claims.push(device_mac(network, node, true));
  }
  node.claimed = claims.length;
  for (let i = 0; i < node.subnets.length; i++) claims.push(node.subnets[i].toString());
  node.claims = claims;
  return claims;
}

/** Something that somebody should look at. */
export class Problem {
  constructor(
    /** The node that it is about, "" for this one. */
    public node: string,
    public msg: string,
    /** Whether pods cannot be served while it lasts. */
    public fatal: bool = false,
  ) {}
}

/** A subnet and whose it is. */
class Claim {
  constructor(
    public subnet: Cidr,
    public node: Node,
    public rank: i32,
  ) {}
  get last(): Ip {
    const width = this.subnet.ip.width;
    const host = width - this.subnet.bits;
    const first = this.subnet.ip;
    if (host >= 64) {
      const high = host == 64 ? first.high : first.high | (((<u64>1) << (host - 64)) - 1);
      return new Ip(first.v6, host == 128 ? u64.MAX_VALUE : high, u64.MAX_VALUE);
    }
    return new Ip(first.v6, first.high, first.low | (((<u64>1) << host) - 1));
  }
}

/** The nodes to serve, in the order of their rank, without `self`; problems are added. */
export function judge(network: Network, self: Node, nodes: Node[], problems: Problem[]): Node[] {
  const ranked = new Array<Node>();
  for (let i = 0; i < nodes.length; i++) {
    if (nodes[i].name != self.name && usable(network, self, nodes[i], problems)) {
      ranked.push(nodes[i]);
    }
  }
  ranked.sort(by_rank);
  const taken = new Map<string, string>();
  claim_hardware(network, self, taken);
  const left = new Array<Node>();
  for (let i = 0; i < ranked.length; i++) {
    if (free(network, ranked[i], taken, problems)) left.push(ranked[i]);
  }
  return without_overlaps(left, problems);
}

/** The living first, then the newer, then by name. */
function by_rank(a: Node, b: Node): i32 {
  if (a.dead != b.dead) return a.dead ? 1 : -1;
  if (a.created != b.created) return a.created > b.created ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** What can be said of a node alone, and beside this one. */
export function usable(network: Network, self: Node, node: Node, problems: Problem[]): bool {
  for (let i = 0; i < node.wrong.length; i++) {
    problems.push(new Problem(node.name, `"${node.wrong[i]}" is no subnet and no address`));
  }
  if (node.unfit.length > 0) {
    problems.push(new Problem(node.name, node.unfit));
    return false;
  }
  if (node.subnets.length == 0) {
    problems.push(new Problem(node.name, "it has no subnet yet"));
    return false;
  }
  if (node.addresses.length == 0) {
    problems.push(new Problem(node.name, "it has no address by which it could be reached"));
    return false;
  }
  if (network.type == "wireguard" && !is_key(node.public_key)) {
    const none = "it has no public key yet: its agent makes one and publishes it";
    const wrong = `"${node.public_key}" is no public key of WireGuard`;
    problems.push(new Problem(node.name, node.public_key.length == 0 ? none : wrong));
    return false;
  }
  for (let i = 0; i < node.subnets.length; i++) {
    const subnet = node.subnets[i];
    if (!network.holds(subnet)) {
      problems.push(new Problem(node.name, `its subnet ${subnet.toString()} is not the network's`));
      return false;
    }
    for (let k = 0; k < self.subnets.length; k++) {
      if (!self.subnets[k].overlaps(subnet)) continue;
      problems.push(new Problem(node.name, `its subnet ${subnet.toString()} is this node's`));
      return false;
    }
  }
  for (let i = 0; i < node.addresses.length; i++) {
    const address = node.addresses[i];
    if (network.contains(address)) {
      const said = `its address ${address.toString()} is a pod's: a tunnel would lead into itself`;
      problems.push(new Problem(node.name, said));
      return false;
    }
    for (let k = 0; k < self.addresses.length; k++) {
      if (!self.addresses[k].equals(address)) continue;
      problems.push(new Problem(node.name, `its address ${address.toString()} is this node's`));
      return false;
    }
  }
  return true;
}

function claim_hardware(network: Network, self: Node, taken: Map<string, string>): void {
  taken.set(`${KEY}${network.public_key}`, "this node");
  taken.set(device_mac(network, self, false), "this node");
  taken.set(device_mac(network, self, true), "this node");
}

/** Whether nobody before it has one of its addresses; then they are its. */
function free(network: Network, node: Node, taken: Map<string, string>, problems: Problem[]): bool {
  const claims = claims_of(network, node);
  for (let i = 0; i < node.claimed; i++) {
    if (!taken.has(claims[i])) continue;
    const what = claims[i].startsWith(KEY) ? "public" : "address";
    const owner = taken.get(claims[i]);
    problems.push(new Problem(node.name, `its ${what} ${claims[i]} is that of ${owner}`));
    return false;
  }
  for (let i = 0; i < node.claimed; i++) taken.set(claims[i], node.name);
  return true;
}

function by_start(a: Claim, b: Claim): i32 {
  const order = a.subnet.ip.compare(b.subnet.ip);
  return order != 0 ? order : a.rank - b.rank;
}

/** Of two nodes whose subnets overlap the one of the better rank stays. */
function without_overlaps(ranked: Node[], problems: Problem[]): Node[] {
  const claims = new Array<Claim>();
  for (let rank = 0; rank < ranked.length; rank++) {
    const subnets = ranked[rank].subnets;
    for (let i = 0; i < subnets.length; i++) {
      claims.push(new Claim(subnets[i], ranked[rank], rank));
    }
  }
  claims.sort(by_start);
  const out = new Set<string>();
  let open: Claim | null = null;
  for (let i = 0; i < claims.length; i++) {
    const claim = claims[i];
    if (out.has(claim.node.name)) continue;
    if (open) {
      const same = open.node.name == claim.node.name || out.has(open.node.name);
      if (!same && claim.subnet.ip.compare(open.last) <= 0) {
        const loser = open.rank < claim.rank ? claim : open;
        const winner = loser === claim ? open : claim;
        const said = `its subnet ${loser.subnet.toString()} overlaps that of ${winner.node.name}`;
        problems.push(new Problem(loser.node.name, said));
        out.add(loser.node.name);
        open = winner;
        continue;
      }
    }
    open = claim;
  }
  const stay = new Array<Node>();
  for (let i = 0; i < ranked.length; i++) if (!out.has(ranked[i].name)) stay.push(ranked[i]);
  return stay;
}
