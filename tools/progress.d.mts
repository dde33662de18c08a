// SPDX-License-Identifier: Apache-2.0
/** See progress.mjs. */
export class Progress {
  constructor(
    prefix: string,
    out?: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown },
  );
  start(name: string, usual_ms?: number): void;
  end(name: string): number;
  say(line: string): void;
}
