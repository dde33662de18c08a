// SPDX-License-Identifier: Apache-2.0
// ingressPolicy of firewall: what keeps the bridge of a container apart from others. The rules are
// ../../../nft/firewall.ts.
import { failure_errno } from "../../../host/failure";
import { HOST, link_get } from "../../../host/kernel";
import { ENODEV } from "../../../lib/errno";
import { host_end } from "../../../net/peer";
import { Element } from "../../../nft/element";
import { policy_chain_name } from "../../../nft/firewall";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";

/** The bridge is the first interface of the result, as the reference has it. */
export function policy_want(
  request: Request,
  result: Result,
  policy: string,
  owner: string,
): CniError | null {
  if (result.interfaces.length == 0 || result.interfaces[0].sandbox.length > 0) {
    return new CniError(
      Code.InvalidConfig,
      `ingressPolicy "${policy}" is about a bridge, and the first interface of prevResult ` +
        "is none of the host: put firewall behind bridge or ptp, or leave ingressPolicy out",
    );
  }
  const bridge = result.interfaces[0].name;
  const chain = policy_chain_name(policy, bridge);
  request.nft.push(new Element("firewall_policies", owner, `goto ${chain}`));
  if (policy != "isolated") return null;
  const ifname = request.env.ifname;
  const link = link_get(request.netns, ifname);
  if (!link) {
    if (failure_errno == ENODEV) return null;
    return os_error(`look for "${ifname}" in ${request.env.netns}`);
  }
  const end = host_end(link, result);
  if (end.error) return end.error;
  const port = end.link;
  const master = link_get(HOST, bridge);
  if (!master && failure_errno != ENODEV) return os_error(`look for "${bridge}"`);
  if (port && master && port.master == master.ifindex) {
    request.nft.push(new Element("isolated_ports", port.name));
  }
  return null;
}
