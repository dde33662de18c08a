// SPDX-License-Identifier: Apache-2.0
// The CNI type `macvlan`: an interface of the container with a hardware address of its own on a
// link of the host, its master. What all interfaces on a master have in common is
// ../../plugin/upper.ts.
import { Adding } from "../../attach/adding";
import { failure_errno } from "../../host/failure";
import { link_add_macvlan } from "../../host/kernel";
import { EADDRINUSE, EBUSY, EEXIST, EINVAL } from "../../lib/errno";
import { mac_from } from "../../lib/name";
import { mac_requested } from "../../net/mac";
import { ARGS, CNI_ARGS, CONFIG, RUNTIME, Type } from "../../plugin/type";
import { Upper } from "../../plugin/upper";
import { CniError, Code } from "../../spec/error";
import { Request } from "../../spec/request";
import { Result } from "../../spec/types";

const MODES: string[] = ["bridge", "private", "vepa", "passthru"];
const PASSTHRU = "passthru";

export class Macvlan extends Upper {
  private words: string = "";
  private mac: string = "";
  private bcqueuelen: u32 = 0;

  describe(type: Type): void {
    type.about = "an interface with an address of its own on one of the host";
    type
      .at(CONFIG, "master mode mtu mac linkInContainer bcqueuelen enabledad ipam dns")
      .at(ARGS, "mac")
      .at(RUNTIME, "mac")
      .at(CNI_ARGS, "MAC");
    type.has_parent = true;
    type.beside_host = true;
    type.kernel = ["link macvlan"];
  }
  protected get kind(): string {
    return "macvlan";
  }
  protected get mode(): string {
    return this.words;
  }

  protected read(request: Request): CniError | null {
    const reader = request.reader;
    const config = request.config;
    super.read(request);
    const mode = reader.string(config, "mode");
    this.words = mode.length > 0 ? mode : MODES[0];
    if (!MODES.includes(this.words)) {
      reader.invalid(
        `unknown macvlan mode: "${mode}": use ${MODES.join(", ")}`,
        config.get("mode"),
      );
    }
    this.bcqueuelen = <u32>reader.integer(config, "bcqueuelen", 0, u32.MAX_VALUE);
    const requested = mac_requested(request, reader.string(config, "mac"));
    this.mac = requested.mac;
    if (requested.error || this.mac.length == 0 || mode != PASSTHRU) return requested.error;
    return new CniError(
      Code.InvalidConfig,
      "in mode passthru the interface has the MAC address of its master: " +
        "take the requested one out, or give it to the master",
    );
  }

  /**
   * As requested; else one that another namespace of the same container, which may not be gone yet,
   * has not: of two with one address only one can be up.
   */
  protected address(adding: Adding): string {
    if (this.words == PASSTHRU) return "";
    if (this.mac.length > 0) return this.mac;
    return mac_from(adding.request.identity(`macvlan ${adding.netnsID}`));
  }

  protected mac_because(): string {
    return this.words == PASSTHRU
      ? "mode passthru: that of its master"
      : "a hash of network, container and interface, so that another try has the same";
  }

  protected ask(lower: i32, netns: i32, name: string): i32 {
    return link_add_macvlan(
      this.lower.ns,
      lower,
      netns,
      name,
      this.inside.mac,
      this.lower.mtu_bytes,
      this.words,
      <i32>this.bcqueuelen,
    );
  }

  protected cure(errno: i32, adding: Adding): string {
    const master = `"${this.lower.link.name}"`;
    switch (errno) {
      case EEXIST:
        return "another link took its name meanwhile: try again";
      case EBUSY:
        return this.busy("ipvlan");
      case EINVAL:
        return this.words == PASSTHRU
          ? `mode passthru needs ${master} for itself, and an Ethernet interface: name another`
          : `${master} is no Ethernet interface, or one in mode passthru has it: name another`;
      default:
        return "";
    }
  }

  protected configure(request: Request, result: Result, adding: Adding): CniError | null {
    const error = super.configure(request, result, adding);
    if (error && failure_errno == EADDRINUSE) {
      error.msg +=
        `: the MAC address ${this.link.address} is that of "${this.lower.link.name}" or of ` +
        "another macvlan on it, request another";
    }
    return error;
  }
}
