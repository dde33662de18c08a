// SPDX-License-Identifier: Apache-2.0
// A main plugin: the order in which one works, in one place. Is CNI_IFNAME free → addresses → the
// link is made → configured in the container → what is shared → the end is waited for → result; and
// CHECK, DEL, GC and STATUS likewise. Addresses that come over the link come when it is made. A
// type says what kind of link it makes, how, and what is its
// own beyond that. This file refuses to know any kind of link.

import { Adding } from "../attach/adding";
import { Link, link_set_up } from "../host/kernel";
import { check_addresses, check_container, check_prevResult, check_routes } from "../net/check";
import { iface_configure, ifname_taken } from "../net/iface";
import { mac_requested } from "../net/mac";
import { elements_possible } from "../nft/tables";
import { Attachments } from "../spec/attachments";
import { dns_override } from "../spec/config";
import { CniError, os_error } from "../spec/error";
import { Reach } from "../spec/reach";
import { Request } from "../spec/request";
import { DNS, Interface, Result } from "../spec/types";
import { why } from "../spec/why";
import {
  ipam_add,
  ipam_del,
  ipam_find,
  ipam_gc,
  ipam_load,
  ipam_over_link,
  ipam_reach,
  ipam_type_strict,
} from "./ipam";
import { failed, Outcome, Plugin } from "./plugin";

export abstract class Main extends Plugin {
  /** The container's link: `make` made it, or CHECK found it. */
  protected link: Link = new Link();
  /** Whether ADD waits for IPv6 duplicate address detection. Set by `read`. */
  protected enabledad: bool = false;
  /** The IPAM plugin of the configuration, null for layer 2. */
  private ipam: Plugin | null = null;
  /** dns of the configuration when it replaces that of IPAM. */
  private dns: DNS | null = null;

  get wires(): bool {
    return true;
  }

  /** What the kernel calls the kind of link that the container gets. */
  protected abstract get kind(): string;
  /** Whether a configuration without `ipam` is refused; else it is layer 2. */
  protected get needs_ipam(): bool {
    return false;
  }
  /** Reads the type's own keys. Problems land in the reader; those it cannot hold are given. */
  protected abstract read(request: Request): CniError | null;
  /** What is to be there before an ADD begins: looks, and changes nothing. */
  protected ready(request: Request): CniError | null {
    return null;
  }
  /** Notes the link, and what is shared and relied on, so that one record names all of it. */
  protected abstract note(adding: Adding): void;
  /** What an attachment without IPAM begins with: nothing, which is layer 2. */
  protected given(request: Request): Result {
    return new Result();
  }
  /** Whether the configuration names no IPAM plugin. Known once it is loaded. */
  protected get layer_2(): bool {
    return this.ipam === null;
  }
  /** Completes what IPAM gave, or says why it is of no use. Nothing but leases is made by then. */
  protected prepare(result: Result): CniError | null {
    return null;
  }
  /** Makes the link, sets `link`, and lists the interfaces that come before it in the result. */
  protected abstract make(request: Request, result: Result, adding: Adding): CniError | null;
  /** The container's side: addresses and routes, or just a link that is up. */
  protected configure(request: Request, result: Result, adding: Adding): CniError | null {
    const link = this.link;
    if (result.ips.length > 0) {
      return iface_configure(request, link, result, this.enabledad, adding);
    }
    if (link_set_up(request.netns, link.ifindex) >= 0) return null;
    return os_error(`set "${request.env.ifname}" up in ${request.env.netns}`);
  }
  /** What the network's containers share: see ../attach/shared.ts. */
  protected share(request: Request, result: Result, adding: Adding): CniError | null {
    return null;
  }
  /** Waits until all of it works, and brings the result up to date. */
  protected settle(request: Request, result: Result): CniError | null {
    return null;
  }
  /** Says what the attachment is to have in nftables, for ADD and for CHECK. */
  protected want(request: Request, result: Result): void {}
  /** CHECK: what is the type's own, beyond the link, its addresses and its routes. */
  protected verify(request: Request, result: Result): CniError | null {
    return null;
  }
  /** DEL without a record: takes away what the reference plugin of this type would have made. */
  protected abstract unmake(request: Request, errors: CniError[]): void;

  reach(request: Request, into: Reach): void {
    ipam_reach(request, into);
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const wrong = this.read(request);
    this.dns = dns_override(request);
    const before = reader.count;
    const type = ipam_type_strict(request);
    if (type.length == 0 && this.needs_ipam && reader.count == before) {
      reader.invalid(`${request.type} needs addresses: add "ipam": {"type": "host-local", …}`);
    }
    if (reader.error) return reader.error;
    if (wrong || type.length == 0) return wrong;
    this.ipam = ipam_find(type);
    return ipam_load(request, this.ipam);
  }

  add(request: Request, adding: Adding): Outcome {
    const taken = ifname_taken(request);
    if (taken) return failed(taken);
    const lacking = this.ready(request);
    if (lacking) return failed(lacking);
    this.note(adding);
    const result = new Result();
    const ipam = this.ipam;
    const over_link = ipam !== null && ipam.over_link;
    let error: CniError | null = null;
    // The likeliest failure comes before any link.
    if (!over_link) error = this.lease(request, result, adding);
    if (!error) error = adding.write();
    if (!error) error = this.make(request, result, adding);
    if (!error && over_link) error = this.lease(request, result, adding);
    if (!error) error = this.wire(request, result, adding);
    if (error) return failed(error);
    const dns = this.dns;
    if (dns) result.dns = dns;
    return new Outcome(result);
  }

  /** Takes what IPAM gives into the result, and completes it. */
  private lease(request: Request, result: Result, adding: Adding): CniError | null {
    const ipam = this.ipam;
    const outcome = ipam ? ipam_add(request, ipam, adding) : new Outcome(this.given(request));
    const leased = outcome.result;
    if (!leased) return outcome.error;
    result.ips = leased.ips;
    result.routes = leased.routes;
    result.dns = leased.dns;
    return this.prepare(result);
  }

  private wire(request: Request, result: Result, adding: Adding): CniError | null {
    const container = new Interface(request.env.ifname, request.env.netns);
    container.mac = this.link.address;
    if (isDefined(FAIRLEAD_TELLS)) this.tell(request, result);
    for (let i = 0; i < result.ips.length; i++) result.ips[i].interface = result.interfaces.length;
    result.interfaces.push(container);
    let error = this.configure(request, result, adding);
    // What is shared comes last, so that it need not be undone.
    if (!error) error = this.share(request, result, adding);
    if (!error) error = this.settle(request, result);
    if (!error) this.want(request, result);
    return error;
  }

  /** Why it has its MTU where no "mtu" says so, and its MAC where none was asked for. */
  protected mtu_because(): string {
    return `no "mtu": what the kernel gives a link of the kind ${this.kind}`;
  }
  protected mac_because(): string {
    return "none was asked for: the kernel chose it";
  }

  private tell(request: Request, result: Result): void {
    const link = this.link;
    // A device that processes have.
    if (link.ifindex == 0) return;
    why("name", request.env.ifname, "the runtime names it: CNI_IFNAME");
    const asked = request.config.get("mtu");
    const given = asked !== null && asked.isInteger() && asked.integer() > 0;
    why("MTU", link.mtu_bytes.toString(), given ? `"mtu" says so` : this.mtu_because());
    const wanted = mac_requested(request, request.config.text_at("mac")).mac;
    const asked_for = wanted.length > 0 && wanted == link.address;
    // What makes a pair tells of its addresses.
    if (link.peer == 0 && link.address.length > 0) {
      why("MAC", link.address, asked_for ? "it was asked for" : this.mac_because());
    }
    if (this.layer_2 && result.ips.length == 0) {
      why("addresses", "none", `no "ipam": a network of layer 2`);
    }
  }

  /** The part of CHECK that is the IPAM plugin's. */
  protected check_ipam(request: Request): CniError | null {
    const ipam = this.ipam;
    return ipam ? ipam.check(request) : null;
  }

  check(request: Request): CniError | null {
    let error = this.check_ipam(request);
    if (error) return error;
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    const container = check_container(request, result, this.kind);
    if (container.error) return container.error;
    this.link = container.link;
    error = this.verify(request, result);
    if (error) return error;
    this.want(request, result);
    error = check_addresses(request, this.link, result);
    return error ? error : check_routes(request, this.link, result);
  }

  /** By its record the link is gone already, and so are addresses but those of a foreign plugin. */
  del(request: Request, recorded: bool, errors: CniError[]): void {
    const over_link = ipam_over_link(request);
    if (over_link) ipam_del(request, recorded, errors);
    if (!recorded) this.unmake(request, errors);
    if (!over_link) ipam_del(request, recorded, errors);
  }

  /** Links go by the records of attachments (../attach/collect.ts); what is left is addresses. */
  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    ipam_gc(request, valid, errors);
  }

  status(request: Request): CniError | null {
    const impossible = elements_possible(this.nft_sets(request));
    if (impossible) return impossible;
    const ipam = this.ipam;
    return ipam ? ipam.status(request) : null;
  }
}
