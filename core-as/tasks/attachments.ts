// SPDX-License-Identifier: Apache-2.0
// The task `attachments`: what is attached on this node, by our records and by the results that
// runtimes keep, so that those are seen too which another plugin wired. It changes nothing.
import { Life, life_of } from "../attach/living";
import { Attachment, records_dir } from "../attach/record";
import { records, records_error } from "../attach/store";
import { file_mtime } from "../host/store";
import { JsonValue, json_text } from "../lib/json";
import { Answer, refuse } from "../plugin/dispatch";
import { CacheEntry, cache_list } from "./runtime/cache";
import { inhabited } from "./runtime/sandbox";
import { unreadable } from "./runtime/unreadable";

function member(object: JsonValue, key: string, text: string): void {
  object.append(key, JsonValue.string(text));
}

function identity(network: string, containerID: string, ifname: string, netns: string): JsonValue {
  const item = JsonValue.object();
  member(item, "network", network);
  member(item, "containerID", containerID);
  member(item, "ifname", ifname);
  member(item, "netns", netns);
  return item;
}

/** The addresses of a result of any version, as it lies in the cache. */
function addresses(result: JsonValue | null): JsonValue {
  const list = JsonValue.array();
  if (!result) return list;
  const ips = result.get("ips");
  for (let i = 0; ips !== null && i < ips.items.length; i++) {
    list.push(JsonValue.string(ips.items[i].text_at("address")));
  }
  const old: string[] = ["ip4", "ip6"];
  for (let i = 0; i < old.length; i++) {
    const one = result.get(old[i]);
    if (one) list.push(JsonValue.string(one.text_at("ip")));
  }
  return list;
}

const LIVES: string[] = ["gone", "lives", "unknown"];

function recorded(record: Attachment, cached: CacheEntry | null): JsonValue {
  const item = identity(record.network, record.containerID, record.ifname, record.netns);
  member(item, "state", LIVES[<i32>life_of(record)]);
  item.append("addresses", addresses(cached ? cached.result : null));
  member(item, "since_s", file_mtime(record.path));
  const effects = JsonValue.array();
  for (let i = 0; i < record.effects.length; i++) {
    effects.push(JsonValue.string(record.effects[i].word));
  }
  item.append("effects", effects);
  return item;
}

function foreign(entry: CacheEntry): JsonValue {
  const item = identity(entry.network, entry.containerID, entry.ifname, entry.netns);
  member(item, "state", inhabited(entry.netns) ? "lives" : "gone");
  item.append("addresses", addresses(entry.result));
  return item;
}

/**
 * `{"attachments": [{"network", "containerID", "ifname", "netns", "state", "addresses", "since_s",
 * "effects"}], "foreign": [{… without the last two}]}`: `state` is `lives`, `gone` or `unknown`,
 * `since_s` seconds of Unix time as text, "" when unknown;
 * `foreign` are those in the cache below `cacheDir` of which we have no record.
 */
export function attachments(network: string, cacheDir: string): Answer {
  const hidden = unreadable(records_dir(), "");
  if (hidden) return refuse(hidden, "");
  const list = records();
  if (!list) return refuse(records_error(), "");
  const cached = cache_list(cacheDir, network);
  const known = new Map<string, CacheEntry>();
  for (let i = 0; i < cached.length; i++) {
    known.set(`${cached[i].network} ${cached[i].containerID} ${cached[i].ifname}`, cached[i]);
  }
  const ours = JsonValue.array();
  for (let i = 0; i < list.length; i++) {
    const one = list[i];
    if (network.length > 0 && one.network != network) continue;
    const key = `${one.network} ${one.containerID} ${one.ifname}`;
    ours.push(recorded(one, known.has(key) ? known.get(key) : null));
    known.delete(key);
  }
  const others = JsonValue.array();
  const rest = known.values();
  for (let i = 0; i < rest.length; i++) others.push(foreign(rest[i]));
  const made = JsonValue.object();
  made.append("attachments", ours);
  made.append("foreign", others);
  return new Answer(json_text(made));
}
