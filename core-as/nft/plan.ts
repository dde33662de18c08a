// SPDX-License-Identifier: Apache-2.0
// What a transaction that adds elements is made of: what is in their way, the chains and rules that
// they need, what others have lost. It sends nothing, and asks `Others` who owns what.
import { failure_errno } from "../host/failure";
import { ENOENT } from "../lib/errno";
import { CniError, Code, os_error } from "../spec/error";
import { Batch, family_word, TABLE } from "./batch";
import { companions_add } from "./companions";
import { Element, Owned } from "./element";
import { ACCEPT4, ACCEPT6, FIREWALL } from "./firewall";
import { elements_there, queue_removal } from "./found";
import { opened_by, with_opened } from "./opened";
import { Passage } from "./passage";
import { find, nft_error, Present } from "./present";
import { PORTMAP } from "./subnets";

/** Who knows what else was there when something is missing, and who is in the way of whom. */
export abstract class Others {
  /** null on failure. */
  abstract read(): Owned[] | null;
  /**
   * Adds to `stale` elements beside which those that are wanted cannot be, up to the first whose
   * owner lives: then an error. `lost`: to look among these, not in the kernel.
   */
  abstract rivals(wanted: Owned[], lost: Owned[] | null, stale: Owned[]): CniError | null;
  /** Why an element that is claimed cannot be taken from an owner; null when it can. */
  abstract holds(element: Element, owner: string): CniError | null;
}

/** What a transaction is being made of. */
export class Plan {
  batch: Batch;
  error: CniError | null = null;
  /** What others lost and is in it; null for nothing. */
  restored: Owned[] | null = null;
  /** After `settle`. */
  in_vain: Owned[] = [];
  now: Owned[] = [];
  /** The error is about an ADD that may be on the way to be refused. */
  waits: bool = false;
  /** Something claimed that is wanted is there. */
  private there: bool = false;
  private present: Present = new Present();
  private passage: Passage = new Passage();
  private elements: Owned[];
  /** What comes along with ports of the host that are their owner's. */
  private opened: Owned[] = [];
  private seen: Set<string> = new Set<string>();
  private prepared: Set<string> = new Set<string>();

  constructor(
    generation: u32,
    private wanted: Owned[],
    private others: Others | null,
    /** Whether what others lost is to be there again when something was missing. */
    private restores: bool,
  ) {
    this.batch = new Batch(generation);
    this.elements = wanted.slice();
  }

  /**
   * `stale` goes before anything is added, with what the dead left in the way, which is noted
   * there; `careful`: what is added may be there.
   */
  make(stale: Owned[], careful: bool, thorough: bool): void {
    const others = this.others;
    if (others) this.error = others.rivals(this.wanted, null, stale);
    // A third has restored both.
    if (this.error) this.waits = elements_there(this.wanted).length > 0 && this.passes(stale);
    // A key that is wanted is replaced, if need be.
    const keys = new Set<string>();
    const all = with_opened(this.wanted);
    for (let i = 0; i < all.length; i++) keys.add(all[i].element.place_key);
    if (!this.error) this.error = queue_removal(this.batch, with_opened(stale), [], keys);
    for (let i = 0; i < this.elements.length; i++) this.passage.note(this.elements[i].element);
    if (!this.error) this.error = this.passage.look();
    if (this.error) return;
    if (thorough) this.error = this.passage.look_around();
    if (this.error) return;
    const own = this.elements.length;
    for (let i = 0; i < this.elements.length && !this.error; i++) {
      const owned = this.elements[i];
      if (!this.once(owned.element)) continue;
      this.error = this.prepare(owned.element, careful);
      const claimed = owned.element.place.claimed;
      const queued = this.batch.count;
      if (this.error) break;
      if (careful || i >= own || claimed) this.keep(owned, i < own ? this.others : null);
      else this.create(owned);
      if (i < own && claimed && this.batch.count == queued) this.there = true;
    }
    for (let i = 0; i < this.opened.length && !this.error; i++) {
      if (!this.once(this.opened[i].element)) continue;
      if (careful || this.elements.length > own) this.keep(this.opened[i], null);
      else this.create(this.opened[i]);
    }
    if (this.error) return;
    for (let i = own; i < this.elements.length; i++) this.passage.note(this.elements[i].element);
    this.error = this.passage.queue(this.batch, this.present);
  }

  private once(element: Element): bool {
    const key = element.place_key;
    const first = !this.seen.has(key);
    this.seen.add(key);
    return first;
  }

  private create(owned: Owned): void {
    const element = owned.element;
    this.batch.create_element(element.place, element.key, element.data, owned.owner);
  }

  /**
   * Queues an element that may be there already, be it of another owner. A claimed one is taken
   * from an owner only when `others` is there to say that it may be; what comes along is noted.
   */
  private keep(owned: Owned, others: Others | null): void {
    const element = owned.element;
    const found = find(element);
    const opened = opened_by(element);
    if (!found && failure_errno != ENOENT) this.error = nft_error(`look for ${element.text}`);
    if (this.error) return;
    if (found && found.comment != owned.owner && element.place.claimed) {
      if (others) this.error = others.holds(element, found.comment);
      if (this.error || !others) return;
      const old = opened_by(new Element(element.set, element.key, found.data));
      const gone: Owned[] = old ? [new Owned(old, found.comment)] : [];
      this.error = queue_removal(this.batch, gone, []);
      if (this.error) return;
    }
    if (opened) this.opened.push(new Owned(opened, owned.owner));
    if (found && found.comment == owned.owner && found.data == element.data) return;
    if (found) this.batch.delete_element(element.place, element.key);
    this.create(owned);
  }

  /**
   * Of an ADD that had nothing in the kernel before: what is there all the same a third has
   * restored, and may have given it the place of one who had lost it.
   */
  doubt(): void {
    const others = this.others;
    if (this.there && others && !this.error && !this.restored) this.lost_beside(others);
  }

  /**
   * Afterwards: notes what it restored of those whose record is gone by now, of a DEL or of an ADD
   * that was refused, as `in_vain`, and what all have by now as `now`.
   */
  settle(): void {
    this.passage.settle();
    const others = this.others;
    const restored = new Array<Owned>();
    const all = this.restored;
    for (let i = 0; all !== null && i < all.length; i++) {
      if (all[i].owner != this.wanted[0].owner) restored.push(all[i]);
    }
    const now = others && restored.length > 0 ? others.read() : null;
    if (!now) return;
    this.now = now;
    const known = new Set<string>();
    for (let i = 0; i < now.length; i++) known.add(`${now[i].owner} ${now[i].element.place_key}`);
    for (let i = 0; i < restored.length; i++) {
      const one = restored[i];
      if (!known.has(`${one.owner} ${one.element.place_key}`)) this.in_vain.push(one);
    }
  }

  /** What others have by their records; null, and an error, when that leaves no room for ours. */
  private lost_beside(others: Others): Owned[] | null {
    const lost = others.read();
    if (!lost) {
      this.error = os_error("find out what else was lost", Code.Io);
      return null;
    }
    const rivals = new Array<Owned>();
    const held = others.rivals(this.wanted, lost, rivals);
    if (!held) return lost;
    this.waits = this.passes(rivals);
    this.error = held;
    return null;
  }

  /** Whether an error about a rival may pass: it is of an ADD that is refused because of this. */
  private passes(rivals: Owned[]): bool {
    return rivals[rivals.length - 1].owner > this.wanted[0].owner;
  }

  /** Queues what must be there before an element. */
  private prepare(element: Element, careful: bool): CniError | null {
    const part = element.part;
    if (!this.present.read(part.family)) {
      return nft_error(`list table ${family_word(part.family)} ${TABLE}`);
    }
    if (!this.present.intact(part)) {
      const firewalled = part == FIREWALL || part == PORTMAP;
      const unseen = firewalled ? this.passage.look_around() : null;
      if (unseen) return unseen;
      const richer = part.richer;
      const loaded = richer && this.passage.marks ? richer : part;
      loaded.load(this.batch);
      this.present.note_part(loaded);
      const others = this.restores ? this.others : null;
      this.restores = false;
      if (others) {
        const lost = this.lost_beside(others);
        if (!lost) return this.error;
        this.restored = lost;
        this.elements = this.elements.concat(lost);
      }
    }
    const chain = element.chain;
    if (!chain || this.prepared.has(chain.name)) return null;
    this.prepared.add(chain.name);
    const anew = !this.present.has(part, chain);
    const unasked = anew && chain.kept ? this.passage.look_around() : null;
    if (unasked) return unasked;
    const accepts = chain.name == ACCEPT4 || chain.name == ACCEPT6;
    // Should a GC, which found nobody who needs them, have removed our rules in FORWARD meanwhile,
    // this transaction fails, by their handles, and is thought over.
    if (anew && accepts) this.passage.anew(chain.name == ACCEPT6);
    // Of several that make it at once one wins, and our rules in FORWARD are there once.
    if (anew) part.load_chain(this.batch, chain, !careful && accepts);
    return companions_add(this.batch, part, chain, anew);
  }
}
