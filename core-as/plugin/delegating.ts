// SPDX-License-Identifier: Apache-2.0
// A main plugin that makes the configuration of another out of what an agent says of this node in a
// small file: its subnets, their network, the MTU. What the file looks like is the type's business;
// here is what the delegate gets, and what its configuration may say itself. It refuses to wait for
// an agent.
import { failure_errno } from "../host/failure";
import { Bytes } from "../host/reply";
import { file_read } from "../host/store";
import { ENOENT } from "../lib/errno";
import { Cidr, cidr_parse } from "../lib/ip";
import { JsonValue, Kind } from "../lib/json";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { why } from "../spec/why";
import { Chain } from "./chain";
import { plugin_or_foreign } from "./find";
import { inner_request } from "./inner";
import { Inner } from "./plugin";

const LIMIT_BYTES: i32 = 65536;

/** What an agent says of its node. */
export class NodeNet {
  /** The pods' networks of the whole cluster. */
  networks: Cidr[] = [];
  /** What of them is this node's, the first of each family counts; they are what pods get. */
  subnets: Cidr[] = [];
  mtu_bytes: i32 = 0;
  /** Whether the node's plugin is to masquerade what leaves the networks. */
  masquerade: bool = false;
}

export abstract class Delegating extends Chain {
  private problem: CniError | null = null;

  get wires(): bool {
    return true;
  }
  get chained(): bool {
    return false;
  }

  /** The file of the agent, as the configuration names it. */
  protected abstract file(request: Request): string;
  /** What that file says; null, and `refuse`, when nothing of use. */
  protected abstract parse(text: string, bytes: Bytes): NodeNet | null;
  /** The type that is delegated to, where the configuration names none. */
  protected abstract get usual(): string;
  /** Who writes the file, for errors. */
  protected abstract get writer(): string;
  /** Completes what the delegate gets; `own` is what of it the configuration says. */
  protected abstract complete(object: JsonValue, own: JsonValue, net: NodeNet): void;
  /** The whole object of a delegate as it was kept for this container; null when it was not. */
  protected kept(request: Request): JsonValue | null {
    return null;
  }

  /** Says why the file is of no use. */
  protected refuse(msg: string): NodeNet | null {
    this.problem = new CniError(Code.TryAgainLater, msg);
    return null;
  }

  protected lacking(request: Request): CniError | null {
    const problem = this.problem;
    if (!problem) return null;
    if (request.env.command == "STATUS") return new CniError(Code.NotAvailable, problem.msg);
    // Before any container: what a machine that checks files has not is no mistake of the file.
    return request.env.netns.length > 0 ? problem : null;
  }

  protected compose(request: Request): Inner[] {
    const config = request.config;
    const reader = request.reader;
    const delegate = reader.object(config, "delegate");
    const own = delegate ? delegate : JsonValue.object();
    // What ADD refused is no reason that DEL fails: it hides no plugin.
    const refuses = request.env.command != "DEL";
    for (let i = 0; refuses && i < own.keys.length; i++) {
      const key = own.keys[i];
      if (key != "name" && key != "ipam") continue;
      const cure = key == "name" ? "its name is the network's" : `put it beside "delegate"`;
      reader.invalid(`"delegate" cannot have "${key}": ${cure}`, own.items[i]);
    }
    let object = this.kept(request);
    if (!object) {
      const net = this.ask(request);
      object = this.object(request, own, net ? net : stand_in());
    }
    const type = object.text_at("type");
    const plugin = plugin_or_foreign(type == request.type ? "" : type);
    if (plugin) return [new Inner(plugin, inner_request(request, object, type))];
    reader.invalid(`"type" of the delegate cannot be "${type}"`, own.get("type"));
    return [];
  }

  private ask(request: Request): NodeNet | null {
    const path = this.file(request);
    const bytes = file_read(path, LIMIT_BYTES);
    if (!bytes) {
      if (failure_errno != ENOENT) {
        this.problem = os_error(`read ${path}`, Code.TryAgainLater);
        return null;
      }
      return this.refuse(`${path} is not there: ${this.writer} writes it, look whether that runs`);
    }
    if (utf8_invalid_at(bytes.ptr, bytes.len) >= 0) return this.refuse(`${path} is no text`);
    const net = this.parse(utf8_decode(bytes.ptr, bytes.len), bytes);
    if (!net || net.subnets.length > 0) return net;
    return this.refuse(`${path} names no subnet of this node: look at the log of ${this.writer}`);
  }

  /** What the delegate gets: `own`, and what it leaves open. */
  private object(request: Request, own: JsonValue, net: NodeNet): JsonValue {
    const object = JsonValue.object();
    for (let i = 0; i < own.items.length; i++) object.append(own.keys[i], own.items[i]);
    if (object.text_at("type").length == 0) object.set("type", JsonValue.string(this.usual));
    const capabilities = request.config.get("capabilities");
    if (capabilities) object.set("capabilities", capabilities);
    if (!own.get("mtu") && net.mtu_bytes > 0) {
      object.set("mtu", JsonValue.number(net.mtu_bytes));
    }
    if (!own.get("ipMasq")) object.set("ipMasq", JsonValue.bool(net.masquerade));
    if (!own.get("nonMasqueradeCIDRs") && net.networks.length > 0) {
      object.set("nonMasqueradeCIDRs", texts(net.networks));
    }
    this.complete(object, own, net);
    object.set("ipam", this.ipam(request, net));
    if (isDefined(FAIRLEAD_TELLS) && !this.problem) this.tell(object, own, net);
    return object;
  }

  /** Says what the delegate is given, and by whom. */
  private tell(object: JsonValue, own: JsonValue, net: NodeNet): void {
    const said = `${this.writer} says so`;
    const type = own.text_at("type").length > 0;
    why("delegate", object.text_at("type"), type ? `"delegate" names it` : "what is usual for it");
    for (let i = 0; i < net.subnets.length; i++) {
      const subnet = net.subnets[i].subnet().toString();
      why("subnet", subnet, `that of this node: ${said}`);
    }
    if (net.mtu_bytes > 0) {
      const given = own.get("mtu");
      const bytes = given ? given.text : net.mtu_bytes.toString();
      why("MTU asked for", bytes, given ? `"delegate" says so` : `every path takes it: ${said}`);
    }
    const masq = own.get("ipMasq");
    const on = masq ? masq.bool : net.masquerade;
    why("masquerading asked for", on ? "on" : "off", masq ? `"delegate" says so` : said);
  }

  private ipam(request: Request, net: NodeNet): JsonValue {
    const ipam = JsonValue.object();
    const own = request.reader.object(request.config, "ipam");
    if (own) for (let i = 0; i < own.items.length; i++) ipam.append(own.keys[i], own.items[i]);
    if (ipam.text_at("type").length == 0) ipam.set("type", JsonValue.string("host-local"));
    const ranges = JsonValue.array();
    for (let i = 0; i < net.subnets.length; i++) {
      const range = JsonValue.object();
      range.set("subnet", JsonValue.string(net.subnets[i].subnet().toString()));
      const set = JsonValue.array();
      set.push(range);
      ranges.push(set);
    }
    ipam.set("ranges", ranges);
    const routes = JsonValue.array();
    const given = own ? request.reader.array(own, "routes") : null;
    if (given) for (let i = 0; i < given.items.length; i++) routes.push(given.items[i]);
    this.routes(routes, net);
    ipam.set("routes", routes);
    return ipam;
  }

  /** Adds the pods' routes to those that the configuration has. */
  protected abstract routes(routes: JsonValue, net: NodeNet): void;
}

/** A route of the pods. */
export function route_to(dst: string): JsonValue {
  const route = JsonValue.object();
  route.set("dst", JsonValue.string(dst));
  return route;
}

/** For what is said of a configuration where there is no agent: RFC 5737's network. */
function stand_in(): NodeNet {
  const net = new NodeNet();
  const cidr = cidr_parse("192.0.2.0/24");
  if (cidr) net.subnets.push(cidr);
  return net;
}

function texts(networks: Cidr[]): JsonValue {
  const list = JsonValue.array();
  for (let i = 0; i < networks.length; i++) list.push(JsonValue.string(networks[i].toString()));
  return list;
}

/** The subnets in a list of an agent; what is none is left out. */
export function subnets_read(list: JsonValue | null): Cidr[] {
  const subnets = new Array<Cidr>();
  if (!list || list.kind != Kind.Array) return subnets;
  for (let i = 0; i < list.items.length; i++) {
    const cidr = cidr_parse(list.items[i].text);
    if (cidr) subnets.push(cidr);
  }
  return subnets;
}
