// SPDX-License-Identifier: Apache-2.0
// Routes and addresses of a device, as a record has them and as a result does. It changes nothing.
import { Route } from "../../../host/kernel";
import { cidr_parse, ip_parse } from "../../../lib/ip";
import { JsonValue, Kind } from "../../../lib/json";
import { TABLE_MAIN } from "../../../net/tables";
import { IPConfig, Result, RouteConfig } from "../../../spec/types";

/** RT_SCOPE_UNIVERSE, linux/rtnetlink.h. */
const SCOPE_GLOBAL = 0;

function number_into(into: JsonValue, key: string, value: i64): void {
  if (value != 0) into.append(key, JsonValue.number(value));
}

/** Members that say nothing are left out. */
export function route_json(route: Route): JsonValue {
  const into = JsonValue.object();
  into.append("dst", JsonValue.string(route.dst));
  if (route.gw.length > 0) into.append("gw", JsonValue.string(route.gw));
  if (route.src.length > 0) into.append("src", JsonValue.string(route.src));
  number_into(into, "scope", route.scope);
  number_into(into, "table", <u32>route.table);
  number_into(into, "priority", <u32>route.priority);
  number_into(into, "mtu", route.mtu_bytes);
  number_into(into, "advmss", route.advmss);
  number_into(into, "protocol", route.protocol);
  return into;
}

function number_at(from: JsonValue, key: string): i64 {
  const value = from.get(key);
  return value && value.isInteger() ? value.integer() : 0;
}

/** Reads one; null when it is none. */
export function route_read(from: JsonValue): Route | null {
  if (from.kind != Kind.Object) return null;
  const route = new Route();
  route.dst = from.text_at("dst");
  route.gw = from.text_at("gw");
  route.src = from.text_at("src");
  route.scope = <i32>number_at(from, "scope");
  route.table = <u32>number_at(from, "table");
  route.priority = <u32>number_at(from, "priority");
  route.mtu_bytes = <i32>number_at(from, "mtu");
  route.advmss = <i32>number_at(from, "advmss");
  route.protocol = <i32>number_at(from, "protocol");
  return route.dst.length > 0 ? route : null;
}

/** Adds to a result what a device had on the host, which the container is to have. */
export function result_take(result: Result, addresses: string[], routes: Route[]): void {
  for (let i = 0; i < addresses.length; i++) {
    const cidr = cidr_parse(addresses[i]);
    if (cidr) result.ips.push(new IPConfig(cidr));
  }
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i];
    const dst = cidr_parse(route.dst);
    if (!dst) continue;
    const config = new RouteConfig(dst);
    // The kernel's own way to say that there is none: the gateway of no address is then meant.
    config.gw = ip_parse(route.gw.length > 0 ? route.gw : dst.ip.v6 ? "::" : "0.0.0.0");
    config.priority = <i64>(<u32>route.priority);
    config.mtu_bytes = route.mtu_bytes;
    config.advmss = route.advmss;
    if (<u32>route.table != <u32>TABLE_MAIN) config.table = <i64>(<u32>route.table);
    if (route.scope != SCOPE_GLOBAL) config.scope = route.scope;
    result.routes.push(config);
  }
}
