// SPDX-License-Identifier: Apache-2.0
// What comes and goes with a chain that elements lead to: elements that all share who lead there,
// and the jump to an administrator's chain. The kernel counts who leads to a chain and removes none
// that is in use, so the chain is the count: its companions go in the transaction that removes it,
// or stay.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { chain_get } from "../host/nft";
import { ENOENT } from "../lib/errno";
import { CniError } from "../spec/error";
import { Batch, family_word, TABLE } from "./batch";
import { Element, element_parse } from "./element";
import { ADMINS, admin_tag, FIREWALL, FIREWALL_CHAIN, firewall_chain } from "./firewall";
import { Chain, Part, SHARED } from "./part";
import { find, lost, nft_error, Present } from "./present";
import { Rule } from "./rule";

function shared_of(chain: Chain): Element[] {
  const elements = new Array<Element>();
  for (let i = 0; i < chain.shared.length; i++) {
    const element = element_parse(chain.shared[i]);
    assert(element !== null, chain.shared[i]);
    if (element) elements.push(element);
  }
  return elements;
}

/**
 * Queues what of a chain's companions is not there. `anew`: the chain is being made.
 */
export function companions_add(
  batch: Batch,
  part: Part,
  chain: Chain,
  anew: bool,
): CniError | null {
  if (chain.kept && anew) {
    batch.add_rule(part.family, ADMINS, new Rule().jump(chain.name), admin_tag(chain.name));
  }
  const shared = shared_of(chain);
  for (let i = 0; i < shared.length; i++) {
    if (find(shared[i])) continue;
    if (failure_errno != ENOENT) return nft_error(`look for ${shared[i].text}`);
    batch.create_element(shared[i].place, shared[i].key, "", SHARED);
  }
  return null;
}

/** Compares the kernel with a chain's companions. */
export function companions_check(part: Part, chain: Chain): CniError | null {
  const shared = shared_of(chain);
  for (let i = 0; i < shared.length; i++) {
    const element = shared[i];
    if (find(element)) continue;
    if (failure_errno != ENOENT) return nft_error(`look for ${element.text}`);
    const table = `table ${family_word(part.family)} ${TABLE}`;
    return lost(`set ${element.set} of ${table} lacks ${element.key}`);
  }
  return null;
}

/** Queues the removal of a chain and of what came with it. */
function drop(batch: Batch, part: Part, chain: Chain): CniError | null {
  const shared = shared_of(chain);
  for (let i = 0; i < shared.length; i++) {
    if (find(shared[i])) batch.delete_element(shared[i].place, shared[i].key);
    else if (failure_errno != ENOENT) return nft_error(`look for ${shared[i].text}`);
  }
  batch.delete_chain(part.family, chain.name);
  return null;
}

/**
 * Queues the removal of chains of bridges that some elements led to, when beside those that are
 * `going` in the same transaction none does any more.
 */
export function policies_drop(
  batch: Batch,
  elements: Element[],
  going: Element[],
): CniError | null {
  const seen = new Set<string>();
  for (let i = 0; i < elements.length; i++) {
    const chain = elements[i].chain;
    if (!chain || chain.shared.length == 0 || seen.has(chain.name)) continue;
    seen.add(chain.name);
    const there = chain_get(HOST, FIREWALL.family, TABLE, chain.name);
    if (!there && failure_errno != ENOENT) return nft_error(`list chain ${chain.name}`);
    if (!there) continue;
    let others = there.use - there.rules.length;
    for (let k = 0; k < going.length; k++) {
      others -= i32(going[k].data == elements[i].data);
    }
    if (others > 0) continue;
    const error = drop(batch, FIREWALL, chain);
    if (error) return error;
  }
  return null;
}

/** GC: queues the removal of chains of the firewall that no element leads to. */
export function firewall_gc(batch: Batch, present: Present, needed: Set<string>): CniError | null {
  const names = present.chains(FIREWALL.family, FIREWALL_CHAIN);
  for (let i = 0; i < names.length; i++) {
    const chain = firewall_chain(names[i]);
    if (!chain || needed.has(`goto ${names[i]}`)) continue;
    const error = drop(batch, FIREWALL, chain);
    if (error) return error;
  }
  return null;
}
