// SPDX-License-Identifier: Apache-2.0
// IP forwarding of the host. To write the sysctl of all interfaces resets what each has of its own,
// and for IPv6 makes the kernel forget the default routes that it has from router advertisements
// (addrconf_fixup_forwarding, net/ipv6/addrconf.c) on every interface whose accept_ra is not 2. So
// routes are kept by that first, and what was there is noted for an ADD that fails after all.
import { Shared } from "../attach/shared-change";
import { HOST, link_list, route_list, sysctl_read, sysctl_write } from "../host/kernel";
import { log } from "../host/store";
import { CniError, os_error } from "../spec/error";

/** RTPROT_RA, linux/rtnetlink.h */
const RTPROT_RA = 9;

/** What records call it, whatever the family: which one it will be is known after IPAM. */
export const FORWARDING = "forwarding";

/** A sysctl and the value it had. */
class Kept {
  constructor(
    public key: string,
    public value: string,
  ) {}
}

export class Forwarding extends Shared {
  private done: bool = false;
  private kept: Kept[] = [];

  constructor(private v6: bool) {
    super();
  }
  get what(): string {
    return FORWARDING;
  }
  get changed(): bool {
    return this.done || this.kept.length > 0;
  }
  private get key(): string {
    return this.v6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward";
  }

  take(): CniError | null {
    const value = sysctl_read(HOST, this.key);
    if (value === null) return os_error(`read sysctl ${this.key}`);
    if (value == "1") return null;
    const error = this.keep(value);
    if (error) return error;
    if (sysctl_write(HOST, this.key, "1") < 0) {
      return os_error(`switch on IP forwarding (sysctl ${this.key})`);
    }
    this.done = true;
    return null;
  }

  /** Notes what goes with it, in the order in which it is written back. */
  private keep(value: string): CniError | null {
    const links = link_list(HOST);
    if (!links) return os_error("list the links of the host");
    const family = this.v6 ? "ipv6" : "ipv4";
    const found = [new Kept(this.key, value)];
    const names: string[] = ["default"];
    for (let i = 0; i < links.length; i++) names.push(links[i].name);
    if (!this.v6) this.note("net/ipv4/conf/all/accept_redirects", found);
    for (let i = 0; i < names.length; i++)
      this.note(`net/${family}/conf/${names[i]}/forwarding`, found);
    for (let i = 0; this.v6 && i < links.length; i++) {
      const error = this.hold(links[i].ifindex, links[i].name);
      if (error) return error;
    }
    this.kept = this.kept.concat(found);
    return null;
  }

  /** One that cannot be read is not there: a link that went, a kernel without the family. */
  private note(key: string, into: Kept[]): void {
    const value = sysctl_read(HOST, key);
    if (value !== null) into.push(new Kept(key, value));
  }

  /** Keeps the routes that an interface has from router advertisements, and their renewal. */
  private hold(ifindex: i32, name: string): CniError | null {
    const key = `net/ipv6/conf/${name}/accept_ra`;
    if (sysctl_read(HOST, key) != "1") return null;
    const routes = route_list(HOST, ifindex);
    if (!routes) return os_error(`read the routes of "${name}"`);
    let advertised = false;
    for (let i = 0; i < routes.length; i++) {
      advertised = advertised || routes[i].protocol == RTPROT_RA;
    }
    if (!advertised) return null;
    if (sysctl_write(HOST, key, "2") < 0) {
      return os_error(`keep the routes of "${name}" from router advertisements (sysctl ${key})`);
    }
    log(
      `IPv6 forwarding: ${key} is 2 now, so that "${name}" keeps the routes that routers advertise`,
    );
    this.kept.push(new Kept(key, "1"));
    return null;
  }

  give_back(errors: CniError[]): void {
    // What was held is given up last: to be off is what makes the rest harmless.
    const order = this.done ? this.kept : this.kept.filter((one) => one.key.endsWith("accept_ra"));
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < order.length; i++) {
        if (order[i].key.endsWith("/accept_ra") != (pass == 1)) continue;
        if (sysctl_read(HOST, order[i].key) == order[i].value) continue;
        if (sysctl_write(HOST, order[i].key, order[i].value) >= 0) continue;
        if (sysctl_read(HOST, order[i].key) === null) continue;
        errors.push(os_error(`undo: restore ${order[i].key}`));
      }
    }
  }
}
