// SPDX-License-Identifier: Apache-2.0
// The words of a route line, and numbers in a text of the simulated kernel. It refuses by saying
// why.
import { ip_parse } from "../lib/ip";
import { Route, TABLE_MAIN } from "./state";
import { PROTOCOL_NAMES, PROTOCOL_NUMBERS, SCOPE_NAMES, SCOPE_NUMBERS } from "./text";

/** Decimal digits alone, not more than so many, -1 otherwise. */
export function number_of(text: string, digits: i32 = 10): i64 {
  if (text.length == 0 || text.length > digits) return -1;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 48 || text.charCodeAt(i) > 57) return -1;
  }
  return I64.parseInt(text);
}

/** A word of a list or a number; -1 when it is neither. */
function named(text: string, names: string[], numbers: i32[]): i32 {
  const at = names.indexOf(text);
  return at < 0 ? <i32>number_of(text) : numbers[at];
}

/** Sets what one word with its value says; "" or what is wrong with it. */
export function route_word(route: Route, word: string, value: string): string {
  if (word == "dev") return "";
  if (word == "via" || word == "src") {
    const ip = ip_parse(value);
    if (!ip) return `not an IP address: ${value}`;
    if (word == "via") route.gw = ip;
    else route.src = ip;
    return "";
  }
  let number = number_of(value);
  if (word == "proto") {
    number = named(value, PROTOCOL_NAMES, PROTOCOL_NUMBERS);
    route.protocol = <i32>number;
  } else if (word == "scope") {
    number = named(value, SCOPE_NAMES, SCOPE_NUMBERS);
    route.scope = <i32>number;
  } else if (word == "metric") {
    route.metric = <u32>number;
  } else if (word == "table") {
    if (value == "main") number = TABLE_MAIN;
    route.table = <u32>number;
  } else if (word == "mtu") {
    route.mtu_bytes = <i32>number;
  } else if (word == "advmss") {
    route.advmss = <i32>number;
  } else {
    return `unknown word "${word}"`;
  }
  return number < 0 ? `not a ${word}: ${value}` : "";
}
