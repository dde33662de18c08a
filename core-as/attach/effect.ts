// SPDX-License-Identifier: Apache-2.0
// An effect: one thing that a call made or changed for an attachment, and how it goes back. The
// record of an attachment (record.ts) is the list of its effects; rollback, DEL, GC and healing are
// one walk over such a list. Each class lies beside the code that makes the thing. This file
// refuses to know any of them.
import { log } from "../host/store";
import { JsonValue, json_text } from "../lib/json";
import { CniError } from "../spec/error";

/** Where an effect is taken back, and for whom. */
export class Site {
  /** Handle of the container's namespace; 0 when that is gone, and with it what was in it. */
  ns: i32 = 0;
  /** The namespace may be there and could not be entered: what is in it is left for later. */
  unreached: bool = false;
  /** What is in nftables is taken away already. */
  elements_gone: bool = false;
  constructor(
    public network: string,
    public containerID: string,
    public ifname: string,
  ) {}
}

export abstract class Effect {
  /** The CNI type that the program was called as: a chained plugin takes back what is its own. */
  by: string = "";
  /** Its word in the record; "" for what only this very call could take back. */
  get word(): string {
    return "";
  }
  /** Effects of one kind may lie on one another: usually those of one word. */
  get kind(): string {
    return this.word;
  }
  /** Noted, and made only after what is noted meanwhile: that is taken back after it. */
  get waits(): bool {
    return false;
  }
  /** The folder of files that go with it; "" for none. */
  folder(site: Site): string {
    return "";
  }
  /** The path of a socket that taking it back calls; "" for none. */
  get socket(): string {
    return "";
  }
  /** Writes its members, beside "effect" and "by". */
  write(into: JsonValue): void {}
  /**
   * Takes it back as far as it is there and still ours; what is gone is fine. False when something
   * is left for another try; what failed is among the errors then, unless it is told already.
   */
  abstract undo(site: Site, errors: CniError[]): bool;
}

/** Reads what Effect.write wrote; null for an unknown word, or members that are none. */
type Read = (word: string, from: JsonValue) => Effect | null;

let read: Read = none;

function none(word: string, from: JsonValue): Effect | null {
  return null;
}

/** What reads the effects of all types; ../registry.ts has it. */
export function effects_fill(reader: Read): void {
  read = reader;
}

/** An effect of a record. One that nobody can read stays, and says so when it is to go. */
export function effect_read(word: string, from: JsonValue): Effect {
  const known = read(word, from);
  return known ? known : new Unknown(word, from);
}

/**
 * Of a newer version, or of a hand. A DEL that failed because of it would hold up its pod for good,
 * so it says what it leaves, and goes on.
 */
class Unknown extends Effect {
  constructor(
    private name: string,
    private members: JsonValue,
  ) {
    super();
  }
  get word(): string {
    return this.name;
  }
  write(into: JsonValue): void {
    for (let i = 0; i < this.members.items.length; i++) {
      const key = this.members.keys[i];
      if (key != "effect" && key != "by") into.append(key, this.members.items[i]);
    }
  }
  undo(site: Site, errors: CniError[]): bool {
    log(
      `the record of "${site.ifname}" of ${site.containerID} has an effect "${this.name}" that ` +
        `this version cannot take back: it is left, ${json_text(this.members)}`,
    );
    return true;
  }
}

/**
 * Takes effects back, the last first, and goes on after failures; gives those that stay. One on
 * which another of its kind lies that stays has to wait for that: each goes back to what it found.
 */
export function effects_undo(effects: Effect[], site: Site, errors: CniError[]): Effect[] {
  const stay = new Array<Effect>();
  const blocked = new Set<string>();
  for (let i = effects.length - 1; i >= 0; i--) {
    const effect = effects[i];
    if (!blocked.has(effect.kind) && effect.undo(site, errors)) continue;
    stay.unshift(effect);
    if (effect.kind.length > 0) blocked.add(effect.kind);
  }
  return stay;
}
