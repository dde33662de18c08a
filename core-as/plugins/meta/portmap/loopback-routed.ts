// SPDX-License-Identifier: Apache-2.0
// Packets from 127.0.0.0/8 may leave by the link that leads to a container (route_localnet). It
// stays so after DEL: other containers behind that link need it.
import { undone } from "../../../attach/changes";
import { Shared } from "../../../attach/shared-change";
import { failure_errno } from "../../../host/failure";
import { HOST, link_get_index, route_get, sysctl_read, sysctl_write } from "../../../host/kernel";
import { log } from "../../../host/store";
import { EHOSTUNREACH, ENETUNREACH } from "../../../lib/errno";
import { check_failed } from "../../../net/check";
import { CniError, os_error } from "../../../spec/error";

/** The sysctl of the link that leads to an address. */
class Found {
  /** "" when the address is behind another machine, or no route leads there: `lost`. */
  key: string = "";
  lost: bool = false;
  error: CniError | null = null;
}

function key_of(ip: string): Found {
  const found = new Found();
  const hop = route_get(HOST, ip);
  if (!hop) {
    found.lost = failure_errno == ENETUNREACH || failure_errno == EHOSTUNREACH;
    if (!found.lost) found.error = os_error(`find the way to ${ip}`);
  } else if (hop.gw.length == 0) {
    const link = link_get_index(HOST, hop.ifindex);
    if (link) found.key = `net/ipv4/conf/${link.name}/route_localnet`;
    else found.error = os_error(`find the link to ${ip}`);
  }
  return found;
}

export class LoopbackRouted extends Shared {
  private key: string = "";
  private value: string = "";

  constructor(private ip: string) {
    super();
  }
  get what(): string {
    return "route_localnet";
  }
  get changed(): bool {
    return this.value.length > 0;
  }

  take(): CniError | null {
    const found = key_of(this.ip);
    if (found.lost) {
      log(
        `portmap: the host has no route to ${this.ip}, so that its ports are not reached by ` +
          "127.0.0.1: add the route before the container, or ask by another address of the host",
      );
    }
    if (found.key.length == 0) return found.error;
    const value = sysctl_read(HOST, found.key);
    if (value === null) return os_error(`read sysctl ${found.key}`);
    if (value == "1") return null;
    if (sysctl_write(HOST, found.key, "1") < 0) {
      return os_error(`let 127.0.0.1 reach the container (sysctl ${found.key})`);
    }
    this.key = found.key;
    this.value = value;
    return null;
  }

  give_back(errors: CniError[]): void {
    if (sysctl_read(HOST, this.key) == this.value) return;
    undone(sysctl_write(HOST, this.key, this.value), `restore ${this.key}`, errors);
  }
}

/** CHECK of the same. */
export function loopback_check(ip: string): CniError | null {
  const found = key_of(ip);
  if (found.key.length == 0) return found.error;
  const value = sysctl_read(HOST, found.key);
  if (value === null) return os_error(`read sysctl ${found.key}`);
  return value == "1" ? null : check_failed(`sysctl ${found.key} is "${value}", not 1`);
}
