// SPDX-License-Identifier: Apache-2.0
// The words of nfnetlink that a driver of nftables needs: asking for rules and elements, and
// reading them. What a batch says is the core's: it comes as bytes. And those of ctnetlink for
// finding and forgetting flows.
// It refuses to know any table, and to trust a reply (see rtnetlink/reply.ts).

import { type NftBase, type NftElement, type NftRule, OsError } from '../abi/index.ts';
import { EBADMSG } from './libc.ts';
import { command, dumpOf } from './netlink.ts';
import {
  eachAttr,
  type Message,
  NLA_F_NESTED,
  type Request,
  type Span,
} from './rtnetlink/index.ts';

// linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
const NFGENMSG_LEN = 4;
const NFNL_SUBSYS_NFTABLES = 10 << 8;
const NFT_MSG_GETCHAIN = NFNL_SUBSYS_NFTABLES | 4;
const NFT_MSG_GETRULE = NFNL_SUBSYS_NFTABLES | 7;
const NFT_MSG_GETSETELEM = NFNL_SUBSYS_NFTABLES | 13;
const NFT_MSG_GETGEN = NFNL_SUBSYS_NFTABLES | 16;
const NFTA_GEN_ID = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_USE = 6;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_HANDLE = 3;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_RULE_USERDATA = 7;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_IMMEDIATE_DATA = 2;
// linux/netfilter/nf_tables_compat.h
const NFTA_TARGET_NAME = 1;
const NFTA_MATCH_NAME = 1;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_USERDATA = 6;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;
/** libnftnl's: a type and a length of one byte each, then the value. */
const UDATA_COMMENT = 0;

/** NF_* and NFT_*, as a signed number, in nft's words. */
const VERDICTS: Readonly<Record<number, string>> = {
  0: 'drop',
  1: 'accept',
  [-1]: 'continue',
  [-2]: 'break',
  [-3]: 'jump',
  [-4]: 'goto',
  [-5]: 'return',
};

const generic = (request: Request, family: number): Request => request.u8(family).u8(0).u16(0);

export function generationNow(): Request {
  return generic(command(NFT_MSG_GETGEN), 0);
}

export function parseGeneration(message: Message): number {
  let generation = 0;
  eachAttr(message.from(NFGENMSG_LEN), (type, value) => {
    if (type === NFTA_GEN_ID) generation = number(value) >>> 0;
  });
  return generation;
}

export function rulesOf(family: number, table: string): Request {
  return generic(dumpOf(NFT_MSG_GETRULE), family).attrText(NFTA_RULE_TABLE, table);
}

export function rulesOfChain(family: number, table: string, chain: string): Request {
  return rulesOf(family, table).attrText(NFTA_RULE_CHAIN, chain);
}

export function chainOf(family: number, table: string, chain: string): Request {
  return generic(command(NFT_MSG_GETCHAIN), family)
    .attrText(NFTA_CHAIN_TABLE, table)
    .attrText(NFTA_CHAIN_NAME, chain);
}

/** All chains of all families. */
export function chains(): Request {
  return generic(dumpOf(NFT_MSG_GETCHAIN), 0);
}

export function elementsOf(family: number, table: string, set: string): Request {
  return generic(dumpOf(NFT_MSG_GETSETELEM), family)
    .attrText(NFTA_SET_ELEM_LIST_TABLE, table)
    .attrText(NFTA_SET_ELEM_LIST_SET, set);
}

export function elementOf(family: number, table: string, set: string, key: Uint8Array): Request {
  const get = generic(command(NFT_MSG_GETSETELEM), family)
    .attrText(NFTA_SET_ELEM_LIST_TABLE, table)
    .attrText(NFTA_SET_ELEM_LIST_SET, set);
  const list = get.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
  const element = get.nest(NFTA_LIST_ELEM);
  const value = get.nest(NFTA_SET_ELEM_KEY);
  return get.attr(NFTA_DATA_VALUE, key).end(value).end(element).end(list);
}

/** The comment in user data, "" when it has none. */
function commentOf(udata: Span): string {
  for (let at = 0; at + 2 <= udata.end - udata.start; ) {
    const length = udata.u8(at + 1);
    const value = udata.from(at + 2);
    if (value.start + length > value.end) throw new OsError(EBADMSG, 'malformed netlink reply');
    if (udata.u8(at) === UDATA_COMMENT) {
      return value.bytes.toString('utf8', value.start, value.start + length).replace(/\0.*$/s, '');
    }
    at += 2 + length;
  }
  return '';
}

/** What an expression is called, with what makes it out. */
function expressionOf(span: Span): string {
  let name = '';
  let more = '';
  eachAttr(span, (type, value) => {
    if (type === NFTA_EXPR_NAME) name = value.text();
    else if (type === NFTA_EXPR_DATA) more = detailOf(name, value);
  });
  if (name === 'immediate' && more !== '') return more;
  return more === '' ? name : `${name} ${more}`;
}

/** The verdict of an immediate; the name of a match or a target of xtables. */
function detailOf(name: string, data: Span): string {
  const wanted = {
    immediate: NFTA_IMMEDIATE_DATA,
    match: NFTA_MATCH_NAME,
    target: NFTA_TARGET_NAME,
  };
  const key = wanted[name as keyof typeof wanted];
  let detail = '';
  eachAttr(data, (type, value) => {
    if (type !== key) return;
    if (name !== 'immediate') detail = value.text();
    else {
      eachAttr(value, (inner, verdict) => {
        if (inner === NFTA_DATA_VERDICT) detail = verdictOf(verdict);
      });
    }
  });
  return detail;
}

/** What the expressions of a rule are called. */
export function parseDoes(message: Message): string[] {
  const does: string[] = [];
  eachAttr(message.from(NFGENMSG_LEN), (type, value) => {
    if (type !== NFTA_RULE_EXPRESSIONS) return;
    eachAttr(value, (_, expression) => does.push(expressionOf(expression)));
  });
  return does;
}

export function parseRule(message: Message): NftRule & { handle: number } {
  let chain = '';
  let comment = '';
  let handle = 0;
  eachAttr(message.from(NFGENMSG_LEN), (type, value) => {
    if (type === NFTA_RULE_CHAIN) chain = value.text();
    else if (type === NFTA_RULE_USERDATA) comment = commentOf(value);
    // The kernel counts handles up from 1 for each table.
    else if (type === NFTA_RULE_HANDLE) handle = wide(value);
  });
  return { chain, comment, handle };
}

/** A number of the network's byte order, signed. */
function number(span: Span, offset = 0): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(span.u32(offset));
  return bytes.readInt32BE();
}

/** One of eight bytes. */
const wide = (span: Span): number => number(span) * 2 ** 32 + (number(span, 4) >>> 0);

/** How many rules a chain has and rules and elements lead to it. */
export function parseUse(message: Message): number {
  let use = 0;
  eachAttr(message.from(NFGENMSG_LEN), (type, value) => {
    if (type === NFTA_CHAIN_USE) use = number(value) >>> 0;
  });
  return use;
}

/** Adds the chain of a message when it hooks in there. */
export function parseBase(message: Message, hooknum: number, into: NftBase[]): void {
  const base = { family: message.u8(0), table: '', chain: '', priority: 0, policy: '' };
  let at = -1;
  eachAttr(message.from(NFGENMSG_LEN), (type, value) => {
    if (type === NFTA_CHAIN_TABLE) base.table = value.text();
    else if (type === NFTA_CHAIN_NAME) base.chain = value.text();
    else if (type === NFTA_CHAIN_POLICY) base.policy = VERDICTS[number(value)] ?? '';
    else if (type === NFTA_CHAIN_HOOK) {
      eachAttr(value, (inner, word) => {
        if (inner === NFTA_HOOK_HOOKNUM) at = number(word);
        else if (inner === NFTA_HOOK_PRIORITY) base.priority = number(word);
      });
    }
  });
  if (at === hooknum) into.push(base);
}

/** Bytes as hex, a verdict in words. */
function dataOf(span: Span): string {
  let text = '';
  eachAttr(span, (type, value) => {
    if (type === NFTA_DATA_VALUE) text = Buffer.from(value.raw()).toString('hex');
    else if (type === NFTA_DATA_VERDICT) text = verdictOf(value);
  });
  return text;
}

function verdictOf(span: Span): string {
  let word = '';
  let chain = '';
  eachAttr(span, (type, value) => {
    if (type === NFTA_VERDICT_CODE) {
      const code = number(value);
      word = VERDICTS[code] ?? String(code);
    } else if (type === NFTA_VERDICT_CHAIN) chain = ` ${value.text()}`;
  });
  return word + chain;
}

/** Adds the elements of one message to `into`. */
export function parseElements(message: Message, into: NftElement[]): void {
  eachAttr(message.from(NFGENMSG_LEN), (type, list) => {
    if (type !== NFTA_SET_ELEM_LIST_ELEMENTS) return;
    eachAttr(list, (_, element) => into.push(parseElement(element)));
  });
}

function parseElement(span: Span): NftElement {
  let key = '';
  let data = '';
  let comment = '';
  eachAttr(span, (type, value) => {
    if (type === NFTA_SET_ELEM_KEY) key = dataOf(value);
    else if (type === NFTA_SET_ELEM_DATA) data = dataOf(value);
    else if (type === NFTA_SET_ELEM_USERDATA) comment = commentOf(value);
  });
  return { key, data, comment };
}

// linux/netfilter/nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const IPCTNL_MSG_CT_GET = NFNL_SUBSYS_CTNETLINK | 1;
const IPCTNL_MSG_CT_DELETE = NFNL_SUBSYS_CTNETLINK | 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;

/** A tracked flow: what it is chosen by, and the attributes that name it to the kernel. */
export interface Flow {
  readonly protocol: number;
  /** The destination of its first packet, address in the network's order of bytes. */
  readonly dst: Buffer;
  readonly dport: number;
  /** Where answers come from. */
  readonly reply_src: Buffer;
  readonly name: readonly (readonly [type: number, value: Buffer])[];
}

export function flowsOf(family: number): Request {
  return generic(dumpOf(IPCTNL_MSG_CT_GET), family);
}

export function forgetFlow(family: number, flow: Flow): Request {
  const request = generic(command(IPCTNL_MSG_CT_DELETE), family);
  for (const [type, value] of flow.name) request.attr(type, value);
  return request;
}

interface Tuple {
  src: Buffer;
  dst: Buffer;
  protocol: number;
  dport: number;
}

function parseTuple(span: Span): Tuple {
  const tuple: Tuple = { src: Buffer.of(), dst: Buffer.of(), protocol: 0, dport: 0 };
  eachAttr(span, (part, values) => {
    // A zone of one direction holds no attributes.
    if (part !== CTA_TUPLE_IP && part !== CTA_TUPLE_PROTO) return;
    eachAttr(values, (type, value) => {
      if (part === CTA_TUPLE_IP) {
        if (type === CTA_IP_V4_SRC || type === CTA_IP_V6_SRC) tuple.src = Buffer.from(value.raw());
        if (type === CTA_IP_V4_DST || type === CTA_IP_V6_DST) tuple.dst = Buffer.from(value.raw());
      } else {
        if (type === CTA_PROTO_NUM) tuple.protocol = value.u8(0);
        if (type === CTA_PROTO_DST_PORT) tuple.dport = (value.u8(0) << 8) | value.u8(1);
      }
    });
  });
  return tuple;
}

export function parseFlow(message: Message): Flow {
  const name: [number, Buffer][] = [];
  let original: Tuple | undefined;
  let reply: Tuple | undefined;
  eachAttr(message.from(NFGENMSG_LEN), (type, value) => {
    if (type === CTA_TUPLE_ORIG) original = parseTuple(value);
    if (type === CTA_TUPLE_REPLY) reply = parseTuple(value);
    if (type === CTA_TUPLE_ORIG) name.push([type | NLA_F_NESTED, Buffer.from(value.raw())]);
    if (type === CTA_ID || type === CTA_ZONE) name.push([type, Buffer.from(value.raw())]);
  });
  if (original === undefined || reply === undefined) {
    throw new OsError(EBADMSG, 'malformed netlink reply');
  }
  const { protocol, dst, dport } = original;
  return { protocol, dst, dport, reply_src: reply.src, name };
}
