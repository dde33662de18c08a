// SPDX-License-Identifier: Apache-2.0
// Takes away all that is ours in nftables and iptables, when nothing of ours is attached any more:
// for `fairlead uninstall`. A chain of an administrator that has rules is not ours, and keeps the
// table that it is in.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { batch_send, chain_get, rule_list } from "../host/nft";
import { ENOENT } from "../lib/errno";
import { CniError } from "../spec/error";
import { Batch, Family, family_word, TABLE } from "./batch";
import { ADMINS, admin_tag } from "./firewall";
import { forwards } from "./iptables";
import { Legacy } from "./legacy";
import { nft_error, unsupported } from "./present";

const FAMILIES: i32[] = [Family.Inet, Family.Bridge];

/** What was done, in words for a person. */
export class Retired {
  /** Tables and rules that are gone. */
  removed: string[] = [];
  /** Chains of administrators that have rules, as "table inet fairlead, chain NAME". */
  kept: string[] = [];
  errors: CniError[] = [];
}

/** `really`: else it says only what it would do. */
export function nft_retire(really: bool): Retired {
  const done = new Retired();
  passages(done, really);
  for (let i = 0; i < FAMILIES.length; i++) {
    const named = `table ${family_word(FAMILIES[i])} ${TABLE}`;
    const rules = rule_list(HOST, FAMILIES[i], TABLE);
    if (!rules) {
      if (!unsupported()) done.errors.push(nft_error(`list ${named}`));
      continue;
    }
    const filled = FAMILIES[i] == Family.Inet ? admins_filled() : [];
    for (let k = 0; k < filled.length; k++) done.kept.push(`${named}, chain ${filled[k]}`);
    if (filled.length > 0 || (!really && rules.length == 0)) continue;
    const batch = new Batch();
    batch.delete_table(FAMILIES[i]);
    if (!really || send(batch)) done.removed.push(named);
    else if (failure_errno != ENOENT && !unsupported()) {
      done.errors.push(nft_error(`remove ${named}`));
    }
  }
  return done;
}

function send(batch: Batch): bool {
  batch.finish();
  return batch_send(HOST, batch.out, batch.words) >= 0;
}

/** Our rules in FORWARD of iptables: they go by marks, which nobody sets any more. */
function passages(done: Retired, really: bool): void {
  const all = forwards();
  for (let i = 0; i < all.length; i++) {
    const forward = all[i];
    const error = forward.read();
    if (error) {
      done.errors.push(error);
      continue;
    }
    const batch = new Batch();
    forward.remove_head(batch);
    forward.remove_tail(batch);
    const some = batch.count > 0;
    if (some && really && !send(batch)) {
      done.errors.push(nft_error(`remove our rules from ${forward.place}`));
    } else if (some) done.removed.push(`our rules in ${forward.place}`);
    if (really) new Legacy(forward).remove(true, true);
  }
}

/** Names of administrators' chains in our table that have rules. */
function admins_filled(): string[] {
  const found = new Array<string>();
  const rules = rule_list(HOST, Family.Inet, TABLE);
  const start = admin_tag("");
  for (let i = 0; rules !== null && i < rules.length; i++) {
    if (rules[i].chain != ADMINS || !rules[i].comment.startsWith(start)) continue;
    const name = rules[i].comment.substring(start.length);
    const chain = chain_get(HOST, Family.Inet, TABLE, name);
    if (chain && chain.rules.length > 0 && !found.includes(name)) found.push(name);
  }
  return found;
}
