// SPDX-License-Identifier: Apache-2.0
// The CNI type `flannel`: what Flannel's own plugin does with the subnet.env of flanneld, which the
// agent writes too. What the delegate gets is ../../plugin/delegating.ts.

import { Bytes } from "../../host/reply";
import { file_read, file_remove } from "../../host/store";
import { cidr_parse } from "../../lib/ip";
import { JsonValue, json_parse, Kind } from "../../lib/json";
import { Delegating, NodeNet, route_to } from "../../plugin/delegating";
import { CONFIG, Role, RUNTIME, Type } from "../../plugin/type";
import { CniError } from "../../spec/error";
import { Reach } from "../../spec/reach";
import { Request } from "../../spec/request";

const SUBNET_FILE = "/run/flannel/subnet.env";
/** Where Flannel's plugin keeps what it gave to the delegate of a container. */
const DATA_DIR = "/var/lib/cni/flannel";
const KEPT_LIMIT_BYTES: i32 = 1 << 20;

export class Flannel extends Delegating {
  private path: string = "";
  private dir: string = DATA_DIR;

  describe(type: Type): void {
    type.role = Role.Main;
    type.about = "bridge or another with the subnet that flanneld gave this node";
    type.at(CONFIG, "subnetFile dataDir delegate ipam").at(RUNTIME, "");
  }
  protected file(request: Request): string {
    this.dir = request.reader.path(request.config, "dataDir", DATA_DIR);
    this.path = request.reader.path(request.config, "subnetFile", SUBNET_FILE);
    return this.path;
  }
  protected get usual(): string {
    return "bridge";
  }
  protected get writer(): string {
    return "flanneld";
  }

  /** Lines of KEY=VALUE. */
  protected parse(text: string, bytes: Bytes): NodeNet | null {
    const net = new NodeNet();
    net.masquerade = true;
    const lines = text.split("\n");
    for (let i = 0; i < lines.length; i++) {
      const equals = lines[i].indexOf("=");
      const key = equals < 0 ? "" : lines[i].substring(0, equals).trim();
      const value = equals < 0 ? "" : lines[i].substring(equals + 1).trim();
      const is_network = key == "FLANNEL_NETWORK" || key == "FLANNEL_IPV6_NETWORK";
      if (is_network || key == "FLANNEL_SUBNET" || key == "FLANNEL_IPV6_SUBNET") {
        const parts = value.split(",");
        for (let k = 0; k < parts.length; k++) {
          const cidr = cidr_parse(parts[k].trim());
          if (!cidr) return this.refuse(`${this.path}: ${key} is no subnet: "${parts[k]}"`);
          if (is_network) net.networks.push(cidr.subnet());
          else net.subnets.push(cidr);
        }
      } else if (key == "FLANNEL_MTU") {
        net.mtu_bytes = <i32>I32.parseInt(value);
      } else if (key == "FLANNEL_IPMASQ") {
        net.masquerade = value != "true";
      }
    }
    return net;
  }

  protected complete(object: JsonValue, own: JsonValue, net: NodeNet): void {
    if (object.text_at("type") == "bridge" && !own.get("isGateway")) {
      object.set("isGateway", JsonValue.bool(true));
    }
  }
  protected routes(routes: JsonValue, net: NodeNet): void {
    for (let i = 0; i < net.networks.length; i++) {
      routes.push(route_to(net.networks[i].toString()));
    }
  }

  private kept_path(request: Request): string {
    return `${this.dir}/${request.env.containerID}`;
  }

  /** Of a container that Flannel's plugin attached. */
  protected kept(request: Request): JsonValue | null {
    if (request.env.command != "DEL") return null;
    const bytes = file_read(this.kept_path(request), KEPT_LIMIT_BYTES);
    if (!bytes) return null;
    const parsed = json_parse(bytes.ptr, bytes.len);
    if (parsed.failed || parsed.value.kind != Kind.Object) return null;
    return parsed.value.placeless();
  }

  reach(request: Request, into: Reach): void {
    super.reach(request, into);
    if (request.env.command != "DEL") return;
    const path = this.kept_path(request);
    into.write(path.substring(0, path.lastIndexOf("/")));
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    super.del(request, recorded, errors);
    if (errors.length == 0) file_remove(this.kept_path(request));
  }
}
