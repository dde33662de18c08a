// SPDX-License-Identifier: Apache-2.0
// The keys of `dhcp`, as far as a person can be told what is wrong with them: what they mean to a
// lease the daemon reads (core-as/dhcp/wanted.ts). It refuses what no daemon could do.
import { option_number } from "../../../dhcp/options";
import {
  Family,
  family_of,
  family_unknown,
  option_unknown,
  VALUE_MAX_BYTES,
} from "../../../dhcp/wanted";
import { JsonValue, Kind } from "../../../lib/json";
import { Utf8 } from "../../../lib/utf8";
import { ipam_object } from "../../../plugin/ipam";
import { CniError } from "../../../spec/error";
import { Reader } from "../../../spec/reader";
import { Request } from "../../../spec/request";

/** Of sun_path (unix(7)), less its NUL byte. */
const SOCKET_MAX_BYTES: i32 = 107;

/** The family that is asked for, once plan_read has found nothing wrong. Tolerates anything. */
export function family_wanted(request: Request): Family {
  const ipam = request.config.get("ipam");
  return family_of(ipam && ipam.kind == Kind.Object ? ipam.text_at("family") : "");
}

/** Says what is wrong with the ipam object; nothing of it is kept. */
export function plan_read(request: Request): CniError | null {
  const reader = request.reader;
  const ipam = ipam_object(request);
  if (!ipam) return reader.error;
  const socket = reader.string(ipam, "daemonSocketPath");
  const long = new Utf8(socket).len > SOCKET_MAX_BYTES;
  if (socket.length > 0 && (!socket.startsWith("/") || long || socket.includes("\n"))) {
    reader.invalid(
      `"daemonSocketPath" is no path of a socket: give an absolute one of up to ` +
        `${SOCKET_MAX_BYTES} bytes`,
      ipam.get("daemonSocketPath"),
    );
  }
  reader.integer(ipam, "priority", 0, u32.MAX_VALUE);
  family_read(reader, ipam);
  provide_read(reader, ipam);
  const request_list = reader.array(ipam, "request");
  for (let i = 0; request_list !== null && i < request_list.items.length; i++) {
    const item = request_list.items[i];
    if (!reader.isObject(item, `an entry of "request"`)) continue;
    reader.bool(item, "skipDefault");
    if (item.get("option")) option_read(reader, item);
  }
  return reader.error;
}

/** Options are those of DHCPv4: their numbers mean others in DHCPv6. */
function family_read(reader: Reader, ipam: JsonValue): void {
  const text = reader.string(ipam, "family");
  const family = family_of(text);
  if (family == Family.Unknown) reader.invalid(family_unknown(text), ipam.get("family"));
  if (family != Family.Ipv6) return;
  const names = ["provide", "request", "priority"];
  for (let i = 0; i < names.length; i++) {
    const given = ipam.get(names[i]);
    if (!given) continue;
    reader.invalid(
      `"${names[i]}" is of IPv4, and "family" is ipv6: leave it out, or use "family": "both"`,
      given,
    );
  }
}

function provide_read(reader: Reader, ipam: JsonValue): void {
  const list = reader.array(ipam, "provide");
  for (let i = 0; list !== null && i < list.items.length; i++) {
    const item = list.items[i];
    if (!reader.isObject(item, `an entry of "provide"`)) continue;
    const value = reader.string(item, "value");
    reader.string(item, "fromArg");
    option_read(reader, item);
    if (new Utf8(value).len <= VALUE_MAX_BYTES) continue;
    reader.invalid(
      `the value of a DHCP option has at most ${VALUE_MAX_BYTES} bytes: shorten it`,
      item.get("value"),
    );
  }
}

function option_read(reader: Reader, item: JsonValue): void {
  const option = reader.string(item, "option");
  if (option_number(option) < 0) reader.invalid(option_unknown(option), item.get("option"));
}
