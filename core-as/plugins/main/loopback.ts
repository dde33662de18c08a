// SPDX-License-Identifier: Apache-2.0
// The CNI type `loopback`: the container's own `lo`, up. CNI_IFNAME is not looked at.

import { Adding } from "../../attach/adding";
import { AddressAdded, LinkUp } from "../../attach/changes";
import { failure_errno } from "../../host/failure";
import { addr_list, Link, link_get, link_set_down, link_set_up } from "../../host/kernel";
import { ENODEV } from "../../lib/errno";
import { cidr_parse } from "../../lib/ip";
import { check_failed } from "../../net/check";
import { failed, Outcome, Plugin } from "../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../plugin/type";
import { CniError, Code, os_error } from "../../spec/error";
import { Request } from "../../spec/request";
import { Interface, IPConfig, Result } from "../../spec/types";
import { why } from "../../spec/why";

export class Loopback extends Plugin {
  describe(type: Type): void {
    type.role = Role.Alone;
    type.about = "the container's lo";
    type.at(CONFIG, "").at(RUNTIME, "");
  }

  load(request: Request): CniError | null {
    request.prevResult();
    return request.reader.error;
  }

  add(request: Request, adding: Adding): Outcome {
    const link = link_get(request.netns, "lo");
    if (!link) return failed(os_error(`find lo in ${request.env.netns}`));
    if (!link.up) {
      const error = this.set_up(request, link, adding);
      if (error) return failed(error);
    }
    if (isDefined(FAIRLEAD_TELLS)) {
      const because = link.up ? "it was up before" : "a new namespace has it down";
      why("interface", "lo is up", `${because}; CNI_IFNAME is not looked at`);
    }
    const made = new Result();
    const item = new Interface("lo", request.env.netns);
    item.mac = link.address;
    made.interfaces.push(item);
    const error = this.addresses(request, link, made);
    if (error) return failed(error);
    const previous = request.prevResult();
    return new Outcome(previous ? previous : made);
  }

  /** Sets lo up. The kernel gives it 127.0.0.1 then, which does not go when it is set down. */
  private set_up(request: Request, link: Link, adding: Adding): CniError | null {
    const list = addr_list(request.netns, link.ifindex);
    if (!list) return os_error(`read the addresses of lo in ${request.env.netns}`);
    if (link_set_up(request.netns, link.ifindex) < 0) {
      return os_error(`set lo up in ${request.env.netns}`);
    }
    adding.note(new LinkUp(link.ifindex));
    if (list.length == 0) adding.note(new AddressAdded(link.ifindex, "127.0.0.1/8"));
    return null;
  }

  /** The first address of each family; one that is not a loopback address is an error. */
  private addresses(request: Request, link: Link, made: Result): CniError | null {
    const list = addr_list(request.netns, link.ifindex);
    if (!list) return os_error(`read the addresses of lo in ${request.env.netns}`);
    let v4 = false;
    let v6 = false;
    for (let i = 0; i < list.length; i++) {
      const address = cidr_parse(list[i].address);
      if (!address) continue;
      if (!address.ip.isLoopback()) {
        return new CniError(
          Code.Kernel,
          `lo in ${request.env.netns} has the address ${list[i].address}, ` +
            "which is no loopback address: remove it",
        );
      }
      if (address.ip.v6 ? v6 : v4) continue;
      if (address.ip.v6) v6 = true;
      else v4 = true;
      const ip = new IPConfig(address);
      ip.interface = 0;
      made.ips.push(ip);
      if (isDefined(FAIRLEAD_TELLS)) {
        why("address", list[i].address, "the kernel gives it to lo when that comes up");
      }
    }
    return null;
  }

  check(request: Request): CniError | null {
    const link = link_get(request.netns, "lo");
    if (!link) return os_error(`find lo in ${request.env.netns}`);
    return link.up ? null : check_failed(`lo in ${request.env.netns} is down`);
  }

  /** There is no record: lo is nobody's. */
  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (request.netns == 0) return;
    const link = link_get(request.netns, "lo");
    if (!link) {
      if (failure_errno != ENODEV) errors.push(os_error(`find lo in ${request.env.netns}`));
      return;
    }
    if (link_set_down(request.netns, link.ifindex) < 0) {
      errors.push(os_error(`set lo down in ${request.env.netns}`));
    }
  }

  status(request: Request): CniError | null {
    return null;
  }
}
