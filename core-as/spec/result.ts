// SPDX-License-Identifier: Apache-2.0
// Results of every spec version, read and written. The canonical form is 1.1.0 (types.ts).
// Converting follows libcni: what an old version cannot say is dropped, except that a document
// before 0.3.0 without any address cannot be made.
import { cidr_parse, Ip, ip_parse } from "../lib/ip";
import { JsonValue, json_write, Kind } from "../lib/json";
import { ByteWriter } from "../lib/utf8";
import { CniError, Code } from "./error";
import { Reader } from "./reader";
import { DNS, Interface, IPConfig, Result, RouteConfig } from "./types";
import { SUPPORTED, version_before, version_supported } from "./version";

/** interface of an address in a document before 1.0.0: -1 meant "unknown". */
const INTERFACE_LIMIT: i64 = 65535;
const U32: i64 = 0xffffffff;

function strings_json(list: string[]): JsonValue {
  const array = JsonValue.array();
  for (let i = 0; i < list.length; i++) array.push(JsonValue.string(list[i]));
  return array;
}

function dns_json(dns: DNS, sorted: bool): JsonValue {
  const object = JsonValue.object();
  if (sorted && dns.domain.length > 0) object.append("domain", JsonValue.string(dns.domain));
  if (dns.nameservers.length > 0) object.append("nameservers", strings_json(dns.nameservers));
  if (!sorted && dns.domain.length > 0) object.append("domain", JsonValue.string(dns.domain));
  if (sorted && dns.options.length > 0) object.append("options", strings_json(dns.options));
  if (dns.search.length > 0) object.append("search", strings_json(dns.search));
  if (!sorted && dns.options.length > 0) object.append("options", strings_json(dns.options));
  return object;
}

function interfaces_json(result: Result, modern: bool): JsonValue {
  const array = JsonValue.array();
  for (let i = 0; i < result.interfaces.length; i++) {
    const item = result.interfaces[i];
    const object = JsonValue.object();
    if (!modern) object.append("name", JsonValue.string(item.name));
    if (item.mac.length > 0) object.append("mac", JsonValue.string(item.mac));
    if (modern) {
      if (item.mtu_bytes > 0) object.append("mtu", JsonValue.number(item.mtu_bytes));
      object.append("name", JsonValue.string(item.name));
      if (item.pciID.length > 0) object.append("pciID", JsonValue.string(item.pciID));
    }
    if (item.sandbox.length > 0) object.append("sandbox", JsonValue.string(item.sandbox));
    if (modern && item.socketPath.length > 0) {
      object.append("socketPath", JsonValue.string(item.socketPath));
    }
    array.push(object);
  }
  return array;
}

function ips_json(result: Result, modern: bool): JsonValue {
  const array = JsonValue.array();
  for (let i = 0; i < result.ips.length; i++) {
    const item = result.ips[i];
    const object = JsonValue.object();
    const address = JsonValue.string(item.address.toString());
    const gateway = item.gateway;
    if (modern) {
      object.append("address", address);
      if (gateway) object.append("gateway", JsonValue.string(gateway.toString()));
      if (item.interface >= 0) object.append("interface", JsonValue.number(item.interface));
    } else {
      object.append("version", JsonValue.string(item.address.ip.v6 ? "6" : "4"));
      if (item.interface >= 0) object.append("interface", JsonValue.number(item.interface));
      object.append("address", address);
      if (gateway) object.append("gateway", JsonValue.string(gateway.toString()));
    }
    array.push(object);
  }
  return array;
}

/** One route; `full` with the attributes that version 1.1.0 named, `sorted` with keys by name. */
function route_json(route: RouteConfig, full: bool, sorted: bool): JsonValue {
  const object = JsonValue.object();
  if (full && sorted && route.advmss > 0) object.append("advmss", JsonValue.number(route.advmss));
  object.append("dst", JsonValue.string(route.dst.toString()));
  const gw = route.gw;
  if (gw) object.append("gw", JsonValue.string(gw.toString()));
  if (!full) return object;
  if (route.mtu_bytes > 0) object.append("mtu", JsonValue.number(route.mtu_bytes));
  if (!sorted && route.advmss > 0) object.append("advmss", JsonValue.number(route.advmss));
  if (route.priority > 0) object.append("priority", JsonValue.number(route.priority));
  if (!sorted && route.table >= 0) object.append("table", JsonValue.number(route.table));
  if (route.scope >= 0) object.append("scope", JsonValue.number(route.scope));
  if (sorted && route.table >= 0) object.append("table", JsonValue.number(route.table));
  return object;
}

function routes_json(result: Result, modern: bool): JsonValue {
  const array = JsonValue.array();
  for (let i = 0; i < result.routes.length; i++) {
    array.push(route_json(result.routes[i], true, modern));
  }
  return array;
}

/** ip4 or ip6 of a document before 0.3.0; null when the result has no address of the family. */
function family_json(result: Result, v6: bool): JsonValue | null {
  for (let i = 0; i < result.ips.length; i++) {
    const item = result.ips[i];
    if (item.address.ip.v6 != v6) continue;
    const object = JsonValue.object();
    object.append("ip", JsonValue.string(item.address.toString()));
    const gateway = item.gateway;
    if (gateway) object.append("gateway", JsonValue.string(gateway.toString()));
    const routes = JsonValue.array();
    for (let k = 0; k < result.routes.length; k++) {
      const route = result.routes[k];
      if (route.dst.ip.v6 == v6) routes.push(route_json(route, false, false));
    }
    if (routes.items.length > 0) object.append("routes", routes);
    return object;
  }
  return null;
}

/** The result as a document of the version; null when that version cannot say it. */
export function result_json(result: Result, version: string): JsonValue | null {
  const document = JsonValue.object();
  document.append("cniVersion", JsonValue.string(version));
  if (version_before(version, "0.3.0")) {
    const ip4 = family_json(result, false);
    const ip6 = family_json(result, true);
    if (ip4) document.append("ip4", ip4);
    if (ip6) document.append("ip6", ip6);
    document.append("dns", dns_json(result.dns, false));
    return ip4 || ip6 ? document : null;
  }
  const modern = !version_before(version, "1.0.0");
  if (modern && !result.dns.empty) document.append("dns", dns_json(result.dns, true));
  if (result.interfaces.length > 0) {
    document.append("interfaces", interfaces_json(result, modern));
  }
  if (result.ips.length > 0) document.append("ips", ips_json(result, modern));
  if (result.routes.length > 0) document.append("routes", routes_json(result, modern));
  if (!modern) document.append("dns", dns_json(result.dns, false));
  return document;
}

/**
 * The result as a runtime reads it: four spaces a level, no newline at the end, as libcni prints.
 */
export function result_print(result: Result, version: string): string {
  const document = result_json(result, version);
  if (!document) return "";
  const out = new ByteWriter();
  json_write(out, document, 4);
  return out.toString();
}

/** An error as a runtime reads it (spec section 5 "Error"). */
export function error_print(error: CniError, version: string): string {
  const document = JsonValue.object();
  document.append("cniVersion", JsonValue.string(version));
  document.append("code", JsonValue.number(error.code));
  document.append("msg", JsonValue.string(error.msg));
  if (error.details.length > 0) document.append("details", JsonValue.string(error.details));
  const out = new ByteWriter();
  json_write(out, document, 4);
  return out.toString();
}

function read_ip(reader: Reader, object: JsonValue, key: string): Ip | null {
  const text = reader.string(object, key);
  if (text.length == 0) return null;
  const ip = ip_parse(text);
  if (!ip) reader.invalid(`"${key}" is not an IP address: ${text}`, object.get(key));
  return ip;
}

/** Reads a dns object, of a config or a result. */
export function dns_read(reader: Reader, object: JsonValue): DNS {
  const dns = new DNS();
  const nameservers = reader.strings(object, "nameservers");
  const search = reader.strings(object, "search");
  const options = reader.strings(object, "options");
  if (nameservers) dns.nameservers = nameservers;
  if (search) dns.search = search;
  if (options) dns.options = options;
  dns.domain = reader.string(object, "domain");
  return dns;
}

/** The metric of an IPv6 route that names none: IP6_RT_PRIO_USER, net/ipv6_route.h. */
const METRIC_DEFAULT6: i64 = 1024;
/** RT_TABLE_MAIN, linux/rtnetlink.h; table 0 means it too. */
const TABLE_MAIN: i64 = 254;

/** All that a route says in the kernel's terms, to find one that says the same. */
function route_words(route: RouteConfig): string {
  const priority = route.dst.ip.v6 && route.priority == 0 ? METRIC_DEFAULT6 : route.priority;
  const table = route.table <= 0 ? TABLE_MAIN : route.table;
  const gw = route.gw;
  const where = `${route.dst.toString()} ${table} ${priority} ${gw ? gw.toString() : ""}`;
  return `${where} ${route.scope} ${route.mtu_bytes} ${route.advmss}`;
}

/** Reads one route; null when it is unusable, with the problem in the reader. */
function route_read(reader: Reader, item: JsonValue): RouteConfig | null {
  if (!reader.isObject(item, "a route")) return null;
  const text = reader.string(item, "dst");
  const dst = cidr_parse(text);
  if (!dst) {
    if (text.length > 0 || reader.lacks(item, "dst")) {
      const what = text.length > 0 ? `not ADDRESS/BITS: "${text}"` : "missing";
      reader.invalid(`"dst" of a route is ${what}: write it as 10.0.0.0/8`, item);
    }
    return null;
  }
  // A route goes to a network: host bits mean nothing, and the kernel refuses them.
  const route = new RouteConfig(dst.subnet());
  route.gw = read_ip(reader, item, "gw");
  route.mtu_bytes = <i32>reader.integer(item, "mtu", 0, 65535);
  route.advmss = <i32>reader.integer(item, "advmss", 0, 65535);
  route.priority = reader.integer(item, "priority", 0, U32);
  route.table = reader.integer(item, "table", 0, U32, -1);
  route.scope = <i32>reader.integer(item, "scope", 0, 255, -1);
  return route;
}

/**
 * Reads a list of routes under a key, of a config or a result. `distinct`: it is a configuration's,
 * where the same route twice is a slip, and the kernel would refuse the second.
 */
export function routes_read(
  reader: Reader,
  object: JsonValue,
  key: string,
  distinct: bool = false,
): RouteConfig[] {
  const routes = new Array<RouteConfig>();
  const seen = new Set<string>();
  const array = reader.array(object, key);
  if (!array) return routes;
  for (let i = 0; i < array.items.length; i++) {
    const item = array.items[i];
    const route = route_read(reader, item);
    if (!route) continue;
    const words = distinct ? route_words(route) : "";
    if (distinct && seen.has(words)) {
      reader.invalid(`the route to ${route.dst.toString()} is given twice: remove one`, item);
    }
    if (distinct) seen.add(words);
    routes.push(route);
  }
  return routes;
}

function interfaces_read(reader: Reader, document: JsonValue, result: Result): void {
  const array = reader.array(document, "interfaces");
  if (!array) return;
  for (let i = 0; i < array.items.length; i++) {
    const item = array.items[i];
    if (!reader.isObject(item, "an interface")) continue;
    const made = new Interface(reader.string(item, "name"), reader.string(item, "sandbox"));
    made.mac = reader.string(item, "mac");
    made.mtu_bytes = <i32>reader.integer(item, "mtu", 0, i32.MAX_VALUE);
    made.socketPath = reader.string(item, "socketPath");
    made.pciID = reader.string(item, "pciID");
    result.interfaces.push(made);
  }
}

function ips_read(reader: Reader, document: JsonValue, result: Result): void {
  const array = reader.array(document, "ips");
  if (!array) return;
  for (let i = 0; i < array.items.length; i++) {
    const item = array.items[i];
    if (!reader.isObject(item, "an entry of ips")) continue;
    const text = reader.string(item, "address");
    const address = cidr_parse(text);
    if (!address) {
      reader.invalid(`"address" of a result is not ADDRESS/BITS: ${text}`, item);
      continue;
    }
    const made = new IPConfig(address);
    made.gateway = read_ip(reader, item, "gateway");
    made.interface = <i32>reader.integer(item, "interface", -1, INTERFACE_LIMIT, -1);
    result.ips.push(made);
  }
}

function family_read(reader: Reader, document: JsonValue, key: string, result: Result): void {
  const object = reader.object(document, key);
  if (!object) return;
  const text = reader.string(object, "ip");
  const address = cidr_parse(text);
  if (!address) {
    reader.invalid(`"ip" of "${key}" is not ADDRESS/BITS: ${text}`, object);
    return;
  }
  const made = new IPConfig(address);
  made.gateway = read_ip(reader, object, "gateway");
  result.ips.push(made);
  const routes = routes_read(reader, object, "routes");
  for (let i = 0; i < routes.length; i++) result.routes.push(routes[i]);
}

/**
 * Reads a result document of any version that is spoken, by the shape of its own; without
 * cniVersion, or with an empty one, it is of that of the configuration, `version` (as libcni takes
 * it). Problems land in the reader.
 */
export function result_read(reader: Reader, document: JsonValue, version: string): Result {
  const result = new Result();
  const said = reader.string(document, "cniVersion");
  const own = said.length > 0 ? said : version;
  if (!version_supported(own)) {
    reader.fail(
      Code.IncompatibleVersion,
      `a result of cniVersion "${own}" cannot be read: there are ${SUPPORTED.join(", ")}`,
      document,
    );
    return result;
  }
  if (version_before(own, "0.3.0")) {
    family_read(reader, document, "ip4", result);
    family_read(reader, document, "ip6", result);
  } else {
    interfaces_read(reader, document, result);
    ips_read(reader, document, result);
    const routes = routes_read(reader, document, "routes");
    for (let i = 0; i < routes.length; i++) result.routes.push(routes[i]);
  }
  const dns = reader.object(document, "dns");
  if (dns) result.dns = dns_read(reader, dns);
  return result;
}
