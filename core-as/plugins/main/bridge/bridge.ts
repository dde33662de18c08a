// SPDX-License-Identifier: Apache-2.0
// The CNI type `bridge`: a veth pair between a Linux bridge on the host and the container. This
// file owns what it does at each step of a main plugin. The bridge itself is switch.ts, its ports
// port.ts, the gateway gateway.ts, how all of it looks in the end verify.ts.
import { Adding } from "../../../attach/adding";
import { shared_take } from "../../../attach/shared";
import { Shared } from "../../../attach/shared-change";
import { mac_requested } from "../../../net/mac";
import { masq_read, masq_sets, masq_want, spoof_sets, spoof_want } from "../../../net/masquerade";
import { Pair, veth_del } from "../../../net/veth";
import { ipam_over_link } from "../../../plugin/ipam";
import { Main } from "../../../plugin/main";
import { Gateway, Pool } from "../../../plugin/pool";
import { ARGS, CNI_ARGS, CONFIG, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Interface, Result } from "../../../spec/types";
import { GatewayPlan, gateways_read } from "./gateway";
import { PortPlan, port_configure, UplinkVlans } from "./port";
import { BridgePlan, Promisc, TheBridge } from "./switch";
import { HostSide, macs_settle } from "./verify";

const KEYS =
  "bridge isGateway isDefaultGateway forceAddress mtu hairpinMode promiscMode ipam dns " +
  "portIsolation vlan vlanTrunk preserveDefaultVlan uplinkInterface enabledad " +
  "disableContainerInterface ipMasq ipMasqBackend nonMasqueradeCIDRs macspoofchk";

export class Bridge extends Main {
  private port: PortPlan = new PortPlan();
  private gateway: GatewayPlan = new GatewayPlan();
  /** The network's VLANs pass the uplink already. */
  private passes: bool = false;
  private bridge: TheBridge = new TheBridge(new BridgePlan());
  private pair: Pair = new Pair();
  private disableContainerInterface: bool = false;
  private ipMasq: bool = false;
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
  protected get kind(): string {
    return "veth";
  }
  nft_sets(request: Request): string[] {
    return masq_sets(request).concat(spoof_sets(request));
  }
  gateways(request: Request, pools: Pool[]): Gateway[] {
    return gateways_read(request, pools);
  }

  protected read(request: Request): CniError | null {
    const reader = request.reader;
    const config = request.config;
    this.gateway.read(request);
    this.enabledad = reader.bool(config, "enabledad");
    this.disableContainerInterface = reader.bool(config, "disableContainerInterface");
    this.bridge.plan.read(reader, config);
    this.port.read(reader, config);
    this.bridge.plan.vlan_filtering = this.port.vlan != 0 || this.port.trunk_given;
    this.pair.mtu_bytes = this.bridge.plan.mtu_bytes;
    this.ipMasq = masq_read(request);
    this.macspoofchk = reader.bool(config, "macspoofchk");
    if (this.port.hairpin && this.bridge.plan.promisc) {
      reader.invalid("cannot set hairpin mode and promiscuous mode at the same time");
    }
    const mac = mac_requested(request);
    this.pair.mac = mac.mac;
    const ipam = config.get("ipam");
    const addresses = ipam !== null && ipam.text_at("type").length > 0;
    if (mac.error || !this.disableContainerInterface || !addresses) return mac.error;
    return new CniError(
      Code.InvalidConfig,
      "cannot use IPAM when DisableContainerInterface flag is set: remove one of the two",
    );
  }

  protected note(adding: Adding): void {
    this.pair.note(adding);
    adding.use(this.bridge.what);
    this.gateway.note(this.bridge.plan, this.port, adding);
  }

  protected prepare(result: Result): CniError | null {
    return this.gateway.complete(result);
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const pair = this.pair;
    let error = shared_take(adding, [this.bridge]);
    if (error) return error;
    pair.master = this.bridge.link.ifindex;
    error = pair.make(request);
    if (!error) error = port_configure(pair.host, this.port);
    // A DHCP server beyond the uplink is asked before anything else is shared.
    this.passes = this.port.uplink.length > 0 && ipam_over_link(request);
    if (!error && this.passes) {
      error = shared_take(adding, [new UplinkVlans(this.port, this.bridge.link)]);
    }
    this.link = pair.container;
    result.interfaces.push(new Interface(this.bridge.link.name));
    result.interfaces.push(new Interface(pair.host.name));
    return error;
  }

  protected configure(request: Request, result: Result, adding: Adding): CniError | null {
    return this.disableContainerInterface ? null : super.configure(request, result, adding);
  }

  protected share(request: Request, result: Result, adding: Adding): CniError | null {
    const link = this.bridge.link;
    const list = new Array<Shared>();
    if (this.bridge.plan.promisc) list.push(new Promisc(link));
    if (this.port.uplink.length > 0 && !this.passes) list.push(new UplinkVlans(this.port, link));
    return this.gateway.share(this.bridge, this.port, list, result, adding);
  }

  /** Waits for the port and reports every interface as it is now. */
  protected settle(request: Request, result: Result): CniError | null {
    const pair = this.pair;
    const error = this.disableContainerInterface ? pair.look_again() : pair.wait_up("bridge port");
    return error ? error : macs_settle(this.bridge.link, pair.host, result);
  }

  protected want(request: Request, result: Result): void {
    if (this.ipMasq) masq_want(request, result);
    if (this.macspoofchk) spoof_want(request, this.pair.host.name, this.link.address);
  }

  protected verify(request: Request, result: Result): CniError | null {
    const side = new HostSide(this.bridge.plan, result, this.link);
    this.pair.host = side.port;
    return side.error ? side.error : this.gateway.verify(side.bridge, this.port, result);
  }

  protected unmake(request: Request, errors: CniError[]): void {
    veth_del(request, errors);
  }

  status(request: Request): CniError | null {
    const error = this.bridge.status();
    return error ? error : super.status(request);
  }
}
