// SPDX-License-Identifier: Apache-2.0
// Letters of ASCII, which is what the words of configurations and variables consist of. It refuses
// to know Unicode's letters: their tables are larger than most plugins.

function lower_code(code: i32): i32 {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}

/** Equality but for the case of these letters. */
export function equals_fold(a: string, b: string): bool {
  if (a.length != b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (lower_code(a.charCodeAt(i)) != lower_code(b.charCodeAt(i))) return false;
  }
  return true;
}

/** A text with its capital letters A to Z small, and all else as it is. */
export function lower(text: string): string {
  // Made at once: pieces put together would take the square of the length, and none is given back.
  const lowered = changetype<string>(__new(text.length << 1, idof<string>()));
  for (let i = 0; i < text.length; i++) {
    store<u16>(changetype<usize>(lowered) + ((<usize>i) << 1), lower_code(text.charCodeAt(i)));
  }
  return lowered;
}
