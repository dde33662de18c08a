// SPDX-License-Identifier: Apache-2.0
// The task `pod_mtu`: the MTU of the interfaces of a network's pods, both ends of each veth pair,
// and on request what it ought to be. Only pairs that are ours by record and by both hardware
// addresses are touched: an interface of the same name is somebody else's.
import { netns_of } from "../attach/living";
import { Attachment, records_dir } from "../attach/record";
import { records, records_error } from "../attach/store";
import { failure_errno } from "../host/failure";
import { HOST, Link, link_get, link_get_index, link_set_mtu, netns_close } from "../host/kernel";
import { ENODEV } from "../lib/errno";
import { JsonValue, json_text } from "../lib/json";
import { mac_from } from "../lib/name";
import { Answer, refuse } from "../plugin/dispatch";
import { CniError, Code, os_error } from "../spec/error";
import { identity_of } from "../spec/request";
import { unreadable } from "./runtime/unreadable";

/** Below it an interface loses its IPv6 addresses at once (RFC 8200 section 5); that of IPv4. */
const LEAST_V6_BYTES = 1280;
const LEAST_V4_BYTES = 68;
/** As many names of the host's end are tried (net/veth.ts). */
const SALTS = 10;

/** What is asked for. */
class Wish {
  constructor(
    public mtu_bytes: i32,
    /** Pods with less keep it unless they have this, 0 for all of them: somebody chose it. */
    public before_bytes: i32,
    public apply: bool,
  ) {}
  /** Whether an interface is to get the MTU. */
  means(now_bytes: i32): bool {
    if (now_bytes == this.mtu_bytes) return false;
    if (now_bytes > this.mtu_bytes || this.before_bytes == 0) return true;
    return now_bytes == this.before_bytes;
  }
}

/** A member of an effect in the record, as text; "" when no effect of that word has it. */
function noted(record: Attachment, word: string, key: string): string {
  for (let i = 0; i < record.effects.length; i++) {
    if (record.effects[i].word != word) continue;
    const written = JsonValue.object();
    record.effects[i].write(written);
    const value = written.get(key);
    if (value) return value.text;
  }
  return "";
}

/** The host's end of a pair whose other end is in a container; null when it is not ours. */
function host_end(record: Attachment, container: Link): Link | null {
  const host = link_get_index(HOST, container.peer);
  if (!host || host.kind != "veth") return null;
  for (let salt = 0; salt < SALTS; salt++) {
    const part = `host-mac${salt}`;
    const identity = identity_of(record.network, record.containerID, record.ifname, part);
    if (host.address == mac_from(identity)) return host;
  }
  return null;
}

/** Sets one end; the error, "" when it is done or the pair is gone meanwhile. */
function set(ns: i32, link: Link, mtu_bytes: i32): string {
  if (link.mtu_bytes == mtu_bytes) return "";
  if (link_set_mtu(ns, link.ifindex, mtu_bytes) >= 0 || failure_errno == ENODEV) return "";
  return os_error(`set the MTU of "${link.name}" to ${mtu_bytes}`).toString();
}

/** Both ends; who sends less than the other takes loses nothing, so the sender shrinks first. */
function set_both(ns: i32, container: Link, host: Link, mtu_bytes: i32): string {
  if (mtu_bytes < container.mtu_bytes) {
    const error = set(ns, container, mtu_bytes);
    return error.length > 0 ? error : set(HOST, host, mtu_bytes);
  }
  const error = set(HOST, host, mtu_bytes);
  return error.length > 0 ? error : set(ns, container, mtu_bytes);
}

/** What is said of one pod; null for one that is gone, or has no pair. */
function pod(record: Attachment, wish: Wish): JsonValue | null {
  const mac = noted(record, "veth", "mac");
  if (mac.length == 0) return null;
  const made = JsonValue.object();
  made.append("containerID", JsonValue.string(record.containerID));
  made.append("ifname", JsonValue.string(record.ifname));
  made.append("netns", JsonValue.string(record.netns));
  const entered = netns_of(record);
  if (entered.ns == 0) {
    if (!entered.unknown) return null;
    made.append("error", JsonValue.string(`its namespace cannot be entered: ${entered.why}`));
    return made;
  }
  const container = link_get(entered.ns, record.ifname);
  const ours = container !== null && container.kind == "veth" && container.address == mac;
  const host: Link | null = ours ? host_end(record, container!) : null;
  if (container && host) {
    const chosen = noted(record, "tuning", "mtu").length > 0;
    const differs = wish.means(container.mtu_bytes) || wish.means(host.mtu_bytes);
    let error = "";
    if (differs && wish.apply && !chosen) {
      error = set_both(entered.ns, container, host, wish.mtu_bytes);
    }
    made.append("mtu_bytes", JsonValue.number(container.mtu_bytes));
    made.append("host", JsonValue.string(host.name));
    made.append("host_bytes", JsonValue.number(host.mtu_bytes));
    const bridge: Link | null = host.master > 0 ? link_get_index(HOST, host.master) : null;
    if (bridge && bridge.kind == "bridge") {
      made.append("bridge", JsonValue.string(bridge.name));
      made.append("bridge_bytes", JsonValue.number(bridge.mtu_bytes));
    }
    made.append("chosen", JsonValue.bool(chosen));
    const changed = differs && wish.apply && !chosen && error.length == 0;
    made.append("changed", JsonValue.bool(changed));
    if (error.length > 0) made.append("error", JsonValue.string(error));
  }
  netns_close(entered.ns);
  return container && host ? made : null;
}

/**
 * `{"network", "mtu_bytes", "v6", "before_bytes"?, "apply"?}` gives `{"pods": [{"containerID",
 * "ifname", "netns", "mtu_bytes", "host", "host_bytes", "bridge"?, "bridge_bytes"?, "chosen",
 * "changed", "error"?}]}`: what each had before. `bridge` is what the host's end is a port of, and
 * its MTU afterwards: the kernel has it follow, unless somebody set it. `chosen`: `tuning` of its
 * chain set it, so it stays. `before_bytes`: of those with less only who have exactly that are
 * raised. `v6`: pods have IPv6.
 */
export function pod_mtu(
  network: string,
  mtu_bytes: i32,
  v6: bool,
  before_bytes: i32,
  apply: bool,
): Answer {
  const least_bytes = v6 ? LEAST_V6_BYTES : LEAST_V4_BYTES;
  if (apply && mtu_bytes < least_bytes) {
    const msg = `pods of network "${network}" need ${least_bytes} bytes, and ${mtu_bytes} are left`;
    const details = "nothing was changed: give the link below a larger MTU";
    return refuse(new CniError(Code.InvalidConfig, msg, details), "");
  }
  const hidden = unreadable(records_dir(), "");
  if (hidden) return refuse(hidden, "");
  const list = records();
  if (!list) return refuse(records_error(), "");
  const wish = new Wish(mtu_bytes, before_bytes, apply);
  const pods = JsonValue.array();
  for (let i = 0; i < list.length; i++) {
    if (list[i].network != network) continue;
    const said = pod(list[i], wish);
    if (said) pods.push(said);
  }
  const made = JsonValue.object();
  made.append("pods", pods);
  return new Answer(json_text(made));
}
