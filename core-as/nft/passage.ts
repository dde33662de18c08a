// SPDX-License-Identifier: Apache-2.0
// How what we accept gets through the forward hook as a whole: by marks, and our rules in iptables'
// FORWARD. This file says which elements want that, and whether it is so. What the rules are is
// iptables.ts, which chains they cannot help with closed.ts.
import { CniError, Code } from "../spec/error";
import { Batch } from "./batch";
import { Closed, closed_chains, closed_explain } from "./closed";
import { Element } from "./element";
import { MARKS } from "./firewall";
import { Forward, forwards } from "./iptables";
import { Legacy, legacy_used } from "./legacy";
import { opened_by } from "./opened";
import { nft_error, Present } from "./present";
import { OPEN4, OPEN6 } from "./subnets";

const GOTO = "goto ";
const REPAIR = '"fairlead repair" restores it for all containers';

export class Passage {
  /** The last check failed by a chain of others, which no repair opens; only tools are told. */
  static beyond_repair: bool = false;
  private forwards: Forward[] = forwards();
  /** Whether others' chains may drop, as far as that was looked for. */
  private closed: bool = false;
  private needed: bool = false;
  /** Whether it was looked around, so that iptables-legacy is set up afterwards. */
  private legacy: bool = false;

  /** Notes what an element wants, and what comes along with it. */
  note(element: Element): void {
    const opened = opened_by(element);
    if (opened) this.note(opened);
    const set = element.set;
    const ip = this.forwards[0];
    const ip6 = this.forwards[1];
    if (set == "firewall4") ip.accepts = true;
    else if (set == "firewall6") ip6.accepts = true;
    else if (set == OPEN4.name) ip.through = true;
    else if (set == OPEN6.name) ip6.through = true;
    else if (set == "firewall_admins") {
      const name = element.data.substring(GOTO.length);
      ip.want_admin(name);
      ip6.want_admin(name);
      return;
    } else return;
    this.needed = true;
  }

  /** The chain that accepts of a family is being made. */
  anew(v6: bool): void {
    this.forwards[v6 ? 1 : 0].anew = true;
  }

  look(): CniError | null {
    for (let i = 0; i < this.forwards.length; i++) {
      const error = this.forwards[i].look();
      if (error) return error;
    }
    return null;
  }

  /** Looks for chains of others that drop, and tells of them: that takes a list of all chains. */
  look_around(): CniError | null {
    if (!this.needed || this.legacy) return null;
    const chains = closed_chains();
    if (chains.error) return chains.error;
    closed_explain(this.concerned(chains.list));
    this.around(chains.list);
    this.legacy = true;
    return null;
  }

  /** Those that packets of what is noted come to. */
  private concerned(chains: Closed[]): Closed[] {
    const v4 = this.forwards[0].wanted;
    const v6 = this.forwards[1].wanted;
    const list = new Array<Closed>();
    for (let i = 0; i < chains.length; i++) if (chains[i].concerns(v4, v6)) list.push(chains[i]);
    return list;
  }

  private around(chains: Closed[]): void {
    this.closed = chains.length > 0;
    for (let i = 0; i < this.forwards.length; i++) {
      if (new Legacy(this.forwards[i]).used) this.closed = true;
    }
  }

  /** Afterwards: what lies outside of nftables, where it was looked around. */
  settle(): void {
    for (let i = 0; this.legacy && i < this.forwards.length; i++) {
      new Legacy(this.forwards[i]).set_up();
    }
  }

  /** Whether somebody goes by our marks. */
  get marks(): bool {
    return this.closed || this.forwards[0].there || this.forwards[1].there;
  }

  /** Queues what is missing, also of the marks. */
  queue(batch: Batch, present: Present): CniError | null {
    const error = this.look();
    if (error || !this.needed) return error;
    if (!present.read(MARKS.family)) return nft_error("list our tables");
    const fresh = this.forwards[0].anew || this.forwards[1].anew || !present.whole(MARKS);
    const late = fresh && legacy_used() ? this.look_around() : null;
    if (late || !this.marks) return late;
    if (!present.whole(MARKS)) {
      MARKS.load(batch);
      present.note_part(MARKS);
    }
    for (let i = 0; i < this.forwards.length; i++) this.forwards[i].queue(batch);
    return null;
  }

  /** An error of CHECK: what does not let the packets through. */
  check(present: Present): CniError | null {
    if (!this.needed) return null;
    const error = this.look();
    if (error) return error;
    for (let i = 0; i < this.forwards.length; i++) {
      const missing = this.forwards[i].missing;
      if (missing.length == 0) continue;
      return failed(`${missing}: somebody made the chain after ADD, or flushed it; ${REPAIR}`);
    }
    const chains = closed_chains();
    if (chains.error) return chains.error;
    const concerned = this.concerned(chains.list);
    const closed = certain(concerned);
    if (isDefined(FAIRLEAD_TELLS)) Passage.beyond_repair = closed !== null;
    if (closed) return failed(`${closed.text}: ${closed.advice}`);
    closed_explain(concerned);
    this.around(chains.list);
    if (this.marks && !present.whole(MARKS)) {
      return failed(`our tables set no marks, by which chains of others let pass: ${REPAIR}`);
    }
    for (let i = 0; i < this.forwards.length; i++) {
      const legacy = new Legacy(this.forwards[i]).check();
      if (legacy) return legacy;
    }
    return null;
  }
}

function certain(chains: Closed[]): Closed | null {
  for (let i = 0; i < chains.length; i++) if (chains[i].certain) return chains[i];
  return null;
}

function failed(what: string): CniError {
  return new CniError(Code.CheckFailed, what);
}

/**
 * GC: queues the removal of our rules in FORWARD that nobody needs. `needed` has the sets of which
 * elements stay.
 */
export function passage_gc(
  batch: Batch,
  firewall: bool,
  portmap: bool,
  needed: Set<string>,
): CniError | null {
  const all = forwards();
  for (let i = 0; i < all.length; i++) {
    const accepts = needed.has(i == 0 ? "firewall4" : "firewall6");
    const through = needed.has(i == 0 ? OPEN4.name : OPEN6.name);
    if ((accepts || !firewall) && (through || !portmap)) continue;
    const error = all[i].read();
    if (error) return error;
    if (firewall && !accepts) all[i].remove_head(batch);
    if (portmap && !through) all[i].remove_tail(batch);
    new Legacy(all[i]).remove(firewall && !accepts, portmap && !through);
  }
  return null;
}
