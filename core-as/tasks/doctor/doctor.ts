// SPDX-License-Identifier: Apache-2.0
// The task `doctor`: what an experienced operator would look at on a node, as far as the core can
// see it. Files, programs and networks are looked at by the command line. It changes nothing.
import { json_text } from "../../lib/json";
import { Answer } from "../../plugin/dispatch";
import { Attached } from "./attachments";
import { Findings } from "./findings";
import { firewalls_look } from "./firewalls";
import { sysctls_look } from "./sysctls";

/**
 * `{"findings": [{"id", "severity", "evidence", "cure", "fix"?}], "unseen": [text]}`: `severity` is
 * `error`, `warning` or `info`, `fix` a task that cures it, `unseen` what could not be seen.
 */
export function doctor(): Answer {
  const findings = new Findings();
  const attached = new Attached(findings);
  attached.look();
  sysctls_look(attached.routed4, attached.routed6, findings);
  firewalls_look(findings);
  return new Answer(json_text(findings.json));
}
