// What the reference plugins leave in iptables for an attachment, as far as it is found by name:
// their chains of one container, CNI-HASH of ipMasq and CNI-DN-HASH of portmap. It changes nothing.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { chain_get } from "../host/nft";
import { file_read } from "../host/store";
import { ENOENT } from "../lib/errno";
import { sha512 } from "../lib/sha512";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Family, family_word } from "./batch";
import { unsupported } from "./present";

const TABLE = "nat";
/** What they cut the names of chains to. */
const NAME_LENGTH = 28;
const NAMES_LIMIT_BYTES = 4096;
const FAMILIES: i32[] = [Family.Ip, Family.Ip6];

/**
 * Where a chain of theirs is for a container of a network; "" when there is none. What cannot be
 * looked at, such as iptables-legacy, may have one.
 */
export function reference_chain(network: string, containerID: string): string {
  const hash = sha512(network + containerID);
  const names: string[] = [`CNI-${hash}`, `CNI-DN-${hash}`];
  for (let i = 0; i < FAMILIES.length; i++) {
    const table = `table ${family_word(FAMILIES[i])} ${TABLE}`;
    for (let k = 0; k < names.length; k++) {
      const name = names[k].substring(0, NAME_LENGTH);
      if (chain_get(HOST, FAMILIES[i], TABLE, name)) return `chain ${name} of ${table}`;
      if (failure_errno != ENOENT && !unsupported()) return table;
    }
    const legacy = FAMILIES[i] == Family.Ip ? "ip_tables" : "ip6_tables";
    if (legacy_used(legacy)) return `table ${TABLE} of ${legacy.replace("_", "")}-legacy`;
  }
  return "";
}

function legacy_used(name: string): bool {
  const names = file_read(`/proc/net/${name}_names`, NAMES_LIMIT_BYTES);
  if (!names || utf8_invalid_at(names.ptr, names.len) >= 0) return false;
  return utf8_decode(names.ptr, names.len).split("\n").includes(TABLE);
}
