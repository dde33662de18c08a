// What the kernel has of our tables, and bringing it to what is wanted: one transaction each, sent
// again when another process was quicker. Everything here happens in the host's own namespace.
// It refuses to know attachments and configurations: who owns an element is a tag.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { batch_send, element_list, NftElement, rule_list } from "../host/nft";
import { EBUSY, EEXIST, ENOENT } from "../lib/errno";
import { Attachments } from "../spec/attachments";
import { CniError, Code, os_error } from "../spec/error";
import { Batch, ElementPlace, family_word, TABLE } from "./batch";
import {
  companions_add,
  companions_check,
  firewall_gc,
  others_explain,
  policies_drop,
} from "./companions";
import { Element, Owned, owner_of_network } from "./element";
import { FIREWALL, PARTS, Part, part_of_set } from "./parts";
import { find, lost, nft_error, Present, unsupported } from "./present";

/** Others may change the same sets meanwhile; what they did is looked at before the next try. */
const TRIES = 12;

/** Who knows what else was there when something is missing. */
export abstract class Others {
  /** null on failure. */
  abstract read(): Owned[] | null;
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
 * Queues an element that may be there already, be it of another owner. A claimed one is taken from
 * an owner only when `others` is there to say that it may be.
 */
function queue_kept(batch: Batch, owned: Owned, others: Others | null): CniError | null {
  const element = owned.element;
  const found = find(element);
  if (!found && failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
  if (found && found.comment == owned.owner && found.data == element.data) return null;
  if (found && found.comment != owned.owner && element.place.claimed) {
    const held = others ? others.holds(element, found.comment) : null;
    if (held || !others) return held;
  }
  if (found) batch.delete_element(element.place, element.key);
  batch.create_element(element.place, element.key, element.data, owned.owner);
  return null;
}

/** Queues the removal of elements that are there and still their owner's: `going`. */
function queue_removal(batch: Batch, owned: Owned[], going: Element[] = []): CniError | null {
  for (let i = 0; i < owned.length; i++) {
    const element = owned[i].element;
    const found = find(element);
    if (!found && failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
    if (!found || found.comment != owned[i].owner) continue;
    batch.delete_element(element.place, element.key);
    going.push(element);
  }
  return null;
}

/** What a transaction is being made of. */
class Plan {
  batch: Batch = new Batch();
  error: CniError | null = null;
  private present: Present = new Present();
  private elements: Owned[];
  private seen: Set<string> = new Set<string>();
  private prepared: Set<string> = new Set<string>();

  constructor(
    wanted: Owned[],
    private others: Others | null,
    /** Whether what others lost is to be there again when something was missing. */
    private restores: bool,
  ) {
    this.elements = wanted.slice();
  }

  /** `stale` goes before anything is added; `careful`: what is added may be there. */
  make(stale: Owned[], careful: bool): void {
    this.error = queue_removal(this.batch, stale);
    if (this.error) return;
    const own = this.elements.length;
    for (let i = 0; i < this.elements.length; i++) {
      const owned = this.elements[i];
      const key = `${owned.element.set} ${owned.element.key}`;
      if (this.seen.has(key)) continue;
      this.seen.add(key);
      this.error = this.prepare(owned.element, careful);
      if (this.error) return;
      const place = owned.element.place;
      const judge = i < own ? this.others : null;
      if (careful || i >= own) this.error = queue_kept(this.batch, owned, judge);
      else {
        const element = owned.element;
        this.batch.create_element(place, element.key, element.data, owned.owner);
      }
      if (this.error) return;
    }
  }

  /** Queues what must be there before an element. */
  private prepare(element: Element, careful: bool): CniError | null {
    const part = element.part;
    if (!this.present.read(part.family)) {
      return nft_error(`list table ${family_word(part.family)} ${TABLE}`);
    }
    if (!this.present.intact(part)) {
      part.load(this.batch);
      for (let i = 0; i < part.chains.length; i++) this.present.note(part, part.chains[i]);
      if (part.name == FIREWALL.name) others_explain();
      const others = this.restores ? this.others : null;
      this.restores = false;
      if (others) {
        const lost = others.read();
        if (!lost) return os_error("find out what else was lost", Code.Io);
        this.elements = this.elements.concat(lost);
      }
    }
    const chain = element.chain;
    if (!chain || this.prepared.has(chain.name)) return null;
    this.prepared.add(chain.name);
    const anew = !this.present.has(part, chain);
    // Of several that make it at once one wins, and our rule in FORWARD is there once.
    if (anew) part.load_chain(this.batch, chain, !careful && chain.override_family != 0);
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
 * `stale`: elements that are to go in the same transaction.
 */
export function elements_add(
  wanted: Owned[],
  others: Others | null,
  careful: bool = false,
  stale: Owned[] = [],
): CniError | null {
  if (wanted.length == 0) return elements_remove(stale);
  for (let tries = 0; tries < TRIES; tries++) {
    // What others have lost must not make this fail for good.
    const plan = new Plan(wanted, others, tries < TRIES - 1);
    plan.make(stale, careful || tries > 0);
    if (plan.error) return plan.error;
    if (plan.batch.count == 0 || send(plan.batch)) return null;
    if (!contended()) break;
  }
  return nft_error(`add ${wanted[0].element.text} to table ${TABLE}`);
}

/**
 * Takes elements away that are there and still their owner's, and with the last that leads there
 * the policy of a bridge.
 */
export function elements_remove(owned: Owned[]): CniError | null {
  if (owned.length == 0) return null;
  const elements = new Array<Element>();
  let policies = false;
  for (let i = 0; i < owned.length; i++) {
    elements.push(owned[i].element);
    const chain = owned[i].element.chain;
    if (chain && chain.shared.length > 0) policies = true;
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const batch = new Batch();
    const going = new Array<Element>();
    let error = queue_removal(batch, owned, going);
    if (!error && policies) error = policies_drop(batch, elements, going);
    if (error) return error;
    if (batch.count == 0) return null;
    // Of two that go at once neither may have seen itself as the last: look again.
    if (!send(batch)) {
      if (!contended()) break;
    } else if (!policies) return null;
  }
  return nft_error(`remove ${owned[0].element.text} from table ${TABLE}`);
}

/** Compares the kernel with elements that should be there. */
export function elements_check(wanted: Owned[]): CniError | null {
  const present = new Present();
  const compared = new Set<string>();
  for (let i = 0; i < wanted.length; i++) {
    const element = wanted[i].element;
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
  return null;
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
  if (failure_errno != ENOENT && !unsupported()) errors.push(nft_error(`list ${place.name}`));
  return [];
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
  for (let tries = 0; tries < TRIES; tries++) {
    const batch = new Batch();
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
    if (!contended()) break;
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
  const first = FIREWALL.sets[0].name;
  if (all ? !present.loaded(FIREWALL) : !sets.includes(first)) return;
  const error = firewall_gc(batch, present, needed);
  if (error) errors.push(error);
}
