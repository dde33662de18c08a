// SPDX-License-Identifier: Apache-2.0
// The CNI type `host-device`: a device of the host that a container has while it lives. Which one
// is device.ts, how it comes back moved.ts.
import { Adding } from "../../../attach/adding";
import { failure_errno } from "../../../host/failure";
import { Address, addr_list, HOST, link_get, Route } from "../../../host/kernel";
import { EEXIST, EINVAL, ENODEV } from "../../../lib/errno";
import { cidr_parse } from "../../../lib/ip";
import { ANY_KIND } from "../../../net/check";
import { routes_of } from "../../../net/tables";
import { Main } from "../../../plugin/main";
import { CONFIG, RUNTIME, Type } from "../../../plugin/type";
import { Written } from "../../../plugin/written";
import { CniError, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import { why } from "../../../spec/why";
import { Device } from "./device";
import { device_unrecorded } from "./foreign";
import { Former } from "./former";
import { Moved } from "./moved";
import { result_take } from "./routes";

export class HostDevice extends Main {
  private device: Device = new Device();
  private former: Former = new Former("");
  private moved: Moved = new Moved(this.former);
  private keeps_network: bool = false;
  private addresses: Address[] = [];
  private routes: Route[] = [];

  describe(type: Type): void {
    type.about = "a device of the host, which DEL gives back";
    type
      .at(CONFIG, "device hwaddr kernelpath pciBusID useInterfaceNetwork enabledad ipam dns")
      .at(RUNTIME, "deviceID");
  }
  protected get kind(): string {
    return ANY_KIND;
  }
  stand_in(written: Written): void {
    if (written.capable("deviceID")) this.device.promised = true;
  }
  advise(written: Written): void {
    if (this.device.keys < 2) return;
    written.warning(
      'of "device", "hwaddr", "kernelpath" and "pciBusID" the first that is there counts: ' +
        "take the others out",
      written.offset,
    );
  }
  protected read(request: Request): CniError | null {
    this.device.read(request);
    this.keeps_network = request.reader.bool(request.config, "useInterfaceNetwork");
    this.enabledad = request.reader.bool(request.config, "enabledad");
    return null;
  }

  protected ready(request: Request): CniError | null {
    const device = this.device;
    let error = device.find();
    if (error || device.without_link) return error;
    error = device.refusal();
    if (error) return error;
    const addresses = addr_list(HOST, device.link.ifindex);
    if (!addresses) return os_error(`read the addresses of "${device.name}"`);
    const routes = routes_of(HOST, device.link.ifindex);
    if (!routes) return os_error(`read the routes of "${device.name}"`);
    for (let i = 0; i < addresses.length; i++) {
      const cidr = cidr_parse(addresses[i].address);
      // The kernel makes those of the link itself.
      if (cidr && !(cidr.ip.v6 && cidr.ip.isLinkLocal())) this.addresses.push(addresses[i]);
    }
    this.routes = routes;
    return null;
  }

  protected note(adding: Adding): void {
    const device = this.device;
    if (device.without_link) return;
    this.former = new Former(device.name);
    this.former.look_around(device.link, this.addresses, this.routes);
    this.moved = new Moved(this.former);
    this.moved.note(adding);
  }

  protected prepare(result: Result): CniError | null {
    const former = this.former;
    if (this.keeps_network) result_take(result, former.addresses, former.routes);
    return null;
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const device = this.device;
    if (device.without_link) return null;
    const ifname = request.env.ifname;
    const tried = `move "${device.name}" into ${request.env.netns} as "${ifname}"`;
    if (this.moved.give(device.link, request.netns, ifname) < 0) return refused(tried);
    const link = link_get(request.netns, ifname);
    if (!link) return os_error(`read "${ifname}" in ${request.env.netns}`);
    this.link = link;
    if (isDefined(FAIRLEAD_TELLS)) why("device", device.name, device.because);
    return null;
  }
  protected mtu_because(): string {
    return "a device keeps its own";
  }
  protected mac_because(): string {
    return "a device keeps its own";
  }

  protected configure(request: Request, result: Result, adding: Adding): CniError | null {
    return this.device.without_link ? null : super.configure(request, result, adding);
  }

  /** Of a device without a link there is no more to be seen than that it has none. */
  check(request: Request): CniError | null {
    const device = this.device;
    // One that a container has is not on the host: that is no failure here.
    const missing = device.on_bus ? device.find() : null;
    if (!missing && device.without_link) return this.check_ipam(request);
    return super.check(request);
  }

  protected unmake(request: Request, errors: CniError[]): void {
    device_unrecorded(request, errors);
  }
}

function refused(tried: string): CniError {
  const error = os_error(tried);
  if (failure_errno == EINVAL) error.msg += ": links of its kind stay where they are, name another";
  else if (failure_errno == ENODEV) error.msg += ": it has just gone, try again";
  else if (failure_errno == EEXIST) error.msg += ": another link took that name, try again";
  return error;
}
