// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Typed faces of operations of the module nft. One gives >= 0 or what is named, or
// else -errno or null, with the details noted in failure.ts.
import { Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import {
  nft_chain_get,
  nft_chain_list,
  nft_element_list,
  nft_generation,
  nft_rule_list,
} from "./imports.gen";
import { reply_json } from "./reply";
import {
  NftBase,
  NftChain,
  NftElement,
  NftRule,
  nft_base_list_of,
  nft_chain_of,
  nft_element_list_of,
  nft_rule_list_of,
} from "./shapes.gen";

/**
 * The generation of all tables: each transaction of anybody that changes them ends one. Gives: a
 * number that is never 0.
 */
export function generation(ns: i32): i64 {
  const code = nft_generation(ns);
  return checked(code) < 0 ? -1 : reply_json().integer();
}

/**
 * The comment of every rule of a table, "" for none. A table that is not there has no rules. family
 * is a number of linux/netfilter.h: 1 inet, 7 bridge. Gives: in the order of the kernel.
 */
export function rule_list(ns: i32, family: i32, table: string): NftRule[] | null {
  const table_utf8 = new Utf8(table);
  const code = nft_rule_list(ns, family, table_utf8.ptr, table_utf8.len);
  return checked(code) < 0 ? null : nft_rule_list_of(reply_json());
}

/**
 * One chain: how many rules it has and rules and elements lead to it, in sum (`use`), and the
 * handle and comment of its rules, and what their expressions are called in the kernel
 * (linux/netfilter/nf_tables.h), a verdict in the words of nft, a match or a target of xtables with
 * its name. Gives: its rules in the order of the kernel.
 */
export function chain_get(ns: i32, family: i32, table: string, chain: string): NftChain | null {
  const table_utf8 = new Utf8(table);
  const chain_utf8 = new Utf8(chain);
  const code = nft_chain_get(
    ns,
    family,
    table_utf8.ptr,
    table_utf8.len,
    chain_utf8.ptr,
    chain_utf8.len,
  );
  return checked(code) < 0 ? null : nft_chain_of(reply_json());
}

/** Base chains of all tables and families at a hook, a number of linux/netfilter.h: 2 forward. */
export function chain_list(ns: i32, hooknum: i32): NftBase[] | null {
  const code = nft_chain_list(ns, hooknum);
  return checked(code) < 0 ? null : nft_base_list_of(reply_json());
}

/** All elements of a set or map: bytes in hex, a verdict in nft's words. */
export function element_list(
  ns: i32,
  family: i32,
  table: string,
  set: string,
): NftElement[] | null {
  const table_utf8 = new Utf8(table);
  const set_utf8 = new Utf8(set);
  const code = nft_element_list(
    ns,
    family,
    table_utf8.ptr,
    table_utf8.len,
    set_utf8.ptr,
    set_utf8.len,
  );
  return checked(code) < 0 ? null : nft_element_list_of(reply_json());
}
