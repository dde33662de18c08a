// What the kernel has of our tables, and bringing it to what is wanted: one transaction each, sent
// again when another process was quicker. Everything here happens in the host's own namespace.
// It refuses to know attachments and configurations: who owns an element is a tag.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { batch_send, element_get, element_list, NftElement, rule_list } from "../host/nft";
import { EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT } from "../lib/errno";
import { Attachments } from "../spec/attachments";
import { CniError, Code, os_error } from "../spec/error";
import { Batch, ElementPlace, family_word, TABLE } from "./batch";
import { Element, owner_of_network } from "./element";
import { Chain, MASQ, PARTS, Part, part_of_set, SUBNET_CHAIN, subnet_chain } from "./parts";

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

/** A kernel without nf_tables says so in one of these. */
function unsupported(): bool {
  const errno = failure_errno;
  return errno == EPROTONOSUPPORT || errno == EOPNOTSUPP || errno == EINVAL;
}

/** The error for the operation that just failed. */
function nft_error(tried: string, code: i32 = Code.Kernel): CniError {
  const error = os_error(tried, code);
  if (unsupported()) {
    error.msg +=
      ": the kernel must have nf_tables with nat and bridge support " +
      "(modprobe nf_tables nft_chain_nat nft_masq nf_tables_bridge)";
  }
  return error;
}

/** Rules of our tables, by chain, as far as they were read. */
class Present {
  private families: i32[] = [];
  private counts: Map<string, i32> = new Map<string, i32>();
  private tags: Map<string, string> = new Map<string, string>();

  /** Reads the rules of a family, once; false on failure. */
  read(family: i32): bool {
    if (this.families.includes(family)) return true;
    const rules = rule_list(HOST, family, TABLE);
    if (!rules) return false;
    this.families.push(family);
    for (let i = 0; i < rules.length; i++) {
      const key = `${family} ${rules[i].chain}`;
      const first = !this.counts.has(key);
      this.counts.set(key, (first ? 0 : this.counts.get(key)) + 1);
      // One foreign rule among them makes the chain another.
      const same = first || this.tags.get(key) == rules[i].comment;
      this.tags.set(key, same ? rules[i].comment : "");
    }
    return true;
  }
  has(part: Part, chain: Chain): bool {
    const key = `${part.family} ${chain.name}`;
    if (!this.counts.has(key)) return false;
    return this.counts.get(key) == chain.rules.length && this.tags.get(key) == part.tag;
  }
  intact(part: Part): bool {
    for (let i = 0; i < part.chains.length; i++) {
      if (!this.has(part, part.chains[i])) return false;
    }
    return true;
  }
  note(part: Part, chain: Chain): void {
    const key = `${part.family} ${chain.name}`;
    this.counts.set(key, chain.rules.length);
    this.tags.set(key, part.tag);
  }
  /** Names of the chains of subnets in a family. */
  subnet_chains(family: i32): string[] {
    const found = new Array<string>();
    const keys = this.counts.keys();
    const start = `${family} ${SUBNET_CHAIN}`;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i].startsWith(start)) found.push(keys[i].substring(keys[i].indexOf(" ") + 1));
    }
    return found;
  }
}

function find(element: Element): NftElement | null {
  const place = element.place;
  return element_get(HOST, place.family, TABLE, place.name, place.type.key_bytes(element.key));
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

/** Queues the removal of elements that are there and still their owner's. */
function queue_removal(batch: Batch, owned: Owned[]): CniError | null {
  for (let i = 0; i < owned.length; i++) {
    const element = owned[i].element;
    const found = find(element);
    if (!found && failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
    if (!found || found.comment != owned[i].owner) continue;
    batch.delete_element(element.place, element.key);
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
      this.error = this.prepare(owned.element);
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
  private prepare(element: Element): CniError | null {
    const part = element.part;
    if (!this.present.read(part.family)) {
      return nft_error(`list table ${family_word(part.family)} ${TABLE}`);
    }
    if (!this.present.intact(part)) {
      part.load(this.batch);
      for (let i = 0; i < part.chains.length; i++) this.present.note(part, part.chains[i]);
      const others = this.others;
      this.others = null;
      if (others) {
        const lost = others.read();
        if (!lost) return os_error("find out what else was lost", Code.Io);
        this.elements = this.elements.concat(lost);
      }
    }
    const chain = element.chain.length > 0 ? subnet_chain(element.chain) : null;
    if (chain && !this.present.has(part, chain)) {
      part.load_chain(this.batch, chain);
      this.present.note(part, chain);
    }
    return null;
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

/** Takes elements away that are there and still their owner's. */
export function elements_remove(owned: Owned[]): CniError | null {
  if (owned.length == 0) return null;
  for (let tries = 0; tries < TRIES; tries++) {
    const batch = new Batch();
    const error = queue_removal(batch, owned);
    if (error) return error;
    if (batch.count == 0 || send(batch)) return null;
    if (!contended()) break;
  }
  return nft_error(`remove ${owned[0].element.text} from table ${TABLE}`);
}

/** An error of CHECK: what is missing, and what brings it back. */
function lost(what: string): CniError {
  return new CniError(
    Code.CheckFailed,
    `${what}, so somebody flushed it: "fairlead repair" restores it for all containers`,
  );
}

/** Compares the kernel with elements that should be there. */
export function elements_check(wanted: Owned[]): CniError | null {
  const present = new Present();
  for (let i = 0; i < wanted.length; i++) {
    const element = wanted[i].element;
    const part = element.part;
    const table = `table ${family_word(part.family)} ${TABLE}`;
    if (!present.read(part.family)) return nft_error(`list ${table}`);
    if (!present.intact(part)) return lost(`${table} has not the rules for ${part.name}`);
    const chain = element.chain.length > 0 ? subnet_chain(element.chain) : null;
    if (chain && !present.has(part, chain)) return lost(`${table} has no chain ${chain.name}`);
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
 * named, in all of them, and then chains nobody needs.
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
    if (errors.length == before && sets.length == 0) queue_chains(batch, needed, errors);
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

/** Chains of subnets that no element leads to; whose network they were of does not matter. */
function queue_chains(batch: Batch, needed: Set<string>, errors: CniError[]): void {
  const present = new Present();
  if (!present.read(MASQ.family)) {
    if (!unsupported()) errors.push(nft_error(`list table ${family_word(MASQ.family)} ${TABLE}`));
    return;
  }
  const chains = present.subnet_chains(MASQ.family);
  for (let i = 0; i < chains.length; i++) {
    if (!needed.has(`goto ${chains[i]}`)) batch.delete_chain(MASQ.family, chains[i]);
  }
}
