// SPDX-License-Identifier: Apache-2.0
// The nft operations of host-node/abi/. Most faces are generated (nft.gen.ts); here are those that
// take bytes, with the same error convention. It decides nothing.
import { ByteWriter, Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import { nft_batch, nft_element_get } from "./imports.gen";
import { reply_json } from "./reply";
import { NftElement, nft_element_list_of } from "./shapes.gen";

export * from "./nft.gen";
export { NftBase, NftChain, NftElement, NftHandle, NftRule } from "./shapes.gen";

/** Sends one transaction. */
export function batch_send(ns: i32, messages: ByteWriter, words: ByteWriter): i32 {
  return checked(nft_batch(ns, messages.ptr, messages.len, words.ptr, words.len));
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
  const found = nft_element_list_of(reply_json());
  return found.length > 0 ? found[0] : null;
}
