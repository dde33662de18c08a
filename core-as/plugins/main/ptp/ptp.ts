// SPDX-License-Identifier: Apache-2.0
// The CNI type `ptp`: a veth pair between host and container and nothing else. This file owns the
// keys; the routes by which the host is the container's gateway are routes.ts.

import { Adding } from "../../../attach/adding";
import { HOST, link_get_index } from "../../../host/kernel";
import { FORWARDING } from "../../../net/forwarding";
import { forwarding_want } from "../../../net/gateway";
import { masq_read, masq_sets, masq_want } from "../../../net/masquerade";
import { Pair, veth_del } from "../../../net/veth";
import { ipam_pools } from "../../../plugin/ipam";
import { Main } from "../../../plugin/main";
import { CONFIG, RUNTIME, Type } from "../../../plugin/type";
import { Written } from "../../../plugin/written";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Interface, Result } from "../../../spec/types";
import { why } from "../../../spec/why";
import { host_side, through_gateway } from "./routes";

export class Ptp extends Main {
  private pair: Pair = new Pair();
  private ipMasq: bool = false;

  describe(type: Type): void {
    type.about = "veth pair between the host and the container";
    type.at(CONFIG, "mtu ipMasq ipMasqBackend nonMasqueradeCIDRs ipam dns").at(RUNTIME, "");
  }
  protected get kind(): string {
    return "veth";
  }
  protected get needs_ipam(): bool {
    return true;
  }
  nft_sets(request: Request): string[] {
    return masq_sets(request);
  }

  advise(written: Written): void {
    const pools = ipam_pools(written.request);
    if (written.may_get("ips")) return;
    for (let i = 0; i < pools.length; i++) {
      if (pools[i].gateway) continue;
      written.error(`ptp needs a gateway for every address: add "gateway"`, pools[i].offset);
    }
  }

  protected read(request: Request): CniError | null {
    this.pair.mtu_bytes = <i32>request.reader.integer(request.config, "mtu", 0, 65535);
    this.ipMasq = masq_read(request);
    return null;
  }

  protected note(adding: Adding): void {
    this.pair.note(adding);
    adding.use(FORWARDING);
  }

  protected prepare(result: Result): CniError | null {
    for (let i = 0; i < result.ips.length; i++) {
      if (result.ips[i].gateway) continue;
      return new CniError(
        Code.InvalidConfig,
        `ptp needs a gateway for ${result.ips[i].address.toString()}: ` +
          'add "gateway" to the ipam configuration',
      );
    }
    return null;
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const pair = this.pair;
    const error = pair.make(request);
    if (error) return error;
    this.link = pair.container;
    const host = new Interface(pair.host.name);
    host.mac = pair.host.address;
    result.interfaces.push(host);
    return null;
  }

  protected configure(request: Request, result: Result, adding: Adding): CniError | null {
    let error = super.configure(request, result, adding);
    for (let i = 0; i < result.ips.length && !error; i++) {
      error = through_gateway(request.netns, this.link, result.ips[i]);
      if (!error) error = host_side(this.pair.host, result.ips[i]);
      const gateway = result.ips[i].gateway;
      if (isDefined(FAIRLEAD_TELLS) && gateway) {
        const because = "the ipam names it: the node's end has it, and all goes by there";
        why("gateway", gateway.toString(), because);
      }
    }
    return error;
  }

  protected share(request: Request, result: Result, adding: Adding): CniError | null {
    forwarding_want(result, adding);
    return null;
  }

  protected settle(request: Request, result: Result): CniError | null {
    return this.pair.wait_up("link");
  }

  protected want(request: Request, result: Result): void {
    if (this.ipMasq) masq_want(request, result);
  }

  protected verify(request: Request, result: Result): CniError | null {
    if (link_get_index(HOST, this.link.peer)) return null;
    return os_error(`find the host's end of "${request.env.ifname}"`, Code.CheckFailed);
  }

  protected unmake(request: Request, errors: CniError[]): void {
    veth_del(request, errors);
  }
}
