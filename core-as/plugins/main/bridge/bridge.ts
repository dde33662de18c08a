// The CNI type `bridge`: a veth pair between a Linux bridge on the host and the container.
// Bridge and port work lives in switch.ts and port.ts; this file owns the type's keys and its order
// of work: addresses first (the likeliest failure), what containers share last (so that it need not
// be undone).
import { Adding } from "../../../attach/adding";
import { shared_take } from "../../../attach/shared";
import { Shared } from "../../../attach/shared-change";
import { HOST, Link, link_get, link_get_index, link_set_up } from "../../../host/kernel";
import {
  check_addresses,
  check_container,
  check_failed,
  check_link,
  check_prevResult,
  check_routes,
  container_index,
} from "../../../net/check";
import { FORWARDING } from "../../../net/forwarding";
import { default_routes, forwarding_want, gateway_defaults } from "../../../net/gateway";
import { iface_configure } from "../../../net/iface";
import { mac_requested } from "../../../net/mac";
import { is_on, masq_read, sets_of, spoof_want } from "../../../net/masquerade";
import { ifname_taken, Veth, VethMade, VethPlan, veth_add, veth_wait_up } from "../../../net/veth";
import { Wiring } from "../../../net/wiring";
import { SPOOF } from "../../../nft/parts";
import { plugin_or_foreign } from "../../../plugin/find";
import { ipam_add, ipam_load, ipam_type_strict } from "../../../plugin/ipam";
import { failed, Outcome } from "../../../plugin/plugin";
import { ARGS, CNI_ARGS, CONFIG, RUNTIME, Type } from "../../../plugin/type";
import { dns_override } from "../../../spec/config";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Interface, Result } from "../../../spec/types";
import { GatewayAddresses, gateways_missing } from "./gateway";
import { PortPlan, port_configure, port_vlans_read, UplinkVlans } from "./port";
import {
  BridgePlan,
  bridge_settled,
  GatewayLink,
  gateway_link_name,
  Promisc,
  TheBridge,
} from "./switch";

const KEYS =
  "bridge isGateway isDefaultGateway forceAddress mtu hairpinMode promiscMode ipam dns " +
  "portIsolation vlan vlanTrunk preserveDefaultVlan uplinkInterface enabledad " +
  "disableContainerInterface ipMasq ipMasqBackend macspoofchk";

export class Bridge extends Wiring {
  private bridge: BridgePlan = new BridgePlan();
  private port: PortPlan = new PortPlan();
  private veth: VethPlan = new VethPlan();
  private isGateway: bool = false;
  private isDefaultGateway: bool = false;
  private forceAddress: bool = false;
  private enabledad: bool = false;
  private disableContainerInterface: bool = false;
  private macspoofchk: bool = false;

  describe(type: Type): void {
    type.about = "veth pair between a Linux bridge and the container";
    type
      .at(CONFIG, KEYS)
      .at("vlanTrunk", "id minID maxID")
      .at(ARGS, "mac")
      .at(RUNTIME, "mac")
      .at(CNI_ARGS, "MAC");
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const config = request.config;
    this.isDefaultGateway = reader.bool(config, "isDefaultGateway");
    this.isGateway = reader.bool(config, "isGateway") || this.isDefaultGateway;
    this.forceAddress = reader.bool(config, "forceAddress");
    this.enabledad = reader.bool(config, "enabledad");
    this.disableContainerInterface = reader.bool(config, "disableContainerInterface");
    this.bridge.read(reader, config);
    this.port.read(reader, config);
    port_vlans_read(reader, config, this.port);
    this.bridge.vlan_filtering = this.port.vlan != 0 || this.port.trunk_given;
    this.veth.mtu_bytes = this.bridge.mtu_bytes;
    this.dns = dns_override(request);
    this.ipMasq = masq_read(request);
    this.macspoofchk = reader.bool(config, "macspoofchk");
    if (this.port.hairpin && this.bridge.promisc) {
      reader.invalid("cannot set hairpin mode and promiscuous mode at the same time");
    }
    const mac = mac_requested(request);
    this.veth.mac = mac.mac;
    if (reader.error) return reader.error;
    if (mac.error) return mac.error;
    return this.loadIpam(request);
  }

  private loadIpam(request: Request): CniError | null {
    const type = ipam_type_strict(request);
    if (request.reader.error || type.length == 0) return request.reader.error;
    if (this.disableContainerInterface) {
      return new CniError(
        Code.InvalidConfig,
        "cannot use IPAM when DisableContainerInterface flag is set: remove one of the two",
      );
    }
    this.ipam = plugin_or_foreign(type);
    return ipam_load(request, this.ipam);
  }

  add(request: Request, adding: Adding): Outcome {
    const taken = ifname_taken(request);
    if (taken) return failed(taken);
    const pair = this.pair(adding, this.veth);
    const bridge = new TheBridge(this.bridge);
    adding.use(bridge.what);
    if (this.isGateway) adding.use(FORWARDING);
    let result = new Result();
    const ipam = this.ipam;
    if (ipam) {
      const outcome = ipam_add(request, ipam, adding);
      const leased = outcome.result;
      if (!leased) return outcome;
      result = leased;
    }
    const error = this.wire(request, pair, bridge, result, adding);
    if (error) return failed(error);
    const dns = this.dns;
    if (dns) result.dns = dns;
    return new Outcome(result);
  }

  private wire(
    request: Request,
    pair: VethMade,
    bridge: TheBridge,
    result: Result,
    adding: Adding,
  ): CniError | null {
    let error = shared_take(adding, [bridge]);
    if (error) return error;
    const bridge_link = bridge.link;
    this.veth.master = bridge_link.ifindex;
    const veth = veth_add(adding, this.veth, pair);
    if (veth.error) return veth.error;
    error = port_configure(veth.host, this.port);
    if (error) return error;
    result.interfaces = [
      new Interface(bridge_link.name),
      new Interface(veth.host.name),
      new Interface(request.env.ifname, request.env.netns),
    ];
    error = this.configure(request, veth, result, adding);
    if (!error) error = this.share(bridge_link, bridge.made, result, adding);
    if (!error) error = this.settle(request, bridge_link, veth, result);
    if (error) return error;
    this.masquerade(request, result, -1);
    if (this.macspoofchk) spoof_want(request, veth.host.name, veth.container.address);
    if (this.isGateway) forwarding_want(result, adding);
    return null;
  }

  /** What the network's containers share. */
  private share(bridge: Link, made: bool, result: Result, adding: Adding): CniError | null {
    const list = new Array<Shared>();
    if (this.bridge.promisc) list.push(new Promisc(bridge));
    if (this.port.uplink.length > 0) list.push(new UplinkVlans(this.port, bridge));
    const gateway = this.isGateway && result.ips.length > 0;
    const vlan = gateway && this.port.vlan != 0 ? new GatewayLink(bridge, this.port) : null;
    if (vlan) list.push(vlan);
    const error = shared_take(adding, list);
    if (error || !gateway) return error;
    const at = vlan ? vlan.link : bridge;
    if (vlan) result.interfaces.push(new Interface(at.name));
    const addresses = new GatewayAddresses(
      bridge,
      at,
      result.ips,
      this.forceAddress,
      !made && !vlan,
    );
    // One that takes others' place does not come back with all that hung on it: so it comes last.
    if (this.forceAddress) adding.later.push(addresses);
    return this.forceAddress ? null : shared_take(adding, [addresses]);
  }

  /** The container's side: addresses and routes, or just a link that is up. */
  private configure(request: Request, veth: Veth, result: Result, adding: Adding): CniError | null {
    if (result.ips.length > 0) {
      for (let i = 0; i < result.ips.length; i++) result.ips[i].interface = 2;
      if (this.isGateway) gateway_defaults(result);
      if (this.isDefaultGateway) default_routes(result);
      return iface_configure(request, veth.container, result, this.enabledad, adding);
    }
    if (this.disableContainerInterface) return null;
    if (link_set_up(request.netns, veth.container.ifindex) >= 0) return null;
    return os_error(`set "${request.env.ifname}" up in ${request.env.netns}`);
  }

  /** Waits for the port and reports every interface as it is now. */
  private settle(request: Request, bridge_link: Link, veth: Veth, result: Result): CniError | null {
    const host = this.disableContainerInterface
      ? link_get_index(HOST, veth.host.ifindex)
      : veth_wait_up(veth.host.ifindex);
    if (!host) return os_error(`find "${veth.host.name}" again`);
    if (!this.disableContainerInterface && host.operstate != "up") {
      return new CniError(Code.Kernel, `bridge port in error state: ${host.operstate}`, host.name);
    }
    // The bridge may have been removed by whoever made it a moment ago and failed: see rationale.
    if (host.master != bridge_link.ifindex) {
      return new CniError(
        Code.TryAgainLater,
        `bridge "${bridge_link.name}" was removed meanwhile: try again`,
      );
    }
    const bridge_now = bridge_settled(bridge_link.ifindex, host);
    if (!bridge_now) return os_error(`find bridge "${bridge_link.name}" again`);
    result.interfaces[0].mac = bridge_now.address;
    result.interfaces[1].mac = host.address;
    result.interfaces[2].mac = veth.container.address;
    if (result.interfaces.length == 4) {
      const gateway = link_get(HOST, result.interfaces[3].name);
      if (!gateway) return os_error(`find "${result.interfaces[3].name}" again`);
      result.interfaces[3].mac = gateway.address;
    }
    return null;
  }

  check(request: Request): CniError | null {
    const ipam = this.ipam;
    if (ipam) {
      const error = ipam.check(request);
      if (error) return error;
    }
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    const container = check_container(request, result);
    if (container.error) return container.error;
    const error = this.checkHost(request, result, container.link);
    if (error) return error;
    this.masquerade(request, result, container_index(request, result));
    const addresses = check_addresses(request, container.link, result);
    return addresses ? addresses : check_routes(request, container.link, result);
  }

  /** The bridge, and a host interface of the result that is the container's other end in it. */
  private checkHost(request: Request, result: Result, container: Link): CniError | null {
    const bridge_name = this.bridge.name;
    const expected = interface_named(result, bridge_name);
    if (!expected) return check_failed(`prevResult has no interface "${bridge_name}"`);
    const bridge = check_link(HOST, expected, "bridge");
    if (bridge.error) return bridge.error;
    if (this.bridge.promisc && !bridge.link.promisc) {
      return check_failed(`bridge "${bridge_name}" is not in promiscuous mode`);
    }
    const host = link_get_index(HOST, container.peer);
    const listed = host ? interface_named(result, host.name) : null;
    if (!host || !listed) {
      return check_failed(`prevResult has no host interface whose peer is "${container.name}"`);
    }
    if (host.master != bridge.link.ifindex) {
      return check_failed(`interface "${host.name}" is not a port of bridge "${bridge_name}"`);
    }
    if (this.macspoofchk) spoof_want(request, host.name, container.address);
    const error = check_link(HOST, listed, "veth").error;
    return error ? error : this.checkGateway(result, bridge.link);
  }

  /** The host answers where the containers look for their gateway. */
  private checkGateway(result: Result, bridge: Link): CniError | null {
    if (!this.isGateway) return null;
    let at = bridge;
    if (this.port.vlan != 0 && result.ips.length > 0) {
      const name = gateway_link_name(bridge, this.port);
      const link = link_get(HOST, name);
      if (!link) return os_error(`find "${name}"`, Code.CheckFailed);
      at = link;
    }
    const missing = gateways_missing(at, result.ips);
    return missing.length == 0 ? null : check_failed(`"${at.name}" has no address ${missing}`);
  }

  nft_sets(request: Request): string[] {
    const sets = super.nft_sets(request);
    return is_on(request.config, "macspoofchk") ? sets.concat(sets_of(SPOOF)) : sets;
  }

  status(request: Request): CniError | null {
    const link = link_get(HOST, this.bridge.name);
    if (link && link.kind != "bridge") {
      return new CniError(
        Code.NotAvailable,
        `"${this.bridge.name}" is not a bridge: rename it, or choose another "bridge" name`,
      );
    }
    return super.status(request);
  }
}

/** A host's interface of the result. */
function interface_named(result: Result, name: string): Interface | null {
  for (let i = 0; i < result.interfaces.length; i++) {
    const item = result.interfaces[i];
    if (item.name == name && item.sandbox.length == 0) return item;
  }
  return null;
}
