// SPDX-License-Identifier: Apache-2.0
// The effect "elements": what an attachment has in sets of nftables, and the flows through it. How
// elements come into the kernel at the end of an ADD is nft.ts.
import { log } from "../host/store";
import { JsonValue, Kind } from "../lib/json";
import { Element, element_parse, Owned } from "../nft/element";
import { flows_forget } from "../nft/hostport";
import { elements_remove } from "../nft/tables";
import { CniError } from "../spec/error";
import { owner_tag } from "../spec/owner-tag";
import { Effect, Site } from "./effect";

export class Elements extends Effect {
  constructor(public list: Element[]) {
    super();
  }
  get word(): string {
    return "elements";
  }
  write(into: JsonValue): void {
    const texts = JsonValue.array();
    for (let i = 0; i < this.list.length; i++) texts.push(JsonValue.string(this.list[i].text));
    into.append("elements", texts);
  }
  undo(site: Site, errors: CniError[]): bool {
    if (site.elements_gone) return true;
    const tag = owner_tag(site.network, site.containerID, site.ifname);
    const before = errors.length;
    elements_release(
      this.list.map<Owned>((element) => new Owned(element, "")),
      tag,
      errors,
    );
    return errors.length == before;
  }
}

/** Reads one; what is none of ours, or of another version of us, is left out. */
export function elements_read(from: JsonValue): Elements | null {
  const list = from.get("elements");
  if (!list || list.kind != Kind.Array) return null;
  const elements = new Array<Element>();
  for (let i = 0; i < list.items.length; i++) {
    const text = list.items[i];
    const element = text.kind == Kind.String ? element_parse(text.text) : null;
    if (element) elements.push(element);
  }
  return new Elements(elements);
}

/** Takes elements away, and the flows through them; `tag`: whose they all are, "" as they say. */
export function elements_release(owned: Owned[], tag: string, errors: CniError[]): void {
  for (let i = 0; i < owned.length && tag.length > 0; i++) owned[i].owner = tag;
  const error = elements_remove(owned);
  if (error) errors.push(error);
  else flows_drop(owned, errors);
}

/** Makes conntrack forget the flows through what is or was an attachment's. */
export function flows_drop(owned: Owned[], errors: CniError[]): void {
  const error = flows_forget(
    owned.map<Element>((one) => one.element),
    false,
  );
  if (error) errors.push(error);
}

/** The end of an ADD. Flows that stay all the same end by themselves: a log is enough. */
export function flows_renew(stale: Owned[], fresh: Element[]): void {
  const errors = new Array<CniError>();
  flows_drop(stale, errors);
  const error = flows_forget(fresh, true);
  if (error) errors.push(error);
  for (let i = 0; i < errors.length; i++) log(errors[i].toString());
}
