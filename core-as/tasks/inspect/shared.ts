// SPDX-License-Identifier: Apache-2.0
// How it is looked at what attachments share and a DEL leaves: a bridge, the gateway's addresses,
// the VLANs of an uplink, forwarding. The record has its name alone; the rest is told by the
// attachment's addresses and its port. It refuses to call there what was not looked at.
import { failure_errno } from "../../host/failure";
import {
  addr_list,
  bridge_vlan_list,
  HOST,
  Link,
  link_get,
  PortVlan,
  sysctl_read,
} from "../../host/kernel";
import { ENOENT } from "../../lib/errno";
import { Cidr, cidr_parse } from "../../lib/ip";
import { CHANGED, GONE, judge, Place, Seen, THERE, UNKNOWN, Whose, word } from "./seen";

/** The VLAN that every port of a bridge has at first. */
const VLAN_DEFAULT = 1;

function has_family(addresses: string[], v6: bool): bool {
  for (let i = 0; i < addresses.length; i++) if (addresses[i].includes(":") == v6) return true;
  return false;
}

/** Of the families of the attachment's addresses; of both when nobody knows them. */
function forwarding(whose: Whose): Seen[] {
  const all = new Array<Seen>();
  for (let family = 0; family < 2; family++) {
    const v6 = family == 1;
    const known = whose.addresses.length > 0;
    if (known && !has_family(whose.addresses, v6)) continue;
    const key = v6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward";
    const seen = new Seen(`forwarding of IPv${v6 ? 6 : 4}, shared`).by(`sysctl ${key}`);
    all.push(seen);
    const value = sysctl_read(HOST, key.replaceAll(".", "/"));
    if (value === null) {
      if (failure_errno != ENOENT) seen.failed();
      else seen.is(GONE, "the kernel has none");
    } else if (value.trim() != "0") seen.is(THERE);
    else if (known) seen.is(GONE);
    else seen.is(UNKNOWN, "it is off, and which addresses the container has is not known");
  }
  return all;
}

/** By the addresses of the attachment: which one is its gateway's the record does not say. */
function gateway(seen: Seen, link: Link, whose: Whose): Seen {
  const list = addr_list(HOST, link.ifindex);
  if (!list) return seen.failed();
  const found = new Array<Cidr>();
  const texts = new Array<string>();
  for (let i = 0; i < list.length; i++) {
    const cidr = cidr_parse(list[i].address);
    if (!cidr || cidr.ip.isLinkLocal()) continue;
    found.push(cidr);
    texts.push(list[i].address);
  }
  if (found.length == 0) return seen.is(GONE, "it has no address");
  const said = `it has ${texts.join(", ")}`;
  if (whose.addresses.length == 0) {
    return seen.is(UNKNOWN, `${said}; which addresses the container has is not known`);
  }
  for (let i = 0; i < whose.addresses.length; i++) {
    const own = cidr_parse(whose.addresses[i]);
    let near = false;
    for (let k = 0; own !== null && k < found.length; k++) near = near || found[k].contains(own.ip);
    if (!near) return seen.is(UNKNOWN, `${said}, none of the subnet of ${whose.addresses[i]}`);
  }
  return seen.is(THERE);
}

function passes(list: PortVlan[], vid: i32): bool {
  for (let i = 0; i < list.length; i++) if (list[i].vid == vid) return true;
  return false;
}

/** An uplink lets those VLANs pass that the attachment's port has. */
function vlans(seen: Seen, uplink: Link, at: Place): Seen {
  const inside = at.ns > 0 ? link_get(at.ns, at.ifname) : null;
  if (!inside || inside.peer == 0) {
    return seen.is(
      UNKNOWN,
      "which VLANs it needs is told by the container's port, and that is gone",
    );
  }
  const wanted = bridge_vlan_list(HOST, inside.peer);
  const list = wanted ? bridge_vlan_list(HOST, uplink.ifindex) : null;
  if (!wanted || !list) return seen.failed();
  for (let i = 0; i < wanted.length; i++) {
    const vid = wanted[i].vid;
    if (vid == VLAN_DEFAULT || passes(list, vid)) continue;
    return seen.is(GONE, `VLAN ${vid} does not pass`);
  }
  return seen.is(THERE);
}

/** Looks at what others rely on too, by its name in records. */
export function shared(what: string, whose: Whose, at: Place): Seen[] {
  if (what == "forwarding") return forwarding(whose);
  const seen = new Seen(`${what}, shared`);
  const space = what.indexOf(" ");
  if (space < 0) return [seen.is(UNKNOWN, "the record does not say where it is")];
  const kind = what.substring(0, space);
  const name = what.substring(what.lastIndexOf(" ") + 1);
  seen.by(`ip -d link show dev ${word(name)}`);
  if (kind == "gateway") seen.show[0] = `ip address show dev ${word(name)}`;
  if (kind == "vlans") seen.show[0] = `bridge vlan show dev ${word(name)}`;
  const link = link_get(HOST, name);
  if (!link || kind == "link") return [judge(seen, link, "", "")];
  if (kind == "bridge") return [judge(seen, link, "bridge", "")];
  if (kind == "promisc") return [link.promisc ? seen.is(THERE) : seen.is(GONE)];
  if (kind == "gateway") return [gateway(seen, link, whose)];
  if (kind == "vlans") return [vlans(seen, link, at)];
  return [seen.is(UNKNOWN, "the link is there, and no more of it was looked at")];
}
