// SPDX-License-Identifier: Apache-2.0
// Routes of a host link that an address may take along when it is replaced: noted before, put back
// after. Those that the kernel makes of an address are the kernel's.
import { undone } from "../../../attach/changes";
import { HOST, Link, Route, route_add, route_list } from "../../../host/kernel";
import { Cidr } from "../../../lib/ip";
import { CniError, os_error } from "../../../spec/error";

/** RTPROT_KERNEL, linux/rtnetlink.h. */
const RTPROT_KERNEL = 2;

export class KeptRoutes {
  private list: Route[] = [];

  read(link: Link): CniError | null {
    const list = route_list(HOST, link.ifindex);
    if (!list) return unread(link);
    this.list = list;
    return null;
  }

  /** Adds those that went, but none that is to send from an address which is `gone`. */
  put_back(link: Link, gone: Cidr[], errors: CniError[]): void {
    const there = route_list(HOST, link.ifindex);
    if (!there) {
      errors.push(unread(link));
      return;
    }
    for (let i = 0; i < this.list.length; i++) {
      const route = this.list[i];
      if (route.protocol == RTPROT_KERNEL || holds(there, route) || is_from(route, gone)) continue;
      undone(route_add(HOST, link.ifindex, route), `restore route ${route.dst}`, errors);
    }
  }
}

function unread(link: Link): CniError {
  return os_error(`read the routes of "${link.name}"`);
}

function holds(list: Route[], route: Route): bool {
  for (let i = 0; i < list.length; i++) {
    const one = list[i];
    if (one.dst != route.dst || one.gw != route.gw || one.table != route.table) continue;
    if (one.priority == route.priority) return true;
  }
  return false;
}

/** Whether a route's packets are to come from one of the addresses. */
function is_from(route: Route, addresses: Cidr[]): bool {
  for (let i = 0; i < addresses.length; i++) {
    if (route.src == addresses[i].ip.toString()) return true;
  }
  return false;
}
