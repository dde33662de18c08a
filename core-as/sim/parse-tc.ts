// SPDX-License-Identifier: Apache-2.0
// Reads the qdisc and filter lines of the simulated kernel's text. What is wrong with one is a
// text, "" when nothing is.
import { number_of } from "./parse-route";
import { Link, Qdisc } from "./state";
import { filters_of, put_filter, put_ingress } from "./tc";

const U32_MAX: i64 = 0xffffffff;
/** An i64 has them whatever they are. */
const DIGITS = 18;

/** The number after a word, -1 when it is not there. */
function after(words: string[], word: string): i64 {
  const at = words.indexOf(word) + 1;
  return at > 0 && at < words.length ? number_of(words[at], DIGITS) : -1;
}

/** Puts what a qdisc line says: qdisc KIND HANDLE dev LINK [rate N limit N buffer N]. */
export function qdisc_read(link: Link, words: string[]): string {
  const kind = words[1];
  const colon = words[2].indexOf(":");
  const major = colon > 0 ? I32.parseInt(words[2].substring(0, colon), 16) : 0;
  if (major <= 0 || major > 0xffff) return `not a handle: ${words[2]}`;
  if (kind == "ingress" || kind == "clsact") {
    if (link.ingress) return `${link.name} has a qdisc there`;
    put_ingress(link, kind);
    return "";
  }
  if (link.root) return `${link.name} has a qdisc there`;
  const qdisc = new Qdisc(kind, (<u32>major) << 16);
  if (kind == "tbf") {
    const rate = after(words, "rate");
    const limit = after(words, "limit");
    const buffer = after(words, "buffer");
    if (rate < 0 || limit < 0 || buffer < 0 || limit > U32_MAX || buffer > U32_MAX) {
      return "a tbf takes rate, limit and buffer";
    }
    qdisc.rate = rate;
    qdisc.limit = <u32>limit;
    qdisc.buffer = <u32>buffer;
  }
  link.root = qdisc;
  return "";
}

/** Puts what a filter line says: filter KIND dev LINK pref N [redirect LINK]. */
export function filter_read(link: Link, words: string[], to: Link | null): string {
  const pref = after(words, "pref");
  if (pref < 1 || pref > 0xffff) return "a filter takes a pref";
  if (!link.ingress) return `${link.name} has no qdisc for filters`;
  const others = filters_of(link, <i32>pref);
  if (others && others.kind != words[1]) return `${link.name} has a filter of another kind there`;
  put_filter(link, words[1], <i32>pref, to);
  return "";
}
