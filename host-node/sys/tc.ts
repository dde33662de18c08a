// SPDX-License-Identifier: Apache-2.0
// The words of traffic control in rtnetlink: numbers, and reading a qdisc or filter out of a reply
// (linux/rtnetlink.h struct tcmsg, linux/pkt_sched.h, linux/pkt_cls.h). It refuses what
// rtnetlink/ refuses: to touch a socket, and to trust a reply.
import type { Filter, Qdisc } from '../abi/index.ts';
import { eachAttr, type Message, type Span } from './rtnetlink/index.ts';

export const RTM_NEWQDISC = 36;
export const RTM_DELQDISC = 37;
export const RTM_GETQDISC = 38;
export const RTM_NEWTFILTER = 44;
export const RTM_DELTFILTER = 45;
export const RTM_GETTFILTER = 46;
export const TCA_KIND = 1;
export const TCA_OPTIONS = 2;
const TCMSG_LEN = 20;

export const TC_H_ROOT = 0xffffffff;
/** Where an ingress or clsact qdisc is, its handle, and where its filters of arrivals hang. */
export const TC_H_INGRESS = 0xfffffff1;
export const INGRESS_HANDLE = 0xffff0000;
export const INGRESS_FILTERS = 0xfffffff2;

export const TCA_TBF_PARMS = 1;
export const TCA_TBF_RATE64 = 4;
/** struct tc_tbf_qopt: two struct tc_ratespec of 12 bytes, then limit, buffer and mtu. */
const TBF_RATE_AT = 8;
const TBF_LIMIT_AT = 24;
const TBF_BUFFER_AT = 28;
const U32_RANGE = 2 ** 32;

export const TCA_U32_CLASSID = 1;
export const TCA_U32_SEL = 5;
export const TCA_U32_ACT = 7;
export const TC_U32_TERMINAL = 1;
export const TCA_ACT_KIND = 1;
export const TCA_ACT_OPTIONS = 2;
export const TCA_MIRRED_PARMS = 2;
export const TC_ACT_STOLEN = 4;
export const TCA_EGRESS_REDIR = 1;
/** struct tc_mirred: after the five numbers of tc_gen. */
const MIRRED_EACTION_AT = 20;
const MIRRED_IFINDEX_AT = 24;
/** ETH_P_ALL in network order, the low half of tcm_info of a filter; its pref is the high one. */
const PROTOCOL_ALL = 0x0300;

/** tcm_info of a filter of all protocols. */
export function filterInfo(pref: number): number {
  return ((pref << 16) | PROTOCOL_ALL) >>> 0;
}

/** The ifindex of a struct tcmsg. */
export function tcIndex(message: Message): number {
  return message.i32(4);
}

/** tcm_parent: for a qdisc, where it is. */
export function tcParent(message: Message): number {
  return message.u32(12);
}

/** An RTM_NEWQDISC. */
export function parseQdisc(message: Message): Qdisc {
  let kind = '';
  let options: Span | undefined;
  eachAttr(message.from(TCMSG_LEN), (type, value) => {
    if (type === TCA_KIND) kind = value.text();
    else if (type === TCA_OPTIONS) options = value;
  });
  let [rate, rate64, limit, buffer] = [0, 0, 0, 0];
  if (kind === 'tbf' && options !== undefined) {
    eachAttr(options, (type, value) => {
      if (type === TCA_TBF_RATE64) rate64 = value.u32(0) + value.u32(4) * U32_RANGE;
      if (type !== TCA_TBF_PARMS) return;
      rate = value.u32(TBF_RATE_AT);
      limit = value.u32(TBF_LIMIT_AT);
      buffer = value.u32(TBF_BUFFER_AT);
    });
  }
  return { kind, handle: message.u32(8), rate: Math.max(rate, rate64), limit, buffer };
}

/** An RTM_NEWTFILTER. */
export function parseFilter(message: Message): Filter {
  let kind = '';
  let options: Span | undefined;
  eachAttr(message.from(TCMSG_LEN), (type, value) => {
    if (type === TCA_KIND) kind = value.text();
    else if (type === TCA_OPTIONS) options = value;
  });
  let to = 0;
  if (kind === 'u32' && options !== undefined) {
    eachAttr(options, (type, actions) => {
      if (type !== TCA_U32_ACT) return;
      eachAttr(actions, (_, action) => {
        to ||= redirectOf(action);
      });
    });
  }
  return { pref: message.u32(16) >>> 16, kind, handle: message.u32(8), to };
}

/** The ifindex that an action redirects to, 0 when it is of another kind. */
function redirectOf(action: Span): number {
  let kind = '';
  let to = 0;
  eachAttr(action, (type, value) => {
    // The kernel puts the kind before the options.
    if (type === TCA_ACT_KIND) kind = value.text();
    else if (type === TCA_ACT_OPTIONS && kind === 'mirred') {
      eachAttr(value, (inner, parms) => {
        if (inner !== TCA_MIRRED_PARMS || parms.i32(MIRRED_EACTION_AT) !== TCA_EGRESS_REDIR) return;
        to = parms.u32(MIRRED_IFINDEX_AT);
      });
    }
  });
  return to;
}
