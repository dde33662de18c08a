// SPDX-License-Identifier: Apache-2.0
// Control characters as JSON writes them: what others chose must not speak to a terminal, nor begin
// a line of a log. It refuses to judge any other character.
import { ByteWriter } from "./utf8";

/** Whether it is a control character: C0, DEL or C1 (Unicode's category Cc). */
export function is_control(c: i32): bool {
  return c < 32 || (c >= 127 && c < 160);
}

/** Writes a control character as the escape that JSON has for it. */
export function control_write(out: ByteWriter, c: i32): void {
  out.byte(92);
  if (c == 10) {
    out.byte(110);
  } else if (c == 13) {
    out.byte(114);
  } else if (c == 9) {
    out.byte(116);
  } else {
    out.text("u00");
    hex_digit(out, c >> 4);
    hex_digit(out, c & 15);
  }
}

function hex_digit(out: ByteWriter, digit: i32): void {
  out.byte(digit + (digit < 10 ? 48 : 87));
}

/** The text with each control character as its escape; on one line therefore. */
export function visible(text: string): string {
  let out: ByteWriter | null = null;
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (!is_control(c)) continue;
    const into: ByteWriter = out ? out : new ByteWriter();
    out = into;
    into.slice(text, run, i);
    control_write(into, c);
    run = i + 1;
  }
  if (!out) return text;
  out.slice(text, run, text.length);
  return out.toString();
}
