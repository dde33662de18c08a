// SPDX-License-Identifier: Apache-2.0
// The way of one packet through this host, from what the kernel has now: routes, bridges, ports of
// the host, other firewalls, masquerading. It asks and computes; no packet is sent.
import {
  addr_list,
  HOST,
  Link,
  link_get_index,
  link_list,
  netns_close,
  route_get,
  socket_listens,
  sysctl_read,
} from "../../host/kernel";
import { RouteTo } from "../../host/shapes.gen";
import { Cidr, cidr_parse, Ip, ip_parse } from "../../lib/ip";
import { JsonValue } from "../../lib/json";
import { closed_chains } from "../../nft/closed";
import { Element } from "../../nft/element";
import { find } from "../../nft/present";
import { protocol_number } from "../../nft/value";
import { Pod, Pods } from "./pods";

/** What is looked for. */
export class Packet {
  /** The address it comes from; null where that does not matter. */
  src: Ip | null = null;
  /** 0: no port, as of a ping. */
  port: i32 = 0;
  protocol: string = "tcp";
  constructor(public dst: Ip) {}

  get to(): string {
    const address = this.dst.toString();
    if (this.port == 0) return address;
    return `${this.dst.v6 ? `[${address}]` : address}:${this.port}/${this.protocol}`;
  }
}

/** What nftables' trace of the kernel shows when a step is as computed. */
class Facts {
  iif: string = "";
  oif: string = "";
  src: string = "";
  not_src: string = "";
  dst: string = "";
  port: i32 = 0;
  constructor(
    public family: string,
    public hook: string,
  ) {}

  get json(): JsonValue {
    const made = JsonValue.object();
    made.append("family", JsonValue.string(this.family));
    made.append("hook", JsonValue.string(this.hook));
    append_text(made, "iif", this.iif);
    append_text(made, "oif", this.oif);
    append_text(made, "src", this.src);
    append_text(made, "not_src", this.not_src);
    append_text(made, "dst", this.dst);
    if (this.port > 0) made.append("port", JsonValue.number(this.port));
    return made;
  }
}

function append_text(into: JsonValue, key: string, text: string): void {
  if (text.length > 0) into.append(key, JsonValue.string(text));
}

const BRIDGE = "bridge";
const INET = "inet";

/** How it ends. */
const enum End {
  Arrives,
  Leaves,
  Lost,
}
/** Of sctp, and of a kernel without sock_diag. */
const UNTOLD = "has it; whether somebody listens cannot be told";
const ENDS: string[] = ["arrives", "leaves", "lost"];

export class Walk {
  private steps: JsonValue = JsonValue.array();
  private result: JsonValue = JsonValue.object();
  /** What shows that it came to where it ends. */
  private last: Facts | null = null;

  constructor(
    private packet: Packet,
    private pods: Pods,
    /** The host's own packets are not forwarded, and pass no forward hook. */
    private forwarded: bool,
    /** Whether each step tells what the kernel's trace shows of it. */
    private live: bool,
  ) {}

  get json(): JsonValue {
    const made = JsonValue.object();
    made.append("steps", this.steps);
    made.append("end", this.result);
    return made;
  }

  private step(at: string, does: string, facts: Facts | null = null): void {
    const item = JsonValue.object();
    item.append("at", JsonValue.string(at));
    item.append("does", JsonValue.string(does));
    if (this.live && facts) item.append("facts", facts.json);
    this.steps.push(item);
  }

  private end(how: End, why: string, cure: string = ""): void {
    this.result.append("outcome", JsonValue.string(ENDS[<i32>how]));
    this.result.append("why", JsonValue.string(why));
    const last = this.last;
    if (this.live && last) this.result.append("facts", last.json);
    if (cure.length > 0) this.result.append("cure", JsonValue.string(cure));
  }

  /** From a container. */
  from_pod(pod: Pod): void {
    const packet = this.packet;
    packet.src = pod.address(packet.dst.v6);
    const place = `container ${pod.name}`;
    const family = packet.dst.v6 ? "IPv6" : "IPv4";
    if (!packet.src) return this.end(End.Lost, `${place} has no ${family} address`);
    if (pod.has(packet.dst)) return this.end(End.Arrives, `${place} has the address itself`);
    const ns = pod.enter();
    if (ns == 0) return this.end(End.Lost, `${place} cannot be entered: run it as root`);
    const hop = route_get(ns, packet.dst.toString());
    let link: Link | null = null;
    if (hop) link = link_get_index(ns, hop.ifindex);
    netns_close(ns);
    if (!hop || !link) {
      return this.end(
        End.Lost,
        `${place} has no route to ${packet.dst.toString()}`,
        'give its network "routes", such as {"dst": "0.0.0.0/0"}, or "isDefaultGateway": true',
      );
    }
    const src = (<Ip>packet.src).toString();
    let facts: Facts | null = null;
    if (link.kind == "veth") {
      facts = new Facts("", "prerouting");
      facts.src = src;
    }
    this.step(place, `sends by "${link.name}"${via(hop)}, from ${src}`, facts);
    this.out_of(link, hop);
  }

  /** Out of a container, by the kind of its link. */
  private out_of(link: Link, hop: RouteTo): void {
    if (link.kind != "veth") {
      const how = link.kind.length > 0 ? `a ${link.kind}` : "a device";
      return this.end(
        End.Leaves,
        `"${link.name}" is ${how}: what goes out there does not pass this host's routes and rules`,
      );
    }
    const port = link_get_index(HOST, link.peer);
    if (!port) {
      return this.end(End.Lost, `the other end of "${link.name}" is not on this host`);
    }
    if (!port.up) return this.end(End.Lost, `the host's end "${port.name}" is down`);
    let bridge: Link | null = null;
    if (port.master > 0) bridge = link_get_index(HOST, port.master);
    if (!bridge) {
      this.step("host", `takes it at "${port.name}"`, coming(INET, port));
      return this.through_host();
    }
    this.step(`bridge ${bridge.name}`, `takes it at port "${port.name}"`, coming(BRIDGE, port));
    if (!bridge.up) return this.end(End.Lost, `bridge ${bridge.name} is down`);
    this.on_bridge(bridge, hop);
  }

  private on_bridge(bridge: Link, hop: RouteTo): void {
    let gateway: Ip | null = null;
    if (hop.gw.length > 0) gateway = ip_parse(hop.gw);
    const next: Ip = gateway ? gateway : this.packet.dst;
    if (this.has_address(bridge, next)) return this.through_host();
    const pod = this.pods.at(next);
    let port: Link | null = null;
    if (pod && pod.peer > 0) port = link_get_index(HOST, pod.peer);
    if (pod && port && port.master == bridge.ifindex) {
      const facts = going(BRIDGE, "forward", port);
      this.step(`bridge ${bridge.name}`, `switches it to port "${port.name}"`, facts);
      this.last = going(BRIDGE, "postrouting", port);
      return this.arrive(pod);
    }
    this.end(
      End.Lost,
      `nobody known at bridge ${bridge.name} has ${next.toString()}${this.pods.unseen}`,
      gateway
        ? `the gateway is on no link here: "isGateway": true puts it on ${bridge.name}`
        : "no container of this host has that address: fairlead ls",
    );
  }

  private has_address(link: Link, ip: Ip): bool {
    const list = addr_list(HOST, link.ifindex);
    for (let i = 0; list !== null && i < list.length; i++) {
      const cidr = cidr_parse(list[i].address);
      if (cidr && cidr.ip.equals(ip)) return true;
    }
    return false;
  }

  private is_host(ip: Ip): bool {
    const links = link_list(HOST);
    for (let i = 0; links !== null && i < links.length; i++) {
      if (this.has_address(links[i], ip)) return true;
    }
    return ip.isLoopback();
  }

  /** At the host: a port of it that leads elsewhere, the host itself, or on. */
  through_host(): void {
    const packet = this.packet;
    const local = this.is_host(packet.dst);
    const mapped = this.mapped(local);
    if (!mapped && local) return this.at_host();
    const key = packet.dst.v6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward";
    if (this.forwarded && sysctl_read(HOST, key) == "0") {
      const dotted = key.replaceAll("/", ".");
      const why = `the host does not forward: ${dotted} is 0`;
      return this.end(End.Lost, why, `sysctl -w ${dotted}=1`);
    }
    const hop = route_get(HOST, packet.dst.toString());
    let link: Link | null = null;
    if (hop) link = link_get_index(HOST, hop.ifindex);
    if (!hop || !link) {
      return this.end(End.Lost, `the host has no route to ${packet.dst.toString()}`);
    }
    const facts = going(INET, this.forwarded ? "forward" : "postrouting", link);
    this.step("host", `routes ${packet.to} by "${link.name}"${via(hop)}`, facts);
    if (this.stopped()) return;
    this.masqueraded(link);
    this.out_of_host(link, hop);
  }

  /** A port of the host that leads to a container; the packet goes there then. */
  private mapped(local: bool): bool {
    const packet = this.packet;
    if (packet.port == 0) return false;
    const family = packet.dst.v6 ? 6 : 4;
    const key = `${packet.protocol} . ${packet.port}`;
    let found = find(new Element(`hostports_ip${family}`, `${packet.dst.toString()} . ${key}`));
    if (!found && local) found = find(new Element(`hostports${family}`, key));
    if (!found) return false;
    const parts = found.data.split(" . ");
    const ip = ip_parse(parts[0]);
    if (!ip || parts.length < 2) return false;
    const facts = new Facts(INET, this.forwarded ? "prerouting" : "output");
    facts.dst = ip.toString();
    facts.port = I32.parseInt(parts[1]);
    this.step("host", `port ${packet.port}/${packet.protocol} leads to ${found.data}`, facts);
    packet.dst = ip;
    packet.port = facts.port;
    return true;
  }

  private at_host(): void {
    const packet = this.packet;
    this.last = new Facts(INET, "input");
    if (packet.port == 0) return this.end(End.Arrives, "the host has the address itself");
    const protocol = protocol_number(packet.protocol);
    const listens = socket_listens(HOST, protocol, packet.dst.toString(), packet.port);
    if (listens < 0) this.step("host", UNTOLD);
    if (listens > 0) {
      return this.end(End.Arrives, `a process of the host listens at ${packet.to}`);
    }
    if (listens < 0) return this.end(End.Arrives, "the host has the address itself");
    this.end(
      End.Lost,
      `nobody listens at ${packet.to}`,
      "publish the port (portmap), or start what should listen",
    );
  }

  /** Whether another firewall drops it for certain; one that may is told. */
  private stopped(): bool {
    if (!this.forwarded) return false;
    const closed = closed_chains();
    for (let i = 0; i < closed.list.length; i++) {
      const chain = closed.list[i];
      if (!chain.concerns(!this.packet.dst.v6, this.packet.dst.v6)) continue;
      if (chain.certain) {
        this.end(End.Lost, chain.text, chain.advice);
        return true;
      }
      this.step("firewall", `may drop it: ${chain.text}`);
    }
    return false;
  }

  private masqueraded(link: Link): void {
    const src = this.packet.src;
    if (!src) return;
    const found = find(new Element(src.v6 ? "masq6" : "masq4", src.toString()));
    const owner = this.pods.at(src);
    if (!found || !owner) return;
    for (let i = 0; i < owner.addresses.length; i++) {
      const subnet: Cidr = owner.addresses[i];
      if (subnet.ip.equals(src) && subnet.contains(this.packet.dst)) return;
    }
    const facts = new Facts(INET, "postrouting");
    facts.not_src = src.toString();
    const does = `masquerades it: its source becomes the address of "${link.name}"`;
    this.step("host", does, facts);
  }

  private out_of_host(link: Link, hop: RouteTo): void {
    const pod = this.pods.at(this.packet.dst);
    if (!pod) {
      if (link.kind != "bridge") {
        this.last = going(INET, "postrouting", link);
        return this.end(End.Leaves, `it leaves the host by "${link.name}"${via(hop)}`);
      }
      return this.end(
        End.Lost,
        `no container at bridge ${link.name} has ${this.packet.dst.toString()}${this.pods.unseen}`,
        "fairlead ls has those that there are",
      );
    }
    let port: Link | null = null;
    if (pod.peer > 0) port = link_get_index(HOST, pod.peer);
    const leads = port !== null && (port.ifindex == link.ifindex || port.master == link.ifindex);
    if (!leads || !port) {
      return this.end(
        End.Lost,
        `container ${pod.name} has the address, and the host's route leads to "${link.name}"`,
        "another network has the same addresses: fairlead validate tells which",
      );
    }
    if (!port.up) return this.end(End.Lost, `the host's end "${port.name}" is down`);
    const bridged = link.kind == "bridge";
    const facts = going(bridged ? BRIDGE : INET, "postrouting", port);
    this.step(bridged ? `bridge ${link.name}` : "host", `gives it to "${port.name}"`, facts);
    this.last = facts;
    this.arrive(pod);
  }

  private arrive(pod: Pod): void {
    const packet = this.packet;
    const place = `container ${pod.name}`;
    if (packet.port == 0) return this.end(End.Arrives, `${place} has ${packet.dst.toString()}`);
    const ns = pod.enter();
    const protocol = protocol_number(packet.protocol);
    const listens = ns == 0 ? -1 : socket_listens(ns, protocol, packet.dst.toString(), packet.port);
    if (ns != 0) netns_close(ns);
    if (listens < 0) this.step(place, UNTOLD);
    if (listens != 0) return this.end(End.Arrives, `${place} has ${packet.to}`);
    this.end(
      End.Lost,
      `${place} is reached, and nobody listens there at ${packet.to}`,
      "start what should listen, or look which port it has",
    );
  }
}

/** In by a link, the first that is seen of it. */
function coming(family: string, link: Link): Facts {
  const made = new Facts(family, "prerouting");
  made.iif = link.name;
  return made;
}

/** Out by a link. */
function going(family: string, hook: string, link: Link): Facts {
  const made = new Facts(family, hook);
  made.oif = link.name;
  return made;
}

function via(hop: RouteTo): string {
  return hop.gw.length > 0 ? ` via ${hop.gw}` : "";
}
