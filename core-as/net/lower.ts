// SPDX-License-Identifier: Apache-2.0
// The link that a container's interface lies on: the keys `master`, `linkInContainer` and `mtu` of
// types such as macvlan. It looks for the link and says what is wrong with it; it changes nothing.
import { failure_errno } from "../host/failure";
import { HOST, Link, link_get } from "../host/kernel";
import { ENODEV } from "../lib/errno";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { unrouted, uplink } from "./uplink";

/** ETH_MAX_MTU, linux/if_ether.h. */
const MTU_MAX_BYTES = 65535;

export class Lower {
  /** Its name; "" for the link of the default route. */
  master: string = "";
  in_container: bool = false;
  /** What the interface on it is to have; 0 for what the link has. */
  mtu_bytes: i32 = 0;
  /** Whether the kernel refuses one that is larger than that. */
  mtu_bound: bool = true;
  link: Link = new Link();
  /** The namespace that it lies in. */
  ns: i32 = HOST;

  read(request: Request): void {
    const reader = request.reader;
    this.master = reader.ifname(request.config, "master");
    this.in_container = reader.bool(request.config, "linkInContainer");
    this.mtu_bytes = <i32>reader.integer(request.config, "mtu", 0, MTU_MAX_BYTES);
  }

  /** Where it is, for a person. */
  get place(): string {
    return this.in_container ? "in the container" : "on the host";
  }

  /** Finds it, as CHECK does: it is there. */
  look(request: Request): CniError | null {
    this.ns = this.in_container ? request.netns : HOST;
    const name = this.master;
    const link = name.length > 0 ? link_get(this.ns, name) : uplink(this.ns);
    if (!link) return this.missing(request);
    this.link = link;
    return null;
  }

  private missing(request: Request): CniError {
    const name = this.master;
    if (name.length == 0 && !unrouted()) return os_error(`find the default route ${this.place}`);
    if (name.length == 0) {
      return new CniError(
        Code.InvalidConfig,
        `there is no default route ${this.place}, whose interface would be the master: ` +
          'name one by "master"',
      );
    }
    if (failure_errno != ENODEV) return os_error(`look for the master "${name}" ${this.place}`);
    const there = this.in_container ? HOST : request.netns;
    const elsewhere = (this.in_container || there != HOST) && link_get(there, name) !== null;
    const where = this.in_container ? "on the host: take" : "in the container: add";
    const cure = elsewhere
      ? `it lies ${where} "linkInContainer"${this.in_container ? " out" : ": true"}`
      : 'make it, or correct "master"';
    return new CniError(
      Code.InvalidConfig,
      `there is no interface "${name}" ${this.place}, which is the master: ${cure}`,
    );
  }

  /** Finds it, as ADD needs it: up, and of an MTU that is not less than what is asked for. */
  find(request: Request): CniError | null {
    const missing = this.look(request);
    if (missing) return missing;
    const link = this.link;
    const asked_bytes = this.mtu_bytes;
    if (this.mtu_bound && asked_bytes > link.mtu_bytes) {
      return new CniError(
        Code.InvalidConfig,
        `"mtu" is ${asked_bytes} but must lie in 0..${link.mtu_bytes}, ` +
          `which is the MTU of the master "${link.name}"`,
      );
    }
    if (link.up) return null;
    return new CniError(
      Code.Kernel,
      `the master "${link.name}" is down ${this.place}: set it up (ip link set ${link.name} up)`,
    );
  }
}
