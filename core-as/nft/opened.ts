// What comes along with an element that leads a port of the host to a container: one by which the
// packets are let pass in the forward hook (firewall.ts). It follows from the other, so records of
// attachments do not name it.
import { Element, Owned } from "./element";
import { PORTMAP } from "./subnets";

/** The element that comes along; null for another. */
export function opened_by(element: Element): Element | null {
  if (element.part != PORTMAP || !element.place.claimed) return null;
  // [ADDRESS . ]PROTOCOL . PORT : CONTAINER . PORT
  const key = element.key.split(" . ");
  const container = element.data.split(" . ")[0];
  const port = `${key[key.length - 2]} . ${key[key.length - 1]}`;
  const set = `hostports_open${element.set.endsWith("6") ? 6 : 4}`;
  return new Element(set, `${container} . ${port}`);
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
