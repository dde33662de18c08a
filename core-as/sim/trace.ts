// SPDX-License-Identifier: Apache-2.0
// The calls of a core to the simulated kernel as text, a line each:
//   kernel.link_set_up(ns=0, ifindex=3) = 0
//   kernel.link_get(ns=0, name="cni0") = -19 ENODEV
// It refuses to judge them; core-as/sim/imports.gen.ts is its only caller.
import { errno_name } from "../lib/errno";
import { json_write_string } from "../lib/json";
import { ByteWriter, utf8_decode, utf8_invalid_at } from "../lib/utf8";

const written: ByteWriter = new ByteWriter();
let first: bool = true;

export function begin(name: string): void {
  written.text(name).text("(");
  first = true;
}

function name_of(name: string): void {
  if (!first) written.text(", ");
  first = false;
  written.text(name).text("=");
}

export function int(name: string, value: i32): void {
  name_of(name);
  written.text(value.toString());
}

export function text(name: string, ptr: usize, len: i32): void {
  name_of(name);
  if (utf8_invalid_at(ptr, len) < 0) json_write_string(written, utf8_decode(ptr, len));
  else written.text(`${len} bytes`);
}

/** Ends the line and passes the return on. */
export function end(code: i32): i32 {
  written.text(") = ").text(code.toString());
  if (code < 0) written.text(" ").text(errno_name(-code));
  written.text("\n");
  return code;
}

/** All lines so far. */
export function trace_text(): string {
  return written.toString();
}
