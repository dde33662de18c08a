// SPDX-License-Identifier: Apache-2.0
// What doctor finds, as JSON: each with a name that stays, how bad it is, what shows it and what
// cures it. It looks at nothing.
import { JsonValue } from "../../lib/json";
import { CniError } from "../../spec/error";

/** What keeps containers from working; what may; what is good to know. */
export const enum Severity {
  Error,
  Warning,
  Info,
}
const SEVERITIES: string[] = ["error", "warning", "info"];

export class Findings {
  private list: JsonValue = JsonValue.array();
  private unseen: JsonValue = JsonValue.array();

  /** `fix`: the task of the core that cures it and harms nobody; "" when there is none. */
  tell(id: string, severity: Severity, evidence: string, cure: string, fix: string = ""): void {
    const item = JsonValue.object();
    item.append("id", JsonValue.string(id));
    item.append("severity", JsonValue.string(SEVERITIES[<i32>severity]));
    item.append("evidence", JsonValue.string(evidence));
    item.append("cure", JsonValue.string(cure));
    if (fix.length > 0) item.append("fix", JsonValue.string(fix));
    this.list.push(item);
  }

  /** What could not be looked at, and why. */
  miss(error: CniError): void {
    const text = error.toString();
    for (let i = 0; i < this.unseen.items.length; i++) {
      if (this.unseen.items[i].text == text) return;
    }
    this.unseen.push(JsonValue.string(text));
  }

  get json(): JsonValue {
    const made = JsonValue.object();
    made.append("findings", this.list);
    made.append("unseen", this.unseen);
    return made;
  }
}

const NAMED = 3;

/** The first few of many. */
export function some_of(names: string[]): string {
  const more = names.length - NAMED;
  const shown = names.slice(0, NAMED).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** "1 attachment", "2 attachments". */
export function counted(number: i32, noun: string): string {
  return `${number} ${noun}${number == 1 ? "" : "s"}`;
}
