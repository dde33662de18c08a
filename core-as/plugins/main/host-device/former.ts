// SPDX-License-Identifier: Apache-2.0
// What a device was on the host before a container had it, as a record has it. It changes nothing.
import { Address, Link, Route } from "../../../host/kernel";
import { JsonValue, Kind } from "../../../lib/json";
import { route_json, route_read } from "./routes";

/** RTPROT_KERNEL, linux/rtnetlink.h: what comes with an address. */
const PROTOCOL_KERNEL = 2;

export class Former {
  kind: string = "";
  /** The address that it was built with; "" for none. */
  permaddr: string = "";
  mac: string = "";
  mtu_bytes: i32 = 0;
  up: bool = false;
  promisc: bool = false;
  allmulti: bool = false;
  txqlen: i32 = 0;
  /** What it was called beside its name. */
  alias: string = "";
  addresses: string[] = [];
  routes: Route[] = [];

  /**
   * Of this very call, which takes back what it did and no more: the name and the alias that it
   * found; "" for those that DEL gives.
   */
  found_as: string = "";

  /** `name`: what it is called on the host, and its mark, an alias, while a container has it. */
  constructor(public name: string) {}

  /** Reads it as it is. */
  look(link: Link): void {
    this.kind = link.kind;
    this.permaddr = link.permaddr;
    this.mac = link.address;
    this.mtu_bytes = link.mtu_bytes;
    this.promisc = link.promisc;
    this.allmulti = link.allmulti;
    this.txqlen = <i32>link.txqlen;
  }

  /** The name that it gets on the host. */
  get given_name(): string {
    return this.found_as.length > 0 ? this.found_as : this.name;
  }
  /** What it is called beside that. */
  get given_alias(): string {
    return this.given_name != this.name ? this.name : this.alias;
  }

  /** The same of one that is on the host. */
  look_around(link: Link, addresses: Address[], routes: Route[]): void {
    this.look(link);
    this.up = link.up;
    this.found_as = link.name;
    // One that was lost in a container has the mark of that.
    this.alias = link.alias == this.name ? "" : link.alias;
    for (let i = 0; i < addresses.length; i++) {
      if (!addresses[i].address.includes(":")) this.addresses.push(addresses[i].address);
    }
    // Of IPv6 the newest comes first in the list, and is to do so again.
    for (let i = addresses.length - 1; i >= 0; i--) {
      if (addresses[i].address.includes(":")) this.addresses.push(addresses[i].address);
    }
    for (let i = 0; i < routes.length; i++) {
      if (routes[i].protocol != PROTOCOL_KERNEL) this.routes.push(routes[i]);
    }
  }

  /** Whether a link may be the device. */
  may_be(link: Link): bool {
    return link.kind == this.kind && link.permaddr == this.permaddr;
  }

  write(into: JsonValue): void {
    into.append("device", JsonValue.string(this.name));
    into.append("kind", JsonValue.string(this.kind));
    into.append("mac", JsonValue.string(this.mac));
    if (this.permaddr.length > 0) into.append("permaddr", JsonValue.string(this.permaddr));
    into.append("mtu", JsonValue.number(this.mtu_bytes));
    into.append("txQLen", JsonValue.number(this.txqlen));
    into.append("up", JsonValue.bool(this.up));
    if (this.promisc) into.append("promisc", JsonValue.bool(true));
    if (this.allmulti) into.append("allmulti", JsonValue.bool(true));
    if (this.alias.length > 0) into.append("alias", JsonValue.string(this.alias));
    const addresses = JsonValue.array();
    for (let i = 0; i < this.addresses.length; i++) {
      addresses.push(JsonValue.string(this.addresses[i]));
    }
    if (this.addresses.length > 0) into.append("addresses", addresses);
    const routes = JsonValue.array();
    for (let i = 0; i < this.routes.length; i++) routes.push(route_json(this.routes[i]));
    if (this.routes.length > 0) into.append("routes", routes);
  }
}

function is_true(from: JsonValue, key: string): bool {
  const value = from.get(key);
  return value !== null && value.kind == Kind.Bool && value.bool;
}

/** Reads one; null when it is none. */
export function former_read(from: JsonValue): Former | null {
  const name = from.text_at("device");
  if (name.length == 0) return null;
  const former = new Former(name);
  former.kind = from.text_at("kind");
  former.mac = from.text_at("mac");
  former.permaddr = from.text_at("permaddr");
  former.alias = from.text_at("alias");
  const mtu = from.get("mtu");
  if (mtu && mtu.isInteger()) former.mtu_bytes = <i32>mtu.integer();
  const txqlen = from.get("txQLen");
  if (txqlen && txqlen.isInteger()) former.txqlen = <i32>txqlen.integer();
  former.up = is_true(from, "up");
  former.promisc = is_true(from, "promisc");
  former.allmulti = is_true(from, "allmulti");
  const addresses = from.get("addresses");
  for (let i = 0; addresses !== null && i < addresses.items.length; i++) {
    former.addresses.push(addresses.items[i].text);
  }
  const routes = from.get("routes");
  for (let i = 0; routes !== null && i < routes.items.length; i++) {
    const route = route_read(routes.items[i]);
    if (route) former.routes.push(route);
  }
  return former;
}
