// SPDX-License-Identifier: Apache-2.0
// VLANs of bridges and their ports in the simulated kernel.
import { EINVAL, EOPNOTSUPP } from "../lib/errno";
import { PortVlanReply, write_port_vlan_list } from "./replies.gen";
import { fail, link_of, refusal, refuse, reply, space_of } from "./slot";
import { Link, Vlan } from "./state";

const VLAN_ID_MAX: i32 = 4094;

/** A bridge or a port of one; null after a refusal. */
function carrier_of_vlans(ns: i32, ifindex: i32, vid: i32, vid_end: i32): Link | null {
  const space = space_of(ns);
  if (!space) return null;
  if (vid < 1 || vid > vid_end || vid_end > VLAN_ID_MAX) {
    refuse(EINVAL, `not a VLAN range: ${vid}-${vid_end}`);
    return null;
  }
  const link = link_of(space, ifindex);
  if (!link) return null;
  if (link.switches || space.bridge_of(link)) return link;
  refuse(EOPNOTSUPP, "");
  return null;
}

/** Sets a VLAN with its flags; the PVID is one at most. */
export function put_vlan(link: Link, vlan: Vlan): void {
  let at = 0;
  while (at < link.vlans.length && link.vlans[at].vid < vlan.vid) at++;
  if (at < link.vlans.length && link.vlans[at].vid == vlan.vid) link.vlans.splice(at, 1);
  for (let i = 0; i < link.vlans.length && vlan.pvid; i++) link.vlans[i].pvid = false;
  link.vlans.push(vlan);
  for (let i = link.vlans.length - 1; i > at; i--) link.vlans[i] = link.vlans[i - 1];
  link.vlans[at] = vlan;
}

export function kernel_bridge_vlan_add(
  ns: i32,
  ifindex: i32,
  vid: i32,
  vid_end: i32,
  pvid: i32,
  untagged: i32,
): i32 {
  const link = carrier_of_vlans(ns, ifindex, vid, vid_end);
  if (!link) return refusal;
  if (pvid != 0 && vid != vid_end) return fail(EINVAL, "Pvid isn't allowed in a range");
  for (let id = vid; id <= vid_end; id++) {
    put_vlan(link, new Vlan(id, pvid != 0, untagged != 0));
  }
  return 0;
}

/** VLANs that are not there are passed over, as br_process_vlan_info of the kernel does. */
export function kernel_bridge_vlan_del(ns: i32, ifindex: i32, vid: i32, vid_end: i32): i32 {
  const link = carrier_of_vlans(ns, ifindex, vid, vid_end);
  if (!link) return refusal;
  for (let i = link.vlans.length - 1; i >= 0; i--) {
    const id = link.vlans[i].vid;
    if (id >= vid && id <= vid_end) link.vlans.splice(i, 1);
  }
  return 0;
}

export function kernel_bridge_vlan_list(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  const vlans = new Array<PortVlanReply>();
  for (let i = 0; i < link.vlans.length; i++) {
    const vlan = link.vlans[i];
    vlans.push({ vid: vlan.vid, pvid: vlan.pvid, untagged: vlan.untagged });
  }
  write_port_vlan_list(reply(), vlans);
  return 0;
}
