// SPDX-License-Identifier: Apache-2.0
// A lease of IPv6: one address of a server (RFC 8415, IA_NA), when it is renewed and over, what it
// gives a container, and the text in which it outlives the daemon. What is done with it is in
// client.ts.
import { base64_decode } from "../../lib/base64";
import { Cidr, Ip, ip_parse } from "../../lib/ip";
import { JsonValue, json_text } from "../../lib/json";
import { hash64 } from "../../lib/name";
import { ByteWriter } from "../../lib/utf8";
import { bytes_append, integer_at } from "../actions";
import { Claim, State } from "../claim";
import { claim_read, claim_write, VERSION } from "../kept";
import { Leased, LeasedIp } from "../leased";
import { names_of } from "../terms";
import { u16_put, u64_put } from "../wire";
import { Association, DOMAIN_SEARCH, ip_get, NAME_SERVERS, Options6 } from "./options";
import { link_local } from "./packet";

/** A name by a UUID (RFC 6355). */
const DUID_UUID: i32 = 4;
/** The one association of a client. */
export const ASSOCIATION: u32 = 1;
const FOREVER_S: u32 = 0xffffffff;
/** A renewal comes no sooner, but of a lease that is shorter: no server is asked without end. */
const LEAST_RENEWAL_MS: i64 = 10000;
const ADDRESS_BYTES: i32 = 16;
const NAME_SERVERS_LIMIT: i32 = 32;

export class Lease6 extends Claim {
  /** What the client speaks from. */
  source: Ip = new Ip(true, 0, 0);
  /** The address; of an offer while it is requested. */
  address: Ip = new Ip(true, 0, 0);
  /** The server's DUID. */
  server: ByteWriter = new ByteWriter(32);
  /** Where it, or the relay before it, speaks from: for a person. */
  server_text: string = "";
  nameservers: string[] = [];
  search: string[] = [];
  /** From `obtained_ms` on; -1 for never. */
  t1_ms: i64 = -1;
  t2_ms: i64 = -1;
  lease_ms: i64 = -1;
  /** The time until the message is said again, were it not cut short. */
  wait_ms: i64 = 0;
  /** When nobody can say any more that he has the address. */
  free_ms: i64 = 0;
  /** The pod has the address already: it has to be this one again. */
  keep: bool = false;
  /** The server that said, of an address that is being confirmed, that it is of another link. */
  elsewhere: string = "";

  get v6(): bool {
    return true;
  }
  get leased(): Leased {
    const leased = new Leased();
    // A server says nothing of the prefix: routers do.
    leased.ips.push(new LeasedIp(new Cidr(this.address, this.address.width)));
    leased.nameservers = this.nameservers.slice();
    leased.search = this.search.slice();
    return leased;
  }
  /** The name that servers know the client by: of what the lease is for, whatever daemon asks. */
  duid_write(out: ByteWriter): void {
    u16_put(out, DUID_UUID);
    // Version 8 and variant of RFC 9562: the rest is ours to say.
    u64_put(out, (hash64(this.id) & 0xffffffffffff0fff) | 0x8000);
    u64_put(out, (hash64(`${this.id}\n`) >> 2) | 0x8000000000000000);
  }
  /** Where it speaks from: an address that the kernel has, or would give. */
  speak_from(text: string): void {
    const told = ip_parse(text);
    this.source = told && told.v6 && told.isLinkLocal() ? told : link_local(this.mac);
  }
  /** Takes the times of one of a server's addresses (RFC 8415 section 14.2). */
  times_take(from: Association, at: i32): void {
    const valid_s = from.valid_s[at];
    this.lease_ms = valid_s == FOREVER_S ? -1 : <i64>valid_s * 1000;
    this.t1_ms = -1;
    this.t2_ms = -1;
    if (this.lease_ms < 0) return;
    // An address that is not to be used for anything new is renewed in its time all the same.
    const preferred_s = <i64>(from.preferred_s[at] > 0 ? from.preferred_s[at] : valid_s);
    const t1_ms = from.t1_s > 0 ? <i64>from.t1_s * 1000 : preferred_s * 500;
    const t2_ms = from.t2_s > 0 ? <i64>from.t2_s * 1000 : preferred_s * 800;
    const least_ms = min(LEAST_RENEWAL_MS, this.lease_ms / 2);
    this.t2_ms = min(max(t2_ms, least_ms), this.lease_ms);
    this.t1_ms = min(max(t1_ms, least_ms), this.t2_ms);
  }
  /** Takes name servers and domains. */
  names_take(options: Options6): void {
    this.nameservers = [];
    const servers = options.get(NAME_SERVERS);
    for (let at = 0; servers !== null && at + ADDRESS_BYTES <= servers.len; at += ADDRESS_BYTES) {
      if (this.nameservers.length == NAME_SERVERS_LIMIT) break;
      this.nameservers.push(ip_get(servers.ptr + at).toString());
    }
    const search = options.get(DOMAIN_SEARCH);
    this.search = search ? names_of(search) : [];
  }

  text(): string {
    const into = JsonValue.object();
    claim_write(this, into);
    into.append("family", JsonValue.string("ipv6"));
    into.append("address", JsonValue.string(this.address.toString()));
    into.append("server", JsonValue.string(this.server_text));
    bytes_append(into, "serverID", this.server);
    into.append("nameservers", texts(this.nameservers));
    into.append("search", texts(this.search));
    into.append("t1_ms", JsonValue.number(this.t1_ms));
    into.append("t2_ms", JsonValue.number(this.t2_ms));
    into.append("lease_ms", JsonValue.number(this.lease_ms));
    return json_text(into);
  }
}

function texts(list: string[]): JsonValue {
  const all = JsonValue.array();
  for (let i = 0; i < list.length; i++) all.push(JsonValue.string(list[i]));
  return all;
}

function texts_at(from: JsonValue, name: string): string[] {
  const list = new Array<string>();
  const all = from.get(name);
  for (let i = 0; all !== null && i < all.items.length; i++) list.push(all.items[i].text);
  return list;
}

/** Whether an address can be a host's, of more than its link; one that stands for IPv4 is not. */
export function usable(ip: Ip): bool {
  const mapped = ip.high == 0 && ip.low >> 32 == 0xffff;
  if (mapped || ip.isUnspecified() || ip.isLoopback()) return false;
  return !ip.isLinkLocal() && !ip.isMulticast();
}

/** A lease that an earlier daemon had; null when the text is none, or of another version. */
export function lease6_read(from: JsonValue): Lease6 | null {
  const lease = new Lease6();
  claim_read(lease, from);
  const address = ip_parse(from.text_at("address"));
  const server = base64_decode(from.text_at("serverID"));
  if (!address || !address.v6 || !usable(address) || !server || server.len == 0) return null;
  lease.address = address;
  lease.server = server;
  lease.server_text = from.text_at("server");
  lease.nameservers = texts_at(from, "nameservers");
  lease.search = texts_at(from, "search");
  lease.t1_ms = integer_at(from, "t1_ms", -1);
  lease.t2_ms = integer_at(from, "t2_ms", -1);
  lease.lease_ms = integer_at(from, "lease_ms", -1);
  lease.state = State.Bound;
  const whole = lease.id.length > 0 && lease.t1_ms <= lease.t2_ms;
  return whole && integer_at(from, "version", 0) == VERSION ? lease : null;
}
