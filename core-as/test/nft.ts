// Transactions of core-as/nft for the tests: a script of ours into the messages and the words that
// the core would send. It owns the script's format only.
import { Batch } from "../nft/batch";
import { Element, element_parse } from "../nft/element";
import { MASQ, PARTS, subnet_chain } from "../nft/parts";

function element_of(text: string): Element {
  const element = element_parse(text);
  assert(element !== null, text);
  return element ? element : unreachable();
}

/** One line: `part NAME`, `chain NAME`, `delete-chain NAME`, `create|delete ELEMENT`. */
function queue(batch: Batch, verb: string, rest: string): void {
  if (verb == "part") {
    for (let i = 0; i < PARTS.length; i++) if (PARTS[i].name == rest) PARTS[i].load(batch);
  } else if (verb == "chain") {
    const chain = subnet_chain(rest);
    assert(chain !== null, rest);
    if (chain) MASQ.load_chain(batch, chain);
  } else if (verb == "delete-chain") {
    batch.delete_chain(MASQ.family, rest);
  } else {
    const element = element_of(rest);
    if (verb == "delete") batch.delete_element(element.place, element.key);
    else batch.create_element(element.place, element.key, element.data, "net c1 eth0");
  }
}

function batch_of(script: string): Batch {
  const batch = new Batch();
  const lines = script.split("\n");
  for (let i = 0; i < lines.length; i++) {
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
