// SPDX-License-Identifier: Apache-2.0
// The tasks `drain` and `retire`: what is recorded of attachments is taken back, and then what they
// had in common in nftables. For `install`, `uninstall`, and whoever leaves.
import { collect_one } from "../attach/leaving";
import { Life, life_of } from "../attach/living";
import { Attachment, records_dir } from "../attach/record";
import { LOCK_NOW_MS, Lock, record_look, records, records_error } from "../attach/store";
import { failure_errno } from "../host/failure";
import { dir_list } from "../host/store";
import { ENOENT, ENOTDIR } from "../lib/errno";
import { JsonValue, json_text } from "../lib/json";
import { veth_is_gone } from "../net/veth";
import { nft_retire } from "../nft/retire";
import { Answer, refuse } from "../plugin/dispatch";
import { Environment } from "../spec/environment";
import { CniError, Code, os_error } from "../spec/error";
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
 * so, as we may run where others' mounts are not seen; the host's end of its pair goes with it. Of
 * one that an ADD is at work on it is no answer: that notes the pair before it makes it.
 */
export function ended(record: Attachment): bool {
  if (life_of(record) != Life.Ended) return false;
  const request = new Request("fairlead", new Environment(0, 0));
  request.network = record.network;
  request.env.containerID = record.containerID;
  request.env.ifname = record.ifname;
  for (let i = 0; i < record.effects.length; i++) {
    if (record.effects[i].word == "veth") return veth_is_gone(request);
  }
  return false;
}

/**
 * Why the leases of a record cannot go back: where their folder is not mounted they look as if they
 * were gone, and without their record nobody would ever free them. null when they can.
 */
function leases_unseen(record: Attachment): CniError | null {
  for (let i = 0; i < record.effects.length; i++) {
    if (record.effects[i].word != "leases") continue;
    const members = JsonValue.object();
    record.effects[i].write(members);
    const dataDir = members.text_at("dataDir");
    if (dir_list(dataDir)) continue;
    const whose = `the leases of "${record.ifname}" of ${record.containerID}`;
    if (failure_errno != ENOENT && failure_errno != ENOTDIR) {
      return os_error(`look for ${whose} in ${dataDir}`, Code.Io);
    }
    return new CniError(
      Code.Io,
      `${whose} are in ${dataDir}, which is not here: mount it at this path, or run ` +
        `"fairlead gc ${record.network}" where it is`,
    );
  }
  return null;
}

/** Takes back what one left that is gone for certain; with its lock, as an ADD may be at work. */
function drain_ended(record: Attachment, errors: CniError[]): void {
  const request = new Request("fairlead", new Environment(0, 0));
  const lock = new Lock();
  if (!lock.take(record.name, request.env, false, LOCK_NOW_MS)) {
    const error = lock.error;
    if (error && error.code != Code.TryAgainLater) errors.push(error);
    return;
  }
  // That ADD may have ended between our look and the lock.
  const found = record_look(record.name).found;
  if (found && ended(found)) {
    const unseen = leases_unseen(found);
    if (unseen) errors.push(unseen);
    else collect_one(request, found, "", false, errors);
  }
  lock.release();
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
    if (!living) drain_ended(list[i], errors);
    else collect_one(new Request("fairlead", new Environment(0, 0)), list[i], "", false, errors);
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
