// SPDX-License-Identifier: Apache-2.0
// Flows that connection tracking remembers, in one namespace, and their lines in the state's text
// (text.ts). No packet is simulated: flows come from the text alone.
import { Ip, ip_parse } from "../lib/ip";
import { protocol_number } from "../nft/value";
import { Flow } from "./flow";
import { refusal, space_of, text_of } from "./slot";
import { Space } from "./state";

/** linux/netfilter.h NFPROTO_IPV6 */
const NFPROTO_IPV6 = 10;

const FRAME: string[] = ["src", "sport", "dst", "dport", "reply", "src", "sport"];
const FRAME_AT: i32[] = [2, 4, 6, 8, 10, 11, 13];
const FLOW_WORDS = 15;

/** `conntrack udp src IP sport N dst IP dport N reply src IP sport N`; null for anything else. */
export function flow_parse(words: string[]): Flow | null {
  if (words.length != FLOW_WORDS) return null;
  for (let i = 0; i < FRAME.length; i++) if (words[FRAME_AT[i]] != FRAME[i]) return null;
  const dst = ip_parse(words[7]);
  const reply_src = ip_parse(words[12]);
  const protocol = protocol_number(words[1]);
  if (!dst || !reply_src || dst.v6 != reply_src.v6 || protocol == 0) return null;
  return new Flow(words.join(" "), protocol, dst, I32.parseInt(words[9]), reply_src);
}

export function kernel_conntrack_del(
  ns: i32,
  family: i32,
  protocol: i32,
  dst: usize,
  dst_len: i32,
  dport: i32,
  dport_end: i32,
  reply_src: usize,
  reply_src_len: i32,
): i32 {
  const space = space_of(ns);
  const to = space ? text_of(dst, dst_len) : null;
  const from = to != null ? text_of(reply_src, reply_src_len) : null;
  if (!space || to == null || from == null) return refusal;
  const kept = new Array<Flow>();
  for (let i = 0; i < space.flows.length; i++) {
    const flow = space.flows[i];
    const meant =
      flow.dst.v6 == (family == NFPROTO_IPV6) &&
      flow.protocol == protocol &&
      flow.dport >= dport &&
      flow.dport <= dport_end &&
      (to.length == 0 || flow.dst.toString() == to) &&
      (from.length == 0 || flow.reply_src.toString() == from);
    if (!meant) kept.push(flow);
  }
  const gone = space.flows.length - kept.length;
  space.flows = kept;
  return gone;
}

/** The conntrack lines of a namespace. */
export function flow_lines(space: Space, into: string[]): void {
  for (let i = 0; i < space.flows.length; i++) into.push(space.flows[i].line);
}
