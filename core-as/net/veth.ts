// SPDX-License-Identifier: Apache-2.0
// A veth pair between the host and a container: making it, waiting for it, taking it away. It
// refuses to know what the host's end is for. Its effect is "veth".

import { Adding } from "../attach/adding";
import { Effect, Site } from "../attach/effect";
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
import { JsonValue, Kind } from "../lib/json";
import { mac_from, name_from } from "../lib/name";
import { CniError, Code, os_error } from "../spec/error";
import { identity_of as identity, Request } from "../spec/request";
import { why } from "../spec/why";
import { inside_del, inside_own_del } from "./inside";

/**
 * Hashes share their 32 bits with every other veth of the node; the next salt gives another name.
 */
const NAME_TRIES = 10;
/** How long a port may need to become operational, in polls that double from 1 ms. */
const WAIT_LIMIT_MS = 3000;

/** The pair of an attachment: what is planned, then what was made. */
export class Pair {
  mtu_bytes: i32 = 0;
  /** ifindex of the bridge the host's end joins, 0 for none. */
  master: i32 = 0;
  /** Hardware address of the container's end; "" for one derived from the attachment. */
  mac: string = "";
  host: Link = new Link();
  container: Link = new Link();
  private effect: VethMade = new VethMade(true);

  /** Notes the pair before it is made. */
  note(adding: Adding): void {
    const mac = this.mac;
    this.effect.mac = mac.length > 0 ? mac : mac_from(adding.request.identity("container"));
    adding.note(this.effect);
  }

  /** Makes it: host's end up and in its bridge, container's end down and named CNI_IFNAME. */
  make(request: Request): CniError | null {
    const peer = new VethEnd(request.netns, request.env.ifname, this.effect.mac);
    for (let salt = 0; salt < NAME_TRIES; salt++) {
      const name = name_from("veth", request.identity(`host${salt}`));
      const end = new VethEnd(HOST, name, mac_from(request.identity(`host-mac${salt}`)));
      if (link_add_veth(end, this.mtu_bytes, this.master, peer) >= 0) {
        this.effect.pending = false;
        if (isDefined(FAIRLEAD_TELLS)) {
          const hash = "a hash of network, container and interface, by which DEL finds it again";
          why("name on the node", name, hash);
          why("MAC", peer.address, this.mac.length > 0 ? "it was asked for" : hash);
        }
        return this.read(end, peer);
      }
      if (failure_errno != EEXIST) break;
    }
    return os_error(`make a veth pair for "${request.env.ifname}"`);
  }

  private read(end: VethEnd, peer: VethEnd): CniError | null {
    const container = link_get(peer.ns, peer.name);
    if (!container) return os_error(`read the veth pair "${end.name}"`);
    this.container = container;
    // All that is to be known of it: its state is looked at when it had time to come up.
    this.host.name = end.name;
    this.host.address = end.address;
    this.host.ifindex = container.peer;
    // A container must not configure the node by router advertisements; without IPv6 it cannot.
    sysctl_write(HOST, `net/ipv6/conf/${end.name}/accept_ra`, "0");
    return null;
  }

  /** Waits until the host's end is operational, and reads it as it then is; `what` it is. */
  wait_up(what: string): CniError | null {
    const error = this.found(wait_up(this.host.ifindex));
    const host = this.host;
    if (error || host.operstate == "up") return error;
    return new CniError(Code.Kernel, `${what} in error state: ${host.operstate}`, host.name);
  }
  /** Reads the host's end as it is now. */
  look_again(): CniError | null {
    return this.found(link_get_index(HOST, this.host.ifindex));
  }
  private found(link: Link | null): CniError | null {
    if (!link) return os_error(`find "${this.host.name}" again`);
    this.host = link;
    return null;
  }
}

/** null and the failure noted when the link vanished; at the limit, the link in its state. */
function wait_up(ifindex: i32): Link | null {
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

/** A pair: its host's end is known by name and hardware address, both hashes of the attachment. */
class VethMade extends Effect {
  /** `pending`: this very call has not made it yet. */
  constructor(
    public pending: bool = false,
    /** Of the container's end; "" in a record of 0.1.0. */
    public mac: string = "",
  ) {
    super();
  }
  get word(): string {
    return "veth";
  }
  get waits(): bool {
    return this.pending;
  }
  write(into: JsonValue): void {
    into.append("mac", JsonValue.string(this.mac));
  }
  undo(site: Site, errors: CniError[]): bool {
    if (this.pending) return true;
    const before = errors.length;
    if (host_veth_del(site, errors) || errors.length > before) return errors.length == before;
    // The host's end is gone from here: whoever moved it left the container's. Another interface of
    // that name is somebody else's.
    if (site.ns == 0) return true;
    inside_own_del(site, site.ifname, "veth", this.mac, errors);
    return errors.length == before;
  }
}

/** Reads one. */
export function pair_read(from: JsonValue): VethMade {
  const mac = from.get("mac");
  return new VethMade(false, mac && mac.kind == Kind.String ? mac.text : "");
}

/**
 * DEL without a record: removes CNI_IFNAME from the container when it is a veth; both ends go. A
 * missing link is fine. Anything else of that name is somebody else's and stays, and so does what
 * by its record is another container's.
 */
export function veth_del(request: Request, errors: CniError[]): void {
  const env = request.env;
  const site = new Site(request.network, env.containerID, env.ifname);
  site.ns = request.netns;
  const gone = site.ns == 0 || inside_del(site, "veth", errors);
  // The namespace may live on where nobody finds it, held by a process or a mount.
  if (gone) host_veth_del(site, errors);
}

/** Whether the pair that an ADD of ours makes for this attachment is there, record or not. */
export function veth_is_ours(request: Request): bool {
  for (let salt = 0; salt < NAME_TRIES; salt++) {
    const link = link_get(HOST, name_from("veth", request.identity(`host${salt}`)));
    if (!link) return false;
    if (link.address == mac_from(request.identity(`host-mac${salt}`))) return true;
  }
  return false;
}

/**
 * Whether it is gone for certain: the kernel says that no link has any of the names that it may
 * have. One with another hardware address may be it, changed by somebody.
 */
export function veth_is_gone(request: Request): bool {
  for (let salt = 0; salt < NAME_TRIES; salt++) {
    if (link_get(HOST, name_from("veth", request.identity(`host${salt}`)))) return false;
    if (failure_errno != ENODEV) return false;
  }
  return true;
}

/**
 * Removes the host's end of an attachment's pair; false when there is none. The next salt was used
 * only if another link had the name, so the search ends at the first name that is free.
 */
function host_veth_del(site: Site, errors: CniError[]): bool {
  for (let salt = 0; salt < NAME_TRIES; salt++) {
    const name = name_from("veth", identity_of(site, `host${salt}`));
    const link = link_get(HOST, name);
    if (!link) {
      if (failure_errno != ENODEV) errors.push(os_error(`look for "${name}"`));
      return false;
    }
    if (link.kind != "veth" || link.address != mac_from(identity_of(site, `host-mac${salt}`))) {
      continue;
    }
    if (link_del(HOST, link.ifindex) < 0 && failure_errno != ENODEV) {
      errors.push(os_error(`remove "${name}"`));
    }
    return true;
  }
  return false;
}

/** What names and addresses of an attachment are hashed from. */
function identity_of(site: Site, part: string): string {
  return identity(site.network, site.containerID, site.ifname, part);
}
