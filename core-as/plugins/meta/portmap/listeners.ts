// SPDX-License-Identifier: Apache-2.0
// What of the host stands against a mapping, which ADD says, as nobody else would: a process that
// listens on the port and gets nothing more from outside, an address that is not the host's. It
// changes nothing.
import { HOST, route_get, socket_listens } from "../../../host/kernel";
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

/** Says that an address is another host's: there is a way to it that leaves this one. */
function stranger_told(mapping: Mapping): void {
  const at = mapping.address;
  if (!at || at.isLoopback() || route_get(HOST, at.toString()) === null) return;
  log(
    `host port ${mapping.hostPort}/${mapping.protocol}: "hostIP" ${at.toString()} is no address ` +
      "of this host now, and until it is no packet comes through: give it to an interface, or " +
      'leave "hostIP" out',
  );
}

/** Says which ports are taken; `v4`, `v6`: the container has addresses of the family. */
export function listeners_told(mappings: Mapping[], v4: bool, v6: bool): void {
  for (let i = 0; i < min(mappings.length, LOOKED_AT_LIMIT); i++) {
    const mapping = mappings[i];
    const at = mapping.address;
    stranger_told(mapping);
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
