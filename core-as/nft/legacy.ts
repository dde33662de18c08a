// SPDX-License-Identifier: Apache-2.0
// Our rules in FORWARD of iptables-legacy, whose tables nftables does not show. They are those of
// iptables.ts, and there is no way to them but its own program: that is executed when our tables
// are set up, also where they set no marks yet, since then it came into use after them; by
// `repair`, CHECK and GC, and where a chain of an administrator is named or a family accepted for
// the first time; never by an ADD that finds our tables as they should be.
import { exec } from "../host/plugin";
import { file_read, log } from "../host/store";
import { ByteWriter, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { CniError, Code } from "../spec/error";
import { Reach } from "../spec/reach";
import { ACCEPTED, admin_tag, FIREWALL, THROUGH } from "./firewall";
import { Forward } from "./iptables";
import { PORTMAP } from "./subnets";

const NAMES_LIMIT_BYTES = 4096;
/** It waits for the lock of others, who may be restoring thousands of rules. */
const TIMEOUT_MS = 20000;
const SHELL = "/bin/sh";
/** Runtimes start plugins with little in PATH. */
const START = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH; set -e\n";
const RULE = "-A FORWARD ";

/** What a script prints; null when the program is not there, or fails. */
function run(script: string): string | null {
  const ended = exec(SHELL, new ByteWriter(), START + script, TIMEOUT_MS);
  return ended && ended.exit_code == 0 ? ended.stdout : null;
}

/** Whether the table filter of a family is in use: the kernel tells. */
function is_used(v6: bool): bool {
  const path = `/proc/net/${v6 ? "ip6" : "ip"}_tables_names`;
  const names = file_read(path, NAMES_LIMIT_BYTES);
  if (!names || utf8_invalid_at(names.ptr, names.len) >= 0) return false;
  return utf8_decode(names.ptr, names.len).split("\n").includes("filter");
}

/** Whether iptables-legacy is in use for a family. */
export function legacy_used(): bool {
  return is_used(false) || is_used(true);
}

/** What a command of a plugin that has rules there executes, where iptables-legacy is in use. */
export function legacy_reach(command: string, reach: Reach): void {
  if (command == "DEL" || command == "STATUS") return;
  if (legacy_used()) reach.execute(SHELL);
}

function pass(bit: u32, tag: string): string {
  const bits = `0x${bit.toString(16)}`;
  return `-m mark --mark ${bits}/${bits} -m comment --comment "${tag}" -j ACCEPT`;
}

function jump(name: string): string {
  return `-m comment --comment "${admin_tag(name)}" -j ${name}`;
}

/** FORWARD of one family of iptables-legacy, and what `wish` wants there. */
export class Legacy {
  program: string;
  /** Its rules as `-S` prints them, without "-A FORWARD ". */
  private rules: string[] = [];

  constructor(private wish: Forward) {
    this.program = `${wish.v6 ? "ip6" : "ip"}tables-legacy`;
  }

  get used(): bool {
    return is_used(this.wish.v6);
  }

  private list(): bool {
    const listed = run(`${this.program} -w -S FORWARD\n`);
    if (listed === null) return false;
    this.rules = [];
    const lines = listed.split("\n");
    for (let i = 0; i < lines.length; i++) {
      if (lines[i].startsWith(RULE)) this.rules.push(lines[i].substring(RULE.length));
    }
    return true;
  }

  /** Commands that remove rules with a comment that begins so. */
  private without(comment: string): string {
    let script = "";
    for (let i = 0; i < this.rules.length; i++) {
      if (!this.rules[i].includes(` --comment "${comment}`)) continue;
      script += `${this.program} -w -D FORWARD ${this.rules[i]}\n`;
    }
    return script;
  }

  private at(rule: string): i32 {
    return this.rules.indexOf(rule);
  }

  private get head_whole(): bool {
    const accept = this.at(pass(ACCEPTED, FIREWALL.tag));
    for (let i = 0; i < this.wish.admins.length; i++) {
      const at = this.at(jump(this.wish.admins[i]));
      if (at < 0 || at > accept) return false;
    }
    return accept >= 0;
  }

  /** Where the first rule is that drops or rejects the rest; -1 for nowhere. */
  private get closing(): i32 {
    for (let i = 0; i < this.rules.length; i++) {
      if (this.rules[i] == "-j DROP" || this.rules[i].startsWith("-j REJECT")) return i;
    }
    return -1;
  }

  private get tail_whole(): bool {
    const at = this.at(pass(THROUGH, PORTMAP.tag));
    return at >= 0 && (this.closing < 0 || this.closing > at);
  }

  private get whole(): bool {
    const head = !this.wish.accepts || this.head_whole;
    return head && (!this.wish.through || this.tail_whole);
  }

  /** Makes it so, or says that it could not. */
  set_up(): void {
    if (!this.wish.wanted || !this.used || this.made()) return;
    log(
      `firewall: ${this.program} has a table filter, and it cannot be executed: what its FORWARD ` +
        `drops stays dropped, and its chains of administrators are not asked: install it, then ` +
        'run "fairlead repair", or use iptables-nft',
    );
  }

  private made(): bool {
    if (!this.list()) return false;
    if (this.wish.accepts && !this.head_whole) {
      let script = this.without(`fairlead ${FIREWALL.name} `) + this.without(admin_tag(""));
      script += this.command(`-I FORWARD ${pass(ACCEPTED, FIREWALL.tag)}`);
      for (let i = this.wish.admins.length - 1; i >= 0; i--) {
        const name = this.wish.admins[i];
        const there = `${this.program} -w -S ${name} >/dev/null 2>&1`;
        script += `${there} || ${this.command(`-N ${name}`)}`;
        script += this.command(`-I FORWARD ${jump(name)}`);
      }
      if (run(script) === null || !this.list()) return false;
    }
    if (!this.wish.through || this.tail_whole) return true;
    const gone = this.without(`fairlead ${PORTMAP.name} `);
    if (gone.length > 0 && (run(gone) === null || !this.list())) return false;
    const before = this.closing < 0 ? "-A FORWARD" : `-I FORWARD ${this.closing + 1}`;
    return run(this.command(`${before} ${pass(THROUGH, PORTMAP.tag)}`)) !== null;
  }

  private command(words: string): string {
    return `${this.program} -w ${words}\n`;
  }

  check(): CniError | null {
    if (!this.wish.wanted || !this.used) return null;
    const listed = this.list();
    if (listed && this.whole) return null;
    const what = listed ? "lacks our rules" : "cannot be listed";
    return new CniError(
      Code.CheckFailed,
      `FORWARD of ${this.program} ${what}: what it drops stays dropped, and its chains of ` +
        'administrators are not asked: "fairlead repair" puts the rules there for all containers',
    );
  }

  /** GC: removes what nobody needs; it is no failure where there is no such program. */
  remove(head: bool, tail: bool): void {
    if (!this.used || !this.list()) return;
    let script = head ? this.without(`fairlead ${FIREWALL.name} `) : "";
    if (head) script += this.without(admin_tag(""));
    if (tail) script += this.without(`fairlead ${PORTMAP.name} `);
    if (script.length > 0) run(script);
  }
}
