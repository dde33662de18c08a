// SPDX-License-Identifier: Apache-2.0
// What main plugins want of nftables: masquerading of a container's addresses (ipMasq) and that
// frames from its port bear its own MAC (macspoofchk). They only say what they want: attachment.ts
// brings it into the kernel, all at once.
import { log } from "../host/store";
import { Cidr, cidr_parse } from "../lib/ip";
import { JsonValue, Kind } from "../lib/json";
import { Element } from "../nft/element";
import { Part } from "../nft/part";
import { SPOOF } from "../nft/parts";
import { MASQ, subnet_chain_name } from "../nft/subnets";
import { Request } from "../spec/request";
import { IPConfig, Result } from "../spec/types";
import { why } from "../spec/why";
import { container_index } from "./check";

/** Destinations that are not masqueraded beside the container's subnet (nonMasqueradeCIDRs). */
const SPARED = "nonMasqueradeCIDRs";
/** An nft name holds no more of them. */
const SPARED_LIMIT: i32 = 4;

/** Reads ipMasq, ipMasqBackend and nonMasqueradeCIDRs; problems land in the reader. */
export function masq_read(request: Request): bool {
  const reader = request.reader;
  spared_read(request);
  const backend = reader.string(request.config, "ipMasqBackend");
  if (!reader.bool(request.config, "ipMasq")) return false;
  if (backend == "iptables" && request.env.command == "ADD") {
    log(
      "ipMasqBackend iptables: Fairlead masquerades by nftables, in a table of its own, " +
        "and makes no iptables rules",
    );
  } else if (backend.length > 0 && backend != "nftables" && backend != "iptables") {
    reader.invalid(
      `unknown ipmasq backend "${backend}": write nftables, or leave "ipMasqBackend" out`,
      request.config.get("ipMasqBackend"),
    );
  }
  return true;
}

/** The list as it stands; what is wrong lands in the reader. */
function spared_read(request: Request): Cidr[] {
  const spared = new Array<Cidr>();
  const config = request.config;
  const texts = request.reader.strings(config, SPARED);
  if (!texts) return spared;
  const at = config.get(SPARED);
  for (let i = 0; i < texts.length; i++) {
    const cidr = cidr_parse(texts[i]);
    if (cidr && cidr.bits > 0) spared.push(cidr);
    else {
      request.reader.invalid(
        `"${texts[i]}" in ${SPARED} is no subnet: write one as "10.244.0.0/16"`,
        at,
      );
    }
  }
  if (spared.length > SPARED_LIMIT) {
    request.reader.invalid(`${SPARED} holds more than ${SPARED_LIMIT} subnets: join them`, at);
  }
  return spared;
}

/** Masquerades the addresses of CNI_IFNAME and those that name no interface. */
export function masq_want(request: Request, result: Result): void {
  const index = container_index(request, result);
  const spared = spared_read(request);
  for (let i = 0; i < result.ips.length; i++) {
    const ip = result.ips[i];
    if (ip.interface < 0 || ip.interface == index) address_want(request, ip, spared);
  }
}

/** Packets from an address to any destination outside its subnet and `spared`. */
function address_want(request: Request, ip: IPConfig, spared: Cidr[]): void {
  const address = ip.address;
  // In a subnet of prefix length 0 lies every destination.
  if (address.bits == 0) return;
  const set = address.ip.v6 ? "masq6" : "masq4";
  const chain = subnet_chain_name(address, spared);
  if (isDefined(FAIRLEAD_TELLS)) {
    const where = `what leaves ${address.network().toString()}/${address.bits}`;
    why("masquerading", address.ip.toString(), `"ipMasq" is on: for ${where}`);
  }
  request.nft.push(new Element(set, address.ip.toString(), `goto ${chain}`));
}

/** Drop frames that come from a port with another MAC than the container's. */
export function spoof_want(request: Request, port: string, mac: string): void {
  request.nft.push(new Element("spoof_ports", port));
  request.nft.push(new Element("spoof_pairs", `${port} . ${mac}`));
}

/** The sets that macspoofchk of a configuration leads to. */
export function spoof_sets(request: Request): string[] {
  return is_on(request.config, "macspoofchk") ? sets_of(SPOOF) : [];
}

/** Whether a key is true in a configuration that may be broken. */
export function is_on(config: JsonValue, key: string): bool {
  const value = config.get(key);
  return value !== null && value.kind == Kind.Bool && value.bool;
}

/** Names of a part's sets. */
export function sets_of(part: Part): string[] {
  const names = new Array<string>();
  for (let i = 0; i < part.sets.length; i++) names.push(part.sets[i].name);
  return names;
}

/** The sets that ipMasq of a configuration leads to. */
export function masq_sets(request: Request): string[] {
  return is_on(request.config, "ipMasq") ? sets_of(MASQ) : [];
}
