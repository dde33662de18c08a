// SPDX-License-Identifier: Apache-2.0
// What the reference plugins leave in iptables for a container, as far as it is found by name: the
// chain CNI-HASH of ipMasq, and CNI-DN-HASH of portmap, with the rule that leads to it. Of
// iptables-nft, whose tables nftables shows; those of iptables-legacy it only notices.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { batch_send, chain_get } from "../host/nft";
import { file_read } from "../host/store";
import { ENOENT } from "../lib/errno";
import { sha512 } from "../lib/sha512";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Batch, Family, family_word } from "./batch";
import { unsupported } from "./present";

const TABLE = "nat";
/** What they cut the names of chains to. */
const NAME_LENGTH = 28;
const NAMES_LIMIT_BYTES = 4096;
const FAMILIES: i32[] = [Family.Ip, Family.Ip6];

/** Chains of one kind, of one container. */
export class ReferenceChain {
  private name: string;

  /** `prefix` of the kind, and the chain whose rules lead to those of the kind. */
  private constructor(
    prefix: string,
    private from: string,
    network: string,
    containerID: string,
  ) {
    this.name = (prefix + sha512(network + containerID)).substring(0, NAME_LENGTH);
  }
  /** Of ipMasq. */
  static masq(network: string, containerID: string): ReferenceChain {
    return new ReferenceChain("CNI-", "POSTROUTING", network, containerID);
  }
  /** Of portmap. */
  static ports(network: string, containerID: string): ReferenceChain {
    return new ReferenceChain("CNI-DN-", "CNI-HOSTPORT-DNAT", network, containerID);
  }

  /** Where there is one, for a person; "" for nowhere. What cannot be looked at may have one. */
  get place(): string {
    for (let i = 0; i < FAMILIES.length; i++) {
      const table = `table ${family_word(FAMILIES[i])} ${TABLE}`;
      if (chain_get(HOST, FAMILIES[i], TABLE, this.name)) return `chain ${this.name} of ${table}`;
      if (failure_errno != ENOENT && !unsupported()) return table;
      const legacy = FAMILIES[i] == Family.Ip ? "ip_tables" : "ip6_tables";
      if (legacy_used(legacy)) return `table ${TABLE} of ${legacy.replace("_", "")}-legacy`;
    }
    return "";
  }

  /** Removes them with what leads to them; false when one may be left. */
  remove(): bool {
    for (let i = 0; i < FAMILIES.length; i++) {
      const family = FAMILIES[i];
      if (!chain_get(HOST, family, TABLE, this.name)) continue;
      const batch = new Batch();
      const from = chain_get(HOST, family, TABLE, this.from);
      for (let k = 0; from !== null && k < from.rules.length; k++) {
        if (!from.rules[k].does.includes(`jump ${this.name}`)) continue;
        batch.delete_rule(family, TABLE, this.from, from.rules[k].handle);
      }
      batch.delete_chain(family, this.name, TABLE);
      batch.finish();
      batch_send(HOST, batch.out, batch.words);
    }
    return this.place.length == 0;
  }
}

function legacy_used(name: string): bool {
  const names = file_read(`/proc/net/${name}_names`, NAMES_LIMIT_BYTES);
  if (!names || utf8_invalid_at(names.ptr, names.len) >= 0) return false;
  return utf8_decode(names.ptr, names.len).split("\n").includes(TABLE);
}
