// SPDX-License-Identifier: Apache-2.0
// The CNI type `portmap`, chained: ports of the host lead to the container. This file owns the
// order of work. What a mapping is, and which address is meant, is mapping.ts, the chains are
// nft/subnets.ts.
import { Adding } from "../../../attach/adding";
import { log } from "../../../host/store";
import { check_prevResult } from "../../../net/check";
import { sets_of } from "../../../net/masquerade";
import { Element } from "../../../nft/element";
import { host_port_of } from "../../../nft/hostport";
import { legacy_reach } from "../../../nft/legacy";
import { PORTMAP } from "../../../nft/subnets";
import { elements_possible } from "../../../nft/tables";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code } from "../../../spec/error";
import { Reach } from "../../../spec/reach";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import { backend_read } from "./backend";
import { listeners_told } from "./listeners";
import { LoopbackRouted, loopback_check } from "./loopback-routed";
import { address_of, dnat_element, Mapping, mapping_read, snat_elements, unused } from "./mapping";

export class Portmap extends Plugin {
  private mappings: Mapping[] = [];
  private snat: bool = true;
  private masqAll: bool = false;

  get chained(): bool {
    return true;
  }
  nft_sets(request: Request): string[] {
    return sets_of(PORTMAP);
  }

  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: ports of the host lead to the container";
    type
      .at(CONFIG, "backend snat masqAll markMasqBit externalSetMarkChain conditionsV4 conditionsV6")
      .at(RUNTIME, "portMappings")
      .at("runtimeConfig.portMappings", "hostPort containerPort protocol hostIP");
    type.idle_without = "portMappings";
  }

  reach(request: Request, into: Reach): void {
    legacy_reach(request.env.command, into);
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const config = request.config;
    this.snat = reader.bool(config, "snat", true);
    this.masqAll = reader.bool(config, "masqAll");
    backend_read(request);
    const runtime = request.runtimeConfig();
    const list = runtime ? reader.array(runtime, "portMappings") : null;
    for (let i = 0; list !== null && i < list.items.length; i++) {
      if (reader.isObject(list.items[i], "an entry of portMappings")) {
        this.mappings.push(mapping_read(reader, list.items[i]));
      }
    }
    return reader.error;
  }

  add(request: Request, adding: Adding): Outcome {
    const result = chained(request);
    if (!result) return failed(request.reader.error);
    if (this.mappings.length == 0) return new Outcome(result);
    const error = this.want(request, result);
    const v4 = address_of(request, result, false) !== null;
    if (!error) listeners_told(this.mappings, v4, address_of(request, result, true) !== null);
    const ip = this.loopback_ip(request, result);
    if (ip.length > 0) adding.later.push(new LoopbackRouted(ip));
    return error ? failed(error) : new Outcome(result);
  }

  /** Notes what is to be in nftables. */
  private want(request: Request, result: Result): CniError | null {
    const wanted = new Map<string, string>();
    for (let i = 0; i < this.mappings.length; i++) {
      const mapping = this.mappings[i];
      let used = false;
      for (let v6 = 0; v6 < 2; v6++) {
        const ip = address_of(request, result, v6 == 1);
        if (!ip || !mapping.suits(ip.address.ip)) continue;
        used = true;
        const dnat = dnat_element(mapping, ip.address.ip);
        const port = host_port_of(dnat);
        const key = dnat.place_key;
        if (port && wanted.has(key) && wanted.get(key) != dnat.data) {
          return new CniError(
            Code.InvalidConfig,
            `${port.text} is mapped twice, to ${wanted.get(key)} and ${dnat.data}: remove one`,
          );
        }
        const again = port !== null && wanted.has(key) && request.env.command == "ADD";
        if (again && port) log(`${port.text} is mapped twice to ${dnat.data}: once is enough`);
        note(request, wanted, dnat);
        if (!this.snat) continue;
        const more = snat_elements(mapping, ip.address, this.masqAll);
        for (let k = 0; k < more.length; k++) note(request, wanted, more[k]);
      }
      if (!used && request.env.command == "ADD") unused(mapping);
    }
    return null;
  }

  /** The address to which packets from 127.0.0.0/8 are to come through; "" when none are. */
  private loopback_ip(request: Request, result: Result): string {
    const ip = address_of(request, result, false);
    if (!ip || !this.snat) return "";
    for (let i = 0; i < this.mappings.length; i++) {
      if (this.mappings[i].loopback) return ip.address.ip.toString();
    }
    return "";
  }

  check(request: Request): CniError | null {
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    const error = this.want(request, result);
    if (error) return error;
    const ip = this.loopback_ip(request, result);
    return ip.length > 0 ? loopback_check(ip) : null;
  }

  status(request: Request): CniError | null {
    return elements_possible(this.nft_sets(request));
  }
}

/** prevResult, which a chained plugin must have. */
function chained(request: Request): Result | null {
  const result = request.prevResult();
  if (!result) {
    request.reader.invalid(
      "must be called as chained plugin: put portmap behind the plugin that makes the interface",
    );
  }
  return request.reader.error ? null : result;
}

function note(request: Request, wanted: Map<string, string>, element: Element): void {
  const key = element.place_key;
  if (wanted.has(key)) return;
  wanted.set(key, element.data);
  request.nft.push(element);
}
