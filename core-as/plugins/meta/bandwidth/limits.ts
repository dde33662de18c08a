// What `bandwidth` made for an attachment and how it goes: by its record, or, when there is none,
// by the names of ifbs. It refuses to remove what neither tells to be its own.
import { failure_errno } from "../../../host/failure";
import { Bucket, HOST, link_del, link_get, link_get_index } from "../../../host/kernel";
import { ENODEV } from "../../../lib/errno";
import { JsonValue } from "../../../lib/json";
import { HostEnd, host_end } from "../../../net/peer";
import {
  file_drop,
  record_bool,
  record_number,
  record_of,
  record_path,
  record_read,
  record_text,
  record_write,
} from "../../../net/record";
import { CniError, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Undo } from "../../../undo";
import { Hook, Ifb, Shaped } from "./shaper";

export const BANDWIDTH = "bandwidth";

/** The ifb of a request's attachment. */
export function ifb_of(request: Request): Ifb {
  return new Ifb(request.network, request.env.containerID, request.env.ifname);
}

/** Writes down what will be made, before it is. A second limit of one chain adds to the first. */
export function limits_record(
  request: Request,
  shaped: Shaped,
  root: Bucket | null,
  hook: Hook | null,
  undo: Undo,
): CniError | null {
  const looked = record_read(BANDWIDTH, request);
  const earlier = looked.found;
  if (looked.error) return looked.error;
  const link = shaped.link;
  const record = record_of(request);
  record.append("netns", JsonValue.string(request.env.netns));
  record.append("inside", JsonValue.bool(shaped.ns != HOST));
  record.append("dev", JsonValue.string(link.name));
  record.append("ifindex", JsonValue.number(link.ifindex));
  if (root) {
    record.append("rate", JsonValue.number(root.rate));
    record.append("limit", JsonValue.number(root.limit));
    record.append("buffer", JsonValue.number(root.buffer));
  }
  if (hook) {
    record.append("pref", JsonValue.number(hook.pref));
    record.append("ingressQdisc", JsonValue.bool(hook.make));
  }
  if (earlier && of_the_same(earlier, record)) {
    for (let i = 0; i < earlier.items.length; i++) {
      if (!record.get(earlier.keys[i])) record.append(earlier.keys[i], earlier.items[i]);
    }
  }
  return record_write(BANDWIDTH, request, record, undo);
}

/** Whether two records are of one interface. */
function of_the_same(one: JsonValue, other: JsonValue): bool {
  return (
    record_text(one, "netns") == record_text(other, "netns") &&
    record_text(one, "dev") == record_text(other, "dev") &&
    record_number(one, "ifindex") == record_number(other, "ifindex")
  );
}

function forget(record: JsonValue, errors: CniError[]): void {
  const containerID = record_text(record, "containerID");
  file_drop(record_path(BANDWIDTH, containerID, record_text(record, "ifname")), errors);
}

/** A number of a record that may have 64 bits, 0 when it has none. */
function wide(record: JsonValue, key: string): u64 {
  const value = record.get(key);
  return value && value.isInteger() ? <u64>value.integer() : 0;
}

/** Takes back what an ADD did, by its record where there is one. */
export function limits_undo(request: Request, errors: CniError[]): void {
  const before = errors.length;
  const looked = record_read(BANDWIDTH, request);
  const unread = looked.error;
  const record = looked.found;
  if (unread) errors.push(unread);
  if (record) {
    undo_recorded(record, request.netns, errors);
    if (errors.length == before && !request.netns_unknown) forget(record, errors);
    return;
  }
  // What cannot be looked at now is left for another try: without its ifb nobody would know whose
  // a filter is.
  if (errors.length > before || request.netns_unknown || request.network.length == 0) return;
  // Nothing says where, nor who made it: the reference may have.
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
  unlink(
    link ? new Shaped(request.netns, link) : null,
    request.netns,
    ifb_of(request),
    null,
    errors,
  );
}

/** Takes back what an attachment left whose namespace is gone. */
export function limits_forget(record: JsonValue, errors: CniError[]): void {
  const before = errors.length;
  undo_recorded(record, 0, errors);
  if (errors.length == before) forget(record, errors);
}

/** `netns`: the container's, 0 when it is gone, and with it what was in it. */
function undo_recorded(record: JsonValue, netns: i32, errors: CniError[]): void {
  const inside = record_bool(record, "inside") == 1;
  if (inside && netns == 0) return;
  const ns = inside ? netns : HOST;
  const dev = record_text(record, "dev");
  const link = link_get_index(ns, record_number(record, "ifindex"));
  if (!link && failure_errno != ENODEV) {
    errors.push(os_error(`look for "${dev}"`));
    return;
  }
  let shaped: Shaped | null = null;
  if (link && link.name == dev) shaped = new Shaped(ns, link);
  const ifb = new Ifb(
    record_text(record, "network"),
    record_text(record, "containerID"),
    record_text(record, "ifname"),
  );
  const hook = new Hook();
  hook.pref = record_number(record, "pref");
  hook.make = record_bool(record, "ingressQdisc") == 1;
  if (hook.pref > 0) unlink(shaped, ns, ifb, hook, errors);
  const rate = wide(record, "rate");
  if (!shaped || rate == 0) return;
  const bucket = new Bucket(rate, <u32>wide(record, "limit"), <u32>wide(record, "buffer"));
  shaped.root_remove(bucket, errors);
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
