// SPDX-License-Identifier: Apache-2.0
// Sockets of processes: the simulated machine runs none, so nobody listens.

import { EINVAL, EOPNOTSUPP } from "../lib/errno";
import { ip_parse } from "../lib/ip";
import { fail, refusal, space_of, text_of } from "./slot";

/** linux/in.h IPPROTO_TCP, IPPROTO_UDP */
const PROTOCOLS: i32[] = [6, 17];

export function kernel_socket_listens(
  ns: i32,
  protocol: i32,
  address: usize,
  address_len: i32,
  port: i32,
): i32 {
  const text = space_of(ns) ? text_of(address, address_len) : null;
  if (text == null) return refusal;
  if (!PROTOCOLS.includes(protocol)) return fail(EOPNOTSUPP);
  return ip_parse(text) ? 0 : fail(EINVAL);
}
