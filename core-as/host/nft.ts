// Typed faces of the nft operations of host-node/abi.ts, with the same error convention as
// kernel.ts. It decides nothing.
import { JsonValue } from "../lib/json";
import { ByteWriter, Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import {
  nft_batch,
  nft_chain_get,
  nft_chain_list,
  nft_element_get,
  nft_element_list,
  nft_generation,
  nft_rule_list,
} from "./imports";
import { reply_json } from "./reply";

/** A rule of a table, as far as it can be told by its comment. */
export class NftRule {
  constructor(
    public chain: string,
    public comment: string,
  ) {}
}

/** A rule of one chain, and what its expressions are called. */
export class NftHandle {
  does: string[] = [];
  constructor(
    public handle: i64,
    public comment: string,
  ) {}
}

/** A chain: its rules, and how many these and what leads to it are. */
export class NftChain {
  rules: NftHandle[] = [];
  constructor(public use: i32) {}
}

/** A chain at a hook. */
export class NftBase {
  constructor(
    public family: i32,
    public table: string,
    public chain: string,
    public priority: i32,
    public policy: string,
  ) {}
}

/** An element of a set: its key in hex, its data in nft's words or hex. */
export class NftElement {
  constructor(
    public key: string,
    public data: string,
    public comment: string,
  ) {}
}

function text_of(value: JsonValue, key: string): string {
  const member = value.get(key);
  return member ? member.text : "";
}

function number_of(value: JsonValue, key: string): i64 {
  const member = value.get(key);
  return member ? member.integer() : 0;
}

/** Sends one transaction. */
export function batch_send(ns: i32, messages: ByteWriter, words: ByteWriter): i32 {
  return checked(nft_batch(ns, messages.ptr, messages.len, words.ptr, words.len));
}

/** The generation of all tables; less than 0 on failure. */
export function generation(ns: i32): i64 {
  return checked(nft_generation(ns)) < 0 ? -1 : reply_json().integer();
}

/** Rules of a table, none when it is not there; null on failure. */
export function rule_list(ns: i32, family: i32, table: string): NftRule[] | null {
  const name = new Utf8(table);
  if (checked(nft_rule_list(ns, family, name.ptr, name.len)) < 0) return null;
  const reply = reply_json();
  const rules = new Array<NftRule>();
  for (let i = 0; i < reply.items.length; i++) {
    rules.push(new NftRule(text_of(reply.items[i], "chain"), text_of(reply.items[i], "comment")));
  }
  return rules;
}

/** One chain of a table; null when it is not there, or on another failure. */
export function chain_get(ns: i32, family: i32, table: string, chain: string): NftChain | null {
  const table_name = new Utf8(table);
  const name = new Utf8(chain);
  const code = nft_chain_get(ns, family, table_name.ptr, table_name.len, name.ptr, name.len);
  if (checked(code) < 0) return null;
  const reply = reply_json();
  const found = new NftChain(<i32>number_of(reply, "use"));
  const rules = reply.get("rules");
  for (let i = 0; rules && i < rules.items.length; i++) {
    const rule = rules.items[i];
    const told = new NftHandle(number_of(rule, "handle"), text_of(rule, "comment"));
    const does = rule.get("does");
    for (let k = 0; does && k < does.items.length; k++) told.does.push(does.items[k].text);
    found.rules.push(told);
  }
  return found;
}

/** The base chains at a hook; null on failure. */
export function chain_list(ns: i32, hooknum: i32): NftBase[] | null {
  if (checked(nft_chain_list(ns, hooknum)) < 0) return null;
  const reply = reply_json();
  const found = new Array<NftBase>();
  for (let i = 0; i < reply.items.length; i++) {
    const item = reply.items[i];
    found.push(
      new NftBase(
        <i32>number_of(item, "family"),
        text_of(item, "table"),
        text_of(item, "chain"),
        <i32>number_of(item, "priority"),
        text_of(item, "policy"),
      ),
    );
  }
  return found;
}

function elements_from(reply: JsonValue): NftElement[] {
  const elements = new Array<NftElement>();
  for (let i = 0; i < reply.items.length; i++) {
    const item = reply.items[i];
    const data = text_of(item, "data");
    elements.push(new NftElement(text_of(item, "key"), data, text_of(item, "comment")));
  }
  return elements;
}

export function element_list(
  ns: i32,
  family: i32,
  table: string,
  set: string,
): NftElement[] | null {
  const table_name = new Utf8(table);
  const name = new Utf8(set);
  const code = nft_element_list(ns, family, table_name.ptr, table_name.len, name.ptr, name.len);
  return checked(code) < 0 ? null : elements_from(reply_json());
}

/** The element of a key; null when it is not there, or on another failure. */
export function element_get(
  ns: i32,
  family: i32,
  table: string,
  set: string,
  key: ByteWriter,
): NftElement | null {
  const table_name = new Utf8(table);
  const name = new Utf8(set);
  const code = nft_element_get(
    ns,
    family,
    table_name.ptr,
    table_name.len,
    name.ptr,
    name.len,
    key.ptr,
    key.len,
  );
  if (checked(code) < 0) return null;
  const found = elements_from(reply_json());
  return found.length > 0 ? found[0] : null;
}
