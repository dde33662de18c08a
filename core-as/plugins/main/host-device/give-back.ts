// SPDX-License-Identifier: Apache-2.0
// The way of a device from a container to the host, and what it gets back there: its name, address,
// MTU, addresses and routes, whether it is up. Its mark goes last: by it the next DEL finds it.
import { Site } from "../../../attach/effect";
import { failure_errno } from "../../../host/failure";
import {
  addr_add,
  HOST,
  Link,
  link_get,
  link_set_address,
  link_set_alias,
  link_set_allmulti,
  link_set_down,
  link_set_mtu,
  link_set_name,
  link_set_netns,
  link_set_promisc,
  link_set_txqlen,
  link_set_up,
  route_add,
} from "../../../host/kernel";
import { log } from "../../../host/store";
import {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EBUSY,
  EEXIST,
  EHOSTUNREACH,
  EINVAL,
  ENETDOWN,
  ENETUNREACH,
  ENODEV,
  EOPNOTSUPP,
} from "../../../lib/errno";
import { route_text } from "../../../net/tables";
import { CniError, os_error } from "../../../spec/error";
import { Former } from "./former";

/** What the kernel will refuse the next time, too: it is said, and the rest goes on. */
const REFUSED: i32[] = [
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EHOSTUNREACH,
  EINVAL,
  ENETDOWN,
  ENETUNREACH,
  EOPNOTSUPP,
];
/** A host that has so many interfaces of a name has another trouble. */
const NAMES_LIMIT = 100;

/** A name on the host: its own, or one made of it when that is taken; "" on failure. */
function free_name(former: Former): string {
  for (let i = 1; i < NAMES_LIMIT; i++) {
    const end = i == 1 ? "" : `-${i}`;
    let name = `${former.given_name}${end}`;
    for (let cut = 1; String.UTF8.byteLength(name) > 15; cut++) {
      const given = former.given_name;
      name = `${given.substring(0, given.length - cut)}${end}`;
    }
    if (link_get(HOST, name)) continue;
    return failure_errno == ENODEV ? name : "";
  }
  return "";
}

/** Moves it to the host. */
export function device_take(former: Former, site: Site, link: Link, errors: CniError[]): void {
  const ns = site.ns;
  const tried = `give "${link.name}" of ${site.containerID} back to the host`;
  const name = free_name(former);
  let code = name.length > 0 ? 0 : -1;
  if (code >= 0 && link.alias != former.name) code = link_set_alias(ns, link.ifindex, former.name);
  // Named before it moves: nobody on the host sees it under another name. In the container that
  // name may be another's; then it is named on the way.
  if (code >= 0 && link.name != name) {
    code = link_set_name(ns, link.ifindex, name);
    // Before Linux 6.2 only one that is down gets another name.
    if (code < 0 && failure_errno == EBUSY && link_set_down(ns, link.ifindex) >= 0) {
      code = link_set_name(ns, link.ifindex, name);
    }
    if (code < 0 && failure_errno == EEXIST) code = 0;
  }
  if (code >= 0) code = link_set_netns(ns, link.ifindex, HOST, name);
  if (code >= 0 || failure_errno == ENODEV) return;
  errors.push(os_error(tried));
  // The next DEL looks for it under the name that it had.
  link_set_name(ns, link.ifindex, link.name);
}

/** Notes a failure of one step, unless the next DEL would meet it, too. */
function kept(code: i32, tried: string, errors: CniError[]): void {
  if (code >= 0 || failure_errno == EEXIST || failure_errno == ENODEV) return;
  const error = os_error(tried);
  if (REFUSED.includes(failure_errno)) log(`cannot ${tried}: ${error.details}; left as it is`);
  else errors.push(error);
}

/** Gives it what it had on the host. */
export function device_restore(former: Former, link: Link, errors: CniError[]): void {
  const index = link.ifindex;
  const before = errors.length;
  const shown = `"${former.name}"`;
  if (link.name != former.given_name) named(former, link, errors);
  if (link.address != former.mac && former.mac.length > 0) {
    const code = link_set_address(HOST, index, former.mac);
    kept(code, `give ${shown} its address ${former.mac}`, errors);
  }
  if (link.mtu_bytes != former.mtu_bytes && former.mtu_bytes > 0) {
    const code = link_set_mtu(HOST, index, former.mtu_bytes);
    kept(code, `give ${shown} its MTU ${former.mtu_bytes}`, errors);
  }
  if (link.txqlen != former.txqlen) {
    const code = link_set_txqlen(HOST, index, former.txqlen);
    kept(code, `give ${shown} its queue length ${former.txqlen}`, errors);
  }
  if (link.promisc != former.promisc) {
    kept(link_set_promisc(HOST, index, former.promisc), `restore promisc of ${shown}`, errors);
  }
  if (link.allmulti != former.allmulti) {
    kept(link_set_allmulti(HOST, index, former.allmulti), `restore allmulti of ${shown}`, errors);
  }
  for (let i = 0; i < former.addresses.length; i++) {
    const address = former.addresses[i];
    kept(addr_add(HOST, index, address, true), `give ${shown} its address ${address}`, errors);
  }
  if (former.up && !link.up) kept(link_set_up(HOST, index), `set ${shown} up`, errors);
  for (let i = 0; i < former.routes.length; i++) {
    const route = former.routes[i];
    kept(route_add(HOST, index, route), `give ${shown} its route ${route_text(route)}`, errors);
  }
  if (errors.length > before || link.alias == former.given_alias) return;
  if (link_set_alias(HOST, index, former.given_alias) < 0 && failure_errno != ENODEV) {
    errors.push(os_error(`take its mark from ${shown}`));
  }
}

/** Its own name, if that is free; another is told. */
function named(former: Former, link: Link, errors: CniError[]): void {
  const name = former.given_name;
  const tried = `name "${link.name}" of the host "${name}" again`;
  const other = link_get(HOST, name);
  if (!other && failure_errno != ENODEV) {
    errors.push(os_error(tried));
    return;
  }
  if (!other) {
    if (link.up && link_set_down(HOST, link.ifindex) < 0) {
      errors.push(os_error(tried));
      return;
    }
    link.up = false;
    if (link_set_name(HOST, link.ifindex, name) >= 0) return;
    if (failure_errno != EEXIST) {
      errors.push(os_error(tried));
      return;
    }
  }
  log(
    `device "${name}" is back on the host as "${link.name}": its name is another's, who is ` +
      "to be renamed first",
  );
}
