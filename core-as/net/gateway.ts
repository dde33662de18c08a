// The host's side of a gateway: IP forwarding, default routes, gateway defaults. Shared by kinds.
import { HOST, sysctl_read, sysctl_write } from "../host/kernel";
import { cidr_parse } from "../lib/ip";
import { CniError, os_error } from "../spec/error";
import { Result, RouteConfig } from "../spec/types";
import { Undo } from "../undo";

/** Whether the result has an address of the family. */
export function has_family(result: Result, v6: bool): bool {
  for (let i = 0; i < result.ips.length; i++) {
    if (result.ips[i].address.ip.v6 == v6) return true;
  }
  return false;
}

/** Gives every address without a gateway the first address of its network. */
export function gateway_defaults(result: Result): void {
  for (let i = 0; i < result.ips.length; i++) {
    const ip = result.ips[i];
    if (!ip.gateway) ip.gateway = ip.address.network().add(1);
  }
}

/**
 * Adds a default route per family by its first gateway, unless the result has one with a gateway.
 */
export function default_routes(result: Result): void {
  for (let family = 0; family < 2; family++) {
    const v6 = family == 1;
    let present = false;
    for (let i = 0; i < result.routes.length; i++) {
      const route = result.routes[i];
      if (route.dst.bits == 0 && route.dst.ip.v6 == v6 && route.gw) present = true;
    }
    for (let i = 0; i < result.ips.length && !present; i++) {
      const gateway = result.ips[i].gateway;
      if (!gateway || gateway.v6 != v6) continue;
      const dst = cidr_parse(v6 ? "::/0" : "0.0.0.0/0");
      if (!dst) break;
      const route = new RouteConfig(dst);
      route.gw = gateway;
      result.routes.push(route);
      present = true;
    }
  }
}

/**
 * Switches IP forwarding on for the families of the result. The last change of an ADD: once another
 * container counts on it, it must not be taken back.
 */
export function forwarding_enable(result: Result, undo: Undo): CniError | null {
  if (has_family(result, false)) {
    const error = switch_on("net/ipv4/ip_forward", undo);
    if (error) return error;
  }
  return has_family(result, true) ? switch_on("net/ipv6/conf/all/forwarding", undo) : null;
}

function switch_on(key: string, undo: Undo): CniError | null {
  const value = sysctl_read(HOST, key);
  if (value === null) return os_error(`read sysctl ${key}`);
  if (value == "1") return null;
  if (sysctl_write(HOST, key, "1") < 0) return os_error(`switch on IP forwarding (sysctl ${key})`);
  undo.sysctl_write(HOST, key, value);
  return null;
}
