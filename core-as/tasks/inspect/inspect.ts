// SPDX-License-Identifier: Apache-2.0
// The task `inspect`: all that is known of attachments that a word names, and what of it is there
// now. It changes nothing; the lock of an attachment it only tries, to tell one that is worked on.
import { netns_of } from "../../attach/living";
import { Attachment, record_parse, records_dir } from "../../attach/record";
import { is_here, LOCK_NOW_MS, Lock, records_error } from "../../attach/store";
import { failure_errno } from "../../host/failure";
import { addr_list, HOST, link_get, netns_close } from "../../host/kernel";
import { file_list, file_mtime } from "../../host/store";
import { ENOENT } from "../../lib/errno";
import { JsonValue, json_text } from "../../lib/json";
import { name_from } from "../../lib/name";
import { Answer, refuse } from "../../plugin/dispatch";
import { Environment } from "../../spec/environment";
import { CniError, Code } from "../../spec/error";
import { identity_of } from "../../spec/request";
import { CacheEntry, cache_list } from "../runtime/cache";
import { inhabited } from "../runtime/sandbox";
import { unreadable } from "../runtime/unreadable";
import { look } from "./looks";
import { Place, Seen, Whose } from "./seen";

/** So short a beginning of an id names no container. */
const PREFIX_MIN = 4;
/** Names of a host's end that are tried before an ADD gives up (net/veth.ts). */
const NAMES = 10;

function member(object: JsonValue, key: string, text: string): void {
  object.append(key, JsonValue.string(text));
}

/** The addresses of a result, without their lengths when `bare`. */
function addresses_of(entry: CacheEntry | null): string[] {
  const found = new Array<string>();
  const result = entry ? entry.result : null;
  const ips = result ? result.get("ips") : null;
  for (let i = 0; ips !== null && i < ips.items.length; i++) {
    found.push(ips.items[i].text_at("address"));
  }
  return found;
}

function bare(address: string): string {
  const slash = address.indexOf("/");
  return slash < 0 ? address : address.substring(0, slash);
}

function has_address(list: string[], wanted: string): bool {
  for (let i = 0; i < list.length; i++) if (bare(list[i]) == bare(wanted)) return true;
  return false;
}

/** Whether a word names an attachment by what it is called. */
function named(what: string, network: string, containerID: string, ifname: string): bool {
  if (what == network || what == containerID || what == `${containerID}:${ifname}`) return true;
  return what.length >= PREFIX_MIN && containerID.startsWith(what);
}

/** Whether a link of the host has the name of the host's end of a pair of this attachment. */
function is_end(what: string, one: Attachment): bool {
  for (let salt = 0; salt < NAMES; salt++) {
    const identity = identity_of(one.network, one.containerID, one.ifname, `host${salt}`);
    if (what == name_from("veth", identity)) return true;
  }
  return false;
}

/** An attachment that is looked at. */
class Look {
  place: Place;
  addresses: string[] = [];
  private entered: i32 = 0;
  private there: bool = false;

  constructor(
    private one: Attachment,
    cached: CacheEntry | null,
  ) {
    this.place = new Place(one.netns, one.ifname);
    const entered = netns_of(one);
    this.entered = entered.ns;
    this.place.ns = entered.ns;
    if (entered.unknown) this.place.why = entered.why.length > 0 ? entered.why : "cannot enter it";
    this.addresses = addresses_of(cached);
    const link = entered.ns > 0 ? link_get(entered.ns, one.ifname) : null;
    this.there = link !== null;
    const now = link ? addr_list(entered.ns, link.ifindex) : null;
    const told = this.addresses.length > 0;
    for (let i = 0; now !== null && !told && i < now.length; i++) {
      if (!now[i].address.startsWith("fe80:")) this.addresses.push(now[i].address);
    }
  }
  close(): void {
    if (this.entered > 0) netns_close(this.entered);
  }
  /** Its state in the words of ls, and `busy` while a call works on it. */
  get state(): string {
    const lock = new Lock();
    const taken = lock.take(this.one.name, new Environment(0, 0), false, LOCK_NOW_MS);
    const error = lock.error;
    lock.release();
    if (!taken && error !== null && error.code == Code.TryAgainLater) return "busy";
    if (this.place.why.length > 0) return "unknown";
    return this.there ? "lives" : "gone";
  }

  json(): JsonValue {
    const one = this.one;
    const item = identity(one.network, one.containerID, one.ifname, one.netns);
    member(item, "state", this.state);
    if (this.place.why.length > 0) member(item, "why", this.place.why);
    item.append("addresses", texts(this.addresses));
    member(item, "since_s", file_mtime(one.path));
    member(item, "record", one.path);
    item.append("effects", this.effects());
    return item;
  }

  private effects(): JsonValue {
    const one = this.one;
    const whose = new Whose(one.network, one.containerID, one.ifname, one.tag, this.addresses);
    const list = JsonValue.array();
    for (let i = 0; i < one.effects.length; i++) {
      const effect = one.effects[i];
      const members = JsonValue.object();
      effect.write(members);
      const seen = look(effect.word, members, whose, this.place);
      for (let k = 0; k < seen.length; k++) list.push(seen[k].json(effect.word, effect.by));
    }
    return list;
  }
}

function texts(list: string[]): JsonValue {
  const made = JsonValue.array();
  for (let i = 0; i < list.length; i++) made.push(JsonValue.string(list[i]));
  return made;
}

function identity(network: string, containerID: string, ifname: string, netns: string): JsonValue {
  const item = JsonValue.object();
  member(item, "network", network);
  member(item, "containerID", containerID);
  member(item, "ifname", ifname);
  member(item, "netns", netns);
  return item;
}

/** What a runtime keeps of an attachment that has no record of ours. */
function foreign(entry: CacheEntry): JsonValue {
  const item = identity(entry.network, entry.containerID, entry.ifname, entry.netns);
  member(item, "state", inhabited(entry.netns) ? "lives" : "gone");
  item.append("addresses", texts(addresses_of(entry)));
  const place = new Place(entry.netns, entry.ifname);
  const seen = new Seen(`${entry.ifname} in ${entry.netns}`).by(place.run("ip", "address show"));
  item.append("show", texts(seen.show));
  return item;
}

/** A record that cannot be told, or is not to be believed. */
function odd(name: string, why: string): JsonValue {
  const item = JsonValue.object();
  member(item, "record", `${records_dir()}/${name}`);
  member(item, "why", why);
  return item;
}

/**
 * `{"attachments": [{"network", "containerID", "ifname", "netns", "state", "why"?, "addresses",
 * "since_s", "record", "effects": [{"effect", "by", "what", "state", "why"?, "show"}]}], "foreign":
 * [{…, "addresses", "show"}], "odd": [{"record", "why"}]}`: those that `what` names, a container id
 * or its beginning, a network, an address, or the host's end of a pair. `state` is that of ls, or
 * `busy`; of an effect it is `there`, `changed`, `gone` or `unknown`.
 */
export function inspect(what: string, cacheDir: string): Answer {
  const hidden = unreadable(records_dir(), "");
  if (hidden) return refuse(hidden, "");
  const files = file_list(records_dir());
  if (!files && failure_errno != ENOENT) return refuse(records_error(), "");
  const cached = new Map<string, CacheEntry>();
  const entries = cache_list(cacheDir, "");
  for (let i = 0; i < entries.length; i++) {
    cached.set(`${entries[i].network} ${entries[i].containerID} ${entries[i].ifname}`, entries[i]);
  }
  const ours = JsonValue.array();
  const strange = JsonValue.array();
  for (let i = 0; files !== null && i < files.length; i++) {
    const content = files[i].content;
    const one = content !== null ? record_parse(files[i].name, content) : null;
    if (!one) {
      if (named(what, "", files[i].name.split(":")[0], "")) {
        strange.push(odd(files[i].name, "it is no record: the next DEL removes it"));
      }
      continue;
    }
    const key = `${one.network} ${one.containerID} ${one.ifname}`;
    const entry: CacheEntry | null = cached.has(key) ? cached.get(key) : null;
    cached.delete(key);
    const by_name = named(what, one.network, one.containerID, one.ifname) || is_end(what, one);
    if (!is_here(one)) {
      if (by_name)
        strange.push(odd(files[i].name, "it is of another network namespace of the host"));
      continue;
    }
    const looked = new Look(one, entry);
    if (by_name || has_address(looked.addresses, what)) ours.push(looked.json());
    looked.close();
  }
  const others = JsonValue.array();
  const rest = cached.values();
  for (let i = 0; i < rest.length; i++) {
    const one = rest[i];
    const fits = named(what, one.network, one.containerID, one.ifname);
    if (fits || has_address(addresses_of(one), what)) others.push(foreign(one));
  }
  if (ours.items.length + others.items.length + strange.items.length == 0) {
    return refuse(nothing(what), "");
  }
  const made = JsonValue.object();
  made.append("attachments", ours);
  made.append("foreign", others);
  made.append("odd", strange);
  return new Answer(json_text(made));
}

function nothing(what: string): CniError {
  const link = link_get(HOST, what);
  const msg = link
    ? `the link "${what}" of the host is no attachment's that has a record: see ip -d link show`
    : `no attachment of this node is named "${what}": "fairlead ls" lists them`;
  return new CniError(Code.Io, msg);
}
