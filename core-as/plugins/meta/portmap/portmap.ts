// The CNI type `portmap`, chained: ports of the host lead to the container. This file owns the
// keys, which of the container's addresses is meant, and the order of work. What a mapping is in
// sets of nftables is mapping.ts, the chains nft/subnets.ts.
import { HOST, link_get_index, route_get, sysctl_read, sysctl_write } from "../../../host/kernel";
import { log } from "../../../host/store";
import { JsonValue } from "../../../lib/json";
import { check_failed, check_prevResult } from "../../../net/check";
import { sets_of } from "../../../net/masquerade";
import { Element } from "../../../nft/element";
import { host_port_of } from "../../../nft/hostport";
import { PORTMAP } from "../../../nft/subnets";
import { elements_possible } from "../../../nft/tables";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { Attachments } from "../../../spec/attachments";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { IPConfig, Result } from "../../../spec/types";
import { Undo } from "../../../undo";
import { dnat_element, Mapping, mapping_read, snat_elements } from "./mapping";

const MARK_BIT_MAX = 31;

export class Portmap extends Plugin {
  private mappings: Mapping[] = [];
  private snat: bool = true;
  private masqAll: bool = false;

  get uses_netns(): bool {
    return true;
  }
  get uses_nft(): bool {
    return true;
  }
  nft_sets(request: Request): string[] {
    return sets_of(PORTMAP);
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const config = request.config;
    this.snat = reader.bool(config, "snat", true);
    this.masqAll = reader.bool(config, "masqAll");
    this.read_backend(request);
    const runtime = request.runtimeConfig();
    const list = runtime ? reader.array(runtime, "portMappings") : null;
    for (let i = 0; list !== null && i < list.items.length; i++) {
      if (reader.isObject(list.items[i], "an entry of portMappings")) {
        this.mappings.push(mapping_read(reader, list.items[i]));
      }
    }
    return reader.error;
  }

  /** Keys that choose how the reference does it. What they ask for is done, or refused. */
  private read_backend(request: Request): void {
    const reader = request.reader;
    const config = request.config;
    const backend = reader.string(config, "backend");
    const mark = reader.integer(config, "markMasqBit", 0, MARK_BIT_MAX, -1);
    const chain = reader.string(config, "externalSetMarkChain");
    if (backend.length > 0 && backend != "iptables" && backend != "nftables") {
      reader.invalid(
        `unrecognized backend "${backend}": write nftables, or leave "backend" out`,
        config.get("backend"),
      );
    }
    if (mark >= 0 && chain.length > 0) {
      reader.invalid(
        "Cannot specify externalSetMarkChain and markMasqBit: remove both, no mark is needed",
        config.get("externalSetMarkChain"),
      );
    }
    refuse_conditions(request, reader.strings(config, "conditionsV4"), "conditionsV4");
    refuse_conditions(request, reader.strings(config, "conditionsV6"), "conditionsV6");
    if (request.env.command != "ADD") return;
    if (backend == "iptables") {
      log('portmap backend "iptables": Fairlead forwards ports by nftables, in a table of its own');
    }
    if (chain.length > 0) {
      log(
        `portmap externalSetMarkChain "${chain}": Fairlead masquerades by itself and marks nothing`,
      );
    }
  }

  add(request: Request, undo: Undo): Outcome {
    const result = chained(request);
    if (!result) return failed(request.reader.error);
    if (this.mappings.length == 0) return new Outcome(result);
    let error = this.want(request, result);
    if (!error) error = this.let_loopback(request, result, undo);
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
        note(request, wanted, dnat);
        if (!this.snat) continue;
        const more = snat_elements(mapping, ip.address, this.masqAll);
        for (let k = 0; k < more.length; k++) note(request, wanted, more[k]);
      }
      if (!used && request.env.command == "ADD") unused(mapping);
    }
    return null;
  }

  /**
   * Packets from 127.0.0.0/8 may leave by the link that leads to the container. It stays so after
   * DEL: other containers behind that link need it.
   */
  private let_loopback(request: Request, result: Result, undo: Undo): CniError | null {
    const found = this.loopback_key(request, result);
    if (found.key.length == 0) return found.error;
    const value = sysctl_read(HOST, found.key);
    if (value === null) return os_error(`read sysctl ${found.key}`);
    if (value == "1") return null;
    if (sysctl_write(HOST, found.key, "1") < 0) {
      return os_error(`let 127.0.0.1 reach the container (sysctl ${found.key})`);
    }
    undo.sysctl_write(HOST, found.key, value);
    return null;
  }

  /** The sysctl for it; "" when no port needs it, or the container is behind another machine. */
  private loopback_key(request: Request, result: Result): Found {
    const found = new Found();
    const ip = address_of(request, result, false);
    let needed = false;
    for (let i = 0; i < this.mappings.length; i++) {
      if (this.mappings[i].loopback) needed = true;
    }
    if (!ip || !this.snat || !needed) return found;
    const hop = route_get(HOST, ip.address.ip.toString());
    if (!hop) {
      found.error = os_error(`find the way to ${ip.address.ip.toString()}`);
    } else if (hop.gw.length == 0) {
      const link = link_get_index(HOST, hop.ifindex);
      if (link) found.key = `net/ipv4/conf/${link.name}/route_localnet`;
      else found.error = os_error(`find the link to ${ip.address.ip.toString()}`);
    }
    return found;
  }

  check(request: Request): CniError | null {
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    const error = this.want(request, result);
    if (error) return error;
    const found = this.loopback_key(request, result);
    if (found.key.length == 0) return found.error;
    const value = sysctl_read(HOST, found.key);
    if (value === null) return os_error(`read sysctl ${found.key}`);
    return value == "1" ? null : check_failed(`sysctl ${found.key} is "${value}", not 1`);
  }

  /** Elements and flows go by the record, or by their owner: attachment.ts. */
  del(request: Request, errors: CniError[]): void {}

  gc(request: Request, valid: Attachments, errors: CniError[]): void {}

  status(request: Request): CniError | null {
    return elements_possible(this.nft_sets(request));
  }
}

function refuse_conditions(request: Request, conditions: string[] | null, key: string): void {
  if (!conditions || conditions.length == 0) return;
  request.reader.invalid(
    `"${key}" cannot be had: ports are looked up in sets that all networks share; limit them ` +
      'by "hostIP", or drop packets in a chain of your own',
    request.config.get(key),
  );
}

class Found {
  key: string = "";
  error: CniError | null = null;
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

/** The first address of a family that is not provably on another interface. */
function address_of(request: Request, result: Result, v6: bool): IPConfig | null {
  for (let i = 0; i < result.ips.length; i++) {
    const ip = result.ips[i];
    if (ip.address.ip.v6 != v6) continue;
    if (ip.interface < 0 || ip.interface >= result.interfaces.length) return ip;
    const at = result.interfaces[ip.interface];
    if (at.name == request.env.ifname && at.sandbox.length > 0) return ip;
  }
  return null;
}

function note(request: Request, wanted: Map<string, string>, element: Element): void {
  const key = element.place_key;
  if (wanted.has(key)) return;
  wanted.set(key, element.data);
  request.nft.push(element);
}

function unused(mapping: Mapping): void {
  const family = mapping.not4 ? "IPv6 " : mapping.not6 ? "IPv4 " : "";
  log(
    `host port ${mapping.hostPort}/${mapping.protocol} leads nowhere: ` +
      `the container has no ${family}address`,
  );
}
