// SPDX-License-Identifier: Apache-2.0
// DHCP daemons of the simulated machine: each gives one address of a family, the same to everybody,
// and keeps the names of those who have it. One without "address6" knows IPv4 alone. It refuses to
// know any other daemon.
import { Leased, LeasedIp, LeasedRoute } from "../dhcp/leased";
import { ALLOCATE, Answers, behind_head, Call, Calls, HELLO, RELEASE, WELCOME } from "../dhcp/rpc";
import { Family, Wanted } from "../dhcp/wanted";
import { ECONNREFUSED, EINVAL, ENOENT, ETIMEDOUT } from "../lib/errno";
import { cidr_parse, ip_parse } from "../lib/ip";
import { JsonValue } from "../lib/json";
import { Utf8 } from "../lib/utf8";
import { Daemon } from "./daemon";
import { fail, refusal, reply, text_of } from "./slot";
import { state } from "./state";

function leased_of(says: JsonValue, family: Family, priority: i64): Leased {
  const leased = new Leased();
  const address6 = cidr_parse(says.text_at("address6"));
  if (family != Family.Ipv6 || !address6) {
    const ip = new LeasedIp(cidr_parse(says.text_at("address"))!);
    ip.gateway = ip_parse(says.text_at("gateway"));
    leased.ips.push(ip);
  }
  if (family != Family.Ipv4 && address6) leased.ips.push(new LeasedIp(address6));
  leased.domain = says.text_at("domain");
  const routes: JsonValue | null = leased.has(false) ? says.get("routes") : null;
  for (let i = 0; routes !== null && i < routes.items.length; i++) {
    const dst = cidr_parse(routes.items[i].text_at("dst"));
    if (!dst) continue;
    const gw = ip_parse(routes.items[i].text_at("gw"));
    const route = new LeasedRoute(dst, gw);
    route.priority = priority;
    if (!gw) route.scope = 253;
    leased.routes.push(route);
  }
  const nameservers = says.get("nameservers");
  for (let i = 0; nameservers !== null && i < nameservers.items.length; i++) {
    leased.nameservers.push(nameservers.items[i].text);
  }
  return leased;
}

/** Does what is asked; answers in the slot. */
function serve(daemon: Daemon, call: Call): i32 {
  const wanted = new Wanted(call.args);
  const at = daemon.leases.indexOf(wanted.id);
  const answers = new Answers();
  const out = reply().text(WELCOME);
  let bytes = answers.done(call, wanted.error);
  if (call.method == RELEASE) {
    if (at >= 0) daemon.leases.splice(at, 1);
    bytes = new Answers().done(call, daemon.says.text_at("release_error"));
  } else if (call.method == ALLOCATE && wanted.error.length == 0) {
    const error = daemon.says.text_at("error");
    if (error.length == 0 && at < 0) daemon.leases.push(wanted.id);
    bytes =
      error.length > 0
        ? new Answers().done(call, error)
        : new Answers().result(call, leased_of(daemon.says, wanted.family, wanted.priority));
  }
  out.bytes(bytes.ptr, bytes.len);
  return 0;
}

export function plugin_socket_call(
  path: usize,
  path_len: i32,
  opening: usize,
  opening_len: i32,
  request: usize,
  request_len: i32,
  _timeout_ms: i32,
): i32 {
  const name = text_of(path, path_len);
  if (name == null) return refusal;
  // A socket whose process is gone is a file that nobody listens at.
  if (state.files.has(name)) return fail(ECONNREFUSED);
  if (!state.daemons.has(name)) return fail(ENOENT);
  const daemon = state.daemons.get(name);
  if (daemon.says.get("silent")) return fail(ETIMEDOUT);
  if (opening_len == 0) {
    reply();
    return 0;
  }
  const says = daemon.says.text_at("says");
  if (says.length > 0) {
    reply().text(says);
    return 0;
  }
  const hello = new Utf8(HELLO);
  const greeted = opening_len == hello.len && behind_head(opening, opening_len) == opening_len;
  const calls = new Calls();
  calls.feed(request, request_len);
  const call = calls.next();
  return greeted && call ? serve(daemon, call) : fail(EINVAL, "what is said is no call");
}
