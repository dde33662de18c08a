// SPDX-License-Identifier: Apache-2.0
// The CNI type `ipvlan`: an interface of the container that shares the hardware address of a link
// of the host, its master; packets are told apart by their IP addresses. What all interfaces on a
// master have in common is ../../../plugin/upper.ts.
import { Adding } from "../../../attach/adding";
import { failure_errno } from "../../../host/failure";
import { Link, link_add_ipvlan, link_get_index } from "../../../host/kernel";
import { log } from "../../../host/store";
import { EADDRINUSE, EBUSY, EEXIST, EINVAL } from "../../../lib/errno";
import { mac_requested } from "../../../net/mac";
import { ARGS, CNI_ARGS, CONFIG, RUNTIME, Type } from "../../../plugin/type";
import { Upper } from "../../../plugin/upper";
import { Written } from "../../../plugin/written";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import { behind } from "./behind";
import { MODES, mode_clash, mode_what } from "./mode";

const NO_MAC = "an ipvlan has the hardware address of its master, and no other";

export class Ipvlan extends Upper {
  private words: string = "";
  /** What it lies on: an ipvlan on another lies beside that. */
  private port: Link = new Link();

  describe(type: Type): void {
    type.about = "an interface that shares the MAC address of one of the host";
    type
      .at(CONFIG, "master mode mtu linkInContainer enabledad ipam dns")
      .at(ARGS, "mac")
      .at(RUNTIME, "mac")
      .at(CNI_ARGS, "MAC");
    type.has_parent = true;
    type.beside_host = true;
    type.kernel = ["link ipvlan"];
  }
  protected get kind(): string {
    return "ipvlan";
  }
  protected get mode(): string {
    return this.words;
  }

  advise(written: Written): void {
    const ipam = written.object.get("ipam");
    if (!ipam || !ipam.get("type")) {
      written.warning(
        'without "ipam" ADD fails, unless a plugin before it in the list gives addresses: ' +
          'add "ipam"',
        written.offset,
      );
    }
    if (!written.capable("mac")) return;
    written.warning(`${NO_MAC}: take the capability "mac" out`, written.offset);
  }

  protected read(request: Request): CniError | null {
    const reader = request.reader;
    super.read(request);
    // Larger than the master's is taken, as the kernel does: see `ready`.
    this.lower.mtu_bound = false;
    const mode = reader.string(request.config, "mode");
    this.words = mode.length > 0 ? mode : MODES[0];
    if (!MODES.includes(this.words)) {
      reader.invalid(
        `unknown ipvlan mode: "${mode}": use ${MODES.join(", ")}`,
        request.config.get("mode"),
      );
    }
    const requested = mac_requested(request);
    if (requested.error || requested.mac.length == 0) return requested.error;
    return new CniError(
      Code.InvalidConfig,
      `${NO_MAC}: take the request for ${requested.mac} out, or use the type macvlan`,
    );
  }

  protected ready(request: Request): CniError | null {
    const lower = this.lower;
    const lacking = behind(request, lower, this.layer_2);
    const error = lacking ? lacking : super.ready(request);
    if (error) return error;
    this.port = lower.link;
    if (lower.link.kind == this.kind) {
      const below = link_get_index(lower.ns, lower.link.lower);
      if (!below) return os_error(`look for what "${lower.link.name}" lies on`);
      this.port = below;
    }
    if (lower.mtu_bytes > lower.link.mtu_bytes) {
      log(
        `"mtu" is ${lower.mtu_bytes}, that of the master "${lower.link.name}" ` +
          `${lower.link.mtu_bytes}: larger packets do not leave by it`,
      );
    }
    return null;
  }

  protected given(request: Request): Result {
    const previous = request.prevResult();
    return previous ? previous : new Result();
  }

  protected note(adding: Adding): void {
    super.note(adding);
    if (!this.lower.in_container) adding.use(mode_what(this.words, this.port));
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const clash = mode_clash(this.words, this.port, this.lower, adding);
    return clash ? clash : super.make(request, result, adding);
  }

  protected ask(lower: i32, netns: i32, name: string): i32 {
    return link_add_ipvlan(this.lower.ns, lower, netns, name, this.lower.mtu_bytes, this.words);
  }

  protected cure(errno: i32, adding: Adding): string {
    const master = `"${this.lower.link.name}"`;
    if (errno == EEXIST) return "another link took its name meanwhile: try again";
    if (errno == EBUSY) return this.busy("macvlan");
    return errno == EINVAL ? `${master} is no Ethernet interface: name another` : "";
  }

  protected configure(request: Request, result: Result, adding: Adding): CniError | null {
    const error = super.configure(request, result, adding);
    if (error && failure_errno == EADDRINUSE) {
      error.msg +=
        `: another ipvlan on "${this.lower.link.name}" has the address, free it there or ` +
        "exclude it from the range";
    }
    return error;
  }
}
