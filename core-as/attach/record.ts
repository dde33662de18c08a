// SPDX-License-Identifier: Apache-2.0
// The record of an attachment, as text: which container and interface on which network, in which
// namespaces, and the list of its effects. Records of 0.1.0 are read too. Where they lie is
// store.ts.
import { JsonValue, json_parse, json_text, Kind } from "../lib/json";
import { dir_usable, identifier_valid } from "../lib/name";
import { state_dir } from "../lib/state-dir";
import { Utf8 } from "../lib/utf8";
import { Element, element_parse, Owned } from "../nft/element";
import { FIREWALL, ISOLATION, MARKS } from "../nft/firewall";
import { PORTMAP } from "../nft/subnets";
import { owner_tag } from "../spec/owner-tag";
import { Effect, effect_read, Site } from "./effect";
import { Elements } from "./elements";

/** Where records lie. */
export function records_dir(): string {
  return `${state_dir()}/attachments`;
}

/** What was attached where. */
export class Attachment {
  network: string = "";
  containerID: string = "";
  ifname: string = "";
  /** CNI_NETNS at the time of ADD. */
  netns: string = "";
  /** The identity of that namespace; "" in a record of 0.1.0. */
  netnsID: string = "";
  /** That of the host's namespace: runtimes in several may share /run. "" in one of 0.1.0. */
  hostNetnsID: string = "";
  effects: Effect[] = [];

  /** The name of its file. */
  get name(): string {
    return `${this.containerID}:${this.ifname}`;
  }
  get path(): string {
    return `${records_dir()}/${this.name}`;
  }
  /** What says in nftables whose an element is. */
  get tag(): string {
    return owner_tag(this.network, this.containerID, this.ifname);
  }
  get site(): Site {
    return new Site(this.network, this.containerID, this.ifname);
  }
  /** What it has in sets of nftables. */
  get elements(): Element[] {
    let list = new Array<Element>();
    for (let i = 0; i < this.effects.length; i++) {
      const effect = this.effects[i];
      if (effect instanceof Elements) list = list.concat((<Elements>effect).list);
    }
    return list;
  }
  /** The same, each with the tag of its owner. */
  get owned(): Owned[] {
    return owned_by(this.elements, this.tag);
  }
  /** Splits off the effects of one type; "" for all of them. */
  take(by: string): Effect[] {
    const taken = new Array<Effect>();
    const rest = new Array<Effect>();
    for (let i = 0; i < this.effects.length; i++) {
      const effect = this.effects[i];
      (by.length == 0 || effect.by == by ? taken : rest).push(effect);
    }
    this.effects = rest;
    return taken;
  }
  /** Whether it is in this namespace, as far as its record tells. */
  is_in(netnsID: string, netns: string): bool {
    return this.netnsID.length > 0 ? this.netnsID == netnsID : this.netns == netns;
  }

  toString(): string {
    const object = JsonValue.object();
    object.append("network", JsonValue.string(this.network));
    object.append("containerID", JsonValue.string(this.containerID));
    object.append("ifname", JsonValue.string(this.ifname));
    object.append("netns", JsonValue.string(this.netns));
    object.append("netnsID", JsonValue.string(this.netnsID));
    object.append("hostNetnsID", JsonValue.string(this.hostNetnsID));
    const list = JsonValue.array();
    for (let i = 0; i < this.effects.length; i++) {
      const effect = this.effects[i];
      if (effect.word.length == 0) continue;
      const item = JsonValue.object();
      item.append("effect", JsonValue.string(effect.word));
      item.append("by", JsonValue.string(effect.by));
      effect.write(item);
      list.push(item);
    }
    object.append("effects", list);
    return json_text(object);
  }
}

export function owned_by(elements: Element[], tag: string): Owned[] {
  const list = new Array<Owned>();
  for (let i = 0; i < elements.length; i++) list.push(new Owned(elements[i], tag));
  return list;
}

/**
 * Reads the text of the record in the file of that name; null when it is none: it is state of ours,
 * but anybody may have written. One that names another attachment than its file would lead to that.
 */
export function record_parse(name: string, text: string): Attachment | null {
  const bytes = new Utf8(text);
  const parsed = json_parse(bytes.ptr, bytes.len);
  if (parsed.failed || parsed.value.kind != Kind.Object) return null;
  const value = parsed.value;
  const made = new Attachment();
  made.network = value.text_at("network");
  made.containerID = value.text_at("containerID");
  made.ifname = value.text_at("ifname");
  made.netns = value.text_at("netns");
  made.netnsID = value.text_at("netnsID");
  made.hostNetnsID = value.text_at("hostNetnsID");
  if (!identifier_valid(made.network) || made.name != name) return null;
  const list = value.get("effects");
  if (!list) return older_parse(value, made);
  if (list.kind != Kind.Array) return null;
  for (let i = 0; i < list.items.length; i++) {
    const item = list.items[i];
    if (item.kind != Kind.Object) return null;
    const effect = effect_read(item.text_at("effect"), item);
    effect.by = item.text_at("by");
    made.effects.push(effect);
  }
  return made;
}

/**
 * Effects of a record of 0.1.0, which had none: "dataDir" where a plugin of ours wired, and "nft".
 * Who noted an element it did not say; its set tells of the chained ones.
 */
function older_parse(value: JsonValue, into: Attachment): Attachment | null {
  const dataDir = value.get("dataDir");
  if (dataDir) {
    const dir = value.text_at("dataDir");
    if (dir.length > 0 && !dir_usable(dir)) return null;
    if (dir.length > 0) into.effects.push(effect_read("leases", value));
    into.effects.push(effect_read("veth", value));
  }
  const nft = value.get("nft");
  for (let i = 0; nft !== null && i < nft.items.length; i++) {
    const element = nft.items[i].kind == Kind.String ? element_parse(nft.items[i].text) : null;
    if (!element) continue;
    const effect = new Elements([element]);
    if (element.part == PORTMAP) effect.by = "portmap";
    if (element.part == FIREWALL || element.part == ISOLATION || element.part == MARKS)
      effect.by = "firewall";
    into.effects.push(effect);
  }
  return into;
}
