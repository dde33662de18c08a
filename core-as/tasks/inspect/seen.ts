// SPDX-License-Identifier: Apache-2.0
// What a look at one thing of an attachment gives: whether it is there, and the words for a shell
// that show it. It refuses to look: looks.ts does.
import { failure_errno, failure_text } from "../../host/failure";
import { Link } from "../../host/kernel";
import { ENODEV, errno_name } from "../../lib/errno";
import { JsonValue } from "../../lib/json";

export const THERE = "there";
export const CHANGED = "changed";
export const GONE = "gone";
/** It cannot be told, and `why` says it. */
export const UNKNOWN = "unknown";

export class Seen {
  state: string = UNKNOWN;
  /** What is otherwise; why it cannot be told. */
  why: string = "";
  /** Commands that show it. */
  show: string[] = [];
  constructor(public what: string) {}

  is(state: string, why: string = ""): Seen {
    this.state = state;
    this.why = why;
    return this;
  }
  /** It could not be looked at, as the last operation said. */
  failed(): Seen {
    const words = failure_text.length > 0 ? `: ${failure_text}` : "";
    return this.is(UNKNOWN, `cannot look: ${errno_name(failure_errno)}${words}`);
  }
  by(command: string): Seen {
    this.show.push(command);
    return this;
  }

  json(effect: string, by: string): JsonValue {
    const item = JsonValue.object();
    item.append("effect", JsonValue.string(effect));
    item.append("by", JsonValue.string(by));
    item.append("what", JsonValue.string(this.what));
    item.append("state", JsonValue.string(this.state));
    if (this.why.length > 0) item.append("why", JsonValue.string(this.why));
    const show = JsonValue.array();
    for (let i = 0; i < this.show.length; i++) show.push(JsonValue.string(this.show[i]));
    item.append("show", show);
    return item;
  }
}

/** Whose record it is. */
export class Whose {
  constructor(
    public network: string,
    public containerID: string,
    public ifname: string,
    /** What says in nftables whose an element is. */
    public tag: string,
    /** With their lengths; none when nobody knows them. */
    public addresses: string[],
  ) {}
}

const SAFE = "@%+=:,./_-";

/** A word of a shell: what records say is pasted there, and anybody may have written them. */
export function word(text: string): string {
  let plain = text.length > 0;
  for (let i = 0; i < text.length && plain; i++) {
    const code = text.charCodeAt(i);
    const letter = (code | 32) >= 97 && (code | 32) <= 122;
    plain = letter || (code >= 48 && code <= 57) || SAFE.includes(text.charAt(i));
  }
  return plain ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const NAMED: string[] = ["/run/netns/", "/var/run/netns/"];

/** Where a container is, and how a shell gets there. */
export class Place {
  /** Handle of its namespace, 0 when that is gone or cannot be entered. */
  ns: i32 = 0;
  /** Why it cannot be entered; "" when it is gone. */
  why: string = "";
  constructor(
    public netns: string,
    public ifname: string,
  ) {}

  /** A command of iproute2 in there. */
  run(program: string, words: string): string {
    for (let i = 0; i < NAMED.length; i++) {
      const name = this.netns.substring(NAMED[i].length);
      if (this.netns.startsWith(NAMED[i]) && !name.includes("/")) {
        return `${program} -n ${word(name)} ${words}`;
      }
    }
    return this.enter(`${program} ${words}`);
  }
  /** Any command in there. */
  enter(command: string): string {
    return `nsenter --net=${word(this.netns)} ${command}`;
  }
  /** What holds of everything in a namespace that is not entered. */
  absent(seen: Seen): Seen {
    if (this.why.length > 0) return seen.is(UNKNOWN, this.why);
    return seen.is(GONE, "its network namespace is gone");
  }
}

/** The kind and address of a link that was found, or not, beside those of the record. */
export function judge(seen: Seen, link: Link | null, kind: string, mac: string): Seen {
  if (!link) return failure_errno == ENODEV ? seen.is(GONE) : seen.failed();
  if (kind.length > 0 && link.kind != kind) return seen.is(CHANGED, `its kind is ${link.kind}`);
  if (mac.length > 0 && link.address != mac) {
    return seen.is(CHANGED, `its address is ${link.address}, made was ${mac}`);
  }
  return seen.is(THERE);
}
