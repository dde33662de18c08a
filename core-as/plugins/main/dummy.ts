// SPDX-License-Identifier: Apache-2.0
// The CNI type `dummy`: an interface that is in the container alone, which drops what it is sent.
import { Adding } from "../../attach/adding";
import { failure_errno } from "../../host/failure";
import { HOST, link_add_dummy } from "../../host/kernel";
import { EADDRNOTAVAIL, EOPNOTSUPP } from "../../lib/errno";
import { check_failed } from "../../net/check";
import { Inside, inside_mac, inside_unrecorded } from "../../net/inside";
import { Main } from "../../plugin/main";
import { CONFIG, RUNTIME, Type } from "../../plugin/type";
import { CniError, Code, os_error } from "../../spec/error";
import { Request } from "../../spec/request";
import { Result } from "../../spec/types";

const DUMMY = "dummy";
/** None of this name is ever made: no interface may have the address. */
const PROBE = "fairlead-probe";
const MULTICAST = "01:00:00:00:00:00";

export class Dummy extends Main {
  private inside: Inside = new Inside(DUMMY);

  describe(type: Type): void {
    type.about = "an interface in the container that leads nowhere";
    type.at(CONFIG, "ipam dns").at(RUNTIME, "");
    type.kernel = ["link dummy"];
  }
  protected get kind(): string {
    return DUMMY;
  }
  protected get needs_ipam(): bool {
    return true;
  }
  protected read(request: Request): CniError | null {
    return null;
  }

  protected note(adding: Adding): void {
    this.inside.note(adding, inside_mac(adding));
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const ifname = request.env.ifname;
    if (link_add_dummy(request.netns, ifname, this.inside.mac) < 0) {
      return lacking(os_error(`make a dummy "${ifname}" in ${request.env.netns}`));
    }
    const link = this.inside.made(adding);
    if (!link) return os_error(`read "${ifname}" in ${request.env.netns}`);
    this.link = link;
    return null;
  }

  protected mac_because(): string {
    return "a hash of network, container and interface, by which DEL finds it again";
  }

  protected verify(request: Request, result: Result): CniError | null {
    return this.link.up ? null : check_failed(`interface "${this.link.name}" is down`);
  }

  protected unmake(request: Request, errors: CniError[]): void {
    inside_unrecorded(request, DUMMY, errors);
  }

  /** Asks for what the kernel must refuse: how it does tells whether it knows the kind. */
  status(request: Request): CniError | null {
    if (link_add_dummy(HOST, PROBE, MULTICAST) < 0 && failure_errno != EADDRNOTAVAIL) {
      return lacking(os_error("ask the kernel for dummies", Code.NotAvailable));
    }
    return super.status(request);
  }
}

function lacking(error: CniError): CniError {
  if (failure_errno == EOPNOTSUPP) error.msg += ": load the module dummy (modprobe dummy)";
  return error;
}
