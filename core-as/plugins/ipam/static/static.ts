// SPDX-License-Identifier: Apache-2.0
// The IPAM type `static`: addresses written in the configuration or requested by the runtime. It
// keeps no state. Where the addresses are from is addresses.ts.
import { Adding } from "../../../attach/adding";
import { log } from "../../../host/store";
import { cidr_parse, ip_parse } from "../../../lib/ip";
import { check_failed, check_prevResult } from "../../../net/check";
import { ipam_object, too_many } from "../../../plugin/ipam";
import { Outcome, Plugin } from "../../../plugin/plugin";
import { POOLS_LIMIT, Pool } from "../../../plugin/pool";
import { ARGS, CNI_ARGS, IPAM, Role, RUNTIME, Type } from "../../../plugin/type";
import { Written } from "../../../plugin/written";
import { CniError } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { dns_read, routes_read } from "../../../spec/result";
import { IPConfig, Result } from "../../../spec/types";
import { version_before } from "../../../spec/version";
import { Addresses, addresses_tell } from "./addresses";
import { doubt_of } from "./doubts";

export class Static extends Plugin {
  private result: Result = new Result();

  get uses_netns(): bool {
    return false;
  }

  describe(type: Type): void {
    type.role = Role.Ipam;
    type.about = "IPAM: addresses written in the configuration";
    type
      .at(IPAM, "type addresses routes dns")
      .at("ipam.addresses", "address gateway")
      .at(ARGS, "ips")
      .at(RUNTIME, "ips")
      .at(CNI_ARGS, "IP GATEWAY");
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const ipam = ipam_object(request);
    if (!ipam) return reader.error;
    const addresses = new Addresses();
    addresses.read(reader, ipam);
    const error = addresses.read_requested(request);
    if (error) return error;
    this.result.ips = addresses.list;
    this.result.routes = routes_read(reader, ipam, "routes", true);
    const dns = reader.object(ipam, "dns");
    if (dns) this.result.dns = dns_read(reader, dns);
    if (reader.error) return reader.error;
    return one_per_family(request, this.result);
  }

  pools(request: Request): Pool[] {
    const pools = new Array<Pool>();
    const ipam = request.config.get("ipam");
    const list = ipam ? ipam.get("addresses") : null;
    for (let i = 0; list !== null && i < min(list.items.length, POOLS_LIMIT); i++) {
      const item = list.items[i];
      const cidr = cidr_parse(item.text_at("address"));
      if (!cidr) continue;
      const gateway = ip_parse(item.text_at("gateway"));
      const at = item.get("address");
      const offset = at ? at.offset : item.offset;
      pools.push(new Pool(cidr.ip, cidr.ip, cidr.subnet(), gateway, offset));
    }
    return pools;
  }

  /** What the plugin around it would notice at the first ADD. */
  advise(written: Written): void {
    const ipam = written.request.config.get("ipam");
    const list = ipam ? ipam.get("addresses") : null;
    for (let i = 0; list !== null && i < min(list.items.length, POOLS_LIMIT); i++) {
      const item = list.items[i];
      const cidr = cidr_parse(item.text_at("address"));
      if (!cidr) continue;
      const given = new IPConfig(cidr);
      given.gateway = ip_parse(item.text_at("gateway"));
      const doubt = doubt_of(given);
      if (doubt.length > 0) written.warning(doubt, item.offset);
    }
    if (!ipam || written.may_get("ips") || (list && list.items.length > 0)) return;
    written.warning(
      `"static" has no address, so that ADD fails unless the runtime names one: add "addresses"`,
      ipam.offset,
    );
  }

  add(request: Request, adding: Adding): Outcome {
    for (let i = 0; i < this.result.ips.length; i++) {
      const doubt = doubt_of(this.result.ips[i]);
      if (doubt.length > 0) log(`static: ${doubt}`);
    }
    if (isDefined(FAIRLEAD_TELLS)) addresses_tell(request, this.result.ips);
    return new Outcome(this.result);
  }

  check(request: Request): CniError | null {
    const previous = check_prevResult(request);
    if (!previous) return request.reader.error;
    for (let i = 0; i < this.result.ips.length; i++) {
      const wanted = this.result.ips[i];
      for (let k = 0; k < previous.ips.length; k++) {
        const had = previous.ips[k];
        if (!had.address.equals(wanted.address)) continue;
        const gateway = wanted.gateway;
        const old = had.gateway;
        if (gateway && (!old || !old.equals(gateway))) {
          return check_failed(
            `the gateway of ${wanted.address.toString()} is no longer ${gateway.toString()}`,
          );
        }
      }
    }
    return null;
  }

  status(request: Request): CniError | null {
    return null;
  }
}

/** Documents before 0.3.0 hold one address of each family. */
function one_per_family(request: Request, result: Result): CniError | null {
  if (!version_before(request.version, "0.3.0")) return null;
  let v4 = 0;
  let v6 = 0;
  for (let i = 0; i < result.ips.length; i++) {
    if (result.ips[i].address.ip.v6) v6++;
    else v4++;
  }
  if (v4 <= 1 && v6 <= 1) return null;
  return too_many(request);
}
