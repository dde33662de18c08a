// SPDX-License-Identifier: Apache-2.0
// The part of a lease's stored text that both families have.
import { JsonValue } from "../lib/json";
import { integer_at } from "./actions";
import { Claim } from "./claim";

export const VERSION: i64 = 1;

export function claim_write(lease: Claim, into: JsonValue): void {
  into.append("version", JsonValue.number(VERSION));
  into.append("lease", JsonValue.string(lease.id));
  into.append("network", JsonValue.string(lease.network));
  into.append("containerID", JsonValue.string(lease.containerID));
  into.append("ifname", JsonValue.string(lease.ifname));
  into.append("netns", JsonValue.string(lease.netns));
  into.append("netnsID", JsonValue.string(lease.netnsID));
  into.append("mac", JsonValue.number(<i64>lease.mac));
  into.append("kind", JsonValue.string(lease.kind));
  into.append("obtained_ms", JsonValue.number(lease.obtained_ms));
}

export function claim_read(lease: Claim, from: JsonValue): void {
  lease.id = from.text_at("lease");
  lease.network = from.text_at("network");
  lease.containerID = from.text_at("containerID");
  lease.ifname = from.text_at("ifname");
  lease.netns = from.text_at("netns");
  lease.netnsID = from.text_at("netnsID");
  lease.mac = <u64>integer_at(from, "mac", 0);
  lease.kind = from.text_at("kind");
  lease.obtained_ms = integer_at(from, "obtained_ms", 0);
}
