// SPDX-License-Identifier: Apache-2.0
// Transactions of core-as/nft for the tests: a script of ours into the messages and the words that
// the core would send. It owns the script's format only.
import { Batch, Family } from "../nft/batch";
import { Element, element_parse } from "../nft/element";
import {
  ACCEPTED,
  ADMINS,
  admin_rule,
  admin_tag,
  FIREWALL,
  firewall_chain,
  pass_rule,
  THROUGH,
} from "../nft/firewall";
import { PARTS } from "../nft/parts";
import { Rule } from "../nft/rule";
import { PORTMAP, part_of_chain, subnet_chain } from "../nft/subnets";

function element_of(text: string): Element {
  const element = element_parse(text);
  assert(element !== null, text);
  return element ? element : unreachable();
}

/** What of ours stands in FORWARD. */
function queue_forward(batch: Batch, verb: string, words: string[]): void {
  const family = words[0] == "ip" ? Family.Ip : Family.Ip6;
  const name = words.length > 1 ? words[1] : "";
  if (verb == "pass") {
    batch.insert_rule(family, "filter", "FORWARD", pass_rule(ACCEPTED), FIREWALL.tag);
  } else if (verb == "ask") {
    batch.add_chain(family, name, null, false, "filter");
    batch.insert_rule(family, "filter", "FORWARD", admin_rule(name), admin_tag(name));
  } else if (verb == "delete-rule") {
    batch.delete_rule(family, "filter", "FORWARD", I64.parseInt(name));
  } else if (name.length > 0) {
    const before = I64.parseInt(name);
    batch.insert_rule(family, "filter", "FORWARD", pass_rule(THROUGH), PORTMAP.tag, before);
  } else {
    batch.add_rule(family, "FORWARD", pass_rule(THROUGH), PORTMAP.tag, "filter");
  }
}

/**
 * One line: `part NAME`, `[fresh-]chain NAME`, `delete-chain NAME`, `create|delete ELEMENT`,
 * `admin NAME`, and in FORWARD of iptables `pass ip|ip6`, `ask ip|ip6 NAME`,
 * `through ip|ip6 [HANDLE]`, `delete-rule ip|ip6 HANDLE`.
 */
function queue(batch: Batch, verb: string, rest: string): void {
  if (verb == "part") {
    for (let i = 0; i < PARTS.length; i++) if (PARTS[i].name == rest) PARTS[i].load(batch);
  } else if (verb == "chain" || verb == "fresh-chain") {
    const fresh = verb == "fresh-chain";
    const part = part_of_chain(rest);
    const chain = part ? subnet_chain(rest) : firewall_chain(rest);
    assert(chain !== null, rest);
    if (chain) (part ? part : FIREWALL).load_chain(batch, chain, fresh);
  } else if (verb == "admin") {
    batch.add_chain(FIREWALL.family, rest, null);
    batch.add_rule(FIREWALL.family, ADMINS, new Rule().jump(rest), admin_tag(rest));
  } else if (["pass", "ask", "through", "delete-rule"].includes(verb)) {
    queue_forward(batch, verb, rest.split(" "));
  } else if (verb == "delete-chain") {
    batch.delete_chain(FIREWALL.family, rest);
  } else {
    const element = element_of(rest);
    if (verb == "delete") batch.delete_element(element.place, element.key);
    else batch.create_element(element.place, element.key, element.data, "net c1 eth0");
  }
}

/** The first line may be `generation NUMBER`. */
function batch_of(script: string): Batch {
  const lines = script.split("\n");
  const named = lines[0].startsWith("generation ");
  const batch = new Batch(named ? U32.parseInt(lines[0].substring(11)) : 0);
  for (let i = i32(named); i < lines.length; i++) {
    const space = lines[i].indexOf(" ");
    queue(batch, lines[i].substring(0, space), lines[i].substring(space + 1));
  }
  batch.finish();
  return batch;
}

export function nft_messages(script: string): ArrayBuffer {
  const batch = batch_of(script);
  const made = new ArrayBuffer(batch.out.len);
  memory.copy(changetype<usize>(made), batch.out.ptr, batch.out.len);
  return made;
}

export function nft_words(script: string): string {
  return batch_of(script).words.toString();
}

/** The key of an element as the kernel has it. */
export function nft_key(text: string): ArrayBuffer {
  const element = element_of(text);
  const key = element.place.type.key_bytes(element.key);
  const made = new ArrayBuffer(key.len);
  memory.copy(changetype<usize>(made), key.ptr, key.len);
  return made;
}
