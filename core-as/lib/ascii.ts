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
  let lowered = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const small = lower_code(code);
    if (small == code) continue;
    lowered += text.substring(from, i) + String.fromCharCode(small);
    from = i + 1;
  }
  return lowered + text.substring(from);
}
