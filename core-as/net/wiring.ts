// What the kinds have in common that wire a container by a veth pair and take addresses from an
// IPAM plugin: how it goes away again. How it is made is each kind's own.
import { ipam_data_dir, ipam_del, ipam_gc } from "../ipam/delegate";
import { Plugin } from "../plugin";
import { Attachments } from "../spec/attachments";
import { CniError } from "../spec/error";
import { Request } from "../spec/request";
import { DNS } from "../spec/types";
import { veth_del } from "./veth";

export abstract class Wiring extends Plugin {
  /** The IPAM plugin of the configuration, null for layer 2. Set by load. */
  protected ipam: Plugin | null = null;
  /** dns of the configuration when it replaces that of IPAM. Set by load. */
  protected dns: DNS | null = null;

  get wires(): bool {
    return true;
  }

  lease_dir(request: Request): string {
    return ipam_data_dir(request);
  }

  del(request: Request, errors: CniError[]): void {
    veth_del(request, errors);
    ipam_del(request, errors);
  }

  /** Pairs go by the records of attachments (attachment.ts); what is left here is addresses. */
  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    ipam_gc(request, valid, errors);
  }

  status(request: Request): CniError | null {
    const ipam = this.ipam;
    return ipam ? ipam.status(request) : null;
  }
}
