// SPDX-License-Identifier: Apache-2.0
// The CNI type `tap`: an interface of the container whose packets a process has, by /dev/net/tun,
// as that of a virtual machine does.
import { Adding } from "../../attach/adding";
import { failure_errno } from "../../host/failure";
import {
  HOST,
  Link,
  link_add_tap,
  link_get,
  link_get_index,
  link_set_address,
  link_set_master,
  link_set_mtu,
} from "../../host/kernel";
import { EACCES, ENODEV, ENOENT, ENXIO, EPERM } from "../../lib/errno";
import { check_failed } from "../../net/check";
import { Inside, inside_unrecorded } from "../../net/inside";
import { mac_requested } from "../../net/mac";
import { Main } from "../../plugin/main";
import { ARGS, CNI_ARGS, CONFIG, RUNTIME, Type } from "../../plugin/type";
import { CniError, Code, os_error } from "../../spec/error";
import { Request } from "../../spec/request";
import { Result } from "../../spec/types";

const TUN = "tun";
/** ETH_MAX_MTU less a head of Ethernet, drivers/net/tun.c. */
const MTU_MAX_BYTES = 65521;
const NOBODY: i64 = -1;
const ID_MAX: i64 = 0xfffffffe;
const PROBE = "fairlead/probe";

export class Tap extends Main {
  private inside: Inside = new Inside(TUN);
  private multi_queue: bool = false;
  private mtu_bytes: i32 = 0;
  private mac: string = "";
  private owner: i64 = NOBODY;
  private group: i64 = NOBODY;
  private bridge: string = "";
  private above: Link | null = null;

  describe(type: Type): void {
    type.about = "an interface whose packets a process in the container has";
    type
      .at(CONFIG, "multiQueue mtu mac owner group selinuxContext bridge ipam dns")
      .at(ARGS, "mac")
      .at(RUNTIME, "mac")
      .at(CNI_ARGS, "MAC");
    type.kernel = ["link tun"];
  }
  protected get kind(): string {
    return TUN;
  }

  protected read(request: Request): CniError | null {
    const reader = request.reader;
    const config = request.config;
    this.multi_queue = reader.bool(config, "multiQueue");
    this.mtu_bytes = <i32>reader.integer(config, "mtu", 0, MTU_MAX_BYTES);
    this.owner = reader.integer(config, "owner", 0, ID_MAX, NOBODY);
    this.group = reader.integer(config, "group", 0, ID_MAX, NOBODY);
    this.bridge = reader.ifname(config, "bridge");
    if (reader.string(config, "selinuxContext").length > 0) {
      reader.invalid(
        '"selinuxContext" is not served: take it out, and let the policy allow the process to ' +
          "relabel the tap (tun_socket relabelfrom, relabelto)",
        config.get("selinuxContext"),
      );
    }
    const requested = mac_requested(request, reader.string(config, "mac"));
    this.mac = requested.mac;
    return requested.error;
  }

  /** The bridge that it is to be a port of lies in the container, too. */
  protected ready(request: Request): CniError | null {
    const name = this.bridge;
    if (name.length == 0) return null;
    const link = link_get(request.netns, name);
    if (!link && failure_errno != ENODEV) return os_error(`look for the bridge "${name}"`);
    this.above = link;
    if (link && link.kind == "bridge") return null;
    const what = link ? `"${name}" in ${request.env.netns} is no bridge` : `no bridge "${name}"`;
    return new CniError(
      Code.InvalidConfig,
      `${what}: "bridge" is one that lies in the container's namespace before ADD`,
    );
  }

  protected note(adding: Adding): void {
    // It is born with an address of the kernel's.
    this.inside.note(adding, "");
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const ns = request.netns;
    const ifname = request.env.ifname;
    if (this.ask(ns, ifname) < 0) return lacking(os_error(`make a tap "${ifname}"`));
    const link = this.inside.made(adding);
    if (!link) return os_error(`read "${ifname}" in ${request.env.netns}`);
    const mac = this.mac;
    if (mac.length > 0 && link_set_address(ns, link.ifindex, mac) < 0) {
      return os_error(`give "${ifname}" the address ${mac}`);
    }
    if (this.mtu_bytes > 0 && link_set_mtu(ns, link.ifindex, this.mtu_bytes) < 0) {
      return os_error(`set the MTU of "${ifname}" to ${this.mtu_bytes}`);
    }
    const above = this.above;
    if (above && link_set_master(ns, link.ifindex, above.ifindex) < 0) {
      return os_error(`put "${ifname}" into the bridge "${this.bridge}"`);
    }
    if (mac.length > 0) link.address = mac;
    this.link = link;
    return null;
  }

  private ask(ns: i32, name: string): i32 {
    return link_add_tap(ns, name, this.multi_queue, <i32>this.owner, <i32>this.group);
  }

  protected verify(request: Request, result: Result): CniError | null {
    if (this.bridge.length == 0) return null;
    const above = link_get_index(request.netns, this.link.master);
    if (above && above.name == this.bridge) return null;
    return check_failed(`interface "${this.link.name}" is no port of "${this.bridge}"`);
  }

  protected unmake(request: Request, errors: CniError[]): void {
    inside_unrecorded(request, TUN, errors);
  }

  /** Asks for a name that the kernel must refuse: how it does tells whether it makes taps. */
  status(request: Request): CniError | null {
    const refused = this.ask(HOST, PROBE) < 0;
    const able = !refused || !(MISSING.includes(failure_errno) || BARRED.includes(failure_errno));
    return able ? super.status(request) : lacking(os_error("make taps", Code.NotAvailable));
  }
}

/** What /dev/net/tun is opened with in vain. */
const MISSING: i32[] = [ENOENT, ENODEV, ENXIO];
const BARRED: i32[] = [EACCES, EPERM];

function lacking(error: CniError): CniError {
  if (MISSING.includes(failure_errno)) {
    error.msg += ": there is no /dev/net/tun, load the module (modprobe tun), give the plugin /dev";
  } else if (BARRED.includes(failure_errno)) error.msg += ": give the plugin /dev/net/tun";
  return error;
}
