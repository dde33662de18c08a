// SPDX-License-Identifier: Apache-2.0
// What comes along with an element that leads a port of the host to a container: one by which the
// packets are let pass in the forward hook (firewall.ts). It follows from the other, so records of
// attachments do not name it.
import { Element, Owned } from "./element";
import { PORTMAP } from "./subnets";

/** Protocol and port of the host of an element that leads there, with its family; "" of another. */
export function port_of(element: Element): string {
  if (element.part != PORTMAP || !element.place.claimed) return "";
  // [ADDRESS . ]PROTOCOL . PORT
  const key = element.key.split(" . ");
  const family = element.set.endsWith("6") ? 6 : 4;
  return `${family} ${key[key.length - 2]} . ${key[key.length - 1]}`;
}

/** The element that comes along; null for another. */
export function opened_by(element: Element): Element | null {
  const port = port_of(element);
  if (port.length == 0) return null;
  const container = element.data.split(" . ")[0];
  return new Element(`hostports_open${port.charAt(0)}`, `${container} . ${port.substring(2)}`);
}

/** Elements with those that come along, each once. */
export function with_opened(owned: Owned[]): Owned[] {
  let all = owned;
  const seen = new Set<string>();
  for (let i = 0; i < owned.length; i++) {
    const opened = opened_by(owned[i].element);
    if (!opened) continue;
    if (all == owned) {
      all = owned.slice();
      for (let k = 0; k < owned.length; k++) seen.add(owned[k].element.place_key);
    }
    if (seen.has(opened.place_key)) continue;
    seen.add(opened.place_key);
    all.push(new Owned(opened, owned[i].owner));
  }
  return all;
}

/** The same by set, in the order of the first of each: a transaction of them is smaller so. */
export function by_set(owned: Owned[]): Owned[] {
  const names = new Array<string>();
  for (let i = 0; i < owned.length; i++) {
    if (!names.includes(owned[i].element.set)) names.push(owned[i].element.set);
  }
  const ordered = new Array<Owned>();
  for (let k = 0; k < names.length; k++) {
    for (let i = 0; i < owned.length; i++) {
      if (owned[i].element.set == names[k]) ordered.push(owned[i]);
    }
  }
  return ordered;
}
