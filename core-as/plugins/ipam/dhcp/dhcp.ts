// SPDX-License-Identifier: Apache-2.0
// The IPAM type `dhcp`: the address that a DHCP server gives, by a daemon that keeps the lease
// (agent/dhcp/, or the reference's). This file owns what it does at each command. Its keys are
// plan.ts, calls of the daemon ask.ts, the lease that is held taken.ts.
import { Adding } from "../../../attach/adding";
import { Leased, LeasedRoute } from "../../../dhcp/leased";
import { ALLOCATE, RELEASE } from "../../../dhcp/rpc";
import { Family } from "../../../dhcp/wanted";
import { log } from "../../../host/store";
import { Ip } from "../../../lib/ip";
import { check_failed, check_prevResult } from "../../../net/check";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { IPAM, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code } from "../../../spec/error";
import { Reach } from "../../../spec/reach";
import { Request } from "../../../spec/request";
import { DNS, IPConfig, Result, RouteConfig } from "../../../spec/types";
import { why } from "../../../spec/why";
import { args_of, ask, away, find_daemon, socket_of } from "./ask";
import { family_wanted, plan_read } from "./plan";
import { DhcpLeased } from "./taken";

const SCOPE_LINK: i32 = 253;

export class Dhcp extends Plugin {
  private socket: string = "";

  get uses_netns(): bool {
    return false;
  }
  get over_link(): bool {
    return true;
  }

  describe(type: Type): void {
    type.role = Role.Ipam;
    type.about = 'IPAM: the address a DHCP server gives, by the daemon "fairlead dhcp"';
    type
      .at(IPAM, "type daemonSocketPath family provide request priority")
      .at("ipam.provide", "option value fromArg")
      .at("ipam.request", "skipDefault option")
      .at(RUNTIME, "");
  }
  reach(request: Request, into: Reach): void {
    into.execute(socket_of(request));
  }
  load(request: Request): CniError | null {
    this.socket = socket_of(request);
    return plan_read(request);
  }

  add(request: Request, adding: Adding): Outcome {
    const unwritten = adding.ahead(new DhcpLeased(this.socket));
    if (unwritten) return failed(unwritten);
    const asked = ask(this.socket, ALLOCATE, args_of(request));
    const error = asked.error;
    if (error) return failed(error);
    const leased = asked.leased;
    const result = new Result();
    if (!leased) return new Outcome(result);
    const partial = partial_of(leased, family_wanted(request));
    if (partial) return failed(partial);
    for (let i = 0; i < leased.ips.length; i++) {
      const ip = new IPConfig(leased.ips[i].address);
      ip.gateway = leased.ips[i].gateway;
      result.ips.push(ip);
      if (isDefined(FAIRLEAD_TELLS)) {
        const because = `a DHCP server leased it to the daemon at ${this.socket}, which renews it`;
        why("address", ip.address.toString(), because);
      }
    }
    for (let i = 0; i < leased.routes.length; i++) result.routes.push(route_of(leased.routes[i]));
    const dns = new DNS();
    dns.nameservers = leased.nameservers;
    dns.domain = leased.domain;
    dns.search = leased.search;
    result.dns = dns;
    return new Outcome(result);
  }

  /** The daemon still has the lease, or has one again, and it is that of the container. */
  check(request: Request): CniError | null {
    const asked = ask(this.socket, ALLOCATE, args_of(request));
    const error = asked.error;
    if (error) return new CniError(Code.CheckFailed, error.msg, error.details);
    const previous = check_prevResult(request);
    if (!previous) return request.reader.error;
    const leased = asked.leased;
    if (!leased) return lost("none");
    const partial = partial_of(leased, family_wanted(request));
    if (partial) return check_failed(`dhcp: ${partial.msg}`);
    for (let i = 0; i < leased.ips.length; i++) {
      const now = leased.ips[i].address;
      if (!has(previous.ips, now.ip)) return lost(now.toString());
    }
    return null;
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (recorded) return;
    const asked = ask(socket_of(request), RELEASE, args_of(request));
    const error = asked.error;
    if (!error) return;
    if (asked.away) log(`dhcp: ${away(error)}`);
    else errors.push(error);
  }

  status(request: Request): CniError | null {
    return find_daemon(this.socket);
  }
}

/** Whether an address is one of a result's. */
function has(ips: IPConfig[], ip: Ip): bool {
  for (let i = 0; i < ips.length; i++) if (ips[i].address.ip.equals(ip)) return true;
  return false;
}

function lost(now: string): CniError {
  return check_failed(`dhcp: the lease is of another address now, ${now}: attach it anew`);
}

/** A daemon that knows less than is asked for gives what it knows: that is not enough. */
function partial_of(leased: Leased, family: Family): CniError | null {
  const v4 = family == Family.Ipv6 || leased.has(false);
  const v6 = family == Family.Ipv4 || leased.has(true);
  if (v4 && v6) return null;
  const what = v4 ? "IPv6" : "IPv4";
  return new CniError(
    Code.InvalidConfig,
    `the DHCP daemon gives no ${what} address: the "family" of a network needs the daemon ` +
      '"fairlead dhcp daemon", that of the reference plugins knows IPv4 alone',
  );
}

function route_of(leased: LeasedRoute): RouteConfig {
  const route = new RouteConfig(leased.dst);
  route.gw = leased.gw;
  route.priority = leased.priority;
  if (leased.scope != SCOPE_LINK) return route;
  route.scope = SCOPE_LINK;
  // So that no gateway takes its place: what is reached without one.
  if (!leased.gw) route.gw = new Ip(false, 0, 0);
  return route;
}
