// The name that someone may have meant: the nearest of a list by letters added, removed or changed.
// It refuses to guess far.

/** Names further from each other than this are no slip of the finger. */
const LIKELY_SLIPS = 2;
/** Longer words are none that anybody has a list of. */
const WORD_LIMIT = 64;

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

/** The nearest of the names, "" when none is near. */
export function nearest(word: string, names: string[]): string {
  if (word.length > WORD_LIMIT) return "";
  const folded = word.toLowerCase();
  let best = "";
  let least = min(LIKELY_SLIPS + 1, word.length);
  for (let i = 0; i < names.length; i++) {
    if (abs(names[i].length - word.length) >= least) continue;
    const slips = distance(folded, names[i].toLowerCase());
    if (slips >= least) continue;
    best = names[i];
    least = slips;
  }
  return best;
}
