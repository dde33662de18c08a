// SPDX-License-Identifier: Apache-2.0
// What a configuration wants of a lease, as the daemon reads it of a caller that may be a plugin of
// others: the options to ask for, those to give, the metric of routes. What is wrong is an error.
import { JsonValue, json_parse, Kind } from "../lib/json";
import { Options, option_names, option_number, ROUTERS, SUBNET_MASK } from "./options";
import { CmdArgs, text_bytes } from "./rpc";

/** The longest value of an option. */
export const VALUE_MAX_BYTES: i32 = 255;
/** The longest name of a lease: an option less the byte before it. */
const ID_MAX_BYTES: i32 = 254;

/** A value of CNI_ARGS; "" when it is not there. */
function arg_of(args: string, name: string): string {
  const pairs = args.split(";");
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i].startsWith(`${name}=`)) return pairs[i].slice(name.length + 1);
  }
  return "";
}

/** The name of an option that a configuration gives, for an error. */
export function option_unknown(text: string): string {
  return `unknown DHCP option "${text}": use a number from 0 to 255, or ${option_names()}`;
}

/** Which addresses are wanted; the key "family" has their names. */
export const enum Family {
  Unknown,
  Ipv4,
  Ipv6,
  Both,
}

export function family_of(text: string): Family {
  if (text == "ipv4" || text == "") return Family.Ipv4;
  return text == "ipv6" ? Family.Ipv6 : text == "both" ? Family.Both : Family.Unknown;
}

/** The name of a family that a configuration gives, for an error. */
export function family_unknown(text: string): string {
  return `"family" is "${text}": use ipv4, ipv6 or both`;
}

export class Wanted {
  /** What is wrong with the call, "" for nothing. */
  error: string = "";
  /** The name of the lease, which the server knows it by too. */
  id: string = "";
  network: string = "";
  requested: i32[] = [];
  provided: Options = new Options();
  priority: i64 = 0;
  family: Family = Family.Ipv4;

  constructor(args: CmdArgs) {
    const parsed = json_parse(args.stdin.ptr, args.stdin.len);
    if (parsed.failed || parsed.value.kind != Kind.Object) {
      this.error = "the network configuration is no JSON object";
    } else this.read_all(args, parsed.value);
  }
  private read_all(args: CmdArgs, config: JsonValue): void {
    this.network = config.text_at("name");
    const parts = [args.containerID, this.network, args.ifname];
    for (let i = 0; i < parts.length; i++) {
      if (!parts[i].includes("/")) continue;
      // It would be the name of another lease.
      this.error = `"${parts[i]}" has a slash: no container, network or interface is named so`;
      return;
    }
    this.id = `${args.containerID}/${this.network}/${args.ifname}`;
    if (text_bytes(this.id).len > ID_MAX_BYTES) this.id = this.id.slice(0, ID_MAX_BYTES);
    const ipam = config.get("ipam");
    if (ipam && ipam.kind == Kind.Object) this.read(ipam, args.args);
    else this.request(null);
  }

  private read(ipam: JsonValue, args: string): void {
    const priority = ipam.get("priority");
    if (priority && priority.isInteger()) this.priority = priority.integer();
    const family = ipam.get("family");
    if (family) this.family = family_of(family.text);
    if (this.family == Family.Unknown) this.error = family_unknown(family ? family.text : "");
    const provide = ipam.get("provide");
    const items = provide && provide.kind == Kind.Array ? provide.items : [];
    for (let i = 0; i < items.length; i++) this.provide(items[i], args);
    this.request(ipam.get("request"));
  }
  private provide(item: JsonValue, args: string): void {
    const number = option_number(item.text_at("option"));
    const from = item.text_at("fromArg");
    const value = from.length > 0 ? arg_of(args, from) : item.text_at("value");
    const bytes = text_bytes(value);
    if (number < 0) this.error = option_unknown(item.text_at("option"));
    else if (bytes.len > VALUE_MAX_BYTES) {
      this.error = `option ${number} has more than ${VALUE_MAX_BYTES} bytes`;
    } else if (bytes.len > 0 && number > 0 && number < 255 && !this.provided.get(number)) {
      this.provided.add(number).bytes(bytes.ptr, bytes.len);
    }
  }
  /** Routers and the mask, unless somebody says to skip them, and what is named beside. */
  private request(list: JsonValue | null): void {
    const items = list && list.kind == Kind.Array ? list.items : [];
    let skip = false;
    const named = new Array<i32>();
    for (let i = 0; i < items.length; i++) {
      const skips = items[i].get("skipDefault");
      if (skips && skips.bool) skip = true;
      const text = items[i].text_at("option");
      if (text.length == 0) continue;
      const number = option_number(text);
      if (number < 0) this.error = option_unknown(text);
      else named.push(number);
    }
    if (!skip) this.ask([SUBNET_MASK, ROUTERS]);
    this.ask(named);
  }
  private ask(numbers: i32[]): void {
    for (let i = 0; i < numbers.length; i++) {
      if (!this.requested.includes(numbers[i])) this.requested.push(numbers[i]);
    }
    // RFC 3442: who asks for both is given the routes before the routers.
    this.requested.sort((a, b) => rank(a) - rank(b));
  }
}

/** Classless routes come before routers, and those before the old routes. */
function rank(number: i32): i32 {
  return number == 121
    ? 2
    : number == ROUTERS
      ? 3
      : number == 33
        ? 4
        : number == SUBNET_MASK
          ? 1
          : 5;
}
