// SPDX-License-Identifier: Apache-2.0
// Which attachments live, by what their records say and the kernel has, and what becomes of one
// that does not: healing, before an ADD.
import { failure_errno } from "../host/failure";
import { HOST, link_get, netns_close, netns_id, netns_open, netns_same } from "../host/kernel";
import { EINVAL, ENODEV, ENOENT } from "../lib/errno";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { Effect, effects_undo, Site } from "./effect";
import { older_effects } from "./older";
import { Attachment } from "./record";
import { file_drop, is_here, record_look, record_write, records } from "./store";

export const enum Life {
  Ended,
  GoesOn,
  /** The question failed. */
  Unknown,
}

/** A namespace that was looked for: `ns` is 0 when it is gone. */
export class Entered {
  /** It may be there, and why it could not be entered. */
  unknown: bool = false;
  why: string = "";
  constructor(public ns: i32 = 0) {}
}

/**
 * Opens the namespace of a record. What lies at its path now may be another: a path through /proc
 * leads elsewhere when its process number is given again, one below /run/netns is made again.
 */
export function netns_of(record: Attachment): Entered {
  const entered = new Entered();
  const ns = netns_open(record.netns);
  if (ns < 0) {
    entered.unknown = failure_errno != ENOENT && failure_errno != EINVAL;
    entered.why = os_error("").details;
    return entered;
  }
  let same = 0;
  if (record.netnsID.length > 0) {
    const id = netns_id(ns);
    same = id.length == 0 ? -1 : i32(id == record.netnsID);
  } else {
    const host = netns_same(ns, HOST);
    same = host < 0 ? -1 : i32(host == 0);
  }
  if (same == 1) entered.ns = ns;
  // What a failed question said is still to be told.
  else if (same < 0) {
    entered.unknown = true;
    entered.why = os_error("").details;
  } else netns_close(ns);
  return entered;
}

/** Whether the container's side is still there: its namespace, and the interface in it. */
export function life_of(record: Attachment): Life {
  const entered = netns_of(record);
  if (entered.ns == 0) return entered.unknown ? Life.Unknown : Life.Ended;
  const life = life_in(entered.ns, record.ifname);
  if (life != Life.Unknown) netns_close(entered.ns);
  return life;
}

function life_in(ns: i32, ifname: string): Life {
  if (link_get(ns, ifname)) return Life.GoesOn;
  return failure_errno == ENODEV ? Life.Ended : Life.Unknown;
}

/**
 * Before an ADD, under the lock: an attachment of the same container and interface that lives is
 * refused; one whose DEL never came is taken away.
 */
export function heal(old: Attachment, request: Request, netnsID: string): CniError | null {
  if (!is_here(old)) {
    return new CniError(
      Code.InterfaceExists,
      `container ${old.containerID} has "${old.ifname}" by way of another network namespace of ` +
        `the host: run DEL there, or remove ${old.path} when that host is gone`,
    );
  }
  const known = old.netnsID.length > 0 && old.netnsID == netnsID;
  const life = known ? life_in(request.netns, old.ifname) : life_of(old);
  if (life == Life.Unknown) {
    return os_error(`see whether "${old.ifname}" of ${old.containerID} lives in ${old.netns}`);
  }
  if (life == Life.GoesOn) {
    return new CniError(
      Code.InterfaceExists,
      `container ${old.containerID} already has "${old.ifname}", on network "${old.network}": ` +
        "run DEL for it, or choose another CNI_IFNAME",
      `in ${old.netns}`,
    );
  }
  const errors = new Array<CniError>();
  bury(old, known ? request.netns : 0, errors);
  return errors.length > 0 ? errors[0] : null;
}

/**
 * Takes away all that a record of a dead attachment names, and the record with the last of it.
 * `ns`: its namespace, where that is known; 0 to look for it.
 */
function bury(old: Attachment, ns: i32, errors: CniError[]): void {
  const effects = older_effects(old, "").concat(old.effects);
  const site = old.site;
  const entered = ns > 0 ? new Entered(ns) : netns_of(old);
  old.effects = effects_undo_in(entered, effects, site, errors);
  if (ns == 0 && entered.ns > 0) netns_close(entered.ns);
  record_settle(old, errors);
}

/** As effects_undo, in a namespace that was looked for; what has to wait for it is an error. */
export function effects_undo_in(
  entered: Entered,
  effects: Effect[],
  site: Site,
  errors: CniError[],
): Effect[] {
  site.ns = entered.ns;
  site.unreached = entered.unknown;
  const before = errors.length;
  const stay = effects_undo(effects, site, errors);
  if (entered.unknown && stay.length > 0 && errors.length == before) {
    errors.push(
      new CniError(
        Code.Kernel,
        `cannot enter the network namespace of "${site.ifname}" of ${site.containerID}: what is ` +
          "left there is taken back by the next DEL",
        entered.why,
      ),
    );
  }
  return stay;
}

/** Removes a record when nothing of it is left, and writes it again when something is. */
export function record_settle(record: Attachment, errors: CniError[]): void {
  let left = false;
  for (let i = 0; i < record.effects.length; i++) {
    left = left || record.effects[i].word.length > 0;
  }
  if (!left) {
    file_drop(record.path, errors);
    return;
  }
  const error = record_write(record);
  if (error) errors.push(error);
}

/**
 * Whether an attachment of the owner, "<containerID>\r\n<ifname>", has a record of the network. A
 * record that cannot be read may be one.
 */
export function attachment_known(owner: string, network: string): bool {
  const parts = owner.split("\r\n");
  if (parts.length != 2) return false;
  const looked = record_look(`${parts[0]}:${parts[1]}`);
  const record = looked.found;
  if (record) return record.network == network;
  return looked.error !== null || looked.text.length > 0;
}

/** Whether the record of an owner, as above, has its leases: then they go with that. */
export function leases_recorded(owner: string, network: string): bool {
  const parts = owner.split("\r\n");
  if (parts.length != 2) return false;
  const record = record_look(`${parts[0]}:${parts[1]}`).found;
  if (!record || record.network != network) return false;
  for (let i = 0; i < record.effects.length; i++) {
    if (record.effects[i].word == "leases") return true;
  }
  return false;
}

/**
 * Records of a network whose sandbox is there: attachments that live or are being made; null when
 * the records cannot be read.
 */
export function attachments_live(network: string): Attachment[] | null {
  const live = new Array<Attachment>();
  const list = records();
  if (!list) return null;
  for (let i = 0; i < list.length; i++) {
    if (list[i].network != network) continue;
    const entered = netns_of(list[i]);
    if (entered.ns > 0 || entered.unknown) live.push(list[i]);
    if (entered.ns > 0) netns_close(entered.ns);
  }
  return live;
}

/** Whether by a record the interface of that name in a namespace is another attachment's. */
export function held_by_other(site: Site): bool {
  const id = netns_id(site.ns);
  const list = records();
  for (let i = 0; list !== null && i < list.length; i++) {
    const one = list[i];
    if (one.ifname != site.ifname || one.netnsID.length == 0 || one.netnsID != id) continue;
    if (one.containerID != site.containerID || one.network != site.network) return true;
  }
  return false;
}
