// SPDX-License-Identifier: Apache-2.0
// The results of attachments that live, in libcni's own format and place (cniCacheV1, one file
// <cacheDir>/results/<network>-<containerID>-<ifname>), so that every runtime of a node knows of
// every attachment. Written at once, read with suspicion: after a power cut an entry may be empty,
// and nobody's broken entry may hold up a DEL.
import { failure_errno } from "../../host/failure";
import { dir_list, dir_make, file_read, file_remove, file_write } from "../../host/store";
import { base64_decode, base64_encode } from "../../lib/base64";
import { ENOENT } from "../../lib/errno";
import { JsonValue, json_parse, json_text, Kind } from "../../lib/json";
import { CniError, Code, os_error } from "../../spec/error";
import { Reader } from "../../spec/reader";
import { result_json, result_read } from "../../spec/result";
import { IMPLIED, version_supported } from "../../spec/version";
import { ConfigFile, config_parse } from "./conflist";

const KIND = "cniCacheV1";
/** A larger entry is none of libcni's: a result of a few KiB and its configuration. */
const LIMIT_BYTES = 8 << 20;

/** The key of an entry and what was passed when the attachment was made. */
export class CacheEntry {
  netns: string = "";
  /** CNI_ARGS, as `K=V;K=V`. */
  args: string = "";
  capabilities: JsonValue | null = null;
  /** The document that the chain gave, with its own cniVersion; null when it cannot be read. */
  result: JsonValue | null = null;
  /** The list the attachment was made with, as it lay on disk. */
  config: string = "";
  constructor(
    public network: string,
    public containerID: string,
    public ifname: string,
  ) {}

  path(dir: string): string {
    return `${dir}/results/${this.network}-${this.containerID}-${this.ifname}`;
  }
  /** Whether both are of one attachment: paths of two may be equal, as dashes join the three. */
  is(other: CacheEntry): bool {
    const same = this.network == other.network && this.containerID == other.containerID;
    return same && this.ifname == other.ifname;
  }
}

/**
 * Makes the folder of entries before anything is attached: an ADD without one is undone again. An
 * entry of that name which is another attachment's is an error.
 */
export function cache_ready(dir: string, key: CacheEntry): CniError | null {
  if (dir_make(`${dir}/results`) < 0) return os_error(`make ${dir}/results`, Code.Io);
  const cached = cache_read(dir, key);
  return cached.foreign ? cached.error : null;
}

/** Writes an entry. */
export function cache_write(dir: string, entry: CacheEntry): CniError | null {
  const object = JsonValue.object();
  object.append("kind", JsonValue.string(KIND));
  object.append("containerId", JsonValue.string(entry.containerID));
  object.append("config", JsonValue.string(base64_encode(entry.config)));
  object.append("ifName", JsonValue.string(entry.ifname));
  object.append("networkName", JsonValue.string(entry.network));
  object.append("netns", JsonValue.string(entry.netns));
  if (entry.args.length > 0) object.append("cniArgs", pairs(entry.args));
  const capabilities = entry.capabilities;
  if (capabilities) object.append("capabilityArgs", capabilities);
  const result = entry.result;
  if (result) object.append("result", result);
  const path = entry.path(dir);
  return file_write(path, json_text(object)) < 0 ? os_error(`write ${path}`, Code.Io) : null;
}

function pairs(args: string): JsonValue {
  const list = JsonValue.array();
  const parts = args.split(";");
  for (let i = 0; i < parts.length; i++) {
    const equals = parts[i].indexOf("=");
    if (equals < 0) continue;
    const pair = JsonValue.array();
    pair.push(JsonValue.string(parts[i].substring(0, equals)));
    pair.push(JsonValue.string(parts[i].substring(equals + 1)));
    list.push(pair);
  }
  return list;
}

/** How a look into the cache went: no entry and no error means that there is none. */
export class Cached {
  entry: CacheEntry | null = null;
  error: CniError | null = null;
  /** The entry under this name is of another attachment, which `error` names. */
  foreign: bool = false;
}

/** Looks an entry up. One that is there and cannot be used is an error that says so. */
export function cache_read(dir: string, key: CacheEntry): Cached {
  const cached = new Cached();
  const path = key.path(dir);
  const bytes = file_read(path, LIMIT_BYTES);
  if (!bytes) {
    if (failure_errno != ENOENT) cached.error = os_error(`read ${path}`, Code.Io);
    return cached;
  }
  const parsed = json_parse(bytes.ptr, bytes.len);
  if (parsed.failed || parsed.value.kind != Kind.Object) {
    const why = bytes.len == 0 ? "it is empty" : "it is not a JSON object";
    cached.error = new CniError(
      Code.Decode,
      `cannot use the cached result ${path}: ${why}; DEL removes it, a new ADD writes it again`,
      parsed.problem,
    );
    return cached;
  }
  const entry = entry_of(parsed.value, key);
  cached.foreign = !entry.is(key);
  if (!cached.foreign) cached.entry = entry;
  else {
    cached.error = new CniError(
      Code.InvalidConfig,
      `the name of the cached result ${path} is taken by "${entry.ifname}" of container ` +
        `${entry.containerID} on network "${entry.network}": choose another --container-id`,
    );
  }
  return cached;
}

function text_at(object: JsonValue, key: string, fallback: string): string {
  const value = object.get(key);
  return value && value.kind == Kind.String ? value.text : fallback;
}

function object_at(object: JsonValue, key: string): JsonValue | null {
  const value = object.get(key);
  return value && value.kind == Kind.Object ? value : null;
}

/** The entry of a document; one that is not of the kind is the bare result of an older libcni. */
function entry_of(object: JsonValue, key: CacheEntry): CacheEntry {
  const modern = text_at(object, "kind", "") == KIND;
  const network = modern ? text_at(object, "networkName", key.network) : key.network;
  const id = modern ? text_at(object, "containerId", key.containerID) : key.containerID;
  const ifname = modern ? text_at(object, "ifName", key.ifname) : key.ifname;
  const entry = new CacheEntry(network, id, ifname);
  if (!modern) {
    entry.result = object;
    return entry;
  }
  entry.netns = text_at(object, "netns", "");
  entry.result = object_at(object, "result");
  entry.capabilities = object_at(object, "capabilityArgs");
  const config = base64_decode(text_at(object, "config", ""));
  if (config) entry.config = config.toString();
  const args = object.get("cniArgs");
  if (args && args.kind == Kind.Array) entry.args = args_of(args);
  return entry;
}

function args_of(list: JsonValue): string {
  const parts = new Array<string>();
  for (let i = 0; i < list.items.length; i++) {
    const pair = list.items[i];
    if (pair.kind == Kind.Array && pair.items.length == 2) {
      parts.push(`${pair.items[0].text}=${pair.items[1].text}`);
    }
  }
  return parts.join(";");
}

/**
 * The list that the attachment was made with, as if it still lay in the folder, where its drop-in
 * files may be; null when the entry does not have it.
 */
export function cached_config(entry: CacheEntry, confDir: string): ConfigFile | null {
  if (entry.config.length == 0) return null;
  const bytes = String.UTF8.encode(entry.config);
  const file = new ConfigFile(`${confDir}/cached ${entry.network}.conflist`);
  return config_parse(file, changetype<usize>(bytes), bytes.byteLength);
}

/** The result of an entry in another version; null when there is none or it cannot be had so. */
export function cached_result(entry: CacheEntry, version: string): JsonValue | null {
  const document = entry.result;
  if (!document) return null;
  const own = text_at(document, "cniVersion", IMPLIED);
  if (!version_supported(own)) return null;
  const reader = new Reader(json_parse(0, 0));
  const result = result_read(reader, document.placeless(), own);
  return reader.error ? null : result_json(result, version);
}

/** Removes an entry; one that is not there is fine, and so is one of another attachment. */
export function cache_remove(dir: string, key: CacheEntry): CniError | null {
  if (cache_read(dir, key).foreign) return null;
  const path = key.path(dir);
  if (file_remove(path) >= 0 || failure_errno == ENOENT) return null;
  return os_error(`remove ${path}`, Code.Io);
}

/**
 * The entries of a network, of all for "". What cannot be read, and what is not of the kind, is
 * passed over.
 */
export function cache_list(dir: string, network: string): CacheEntry[] {
  const entries = new Array<CacheEntry>();
  const names = dir_list(`${dir}/results`);
  if (!names) return entries;
  for (let i = 0; i < names.length; i++) {
    // A network's name may begin with another's and a dash: the entry itself tells.
    if (network.length > 0 && !names[i].startsWith(`${network}-`)) continue;
    const bytes = file_read(`${dir}/results/${names[i]}`, LIMIT_BYTES);
    if (!bytes) continue;
    const parsed = json_parse(bytes.ptr, bytes.len);
    if (parsed.failed || parsed.value.kind != Kind.Object) continue;
    if (text_at(parsed.value, "kind", "") != KIND) continue;
    const entry = entry_of(parsed.value, new CacheEntry("", "", ""));
    const named = `${entry.network}-${entry.containerID}-${entry.ifname}`;
    const wanted = network.length == 0 || entry.network == network;
    if (wanted && named == names[i]) entries.push(entry);
  }
  return entries;
}
