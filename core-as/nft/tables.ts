// SPDX-License-Identifier: Apache-2.0
// What the kernel has of our tables, and bringing it to what is wanted: one transaction each, sent
// again when another process was quicker. Everything here happens in the host's own namespace.
// It refuses to know attachments and configurations: who owns an element is a tag.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { batch_send, element_list, generation, NftElement, rule_list } from "../host/nft";
import { sleep } from "../host/store";
import { EBUSY, EEXIST, ENOENT, ERESTART } from "../lib/errno";
import { hash64 } from "../lib/name";
import { Attachments } from "../spec/attachments";
import { CniError, Code, os_error } from "../spec/error";
import { owner_of_network } from "../spec/owner-tag";
import { Batch, ElementPlace, family_word, TABLE } from "./batch";
import { companions_add, companions_check, firewall_gc, policies_drop } from "./companions";
import { Element, Owned } from "./element";
import { ACCEPT4, ACCEPT6, FIREWALL, MARKS } from "./firewall";
import { by_set, opened_by, port_of, with_opened } from "./opened";
import { Part } from "./part";
import { PARTS, part_of_set } from "./parts";
import { Passage, passage_gc } from "./passage";
import { find, lost, nft_error, Present, unsupported } from "./present";
import { OPEN4, PORTMAP } from "./subnets";

/**
 * How long a transaction is tried. Each failure that is tried again means that another transaction
 * came through between our look and ours, so somebody always goes on, and as many calls as come at
 * once need as many tries. They are 15 s at most in waits, as for the lock of leases: by then
 * something else changes the tables all the time.
 */
const WAIT_MAX_MS = 15000;
const PAUSE_BITS_MAX = 6;

/**
 * Two ADDs for one port on a node without our tables know of each other by their records, before
 * either has it, or by what a third has restored for both. The one whose owner comes last is
 * refused at once, the other waits for that.
 */
const LOST_TRIES = 10;
const LOST_PAUSE_MS = 100;

/** One change of our tables, tried until it is decided. */
class Attempt {
  generation: u32 = 0;
  private tries: i32 = 0;
  private waited_ms: i32 = 0;
  private dice: u64;

  /** `first`: of whom it is, so that two do not wait alike. */
  constructor(first: Owned | null) {
    this.dice = first ? hash64(first.owner + first.element.text) : 0;
  }

  /** Notes of which generation what is read from now on is; false on failure. */
  look(): bool {
    const now = generation(HOST);
    // Without nf_tables there is nothing of which it could be.
    if (now < 0 && !unsupported()) return false;
    this.generation = now < 0 ? 0 : <u32>now;
    return true;
  }

  /**
   * Whether to try again, after a wait. Only another process's change is a reason: a transaction
   * that names the generation of its looks can fail by that in one way, ERESTART.
   */
  again(): bool {
    if (failure_errno != ERESTART && (this.generation != 0 || !contended())) return false;
    // The first time the winner is through already.
    const bits = min(this.tries++, PAUSE_BITS_MAX);
    this.dice = this.dice * 6364136223846793005 + 1442695040888963407;
    const pause_ms = <i32>(this.dice >> 40) & ((1 << bits) - 1);
    this.waited_ms += pause_ms;
    if (pause_ms > 0) sleep(pause_ms);
    return this.waited_ms < WAIT_MAX_MS;
  }
}

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

/** The owner of the element of a key and what it leads to. */
export class Occupied {
  owned: Owned | null = null;
  error: CniError | null = null;
}

export function element_at(element: Element): Occupied {
  const occupied = new Occupied();
  const found = find(element);
  if (found) {
    const there = new Element(element.set, element.key, found.data);
    occupied.owned = new Owned(there, found.comment);
  } else if (failure_errno != ENOENT && !unsupported()) {
    occupied.error = nft_error(`look for ${element.text}`);
  }
  return occupied;
}

/**
 * Queues the removal of elements that are there and still their owner's: `going`. Keys that were
 * `seen` are left out.
 */
function queue_removal(
  batch: Batch,
  owned: Owned[],
  going: Element[],
  seen: Set<string> = new Set<string>(),
): CniError | null {
  for (let i = 0; i < owned.length; i++) {
    const element = owned[i].element;
    const found = find(element);
    if (!found && failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
    if (!found || found.comment != owned[i].owner) continue;
    if (seen.has(element.place_key)) continue;
    seen.add(element.place_key);
    batch.delete_element(element.place, element.key);
    going.push(element);
  }
  return null;
}

/** What a transaction is being made of. */
class Plan {
  batch: Batch;
  error: CniError | null = null;
  /** What others lost and is in it; null for nothing. */
  restored: Owned[] | null = null;
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
   * Afterwards: takes back what it restored of those whose record is gone by now, of a DEL or of an
   * ADD that was refused. All else is done, so a failure is no reason to fail: GC finds such.
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
    const known = new Set<string>();
    for (let i = 0; i < now.length; i++) known.add(`${now[i].owner} ${now[i].element.place_key}`);
    const gone = new Array<Owned>();
    for (let i = 0; i < restored.length; i++) {
      const one = restored[i];
      if (!known.has(`${one.owner} ${one.element.place_key}`)) gone.push(one);
    }
    elements_take_back(gone, now);
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

/** Sends a transaction; whether another process made it fail is in `failure_errno`. */
function send(batch: Batch): bool {
  batch.finish();
  return batch_send(HOST, batch.out, batch.words) >= 0;
}

function contended(): bool {
  return failure_errno == ENOENT || failure_errno == EEXIST || failure_errno == EBUSY;
}

/**
 * Brings elements into the kernel, with the chains and rules that they need where these are not as
 * they should be; then `others` says what else was lost. `careful`: the elements may be there.
 * `stale`: elements that are to go in the same transaction; those of dead owners that were in the
 * way are added to it. `thorough`: who has nobody to ask (`others`) looks at chains of others too.
 */
export function elements_add(
  named: Owned[],
  others: Others | null,
  careful: bool = false,
  stale: Owned[] = [],
  thorough: bool = true,
): CniError | null {
  if (named.length == 0) return elements_remove(stale);
  const wanted = by_set(named);
  // What is only created needs no look: the kernel refuses a key that is there.
  if (stale.length > 0) careful = true;
  const fresh = !careful;
  let looks = careful;
  for (let i = 0; i < wanted.length; i++) looks = looks || wanted[i].element.place.claimed;
  const attempt = new Attempt(wanted[0]);
  const given = stale.length;
  let lost_tries = 0;
  for (let restores = true; ; ) {
    stale.length = given;
    if (looks && !attempt.look()) break;
    const plan = new Plan(attempt.generation, wanted, others, restores);
    plan.make(stale, careful, thorough && !others);
    if (fresh) plan.doubt();
    if (plan.error && plan.waits && lost_tries++ < LOST_TRIES) {
      sleep(LOST_PAUSE_MS);
      continue;
    }
    if (plan.error) return plan.error;
    if (plan.batch.count == 0 || send(plan.batch)) {
      plan.settle();
      return null;
    }
    looks = true;
    // What was only to be created may be there, of an owner that is gone.
    const created = !careful && contended();
    careful = true;
    if (created || attempt.again()) continue;
    // What others have lost must not make this fail for good.
    if (!plan.restored || !contended()) break;
    restores = false;
  }
  return nft_error(`add ${wanted[0].element.text} to table ${TABLE}`);
}

/**
 * Takes elements away that are there and still their owner's, and with the last that leads there
 * the policy of a bridge.
 */
export function elements_remove(named: Owned[]): CniError | null {
  if (named.length == 0) return null;
  const owned = with_opened(named);
  const elements = new Array<Element>();
  for (let i = 0; i < owned.length; i++) elements.push(owned[i].element);
  const attempt = new Attempt(owned[0]);
  while (attempt.look()) {
    const batch = new Batch(attempt.generation);
    const going = new Array<Element>();
    let error = queue_removal(batch, owned, going);
    if (!error) error = policies_drop(batch, elements, going);
    if (error) return error;
    if (batch.count == 0 || send(batch)) return null;
    if (!attempt.again()) break;
  }
  return nft_error(`remove ${owned[0].element.text} from table ${TABLE}`);
}

/** Those elements that are there and still their owner's; what cannot be looked for is not. */
export function elements_there(owned: Owned[]): Owned[] {
  const there = new Array<Owned>();
  for (let i = 0; i < owned.length; i++) {
    const found = find(owned[i].element);
    if (found && found.comment == owned[i].owner) there.push(owned[i]);
  }
  return there;
}

/**
 * Takes away what was restored in vain, and lets those have its place again that lost it so: who
 * has one of its ports by the records. Others are left alone: they may be on the way to go.
 */
export function elements_take_back(gone: Owned[], kept: Owned[]): CniError | null {
  if (gone.length == 0) return null;
  const error = elements_remove(gone);
  if (error) return error;
  const ports = new Set<string>();
  for (let i = 0; i < gone.length; i++) ports.add(port_of(gone[i].element));
  const back = new Array<Owned>();
  for (let i = 0; i < kept.length; i++) {
    const port = port_of(kept[i].element);
    if (port.length > 0 && ports.has(port)) back.push(kept[i]);
  }
  return elements_add(back, null, true, [], false);
}

/** Compares the kernel with elements that should be there. */
export function elements_check(named: Owned[]): CniError | null {
  const wanted = with_opened(named);
  const present = new Present();
  const passage = new Passage();
  const compared = new Set<string>();
  for (let i = 0; i < wanted.length; i++) {
    const element = wanted[i].element;
    passage.note(element);
    const part = element.part;
    const table = `table ${family_word(part.family)} ${TABLE}`;
    if (!present.read(part.family)) return nft_error(`list ${table}`);
    if (!present.intact(part)) return lost(`${table} has not the rules for ${part.name}`);
    const chain = element.chain;
    if (chain && !present.has(part, chain)) return lost(`${table} has no chain ${chain.name}`);
    if (chain && !compared.has(chain.name)) {
      const error = companions_check(part, chain);
      if (error) return error;
      compared.add(chain.name);
    }
    const found = find(element);
    if (!found && failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
    if (!found || found.comment != wanted[i].owner || found.data != element.data) {
      return lost(`set ${element.set} of ${table} lacks ${element.key} of this container`);
    }
  }
  return passage.check(present);
}

/** Whether elements of some sets could be added; the error is STATUS's. */
export function elements_possible(sets: string[]): CniError | null {
  const present = new Present();
  const asked = new Set<string>();
  for (let i = 0; i < sets.length; i++) {
    const part = part_of_set(sets[i]);
    if (!part || asked.has(part.name)) continue;
    asked.add(part.name);
    if (!present.read(part.family)) {
      return nft_error(`list table ${family_word(part.family)} ${TABLE}`, Code.NotAvailable);
    }
    if (present.intact(part)) continue;
    const error = part_possible(part);
    if (error) return error;
  }
  return null;
}

/**
 * Whether the kernel takes all that a part is made of. It is asked for before something that fails
 * when it is reached, so nothing of it happens.
 */
function part_possible(part: Part): CniError | null {
  const batch = new Batch();
  part.load(batch);
  batch.create_table(part.family);
  if (send(batch) || failure_errno == EEXIST) return null;
  return nft_error(`make what ${part.name} needs in table ${TABLE}`, Code.NotAvailable);
}

/** Reads elements of one set that a tag may own; null when there is none to read. */
function listed(place: ElementPlace, errors: CniError[]): NftElement[] {
  const elements = element_list(HOST, place.family, TABLE, place.name);
  if (elements) {
    for (let i = 0; i < elements.length; i++) {
      elements[i].data = place.type.data_words(elements[i].data);
    }
    return elements;
  }
  // Without nf_tables there is nothing to take away either.
  if (failure_errno != ENOENT && !unsupported()) {
    const error = nft_error(`list ${place.name}`);
    if (!told(error, errors)) errors.push(error);
  }
  return [];
}

/** Whether the same reason, such as a right that is missing, was noted for another set. */
function told(error: CniError, errors: CniError[]): bool {
  for (let i = 0; i < errors.length; i++) {
    if (errors[i].details == error.details && errors[i].msg.startsWith("cannot list ")) return true;
  }
  return false;
}

/** Elements of an owner in some sets: for when nobody knows their keys. */
export function elements_of(owner: string, sets: string[], errors: CniError[]): Owned[] {
  const found = new Array<Owned>();
  for (let i = 0; i < sets.length; i++) {
    const elements = elements_in(sets[i], errors);
    for (let k = 0; k < elements.length; k++) {
      if (elements[k].owner == owner) found.push(elements[k]);
    }
  }
  return found;
}

/** All elements of a set; none when there is no such set. */
export function elements_in(set: string, errors: CniError[]): Owned[] {
  const found = new Array<Owned>();
  const place = new Element(set, "").place;
  const elements = listed(place, errors);
  for (let i = 0; i < elements.length; i++) {
    const key = place.type.key_words(elements[i].key);
    found.push(new Owned(new Element(set, key, elements[i].data), elements[i].comment));
  }
  return found;
}

/**
 * Takes away what attachments of a network left that are not valid: in `sets`, or, when none are
 * named, in all of them, and then chains nobody needs. Gives what it took away. `first` is told
 * before: what it notes in the errors keeps all where it is.
 */
export function elements_gc(
  network: string,
  sets: string[],
  valid: Attachments,
  first: (gone: Owned[], errors: CniError[]) => void,
  errors: CniError[],
): Owned[] {
  const attempt = new Attempt(null);
  while (attempt.look()) {
    const batch = new Batch(attempt.generation);
    const before = errors.length;
    const needed = new Set<string>();
    const gone = new Array<Owned>();
    for (let i = 0; i < PARTS.length; i++) {
      for (let k = 0; k < PARTS[i].sets.length; k++) {
        const place = PARTS[i].sets[k];
        if (sets.length > 0 && !sets.includes(place.name)) continue;
        queue_gc(batch, place, network, valid, needed, gone, errors);
      }
    }
    if (errors.length == before) queue_chains(batch, sets, needed, errors);
    if (errors.length == before) first(gone, errors);
    if (errors.length > before) return [];
    if (batch.count == 0 || send(batch)) return gone;
    if (!attempt.again()) break;
  }
  errors.push(nft_error(`remove what containers of network "${network}" left in table ${TABLE}`));
  return [];
}

/** Queues what may go of a set; notes where the rest leads. */
function queue_gc(
  batch: Batch,
  place: ElementPlace,
  network: string,
  valid: Attachments,
  needed: Set<string>,
  gone: Owned[],
  errors: CniError[],
): void {
  const elements = listed(place, errors);
  for (let i = 0; i < elements.length; i++) {
    const tag = elements[i].comment;
    if (owner_of_network(tag, network) && !valid.has_tag(network, tag)) {
      const key = place.type.key_words(elements[i].key);
      batch.delete_element(place, key);
      gone.push(new Owned(new Element(place.name, key, elements[i].data), tag));
    } else {
      needed.add(elements[i].data);
      needed.add(place.name);
    }
  }
}

/** Chains that no element leads to, of parts that were looked through; of whatever network. */
function queue_chains(batch: Batch, sets: string[], needed: Set<string>, errors: CniError[]): void {
  const present = new Present();
  const all = sets.length == 0;
  // One family holds all of them.
  const family = FIREWALL.family;
  if (!present.read(family)) {
    if (!unsupported()) errors.push(nft_error(`list table ${family_word(family)} ${TABLE}`));
    return;
  }
  for (let i = 0; all && i < PARTS.length; i++) {
    if (PARTS[i].subnets.length == 0) continue;
    const chains = present.chains(family, PARTS[i].subnets);
    for (let k = 0; k < chains.length; k++) {
      if (!needed.has(`goto ${chains[k]}`)) batch.delete_chain(family, chains[k]);
    }
  }
  const loaded = present.loaded(FIREWALL) || present.loaded(MARKS);
  const firewall = all ? loaded : sets.includes(FIREWALL.sets[0].name);
  const portmap = all ? present.loaded(PORTMAP) : sets.includes(OPEN4.name);
  let error: CniError | null = firewall ? firewall_gc(batch, present, needed) : null;
  if (!error && (firewall || portmap)) error = passage_gc(batch, firewall, portmap, needed);
  if (error) errors.push(error);
}
