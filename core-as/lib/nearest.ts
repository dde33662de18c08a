// SPDX-License-Identifier: Apache-2.0
// The name that someone may have meant: the nearest of a list by letters added, removed or changed.
// It refuses to guess far, to choose between two that are as near, and to turn a meaning round.
import { lower } from "./ascii";

/** Names further from each other than this are no slip of the finger. */
const LIKELY_SLIPS = 2;
/** In a word of so few letters, more than one slip makes any other of it. */
const SHORT = 4;
/** Longer words are none that anybody has a list of. */
const WORD_LIMIT = 64;

/** Beginnings that say the opposite, of no more letters than slips are likely. */
const NEGATIONS: string[] = ["no", "un", "in", "de"];
/** Pairs of opposites that are no more slips apart. */
const OPPOSITES: string[] = ["ingress", "egress", "min", "max", "on", "off", "4", "6"];

/** How many letters are to be added, removed or changed to make b of a, whatever their case. */
function distance(a: string, b: string): i32 {
  const row = new StaticArray<i32>(b.length + 1);
  for (let k = 0; k <= b.length; k++) row[k] = k;
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0];
    row[0] = i;
    for (let k = 1; k <= b.length; k++) {
      const change = diagonal + i32(a.charCodeAt(i - 1) != b.charCodeAt(k - 1));
      diagonal = row[k];
      row[k] = min(change, min(row[k], row[k - 1]) + 1);
    }
  }
  return row[b.length];
}

function upper(c: i32): bool {
  return c >= 65 && c <= 90;
}

/** Whether a word is the other with a negation before it, or before one of its parts: ipNoMasq. */
function negates(word: string, name: string): bool {
  const folded = lower(word);
  const meant = lower(name);
  for (let i = 0; i < NEGATIONS.length; i++) {
    const length = NEGATIONS[i].length;
    for (
      let at = folded.indexOf(NEGATIONS[i]);
      at >= 0;
      at = folded.indexOf(NEGATIONS[i], at + 1)
    ) {
      const begins = at == 0 || upper(word.charCodeAt(at));
      const rest = folded.substring(0, at) + folded.substring(at + length);
      if (begins && rest == meant) return true;
    }
  }
  return false;
}

/** Whether one word in a place of the other makes them equal, and the two are opposites. */
function opposes(word: string, name: string): bool {
  for (let i = 0; i < OPPOSITES.length; i++) {
    const other = OPPOSITES[i ^ 1];
    if (word.includes(OPPOSITES[i]) && word.replace(OPPOSITES[i], other) == name) return true;
  }
  return false;
}

/** The only name that begins so: "hairpin" is meant to be "hairpinMode". */
function longer(folded: string, names: string[]): string {
  let found = "";
  for (let i = 0; i < names.length && folded.length > SHORT; i++) {
    if (!lower(names[i]).startsWith(folded)) continue;
    if (found.length > 0 && found != names[i]) return "";
    found = names[i];
  }
  return found;
}

/** The nearest of the names; "" when none is near, or two are, or it would say the opposite. */
export function nearest(word: string, names: string[]): string {
  if (word.length > WORD_LIMIT) return "";
  const folded = lower(word);
  let best = "";
  let least = min(word.length <= SHORT ? 2 : LIKELY_SLIPS + 1, word.length);
  let tie = false;
  for (let i = 0; i < names.length; i++) {
    const name = lower(names[i]);
    if (abs(name.length - word.length) > least || name == lower(best)) continue;
    const slips = distance(folded, name);
    if (slips > least || (slips == least && best.length == 0)) continue;
    tie = slips == least;
    best = names[i];
    least = slips;
  }
  if (best.length == 0) return longer(folded, names);
  if (tie || negates(word, best) || negates(best, word)) return "";
  return opposes(folded, lower(best)) ? "" : best;
}
