// SPDX-License-Identifier: Apache-2.0
// Entry of a test build: thin functions over core-as/lib for the tests, through the loader.
// It owns no logic a plugin uses, and no plugin is built from it.
import { errno_name } from "../lib/errno";
import { Cidr, cidr_parse, Ip, ip_parse, ip_parse_loose } from "../lib/ip";
import { JsonValue, json_parse, json_text, json_write } from "../lib/json";
import { Layer, layer_parse, MtuResult, mss_bytes, mtu_asked, mtu_inner } from "../lib/mtu";
import { nearest } from "../lib/nearest";
import { Regex } from "../lib/regex";
import { sha512 } from "../lib/sha512";
import { ByteWriter, Utf8, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { visible } from "../lib/visible";

export { nft_key, nft_messages, nft_words } from "./nft";

export { errno_name, visible };

/** The nearest of names that are divided by blanks. */
export function nearest_of(word: string, names: string): string {
  return nearest(word, names.split(" "));
}

/** "" when the document parses, else "POSITION: PROBLEM". */
export function json_problem(bytes: ArrayBuffer): string {
  const parsed = json_parse(changetype<usize>(bytes), bytes.byteLength);
  return parsed.failed ? `${parsed.position(parsed.offset)}: ${parsed.problem}` : "";
}

function tree(bytes: ArrayBuffer): JsonValue {
  const parsed = json_parse(changetype<usize>(bytes), bytes.byteLength);
  assert(!parsed.failed, parsed.problem);
  return parsed.value;
}

/** The document written again. */
export function json_again(bytes: ArrayBuffer, indent: i32): string {
  const out = new ByteWriter();
  json_write(out, tree(bytes), indent);
  return out.toString();
}

/** A member as compact text, "" when absent. */
export function json_member(bytes: ArrayBuffer, key: string): string {
  const member = tree(bytes).get(key);
  return member ? json_text(member) : "";
}

/** Where a member stands. */
export function json_member_position(bytes: ArrayBuffer, key: string): string {
  const parsed = json_parse(changetype<usize>(bytes), bytes.byteLength);
  const member = parsed.value.get(key);
  return member ? parsed.position(member.offset) : "";
}

/** The document after `set(key, value)` with a string. */
export function json_with(bytes: ArrayBuffer, key: string, value: string): string {
  return json_text(tree(bytes).set(key, JsonValue.string(value)));
}

/** A number as an integer, "" when it is none. */
export function json_integer(bytes: ArrayBuffer): string {
  const value = tree(bytes);
  return value.isInteger() ? value.integer().toString() : "";
}

/** A tree made by the core, not by the parser. */
export function json_made(): string {
  const list = JsonValue.array();
  list.push(JsonValue.number(i64.MIN_VALUE));
  list.push(JsonValue.bool(true));
  list.push(JsonValue.object());
  const made = JsonValue.object().set("list", list).set("text", JsonValue.string('a"b\u0001'));
  return json_text(made.set("none", JsonValue.array()));
}

export function utf8_invalid(bytes: ArrayBuffer): i32 {
  return utf8_invalid_at(changetype<usize>(bytes), bytes.byteLength);
}

/** One byte for each of the 65536 two-byte tails: 1 when LEAD and the tail are well-formed. */
export function utf8_valid_tails(lead: i32): ArrayBuffer {
  const valid = new ArrayBuffer(65536);
  const sequence = memory.data(4);
  store<u8>(sequence, lead);
  for (let tail = 0; tail < 65536; tail++) {
    store<u8>(sequence + 1, tail >> 8);
    store<u8>(sequence + 2, tail);
    store<u8>(changetype<usize>(valid) + tail, u8(utf8_invalid_at(sequence, 3) < 0));
  }
  return valid;
}

export function utf8_decoded(bytes: ArrayBuffer): string {
  return utf8_decode(changetype<usize>(bytes), bytes.byteLength);
}

/** A string's UTF-8, as it is handed to the host. */
export function utf8_encoded(text: string): ArrayBuffer {
  const encoded = new Utf8(text);
  const copy = new ArrayBuffer(encoded.len);
  memory.copy(changetype<usize>(copy), encoded.ptr, encoded.len);
  return copy;
}

/** The text written `times` over by a ByteWriter, cut in two at `cut`. */
export function utf8_written(text: string, cut: i32, times: i32): string {
  const out = new ByteWriter();
  for (let i = 0; i < times; i++) {
    out.slice(text, 0, cut);
    out.slice(text, cut, text.length);
  }
  return out.toString();
}

function ip_of(text: string): Ip {
  return ip_parse(text)!;
}

function cidr_of(text: string): Cidr {
  return cidr_parse(text)!;
}

/** An address printed again, "" when malformed. */
export function ip_again(text: string): string {
  const ip = ip_parse(text);
  return ip ? ip.toString() : "";
}

export function ip_again_loose(text: string): string {
  const ip = ip_parse_loose(text);
  return ip ? ip.toString() : "";
}

export function ip_add(text: string, count: u64): string {
  return ip_of(text).add(count).toString();
}

export function ip_sub(text: string, count: u64): string {
  return ip_of(text).sub(count).toString();
}

/** Whether stepping and printing agree with the number: the sum equals the address parsed anew. */
export function ip_add_equals(text: string, count: u64, sum: string): bool {
  return ip_of(text).add(count).equals(ip_of(sum));
}

export function ip_compare(a: string, b: string): i32 {
  return ip_of(a).compare(ip_of(b));
}

/** The letters of what an address is: version, Loopback, linK-local, Unspecified. */
export function ip_kind(text: string): string {
  const ip = ip_of(text);
  let kind = ip.v6 ? "6" : "4";
  if (ip.isLoopback()) kind += "L";
  if (ip.isLinkLocal()) kind += "K";
  if (ip.isUnspecified()) kind += "U";
  return kind;
}

export function cidr_again(text: string): string {
  const cidr = cidr_parse(text);
  return cidr ? cidr.toString() : "";
}

export function cidr_network(text: string): string {
  return cidr_of(text).network().toString();
}

export function cidr_last(text: string): string {
  return cidr_of(text).last().toString();
}

export function cidr_subnet(text: string): string {
  return cidr_of(text).subnet().toString();
}

export function cidr_contains(cidr: string, ip: string): bool {
  return cidr_of(cidr).contains(ip_of(ip));
}

export function cidr_overlaps(a: string, b: string): bool {
  return cidr_of(a).overlaps(cidr_of(b));
}

export function cidr_equals(a: string, b: string): bool {
  return cidr_of(a).equals(cidr_of(b));
}

/** Layers parted by "/", the outermost first. */
function stack(text: string, v6: bool): Layer[] {
  const layers: Layer[] = [];
  const names = text.split("/");
  for (let i = 0; i < names.length; i++) {
    if (names[i].length > 0) layers.push(layer_parse(names[i], v6));
  }
  return layers;
}

/** "MTU|PROBLEM|WARNING"; `asked` 0 leaves the computed MTU. */
export function mtu(
  underlay: i32,
  layers: string,
  v6: bool,
  pods_v4: bool,
  pods_v6: bool,
  asked: i32,
): string {
  const computed = mtu_inner(underlay, stack(layers, v6), pods_v4, pods_v6);
  let result: MtuResult = computed;
  if (asked != 0) result = mtu_asked(asked, underlay, computed, pods_v6);
  return `${result.mtu_bytes}|${result.problem}|${result.warning}`;
}

export function mss(mtu_bytes: i32, v6: bool): i32 {
  return mss_bytes(mtu_bytes, v6);
}

/** What is wrong with a pattern, "" when nothing is. */
export function regex_problem(pattern: string): string {
  return new Regex(pattern).problem;
}

export function regex_matches(pattern: string, text: string): bool {
  return new Regex(pattern).matches(text);
}

export function sha512_hex(text: string): string {
  return sha512(text);
}
