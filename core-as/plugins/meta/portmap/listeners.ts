// SPDX-License-Identifier: Apache-2.0
// Processes of the host that listen where a port of the host is to lead to the container: they get
// nothing more from outside, which ADD says, as nobody else would. It changes nothing.
import { HOST, socket_listens } from "../../../host/kernel";
import { log } from "../../../host/store";
import { protocol_number } from "../../../nft/value";
import { Mapping } from "./mapping";

/** More would make ADD slow; whoever publishes so many knows of none of them. */
const LOOKED_AT_LIMIT = 64;

/** Addresses of the host that are looked at for a mapping of any address, by family. */
const ANY4: string[] = ["0.0.0.0", "127.0.0.1"];
const ANY6: string[] = ["::", "::1"];

function listens(mapping: Mapping, addresses: string[]): bool {
  const protocol = protocol_number(mapping.protocol);
  for (let i = 0; i < addresses.length; i++) {
    // A kernel that cannot tell counts as one where nobody listens.
    if (socket_listens(HOST, protocol, addresses[i], mapping.hostPort) > 0) return true;
  }
  return false;
}

/** Says which ports are taken; `v4`, `v6`: the container has addresses of the family. */
export function listeners_told(mappings: Mapping[], v4: bool, v6: bool): void {
  for (let i = 0; i < min(mappings.length, LOOKED_AT_LIMIT); i++) {
    const mapping = mappings[i];
    const at = mapping.address;
    const addresses: string[] = at ? [at.toString()] : [];
    const four = !at && v4 && !mapping.not4 && listens(mapping, ANY4);
    const six = !at && v6 && !mapping.not6 && listens(mapping, ANY6);
    if (!four && !six && !listens(mapping, addresses)) continue;
    log(
      `host port ${mapping.hostPort}/${mapping.protocol}: a process of the host listens there ` +
        `("ss -ltunp sport = :${mapping.hostPort}" names it); what comes from outside is the ` +
        "container's from now on",
    );
  }
}
