// SPDX-License-Identifier: Apache-2.0
// Traffic control in the simulated kernel: tbf at the root, ingress and clsact, u32 filters that
// redirect all that comes in. Of other kinds it knows that they are there. No packet ever passes.
import { EEXIST, EINVAL, ENODEV, ENOENT } from "../lib/errno";
import { json_write_string } from "../lib/json";
import { FilterReply, write_filter_list, write_qdisc } from "./replies.gen";
import { fail, link_of, refusal, refuse, reply, space_of } from "./slot";
import { FilterNode, Filters, Link, Qdisc, Space } from "./state";

/** linux/pkt_sched.h */
const TC_H_ROOT: u32 = 0xffffffff;
const TC_H_INGRESS: u32 = 0xfffffff1;
const INGRESS_HANDLE: u32 = 0xffff0000;
const MINOR_MASK: u32 = 0xffff;
const TICK_NS: u64 = 64;
const NS_PER_S: u64 = 1_000_000_000;
const U32_MAX: u64 = 0xffffffff;
const PREF_MAX: i32 = 0xffff;
/** net/sched/cls_u32.c: the first table of a link, and the first filter of a table. */
const TABLE_FIRST: u32 = 0x80000000;
const TABLE_SHIFT: u32 = 20;
const NODE_FIRST: u32 = 0x800;
const NO_PARENT = "Parent Qdisc doesn't exists";
const OTHER_KIND = "Specified filter kind does not match existing one";

/** What sent packets to a link that is gone sends them nowhere. */
export function redirect_nowhere(space: Space, gone: Link): void {
  for (let i = 0; i < space.links.length; i++) {
    const filters = space.links[i].filters;
    for (let k = 0; k < filters.length; k++) {
      const nodes = filters[k].nodes;
      for (let n = 0; n < nodes.length; n++) if (nodes[n].to === gone) nodes[n].to = null;
    }
  }
}

/** The filters of a pref, null when there are none. */
export function filters_of(link: Link, pref: i32): Filters | null {
  for (let i = 0; i < link.filters.length; i++) {
    if (link.filters[i].pref == pref) return link.filters[i];
  }
  return null;
}

function has_table(link: Link, table: u32): bool {
  for (let i = 0; i < link.filters.length; i++) {
    if (link.filters[i].kind == "u32" && link.filters[i].table == table) return true;
  }
  return false;
}

function has_u32(link: Link, except: Filters | null): bool {
  for (let i = 0; i < link.filters.length; i++) {
    if (link.filters[i].kind == "u32" && link.filters[i] !== except) return true;
  }
  return false;
}

/** Adds a filter that redirects to a link, or one of another purpose. */
export function put_filter(link: Link, kind: string, pref: i32, to: Link | null): void {
  let filters = filters_of(link, pref);
  if (!filters) {
    let table: u32 = 0;
    if (kind == "u32" && !has_u32(link, null)) table = TABLE_FIRST;
    for (let id: u32 = NODE_FIRST + 1; kind == "u32" && table == 0; id++) {
      if (!has_table(link, id << TABLE_SHIFT)) table = id << TABLE_SHIFT;
    }
    filters = new Filters(pref, kind, table);
    let at = 0;
    while (at < link.filters.length && link.filters[at].pref < pref) at++;
    const after = link.filters.splice(at);
    link.filters.push(filters);
    link.filters = link.filters.concat(after);
  }
  const first = kind == "u32" ? NODE_FIRST : 1;
  let handle = filters.table | first;
  for (let i = 0; i < filters.nodes.length; i++) {
    if (filters.nodes[i].handle == handle) handle++;
  }
  filters.nodes.push(new FilterNode(handle, to));
}

export function put_ingress(link: Link, kind: string): void {
  link.ingress = new Qdisc(kind, INGRESS_HANDLE);
  link.had_ingress = true;
}

function describe(qdisc: Qdisc | null): i32 {
  write_qdisc(reply(), {
    kind: qdisc ? qdisc.kind : "noqueue",
    handle: qdisc ? qdisc.handle : 0,
    rate: qdisc ? qdisc.rate : 0,
    limit: qdisc ? qdisc.limit : 0,
    buffer: qdisc ? qdisc.buffer : 0,
  });
  return 0;
}

export function kernel_qdisc_get(ns: i32, ifindex: i32, parent: i32): i32 {
  const space = space_of(ns);
  const link = space ? link_of(space, ifindex) : null;
  if (!link) return refusal;
  if (<u32>parent == TC_H_ROOT) return describe(link.root);
  if (<u32>parent == TC_H_INGRESS && link.ingress) return describe(link.ingress);
  return fail(ENOENT, link.had_ingress ? "" : "Cannot find specified qdisc on specified device");
}

export function kernel_qdisc_add_ingress(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  const link = space ? link_of(space, ifindex) : null;
  if (!link) return refusal;
  if (link.ingress) return fail(EEXIST, "Exclusivity flag on, cannot modify");
  put_ingress(link, "ingress");
  return 0;
}

export function kernel_qdisc_add_tbf(
  ns: i32,
  ifindex: i32,
  handle: i32,
  rate_low: i32,
  rate_high: i32,
  limit_bytes: i32,
  buffer_ticks: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  if (handle == 0) return fail(EINVAL, "a qdisc needs a handle");
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  const root = link.root;
  if (root) {
    const same = root.handle == <u32>handle;
    const words = same ? "Exclusivity flag on, cannot modify" : "NLM_F_REPLACE needed to override";
    return fail(EEXIST, words);
  }
  if ((<u32>handle & MINOR_MASK) != 0) return fail(EINVAL, "Invalid minor handle");
  const qdisc = new Qdisc("tbf", handle);
  qdisc.rate = ((<u64>(<u32>rate_high)) << 32) | <u64>(<u32>rate_low);
  qdisc.limit = limit_bytes;
  qdisc.buffer = buffer_ticks;
  // tbf_change: what a burst may hold at most, in bytes, goes by 2^32 ns at the longest.
  const burst_ns = min(<u64>qdisc.buffer * TICK_NS, U32_MAX);
  if ((burst_ns * qdisc.rate) / NS_PER_S == 0) return fail(EINVAL);
  link.root = qdisc;
  return 0;
}

export function kernel_qdisc_del(ns: i32, ifindex: i32, parent: i32, handle: i32): i32 {
  const space = space_of(ns);
  const link = space ? link_of(space, ifindex) : null;
  if (!link) return refusal;
  const at_root = <u32>parent == TC_H_ROOT;
  const qdisc = at_root ? link.root : link.ingress;
  if (!qdisc && !at_root && !link.had_ingress) {
    return fail(ENOENT, "Cannot find specified qdisc on specified device");
  }
  if (!qdisc || qdisc.handle != <u32>handle) return fail(EINVAL, "Invalid handle");
  if (at_root) {
    link.root = null;
  } else {
    link.ingress = null;
    link.filters = [];
  }
  return 0;
}

export function kernel_filter_list(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  const link = space ? link_of(space, ifindex) : null;
  if (!link) return refusal;
  const told = new Array<FilterReply>();
  for (let i = 0; i < link.filters.length; i++) {
    const filters = link.filters[i];
    told.push(filter_told(filters, 0, null));
    if (filters.table != 0) told.push(filter_told(filters, filters.table, null));
    for (let k = 0; k < filters.nodes.length; k++) {
      told.push(filter_told(filters, filters.nodes[k].handle, filters.nodes[k].to));
    }
  }
  write_filter_list(reply(), told);
  return 0;
}

function filter_told(filters: Filters, handle: u32, to: Link | null): FilterReply {
  return { pref: filters.pref, kind: filters.kind, handle, to: to ? to.ifindex : 0 };
}

/** The link that has or gets filters of a pref; null after a refusal. */
function filtered(ns: i32, ifindex: i32, pref: i32): Link | null {
  const space = space_of(ns);
  if (!space) return null;
  if (pref <= 0 || pref > PREF_MAX) {
    refuse(EINVAL, `not a pref: ${pref}`);
    return null;
  }
  const link = link_of(space, ifindex);
  if (!link || link.ingress) return link;
  refuse(EINVAL, NO_PARENT);
  return null;
}

export function kernel_filter_add_redirect(ns: i32, ifindex: i32, pref: i32, to: i32): i32 {
  const link = filtered(ns, ifindex, pref);
  if (!link) return refusal;
  const filters = filters_of(link, pref);
  if (filters && filters.kind != "u32") return fail(EINVAL, OTHER_KIND);
  const space = space_of(ns);
  const target = space ? space.by_index(to) : null;
  if (!target) return fail(ENODEV);
  put_filter(link, "u32", pref, target);
  return 0;
}

export function kernel_filter_del(ns: i32, ifindex: i32, pref: i32, handle: i32): i32 {
  const link = filtered(ns, ifindex, pref);
  if (!link) return refusal;
  const filters = filters_of(link, pref);
  if (!filters) return fail(ENOENT, "Filter with specified priority/protocol not found");
  if (filters.kind != "u32") return fail(EINVAL, OTHER_KIND);
  if (handle != 0) {
    let at = -1;
    for (let i = 0; i < filters.nodes.length; i++) {
      if (filters.nodes[i].handle == <u32>handle) at = i;
    }
    if (at < 0) return fail(ENOENT, "Specified filter handle not found");
    filters.nodes.splice(at, 1);
    // The head of the last u32 filter of a link goes with it.
    if (filters.nodes.length > 0 || has_u32(link, filters)) return 0;
  }
  link.filters.splice(link.filters.indexOf(filters), 1);
  return 0;
}

/** "1:" for a handle. */
function handle_text(handle: u32): string {
  return `${(handle >> 16).toString(16)}:`;
}

/** Lines of a link for text.ts. */
export function tc_lines(link: Link, into: string[]): void {
  const root = link.root;
  const ingress = link.ingress;
  if (root) {
    let line = `qdisc ${root.kind} ${handle_text(root.handle)} dev ${link.name}`;
    if (root.kind == "tbf") {
      line += ` rate ${root.rate} limit ${root.limit} buffer ${root.buffer}`;
    }
    into.push(line);
  }
  if (ingress) into.push(`qdisc ${ingress.kind} ffff: dev ${link.name}`);
  for (let i = 0; i < link.filters.length; i++) {
    const filters = link.filters[i];
    const line = `filter ${filters.kind} dev ${link.name} pref ${filters.pref}`;
    if (filters.nodes.length == 0) into.push(line);
    for (let k = 0; k < filters.nodes.length; k++) {
      const to = filters.nodes[k].to;
      into.push(to ? `${line} redirect ${to.name}` : line);
    }
  }
}
