// SPDX-License-Identifier: Apache-2.0
// Elements that the kernel has, and whose they are. It changes nothing.
import { failure_errno } from "../host/failure";
import { ENOENT } from "../lib/errno";
import { CniError } from "../spec/error";
import { Batch } from "./batch";
import { Element, Owned } from "./element";
import { find, nft_error, unsupported } from "./present";

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
 * Queues the removal of elements that are there and still their owner's: `going`. Keys that were
 * `seen` are left out.
 */
export function queue_removal(
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
