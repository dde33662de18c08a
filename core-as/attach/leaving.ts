// SPDX-License-Identifier: Apache-2.0
// A DEL, as far as records go: the effects of the attachment are taken back, the last first, and
// what could not be stays in the record for the next DEL. What no record knows is left to the
// plugins.
import { netns_close, netns_id } from "../host/kernel";
import { elements_of } from "../nft/left";
import { CniError, Code } from "../spec/error";
import { owner_tag } from "../spec/owner-tag";
import { Request } from "../spec/request";
import { elements_release, flows_drop } from "./elements";
import { Entered, effects_undo_in, netns_of, record_settle } from "./living";
import { older_effects } from "./older";
import { reach_hold } from "./reach";
import { Attachment } from "./record";
import { file_drop, is_here, LOCK_NOW_MS, Lock, record_look } from "./store";

export class Leaving {
  /** What this type made of the attachment was recorded; else a plugin not of ours made it. */
  recorded: bool = false;
  /** What the record says of this type: another's plugin may serve it beside ours. */
  maker: Maker = Maker.Nobody;
  private lock: Lock = new Lock();
  private record: Attachment | null = null;
  /** What lies at the record's path is none, and nobody's: it goes with the DEL. */
  private garbage: string = "";

  /** `by`: the type whose effects go; "" for those of all types. */
  constructor(
    private request: Request,
    private by: string,
  ) {}

  /** Takes the lock: an ADD or another DEL of the same attachment may be at work. */
  begin(): CniError | null {
    const env = this.request.env;
    const name = `${env.containerID}:${env.ifname}`;
    return this.lock.take(name, env, false) ? null : this.lock.error;
  }

  /** Takes back what is recorded. */
  walk(errors: CniError[]): void {
    const request = this.request;
    const env = request.env;
    const made = new Attachment();
    made.network = request.network;
    made.containerID = env.containerID;
    made.ifname = env.ifname;
    let looked = record_look(made.name);
    // An ADD came after we found that there was no lock to wait for.
    if (looked.found && !this.lock.is_held && this.lock.take(made.name, env, true)) {
      looked = record_look(made.name);
    }
    const unread = looked.error;
    if (unread) {
      errors.push(unread);
      this.recorded = true;
      this.maker = Maker.Us;
      return;
    }
    const found = looked.found;
    const known = found !== null && (this.by.length == 0 || has_of(found, this.by));
    request.reach.stranger = !known;
    const unheld = reach_hold(request, found ? [found] : []);
    if (unheld) errors.push(unheld);
    const here = found !== null && is_here(found);
    const any = request.network.length == 0;
    if (found && here && (any || found.network == request.network)) {
      this.record = found;
      this.recorded = made_by(found, request.type);
      const ours = this.by.length == 0 || has_of(found, this.by);
      this.maker = ours ? Maker.Us : Maker.Others;
      this.undo(found, errors);
      return;
    }
    if (!found) this.garbage = made.path;
    made.netns = env.netns;
    this.undo(made, errors);
  }

  private undo(record: Attachment, errors: CniError[]): void {
    const request = this.request;
    const older = older_effects(record, this.by);
    const effects = older.concat(record.take(this.by));
    if (effects.length == 0) return;
    if (older.length > 0) {
      this.recorded = true;
      this.maker = Maker.Us;
    }
    const site = record.site;
    const ns = request.netns != 0 ? netns_id(request.netns) : "";
    const same = request.netns != 0 && record.is_in(ns, request.env.netns);
    const entered = same ? new Entered(request.netns) : netns_of(record);
    if (!same && entered.ns == 0 && request.netns_unknown) entered.unknown = true;
    const stay = effects_undo_in(entered, effects, site, errors);
    if (!same && entered.ns > 0) netns_close(entered.ns);
    record.effects = record.effects.concat(stay);
  }

  /**
   * Without a record: elements of the attachment in some sets are known by their owner's tag. While
   * flows are left they stay, by which they are found again. Those that came meanwhile go at the
   * end.
   */
  elements_unrecorded(sets: string[], errors: CniError[]): void {
    const request = this.request;
    if (this.recorded || request.network.length == 0) return;
    const env = request.env;
    const before = errors.length;
    const owned = elements_of(
      owner_tag(request.network, env.containerID, env.ifname),
      sets,
      errors,
    );
    flows_drop(owned, errors);
    if (errors.length == before) elements_release(owned, "", errors);
  }

  /** The record goes when nothing of it is left; `before`: how many errors there were before. */
  end(before: i32, errors: CniError[]): void {
    const record = this.record;
    if (record) record_settle(record, errors);
    else if (this.garbage.length > 0 && errors.length == before) file_drop(this.garbage, errors);
    this.lock.release();
  }
}

/** How far a record of ours says who made an attachment. */
export const enum Maker {
  /** There is no record of it. */
  Nobody,
  /** There is one, and nothing in it is of the type that is asked about. */
  Others,
  Us,
}

/** Who made what a type has of an attachment, by its record; `type`: "" for all of it. */
export function maker_of(request: Request, type: string): Maker {
  const env = request.env;
  const looked = record_look(`${env.containerID}:${env.ifname}`);
  const found = looked.found;
  if (looked.error) return Maker.Us;
  if (!found || !is_here(found) || found.network != request.network) return Maker.Nobody;
  return type.length == 0 || has_of(found, type) ? Maker.Us : Maker.Others;
}

/** Whether a record has effects of a type, or of the chain that it was fused in. */
function has_of(record: Attachment, type: string): bool {
  for (let i = 0; i < record.effects.length; i++) {
    if (record.effects[i].by == type || record.effects[i].by == "fairlead") return true;
  }
  return false;
}

/** Whether ours wired it, and so whatever a type has of it, or that type made something. */
function made_by(record: Attachment, type: string): bool {
  for (let i = 0; i < record.effects.length; i++) {
    if (record.effects[i].by == type || record.effects[i].word == "veth") return true;
  }
  return false;
}

/** GC of one attachment that is not valid any more: as a DEL, but one at work is left alone. */
export function collect_one(
  request: Request,
  stale: Attachment,
  by: string,
  elements_gone: bool,
  errors: CniError[],
): void {
  const lock = new Lock();
  if (!lock.take(stale.name, request.env, false, LOCK_NOW_MS)) {
    const error = lock.error;
    if (error && error.code != Code.TryAgainLater) errors.push(error);
    return;
  }
  const looked = record_look(stale.name);
  const unread = looked.error;
  const found = looked.found;
  if (unread) errors.push(unread);
  // It is gone, or another's by now, who was not asked about.
  const listed = stale.effects.length > 0;
  if (unread || (listed && (!found || found.netnsID != stale.netnsID))) {
    lock.release();
    return;
  }
  const record = found && is_here(found) && found.network == stale.network ? found : stale;
  const older = older_effects(record, by);
  const effects = older.concat(record.take(by));
  if (effects.length > 0) {
    const site = record.site;
    const entered = netns_of(record);
    site.elements_gone = elements_gone;
    record.effects = record.effects.concat(effects_undo_in(entered, effects, site, errors));
    if (entered.ns > 0) netns_close(entered.ns);
  }
  if (record === found) record_settle(record, errors);
  lock.release();
}
