// SPDX-License-Identifier: Apache-2.0
// The gateway of a bridge's containers: keys, where its addresses go, and CHECK of them. How they
// come there is addresses.ts, the interface in a VLAN vlan-link.ts.
import { Adding } from "../../../attach/adding";
import { shared_take } from "../../../attach/shared";
import { Shared } from "../../../attach/shared-change";
import { HOST, Link, link_get } from "../../../host/kernel";
import { check_failed } from "../../../net/check";
import { FORWARDING } from "../../../net/forwarding";
import { default_routes, forwarding_want, gateway_defaults } from "../../../net/gateway";
import { is_on } from "../../../net/masquerade";
import { ipam_over_link } from "../../../plugin/ipam";
import { Gateway, Pool } from "../../../plugin/pool";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Interface, IPConfig, Result } from "../../../spec/types";
import { addresses_of, GatewayAddresses, gateway_what } from "./addresses";
import { PortPlan } from "./port";
import { BridgePlan, STANDARD_NAME, TheBridge } from "./switch";
import { GatewayLink, gateway_link_name } from "./vlan-link";

/** What a configuration says of the gateway. */
export class GatewayPlan {
  private on: bool = false;
  private is_default: bool = false;
  private force: bool = false;
  /** Addresses are a server's to give, who says no more of them than it likes. */
  private leased: bool = false;

  read(request: Request): void {
    const reader = request.reader;
    const config = request.config;
    this.leased = ipam_over_link(request);
    this.is_default = reader.bool(config, "isDefaultGateway");
    this.on = reader.bool(config, "isGateway") || this.is_default;
    this.force = reader.bool(config, "forceAddress");
  }

  note(plan: BridgePlan, port: PortPlan, adding: Adding): void {
    if (!this.on) return;
    adding.use(FORWARDING);
    // Noted before it is known whether there are addresses: so the record is written once.
    if (port.vlan == 0 && adding.request.config.get("ipam")) adding.use(gateway_what(plan.name));
  }

  /** Gives the result the gateways and default routes that it lacks. */
  complete(result: Result): CniError | null {
    const error = this.on ? gateway_defaults(result, this.leased) : null;
    if (!error && this.is_default) default_routes(result);
    return error;
  }

  /** Takes the shared changes of `list`, then makes the host the gateway. */
  share(
    bridge: TheBridge,
    port: PortPlan,
    list: Shared[],
    result: Result,
    adding: Adding,
  ): CniError | null {
    const on = this.on && result.ips.length > 0;
    const vlan = on && port.vlan != 0 ? new GatewayLink(bridge.link, port) : null;
    if (vlan) list.push(vlan);
    const error = shared_take(adding, list);
    if (error || !on) return error;
    const at = vlan ? vlan.link : bridge.link;
    if (vlan) result.interfaces.push(new Interface(at.name));
    const pins = !bridge.made && !vlan;
    const addresses = new GatewayAddresses(bridge.link, at, result.ips, this.force, pins);
    // Those that take the place of others cannot be given back exactly.
    if (this.force) adding.later.push(addresses);
    forwarding_want(result, adding);
    return this.force ? null : shared_take(adding, [addresses]);
  }

  /** CHECK: the host answers where the containers look for their gateway. */
  verify(bridge: Link, port: PortPlan, result: Result): CniError | null {
    if (!this.on) return null;
    let at = bridge;
    if (port.vlan != 0 && result.ips.length > 0) {
      const name = gateway_link_name(bridge, port);
      const link = link_get(HOST, name);
      if (!link) return os_error(`find "${name}"`, Code.CheckFailed);
      at = link;
    }
    const missing = gateways_missing(at, result.ips);
    return missing.length == 0 ? null : check_failed(`"${at.name}" has no address ${missing}`);
  }
}

/** The gateways of a configuration that may be broken: the first of IPv4, as far as it tells. */
export function gateways_read(request: Request, pools: Pool[]): Gateway[] {
  const config = request.config;
  const found = new Array<Gateway>();
  if (!is_on(config, "isGateway") && !is_on(config, "isDefaultGateway")) return found;
  // It takes the other's away, which is what it is for.
  if (is_on(config, "forceAddress")) return found;
  let name = config.text_at("bridge");
  if (name.length == 0) name = STANDARD_NAME;
  const vlan = config.get("vlan");
  if (vlan && vlan.isInteger() && vlan.integer() != 0) name += `.${vlan.text}`;
  const named = config.get("bridge");
  const type = config.get("type");
  const at = named ? named : type;
  for (let i = 0; i < pools.length && found.length == 0; i++) {
    const pool = pools[i];
    const given = pool.gateway;
    const gateway = given ? given : pool.subnet.network().add(1);
    const address = `${gateway.toString()}/${pool.subnet.bits}`;
    if (!gateway.v6) found.push(new Gateway(name, address, at ? at.offset : config.offset));
  }
  return found;
}

/** The first gateway of the result that a host link has no address of; "" for none. */
function gateways_missing(link: Link, ips: IPConfig[]): string {
  const present = addresses_of(link);
  for (let i = 0; i < ips.length; i++) {
    const gateway = ips[i].gateway;
    let found = !gateway || !present;
    for (let k = 0; present !== null && k < present.length && gateway !== null; k++) {
      found = found || present[k].ip.equals(gateway);
    }
    if (!found && gateway) return gateway.toString();
  }
  return "";
}
