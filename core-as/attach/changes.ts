// SPDX-License-Identifier: Apache-2.0
// Effects that only the call which made them takes back, by what it found: what goes with its link
// or its namespace later, so that no record needs them. They are in the container's namespace.
import { failure_errno } from "../host/failure";
import {
  addr_del,
  fib_rule_del,
  link_set_down,
  Route,
  route_add,
  route_del,
  sysctl_read,
  sysctl_write,
} from "../host/kernel";
import { EADDRNOTAVAIL, EEXIST, ENODEV, ENOENT, ESRCH } from "../lib/errno";
import { CniError, os_error } from "../spec/error";
import { Effect, Site } from "./effect";

/** What a way back fails with when there is nothing left to be taken back. */
const UNDONE: i32[] = [ENOENT, ESRCH, EEXIST, ENODEV, EADDRNOTAVAIL];

/** Whether an operation of a way back is done; `tried` says what it was. */
export function undone(code: i32, tried: string, errors: CniError[]): bool {
  if (code >= 0 || UNDONE.includes(failure_errno)) return true;
  errors.push(os_error(`undo: ${tried}`));
  return false;
}

/** A sysctl that had another value. */
export class SysctlSet extends Effect {
  constructor(
    private key: string,
    private value: string,
  ) {
    super();
  }
  undo(site: Site, errors: CniError[]): bool {
    if (sysctl_read(site.ns, this.key) == this.value) return true;
    return undone(sysctl_write(site.ns, this.key, this.value), `restore ${this.key}`, errors);
  }
}

/** A link that was down. */
export class LinkUp extends Effect {
  constructor(private ifindex: i32) {
    super();
  }
  undo(site: Site, errors: CniError[]): bool {
    return undone(link_set_down(site.ns, this.ifindex), `set link ${this.ifindex} down`, errors);
  }
}

/** An address that was not there. */
export class AddressAdded extends Effect {
  constructor(
    private ifindex: i32,
    private address: string,
  ) {
    super();
  }
  undo(site: Site, errors: CniError[]): bool {
    const code = addr_del(site.ns, this.ifindex, this.address);
    return undone(code, `remove ${this.address}`, errors);
  }
}

/** A route that was not there, or, `gone`, one that was. */
export class RouteChanged extends Effect {
  constructor(
    private ifindex: i32,
    private route: Route,
    private gone: bool,
  ) {
    super();
  }
  undo(site: Site, errors: CniError[]): bool {
    const route = this.route;
    if (this.gone) {
      return undone(route_add(site.ns, this.ifindex, route), `restore route ${route.dst}`, errors);
    }
    const code = route_del(site.ns, this.ifindex, route.dst, route.gw, route.table);
    return undone(code, `remove route ${route.dst}`, errors);
  }
}

/** A policy routing rule. */
export class RuleAdded extends Effect {
  constructor(
    private src: string,
    private table: i32,
  ) {
    super();
  }
  undo(site: Site, errors: CniError[]): bool {
    const code = fib_rule_del(site.ns, this.src, this.table, 0);
    return undone(code, `remove the rule from ${this.src}`, errors);
  }
}
