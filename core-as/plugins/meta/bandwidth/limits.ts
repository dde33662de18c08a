// SPDX-License-Identifier: Apache-2.0
// What `bandwidth` made for an attachment and how it goes: the effect "bandwidth", or, without a
// record, by the names of ifbs. It refuses to remove what neither tells to be its own.
import { Effect, Site } from "../../../attach/effect";
import { failure_errno } from "../../../host/failure";
import { Bucket, HOST, link_del, link_get, link_get_index } from "../../../host/kernel";
import { ENODEV } from "../../../lib/errno";
import { JsonValue, Kind } from "../../../lib/json";
import { HostEnd, host_end } from "../../../net/peer";
import { CniError, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Hook, Ifb, Shaped } from "./shaper";

export const BANDWIDTH = "bandwidth";

/** The ifb of a request's attachment. */
export function ifb_of(request: Request): Ifb {
  return new Ifb(request.network, request.env.containerID, request.env.ifname);
}

/** A limit of an interface: where it is, what was to be made, and what was found there. */
export class Limited extends Effect {
  /** Of this very call: it takes back what it made and no more. */
  fresh: Shaped | null = null;
  /** `inside`: the interface lies in the container's namespace. */
  constructor(
    private inside: bool,
    private dev: string,
    private ifindex: i32,
    private root: Bucket | null,
    private hook: Hook | null,
  ) {
    super();
  }
  get word(): string {
    return BANDWIDTH;
  }
  write(into: JsonValue): void {
    into.append("inside", JsonValue.bool(this.inside));
    into.append("dev", JsonValue.string(this.dev));
    into.append("ifindex", JsonValue.number(this.ifindex));
    const root = this.root;
    if (root) {
      into.append("rate", JsonValue.number(root.rate));
      into.append("limit", JsonValue.number(root.limit));
      into.append("buffer", JsonValue.number(root.buffer));
    }
    const hook = this.hook;
    if (!hook) return;
    into.append("pref", JsonValue.number(hook.pref));
    into.append("ingressQdisc", JsonValue.bool(hook.make));
  }

  undo(site: Site, errors: CniError[]): bool {
    // What was in a namespace that is gone went with it.
    if (this.inside && site.ns == 0) return !site.unreached;
    const ns = this.inside ? site.ns : HOST;
    const before = errors.length;
    const link = link_get_index(ns, this.ifindex);
    if (!link && failure_errno != ENODEV) {
      errors.push(os_error(`look for "${this.dev}"`));
      return false;
    }
    const shaped = link && link.name == this.dev ? new Shaped(ns, link) : null;
    const ifb = new Ifb(site.network, site.containerID, site.ifname);
    const fresh = this.fresh;
    if (this.hook && (!fresh || fresh.ifb_made)) unlink(shaped, ns, ifb, this.hook, errors);
    const root = this.root;
    if (shaped && root && (!fresh || fresh.root_made)) shaped.root_remove(root, errors);
    return errors.length == before;
  }
}

function member(from: JsonValue, key: string): i64 {
  const value = from.get(key);
  return value && value.isInteger() ? value.integer() : 0;
}

/** Reads one; null when it is none. */
export function limited_read(from: JsonValue): Limited | null {
  const inside = from.get("inside");
  const dev = from.get("dev");
  const ifindex = member(from, "ifindex");
  if (!inside || !dev || dev.kind != Kind.String || ifindex > i32.MAX_VALUE) return null;
  let root: Bucket | null = null;
  const rate = member(from, "rate");
  if (rate > 0) {
    root = new Bucket(<u64>rate, <u32>member(from, "limit"), <u32>member(from, "buffer"));
  }
  let hook: Hook | null = null;
  const make = from.get("ingressQdisc");
  if (make) {
    const found = new Hook();
    found.pref = <i32>member(from, "pref");
    found.make = make.bool;
    hook = found;
  }
  return new Limited(inside.bool, dev.text, <i32>ifindex, root, hook);
}

/** Takes back what an ADD did that no record knows: the reference may have made it. */
export function limits_unrecorded(request: Request, errors: CniError[]): void {
  // What cannot be looked at now is left for another try: without its ifb nobody would know whose
  // a filter is.
  if (request.netns_unknown || request.network.length == 0) return;
  const ifb = ifb_of(request);
  const link = request.netns != 0 ? link_get(request.netns, request.env.ifname) : null;
  if (request.netns != 0 && !link && failure_errno != ENODEV) {
    errors.push(os_error(`look for "${request.env.ifname}"`));
    return;
  }
  const end = link ? host_end(link, null) : new HostEnd();
  const unseen = end.error;
  if (unseen) {
    errors.push(unseen);
    return;
  }
  const host = end.link;
  const outside = host ? new Shaped(HOST, host) : null;
  unlink(outside, HOST, ifb, null, errors);
  ifb.name = ifb.reference;
  ifb.address = "";
  unlink(outside, HOST, ifb, null, errors);
  if (request.netns == 0) return;
  const inside = link ? new Shaped(request.netns, link) : null;
  unlink(inside, request.netns, ifb_of(request), null, errors);
}

/** Removes an ifb, by name and address ("": any), and before it what leads there. */
function unlink(
  shaped: Shaped | null,
  ns: i32,
  ifb: Ifb,
  hook: Hook | null,
  errors: CniError[],
): void {
  let link = link_get(ns, ifb.name);
  if (!link && failure_errno != ENODEV) {
    errors.push(os_error(`look for "${ifb.name}"`));
    return;
  }
  // Another interface of this name is somebody else's.
  const address = ifb.address;
  if (link && link.kind != "ifb") link = null;
  if (link && address.length > 0 && link.address != address) link = null;
  const before = errors.length;
  if (shaped) shaped.redirect_del(link, hook, errors);
  // Without its ifb nobody would know whose a filter is that stayed.
  if (errors.length > before || !link) return;
  if (link_del(ns, link.ifindex) >= 0 || failure_errno == ENODEV) return;
  errors.push(os_error(`remove "${ifb.name}"`));
}
