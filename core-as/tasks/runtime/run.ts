// SPDX-License-Identifier: Apache-2.0
// The runtime's side of CNI (spec 1.1.0 section 3; libcni): one verb over one network. A list is
// served as the type `fairlead` serves its own: our types inside this instance, foreign ones
// executed, prevResult passed on, one undo. It owns the cache's part in it and which attachments
// are still valid, and knows no plugin's keys.
import { attachments_live } from "../../attach/living";
import { records_dir } from "../../attach/record";
import { records_error } from "../../attach/store";
import { log } from "../../host/store";
import { JsonValue, json_parse, json_text, Kind } from "../../lib/json";
import { nearest } from "../../lib/nearest";
import { Utf8 } from "../../lib/utf8";
import { Answer, del, Last, perform, refuse } from "../../plugin/dispatch";
import { Fused } from "../../plugins/main/fairlead/fairlead";
import { Environment } from "../../spec/environment";
import { CniError, Code, join_errors, os_error } from "../../spec/error";
import { Reader } from "../../spec/reader";
import { Request } from "../../spec/request";
import { version_before } from "../../spec/version";
import {
  CacheEntry,
  cache_list,
  cache_read,
  cache_ready,
  cache_remove,
  cache_write,
  cached_config,
  cached_result,
} from "./cache";
import { NetworkList, network_of } from "./conflist";
import { network_find } from "./discover";
import { inhabited } from "./sandbox";
import { unreadable } from "./unreadable";
import { words_of_hand } from "./words";

/** One verb and what it is about. */
export class Task {
  network: string = "";
  confDir: string = "";
  cacheDir: string = "";
  /** CNI_PATH. */
  path: string = "";
  containerID: string = "";
  netns: string = "";
  /** Another spelling of the same path, and the id that it gives; empty for none. */
  otherNetns: string = "";
  otherID: string = "";
  ifname: string = "";
  args: string = "";
  /** Values by capability, null when the caller gave none. */
  capabilities: JsonValue | null = null;
  /** Whether each of them must be heard: a person named them. Else one that is not is told. */
  insists: bool = false;
  /** GC: the attachments that are valid, null to find out. */
  valid: JsonValue | null = null;
  constructor(public command: string) {}

  get key(): CacheEntry {
    return new CacheEntry(this.network, this.containerID, this.ifname);
  }

  /** Goes by the other spelling of the namespace when the attachment was made under that. */
  settle(): void {
    if (this.otherID.length == 0 || cache_read(this.cacheDir, this.key).entry) return;
    const other = new CacheEntry(this.network, this.otherID, this.ifname);
    if (!cache_read(this.cacheDir, other).entry) return;
    this.containerID = this.otherID;
    this.netns = this.otherNetns;
  }
}

/** The environment of a task's plugins. */
function environment(task: Task, entry: CacheEntry): Environment {
  const env = new Environment(0, 0);
  env.command = task.command;
  env.path = task.path;
  env.containerID = entry.containerID;
  env.ifname = entry.ifname;
  env.netns = entry.netns;
  env.args = entry.args;
  return env;
}

/** The call of the chain: the list as a configuration of the type `fairlead`. */
function request_of(list: NetworkList, env: Environment): Request {
  const request = new Request("fairlead", env);
  const plugins = JsonValue.array();
  for (let i = 0; i < list.plugins.length; i++) {
    const plugin = list.plugins[i];
    // A drop-in's place is in another file than the one asked for positions.
    plugins.push(i < list.inlined ? plugin : plugin.placeless());
  }
  const config = JsonValue.object();
  config.append("cniVersion", JsonValue.string(list.cniVersion));
  config.append("name", JsonValue.string(list.name));
  config.append("plugins", plugins);
  request.document = list.file.document;
  request.reader = new Reader(list.file.document, list.path);
  request.config = config;
  request.version = list.cniVersion;
  request.network = list.name;
  return request;
}

/** Serves ADD, CHECK, DEL, GC or STATUS of a network; its errors are in words for a person. */
export function run(task: Task): Answer {
  const answer = serve(task);
  return answer.failed ? new Answer(words_of_hand(answer.text), answer.error) : answer;
}

function serve(task: Task): Answer {
  task.settle();
  const found = network_find(task.confDir, task.network);
  let list = found.list;
  let problem = found.error;
  if (problem && task.command == "DEL") {
    list = list_of_cache(task, problem);
    if (list) problem = null;
  }
  if (problem) return refuse(problem, "");
  if (!list) {
    return refuse(new CniError(Code.Internal, "a search gave neither network nor error"), "");
  }
  if (task.command == "GC") return collect(task, list);
  if (task.command == "STATUS") return status(task, list);
  const entry = task.key;
  entry.netns = task.netns;
  entry.args = task.args;
  entry.capabilities = task.capabilities;
  const env = environment(task, entry);
  const wrong = env.problem();
  if (wrong) return refuse(wrong, list.cniVersion);
  if (task.command == "ADD") return add(task, list, entry);
  if (task.command == "CHECK") return check(task, list, entry);
  return remove(task, list, entry);
}

/** A network whose file was removed or broken while a container was attached. */
function list_of_cache(task: Task, problem: CniError): NetworkList | null {
  const entry = cache_read(task.cacheDir, task.key).entry;
  if (!entry) return null;
  const file = cached_config(entry, task.confDir);
  if (!file || file.error) return null;
  const list = network_of(file);
  if (list.error || list.name != task.network) return null;
  log(`${problem.toString()}; using the cached configuration`);
  return list;
}

function capable(request: Request, capabilities: JsonValue | null): void {
  if (capabilities) request.config.set("runtimeConfig", capabilities.placeless());
}

function add(task: Task, list: NetworkList, entry: CacheEntry): Answer {
  const request = request_of(list, environment(task, entry));
  capable(request, entry.capabilities);
  const unusable = request.versionProblem();
  if (unusable) return refuse(unusable, request.version);
  const unheard = undeclared(list, entry.capabilities);
  if (unheard && task.insists) return refuse(unheard, request.version);
  if (unheard) log(unheard.msg);
  const unready = cache_ready(task.cacheDir, entry);
  if (unready) return refuse(unready, request.version);
  entry.config = list.text;
  return perform(request, new Fused(true), new Keep(task.cacheDir, entry));
}

/** A capability that no plugin of the network would get: what it asks for would not be done. */
function undeclared(list: NetworkList, capabilities: JsonValue | null): CniError | null {
  if (!capabilities) return null;
  const declared = new Array<string>();
  for (let i = 0; i < list.plugins.length; i++) {
    const object = list.plugins[i].get("capabilities");
    for (let k = 0; object !== null && k < object.items.length; k++) {
      const on = object.items[k].kind == Kind.Bool && object.items[k].bool;
      if (on && !declared.includes(object.keys[k])) declared.push(object.keys[k]);
    }
  }
  for (let i = 0; i < capabilities.keys.length; i++) {
    const key = capabilities.keys[i];
    if (declared.includes(key)) continue;
    const near = nearest(key, declared);
    const has = declared.length > 0 ? `there are ${declared.join(", ")}` : "there is none";
    const cure = near.length > 0 ? `did you mean "${near}"?` : has;
    return new CniError(
      Code.InvalidConfig,
      `no plugin of network "${list.name}" declares the capability "${key}", so that it would ` +
        `have no effect: ${cure}`,
    );
  }
  return null;
}

/** Keeps the result of an ADD: an attachment that nobody remembers would never be given back. */
class Keep extends Last {
  constructor(
    private dir: string,
    private entry: CacheEntry,
  ) {
    super();
  }
  keep(result: string): CniError | null {
    const bytes = new Utf8(result);
    this.entry.result = json_parse(bytes.ptr, bytes.len).value;
    return cache_write(this.dir, this.entry);
  }
  drop(): void {
    const error = cache_remove(this.dir, this.entry);
    if (error) log(error.toString());
  }
}

/** Takes what the caller did not say from the entry of the ADD. */
function complete(entry: CacheEntry, cached: CacheEntry): void {
  if (entry.args.length == 0) entry.args = cached.args;
  if (!entry.capabilities) entry.capabilities = cached.capabilities;
  if (entry.netns.length == 0 || respelt(entry.netns, cached.netns)) entry.netns = cached.netns;
}

/** Whether two paths are one namespace of ip-netns(8), as /var/run leads to /run. */
function respelt(path: string, other: string): bool {
  const plain = path.startsWith("/var/run/netns/") ? path.substring("/var".length) : path;
  return plain.startsWith("/run/netns/") && (other == plain || other == `/var${plain}`);
}

/** The request of CHECK or DEL, with the cached result when the version has one. */
function later(
  task: Task,
  list: NetworkList,
  entry: CacheEntry,
  cached: CacheEntry | null,
): Request {
  if (cached) complete(entry, cached);
  const request = request_of(list, environment(task, entry));
  capable(request, entry.capabilities);
  if (!cached || version_before(list.cniVersion, "0.4.0")) return request;
  const result = cached_result(cached, list.cniVersion);
  if (result) request.config.set("prevResult", result);
  return request;
}

function check(task: Task, list: NetworkList, entry: CacheEntry): Answer {
  if (list.disableCheck && !version_before(list.cniVersion, "0.4.0")) {
    log(`network "${list.name}" has disableCheck: not checked`);
    return new Answer("");
  }
  const cached = cache_read(task.cacheDir, entry);
  const request = later(task, list, entry, cached.entry);
  const unusable = request.versionProblem();
  if (unusable) return refuse(unusable, request.version);
  if (cached.error) return refuse(<CniError>cached.error, request.version);
  if (request.config.get("prevResult")) return perform(request, new Fused(true));
  const path = entry.path(task.cacheDir);
  const error = new CniError(
    Code.CheckFailed,
    `no usable result of an ADD of "${entry.ifname}" of container ${entry.containerID} on ` +
      `network "${list.name}": it was never attached, was detached, or needs DEL and ADD`,
    `looked for ${path}`,
  );
  return refuse(error, request.version);
}

function remove(task: Task, list: NetworkList, entry: CacheEntry): Answer {
  const cached = cache_read(task.cacheDir, entry);
  const unread = cached.error;
  if (unread) log(unread.toString());
  const request = later(task, list, entry, cached.entry);
  const answer = del(request, new Fused(true), request.versionProblem());
  if (answer.failed) return answer;
  const error = cache_remove(task.cacheDir, entry);
  return error ? refuse(error, request.version) : answer;
}

/** `{"asked": bool, "cniVersion", "path"}`: versions before 1.1.0 have no STATUS to ask for. */
function status(task: Task, list: NetworkList): Answer {
  const asked = !version_before(list.cniVersion, "1.1.0");
  if (asked) {
    const request = request_of(list, environment(task, task.key));
    const unusable = request.versionProblem();
    const answer = unusable ? refuse(unusable, request.version) : perform(request, new Fused(true));
    if (answer.failed) return answer;
  }
  const made = JsonValue.object();
  made.append("asked", JsonValue.bool(asked));
  made.append("cniVersion", JsonValue.string(list.cniVersion));
  made.append("path", JsonValue.string(list.path));
  return new Answer(json_text(made));
}

/** An attachment as the keys of GC have it. */
function attachment(containerID: string, ifname: string): JsonValue {
  const item = JsonValue.object();
  item.append("containerID", JsonValue.string(containerID));
  item.append("ifname", JsonValue.string(ifname));
  return item;
}

function owner(item: JsonValue): string {
  const id = item.get("containerID");
  const ifname = item.get("ifname");
  return `${id ? id.text : ""}\0${ifname ? ifname.text : ""}`;
}

/**
 * Attachments whose sandbox is there: cached ones, and those being made, which have a record; null
 * when the records cannot be read.
 */
function valid_now(list: NetworkList, cached: CacheEntry[]): JsonValue | null {
  const valid = JsonValue.array();
  for (let i = 0; i < cached.length; i++) {
    if (inhabited(cached[i].netns)) valid.push(attachment(cached[i].containerID, cached[i].ifname));
  }
  const recorded = attachments_live(list.name);
  if (!recorded) return null;
  for (let i = 0; i < recorded.length; i++) {
    valid.push(attachment(recorded[i].containerID, recorded[i].ifname));
  }
  return valid;
}

/** GC: a DEL for every cached attachment that is not valid, then GC of every plugin. */
function collect(task: Task, list: NetworkList): Answer {
  if (list.disableGC) {
    log(`network "${list.name}" has disableGC: nothing is collected`);
    return new Answer(json_text(report(JsonValue.array(), 0)));
  }
  const cache = unreadable(`${task.cacheDir}/results`, `${list.name}-`);
  const hidden = cache ? cache : unreadable(records_dir(), "");
  if (hidden) return refuse(hidden, list.cniVersion);
  const cached = cache_list(task.cacheDir, list.name);
  const given = task.valid;
  const valid = given ? given : valid_now(list, cached);
  if (!valid) return refuse(records_error(), list.cniVersion);
  const owners = new Set<string>();
  for (let i = 0; i < valid.items.length; i++) owners.add(owner(valid.items[i]));
  const deleted = JsonValue.array();
  const errors = new Array<CniError>();
  for (let i = 0; i < cached.length; i++) {
    const item = attachment(cached[i].containerID, cached[i].ifname);
    if (owners.has(owner(item))) continue;
    const error = collect_one(task, list, cached[i]);
    if (error) errors.push(error);
    else deleted.push(item);
  }
  if (!version_before(list.cniVersion, "1.1.0")) {
    // Others came while those DELs ran.
    const now = given ? given : valid_now(list, cache_list(task.cacheDir, list.name));
    const error = now ? collect_rest(task, list, now) : records_error();
    if (error) errors.push(error);
  }
  const error = join_errors(errors);
  if (error) return refuse(error, list.cniVersion);
  return new Answer(json_text(report(deleted, owners.size)));
}

function report(deleted: JsonValue, valid: i32): JsonValue {
  const made = JsonValue.object();
  made.append("deleted", deleted);
  made.append("valid", JsonValue.number(valid));
  return made;
}

function collect_one(task: Task, list: NetworkList, cached: CacheEntry): CniError | null {
  const env = environment(task, cached);
  env.command = "DEL";
  const request = request_of(list, env);
  capable(request, cached.capabilities);
  const result = cached_result(cached, list.cniVersion);
  if (result && !version_before(list.cniVersion, "0.4.0")) request.config.set("prevResult", result);
  const answer = del(request, new Fused(true), request.versionProblem());
  if (!answer.failed) return cache_remove(task.cacheDir, cached);
  const wrong = answer.error;
  const code = wrong ? wrong.code : Code.Internal;
  const why = wrong ? wrong.toString() : "no reason given";
  return new CniError(code, `DEL of "${cached.ifname}" of container ${cached.containerID}: ${why}`);
}

function collect_rest(task: Task, list: NetworkList, valid: JsonValue): CniError | null {
  const request = request_of(list, environment(task, new CacheEntry(list.name, "", "")));
  request.config.append("cni.dev/valid-attachments", valid);
  request.config.append("cni.dev/attachments", valid);
  const unusable = request.versionProblem();
  if (unusable) return unusable;
  const answer = perform(request, new Fused(true));
  return answer.failed ? answer.error : null;
}
