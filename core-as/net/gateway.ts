// SPDX-License-Identifier: Apache-2.0
// The host's side of a gateway: default routes, gateway defaults, that packets are forwarded.
// Shared by kinds.
import { Adding } from "../attach/adding";
import { cidr_parse } from "../lib/ip";
import { CniError, Code } from "../spec/error";
import { Result, RouteConfig } from "../spec/types";
import { why } from "../spec/why";
import { Forwarding } from "./forwarding";
import { TABLE_MAIN } from "./tables";

/** Whether the result has an address of the family. */
function has_family(result: Result, v6: bool): bool {
  for (let i = 0; i < result.ips.length; i++) {
    if (result.ips[i].address.ip.v6 == v6) return true;
  }
  return false;
}

/**
 * Gives every address without a gateway the first address of its network. One of IPv6 alone that a
 * server `leased` has no network: what comes next is another pod's.
 */
export function gateway_defaults(result: Result, leased: bool): CniError | null {
  for (let i = 0; i < result.ips.length; i++) {
    const ip = result.ips[i];
    if (ip.gateway) continue;
    if (leased && ip.address.ip.v6 && ip.address.bits == 128) {
      return new CniError(
        Code.InvalidConfig,
        `the host cannot be the gateway of ${ip.address}, which is of no network: leave ` +
          '"isGateway" and "isDefaultGateway" out',
      );
    }
    const gateway = ip.address.network().add(1);
    ip.gateway = gateway;
    if (isDefined(FAIRLEAD_TELLS)) {
      why("gateway", gateway.toString(), "nothing names one: the first address of the subnet");
    }
  }
  return null;
}

/** Whether a default route without a gateway is the one that would be added beside it. */
function same_default(route: RouteConfig): bool {
  const main = route.table <= 0 || route.table == TABLE_MAIN;
  return main && route.scope <= 0 && route.priority == 0;
}

/**
 * Adds a default route per family by its first gateway, unless the result has one with a gateway,
 * or one that gets the same.
 */
export function default_routes(result: Result): void {
  for (let family = 0; family < 2; family++) {
    const v6 = family == 1;
    let present = false;
    for (let i = 0; i < result.routes.length; i++) {
      const route = result.routes[i];
      if (route.dst.bits != 0 || route.dst.ip.v6 != v6) continue;
      if (route.gw || same_default(route)) present = true;
    }
    for (let i = 0; i < result.ips.length && !present; i++) {
      const gateway = result.ips[i].gateway;
      if (!gateway || gateway.v6 != v6) continue;
      const dst = cidr_parse(v6 ? "::/0" : "0.0.0.0/0");
      if (!dst) break;
      const route = new RouteConfig(dst);
      route.gw = gateway;
      result.routes.push(route);
      if (isDefined(FAIRLEAD_TELLS)) {
        why("default route", `via ${gateway.toString()}`, "the node is the default gateway");
      }
      present = true;
    }
  }
}

/**
 * Wants IP forwarding on for the families of the result: when nothing can fail any more, as what
 * the kernel resets with it is not to be had back in every case.
 */
export function forwarding_want(result: Result, adding: Adding): void {
  if (isDefined(FAIRLEAD_TELLS)) {
    why("forwarding", "on, last of all", "the node is the gateway of its containers");
  }
  if (has_family(result, false)) adding.later.push(new Forwarding(false));
  if (has_family(result, true)) adding.later.push(new Forwarding(true));
}
