// SPDX-License-Identifier: Apache-2.0
// The CNI type `ipvlan`: an interface of the container that shares the hardware address of a link
// of the host, its master; packets are told apart by their IP addresses. What all interfaces on a
// master have in common is ../../plugin/upper.ts.
import { Adding } from "../../attach/adding";
import { user_of } from "../../attach/users";
import { failure_errno } from "../../host/failure";
import { link_add_ipvlan, link_get_index, link_list } from "../../host/kernel";
import { log } from "../../host/store";
import { EADDRINUSE, EBUSY, EEXIST, EINVAL } from "../../lib/errno";
import { mac_requested } from "../../net/mac";
import { ARGS, CNI_ARGS, CONFIG, RUNTIME, Type } from "../../plugin/type";
import { Upper } from "../../plugin/upper";
import { Written } from "../../plugin/written";
import { CniError, Code, os_error } from "../../spec/error";
import { Request } from "../../spec/request";
import { Result } from "../../spec/types";

const MODES: string[] = ["l2", "l3", "l3s"];
const NO_MAC = "an ipvlan has the hardware address of its master, and no other";

export class Ipvlan extends Upper {
  private words: string = "";

  describe(type: Type): void {
    type.about = "an interface that shares the MAC address of one of the host";
    type
      .at(CONFIG, "master mode mtu linkInContainer enabledad ipam dns")
      .at(ARGS, "mac")
      .at(RUNTIME, "mac")
      .at(CNI_ARGS, "MAC");
    type.has_parent = true;
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
        'without "ipam" ADD fails, unless a plugin before it in the list gives addresses: add "ipam"',
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

  /** In a chain it lies on the one interface that the plugin before it made, and has its addresses. */
  protected ready(request: Request): CniError | null {
    const lower = this.lower;
    const previous = request.prevResult();
    if (request.reader.error) return request.reader.error;
    if (previous && lower.master.length == 0) {
      let named = 0;
      for (let i = 0; i < previous.interfaces.length; i++) {
        if (previous.interfaces[i].name.length == 0) continue;
        lower.master = previous.interfaces[i].name;
        named++;
      }
      if (named != 1) {
        return new CniError(
          Code.InvalidConfig,
          `prevResult names ${named} interfaces, and not the one that would be the master: ` +
            'name it by "master"',
        );
      }
    }
    if (this.layer_2 && (!previous || previous.ips.length == 0)) {
      return new CniError(
        Code.InvalidConfig,
        'ipvlan needs addresses: add "ipam": {"type": "host-local", …}',
      );
    }
    const error = super.ready(request);
    if (!error && lower.mtu_bytes > lower.link.mtu_bytes) {
      log(
        `"mtu" is ${lower.mtu_bytes}, that of the master "${lower.link.name}" ` +
          `${lower.link.mtu_bytes}: larger packets do not leave by it`,
      );
    }
    return error;
  }

  protected given(request: Request): Result {
    const previous = request.prevResult();
    return previous ? previous : new Result();
  }

  protected note(adding: Adding): void {
    super.note(adding);
    if (!this.lower.in_container) adding.use(this.named(this.words));
  }

  /** What records call the mode of all ipvlans on the master. */
  private named(mode: string): string {
    return `ipvlan ${mode} ${this.port_name}`;
  }

  /** An ipvlan on another lies beside it, on what that lies on. */
  private get port_name(): string {
    const link = this.lower.link;
    const below = link.kind == this.kind ? link_get_index(this.lower.ns, link.lower) : null;
    return below ? below.name : link.name;
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const clash = this.clash(adding);
    return clash ? clash : super.make(request, result, adding);
  }

  /** The kernel gives all ipvlans on a link the mode of the newest: those that live keep theirs. */
  private clash(adding: Adding): CniError | null {
    const lower = this.lower;
    const master = lower.link;
    const port = master.kind == this.kind ? master.lower : master.ifindex;
    const links = link_list(lower.ns);
    if (!links) return os_error(`look for ipvlans on "${master.name}"`);
    for (let i = 0; i < links.length; i++) {
      const link = links[i];
      if (link.kind != this.kind || link.lower != port || link.mode == this.words) continue;
      return this.clashes(`"${link.name}"`, link.mode);
    }
    if (lower.in_container) return null;
    const others = new Array<string>();
    for (let i = 0; i < MODES.length; i++) {
      if (MODES[i] != this.words) others.push(this.named(MODES[i]));
    }
    const user = user_of(others, adding);
    if (user.error || user.name.length == 0) return user.error;
    return this.clashes(`that of ${user.name}`, user.what.split(" ")[1]);
  }

  private clashes(other: string, mode: string): CniError {
    return new CniError(
      Code.InvalidConfig,
      `"mode" is ${this.words}, but of the ipvlans on "${this.lower.link.name}" ${other} is in ` +
        `mode ${mode}, and all have one: write "mode": "${mode}", or name another master`,
    );
  }

  protected ask(lower: i32, netns: i32, name: string): i32 {
    return link_add_ipvlan(this.lower.ns, lower, netns, name, this.lower.mtu_bytes, this.words);
  }

  protected cure(errno: i32, adding: Adding): string {
    const master = `"${this.lower.link.name}"`;
    if (errno == EEXIST) return "another link took its name meanwhile: try again";
    if (errno == EBUSY) {
      return (
        `${master} is a port of a bridge or bond, whose name to write as "master", or carries ` +
        "macvlans: use the type macvlan, or name another master"
      );
    }
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
