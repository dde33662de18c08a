// SPDX-License-Identifier: Apache-2.0
// Reads the text of text.ts into a new state. Most words may be absent: a link is then down, its
// address made up, its MTU 1500, and its operstate follows from other links. As with the real
// kernel an address brings its route, lo its addresses, and a bridge port VLAN 1 unless it has vlan
// lines; a text that says "complete" has all of these itself. A bridge that has the lowest address
// or MTU of its ports is taken to follow them: the text does not tell whether someone chose it.
// It refuses what it does not know, and says at which line.
import { cidr_parse } from "../lib/ip";
import { json_parse, Kind } from "../lib/json";
import { Utf8, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { place_addr, put_addr, scope_of } from "./addresses";
import { flow_parse } from "./conntrack";
import { Content, Program } from "./content";
import { Daemon, daemon_of } from "./daemon";
import { disconnect, has_duplicate, insert } from "./fib";
import { put_nft } from "./nft";
import { follow, join, LinkLine, link_flag, link_pair, pair, stack, start } from "./parse-link";
import { number_of, route_word } from "./parse-route";
import { filter_read, qdisc_read } from "./parse-tc";
import { has_rule, put_rule } from "./rules";
import { bytes_of } from "./slot";
import { Addr, Link, Route, Rule, Space, State, state, state_replace, Vlan } from "./state";
import { put_sysctl } from "./sysctls";
import { METRIC_DEFAULT6 } from "./text";
import { put_vlan } from "./vlans";

const BEFORE_BOOT = " before-boot";
/** The time of a file from before the boot: nothing tells how old it is. */
const LONG_AGO_NS: i64 = 1_000_000_000;
/** A line about links, kept until all links are there. */
class Later {
  constructor(
    public line: i32,
    public space: Space,
    public words: string[],
  ) {}
}

class Parser {
  problem: string = "";
  made: State = new State();
  /** The kernel adds nothing by itself to what the text says. */
  private complete: bool = false;
  private line: i32 = 0;
  private space: Space | null = null;
  private links: LinkLine[] = [];
  private later: Later[] = [];

  private fail(words: string): void {
    if (this.problem.length == 0) this.problem = `line ${this.line}: ${words}`;
  }

  /** What is wrong with the line of a link, if anything. */
  private note(entry: LinkLine, problem: string): void {
    this.line = entry.line;
    if (problem.length > 0) this.fail(problem);
  }

  read(text: string): void {
    const lines = text.split("\n");
    for (let i = 0; i < lines.length && this.problem.length == 0; i++) {
      this.line = i + 1;
      this.read_line(lines[i].trim());
    }
    // What follows makes use of lookups in the state.
    state_replace(this.made);
    for (let i = 0; i < this.links.length; i++) {
      this.note(this.links[i], join(this.links[i], this.complete));
    }
    for (let i = 0; i < this.links.length; i++) this.note(this.links[i], pair(this.links[i]));
    for (let i = 0; i < this.links.length; i++) this.note(this.links[i], stack(this.links[i]));
    for (let i = 0; i < this.links.length; i++) follow(this.links[i]);
    for (let rank = 0; rank <= 5; rank++) this.nft(rank);
    // Sysctls first: they say what comes of the rest.
    this.run("sysctl");
    for (let i = 0; i < this.links.length && this.problem.length == 0; i++) {
      this.note(this.links[i], start(this.links[i], this.complete));
    }
    this.run("vlan");
    this.run("addr");
    this.run("route");
    this.run("qdisc");
    this.run("filter");
    this.run("rule");
  }

  private read_line(line: string): void {
    if (line.length == 0 || line.startsWith("#")) return;
    if (line.startsWith("file ")) return this.file(line);
    if (line.startsWith("plugin ")) return this.program(line);
    if (line.startsWith("dhcp /")) return this.daemon(line);
    if (line.startsWith("folder /")) return this.made.add_folder(line.substring(7));
    if (line == "complete") {
      this.complete = true;
      return;
    }
    const words = line.split(" ").filter((word) => word.length > 0);
    const what = words[0];
    if (what == "netns") return this.netns(line, words);
    const space = this.space;
    if (!space) return this.fail("a line before the first netns line");
    if (words.length < 2) return this.fail(`"${what}" alone`);
    if (what == "link") return this.link(space, words);
    if (what == "conntrack") return this.flow(space, words);
    if (!["addr", "vlan", "route", "rule", "sysctl", "qdisc", "filter", "nft"].includes(what))
      return this.fail(`unknown word "${what}"`);
    this.later.push(new Later(this.line, space, words));
  }

  private flow(space: Space, words: string[]): void {
    const flow = flow_parse(words);
    if (flow) space.flows.push(flow);
    else this.fail("a flow is: PROTOCOL src IP sport N dst IP dport N reply src IP sport N");
  }

  private netns(line: string, words: string[]): void {
    const path = words.length > 3 && words[2] == "path" ? line.indexOf(" path /") : -1;
    if (words.length != 2 && path < 0) return this.fail("netns takes a name, and path with a path");
    const known = this.made.space(words[1]);
    const space = known ? known : this.made.add_space(words[1]);
    if (path < 0) space.named = true;
    else space.paths.push(line.substring(path + 6));
    this.space = space;
  }

  private file(line: string): void {
    const quote = line.indexOf(' "');
    const path = line.substring(5, max(quote, 5)).trim();
    if (quote < 0 || !path.startsWith("/"))
      return this.fail("file takes an absolute path and a text");
    const old = line.endsWith(BEFORE_BOOT);
    const end = old ? line.length - BEFORE_BOOT.length : line.length;
    const json = new Utf8(line.substring(quote + 1, end));
    const parsed = json_parse(json.ptr, json.len);
    if (parsed.failed || parsed.value.kind != Kind.String) return this.fail("not a JSON string");
    const content = parsed.value.text;
    const len = String.UTF8.byteLength(content);
    const file = new Content(bytes_of(content), len);
    if (old) file.mtime_ns = LONG_AGO_NS;
    this.made.put_file(path, file);
  }

  private program(line: string): void {
    const quote = line.indexOf(' "');
    const head = line.substring(7, max(quote, 7));
    const blank = head.lastIndexOf(" ");
    const code = blank < 0 ? -1 : number_of(head.substring(blank + 1));
    if (!head.startsWith("/") || code < 0)
      return this.fail("plugin takes a path, an exit code and a text");
    const json = new Utf8(line.substring(quote + 1));
    const parsed = json_parse(json.ptr, json.len);
    if (parsed.failed || parsed.value.kind != Kind.String) return this.fail("not a JSON string");
    const path = head.substring(0, blank).trim();
    this.made.programs.set(path, new Program(<i32>code, parsed.value.text));
  }

  private daemon(line: string): void {
    const brace = line.indexOf(" {");
    const json = new Utf8(line.substring(max(brace, 0)));
    const parsed = json_parse(json.ptr, json.len);
    const daemon: Daemon | null = parsed.failed ? null : daemon_of(parsed.value);
    if (brace < 0 || !daemon) return this.fail("dhcp takes a path and an object");
    this.made.daemons.set(line.substring(5, brace), daemon);
  }

  private link(space: Space, words: string[]): void {
    const known = space.by_name(words[1]);
    if (known && !known.loopback) return this.fail(`a second link ${words[1]}`);
    const link = known ? known : space.add_link(words[1], "");
    const entry = new LinkLine(this.line, space, link);
    this.links.push(entry);
    for (let i = 2; i < words.length && this.problem.length == 0; i++) {
      if (link_flag(entry, words[i])) continue;
      const value = i + 1 < words.length ? words[i + 1] : "";
      this.note(entry, link_pair(entry, words[i++], value));
    }
  }

  /** Parts of our tables come before what lies in them, and that before what refers to it. */
  private nft(rank: i32): void {
    const order: string[] = ["chain", "admin", "rule", "in", "element"];
    for (let i = 0; i < this.later.length && this.problem.length == 0; i++) {
      const later = this.later[i];
      if (later.words[0] != "nft" || order.indexOf(later.words[1]) + 1 != rank) continue;
      this.line = later.line;
      const problem = put_nft(later.space, later.words.join(" "));
      if (problem.length > 0) this.fail(problem);
    }
  }

  /** The lines that begin with a word. */
  private run(what: string): void {
    for (let i = 0; i < this.later.length && this.problem.length == 0; i++) {
      const later = this.later[i];
      if (later.words[0] != what) continue;
      this.line = later.line;
      if (what == "sysctl") this.sysctl(later);
      else if (what == "addr") this.addr(later);
      else if (what == "vlan") this.vlan(later);
      else if (what == "route") this.route(later);
      else if (what == "rule") this.rule(later);
      else this.tc(later);
    }
  }

  private sysctl(later: Later): void {
    const words = later.words;
    const negative = words.length == 3 && words[2].startsWith("-");
    const value = words.length == 3 ? number_of(negative ? words[2].substring(1) : words[2]) : -1;
    if (value < 0) return this.fail("sysctl takes a key and a number");
    if (!put_sysctl(later.space, words[1], <i32>(negative ? -value : value))) {
      this.fail(`no sysctl ${words[1]}`);
    }
  }

  private tc(later: Later): void {
    const link = this.dev(later);
    const words = later.words;
    if (!link) return;
    let to: Link | null = null;
    const at = words.indexOf("redirect");
    if (at > 0 && at + 1 < words.length) {
      to = later.space.by_name(words[at + 1]);
      if (!to) return this.fail(`no link ${words[at + 1]}`);
    }
    const problem = words[0] == "qdisc" ? qdisc_read(link, words) : filter_read(link, words, to);
    if (problem.length > 0) this.fail(problem);
  }

  /** The link after the word "dev". */
  private dev(later: Later): Link | null {
    const at = later.words.indexOf("dev");
    const name = at > 0 && at + 1 < later.words.length ? later.words[at + 1] : "";
    const link = later.space.by_name(name);
    if (!link) this.fail(name.length == 0 ? "dev is missing" : `no link ${name}`);
    return link;
  }

  private addr(later: Later): void {
    const cidr = cidr_parse(later.words[1]);
    if (!cidr) return this.fail(`not an address with a prefix length: ${later.words[1]}`);
    const link = this.dev(later);
    if (!link) return;
    if (later.words.length != 4) return this.fail("addr takes an address and dev");
    if (cidr.ip.v6 && !link.ipv6) return this.fail(`the MTU of ${link.name} is too small for IPv6`);
    const known = link.find(cidr.ip);
    if (known && (cidr.ip.v6 || known.cidr.bits == cidr.bits)) return;
    // What is there before is settled: no duplicate address detection is going on.
    const addr = new Addr(cidr, scope_of(cidr.ip), true);
    if (this.complete) return place_addr(link, addr);
    put_addr(later.space, link, addr);
    if (this.replaced(later.space, link, cidr.subnet().toString())) {
      disconnect(later.space, link, addr);
    }
  }

  /**
   * Whether the text has routes to an address's own network by its link, and none of them is the
   * one that the address brings: somebody took that away.
   */
  private replaced(space: Space, link: Link, subnet: string): bool {
    let found = false;
    for (let i = 0; i < this.later.length; i++) {
      const words = this.later[i].words;
      if (this.later[i].space !== space || words[0] != "route" || words[1] != subnet) continue;
      const dev = words.indexOf("dev") + 1;
      if (dev == 0 || dev >= words.length || words[dev] != link.name) continue;
      const proto = words.indexOf("proto") + 1;
      if (proto > 0 && proto < words.length && words[proto] == "kernel") return false;
      found = true;
    }
    return found;
  }

  private vlan(later: Later): void {
    const vid = number_of(later.words[1]);
    if (vid < 1 || vid > 4094) return this.fail(`not a VLAN: ${later.words[1]}`);
    const link = this.dev(later);
    if (!link) return;
    if (!later.space.bridge_of(link)) return this.fail(`${link.name} is not a port of a bridge`);
    for (let i = 0; i < this.links.length; i++) {
      if (this.links[i].link !== link || this.links[i].vlans) continue;
      this.links[i].vlans = true;
      link.vlans = [];
    }
    const flags = later.words.slice(4);
    put_vlan(link, new Vlan(<i32>vid, flags.includes("pvid"), flags.includes("untagged")));
  }

  private route(later: Later): void {
    const words = later.words;
    const dst = cidr_parse(words[1]);
    if (!dst) return this.fail(`not an address with a prefix length: ${words[1]}`);
    const link = this.dev(later);
    if (!link) return;
    const route = new Route(dst.subnet(), link);
    if (dst.ip.v6) route.metric = METRIC_DEFAULT6;
    for (let i = 2; i < words.length && this.problem.length == 0; i += 2) {
      const problem = route_word(route, words[i], i + 1 < words.length ? words[i + 1] : "");
      if (problem.length > 0) this.fail(problem);
    }
    if (this.problem.length > 0 || has_duplicate(later.space, route)) return;
    insert(later.space, route, false);
  }

  private rule(later: Later): void {
    const words = later.words;
    const priority = number_of(words[1]);
    const marked = words.length == 8 && words[4] == "fwmark";
    const at = marked ? 6 : 4;
    const shaped = words.length == at + 2 && words[2] == "from" && words[at] == "table";
    const src = shaped ? cidr_parse(words[3]) : null;
    const table = shaped ? number_of(words[at + 1]) : -1;
    const mark = marked ? number_of(words[5]) : 0;
    if (!src || src.bits == 0 || priority < 0 || table < 0 || mark < 0 || marked != mark > 0) {
      return this.fail("rule takes a priority, from with a prefix, and table with a number");
    }
    if (has_rule(later.space, src, <u32>table, <u32>priority)) return;
    const rule = new Rule(src, <u32>table, <u32>priority);
    rule.mark = <u32>mark;
    put_rule(later.space, rule);
  }
}

/** Makes the text the state; returns what is wrong with it, "" when nothing is. */
export function parse(ptr: usize, len: i32): string {
  if (utf8_invalid_at(ptr, len) >= 0) return "the text is not UTF-8";
  const before = state;
  const parser = new Parser();
  parser.read(utf8_decode(ptr, len));
  if (parser.problem.length > 0) state_replace(before);
  return parser.problem;
}
