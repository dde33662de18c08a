// SPDX-License-Identifier: Apache-2.0
// The IPAM type `dhcp`: the address that a DHCP server gives, by a daemon that keeps the lease
// (agent/dhcp/, or the reference's). This file owns what it does at each command. Its keys are
// plan.ts, calls of the daemon ask.ts, the lease that is held taken.ts.
import { Adding } from "../../../attach/adding";
import { LeasedRoute } from "../../../dhcp/leased";
import { ALLOCATE, RELEASE } from "../../../dhcp/rpc";
import { log } from "../../../host/store";
import { Ip } from "../../../lib/ip";
import { check_failed, check_prevResult } from "../../../net/check";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { IPAM, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code } from "../../../spec/error";
import { Reach } from "../../../spec/reach";
import { Request } from "../../../spec/request";
import { DNS, IPConfig, Result, RouteConfig } from "../../../spec/types";
import { args_of, ask, away, find_daemon, socket_of } from "./ask";
import { plan_read } from "./plan";
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
      .at(IPAM, "type daemonSocketPath provide request priority")
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
    const ip = new IPConfig(leased.address);
    ip.gateway = leased.gateway;
    result.ips.push(ip);
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
    for (let i = 0; leased !== null && i < previous.ips.length; i++) {
      if (previous.ips[i].address.ip.equals(leased.address.ip)) return null;
    }
    const now = leased ? leased.address.toString() : "none";
    return check_failed(`dhcp: the lease is of another address now, ${now}: attach it anew`);
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
