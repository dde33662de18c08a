// SPDX-License-Identifier: Apache-2.0
// Keys of portmap that choose how the reference does it: what they ask for is done in our way, or
// refused. It makes nothing.
import { log } from "../../../host/store";
import { Request } from "../../../spec/request";

const MARK_BIT_MAX = 31;

/** Problems land in the reader. */
export function backend_read(request: Request): void {
  const reader = request.reader;
  const config = request.config;
  const backend = reader.string(config, "backend");
  const mark = reader.integer(config, "markMasqBit", 0, MARK_BIT_MAX, -1);
  const chain = reader.string(config, "externalSetMarkChain");
  if (backend.length > 0 && backend != "iptables" && backend != "nftables") {
    reader.invalid(
      `unrecognized backend "${backend}": write nftables, or leave "backend" out`,
      config.get("backend"),
    );
  }
  if (mark >= 0 && chain.length > 0) {
    reader.invalid(
      "Cannot specify externalSetMarkChain and markMasqBit: remove both, no mark is needed",
      config.get("externalSetMarkChain"),
    );
  }
  refuse_conditions(request, reader.strings(config, "conditionsV4"), "conditionsV4");
  refuse_conditions(request, reader.strings(config, "conditionsV6"), "conditionsV6");
  if (request.env.command != "ADD") return;
  if (backend == "iptables") {
    log('portmap backend "iptables": Fairlead forwards ports by nftables, in a table of its own');
  }
  if (chain.length > 0) {
    log(
      `portmap externalSetMarkChain "${chain}": Fairlead masquerades by itself and marks nothing`,
    );
  }
}

function refuse_conditions(request: Request, conditions: string[] | null, key: string): void {
  if (!conditions || conditions.length == 0) return;
  request.reader.invalid(
    `"${key}" cannot be had: ports are looked up in sets that all networks share; limit them ` +
      'by "hostIP", or drop packets in a chain of your own',
    request.config.get(key),
  );
}
