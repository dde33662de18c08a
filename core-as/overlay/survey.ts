// SPDX-License-Identifier: Apache-2.0
// What packets of pods may have on the way to each node that is served, and what that is made of:
// what `fairlead mtu` prints, by the same sums as the routes. It refuses to know what is there.
import { Cidr } from "../lib/ip";
import { JsonValue } from "../lib/json";
import { gateway_of, least, plain_path, tunnel_mtu_bytes, way_to } from "./desire";
import { Network } from "./network";
import { Node } from "./node";
import { Path, Paths, Underlay } from "./path";

function row(
  network: Network,
  self: Node,
  node: Node,
  subnet: Cidr,
  paths: Paths,
): JsonValue | null {
  const plain = plain_path(network, node, subnet, paths);
  const way = way_to(network, paths, node, subnet.ip.v6);
  if (!plain && (!network.tunnels || way.address.length == 0)) return null;
  const v6 = plain ? subnet.ip.v6 : way.v6;
  const address = node.address(v6)!.toString();
  const path: Path | null = plain ? plain : paths.to(address);
  const underlay: Underlay | null = paths.underlay(v6);
  const overhead_bytes = plain ? 0 : network.outer_bytes(0, v6);
  let own_bytes = underlay ? underlay.mtu_bytes : 0;
  // A plain route may leave by another link than that of the node's own address.
  if (plain && (!underlay || underlay.dev != plain.dev)) own_bytes = plain.mtu_bytes;
  const least_bytes = least(node, path);
  let mtu_bytes = plain ? own_bytes : tunnel_mtu_bytes(network, paths, v6);
  const inner_bytes = plain ? least_bytes : network.inner_bytes(least_bytes, v6);
  if (least_bytes > 0) mtu_bytes = min(mtu_bytes, inner_bytes);
  const made = JsonValue.object();
  made.append("node", JsonValue.string(node.name));
  made.append("subnet", JsonValue.string(subnet.toString()));
  made.append("dev", JsonValue.string(plain ? plain.dev : network.device(v6)));
  made.append("address", JsonValue.string(address));
  made.append("source", JsonValue.string(source(self, subnet.ip.v6)));
  made.append("inside", JsonValue.string(gateway_of(subnet).toString()));
  made.append("underlay", JsonValue.string(path ? path.dev : underlay ? underlay.dev : ""));
  made.append("underlay_bytes", JsonValue.number(own_bytes));
  made.append("way_bytes", JsonValue.number(path ? path.mtu_bytes : 0));
  made.append("node_bytes", JsonValue.number(node.mtu_bytes));
  made.append("overhead_bytes", JsonValue.number(overhead_bytes));
  made.append("mtu_bytes", JsonValue.number(mtu_bytes));
  return made;
}

function source(self: Node, v6: bool): string {
  const subnet = self.subnet(v6);
  return subnet ? gateway_of(subnet).toString() : "";
}

/** A row for each subnet of these nodes that a way leads to. */
export function survey(network: Network, self: Node, served: Node[], paths: Paths): JsonValue {
  const rows = JsonValue.array();
  for (let i = 0; i < served.length; i++) {
    for (let k = 0; k < served[i].subnets.length; k++) {
      const made = row(network, self, served[i], served[i].subnets[k], paths);
      if (made) rows.push(made);
    }
  }
  return rows;
}
