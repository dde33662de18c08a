// SPDX-License-Identifier: Apache-2.0
// One element of a set of ours, and whose it is. Its text, "SET KEY[ : DATA]", is what records of
// attachments keep; the owner's tag is the comment it has in the kernel.
import { ElementPlace } from "./batch";
import { Chain, Part } from "./part";
import { part_of_set } from "./parts";

const GOTO = "goto ";

export class Element {
  constructor(
    public set: string,
    public key: string,
    public data: string = "",
  ) {}

  get text(): string {
    return `${this.set} ${this.key}${this.data.length > 0 ? ` : ${this.data}` : ""}`;
  }
  /** What the kernel has one of. */
  get place_key(): string {
    return `${this.set} ${this.key}`;
  }
  /** Its set is one of ours: true of every element that was made or parsed. */
  get part(): Part {
    const part = part_of_set(this.set);
    return part ? part : unreachable();
  }
  get place(): ElementPlace {
    const sets = this.part.sets;
    for (let i = 0; i < sets.length; i++) if (sets[i].name == this.set) return sets[i];
    return unreachable();
  }
  /** The chain it leads to, as it should be; null for none. */
  get chain(): Chain | null {
    return this.data.startsWith(GOTO)
      ? this.part.target(this.set, this.data.substring(GOTO.length))
      : null;
  }
}

/** An element and the tag of its owner. */
export class Owned {
  constructor(
    public element: Element,
    public owner: string,
  ) {}
}

/** An element by its text; null when it is none of ours, or of another version of us. */
export function element_parse(text: string): Element | null {
  const space = text.indexOf(" ");
  if (space < 0) return null;
  const colon = text.indexOf(" : ");
  const key = text.substring(space + 1, colon < 0 ? text.length : colon);
  const data = colon < 0 ? "" : text.substring(colon + 3);
  const element = new Element(text.substring(0, space), key, data);
  if (!part_of_set(element.set) || !element.place.type.valid(key)) return null;
  if (!element.place.type.data_valid(data)) return null;
  if (data.startsWith(GOTO) && !element.chain) return null;
  return element;
}
