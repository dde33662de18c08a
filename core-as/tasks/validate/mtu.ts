// SPDX-License-Identifier: Apache-2.0
// The MTU of a network against the link its packets leave the node by, and against what links and
// IP versions take. It looks at the node and changes nothing; a node without a route says nothing.
import { HOST, Link, link_get } from "../../host/kernel";
import { IPV4_MIN_MTU_BYTES, IPV6_MIN_MTU_BYTES } from "../../lib/mtu";
import { uplink } from "../../net/uplink";
import { ipam_pools } from "../../plugin/ipam";
import { bool_at, Part, Parts, text_at } from "./parts";

/** ETH_MAX_MTU, linux/if_ether.h. */
const MAX_MTU_BYTES = 65535;

export function mtu_check(parts: Parts): void {
  let v6 = false;
  for (let i = 0; i < parts.chain.length; i++) {
    const pools = ipam_pools(parts.chain[i].request);
    for (let k = 0; k < pools.length; k++) if (pools[k].first.v6) v6 = true;
  }
  for (let i = 0; i < parts.chain.length; i++) one_check(parts.chain[i], v6);
}

function one_check(part: Part, v6: bool): void {
  const value = part.object.get("mtu");
  const row = part.row;
  if (!value || !row || !row.has_key("mtu")) return;
  const reader = part.reader();
  const mtu_bytes = <i32>reader.integer(part.object, "mtu", 0, MAX_MTU_BYTES);
  if (!row.ours) part.file.take(reader, value.offset);
  if (reader.error || mtu_bytes == 0) return;
  if (mtu_bytes < IPV4_MIN_MTU_BYTES) {
    part.file.error(
      `"mtu" is ${mtu_bytes}, and no link takes less than ${IPV4_MIN_MTU_BYTES}: ` +
        "write more, or leave it out",
      value.offset,
    );
  } else if (v6 && mtu_bytes < IPV6_MIN_MTU_BYTES) {
    part.file.warning(
      `"mtu" is ${mtu_bytes}, and a link below ${IPV6_MIN_MTU_BYTES} has no IPv6, ` +
        `which this network has: write ${IPV6_MIN_MTU_BYTES} or more`,
      value.offset,
    );
  }
  const link = parent(part);
  if (!link || mtu_bytes <= link.mtu_bytes) return;
  part.file.warning(
    `"mtu" is ${mtu_bytes}, larger than that of "${link.name}", by which packets leave: ` +
      `write ${link.mtu_bytes} or less`,
    value.offset,
  );
}

/** The link whose MTU limits a plugin's; null when there is none here. */
function parent(part: Part): Link | null {
  const row = part.row;
  const child = row !== null && row.has_parent;
  if (child && bool_at(part.object, "linkInContainer")) return null;
  const master = child ? text_at(part.object, "master") : "";
  return master.length > 0 ? link_get(HOST, master) : uplink(HOST);
}
