// SPDX-License-Identifier: Apache-2.0
// CHECK's comparisons of a prevResult with the kernel (spec 1.1.0 section 2, CHECK). Only what the
// plugin's own interface carries is compared: chained plugins may have changed the rest.
import { Address, addr_list, Link, link_get, Route, route_list } from "../host/kernel";
import { cidr_parse } from "../lib/ip";
import { mac_normal } from "../lib/name";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { Interface, Result } from "../spec/types";

export function check_failed(msg: string): CniError {
  return new CniError(Code.CheckFailed, `${msg}: run DEL and ADD for this container`);
}

/** prevResult, which CHECK requires. Problems of it land in the request's reader. */
export function check_prevResult(request: Request): Result | null {
  const result = request.prevResult();
  if (!result) {
    request.reader.invalid("Required prevResult missing: the runtime must pass the result of ADD");
  }
  return request.reader.error ? null : result;
}

/** Index of CNI_IFNAME among the result's interfaces, the one with a sandbox; -1 when absent. */
export function container_index(request: Request, result: Result): i32 {
  for (let i = 0; i < result.interfaces.length; i++) {
    const item = result.interfaces[i];
    if (item.name == request.env.ifname && item.sandbox.length > 0) return i;
  }
  return -1;
}

/** A link in the container or on the host that the result names; compares kind and MAC. */
export class Compared {
  link: Link = new Link();
  error: CniError | null = null;
}

/** Stands for a link of whatever kind. */
export const ANY_KIND = "*";

export function check_link(ns: i32, item: Interface, kind: string): Compared {
  const compared = new Compared();
  const link = link_get(ns, item.name);
  if (!link) {
    compared.error = check_failed(`interface "${item.name}" of prevResult is missing`);
    return compared;
  }
  compared.link = link;
  const mac = mac_normal(item.mac);
  if (kind != ANY_KIND && link.kind != kind) {
    compared.error = check_failed(
      `interface "${item.name}" is of kind "${link.kind}", not ${kind}`,
    );
  } else if (mac.length > 0 && mac != link.address) {
    compared.error = check_failed(`interface "${item.name}" has MAC ${link.address}, not ${mac}`);
  }
  return compared;
}

/** The container's interface: there, up to its kind, MAC and sandbox. */
export function check_container(request: Request, result: Result, kind: string): Compared {
  const index = container_index(request, result);
  const compared = new Compared();
  if (index < 0) {
    compared.error = check_failed(
      `prevResult has no interface "${request.env.ifname}" with a sandbox`,
    );
    return compared;
  }
  const item = result.interfaces[index];
  if (item.sandbox != request.env.netns) {
    compared.error = check_failed(
      `sandbox ${item.sandbox} of prevResult is not CNI_NETNS ${request.env.netns}`,
    );
    return compared;
  }
  return check_link(request.netns, item, kind);
}

/** Every address that the result puts on the interface is there. */
export function check_addresses(request: Request, link: Link, result: Result): CniError | null {
  const index = container_index(request, result);
  const list = addr_list(request.netns, link.ifindex);
  if (!list) return os_error(`read the addresses of "${link.name}"`);
  for (let i = 0; i < result.ips.length; i++) {
    const ip = result.ips[i];
    if (ip.interface >= result.interfaces.length) {
      return check_failed(
        `prevResult puts ${ip.address.toString()} on interface ${ip.interface}, ` +
          "which it does not list",
      );
    }
    if (ip.interface >= 0 && ip.interface != index) continue;
    if (!has_address(list, ip.address.toString())) {
      return check_failed(`address ${ip.address.toString()} is missing on "${link.name}"`);
    }
  }
  return null;
}

function has_address(list: Address[], address: string): bool {
  for (let i = 0; i < list.length; i++) {
    if (list[i].address == address) return true;
  }
  return false;
}

/** Every route of the result leaves by the interface, in whatever table a chained plugin put it. */
export function check_routes(request: Request, link: Link, result: Result): CniError | null {
  if (result.routes.length == 0) return null;
  const list = route_list(request.netns, link.ifindex);
  if (!list) return os_error(`read the routes of "${link.name}"`);
  // As texts of one spelling, made once: a result may have thousands of routes.
  for (let i = 0; i < list.length; i++) {
    const cidr = cidr_parse(list[i].dst);
    if (cidr) list[i].dst = cidr.toString();
  }
  for (let i = 0; i < result.routes.length; i++) {
    const dst = result.routes[i].dst;
    const gw = result.routes[i].gw;
    // To the kernel the unspecified address is no gateway.
    const gateway = gw && !gw.isUnspecified() ? gw.toString() : "";
    if (has_route(list, dst.toString(), gateway)) continue;
    const via = gateway.length > 0 ? ` via ${gateway}` : "";
    return check_failed(`route ${dst.toString()}${via} is missing on "${link.name}"`);
  }
  return null;
}

function has_route(list: Route[], dst: string, gw: string): bool {
  for (let i = 0; i < list.length; i++) {
    if (list[i].dst == dst && (gw.length == 0 || list[i].gw == gw)) return true;
  }
  return false;
}
