// SPDX-License-Identifier: Apache-2.0
// The CNI type `firewall`, chained: lets the container's packets through, and keeps bridges apart
// that ask for it (ingressPolicy). This file owns the keys and says what is wanted in nftables;
// which rules there are is ../../../nft/firewall.ts, what comes along with them
// ../../../nft/companions.ts and ../../../nft/passage.ts.
import { Adding } from "../../../attach/adding";
import { hash64 } from "../../../lib/name";
import { check_prevResult } from "../../../net/check";
import { Element } from "../../../nft/element";
import { ACCEPT4, ACCEPT6, admin_name_valid } from "../../../nft/firewall";
import { legacy_reach } from "../../../nft/legacy";
import { elements_possible } from "../../../nft/tables";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError } from "../../../spec/error";
import { owner_tag } from "../../../spec/owner-tag";
import { Reach } from "../../../spec/reach";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import { why } from "../../../spec/why";
import { backend_read, named } from "./backend";
import { policy_want } from "./policy";

const SETS: string[] = [
  "firewall4",
  "firewall6",
  "firewall_policies",
  "firewall_admins",
  "isolated_ports",
];
const POLICIES: string[] = ["open", "same-bridge", "isolated"];
export class Firewall extends Plugin {
  private admin: string = "";
  private policy: string = "";

  get chained(): bool {
    return true;
  }

  nft_sets(request: Request): string[] {
    return SETS;
  }

  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: lets the container's packets through, keeps bridges apart";
    type.at(CONFIG, "backend iptablesAdminChainName firewalldZone ingressPolicy").at(RUNTIME, "");
  }

  reach(request: Request, into: Reach): void {
    legacy_reach(request.env.command, into);
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const config = request.config;
    this.admin = named(reader.string(config, "iptablesAdminChainName"), "CNI-ADMIN");
    if (!admin_name_valid(this.admin)) {
      reader.invalid(
        `"${this.admin}" cannot be the name of an administrator's chain: take letters, digits, ` +
          '"-", "." and "_", a letter first, and no name of a chain of Fairlead',
        config.get("iptablesAdminChainName"),
      );
    }
    this.policy = named(reader.string(config, "ingressPolicy"), "open");
    if (!POLICIES.includes(this.policy)) {
      reader.invalid(
        `unknown ingress policy: "${this.policy}": write ${POLICIES.join(", ")}`,
        config.get("ingressPolicy"),
      );
    }
    backend_read(request);
    return reader.error;
  }

  add(request: Request, adding: Adding): Outcome {
    const result = check_prevResult(request);
    if (!result) return failed(request.reader.error);
    const error = this.want(request, result);
    return error ? failed(error) : new Outcome(result);
  }

  check(request: Request): CniError | null {
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    return this.want(request, result);
  }

  /** Notes the elements of the container; ../../../attach/nft.ts sets and compares them. */
  private want(request: Request, result: Result): CniError | null {
    const env = request.env;
    const tag = owner_tag(request.network, env.containerID, env.ifname);
    // The keys of these maps are names as long as those of interfaces; nft wants a letter first.
    const owner = `x${hash64(tag).toString(16).padStart(16, "0").substring(2)}`;
    for (let i = 0; i < result.ips.length; i++) {
      const ip = result.ips[i].address.ip;
      const chain = ip.v6 ? ACCEPT6 : ACCEPT4;
      const set = ip.v6 ? "firewall6" : "firewall4";
      request.nft.push(new Element(set, ip.toString(), `goto ${chain}`));
      if (isDefined(FAIRLEAD_TELLS)) {
        why("forwarding accepted", ip.toString(), `"ingressPolicy" is ${this.policy}`);
      }
    }
    if (result.ips.length > 0) {
      request.nft.push(new Element("firewall_admins", owner, `goto ${this.admin}`));
    }
    return this.policy == "open" ? null : policy_want(request, result, this.policy, owner);
  }

  status(request: Request): CniError | null {
    const bridge = this.policy == "isolated";
    return elements_possible(bridge ? SETS : SETS.filter((set) => set != "isolated_ports"));
  }
}
