// SPDX-License-Identifier: Apache-2.0
// Keys of firewall that choose how the reference does it: what they ask for is done in our way, or
// it is said what else to do. It makes nothing.
import { log } from "../../../host/store";
import { Request } from "../../../spec/request";

const BACKENDS: string[] = ["", "iptables", "firewalld", "nftables"];

/** The value of a key, or what stands for an empty one. */
export function named(value: string, standard: string): string {
  return value.length > 0 ? value : standard;
}

/** Problems land in the reader. */
export function backend_read(request: Request): void {
  const reader = request.reader;
  const config = request.config;
  const zone = named(reader.string(config, "firewalldZone"), "trusted");
  const backend = reader.string(config, "backend");
  if (!BACKENDS.includes(backend)) {
    reader.invalid(
      `unknown firewall backend "${backend}": leave "backend" out, Fairlead has one of its own`,
      config.get("backend"),
    );
  }
  if (request.env.command == "ADD") explain(backend, zone);
}

function explain(backend: string, zone: string): void {
  if (backend == "iptables") {
    log(
      "backend iptables: Fairlead filters by nftables, in a table of its own, and makes no " +
        "iptables rules but constant ones in FORWARD, where iptables-nft has that chain",
    );
  } else if (backend == "firewalld") {
    log(
      "backend firewalld: Fairlead does not talk to firewalld: put the subnet of the network " +
        `into the zone once (firewall-cmd --permanent --zone=${zone} --add-source=SUBNET; ` +
        "firewall-cmd --reload), or firewalld may reject what Fairlead accepts",
    );
  }
}
