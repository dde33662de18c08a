// SPDX-License-Identifier: Apache-2.0
// A lease of IPv4, and the text in which it outlives the daemon. What is done with it is client.ts.
import { base64_decode } from "../lib/base64";
import { JsonValue, json_text } from "../lib/json";
import { ByteWriter } from "../lib/utf8";
import { bytes_append, integer_at } from "./actions";
import { Claim, State } from "./claim";
import { claim_read, claim_write, VERSION } from "./kept";
import { Leased } from "./leased";
import { CLIENT_ID, Options, SERVER_ID } from "./options";
import { Message, message_body, RELEASED } from "./packet";
import { text_bytes } from "./rpc";
import { leased_by, mask_bits, Times } from "./terms";

export class Lease extends Claim {
  requested: i32[] = [];
  provided: Options = new Options();
  priority: i64 = 0;
  mtu_bytes: i32 = 0;

  /** IPv4, 0 for none; of an offer while it is requested. */
  address: u32 = 0;
  server: u32 = 0;
  /** Of the server, or of the router before it. */
  server_mac: u64 = 0;
  /** What the server said last. */
  options: Options = new Options();
  times: Times = new Times(new Options());
  /** The address that it has to get again, 0 for any. */
  keep: u32 = 0;
  /** The server said that it is there. */
  heard: bool = false;

  get v6(): bool {
    return false;
  }
  /** When the lease is over; -1 for never. */
  get over_ms(): i64 {
    return this.times.lease_ms < 0 ? -1 : this.obtained_ms + this.times.lease_ms;
  }
  get leased(): Leased {
    return leased_by(this.address, this.options, this.priority);
  }
  /** Whether the server is in the lease's own subnet. */
  get server_near(): bool {
    const bits = mask_bits(this.options);
    return bits > 0 && (this.address ^ this.server) >> (32 - bits) == 0;
  }
  /** The name that the server knows the client by, as far as the configuration gives no other. */
  add_client_id(options: Options): void {
    const given = this.provided.get(CLIENT_ID);
    const out = options.add(CLIENT_ID);
    if (given) {
      out.bytes(given.ptr, given.len);
      return;
    }
    out.byte(0);
    const bytes = text_bytes(this.id);
    out.bytes(bytes.ptr, min(bytes.len, 254));
  }
  /** RELEASE, without heads. */
  release_message(xid: u32): Message {
    const message = new Message();
    message.type = RELEASED;
    message.xid = xid;
    message.ciaddr = this.address;
    message.chaddr = this.mac;
    this.add_client_id(message.options);
    message.options.add(SERVER_ID).bytes(bytes_of_u32(this.server).ptr, 4);
    return message;
  }
  release_body(xid: u32): ByteWriter {
    return message_body(this.release_message(xid));
  }

  /** The text that lease_read reads. */
  text(): string {
    const into = JsonValue.object();
    claim_write(this, into);
    into.append("address", JsonValue.number(<i64>this.address));
    into.append("server", JsonValue.number(<i64>this.server));
    into.append("server_mac", JsonValue.number(<i64>this.server_mac));
    const requested = JsonValue.array();
    for (let i = 0; i < this.requested.length; i++) {
      requested.push(JsonValue.number(this.requested[i]));
    }
    into.append("request", requested);
    bytes_append(into, "provide", options_bytes(this.provided));
    bytes_append(into, "options", options_bytes(this.options));
    into.append("priority", JsonValue.number(this.priority));
    into.append("owed", JsonValue.bool(this.state == State.Owed));
    return json_text(into);
  }
}

function options_bytes(options: Options): ByteWriter {
  const out = new ByteWriter();
  options.write(out);
  return out;
}

export function bytes_of_u32(value: u32): ByteWriter {
  const out = new ByteWriter();
  for (let shift = 24; shift >= 0; shift -= 8) out.byte(<i32>(value >> shift) & 255);
  return out;
}

function options_at(from: JsonValue, name: string): Options {
  const options = new Options();
  const bytes = base64_decode(from.text_at(name));
  if (bytes) options.read(bytes.ptr, bytes.len);
  return options;
}

/** A lease that an earlier daemon had; null for what is none, or of another version. */
export function lease_read(from: JsonValue): Lease | null {
  const lease = new Lease();
  claim_read(lease, from);
  lease.address = <u32>integer_at(from, "address", 0);
  lease.server = <u32>integer_at(from, "server", 0);
  lease.server_mac = <u64>integer_at(from, "server_mac", 0);
  const requested = from.get("request");
  for (let i = 0; requested !== null && i < requested.items.length; i++) {
    const number = requested.items[i];
    if (number.isInteger()) lease.requested.push(<i32>number.integer());
  }
  lease.provided = options_at(from, "provide");
  lease.options = options_at(from, "options");
  lease.priority = integer_at(from, "priority", 0);
  lease.times = new Times(lease.options);
  const owed = from.get("owed");
  lease.state = owed && owed.bool ? State.Owed : State.Bound;
  const whole = lease.id.length > 0 && lease.address != 0 && mask_bits(lease.options) > 0;
  return whole && integer_at(from, "version", 0) == VERSION ? lease : null;
}
