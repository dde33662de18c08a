// What the kinds have in common that wire a container by a veth pair and take addresses from an
// IPAM plugin: how it goes away again. How it is made is each kind's own.

import { Adding } from "../attach/adding";
import { mac_from } from "../lib/name";
import { elements_possible } from "../nft/tables";
import { ipam_del, ipam_gc } from "../plugin/ipam";
import { Plugin } from "../plugin/plugin";
import { Attachments } from "../spec/attachments";
import { CniError } from "../spec/error";
import { Request } from "../spec/request";
import { DNS, Result } from "../spec/types";
import { masq_sets, masq_want } from "./masquerade";
import { VethMade, VethPlan, veth_del } from "./veth";

export abstract class Wiring extends Plugin {
  /** The IPAM plugin of the configuration, null for layer 2. Set by load. */
  protected ipam: Plugin | null = null;
  /** Whether its addresses are masqueraded. Set by load. */
  protected ipMasq: bool = false;
  /** dns of the configuration when it replaces that of IPAM. Set by load. */
  protected dns: DNS | null = null;

  get wires(): bool {
    return true;
  }

  nft_sets(request: Request): string[] {
    return masq_sets(request);
  }

  /** Notes the pair before it is made. */
  protected pair(adding: Adding, plan: VethPlan): VethMade {
    const mac = plan.mac.length > 0 ? plan.mac : mac_from(adding.request.identity("container"));
    const pair = new VethMade(true, mac);
    adding.note(pair);
    return pair;
  }

  /** By its record the pair is gone already, and so are addresses but those of a foreign plugin. */
  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (!recorded) veth_del(request, errors);
    ipam_del(request, recorded, errors);
  }

  /** Pairs go by the records of attachments (../attach/collect.ts); what is left is addresses. */
  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    ipam_gc(request, valid, errors);
  }

  status(request: Request): CniError | null {
    const impossible = elements_possible(this.nft_sets(request));
    if (impossible) return impossible;
    const ipam = this.ipam;
    return ipam ? ipam.status(request) : null;
  }

  /** Wants the addresses of its interface masqueraded, -1 for all of them. */
  protected masquerade(request: Request, result: Result, index: i32): void {
    if (!this.ipMasq) return;
    for (let i = 0; i < result.ips.length; i++) {
      const ip = result.ips[i];
      if (index < 0 || ip.interface < 0 || ip.interface == index) masq_want(request, ip);
    }
  }
}
