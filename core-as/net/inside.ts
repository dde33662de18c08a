// SPDX-License-Identifier: Apache-2.0
// The link of an attachment in the container's namespace, of whatever kind: knowing it, taking it
// away. Its effect "link" is that of one made there and nowhere else. How a kind is made is its
// type's.
import { Adding } from "../attach/adding";
import { Effect, Site } from "../attach/effect";
import { held_by_other } from "../attach/living";
import { failure_errno } from "../host/failure";
import { Link, link_del, link_get } from "../host/kernel";
import { ENODEV } from "../lib/errno";
import { JsonValue } from "../lib/json";
import { mac_from } from "../lib/name";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";

/** A link known by its kind and hardware address, the latter a hash of the attachment. */
export class Inside extends Effect {
  /** This very call has not made it yet. */
  private pending: bool = false;

  constructor(
    private made_as: string,
    public mac: string = "",
  ) {
    super();
  }
  get word(): string {
    return "link";
  }
  get waits(): bool {
    return this.pending;
  }
  write(into: JsonValue): void {
    into.append("kind", JsonValue.string(this.made_as));
    into.append("mac", JsonValue.string(this.mac));
  }
  undo(site: Site, errors: CniError[]): bool {
    if (this.pending) return true;
    if (site.ns == 0) return !site.unreached;
    const before = errors.length;
    inside_own_del(site, this.made_as, this.mac, errors);
    return errors.length == before;
  }

  /** Notes it before it is made, with `mac`. */
  note(adding: Adding): void {
    this.mac = mac_from(adding.request.identity("container"));
    this.pending = true;
    adding.note(this);
  }
  /** It is made now; gives it, null and the failure noted when it cannot be read. */
  made(adding: Adding): Link | null {
    this.pending = false;
    return link_get(adding.request.netns, adding.request.env.ifname);
  }
}

/** Reads one; null when it is none. */
export function inside_read(from: JsonValue): Inside | null {
  const kind = from.text_at("kind");
  return kind.length > 0 ? new Inside(kind, from.text_at("mac")) : null;
}

/** DEL without a record: removes CNI_IFNAME when it is of that kind: see `inside_del`. */
export function inside_unrecorded(request: Request, kind: string, errors: CniError[]): void {
  const env = request.env;
  const site = new Site(request.network, env.containerID, env.ifname);
  site.ns = request.netns;
  if (site.ns != 0) inside_del(site, kind, errors);
}

/**
 * Removes a link of that name and kind; false when there was any. A missing one is fine. Anything
 * else of that name is somebody else's and stays, and so does what by its record is another
 * container's.
 */
export function inside_del(site: Site, kind: string, errors: CniError[]): bool {
  if (held_by_other(site)) return true;
  const link = link_get(site.ns, site.ifname);
  if (!link) {
    if (failure_errno != ENODEV) errors.push(os_error(`look for "${site.ifname}"`));
    return true;
  }
  if (link.kind != kind) {
    errors.push(
      new CniError(
        Code.Kernel,
        `interface "${site.ifname}" of ${site.containerID} is no ${kind}, so it was not made ` +
          "here: it stays, remove it by hand if it is to go",
      ),
    );
  } else if (link_del(site.ns, link.ifindex) < 0 && failure_errno != ENODEV) {
    errors.push(os_error(`remove "${site.ifname}" of ${site.containerID}`));
  }
  return false;
}

/** Removes what a record says is there; another link of that name is left. `mac`: "" for any. */
export function inside_own_del(site: Site, kind: string, mac: string, errors: CniError[]): void {
  const link = link_get(site.ns, site.ifname);
  if (link) {
    const same = mac.length == 0 || link.address == mac;
    if (link.kind == kind && same) inside_del(site, kind, errors);
  } else if (failure_errno != ENODEV) errors.push(os_error(`look for "${site.ifname}"`));
}
