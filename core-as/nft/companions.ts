// What comes and goes with a chain that elements lead to: elements that all share who lead there,
// the jump to an administrator's chain, and our rule in iptables' FORWARD. The kernel counts who
// leads to a chain and removes none that is in use, so the chain is the count: its companions go in
// the transaction that removes it, or stay.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { chain_get, chain_list, NftBase } from "../host/nft";
import { file_read, log } from "../host/store";
import { ENOENT } from "../lib/errno";
import { Utf8, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { CniError, Code } from "../spec/error";
import { Batch, Family, family_word, TABLE } from "./batch";
import { Element, element_parse } from "./element";
import {
  ACCEPT4,
  ACCEPT6,
  ADMINS,
  admin_tag,
  Chain,
  FIREWALL,
  FIREWALL_CHAIN,
  FORWARD,
  firewall_chain,
  MARK,
  OVERRIDE,
  OVERRIDE_CHAIN,
  OVERRIDE_TABLE,
  Part,
  SHARED,
} from "./parts";
import { find, lost, nft_error, Present, unsupported } from "./present";
import { Rule } from "./rule";

const NAMES_LIMIT_BYTES = 4096;

function shared_of(chain: Chain): Element[] {
  const elements = new Array<Element>();
  for (let i = 0; i < chain.shared.length; i++) {
    const element = element_parse(chain.shared[i]);
    assert(element !== null, chain.shared[i]);
    if (element) elements.push(element);
  }
  return elements;
}

/** Our rules in a chain of others: their handles by age, and whether one is as it should be. */
class Overrides {
  handles: i64[] = [];
  current: bool = false;
  /** Whether there is such a chain. */
  wanted: bool = false;

  constructor(public family: i32) {}
  look(): CniError | null {
    const chain = chain_get(HOST, this.family, OVERRIDE_TABLE, OVERRIDE_CHAIN);
    if (!chain) {
      // Without the family nothing of it is forwarded.
      const none = failure_errno == ENOENT || unsupported();
      return none ? null : nft_error(`list ${this.place}`);
    }
    this.wanted = true;
    for (let i = 0; i < chain.rules.length; i++) {
      const comment = chain.rules[i].comment;
      if (!comment.startsWith(`fairlead ${FIREWALL.name} `)) continue;
      this.handles.push(chain.rules[i].handle);
      if (comment == FIREWALL.tag) this.current = true;
    }
    return null;
  }
  get place(): string {
    return `chain ${OVERRIDE_CHAIN} of table ${family_word(this.family)} ${OVERRIDE_TABLE}`;
  }
  remove(batch: Batch): void {
    for (let i = 0; i < this.handles.length; i++) {
      batch.delete_rule(this.family, OVERRIDE_TABLE, OVERRIDE_CHAIN, this.handles[i]);
    }
  }
  insert(batch: Batch): void {
    this.remove(batch);
    const tag = FIREWALL.tag;
    batch.insert_rule(this.family, OVERRIDE_TABLE, OVERRIDE_CHAIN, OVERRIDE, tag);
  }
}

/**
 * Queues what of a chain's companions is not there. `anew`: the chain is being made. Then our rule
 * in FORWARD is made again too, by its handle: should a GC, which found nobody who needs it, have
 * removed it meanwhile, this transaction fails and is thought over.
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
  if (chain.override_family == 0) return null;
  const overrides = new Overrides(chain.override_family);
  const error = overrides.look();
  // Two that found it missing at the same time have put it there twice.
  const odd = !overrides.current || overrides.handles.length > 1;
  if (overrides.wanted && (anew || odd)) overrides.insert(batch);
  return error;
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
  if (chain.override_family == 0) return null;
  const overrides = new Overrides(chain.override_family);
  const unread = overrides.look();
  if (unread || !overrides.wanted || overrides.current) return unread;
  return new CniError(
    Code.CheckFailed,
    `${overrides.place} lacks our rule that lets pass what the firewall accepts: it was made ` +
      'after ADD, or flushed; "fairlead repair" restores the rule for all containers',
  );
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

/** GC: queues the removal of chains of the firewall that no element leads to, and of our rules. */
export function firewall_gc(batch: Batch, present: Present, needed: Set<string>): CniError | null {
  const names = present.chains(FIREWALL.family, FIREWALL_CHAIN);
  for (let i = 0; i < names.length; i++) {
    const chain = firewall_chain(names[i]);
    if (!chain || needed.has(`goto ${names[i]}`)) continue;
    const error = drop(batch, FIREWALL, chain);
    if (error) return error;
  }
  const accepting: string[] = [ACCEPT4, ACCEPT6];
  for (let i = 0; i < accepting.length; i++) {
    if (needed.has(`goto ${accepting[i]}`)) continue;
    const overrides = new Overrides(accepting[i] == ACCEPT4 ? Family.Ip : Family.Ip6);
    const error = overrides.look();
    if (error) return error;
    overrides.remove(batch);
  }
  return null;
}

/**
 * Says which other firewalls of the node may drop what ours accepts, and what to do: nothing that
 * is in our tables can prevent it.
 */
export function others_explain(): void {
  const bases = chain_list(HOST, FORWARD.hooknum);
  for (let i = 0; bases && i < bases.length; i++) explain(bases[i]);
  const files: string[] = ["ip", "ip6"];
  for (let i = 0; i < files.length; i++) {
    const names = file_read(`/proc/net/${files[i]}_tables_names`, NAMES_LIMIT_BYTES);
    if (!names || utf8_invalid_at(names.ptr, names.len) >= 0) continue;
    if (!utf8_decode(names.ptr, names.len).split("\n").includes("filter")) continue;
    const program = `${files[i]}tables-legacy`;
    log(
      `firewall: ${program} has a table filter, and what its FORWARD drops stays dropped: ` +
        `let the container's packets pass there (${program} -I FORWARD -m mark --mark ` +
        `${mark}/${mark} -j ACCEPT), or use iptables-nft, in which Fairlead does this itself`,
    );
  }
}

const mark: string = `0x${MARK.toString(16)}`;

function explain(base: NftBase): void {
  const family = base.family;
  if (family != Family.Inet && family != Family.Ip && family != Family.Ip6) return;
  if (base.table == TABLE) return;
  if (base.table == OVERRIDE_TABLE && base.chain == OVERRIDE_CHAIN) return;
  const where = `${family_word(family)} ${base.table} ${base.chain}`;
  if (base.table == "firewalld") {
    log(
      "firewall: firewalld is running, and what it rejects stays rejected: put the subnets of " +
        "the containers into a zone that lets them pass (firewall-cmd --permanent --zone=trusted " +
        "--add-source=SUBNET; firewall-cmd --reload)",
    );
  } else if (base.policy == "drop") {
    const marked = base.priority > FORWARD.priority_number;
    const rule = marked ? `meta mark & ${mark} == ${mark} accept` : "ip saddr SUBNET accept";
    log(
      `firewall: the policy of chain ${where} is drop, and what it drops stays dropped: ` +
        `let the container's packets pass there (nft 'insert rule ${where} ${rule}')`,
    );
  }
}
