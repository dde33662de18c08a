// SPDX-License-Identifier: Apache-2.0
// Addresses and routes of a container's interface, from a result (spec 1.1.0 section 2, ADD).
// It reads and writes the container's namespace only.
import { Adding } from "../attach/adding";
import { SysctlSet } from "../attach/changes";
import { failure_errno } from "../host/failure";
import {
  addr_add,
  addr_list,
  Link,
  link_get,
  link_set_up,
  Route,
  route_add,
  sysctl_read,
  sysctl_write,
} from "../host/kernel";
import { sleep } from "../host/store";
import { EEXIST, EHOSTUNREACH, ENETUNREACH, ENODEV } from "../lib/errno";
import { Ip } from "../lib/ip";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { IPConfig, Result, RouteConfig } from "../spec/types";

const DAD_LIMIT_MS = 5000;
const DAD_PAUSE_MS = 50;

/** CNI_IFNAME must be free before anything is made. */
export function ifname_taken(request: Request): CniError | null {
  const ifname = request.env.ifname;
  if (link_get(request.netns, ifname)) {
    return new CniError(
      Code.InterfaceExists,
      `interface "${ifname}" already exists in ${request.env.netns}: ` +
        "run DEL for it, or choose another CNI_IFNAME",
    );
  }
  return failure_errno == ENODEV ? null : os_error(`look for "${ifname}" in ${request.env.netns}`);
}

/**
 * The addresses of a result that are the interface's: those that name it, or none. An index that
 * leads nowhere is none, as the reference has it.
 */
export function iface_ips(request: Request, result: Result): IPConfig[] {
  const own = new Array<IPConfig>();
  for (let i = 0; i < result.ips.length; i++) {
    const ip = result.ips[i];
    const listed = ip.interface >= 0 && ip.interface < result.interfaces.length;
    if (!listed || result.interfaces[ip.interface].name == request.env.ifname) own.push(ip);
  }
  return own;
}

/** The first gateway of a family among the result's addresses, or null. */
function family_gateway(result: Result, v6: bool): Ip | null {
  for (let i = 0; i < result.ips.length; i++) {
    const gateway = result.ips[i].gateway;
    if (gateway && gateway.v6 == v6 && result.ips[i].address.ip.v6 == v6) return gateway;
  }
  return null;
}

/**
 * Sets the interface up with every address and route of the result. `dad`: IPv6 duplicate address
 * detection runs and is waited for; without it an address serves at once.
 * Only what outlives the link is noted for undoing: removing the link takes all else along.
 */
export function iface_configure(
  request: Request,
  link: Link,
  result: Result,
  dad: bool,
  adding: Adding,
): CniError | null {
  const ns = request.netns;
  // Announces the address to neighbours that still know its former owner. Read-only /proc/sys is no
  // reason to fail: it only slows their learning.
  sysctl_write(ns, `net/ipv4/conf/${link.name}/arp_notify`, "1");
  if (dad) sysctl_write(ns, `net/ipv6/conf/${link.name}/enhanced_dad`, "1");
  sysctl_write(ns, `net/ipv6/conf/${link.name}/accept_dad`, dad ? "1" : "0");
  let v6 = false;
  for (let i = 0; i < result.ips.length; i++) {
    const address = result.ips[i].address;
    if (address.ip.v6 && !v6) {
      v6 = true;
      const error = ipv6_enable(ns, link.name, adding);
      if (error) return error;
    }
    if (addr_add(ns, link.ifindex, address.toString(), !dad) < 0) {
      return os_error(`add address ${address.toString()} to "${link.name}"`);
    }
  }
  if (link_set_up(ns, link.ifindex) < 0) return os_error(`set "${link.name}" up`);
  if (dad && v6) {
    const error = dad_wait(ns, link);
    if (error) return error;
  }
  return routes_add(ns, link, result);
}

/** Some runtimes start a namespace with IPv6 off; an IPv6 address then cannot be added. */
function ipv6_enable(ns: i32, ifname: string, adding: Adding): CniError | null {
  const names: string[] = ["lo", ifname];
  for (let i = 0; i < names.length; i++) {
    const key = `net/ipv6/conf/${names[i]}/disable_ipv6`;
    const value = sysctl_read(ns, key);
    if (value === null || value == "0") continue;
    if (sysctl_write(ns, key, "0") < 0) return os_error(`enable IPv6 on "${names[i]}" (${key})`);
    if (names[i] == "lo") adding.note(new SysctlSet(key, value));
  }
  // The address outlives a link flap. Nice to have: read-only /proc/sys is no reason to fail.
  sysctl_write(ns, `net/ipv6/conf/${ifname}/keep_addr_on_down`, "1");
  return null;
}

function dad_wait(ns: i32, link: Link): CniError | null {
  for (let waited_ms = 0; waited_ms <= DAD_LIMIT_MS; waited_ms += DAD_PAUSE_MS) {
    const list = addr_list(ns, link.ifindex);
    if (!list) return os_error(`read the addresses of "${link.name}"`);
    let tentative = "";
    for (let i = 0; i < list.length; i++) {
      if (list[i].dadfailed) {
        return new CniError(
          Code.NoAddress,
          `another machine already uses ${list[i].address}: free it or exclude it from the range`,
        );
      }
      if (list[i].tentative) tentative = list[i].address;
    }
    if (tentative.length == 0) return null;
    sleep(DAD_PAUSE_MS);
  }
  return new CniError(
    Code.TryAgainLater,
    `duplicate address detection on "${link.name}" did not end within ${DAD_LIMIT_MS} ms`,
  );
}

/** Whether a gateway is reached without any route of its own. */
function on_link(gateway: Ip, result: Result): bool {
  if (gateway.v6 && gateway.isLinkLocal()) return true;
  for (let i = 0; i < result.ips.length; i++) {
    const address = result.ips[i].address;
    if (address.ip.v6 == gateway.v6 && address.contains(gateway)) return true;
  }
  return false;
}

/** RT_SCOPE_LINK, linux/rtnetlink.h. */
const SCOPE_LINK = 253;

/** A route to a gateway that lies in no subnet of the interface: the kernel asks for one. */
export function gateway_route(gateway: Ip): Route {
  const route = new Route();
  route.dst = `${gateway.toString()}/${gateway.width}`;
  route.scope = SCOPE_LINK;
  return route;
}

function routes_add(ns: i32, link: Link, result: Result): CniError | null {
  const reached = new Array<string>();
  for (let i = 0; i < result.routes.length; i++) {
    const config = result.routes[i];
    const route = kernel_route(config);
    const gateway = family_gateway(result, config.dst.ip.v6);
    const family = config.gw ? config.gw : direct(config, gateway) ? null : gateway;
    if (family) route.gw = family.toString();
    // What a route names itself may be a slip; the gateway of an address is meant to be used.
    const own = config.gw !== null || reached.includes(route.gw);
    if (family && !own && !on_link(family, result)) {
      reached.push(route.gw);
      if (route_add(ns, link.ifindex, gateway_route(family)) < 0 && failure_errno != EEXIST) {
        return os_error(`add route ${route.gw} to "${link.name}"`);
      }
    }
    if (route_add(ns, link.ifindex, route) < 0) {
      return unroutable(link, route);
    }
  }
  return null;
}

/** Whether a route without a gateway has none: it says so, or it leads to the gateway itself. */
function direct(route: RouteConfig, gateway: Ip | null): bool {
  if (route.scope >= SCOPE_LINK) return true;
  return gateway !== null && route.dst.bits == gateway.width && route.dst.ip.equals(gateway);
}

function unroutable(link: Link, route: Route): CniError {
  const via = route.gw.length > 0 ? ` via ${route.gw}` : "";
  const unreached = failure_errno == ENETUNREACH || failure_errno == EHOSTUNREACH;
  const error = os_error(`add route ${route.dst}${via} to "${link.name}"`);
  if (via.length > 0 && unreached) {
    error.msg +=
      `: no address of the interface has ${route.gw} in its network: correct "gw", or put a ` +
      `route to it alone before, with "scope": ${SCOPE_LINK}`;
  }
  return error;
}

/** A result's route in the kernel's terms, its gateway left to the caller. */
function kernel_route(config: RouteConfig): Route {
  const route = new Route();
  route.dst = config.dst.toString();
  route.scope = config.scope < 0 ? 0 : config.scope;
  route.table = config.table < 0 ? 0 : <i32>config.table;
  route.priority = <i32>config.priority;
  route.mtu_bytes = config.mtu_bytes;
  route.advmss = config.advmss;
  return route;
}
