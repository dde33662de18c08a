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

/** A link known by its kind and hardware address; "" for any address. */
export class Inside extends Effect {
  /** This very call has not made it yet. */
  private pending: bool = false;
  /** The name that it has before it gets its own; "" when it has that from the start. */
  born: string = "";

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
    if (this.born.length > 0) into.append("born", JsonValue.string(this.born));
  }
  undo(site: Site, errors: CniError[]): bool {
    if (this.pending) return true;
    if (site.ns == 0) return !site.unreached;
    const before = errors.length;
    inside_own_del(site, site.ifname, this.made_as, this.mac, errors);
    if (this.born.length > 0) inside_own_del(site, this.born, this.made_as, this.mac, errors);
    return errors.length == before;
  }

  /** Notes it before it is made, with its hardware address: "" for whatever it gets. */
  note(adding: Adding, mac: string): void {
    this.mac = mac;
    this.pending = true;
    adding.note(this);
  }
  /** It is made now; gives it, null and the failure noted when it cannot be read. */
  made(adding: Adding): Link | null {
    this.pending = false;
    const name = this.born.length > 0 ? this.born : adding.request.env.ifname;
    return link_get(adding.request.netns, name);
  }
}

/** Reads one; null when it is none. */
export function inside_read(from: JsonValue): Inside | null {
  const kind = from.text_at("kind");
  if (kind.length == 0) return null;
  const inside = new Inside(kind, from.text_at("mac"));
  inside.born = from.text_at("born");
  return inside;
}

/** The hardware address of an attachment's link: a hash. */
export function inside_mac(adding: Adding): string {
  return mac_from(adding.request.identity("container"));
}

/** DEL without a record: removes CNI_IFNAME when it is of that kind: see `inside_del`. */
export function inside_unrecorded(request: Request, kind: string, errors: CniError[]): void {
  const env = request.env;
  const site = new Site(request.network, env.containerID, env.ifname);
  site.ns = request.netns;
  if (site.ns != 0) inside_del(site, kind, errors);
}

/**
 * Removes CNI_IFNAME when it is of that kind; false when there was any. A missing one is fine.
 * Anything else of that name is somebody else's and stays, and so does what by its record is
 * another container's.
 */
export function inside_del(site: Site, kind: string, errors: CniError[]): bool {
  if (held_by_other(site)) return true;
  const link = inside_find(site, site.ifname, errors);
  if (!link) return true;
  if (link.kind == kind) remove(site, link, errors);
  else {
    errors.push(
      new CniError(
        Code.Kernel,
        `interface "${site.ifname}" of ${site.containerID} is no ${kind}, so it was not made ` +
          "here: it stays, remove it by hand if it is to go",
      ),
    );
  }
  return false;
}

/** Removes what a record says is there; another link of that name is left. `mac`: "" for any. */
export function inside_own_del(
  site: Site,
  name: string,
  kind: string,
  mac: string,
  errors: CniError[],
): void {
  const link = inside_find(site, name, errors);
  const same = link !== null && link.kind == kind && (mac.length == 0 || link.address == mac);
  if (link && same && !held_by_other(site)) remove(site, link, errors);
}

function inside_find(site: Site, name: string, errors: CniError[]): Link | null {
  const link = link_get(site.ns, name);
  if (!link && failure_errno != ENODEV) errors.push(os_error(`look for "${name}"`));
  return link;
}

function remove(site: Site, link: Link, errors: CniError[]): void {
  if (link_del(site.ns, link.ifindex) < 0 && failure_errno != ENODEV) {
    errors.push(os_error(`remove "${link.name}" of ${site.containerID}`));
  }
}
