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
import { Element, owner_of_network } from "./element";
import { Chain, FIREWALL, MASQ, PARTS, Part, part_of_set, SUBNET_CHAIN } from "./parts";
import { find, lost, nft_error, Present, unsupported } from "./present";

/** Others may change the same sets meanwhile; what they did is looked at before the next try. */
const TRIES = 4;

/** An element and the tag of its owner. */
export class Owned {
  constructor(
    public element: Element,
    public owner: string,
  ) {}
}

/** Who knows what else was there when something is missing. */
export abstract class Others {
  /** null on failure. */
  abstract read(): Owned[] | null;
}

/** Queues an element that may be there already, be it of another owner. */
function queue_kept(batch: Batch, owned: Owned): CniError | null {
  const element = owned.element;
  const found = find(element);
  if (!found && failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
  if (found && found.comment == owned.owner && found.data == element.data) return null;
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
    /** What else is to be there when something was missing. */
    private others: Others | null,
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
      if (careful || i >= own) this.error = queue_kept(this.batch, owned);
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
      const others = this.others;
      this.others = null;
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
    const plan = new Plan(wanted, tries == TRIES - 1 ? null : others);
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
  for (let i = 0; i < sets.length; i++) {
    const part = part_of_set(sets[i]);
    if (!part || rule_list(HOST, part.family, TABLE)) continue;
    return nft_error(`list table ${family_word(part.family)} ${TABLE}`, Code.NotAvailable);
  }
  return null;
}

/** Reads elements of one set that a tag may own; null when there is none to read. */
function listed(place: ElementPlace, errors: CniError[]): NftElement[] {
  const elements = element_list(HOST, place.family, TABLE, place.name);
  if (elements) return elements;
  // Without nf_tables there is nothing to take away either.
  if (failure_errno != ENOENT && !unsupported()) errors.push(nft_error(`list ${place.name}`));
  return [];
}

/** Elements of an owner in some sets: for when nobody knows their keys. */
export function elements_of(owner: string, sets: string[], errors: CniError[]): Owned[] {
  const found = new Array<Owned>();
  for (let i = 0; i < sets.length; i++) {
    const place = new Element(sets[i], "").place;
    const elements = listed(place, errors);
    for (let k = 0; k < elements.length; k++) {
      if (elements[k].comment != owner) continue;
      const key = place.type.key_words(elements[k].key);
      found.push(new Owned(new Element(place.name, key, elements[k].data), owner));
    }
  }
  return found;
}

/**
 * Takes away what attachments of a network left that are not valid: in `sets`, or, when none are
 * named, in all of them, and chains that nobody needs then.
 */
export function elements_gc(
  network: string,
  sets: string[],
  valid: Attachments,
  errors: CniError[],
): void {
  for (let tries = 0; tries < TRIES; tries++) {
    const batch = new Batch();
    const before = errors.length;
    const needed = new Set<string>();
    for (let i = 0; i < PARTS.length; i++) {
      for (let k = 0; k < PARTS[i].sets.length; k++) {
        const place = PARTS[i].sets[k];
        if (sets.length > 0 && !sets.includes(place.name)) continue;
        queue_gc(batch, place, network, valid, needed, errors);
      }
    }
    if (errors.length == before) queue_chains(batch, sets, needed, errors);
    if (errors.length > before || batch.count == 0 || send(batch)) return;
    if (!contended()) break;
  }
  errors.push(nft_error(`remove what containers of network "${network}" left in table ${TABLE}`));
}

/** Queues what may go of a set; notes where the rest leads. */
function queue_gc(
  batch: Batch,
  place: ElementPlace,
  network: string,
  valid: Attachments,
  needed: Set<string>,
  errors: CniError[],
): void {
  const elements = listed(place, errors);
  for (let i = 0; i < elements.length; i++) {
    const tag = elements[i].comment;
    if (owner_of_network(tag, network) && !valid.has_tag(network, tag)) {
      batch.delete_element(place, place.type.key_words(elements[i].key));
    } else {
      needed.add(elements[i].data);
    }
  }
}

/** Chains that no element leads to, of parts that were looked through; of whatever network. */
function queue_chains(batch: Batch, sets: string[], needed: Set<string>, errors: CniError[]): void {
  const present = new Present();
  const all = sets.length == 0;
  // One family holds both.
  if (!present.read(MASQ.family)) {
    if (!unsupported()) errors.push(nft_error(`list table ${family_word(MASQ.family)} ${TABLE}`));
    return;
  }
  const chains = all ? present.chains(MASQ.family, SUBNET_CHAIN) : new Array<string>();
  for (let i = 0; i < chains.length; i++) {
    if (!needed.has(`goto ${chains[i]}`)) batch.delete_chain(MASQ.family, chains[i]);
  }
  const first = FIREWALL.sets[0].name;
  if (all ? !present.loaded(FIREWALL) : !sets.includes(first)) return;
  const error = firewall_gc(batch, present, needed);
  if (error) errors.push(error);
}
