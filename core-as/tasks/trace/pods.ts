// SPDX-License-Identifier: Apache-2.0
// The containers of the node with their addresses, as the kernel has them now, so that an address
// or a name leads to one. It reads records and namespaces, and changes nothing.
import { netns_of } from "../../attach/living";
import { Attachment, records_dir } from "../../attach/record";
import { is_here, records, records_error } from "../../attach/store";
import { failure_errno } from "../../host/failure";
import { Address, addr_list, link_get, netns_close } from "../../host/kernel";
import { ENODEV } from "../../lib/errno";
import { Cidr, cidr_parse, Ip } from "../../lib/ip";
import { CniError } from "../../spec/error";
import { unreadable } from "../runtime/unreadable";

/** A container's interface that is there. */
export class Pod {
  addresses: Cidr[] = [];
  /** Index of its other end, for a veth. */
  peer: i32 = 0;
  constructor(public record: Attachment) {}

  get name(): string {
    return `${this.record.containerID} ("${this.record.ifname}" on ${this.record.network})`;
  }
  has(ip: Ip): bool {
    for (let i = 0; i < this.addresses.length; i++) {
      if (this.addresses[i].ip.equals(ip)) return true;
    }
    return false;
  }
  /** Its first address of a family; null when it has none. */
  address(v6: bool): Ip | null {
    for (let i = 0; i < this.addresses.length; i++) {
      const ip = this.addresses[i].ip;
      if (ip.v6 == v6 && !ip.isLinkLocal()) return ip;
    }
    return null;
  }
  /** Its namespace, and no other at its path; the caller closes it. 0 when it is not to be had. */
  enter(): i32 {
    return netns_of(this.record).ns;
  }
}

/** All that are there. */
export class Pods {
  list: Pod[] = [];
  error: CniError | null = null;
  private missed: i32 = 0;

  /** What is to be added where somebody is not found; "" when all could be looked at. */
  get unseen(): string {
    return this.missed > 0 ? ` (${this.missed} could not be looked at: run it as root)` : "";
  }

  /** Reads them; false with `error`. */
  read(): bool {
    this.error = unreadable(records_dir(), "");
    if (this.error) return false;
    const found = records();
    if (!found) this.error = records_error();
    for (let i = 0; found !== null && i < found.length; i++) {
      if (is_here(found[i])) this.one(found[i]);
    }
    return found !== null;
  }

  private one(record: Attachment): void {
    const entered = netns_of(record);
    if (entered.unknown) this.missed++;
    if (entered.ns == 0) return;
    const link = link_get(entered.ns, record.ifname);
    let addresses: Address[] | null = null;
    if (link) addresses = addr_list(entered.ns, link.ifindex);
    // A link that is gone is nobody's; one that cannot be read may have any address.
    if (!addresses && failure_errno != ENODEV) this.missed++;
    if (link && addresses) {
      const pod = new Pod(record);
      pod.peer = link.kind == "veth" ? link.peer : 0;
      for (let i = 0; i < addresses.length; i++) {
        const cidr = cidr_parse(addresses[i].address);
        if (cidr) pod.addresses.push(cidr);
      }
      this.list.push(pod);
    }
    netns_close(entered.ns);
  }

  /** Who has an address. */
  at(ip: Ip): Pod | null {
    for (let i = 0; i < this.list.length; i++) if (this.list[i].has(ip)) return this.list[i];
    return null;
  }

  /** Those whose container id begins so, or whose record is called so: CONTAINERID:IFNAME. */
  called(word: string): Pod[] {
    const found = new Array<Pod>();
    const exact = new Array<Pod>();
    for (let i = 0; i < this.list.length; i++) {
      const record = this.list[i].record;
      if (record.name == word) return [this.list[i]];
      // A whole id is not the beginning of another.
      if (record.containerID == word) exact.push(this.list[i]);
      if (record.containerID.startsWith(word)) found.push(this.list[i]);
    }
    return exact.length > 0 ? exact : found;
  }
}
