// SPDX-License-Identifier: Apache-2.0
// CNI_ARGS: KEY=VALUE pairs divided by ';' (spec 1.1.0 section 2). Parsed as strictly as the Go
// plugins do: an empty pair or a second '=' is an error, an unknown key too unless IgnoreUnknown.
import { lower } from "../lib/ascii";
import { CniError, Code } from "./error";

/**
 * What any plugin of ours understands: a chain shares one CNI_ARGS, so each tolerates the others'.
 */
const KNOWN: string[] = ["IgnoreUnknown", "MAC", "IP", "GATEWAY"];

export class CniArgs {
  error: CniError | null = null;
  private keys: string[] = [];
  private values: string[] = [];

  constructor(text: string) {
    if (text.length > 0) this.read(text);
  }

  private read(text: string): void {
    const pairs = text.split(";");
    for (let i = 0; i < pairs.length; i++) {
      const parts = pairs[i].split("=");
      if (parts.length != 2) {
        this.error = new CniError(
          Code.InvalidEnvironment,
          `CNI_ARGS has an invalid pair "${pairs[i]}": write KEY=VALUE;KEY=VALUE`,
        );
        return;
      }
      this.keys.push(parts[0]);
      this.values.push(parts[1]);
    }
    this.checkUnknown();
  }

  private checkUnknown(): void {
    const ignore = this.get("IgnoreUnknown");
    const folded = lower(ignore);
    if (folded == "1" || folded == "true") return;
    if (folded.length > 0 && folded != "0" && folded != "false") {
      this.error = new CniError(
        Code.InvalidEnvironment,
        `CNI_ARGS has IgnoreUnknown=${ignore}: it must be 1, true, 0 or false`,
      );
      return;
    }
    for (let i = 0; i < this.keys.length; i++) {
      if (KNOWN.includes(this.keys[i])) continue;
      this.error = new CniError(
        Code.InvalidEnvironment,
        `CNI_ARGS has an unknown key "${this.keys[i]}": remove it or add IgnoreUnknown=1`,
      );
      return;
    }
  }

  /** The value, "" when absent. */
  get(key: string): string {
    for (let i = this.keys.length - 1; i >= 0; i--) {
      if (this.keys[i] == key) return this.values[i];
    }
    return "";
  }
}
