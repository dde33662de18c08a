// SPDX-License-Identifier: Apache-2.0
// Policy routing rules of the simulated kernel: those for packets from a prefix, beside the ones
// that every namespace begins with. It refuses to route by them: no operation asks for a source.
import { EEXIST, EINVAL, ENOENT } from "../lib/errno";
import { Cidr } from "../lib/ip";
import { cidr_of } from "./addresses";
import { FibRuleReply, write_fib_rule_list } from "./replies.gen";
import { fail, refusal, refuse, reply, space_of } from "./slot";
import { Rule, Space, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN } from "./state";

const PRIORITY_MAIN: u32 = 32766;
/** Of the rule that leads packets of a VRF to its table (FIB_RULE_PREF, drivers/net/vrf.c). */
const PRIORITY_VRF: u32 = 1000;

/** The priority of a rule that names none: before all but the first, which is that of local. */
function free_priority(space: Space, v6: bool): u32 {
  let second = space.had_vrf ? PRIORITY_VRF : PRIORITY_MAIN;
  for (let i = 0; i < space.rules.length; i++) {
    const rule = space.rules[i];
    if (rule.src.ip.v6 == v6) second = min(second, rule.priority);
  }
  return second == 0 ? 0 : second - 1;
}

/** Puts a rule behind those of its family and priority. */
export function put_rule(space: Space, rule: Rule): void {
  const rules = space.rules;
  let at = 0;
  while (at < rules.length && !comes_before(rule, rules[at])) at++;
  rules.push(rule);
  for (let i = rules.length - 1; i > at; i--) rules[i] = rules[i - 1];
  rules[at] = rule;
}

function comes_before(rule: Rule, other: Rule): bool {
  if (rule.src.ip.v6 != other.src.ip.v6) return other.src.ip.v6;
  return rule.priority < other.priority;
}

export function has_rule(space: Space, src: Cidr, table: u32, priority: u32): bool {
  return rule_at(space, src, table, priority) >= 0;
}

function rule_at(space: Space, src: Cidr, table: u32, priority: u32): i32 {
  for (let i = 0; i < space.rules.length; i++) {
    const rule = space.rules[i];
    if (!rule.src.equals(src) || rule.table != table) continue;
    if (priority == 0 || rule.priority == priority) return i;
  }
  return -1;
}

/** A source as an argument; null after a refusal. */
function source_of(ptr: usize, len: i32): Cidr | null {
  const src = cidr_of(ptr, len);
  if (!src || src.bits > 0) return src;
  refuse(EINVAL, `not a source of some packets: ${src.toString()}`);
  return null;
}

export function kernel_fib_rule_add(
  ns: i32,
  src: usize,
  src_len: i32,
  table: i32,
  priority: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const source = source_of(src, src_len);
  if (!source) return refusal;
  const wanted = priority == 0 ? free_priority(space, source.ip.v6) : <u32>priority;
  if (priority != 0 && has_rule(space, source, <u32>table, wanted)) return fail(EEXIST);
  put_rule(space, new Rule(source, <u32>table, wanted));
  return 0;
}

export function kernel_fib_rule_del(
  ns: i32,
  src: usize,
  src_len: i32,
  table: i32,
  priority: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const source = source_of(src, src_len);
  if (!source) return refusal;
  const at = rule_at(space, source, <u32>table, <u32>priority);
  if (at < 0) return fail(ENOENT);
  space.rules.splice(at, 1);
  return 0;
}

/** Those of a family in the order in which they are asked, the ones of every namespace included. */
function rules_of(space: Space, v6: bool): Listed[] {
  const list: Listed[] = [new Listed("", TABLE_LOCAL, 0)];
  if (space.had_vrf) list.push(new Listed("", 0, PRIORITY_VRF));
  list.push(new Listed("", TABLE_MAIN, PRIORITY_MAIN));
  if (!v6) list.push(new Listed("", TABLE_DEFAULT, PRIORITY_MAIN + 1));
  for (let i = 0; i < space.rules.length; i++) {
    const rule = space.rules[i];
    if (rule.src.ip.v6 != v6) continue;
    let at = list.length;
    while (at > 0 && list[at - 1].priority > rule.priority) at--;
    list.push(list[list.length - 1]);
    for (let j = list.length - 1; j > at; j--) list[j] = list[j - 1];
    list[at] = new Listed(rule.src.toString(), rule.table, rule.priority);
    list[at].mark = rule.mark;
  }
  return list;
}

class Listed {
  mark: u32 = 0;
  constructor(
    public src: string,
    public table: u32,
    public priority: u32,
  ) {}
}

export function kernel_fib_rule_list(ns: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const rules = rules_of(space, false).concat(rules_of(space, true));
  const told = new Array<FibRuleReply>();
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i];
    told.push({
      src: rule.src,
      table: rule.table,
      priority: rule.priority,
      more: rule.table == 0 || rule.mark != 0,
    });
  }
  write_fib_rule_list(reply(), told);
  return 0;
}
