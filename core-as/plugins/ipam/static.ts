// The IPAM type `static`: addresses written in the configuration or requested by the runtime.
// It keeps no state. Sources, lowest to highest: ipam.addresses with CNI_ARGS IP appended,
// args.cni.ips, runtimeConfig.ips; a higher one replaces the lower.
import { Adding } from "../../attach/adding";
import { Cidr, cidr_parse, ip_parse } from "../../lib/ip";
import { JsonValue, Kind } from "../../lib/json";
import { check_failed, check_prevResult } from "../../net/check";
import { ipam_object, too_many } from "../../plugin/ipam";
import { failed, Outcome, Plugin } from "../../plugin/plugin";
import { POOLS_LIMIT, Pool } from "../../plugin/pool";
import { ARGS, CNI_ARGS, IPAM, Role, RUNTIME, Type } from "../../plugin/type";
import { CniArgs } from "../../spec/args";
import { CniError, Code } from "../../spec/error";
import { LIST_LIMIT } from "../../spec/reader";
import { Request } from "../../spec/request";
import { dns_read, routes_read } from "../../spec/result";
import { IPConfig, Result } from "../../spec/types";
import { version_before } from "../../spec/version";

export class Static extends Plugin {
  private result: Result = new Result();
  /** The addresses of the result, as the kernel tells them apart. */
  private seen: Set<string> = new Set<string>();

  get uses_netns(): bool {
    return false;
  }

  describe(type: Type): void {
    type.role = Role.Ipam;
    type.about = "IPAM: addresses written in the configuration";
    type
      .at(IPAM, "type addresses routes dns")
      .at("ipam.addresses", "address gateway")
      .at(ARGS, "ips")
      .at(RUNTIME, "ips")
      .at(CNI_ARGS, "IP GATEWAY");
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const ipam = ipam_object(request);
    if (!ipam) return reader.error;
    this.addresses(request, ipam);
    const error = this.requested(request);
    if (error) return error;
    this.result.routes = routes_read(reader, ipam, "routes", true);
    const dns = reader.object(ipam, "dns");
    if (dns) this.result.dns = dns_read(reader, dns);
    if (reader.error) return reader.error;
    return one_per_family(request, this.result);
  }

  pools(request: Request): Pool[] {
    const pools = new Array<Pool>();
    const ipam = request.config.get("ipam");
    const list = ipam ? ipam.get("addresses") : null;
    for (let i = 0; list !== null && i < min(list.items.length, POOLS_LIMIT); i++) {
      const item = list.items[i];
      const cidr = cidr_parse(item.text_at("address"));
      if (!cidr) continue;
      const given = ip_parse(item.text_at("gateway"));
      const gateway = given ? given : cidr.network().add(1);
      const at = item.get("address");
      const offset = at ? at.offset : item.offset;
      pools.push(new Pool(cidr.ip, cidr.ip, cidr.subnet(), gateway, offset));
    }
    return pools;
  }

  private addresses(request: Request, ipam: JsonValue): void {
    const reader = request.reader;
    const list = reader.array(ipam, "addresses");
    if (!list) return;
    for (let i = 0; i < list.items.length; i++) {
      const item = list.items[i];
      if (!reader.isObject(item, "an entry of addresses")) continue;
      const text = reader.string(item, "address");
      const address = cidr_parse(text);
      if (!address) {
        if (text.length > 0 || reader.lacks(item, "address")) {
          reader.invalid(
            `the 'address' field is expected to be in CIDR notation, got: '${text}'`,
            item,
          );
        }
        continue;
      }
      const twice = this.twice(address);
      if (twice.length > 0) reader.invalid(twice, item);
      const ip = new IPConfig(address);
      const gateway = reader.string(item, "gateway");
      if (gateway.length > 0) {
        const parsed = ip_parse(gateway);
        if (parsed && parsed.v6 == address.ip.v6) ip.gateway = parsed;
        else reader.invalid(`invalid gateway address: ${gateway}`, item);
      }
      this.result.ips.push(ip);
    }
  }

  /** What is wrong when an address is there already; "" when it is not. Notes it. */
  private twice(address: Cidr): string {
    // The kernel tells IPv4 addresses apart by their prefix as well.
    const key = address.ip.v6 ? address.ip.toString() : address.toString();
    if (this.seen.has(key)) {
      return `the address ${address.ip.toString()} is given twice: an interface has it once`;
    }
    this.seen.add(key);
    return "";
  }

  /** Addresses that the runtime asks for. */
  private requested(request: Request): CniError | null {
    const args = new CniArgs(request.env.args);
    if (args.error) return args.error;
    const ip = args.get("IP");
    if (ip.length > 0) {
      const error = this.fromArgs(ip.split(","), args.get("GATEWAY"));
      if (error) return error;
    }
    const cni = request.cniArgs();
    const runtime = request.runtimeConfig();
    const ips = cni ? request.reader.strings(cni, "ips") : null;
    const top = runtime ? request.reader.strings(runtime, "ips") : null;
    if (top) return this.replace(top);
    return ips ? this.replace(ips) : null;
  }

  private fromArgs(texts: string[], gateways: string): CniError | null {
    const first = this.result.ips.length;
    if (texts.length > LIST_LIMIT) {
      return new CniError(
        Code.InvalidConfig,
        `CNI_ARGS has ${texts.length} addresses in IP: at most ${LIST_LIMIT} are read`,
      );
    }
    for (let i = 0; i < texts.length; i++) {
      const address = cidr_parse(texts[i]);
      if (!address) {
        return new CniError(
          Code.InvalidConfig,
          `the 'ip' field is expected to be in CIDR notation, got: '${texts[i]}'`,
        );
      }
      const twice = this.twice(address);
      if (twice.length > 0) return new CniError(Code.InvalidConfig, twice);
      this.result.ips.push(new IPConfig(address));
    }
    if (gateways.length == 0) return null;
    const list = gateways.split(",").slice(0, LIST_LIMIT);
    for (let i = 0; i < list.length; i++) {
      const gateway = ip_parse(list[i]);
      if (!gateway) return new CniError(Code.InvalidConfig, `invalid gateway address: ${list[i]}`);
      for (let k = first; k < this.result.ips.length; k++) {
        if (this.result.ips[k].address.contains(gateway)) this.result.ips[k].gateway = gateway;
      }
    }
    return null;
  }

  private replace(texts: string[]): CniError | null {
    this.result.ips = new Array<IPConfig>();
    this.seen.clear();
    for (let i = 0; i < texts.length; i++) {
      const address = cidr_parse(texts[i]);
      if (!address) {
        return new CniError(
          Code.InvalidConfig,
          `an entry in the 'ips' field is NOT in CIDR notation, got: '${texts[i]}'`,
        );
      }
      const twice = this.twice(address);
      if (twice.length > 0) return new CniError(Code.InvalidConfig, twice);
      this.result.ips.push(new IPConfig(address));
    }
    return null;
  }

  add(request: Request, adding: Adding): Outcome {
    return new Outcome(this.result);
  }

  check(request: Request): CniError | null {
    const previous = check_prevResult(request);
    if (!previous) return request.reader.error;
    for (let i = 0; i < this.result.ips.length; i++) {
      const wanted = this.result.ips[i];
      for (let k = 0; k < previous.ips.length; k++) {
        const had = previous.ips[k];
        if (!had.address.equals(wanted.address)) continue;
        const gateway = wanted.gateway;
        const old = had.gateway;
        if (gateway && (!old || !old.equals(gateway))) {
          return check_failed(
            `the gateway of ${wanted.address.toString()} is no longer ${gateway.toString()}`,
          );
        }
      }
    }
    return null;
  }

  status(request: Request): CniError | null {
    return null;
  }
}

/** Documents before 0.3.0 hold one address of each family. */
function one_per_family(request: Request, result: Result): CniError | null {
  if (!version_before(request.version, "0.3.0")) return null;
  let v4 = 0;
  let v6 = 0;
  for (let i = 0; i < result.ips.length; i++) {
    if (result.ips[i].address.ip.v6) v6++;
    else v4++;
  }
  if (v4 <= 1 && v6 <= 1) return null;
  return too_many(request);
}
