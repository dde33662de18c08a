// A veth pair between the host and a container: making it, waiting for it, taking it away.
// Shared by the kinds that wire a container this way.

import { failure_errno } from "../host/failure";
import {
  HOST,
  Link,
  link_add_veth,
  link_del,
  link_get,
  link_get_index,
  sysctl_write,
  VethEnd,
} from "../host/kernel";
import { sleep } from "../host/store";
import { EEXIST, ENODEV } from "../lib/errno";
import { mac_from, name_from } from "../lib/name";
import { CniError, Code, os_error } from "../spec/error";
import { identity_of, Request } from "../spec/request";
import { Undo } from "../undo";

/**
 * Hashes share their 32 bits with every other veth of the node; the next salt gives another name.
 */
const NAME_TRIES = 10;
/** How long a port may need to become operational, in polls that double from 1 ms. */
const WAIT_LIMIT_MS = 3000;

/** A pair as made: the host's end and the container's. */
export class Veth {
  error: CniError | null = null;
  host: Link = new Link();
  container: Link = new Link();
}

/** What a new pair needs beside the names. */
export class VethPlan {
  mtu_bytes: i32 = 0;
  /** ifindex of the bridge the host's end joins, 0 for none. */
  master: i32 = 0;
  /** Hardware address of the container's end; "" for one derived from the attachment. */
  mac: string = "";
}

/** CNI_IFNAME must be free before anything is made. */
export function ifname_taken(request: Request): CniError | null {
  const ifname = request.env.ifname;
  if (link_get(request.netns, ifname)) {
    return new CniError(
      Code.InterfaceExists,
      `interface "${ifname}" already exists in ${request.env.netns}: ` +
        "run DEL for it, or choose another CNI_IFNAME",
    );
  }
  return failure_errno == ENODEV ? null : os_error(`look for "${ifname}" in ${request.env.netns}`);
}

/** Makes the pair: host's end up and in its bridge, container's end down and named CNI_IFNAME. */
export function veth_add(request: Request, plan: VethPlan, undo: Undo): Veth {
  const made = new Veth();
  const mac = plan.mac.length > 0 ? plan.mac : mac_from(request.identity("container"));
  const peer = new VethEnd(request.netns, request.env.ifname, mac);
  for (let salt = 0; salt < NAME_TRIES; salt++) {
    const name = name_from("veth", request.identity(`host${salt}`));
    const end = new VethEnd(HOST, name, mac_from(request.identity(`host-mac${salt}`)));
    if (link_add_veth(end, plan.mtu_bytes, plan.master, peer) >= 0) {
      undo.link_del(HOST, name);
      return veth_read(made, end, peer);
    }
    if (failure_errno != EEXIST) break;
  }
  made.error = os_error(`make a veth pair for "${request.env.ifname}"`);
  return made;
}

function veth_read(made: Veth, end: VethEnd, peer: VethEnd): Veth {
  const host = link_get(end.ns, end.name);
  const container = host ? link_get(peer.ns, peer.name) : null;
  if (!host || !container) {
    made.error = os_error(`read the veth pair "${end.name}"`);
    return made;
  }
  made.host = host;
  made.container = container;
  // A container must not configure the node by router advertisements; without IPv6 it cannot.
  sysctl_write(HOST, `net/ipv6/conf/${host.name}/accept_ra`, "0");
  return made;
}

/**
 * Waits until the host's end is operational and gives it as it then is; null and the failure noted
 * when it vanished. Time out gives the link in the state it had.
 */
export function veth_wait_up(ifindex: i32): Link | null {
  let link = link_get_index(HOST, ifindex);
  let waited_ms = 0;
  let pause_ms = 1;
  while (link && link.operstate != "up" && waited_ms < WAIT_LIMIT_MS) {
    sleep(pause_ms);
    waited_ms += pause_ms;
    pause_ms = min(pause_ms * 2, 100);
    link = link_get_index(HOST, ifindex);
  }
  return link;
}

/**
 * Removes CNI_IFNAME from the container when it is a veth; both ends go. A missing link is fine.
 * Anything else of that name is somebody else's and stays.
 */
export function veth_del(request: Request, errors: CniError[]): void {
  const ifname = request.env.ifname;
  let link: Link | null = null;
  if (request.netns != 0) link = link_get(request.netns, ifname);
  if (!link) {
    if (request.netns != 0 && failure_errno != ENODEV)
      errors.push(os_error(`look for "${ifname}" in ${request.env.netns}`));
    // The namespace may live on where nobody finds it, held by a process or a mount.
    host_veth_del(request.network, request.env.containerID, ifname, errors);
    return;
  }
  if (link.kind != "veth") {
    errors.push(
      new CniError(
        Code.Kernel,
        `interface "${ifname}" in ${request.env.netns} is no veth, ` +
          "so it was not made here: it stays",
      ),
    );
    return;
  }
  if (link_del(request.netns, link.ifindex) < 0 && failure_errno != ENODEV) {
    errors.push(os_error(`remove "${ifname}" from ${request.env.netns}`));
  }
}

/**
 * Removes the host's end of an attachment's pair, known by name and hardware address: both are
 * hashes of the attachment, so that a link that has both is of our making. The next salt was used
 * only if another link had the name, so the search ends at the first name that is free.
 */
export function host_veth_del(
  network: string,
  containerID: string,
  ifname: string,
  errors: CniError[],
): void {
  for (let salt = 0; salt < NAME_TRIES; salt++) {
    const name = name_from("veth", identity_of(network, containerID, ifname, `host${salt}`));
    const link = link_get(HOST, name);
    if (!link) {
      if (failure_errno != ENODEV) errors.push(os_error(`look for "${name}"`));
      return;
    }
    const mac = mac_from(identity_of(network, containerID, ifname, `host-mac${salt}`));
    if (link.kind != "veth" || link.address != mac) continue;
    if (link_del(HOST, link.ifindex) < 0 && failure_errno != ENODEV) {
      errors.push(os_error(`remove "${name}"`));
    }
    return;
  }
}
