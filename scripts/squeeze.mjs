// Bytes in fewer: what was there before is named by how far back it lies and how long it is (LZ77,
// each number in as few bytes as it takes). It owns the choice of what is named, of all that the
// form in host-native/core-data.h allows. It refuses to unpack: unpack.c does that at every start.

/** A shorter piece costs as much to name as to repeat. */
const PIECE_MIN = 3;
/** What four bits of a token hold; a number behind it has the rest. */
const NIBBLE_MAX = 15;
/** A token is one byte, and the time that each takes at every start is worth two more. */
const TOKEN_COST = 3;
/** Places looked at for what is at hand, the nearest first. */
const PLACES_MAX = 512;
/** A piece of this length is taken without looking on. */
const PIECE_GOOD = 256;

/** An unsigned number in LEB128, as an array of bytes. */
export function leb128(value) {
  const out = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  return [...out, rest];
}

const bytesOf = (value) => (value < 0x80 ? 1 : value < 0x4000 ? 2 : 3);
const bytesBeyond = (count) => (count < NIBBLE_MAX ? 0 : bytesOf(count - NIBBLE_MAX));

function lengthOf(bytes, one, other) {
  let length = PIECE_MIN;
  while (other + length < bytes.length && bytes[one + length] === bytes[other + length]) length++;
  return length;
}

/** By place: the pieces before it that it repeats, a longer one only if it is further back. */
function piecesOf(bytes) {
  const known = new Map();
  return Array.from(bytes, (_, at) => {
    if (at + PIECE_MIN > bytes.length) return [];
    const key = bytes[at] + bytes[at + 1] * 0x100 + bytes[at + 2] * 0x10000;
    const places = known.get(key) ?? [];
    known.set(key, places);
    const pieces = [];
    let longest = 0;
    const last = Math.max(0, places.length - PLACES_MAX);
    for (let i = places.length - 1; i >= last && longest < PIECE_GOOD; i--) {
      const length = lengthOf(bytes, places[i], at);
      if (length <= longest) continue;
      longest = length;
      pieces.push({ back: at - places[i], length });
    }
    places.push(at);
    return pieces;
  });
}

/**
 * By place, from the end on: where the next piece begins on the cheapest way from a token there to
 * the end, and which piece that is. What a long run of other bytes costs beside itself is left out.
 */
function cheapest(bytes) {
  const pieces = piecesOf(bytes);
  const end = bytes.length;
  const cost = new Float64Array(end + 1);
  // From here on with the token behind us.
  const open = new Float64Array(end + 1);
  const next = new Uint32Array(end + 1).fill(end);
  const choices = new Array(end + 1);
  for (let at = end - 1; at >= 0; at--) {
    open[at] = 1 + open[at + 1];
    next[at] = next[at + 1];
    for (const { back, length } of pieces[at]) {
      const short = Math.min(length, PIECE_MIN + NIBBLE_MAX - 1);
      const lengths = Array.from({ length: short - PIECE_MIN + 1 }, (_, i) => PIECE_MIN + i);
      for (const one of [...lengths, length]) {
        const total = bytesOf(back) + bytesBeyond(one - PIECE_MIN) + cost[at + one];
        if (total > open[at]) continue;
        open[at] = total;
        next[at] = at;
        choices[at] = { back, length: one };
      }
    }
    cost[at] = TOKEN_COST + bytesBeyond(next[at] - at) + open[at];
  }
  return { next, choices };
}

/** `bytes` in the form that host-native/core-data.h tells. */
export function squeeze(bytes) {
  const { next, choices } = cheapest(bytes);
  const out = [];
  for (let at = 0; at < bytes.length; ) {
    const piece = next[at];
    const literal = piece - at;
    const { back, length } = choices[piece] ?? { back: 0, length: PIECE_MIN };
    const nibbles = [literal, length - PIECE_MIN].map((count) => Math.min(count, NIBBLE_MAX));
    out.push(nibbles[0] * 16 + nibbles[1]);
    if (nibbles[0] === NIBBLE_MAX) out.push(...leb128(literal - NIBBLE_MAX));
    out.push(...bytes.subarray(at, piece));
    at = piece;
    if (at === bytes.length) break;
    out.push(...leb128(back));
    if (nibbles[1] === NIBBLE_MAX) out.push(...leb128(length - PIECE_MIN - NIBBLE_MAX));
    at += length;
  }
  return Uint8Array.from(out);
}
