// SPDX-License-Identifier: Apache-2.0
// What the command line asks of the core, beside serving as a plugin: the runtime's verbs, the
// networks of a folder, fusing, validating. A request and its answer are JSON; this file owns their
// shape.

import { attachments_repair } from "../attach/nft";
import { records_dir } from "../attach/record";
import { records } from "../attach/store";
import { JsonValue, json_parse, json_text, json_write, Kind } from "../lib/json";
import { dir_usable } from "../lib/name";
import { state_dir_move } from "../lib/state-dir";
import { ByteWriter } from "../lib/utf8";
import { Answer, refuse } from "../plugin/dispatch";
import { ipam_pools } from "../plugin/ipam";
import { Environment, STATE_DIR } from "../spec/environment";
import { CniError, Code } from "../spec/error";
import { why_listen } from "../spec/why";
import { attachments } from "./attachments";
import { doctor } from "./doctor/doctor";
import { fuse, fuse_owner, unfuse } from "./fuse";
import { inspect } from "./inspect/inspect";
import { leases } from "./leases";
import { mtu_task } from "./mtu";
import { nft_state } from "./nft-state";
import { pod_mtu } from "./pod-mtu";
import { drain, retire } from "./retire";
import { NetworkList, network_list, types_of } from "./runtime/conflist";
import { networks_in } from "./runtime/discover";
import { run, Task } from "./runtime/run";
import { unreadable } from "./runtime/unreadable";
import { Following, trace } from "./trace/trace";
import { types_json } from "./types";
import { Parts } from "./validate/parts";
import { Report } from "./validate/report";
import { validate } from "./validate/validate";

function texts_of(request: JsonValue, key: string): string[] {
  const texts = new Array<string>();
  const value = request.get(key);
  for (let i = 0; value !== null && i < value.items.length; i++) {
    if (value.items[i].kind == Kind.String) texts.push(value.items[i].text);
  }
  return texts;
}

/** Performs a task; an unknown one and a malformed request are errors of the caller. */
export function perform_task(name: string, ptr: usize, len: i32): Answer {
  const parsed = json_parse(ptr, len);
  if (parsed.failed || parsed.value.kind != Kind.Object) {
    return refuse(new CniError(Code.Decode, "the request of a task must be a JSON object"), "");
  }
  const request = parsed.value;
  const moved = request.text_at("stateDir");
  if (moved.length > 0 && !dir_usable(moved)) {
    const msg = `${STATE_DIR} must be an absolute path without ".."`;
    return refuse(new CniError(Code.InvalidEnvironment, msg, moved), "");
  }
  state_dir_move(moved);
  why_listen(is_on(request, "why"));
  const verbs: string[] = ["add", "del", "check", "gc", "status"];
  if (verbs.includes(name)) return run(task_of(name, request));
  if (name == "repair") return repair();
  if (name == "networks") return networks(request.text_at("confDir"));
  if (name == "fuse" || name == "unfuse") return refit(name, request);
  if (name == "attachments") {
    return attachments(request.text_at("network"), request.text_at("cacheDir"));
  }
  if (name == "inspect") {
    return inspect(request.text_at("what"), request.text_at("cacheDir"));
  }
  if (name == "leases") {
    return leases(
      request.text_at("network"),
      request.text_at("confDir"),
      request.text_at("cacheDir"),
      request.get("own"),
    );
  }
  if (name == "drain") return drain(is_on(request, "living"));
  if (name == "retire") return retire(is_on(request, "rehearse"));
  if (name == "doctor") return doctor();
  if (name == "trace") return trace_asked(request);
  if (name == "nft_state") return nft_state();
  if (name == "mtu") return mtu(request);
  if (name == "pod_mtu") {
    return pod_mtu(
      request.text_at("network"),
      number_of(request, "mtu_bytes"),
      is_on(request, "v6"),
      number_of(request, "before_bytes"),
      is_on(request, "apply"),
    );
  }
  if (name == "types") return new Answer(json_text(types_json()));
  if (name == "validate") return validate(texts_of(request, "files"), request.text_at("path"));
  return refuse(new CniError(Code.Internal, `the core knows no task "${name}"`), "");
}

function trace_asked(request: JsonValue): Answer {
  const port = request.get("port");
  const number = port ? I32.parseInt(port.text) : 0;
  const protocol = request.text_at("protocol");
  const table = request.text_at("table");
  const following = table.length > 0 ? new Following(table, number_of(request, "sport")) : null;
  return trace(request.text_at("from"), request.text_at("to"), number, protocol, following);
}

function is_on(request: JsonValue, key: string): bool {
  const value = request.get(key);
  return value !== null && value.bool;
}

function number_of(request: JsonValue, key: string): i32 {
  const value = request.get(key);
  return value !== null && value.isInteger() ? <i32>I64.parseInt(value.text) : 0;
}

function mtu(request: JsonValue): Answer {
  return mtu_task(
    number_of(request, "underlay_bytes"),
    texts_of(request, "layers"),
    is_on(request, "v6"),
    is_on(request, "pods_v4"),
    is_on(request, "pods_v6"),
    number_of(request, "asked_bytes"),
  );
}

function task_of(name: string, request: JsonValue): Task {
  const task = new Task(name.toUpperCase());
  task.network = request.text_at("network");
  task.confDir = request.text_at("confDir");
  task.cacheDir = request.text_at("cacheDir");
  task.path = request.text_at("path");
  task.containerID = request.text_at("containerID");
  task.netns = request.text_at("netns");
  task.otherNetns = request.text_at("otherNetns");
  task.otherID = request.text_at("otherID");
  task.ifname = request.text_at("ifname");
  task.args = request.text_at("args");
  const capabilities = request.get("capabilities");
  if (capabilities && capabilities.kind == Kind.Object) task.capabilities = capabilities;
  task.insists = is_on(request, "insists");
  const valid = request.get("valid");
  if (valid && valid.kind == Kind.Array) task.valid = valid;
  return task;
}

/**
 * `{"repaired": [{"network", "containerID", "ifname"}], "errors": ["…"]}`: attachments whose part
 * in nftables was gone, flushed by somebody, and is there again.
 */
function repair(): Answer {
  const hidden = unreadable(records_dir(), "");
  if (hidden) return refuse(hidden, "");
  const errors = new Array<CniError>();
  const records = attachments_repair(new Environment(0, 0), errors);
  const repaired = JsonValue.array();
  for (let i = 0; i < records.length; i++) {
    const item = JsonValue.object();
    item.append("network", JsonValue.string(records[i].network));
    item.append("containerID", JsonValue.string(records[i].containerID));
    item.append("ifname", JsonValue.string(records[i].ifname));
    repaired.push(item);
  }
  const said = new Array<string>();
  for (let i = 0; i < errors.length; i++) said.push(errors[i].toString());
  const made = JsonValue.object();
  made.append("repaired", repaired);
  made.append("errors", texts_json(said));
  return new Answer(json_text(made));
}

/**
 * `{"networks": [{"name", "cniVersion", "path", "plugins": ["bridge"], "inside"?: ["bridge"],
 * "subnets": ["10.1.2.0/24"], "attached"?, "error"?}], "missing": bool}`: `inside` is what a plugin
 * of the type `fairlead` is made of; `attached` how many attachments of ours there are, where that
 * can be read; `missing`: the folder is not there.
 */
function networks(dir: string): Answer {
  const found = networks_in(dir);
  if (found.error) return refuse(<CniError>found.error, "");
  const list = JsonValue.array();
  const known = counts();
  for (let i = 0; i < found.lists.length; i++) list.push(network_json(found.lists[i], known));
  const made = JsonValue.object();
  made.append("networks", list);
  made.append("missing", JsonValue.bool(found.missing));
  return new Answer(json_text(made));
}

function texts_json(texts: string[]): JsonValue {
  const list = JsonValue.array();
  for (let i = 0; i < texts.length; i++) list.push(JsonValue.string(texts[i]));
  return list;
}

/** How many records each network has; null when they cannot be read, as by who is not root. */
function counts(): Map<string, i32> | null {
  if (unreadable(records_dir(), "")) return null;
  const list = records();
  if (!list) return null;
  const found = new Map<string, i32>();
  for (let i = 0; i < list.length; i++) {
    const network = list[i].network;
    found.set(network, (found.has(network) ? found.get(network) : 0) + 1);
  }
  return found;
}

/** The subnets that the plugins of a network give addresses of. */
function subnets(network: NetworkList): string[] {
  const texts = new Array<string>();
  if (network.error || network.name.length == 0) return texts;
  const parts = new Parts(network, new Report());
  for (let i = 0; i < parts.chain.length; i++) {
    parts.chain[i].reader();
    const pools = ipam_pools(parts.chain[i].request);
    for (let k = 0; k < pools.length; k++) {
      const text = pools[k].subnet.toString();
      if (!texts.includes(text)) texts.push(text);
    }
  }
  return texts;
}

function network_json(network: NetworkList, known: Map<string, i32> | null): JsonValue {
  const item = JsonValue.object();
  item.append("name", JsonValue.string(network.name));
  item.append("cniVersion", JsonValue.string(network.cniVersion));
  item.append("path", JsonValue.string(network.path));
  item.append("plugins", texts_json(types_of(network.plugins)));
  const inside = network.inside();
  if (inside.length > 0) item.append("inside", texts_json(inside));
  item.append("subnets", texts_json(subnets(network)));
  if (known !== null) {
    const count = known.has(network.name) ? known.get(network.name) : 0;
    item.append("attached", JsonValue.number(count));
  }
  const error = network.error;
  if (error) item.append("error", JsonValue.string(error.toString()));
  return item;
}

/**
 * `{"before": text, "after": text, "owner": name, "single": bool}`: the file and its fused or
 * unfused form, printed alike; the program that reads the file beside runtimes, "" for none;
 * whether the file is a single plugin's, which its new form is not. `apart`: the first plugin is
 * left alone, as it is where the file has an owner.
 */
function refit(name: string, request: JsonValue): Answer {
  const list = network_list(request.text_at("file"));
  if (list.error) return refuse(<CniError>list.error, "");
  const owner = fuse_owner(list);
  const apart = owner.length > 0 || is_on(request, "apart");
  const document = name == "fuse" ? fuse(list, apart) : unfuse(list);
  if (list.error) return refuse(<CniError>list.error, "");
  const made = JsonValue.object();
  made.append("before", JsonValue.string(printed(list.file.value)));
  made.append("after", JsonValue.string(printed(document)));
  made.append("owner", JsonValue.string(owner));
  made.append("single", JsonValue.bool(list.single));
  return new Answer(json_text(made));
}

function printed(document: JsonValue): string {
  const out = new ByteWriter();
  json_write(out, document, 2);
  out.byte(10);
  return out.toString();
}
