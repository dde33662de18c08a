// SPDX-License-Identifier: Apache-2.0
// The CNI type `vlan`: an interface of the container in an 802.1Q VLAN of a link of the host, its
// master. What all interfaces on a master have in common is ../../plugin/upper.ts.
import { Adding } from "../../attach/adding";
import { user_of } from "../../attach/users";
import { link_add_vlan, link_list } from "../../host/kernel";
import { EEXIST, EINVAL, EOPNOTSUPP } from "../../lib/errno";
import { check_failed } from "../../net/check";
import { ipam_over_link } from "../../plugin/ipam";
import { CONFIG, RUNTIME, Type } from "../../plugin/type";
import { Upper } from "../../plugin/upper";
import { Written } from "../../plugin/written";
import { CniError } from "../../spec/error";
import { Request } from "../../spec/request";
import { Result } from "../../spec/types";
import { why } from "../../spec/why";

const VID_MAX = 4094;

export class Vlan extends Upper {
  private vid: i32 = 0;

  describe(type: Type): void {
    type.about = "an interface in a VLAN of one of the host";
    type.at(CONFIG, "master vlanId mtu linkInContainer enabledad ipam dns").at(RUNTIME, "");
    type.has_parent = true;
    type.kernel = ["link vlan id 5"];
  }
  protected get kind(): string {
    return "vlan";
  }
  protected get module(): string {
    return "8021q";
  }
  protected get needs_ipam(): bool {
    return true;
  }

  advise(written: Written): void {
    if (written.object.get("vlanId")) return;
    written.warning(
      'without "vlanId" it is VLAN 0, whose frames are in none and bear a priority: add "vlanId"',
      written.offset,
    );
  }

  protected read(request: Request): CniError | null {
    const reader = request.reader;
    super.read(request);
    this.vid = <i32>reader.integer(request.config, "vlanId", 0, VID_MAX);
    if (this.lower.master.length == 0 && !reader.error) {
      reader.invalid('vlan needs an interface that carries the VLAN: name it by "master"');
    }
    return null;
  }

  /** What records call the one interface that may be in the VLAN. */
  private get named(): string {
    return `vlan ${this.vid} ${this.lower.link.name}`;
  }

  protected note(adding: Adding): void {
    super.note(adding);
    if (!this.lower.in_container) adding.use(this.named);
  }

  protected ask(lower: i32, netns: i32, name: string): i32 {
    return link_add_vlan(this.lower.ns, lower, netns, name, this.lower.mtu_bytes, this.vid);
  }

  protected tell_more(): void {
    const given = this.vid > 0 ? `"vlanId" says so` : `no "vlanId": frames that bear a priority`;
    why("VLAN", this.vid.toString(), given);
  }

  protected cure(errno: i32, adding: Adding): string {
    const master = `"${this.lower.link.name}"`;
    if (errno == EEXIST) return this.taken(adding);
    if (errno == EOPNOTSUPP) return `${master} carries no VLANs: name another as "master"`;
    if (errno != EINVAL) return "";
    return `${master} carries less than the MTU with the tag of a VLAN: write a smaller "mtu"`;
  }

  /** Who has the VLAN: there is one interface for it, in whatever namespace. */
  private taken(adding: Adding): string {
    const lower = this.lower;
    const what = `VLAN ${this.vid} of "${lower.link.name}"`;
    const links = link_list(lower.ns);
    for (let i = 0; links !== null && i < links.length; i++) {
      const link = links[i];
      if (link.kind != this.kind || link.lower != lower.link.ifindex || link.vid != this.vid)
        continue;
      return `"${link.name}" ${lower.place} has ${what}: remove it, or choose another vlanId`;
    }
    const user = user_of([this.named], adding);
    if (user.name.length > 0 && !lower.in_container) {
      return `${user.name} has ${what}: run DEL for that container, or choose another vlanId`;
    }
    return (
      `an interface in another namespace has ${what}, or the name was taken meanwhile: ` +
      "look for it (ip -all netns exec ip -d link show type vlan), or choose another vlanId"
    );
  }

  protected verify(request: Request, result: Result): CniError | null {
    const link = this.link;
    if (link.vid != this.vid) {
      return check_failed(`interface "${link.name}" is in VLAN ${link.vid}, not ${this.vid}`);
    }
    const wanted_bytes = this.lower.mtu_bytes;
    // A DHCP server may say less than the configuration.
    const shrunk = link.mtu_bytes < wanted_bytes && ipam_over_link(request);
    if (wanted_bytes == 0 || link.mtu_bytes == wanted_bytes || shrunk) {
      return super.verify(request, result);
    }
    return check_failed(
      `interface "${link.name}" has an MTU of ${link.mtu_bytes}, not ${wanted_bytes}`,
    );
  }
}
