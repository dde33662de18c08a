// SPDX-License-Identifier: Apache-2.0
// The addresses of the type `static`, from every source that it has, each once. Sources, lowest to
// highest: ipam.addresses with CNI_ARGS IP appended, args.cni.ips, runtimeConfig.ips; a higher one
// replaces the lower.
import { Cidr, cidr_parse, ip_parse } from "../../../lib/ip";
import { JsonValue } from "../../../lib/json";
import { CniArgs } from "../../../spec/args";
import { CniError, Code } from "../../../spec/error";
import { LIST_LIMIT, Reader } from "../../../spec/reader";
import { Request } from "../../../spec/request";
import { IPConfig } from "../../../spec/types";
import { why } from "../../../spec/why";

/** Says where each address comes from. */
export function addresses_tell(request: Request, ips: IPConfig[]): void {
  const ipam = request.config.get("ipam");
  const list = ipam ? ipam.get("addresses") : null;
  const configured = new Set<string>();
  for (let i = 0; list !== null && i < list.items.length; i++) {
    const address = cidr_parse(list.items[i].text_at("address"));
    if (address) configured.add(address.toString());
  }
  for (let i = 0; i < ips.length; i++) {
    const text = ips[i].address.toString();
    const own = configured.has(text);
    why("address", text, own ? `"addresses" has it` : "the runtime asked for it");
    const gateway = ips[i].gateway;
    if (gateway) why("gateway", gateway.toString(), `it stands beside the address ${text}`);
  }
}

export class Addresses {
  list: IPConfig[] = [];
  /** Those of the list, as the kernel tells them apart. */
  private seen: Set<string> = new Set<string>();

  /** Those of the configuration; problems land in the reader. */
  read(reader: Reader, ipam: JsonValue): void {
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
      this.list.push(ip);
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

  /** Those that the runtime asks for. */
  read_requested(request: Request): CniError | null {
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
    const first = this.list.length;
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
      this.list.push(new IPConfig(address));
    }
    if (gateways.length == 0) return null;
    const list = gateways.split(",").slice(0, LIST_LIMIT);
    for (let i = 0; i < list.length; i++) {
      const gateway = ip_parse(list[i]);
      if (!gateway) return new CniError(Code.InvalidConfig, `invalid gateway address: ${list[i]}`);
      for (let k = first; k < this.list.length; k++) {
        if (this.list[k].address.contains(gateway)) this.list[k].gateway = gateway;
      }
    }
    return null;
  }

  private replace(texts: string[]): CniError | null {
    this.list = new Array<IPConfig>();
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
      this.list.push(new IPConfig(address));
    }
    return null;
  }
}
