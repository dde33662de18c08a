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
import { TUNING } from "../plugins/meta/tuning/restore";
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
    /** Ends with less keep it unless they have this, 0 for none: somebody may have chosen it. */
    public before_bytes: i32,
    public apply: bool,
  ) {}
  /** Whether an interface is to get the MTU. */
  means(now_bytes: i32): bool {
    if (now_bytes == this.mtu_bytes) return false;
    return now_bytes > this.mtu_bytes || now_bytes == this.before_bytes;
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

/** One end of a pair, and what it has by now. */
class End {
  now_bytes: i32;
  constructor(
    private ns: i32,
    public link: Link,
  ) {
    this.now_bytes = link.mtu_bytes;
  }
  /** Sets it; the error, "" when it is done or the pair is gone meanwhile. */
  set(mtu_bytes: i32): string {
    if (this.now_bytes == mtu_bytes) return "";
    const done = link_set_mtu(this.ns, this.link.ifindex, mtu_bytes) >= 0;
    if (!done && failure_errno != ENODEV) {
      return os_error(`set the MTU of "${this.link.name}" to ${mtu_bytes}`).toString();
    }
    this.now_bytes = mtu_bytes;
    return "";
  }
}

/**
 * Sets the ends that are meant, both or none; the error. The pod never sends what the node does not
 * take: its end shrinks first, and grows last.
 */
function set_both(container: End, host: End, wish: Wish): string {
  const shrinks = wish.mtu_bytes < container.now_bytes;
  const ends: End[] = shrinks ? [container, host] : [host, container];
  for (let i = 0; i < ends.length; i++) {
    if (!wish.means(ends[i].now_bytes)) continue;
    const error = ends[i].set(wish.mtu_bytes);
    if (error.length == 0) continue;
    const back = i > 0 ? ends[0].set(ends[0].link.mtu_bytes) : "";
    return back.length > 0 ? `${error}; ${back}` : error;
  }
  return "";
}

/** Whether a link in the container is the one that is recorded, before or after `tuning`. */
function is_recorded(record: Attachment, link: Link, mac: string): bool {
  if (link.kind != "veth") return false;
  if (link.address == mac) return true;
  // What `tuning` found before it gave the link another address.
  const index = noted(record, TUNING, "ifindex");
  return noted(record, TUNING, "mac") == mac && index == link.ifindex.toString();
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
  const ours = container !== null && is_recorded(record, container, mac);
  const host: Link | null = ours ? host_end(record, container!) : null;
  if (container && host) {
    const chosen = noted(record, TUNING, "mtu").length > 0;
    const inside = new End(entered.ns, container);
    const outside = new End(HOST, host);
    const error = wish.apply && !chosen ? set_both(inside, outside, wish) : "";
    made.append("mtu_bytes", JsonValue.number(container.mtu_bytes));
    made.append("host", JsonValue.string(host.name));
    made.append("host_bytes", JsonValue.number(host.mtu_bytes));
    const bridge: Link | null = host.master > 0 ? link_get_index(HOST, host.master) : null;
    if (bridge && bridge.kind == "bridge") {
      made.append("bridge", JsonValue.string(bridge.name));
      made.append("bridge_bytes", JsonValue.number(bridge.mtu_bytes));
    }
    made.append("chosen", JsonValue.bool(chosen));
    const kept = inside.now_bytes == container.mtu_bytes && outside.now_bytes == host.mtu_bytes;
    made.append("changed", JsonValue.bool(!kept));
    made.append("now_bytes", JsonValue.number(inside.now_bytes));
    made.append("host_now_bytes", JsonValue.number(outside.now_bytes));
    if (error.length > 0) made.append("error", JsonValue.string(error));
  }
  netns_close(entered.ns);
  return container && host ? made : null;
}

/**
 * `{"network", "mtu_bytes", "v6", "before_bytes"?, "apply"?}` gives `{"pods": [{"containerID",
 * "ifname", "netns", "mtu_bytes", "host", "host_bytes", "bridge"?, "bridge_bytes"?, "chosen",
 * "changed", "now_bytes", "host_now_bytes", "error"?}]}`: what each had before, and has now.
 * `bridge` is what the host's end is a port of, and its MTU afterwards: the kernel has it follow,
 * unless somebody set it. `chosen`: `tuning` of its chain set it, so it stays. `before_bytes`: of
 * ends with less only those that have exactly that are raised, without it none. `v6`: pods have
 * IPv6.
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
