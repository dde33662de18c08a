// SPDX-License-Identifier: Apache-2.0
// The sysctls that network plugins touch, with their effects on others. Any other key is ENOENT.
import { EINVAL, ENOENT } from "../lib/errno";
import { drop_ipv6, own_ipv6 } from "./addresses";
import { Conf, KNOBS, Knob } from "./knobs";
import { fail, refusal, refuse, reply, space_of, text_of } from "./slot";
import { Link, Space } from "./state";

/** Where a key leads. */
class Place {
  link: Link | null = null;
  all: bool = false;
  knob: i32 = 0;
  constructor(public conf: Conf) {}
}

/** The place of a key; null when there is none. */
function place_of(space: Space, key: string): Place | null {
  let path = key;
  if (key == "net/ipv4/ip_forward") path = "net/ipv4/conf/all/forwarding";
  const parts = path.split("/");
  if (parts.length != 5 || parts[0] != "net" || parts[2] != "conf") return null;
  const knob = KNOBS.indexOf(`${parts[1]}/${parts[4]}`);
  if (knob < 0) return null;
  const owner = parts[3];
  const link = space.by_name(owner);
  let place: Place;
  if (owner == "all") {
    place = new Place(space.conf_all);
    place.all = true;
  } else if (owner == "default") {
    place = new Place(space.conf_default);
  } else if (link && (link.ipv6 || parts[1] != "ipv6")) {
    place = new Place(link.conf);
    place.link = link;
  } else {
    return null;
  }
  place.knob = knob;
  return place;
}

/** The key as text when it is a plain path below net/; null after a refusal. */
function key_of(ptr: usize, len: i32): string | null {
  const key = text_of(ptr, len);
  if (key == null) return null;
  const parts = key.split("/");
  let plain = parts.length > 1 && parts[0] == "net";
  for (let i = 0; i < parts.length; i++) {
    plain = plain && parts[i].length > 0 && parts[i] != "." && parts[i] != "..";
  }
  if (plain) return key;
  refuse(EINVAL, `not a sysctl of a network namespace: ${key}`);
  return null;
}

/** A decimal i32 with white space around it. */
function is_number(text: string): bool {
  const digits = text.startsWith("-") ? text.substring(1) : text;
  if (digits.length == 0 || digits.length > 10) return false;
  for (let i = 0; i < digits.length; i++) {
    if (digits.charCodeAt(i) < 48 || digits.charCodeAt(i) > 57) return false;
  }
  const value = I64.parseInt(text);
  return value >= i32.MIN_VALUE && value <= i32.MAX_VALUE;
}

function set_link(space: Space, link: Link, knob: i32, value: i32): void {
  link.conf.values[knob] = value;
  if (knob != Knob.DisableIpv6) return;
  if (value != 0) drop_ipv6(space, link);
  else own_ipv6(space, link);
}

/** Forwarding and disable_ipv6 of `all` are those of every link and of links to come. */
function spreads(knob: i32): bool {
  return knob == Knob.DisableIpv6 || knob == Knob.Forwarding4 || knob == Knob.Forwarding6;
}

/** Sets a sysctl by its key; false when there is none. */
export function put_sysctl(space: Space, key: string, value: i32): bool {
  const place = place_of(space, key);
  if (!place) return false;
  const knob = place.knob;
  const link = place.link;
  const changes = place.conf.values[knob] != value;
  place.conf.values[knob] = value;
  // inet_forward_change, net/ipv4/devinet.c: a router takes no redirects.
  if (place.all && knob == Knob.Forwarding4 && changes) {
    space.conf_all.set(Knob.AcceptRedirects, i32(value == 0));
  }
  if (link) set_link(space, link, knob, value);
  if (place.all && spreads(knob)) {
    space.conf_default.values[knob] = value;
    for (let i = 0; i < space.links.length; i++) set_link(space, space.links[i], knob, value);
  }
  return true;
}

export function kernel_sysctl_read(ns: i32, key: usize, key_len: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const name = key_of(key, key_len);
  if (name == null) return refusal;
  const place = place_of(space, name);
  if (!place) return fail(ENOENT);
  reply().text(place.conf.values[place.knob].toString());
  return 0;
}

export function kernel_sysctl_write(
  ns: i32,
  key: usize,
  key_len: i32,
  value: usize,
  value_len: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const name = key_of(key, key_len);
  if (name == null) return refusal;
  const text = text_of(value, value_len);
  if (text == null) return refusal;
  if (!place_of(space, name)) return fail(ENOENT);
  const number = text.trim();
  if (!is_number(number)) return fail(EINVAL);
  put_sysctl(space, name, <i32>I64.parseInt(number));
  return 0;
}
