// SPDX-License-Identifier: Apache-2.0
// The CNI type `fairlead-overlay`: a pod on the cluster's network, with an address of its node's
// subnet and an MTU that fits every path, as the agent says in its file. What the delegate gets is
// ../../plugin/delegating.ts.
import { Bytes } from "../../host/reply";
import { file_before_boot } from "../../host/store";
import { JsonValue, json_parse, Kind } from "../../lib/json";
import { state_dir } from "../../lib/state-dir";
import { Delegating, NodeNet, route_to, subnets_read } from "../../plugin/delegating";
import { CONFIG, Role, RUNTIME, Type } from "../../plugin/type";
import { Request } from "../../spec/request";

export class FairleadOverlay extends Delegating {
  private path: string = "";

  describe(type: Type): void {
    type.role = Role.Main;
    type.about = "a veth pair into the cluster's network, as the agent of the node says";
    type.at(CONFIG, "subnetFile delegate ipam").at(RUNTIME, "");
  }
  protected file(request: Request): string {
    const usual = `${state_dir()}/overlay/${request.network}.json`;
    this.path = request.reader.path(request.config, "subnetFile", usual);
    return this.path;
  }
  protected get usual(): string {
    return "ptp";
  }
  protected get writer(): string {
    return "the agent (fairlead agent)";
  }

  protected parse(text: string, bytes: Bytes): NodeNet | null {
    const path = this.path;
    if (file_before_boot(path) == 1) {
      return this.refuse(`${path} is from before this boot: the agent has not written it yet`);
    }
    const parsed = json_parse(bytes.ptr, bytes.len);
    if (parsed.failed || parsed.value.kind != Kind.Object) {
      return this.refuse(`${path} is not what the agent writes: remove it, and start the agent`);
    }
    const said = parsed.value;
    if (!is_true(said, "ready")) {
      return this.refuse(`the agent is not ready: run fairlead agent status, or look at its log`);
    }
    const net = new NodeNet();
    net.networks = subnets_read(said.get("networks"));
    net.subnets = subnets_read(said.get("subnets"));
    const mtu = said.get("mtu_bytes");
    if (mtu && mtu.isInteger()) net.mtu_bytes = I32.parseInt(mtu.text);
    net.masquerade = is_true(said, "masquerade");
    return net;
  }

  protected complete(object: JsonValue, own: JsonValue, net: NodeNet): void {
    if (object.text_at("type") == "bridge" && !own.get("isGateway")) {
      object.set("isGateway", JsonValue.bool(true));
    }
  }

  /** By the node, wherever they go, unless the configuration says where. */
  protected routes(routes: JsonValue, net: NodeNet): void {
    if (routes.items.length > 0) return;
    for (let v6 = 0; v6 < 2; v6++) {
      for (let i = 0; i < net.subnets.length; i++) {
        if (net.subnets[i].ip.v6 != (v6 == 1)) continue;
        routes.push(route_to(v6 == 1 ? "::/0" : "0.0.0.0/0"));
        break;
      }
    }
  }
}

function is_true(object: JsonValue, key: string): bool {
  const value = object.get(key);
  return value !== null && value.kind == Kind.Bool && value.bool;
}
