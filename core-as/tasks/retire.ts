// SPDX-License-Identifier: Apache-2.0
// The tasks `drain` and `retire`: what is recorded of attachments is taken back, and then what they
// had in common in nftables. For `install`, `uninstall`, and whoever leaves.
import { collect_one } from "../attach/leaving";
import { Life, life_of } from "../attach/living";
import { Attachment, records_dir } from "../attach/record";
import { record_look, records, records_error } from "../attach/store";
import { JsonValue, json_text } from "../lib/json";
import { veth_is_ours } from "../net/veth";
import { nft_retire } from "../nft/retire";
import { Answer, refuse } from "../plugin/dispatch";
import { Environment } from "../spec/environment";
import { CniError } from "../spec/error";
import { Request } from "../spec/request";
import { unreadable } from "./runtime/unreadable";

function texts(list: string[]): JsonValue {
  const made = JsonValue.array();
  for (let i = 0; i < list.length; i++) made.push(JsonValue.string(list[i]));
  return made;
}

function messages(errors: CniError[]): JsonValue {
  return texts(errors.map<string>((error) => error.toString()));
}

function identity(record: Attachment): JsonValue {
  const item = JsonValue.object();
  item.append("network", JsonValue.string(record.network));
  item.append("containerID", JsonValue.string(record.containerID));
  item.append("ifname", JsonValue.string(record.ifname));
  return item;
}

/**
 * Whether a container is gone for certain. That its namespace is not found at its path does not say
 * so, as we may run where others' mounts are not seen; the host's end of its pair goes with it.
 */
export function ended(record: Attachment): bool {
  if (life_of(record) != Life.Ended) return false;
  const request = new Request("fairlead", new Environment(0, 0));
  request.network = record.network;
  request.env.containerID = record.containerID;
  request.env.ifname = record.ifname;
  for (let i = 0; i < record.effects.length; i++) {
    if (record.effects[i].word == "veth") return !veth_is_ours(request);
  }
  return false;
}

/**
 * `{"drained": [{"network", "containerID", "ifname"}], "left": number, "errors": ["…"]}`: a DEL of
 * each recorded attachment by its record, of those that are gone for certain, with `living` of all.
 * What foreign plugins made is not recorded. `left` is how many records there are afterwards.
 */
export function drain(living: bool): Answer {
  const hidden = unreadable(records_dir(), "");
  if (hidden) return refuse(hidden, "");
  const list = records();
  if (!list) return refuse(records_error(), "");
  const errors = new Array<CniError>();
  const drained = JsonValue.array();
  for (let i = 0; i < list.length; i++) {
    if (!living && !ended(list[i])) continue;
    const item = identity(list[i]);
    const name = list[i].name;
    collect_one(new Request("fairlead", new Environment(0, 0)), list[i], "", false, errors);
    if (!record_look(name).found) drained.push(item);
  }
  const rest = records();
  const made = JsonValue.object();
  made.append("drained", drained);
  made.append("left", JsonValue.number(rest ? rest.length : list.length));
  made.append("errors", messages(errors));
  return new Answer(json_text(made));
}

/**
 * `{"removed": ["table inet fairlead"], "kept": ["table inet fairlead, chain CNI-ADMIN"], "errors":
 * ["…"]}`: our tables and our rules in iptables. `kept` are chains of administrators that have
 * rules. With `rehearse` nothing is done.
 */
export function retire(rehearse: bool): Answer {
  const done = nft_retire(!rehearse);
  const made = JsonValue.object();
  made.append("removed", texts(done.removed));
  made.append("kept", texts(done.kept));
  made.append("errors", messages(done.errors));
  return new Answer(json_text(made));
}
