// SPDX-License-Identifier: Apache-2.0
// How each effect of a record is looked at: what of it is there now, and the words of iproute2 and
// nft that show it. A row for each word of a record; one that is not here is told as unknown. It
// goes by what the record says and changes nothing.
import { failure_errno } from "../../host/failure";
import {
  FibRule,
  fib_rule_list,
  filter_list,
  HOST,
  Link,
  link_get,
  link_get_index,
  qdisc_get,
  sysctl_read,
  TC_H_ROOT,
} from "../../host/kernel";
import { dir_list, Reading } from "../../host/store";
import { ENODEV, ENOENT } from "../../lib/errno";
import { JsonValue, Kind } from "../../lib/json";
import { family_word, TABLE } from "../../nft/batch";
import { Element, element_parse } from "../../nft/element";
import { find } from "../../nft/present";
import { EachLease, OWNER_LIMIT_BYTES } from "../../plugins/ipam/host-local/each-lease";
import { Ifb } from "../../plugins/meta/bandwidth/shaper";
import { CHANGED, GONE, judge, Place, Seen, THERE, UNKNOWN, Whose, word } from "./seen";
import { shared } from "./shared";

function number_at(from: JsonValue, key: string): i64 {
  const value = from.get(key);
  return value !== null && value.kind == Kind.Number ? I64.parseInt(value.text) : 0;
}

function texts_at(from: JsonValue, key: string): string[] {
  const list = from.get(key);
  const texts = new Array<string>();
  for (let i = 0; list !== null && i < list.items.length; i++) texts.push(list.items[i].text);
  return texts;
}

/** The container's interface, and the host's end of a pair. */
function veth(from: JsonValue, at: Place): Seen[] {
  const shown = at.run("ip", `-d link show dev ${word(at.ifname)}`);
  const inside = new Seen(`veth ${at.ifname} in ${at.netns}`).by(shown);
  inside.by(at.run("ip", `address show dev ${word(at.ifname)}`));
  if (at.ns == 0) return [at.absent(inside)];
  const link = link_get(at.ns, at.ifname);
  judge(inside, link, "veth", from.text_at("mac"));
  if (!link || link.peer == 0) return [inside];
  const end = link_get_index(HOST, link.peer);
  const name = end ? end.name : `if${link.peer}`;
  const outside = new Seen(`veth ${name} on the host`).by(`ip -d link show dev ${word(name)}`);
  return [inside, judge(outside, end, "veth", "")];
}

function link(from: JsonValue, at: Place): Seen[] {
  const kind = from.text_at("kind");
  const seen = new Seen(`${kind} ${at.ifname} in ${at.netns}`);
  seen.by(at.run("ip", `-d link show dev ${word(at.ifname)}`));
  if (at.ns == 0) return [at.absent(seen)];
  // An interface of a tun device has no kind of rtnetlink's that a record could name.
  const found = link_get(at.ns, at.ifname);
  const asked = kind == "tap" ? "" : kind;
  return [judge(seen, found, asked, from.text_at("mac"))];
}

function device(from: JsonValue, at: Place): Seen[] {
  const name = from.text_at("device");
  const seen = new Seen(`device ${name} of the host, as ${at.ifname}`);
  seen.by(at.run("ip", `-d link show dev ${word(at.ifname)}`));
  if (at.ns == 0) return [at.absent(seen).by(`ip -d link show dev ${word(name)}`)];
  judge(seen, link_get(at.ns, at.ifname), from.text_at("kind"), "");
  if (seen.state == GONE && link_get(HOST, name)) {
    seen.is(GONE, "it is on the host").by(`ip -d link show dev ${word(name)}`);
  }
  return [seen];
}

/** A lease for each address. */
function leases(from: JsonValue, whose: Whose): Seen[] {
  const dir = `${from.text_at("dataDir")}/${whose.network}`;
  const none = new Seen(`leases in ${dir}`).by(`grep -l ${word(whose.containerID)} ${word(dir)}/*`);
  const names = dir_list(dir);
  if (!names) return [failure_errno == ENOENT ? none.is(GONE) : none.failed()];
  const found = new Array<Seen>();
  const each = new EachLease(new Reading(dir, OWNER_LIMIT_BYTES), names);
  while (each.next()) {
    const error = each.error;
    if (error) return [none.is(UNKNOWN, error.toString())];
    if (each.owner != `${whose.containerID}\r\n${whose.ifname}`) continue;
    found.push(new Seen(`lease ${each.name}`).is(THERE).by(`cat ${word(dir)}/${each.name}`));
  }
  return found.length > 0 ? found : [none.is(GONE)];
}

function dhcp(from: JsonValue, at: Place): Seen[] {
  const seen = new Seen(`lease of the daemon at ${from.text_at("socket")}`);
  seen.by(at.run("ip", `address show dev ${word(at.ifname)}`));
  return [seen.is(UNKNOWN, "the daemon tells nobody what it holds")];
}

function element(text: string, tag: string): Seen {
  const seen = new Seen(`element ${text}`);
  const parsed = element_parse(text);
  if (!parsed) return seen.is(UNKNOWN, "of another version");
  const wanted: Element = parsed;
  const place = wanted.place;
  const family = family_word(place.family);
  seen.by(`nft list set ${family} ${TABLE} ${place.name}`);
  if (wanted.data.length > 0) seen.show[0] = `nft list map ${family} ${TABLE} ${place.name}`;
  const found = find(wanted);
  if (!found) return failure_errno == ENOENT ? seen.is(GONE) : seen.failed();
  if (found.data != wanted.data) return seen.is(CHANGED, `it leads to ${found.data}`);
  if (found.comment != tag) return seen.is(CHANGED, "it is another attachment's");
  return seen.is(THERE);
}

/** The root qdisc, and the filter that leads to an ifb. */
function bandwidth(from: JsonValue, whose: Whose, at: Place): Seen[] {
  const dev = from.text_at("dev");
  const within = from.get("inside");
  const inside = within !== null && within.bool;
  const ns = inside ? at.ns : HOST;
  const root = new Seen(`qdisc tbf of ${dev}`);
  const hook = new Seen(`filter ingress of ${dev}`);
  const commands: string[] = [
    `qdisc show dev ${word(dev)}`,
    `filter show dev ${word(dev)} ingress`,
  ];
  root.by(inside ? at.run("tc", commands[0]) : `tc ${commands[0]}`);
  hook.by(inside ? at.run("tc", commands[1]) : `tc ${commands[1]}`);
  const all = new Array<Seen>();
  if (from.get("rate")) all.push(root);
  if (from.get("pref")) all.push(hook);
  const ifindex = <i32>number_at(from, "ifindex");
  for (let i = 0; i < all.length; i++) {
    if (inside && at.ns == 0) at.absent(all[i]);
    else if (!link_get_index(ns, ifindex)) judge(all[i], null, "", "");
    else if (all[i] == root) shaped(root, ns, ifindex, from);
    else hooked(hook, ns, ifindex, <i32>number_at(from, "pref"), whose);
  }
  return all;
}

function shaped(seen: Seen, ns: i32, ifindex: i32, from: JsonValue): void {
  const qdisc = qdisc_get(ns, ifindex, TC_H_ROOT);
  if (!qdisc) seen.failed();
  else if (qdisc.kind != "tbf") seen.is(GONE, `it is ${qdisc.kind}`);
  else if (<i64>qdisc.rate != number_at(from, "rate")) {
    seen.is(CHANGED, `its rate is ${qdisc.rate} bytes a second`);
  } else seen.is(THERE);
}

/** The filter of its pref, which leads to the attachment's ifb. */
function hooked(seen: Seen, ns: i32, ifindex: i32, pref: i32, whose: Whose): void {
  const filters = filter_list(ns, ifindex);
  if (!filters) {
    seen.failed();
    return;
  }
  const name = new Ifb(whose.network, whose.containerID, whose.ifname).name;
  const ifb = link_get(ns, name);
  if (!ifb && failure_errno != ENODEV) {
    seen.failed();
    return;
  }
  seen.is(GONE, ifb ? "" : `the ifb ${name}, which it leads to, is gone`);
  for (let i = 0; ifb !== null && i < filters.length; i++) {
    // The head of a pref leads nowhere.
    if (filters[i].pref != pref || filters[i].to == 0) continue;
    if (filters[i].to == ifb.ifindex) {
      seen.is(THERE);
      return;
    }
    seen.is(CHANGED, `it leads to link ${filters[i].to}, made was one to ${name}`);
  }
}

/** What it found is noted, and not what it set: another value now is what it made of it. */
function tuning(from: JsonValue, at: Place): Seen[] {
  const all = new Array<Seen>();
  const sysctls = from.get("sysctl");
  const keys = sysctls !== null ? sysctls.keys : new Array<string>();
  for (let i = 0; i < keys.length; i++) {
    const seen = new Seen(`sysctl ${keys[i]}`).by(at.enter(`sysctl ${word(keys[i])}`));
    all.push(at.ns == 0 ? at.absent(seen) : tuned(seen, at.ns, keys[i], sysctls!.items[i].text));
  }
  const found: Link | null = at.ns == 0 ? null : link_get(at.ns, at.ifname);
  const tunables: string[] = ["mac", "mtu", "promisc", "allmulti", "txQLen"];
  for (let i = 0; i < tunables.length; i++) {
    const before = from.get(tunables[i]);
    if (!before) continue;
    const seen = new Seen(`${tunables[i]} of ${at.ifname}`);
    seen.by(at.run("ip", `-d link show dev ${word(at.ifname)}`));
    all.push(at.ns == 0 ? at.absent(seen) : property(seen, found, tunables[i], before));
  }
  return all;
}

function tuned(seen: Seen, ns: i32, key: string, before: string): Seen {
  const now = sysctl_read(ns, key.replaceAll(".", "/"));
  if (now === null) return seen.failed();
  return beside(seen, now.trim(), before.trim());
}

function beside(seen: Seen, now: string, before: string): Seen {
  if (now == before) return seen.is(UNKNOWN, `it is ${now}, as before the ADD`);
  return seen.is(THERE, `it is ${now}, before it was ${before}`);
}

function property(seen: Seen, link: Link | null, name: string, before: JsonValue): Seen {
  if (!link) return judge(seen, null, "", "");
  const was = before.kind == Kind.Bool ? before.bool.toString() : before.text;
  if (name == "mac") return beside(seen, link.address, was);
  if (name == "mtu") return beside(seen, link.mtu_bytes.toString(), was);
  if (name == "promisc") return beside(seen, link.promisc.toString(), was);
  if (name == "allmulti") return beside(seen, link.allmulti.toString(), was);
  return beside(seen, link.txqlen.toString(), was);
}

/** A rule of routing for each source. */
function sbr(from: JsonValue, at: Place): Seen[] {
  const all = new Array<Seen>();
  const list = from.get("rules");
  const known: FibRule[] | null = at.ns == 0 ? null : fib_rule_list(at.ns);
  for (let i = 0; list !== null && i < list.items.length; i++) {
    const src = list.items[i].text_at("src");
    const table = <u32>number_at(list.items[i], "table");
    const seen = new Seen(`rule from ${src} table ${table}`);
    const six = src.includes(":") ? "-6 " : "";
    seen.by(at.run("ip", `${six}rule show from ${word(src)}`));
    seen.by(at.run("ip", `${six}route show table ${table}`));
    all.push(seen);
    if (at.ns == 0) at.absent(seen);
    else if (!known) seen.failed();
    else {
      seen.is(GONE);
      for (let k = 0; k < known.length; k++) {
        if (known[k].table == table && known[k].src == src) seen.is(THERE);
      }
    }
  }
  return all;
}

function vrf(from: JsonValue, at: Place): Seen[] {
  const name = from.text_at("vrf");
  const seen = new Seen(`${at.ifname} in the VRF ${name}`);
  seen.by(at.run("ip", `link show master ${word(name)}`));
  if (at.ns == 0) return [at.absent(seen)];
  const master = link_get(at.ns, name);
  const port = master ? link_get(at.ns, at.ifname) : null;
  if (!master || !port) return [judge(seen, null, "", "")];
  return [seen.is(port.master == master.ifindex ? THERE : GONE)];
}

/** Looks at an effect: its word and members in the record. */
export function look(effect: string, from: JsonValue, whose: Whose, at: Place): Seen[] {
  if (effect == "veth") return veth(from, at);
  if (effect == "link") return link(from, at);
  if (effect == "device") return device(from, at);
  if (effect == "leases") return leases(from, whose);
  if (effect == "dhcp") return dhcp(from, at);
  if (effect == "bandwidth") return bandwidth(from, whose, at);
  if (effect == "tuning") return tuning(from, at);
  if (effect == "sbr") return sbr(from, at);
  if (effect == "vrf") return vrf(from, at);
  let all = new Array<Seen>();
  const listed = effect == "elements" || effect == "uses";
  const texts = texts_at(from, effect == "elements" ? "elements" : "what");
  for (let i = 0; listed && i < texts.length; i++) {
    if (effect == "elements") all.push(element(texts[i], whose.tag));
    else all = all.concat(shared(texts[i], whose, at));
  }
  if (!listed) all.push(new Seen(effect).is(UNKNOWN, "this version knows no such effect"));
  return all;
}
