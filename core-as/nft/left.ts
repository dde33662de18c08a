// SPDX-License-Identifier: Apache-2.0
// What attachments have, or have left, in our sets: all of an owner, all of a set, and taking away
// what those left that are not valid any more. It refuses to know attachments: an owner is a tag.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { element_list, NftElement } from "../host/nft";
import { ENOENT } from "../lib/errno";
import { Attachments } from "../spec/attachments";
import { CniError } from "../spec/error";
import { owner_of_network } from "../spec/owner-tag";
import { Attempt, send } from "./attempt";
import { Batch, ElementPlace, family_word, TABLE } from "./batch";
import { firewall_gc } from "./companions";
import { Element, Owned } from "./element";
import { FIREWALL, MARKS } from "./firewall";
import { PARTS } from "./parts";
import { passage_gc } from "./passage";
import { nft_error, Present, unsupported } from "./present";
import { OPEN4, PORTMAP } from "./subnets";

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
