// SPDX-License-Identifier: Apache-2.0
// An ADD while it works: the effects that its plugins note before they make them, the record that
// has them on disk by then, and the way back when the ADD fails. A chained plugin that is a process
// of its own adds its effects to the record that the wiring plugin made, or makes one.
import { netns_id } from "../host/kernel";
import { CniError, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { Effect, effects_undo, Site } from "./effect";
import { Elements } from "./elements";
import { heal } from "./living";
import { reach_hold } from "./reach";
import { Attachment } from "./record";
import { Shared } from "./shared-change";
import { file_drop, host_netns_id, Lock, record_look, record_put, record_write } from "./store";
import { Uses } from "./uses";

/** What an ADD keeps a record of. */
export const enum Keeps {
  /** Nothing: what an IPAM plugin alone takes lies in its own files. */
  Nothing,
  /** What a chained plugin adds to an attachment that another wired. */
  Chained,
  /** A whole attachment. */
  Whole,
}

export class Adding {
  /** What the record has of others, and of this type from before: it is theirs to take back. */
  private before: Effect[] = [];
  private made: Effect[] = [];
  private record: Attachment = new Attachment();
  private lock: Lock = new Lock();
  /** What the file said before; "" when there was none. */
  private earlier: string = "";
  private written: bool = false;
  private dirty: bool = false;
  private used: Uses | null = null;
  private nested: bool = false;
  /** A foreign plugin was called. */
  private called: bool = false;
  /** Changes of what is shared that come when all else but nftables is done: see shared.ts. */
  later: Shared[] = [];

  constructor(
    public request: Request,
    private keeps: Keeps,
  ) {}

  /** Takes the lock and sees what is known of the attachment. Nothing is changed before. */
  begin(): CniError | null {
    const request = this.request;
    if (this.keeps == Keeps.Nothing) return reach_hold(request, []);
    const record = this.record;
    record.network = request.network;
    record.containerID = request.env.containerID;
    record.ifname = request.env.ifname;
    record.netns = request.env.netns;
    if (!this.lock.take(record.name, request.env, true)) return this.lock.error;
    this.nested = this.lock.for_us;
    record.netnsID = netns_id(request.netns);
    if (record.netnsID.length == 0) return os_error(`identify CNI_NETNS ${record.netns}`);
    record.hostNetnsID = host_netns_id();
    if (record.hostNetnsID.length == 0) return os_error("identify the host's network namespace");
    return this.join();
  }

  /** Joins the record that is there, or clears what a dead attachment left. */
  private join(): CniError | null {
    const record = this.record;
    const looked = record_look(record.name);
    if (looked.error) return looked.error;
    const old = looked.found;
    const unheld = reach_hold(this.request, old ? [old] : []);
    if (unheld || !old) return unheld;
    const same = old.network == record.network && old.is_in(record.netnsID, record.netns);
    const here = old.hostNetnsID.length == 0 || old.hostNetnsID == record.hostNetnsID;
    if (!here || !same || (this.keeps == Keeps.Whole && !this.nested)) {
      return heal(old, this.request, record.netnsID);
    }
    this.before = old.effects;
    this.earlier = looked.text;
    return null;
  }

  /** The tag of what the attachment has in nftables. */
  get tag(): string {
    return this.record.tag;
  }
  /** What tells the container's namespace from any other. */
  get netnsID(): string {
    return this.record.netnsID;
  }
  /** The path of its record. */
  get path(): string {
    return this.record.path;
  }
  /** Notes an effect. `write` has to come before what it stands for, if it is to be recorded. */
  note(effect: Effect): void {
    effect.by = this.request.type;
    const made = this.made;
    let at = made.length;
    made.push(effect);
    for (; at > 0 && !effect.waits && made[at - 1].waits; at--) made[at] = made[at - 1];
    made[at] = effect;
    if (effect.word.length > 0) this.dirty = true;
  }
  /** Notes something shared that the attachment comes to rely on: see shared.ts. */
  use(what: string): void {
    let used = this.used;
    if (!used) {
      used = new Uses([]);
      this.used = used;
      this.note(used);
    }
    if (used.what.includes(what)) return;
    used.what.push(what);
    this.dirty = true;
  }

  /** Whether the attachment has an effect of that word already. */
  has(word: string): bool {
    for (let i = 0; i < this.made.length; i++) if (this.made[i].word == word) return true;
    for (let i = 0; i < this.before.length; i++) if (this.before[i].word == word) return true;
    return false;
  }

  /** Brings the record to disk, when something was noted that is not there yet. */
  write(): CniError | null {
    if (!this.dirty || this.keeps == Keeps.Nothing) return null;
    this.record.effects = this.before.concat(this.made);
    const error = record_write(this.record);
    if (error) return error;
    this.dirty = false;
    this.written = true;
    return null;
  }
  /** `note` and `write`. */
  ahead(effect: Effect): CniError | null {
    this.note(effect);
    return this.write();
  }

  /** A foreign plugin ran: one of ours, called by it, may have added to the record. */
  others_ran(): void {
    if (this.keeps == Keeps.Nothing) return;
    this.called = true;
    this.before = this.own_before().concat(this.of_others());
  }
  /** What this type has in the record from before. */
  private own_before(): Effect[] {
    const own = new Array<Effect>();
    for (let i = 0; i < this.before.length; i++) {
      if (this.before[i].by == this.request.type) own.push(this.before[i]);
    }
    return own;
  }
  /** What the record says of others by now. */
  private of_others(): Effect[] {
    const others = new Array<Effect>();
    const found = record_look(this.record.name).found;
    if (!found || !found.is_in(this.record.netnsID, this.record.netns)) return others;
    for (let i = 0; i < found.effects.length; i++) {
      if (found.effects[i].by != this.request.type) others.push(found.effects[i]);
    }
    return others;
  }

  /** Splits off what this type had in nftables from an earlier ADD for the same attachment. */
  take_elements(): Elements[] {
    const taken = new Array<Elements>();
    const rest = new Array<Effect>();
    for (let i = 0; i < this.before.length; i++) {
      const effect = this.before[i];
      if (effect instanceof Elements && effect.by == this.request.type) {
        taken.push(<Elements>effect);
      } else rest.push(effect);
    }
    this.before = rest;
    if (taken.length > 0) this.dirty = true;
    return taken;
  }
  /** What the record has of others. */
  get others(): Attachment {
    const others = new Attachment();
    others.network = this.record.network;
    others.containerID = this.record.containerID;
    others.ifname = this.record.ifname;
    others.effects = this.before;
    return others;
  }
  /** Whether the record would say nothing. */
  get empty(): bool {
    return this.before.length == 0 && this.made.length == 0;
  }
  /** Removes the record, which would say nothing any more. */
  drop(): CniError | null {
    const errors = new Array<CniError>();
    if (!file_drop(this.path, errors)) return errors[0];
    this.written = true;
    this.dirty = false;
    return null;
  }

  /** The ADD is done. */
  end(): void {
    this.lock.release();
  }

  /**
   * Takes back what was made, the last first, and gives the record its former text. What cannot be
   * taken back stays in it, so that the next DEL may.
   */
  unwind(errors: CniError[]): void {
    const request = this.request;
    const site = new Site(request.network, request.env.containerID, request.env.ifname);
    site.ns = request.netns;
    // What was to be in nftables is cleared once the record is what it was: nft.ts.
    site.elements_gone = true;
    const before = errors.length;
    let stay = effects_undo(this.made, site, errors);
    // What only this call knew how to take back, its recorded companion may still.
    if (stay.some((effect) => effect.word.length == 0)) stay = this.made;
    if (!this.written && !this.called) return;
    let error: CniError | null = null;
    const others = this.called ? this.of_others() : [];
    if (errors.length == before) stay = [];
    if (stay.length > 0 || others.length > 0) {
      const rest = this.called ? this.own_before().concat(others) : this.before;
      this.record.effects = rest.concat(stay);
      error = record_write(this.record);
    } else if (this.earlier.length > 0) error = record_put(this.path, this.earlier);
    else file_drop(this.path, errors);
    if (error) errors.push(error);
  }
}
