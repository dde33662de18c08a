// SPDX-License-Identifier: Apache-2.0
// Values of JSON, for the generated writers of replies. It refuses to know what they are of.
import { json_write_string } from "../lib/json";
import { ByteWriter } from "../lib/utf8";

export function write_number<T>(out: ByteWriter, value: T): void {
  out.text(value.toString());
}

export function write_numbers<T>(out: ByteWriter, values: T[]): void {
  out.text(`[${values.join(",")}]`);
}

export function write_flag(out: ByteWriter, value: bool): void {
  out.text(value ? "true" : "false");
}

export function write_text(out: ByteWriter, value: string): void {
  json_write_string(out, value);
}

export function write_text_or_null(out: ByteWriter, value: string | null): void {
  if (value === null) out.text("null");
  else json_write_string(out, value);
}

export function write_texts(out: ByteWriter, values: string[]): void {
  out.byte(91);
  for (let i = 0; i < values.length; i++) {
    if (i > 0) out.byte(44);
    json_write_string(out, values[i]);
  }
  out.byte(93);
}
