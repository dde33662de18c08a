// SPDX-License-Identifier: Apache-2.0
// Why the core decides as it does, said while it decides: for `fairlead explain` and the page. Only
// what defines FAIRLEAD_TELLS (asconfig.json: tools.wasm) carries it: a caller writes
// `if (isDefined(FAIRLEAD_TELLS)) why(…)`, so that elsewhere not even its texts are compiled. It
// changes nothing, asks the node nothing, and is silent until somebody listens.
import { log } from "../host/store";
import { JsonValue, json_text } from "../lib/json";

let listening: bool = false;

/** Whether somebody listens: the request of a task said `"why": true`. */
export function why_listen(on: bool): void {
  listening = on;
}

/**
 * Says a decision: what it is about, what it was, and the reason. The host gets it as a line of its
 * log, in order with the operations: `{"why":{"what","is","because"}}`.
 */
export function why(what: string, is: string, because: string): void {
  if (!listening) return;
  const said = JsonValue.object();
  said.append("what", JsonValue.string(what));
  said.append("is", JsonValue.string(is));
  said.append("because", JsonValue.string(because));
  const line = JsonValue.object();
  line.append("why", said);
  log(json_text(line));
}
