// SPDX-License-Identifier: Apache-2.0
// What the kernel has of our tables, and bringing it to what is wanted: one transaction each.
// Everything here happens in the host's own namespace.
// It refuses to know attachments and configurations: who owns an element is a tag.
import { failure_errno } from "../host/failure";
import { sleep } from "../host/store";
import { EEXIST, ENOENT } from "../lib/errno";
import { CniError, Code } from "../spec/error";
import { Attempt, contended, send } from "./attempt";
import { Batch, family_word, TABLE } from "./batch";
import { companions_check, policies_drop } from "./companions";
import { Element, Owned } from "./element";
import { queue_removal } from "./found";
import { by_set, port_of, with_opened } from "./opened";
import { Part } from "./part";
import { part_of_set } from "./parts";
import { Passage } from "./passage";
import { Others, Plan } from "./plan";
import { find, lost, nft_error, Present } from "./present";

/**
 * Two ADDs for one port on a node without our tables know of each other by their records, before
 * either has it, or by what a third has restored for both. The one whose owner comes last is
 * refused at once, the other waits for that.
 */
const LOST_TRIES = 10;
const LOST_PAUSE_MS = 100;

/**
 * Brings elements into the kernel, with the chains and rules that they need where these are not as
 * they should be; then `others` says what else was lost. `careful`: the elements may be there.
 * `stale`: elements that are to go in the same transaction; those of dead owners that were in the
 * way are added to it. `thorough`: who has nobody to ask (`others`) looks at chains of others too.
 */
export function elements_add(
  named: Owned[],
  others: Others | null,
  careful: bool = false,
  stale: Owned[] = [],
  thorough: bool = true,
): CniError | null {
  if (named.length == 0) return elements_remove(stale);
  const wanted = by_set(named);
  // What is only created needs no look: the kernel refuses a key that is there.
  if (stale.length > 0) careful = true;
  const fresh = !careful;
  let looks = careful;
  for (let i = 0; i < wanted.length; i++) looks = looks || wanted[i].element.place.claimed;
  const attempt = new Attempt(wanted[0]);
  const given = stale.length;
  let lost_tries = 0;
  for (let restores = true; ; ) {
    stale.length = given;
    if (looks && !attempt.look()) break;
    const plan = new Plan(attempt.generation, wanted, others, restores);
    plan.make(stale, careful, thorough && !others);
    if (fresh) plan.doubt();
    if (plan.error && plan.waits && lost_tries++ < LOST_TRIES) {
      sleep(LOST_PAUSE_MS);
      continue;
    }
    if (plan.error) return plan.error;
    if (plan.batch.count == 0 || send(plan.batch)) {
      plan.settle();
      // All else is done, so a failure is no reason to fail: GC finds such.
      elements_take_back(plan.in_vain, plan.now);
      return null;
    }
    looks = true;
    // What was only to be created may be there, of an owner that is gone.
    const created = !careful && contended();
    careful = true;
    if (created || attempt.again()) continue;
    // What others have lost must not make this fail for good.
    if (!plan.restored || !contended()) break;
    restores = false;
  }
  return nft_error(`add ${wanted[0].element.text} to table ${TABLE}`);
}

/**
 * Takes elements away that are there and still their owner's, and with the last that leads there
 * the policy of a bridge.
 */
export function elements_remove(named: Owned[]): CniError | null {
  if (named.length == 0) return null;
  const owned = with_opened(named);
  const elements = new Array<Element>();
  for (let i = 0; i < owned.length; i++) elements.push(owned[i].element);
  const attempt = new Attempt(owned[0]);
  while (attempt.look()) {
    const batch = new Batch(attempt.generation);
    const going = new Array<Element>();
    let error = queue_removal(batch, owned, going);
    if (!error) error = policies_drop(batch, elements, going);
    if (error) return error;
    if (batch.count == 0 || send(batch)) return null;
    if (!attempt.again()) break;
  }
  return nft_error(`remove ${owned[0].element.text} from table ${TABLE}`);
}

/**
 * Takes away what was restored in vain, and lets those have its place again that lost it so: who
 * has one of its ports by the records. Others are left alone: they may be on the way to go.
 */
export function elements_take_back(gone: Owned[], kept: Owned[]): CniError | null {
  if (gone.length == 0) return null;
  const error = elements_remove(gone);
  if (error) return error;
  const ports = new Set<string>();
  for (let i = 0; i < gone.length; i++) ports.add(port_of(gone[i].element));
  const back = new Array<Owned>();
  for (let i = 0; i < kept.length; i++) {
    const port = port_of(kept[i].element);
    if (port.length > 0 && ports.has(port)) back.push(kept[i]);
  }
  return elements_add(back, null, true, [], false);
}

/** Compares the kernel with elements that should be there. */
export function elements_check(named: Owned[]): CniError | null {
  const wanted = with_opened(named);
  const present = new Present();
  const passage = new Passage();
  const compared = new Set<string>();
  for (let i = 0; i < wanted.length; i++) {
    const element = wanted[i].element;
    passage.note(element);
    const part = element.part;
    const table = `table ${family_word(part.family)} ${TABLE}`;
    if (!present.read(part.family)) return nft_error(`list ${table}`);
    if (!present.intact(part)) return lost(`${table} has not the rules for ${part.name}`);
    const chain = element.chain;
    if (chain && !present.has(part, chain)) return lost(`${table} has no chain ${chain.name}`);
    if (chain && !compared.has(chain.name)) {
      const error = companions_check(part, chain);
      if (error) return error;
      compared.add(chain.name);
    }
    const found = find(element);
    if (!found && failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
    if (!found || found.comment != wanted[i].owner || found.data != element.data) {
      return lost(`set ${element.set} of ${table} lacks ${element.key} of this container`);
    }
  }
  return passage.check(present);
}

/** Whether elements of some sets could be added; the error is STATUS's. */
export function elements_possible(sets: string[]): CniError | null {
  const present = new Present();
  const asked = new Set<string>();
  for (let i = 0; i < sets.length; i++) {
    const part = part_of_set(sets[i]);
    if (!part || asked.has(part.name)) continue;
    asked.add(part.name);
    if (!present.read(part.family)) {
      return nft_error(`list table ${family_word(part.family)} ${TABLE}`, Code.NotAvailable);
    }
    if (present.intact(part)) continue;
    const error = part_possible(part);
    if (error) return error;
  }
  return null;
}

/**
 * Whether the kernel takes all that a part is made of. It is asked for before something that fails
 * when it is reached, so nothing of it happens.
 */
function part_possible(part: Part): CniError | null {
  const batch = new Batch();
  part.load(batch);
  batch.create_table(part.family);
  if (send(batch) || failure_errno == EEXIST) return null;
  return nft_error(`make what ${part.name} needs in table ${TABLE}`, Code.NotAvailable);
}
