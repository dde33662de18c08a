// The CNI type `ptp`: a veth pair between host and container and nothing else; the host is the
// container's gateway by a /32 (/128) on its own end.

import { Adding } from "../../attach/adding";
import { failure_errno } from "../../host/failure";
import {
  addr_add,
  HOST,
  Link,
  link_get_index,
  Route,
  route_add,
  route_del,
} from "../../host/kernel";
import { EEXIST, ESRCH } from "../../lib/errno";
import {
  check_addresses,
  check_container,
  check_prevResult,
  check_routes,
  container_index,
} from "../../net/check";
import { FORWARDING } from "../../net/forwarding";
import { forwarding_want } from "../../net/gateway";
import { iface_configure } from "../../net/iface";
import { masq_read } from "../../net/masquerade";
import { ifname_taken, VethMade, VethPlan, veth_add, veth_wait_up } from "../../net/veth";
import { Wiring } from "../../net/wiring";
import { plugin_or_foreign } from "../../plugin/find";
import { ipam_add, ipam_load, ipam_type_strict } from "../../plugin/ipam";
import { failed, Outcome } from "../../plugin/plugin";
import { CONFIG, RUNTIME, Type } from "../../plugin/type";
import { dns_override } from "../../spec/config";
import { CniError, Code, os_error } from "../../spec/error";
import { Request } from "../../spec/request";
import { Interface, IPConfig, Result } from "../../spec/types";

/** RT_SCOPE_LINK and RT_SCOPE_HOST, linux/rtnetlink.h. */
const SCOPE_LINK = 253;
const SCOPE_HOST = 254;

export class Ptp extends Wiring {
  private veth: VethPlan = new VethPlan();

  describe(type: Type): void {
    type.about = "veth pair between the host and the container";
    type.at(CONFIG, "mtu ipMasq ipMasqBackend ipam dns").at(RUNTIME, "");
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    this.veth.mtu_bytes = <i32>reader.integer(request.config, "mtu", 0, 65535);
    this.dns = dns_override(request);
    this.ipMasq = masq_read(request);
    const before = reader.count;
    const type = ipam_type_strict(request);
    if (type.length == 0 && reader.count == before) {
      reader.invalid(`ptp needs addresses: add "ipam": {"type": "host-local", …}`);
    }
    if (reader.error) return reader.error;
    this.ipam = plugin_or_foreign(type);
    return ipam_load(request, this.ipam);
  }

  add(request: Request, adding: Adding): Outcome {
    const taken = ifname_taken(request);
    if (taken) return failed(taken);
    const ipam = this.ipam;
    if (!ipam) return failed(new CniError(Code.Internal, "load was not called"));
    const pair = this.pair(adding, this.veth);
    adding.use(FORWARDING);
    const outcome = ipam_add(request, ipam, adding);
    const result = outcome.result;
    if (!result) return outcome;
    for (let i = 0; i < result.ips.length; i++) {
      result.ips[i].interface = 1;
      if (result.ips[i].gateway) continue;
      return failed(
        new CniError(
          Code.InvalidConfig,
          `ptp needs a gateway for ${result.ips[i].address.toString()}: ` +
            'add "gateway" to the ipam configuration',
        ),
      );
    }
    const error = this.wire(request, pair, result, adding);
    if (error) return failed(error);
    const dns = this.dns;
    if (dns) result.dns = dns;
    return new Outcome(result);
  }

  private wire(request: Request, pair: VethMade, result: Result, adding: Adding): CniError | null {
    let error = adding.write();
    if (error) return error;
    const veth = veth_add(adding, this.veth, pair);
    if (veth.error) return veth.error;
    const host = new Interface(veth.host.name);
    const container = new Interface(request.env.ifname, request.env.netns);
    host.mac = veth.host.address;
    container.mac = veth.container.address;
    result.interfaces = [host, container];
    error = iface_configure(request, veth.container, result, false, adding);
    if (error) return error;
    for (let i = 0; i < result.ips.length; i++) {
      error = through_gateway(request.netns, veth.container, result.ips[i]);
      if (error) return error;
      error = host_side(veth.host, result.ips[i]);
      if (error) return error;
    }
    const link = veth_wait_up(veth.host.ifindex);
    if (!link) return os_error(`find "${veth.host.name}" again`);
    if (link.operstate != "up") {
      return new CniError(Code.Kernel, `link in error state: ${link.operstate}`, link.name);
    }
    this.masquerade(request, result, -1);
    forwarding_want(result, adding);
    return null;
  }

  check(request: Request): CniError | null {
    const ipam = this.ipam;
    const error = ipam ? ipam.check(request) : null;
    if (error) return error;
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    const container = check_container(request, result);
    if (container.error) return container.error;
    if (!link_get_index(HOST, container.link.peer)) {
      return os_error(`find the host's end of "${request.env.ifname}"`, Code.CheckFailed);
    }
    this.masquerade(request, result, container_index(request, result));
    const addresses = check_addresses(request, container.link, result);
    return addresses ? addresses : check_routes(request, container.link, result);
  }
}

/**
 * The subnet is not on the link, only the gateway is: replaces the kernel's connected route by one
 * to the gateway and one through it.
 */
function through_gateway(ns: i32, link: Link, ip: IPConfig): CniError | null {
  const gateway = ip.gateway;
  if (!gateway) return null;
  const subnet = ip.address.subnet().toString();
  if (route_del(ns, link.ifindex, subnet, "", 0) < 0 && failure_errno != ESRCH) {
    return os_error(`remove the connected route ${subnet} of "${link.name}"`);
  }
  const first = new Route();
  first.dst = `${gateway.toString()}/${gateway.width}`;
  first.src = ip.address.ip.toString();
  first.scope = SCOPE_LINK;
  if (route_add(ns, link.ifindex, first) < 0) {
    return os_error(`add route ${first.dst} to "${link.name}"`);
  }
  const second = new Route();
  second.dst = subnet;
  second.gw = gateway.toString();
  second.src = first.src;
  if (route_add(ns, link.ifindex, second) < 0) {
    return os_error(`add route ${second.dst} via ${second.gw} to "${link.name}"`);
  }
  return null;
}

/** The gateway's address and a route to the container on the host's end. */
function host_side(link: Link, ip: IPConfig): CniError | null {
  const gateway = ip.gateway;
  if (!gateway) return null;
  const address = `${gateway.toString()}/${gateway.width}`;
  if (addr_add(HOST, link.ifindex, address, true) < 0 && failure_errno != EEXIST) {
    return os_error(`add ${address} to "${link.name}"`);
  }
  const route = new Route();
  route.dst = `${ip.address.ip.toString()}/${ip.address.ip.width}`;
  route.scope = SCOPE_HOST;
  if (route_add(HOST, link.ifindex, route) < 0 && failure_errno != EEXIST) {
    return os_error(`add route ${route.dst} to "${link.name}"`);
  }
  return null;
}
