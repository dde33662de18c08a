// SPDX-License-Identifier: Apache-2.0
// Plays a random sequence, or the steps of a fixture, on a stage and lets the model judge every
// call. A violation comes with all that was done until then, to be printed as a fixture.
import { Violation } from '../support/answer.ts';
import type { Fixture } from '../support/fixture.ts';
import { indexProblem } from '../support/leases.ts';
import { callOf } from './call.ts';
import { type Event, farewells, type Planned, planned, type Sequence } from './events.ts';
import { Model } from './model.ts';
import { CONTAINERS } from './networks.ts';
import { disturbing, type Stage } from './stage.ts';
import { lookAt } from './state.ts';

/** A call that was made, or an event that no fixture can say. */
export interface Done {
  readonly call: Planned | undefined;
  /** What happened, in words; "" for a call without a fault. */
  readonly words: string;
  /** The state after it, as far as it was read. */
  after: string | undefined;
}

/** A sequence that went wrong. */
export class Failure extends Error {
  readonly done: readonly Done[];
  /** What the calls printed, by number. */
  readonly printed: ReadonlyMap<number, string>;
  constructor(violation: Error, done: readonly Done[], printed: ReadonlyMap<number, string>) {
    super(violation.message, { cause: violation });
    this.done = done;
    this.printed = printed;
  }
}

/** How often what happened, by words such as "ADD 101" or "DEL dies": that it happened at all. */
export type Tally = Map<string, number>;

const NAMESPACES = ['host', ...new Set(CONTAINERS.map((container) => container.netns))];

class Play {
  readonly done: Done[] = [];
  readonly stage: Stage;
  readonly tally: Tally;
  readonly model: Model;
  readonly printed = new Map<number, string>();
  #calls = 0;

  constructor(stage: Stage, tally: Tally) {
    this.stage = stage;
    this.tally = tally;
    this.model = new Model(lookAt(stage.text(), new Set()));
  }

  #count(words: string): void {
    this.tally.set(words, (this.tally.get(words) ?? 0) + 1);
  }

  #look(done: Done) {
    done.after = this.stage.text();
    const wrong = indexProblem(this.stage.store, done.after);
    if (wrong !== '') throw new Violation(wrong);
    return lookAt(done.after, this.model.loose);
  }

  /** The same text for the plugin as a fixture with prev=N would give. */
  #stdin(call: Planned): string {
    const previous = this.printed.get(call.prev);
    if (previous === undefined) return call.stdin;
    return JSON.stringify({ ...JSON.parse(call.stdin), prevResult: JSON.parse(previous) });
  }

  call(call: Planned, last: boolean): void {
    const stdin = this.#stdin(call);
    const { wrap, met } = disturbing(call.fault);
    const answer = this.stage.call(call.step, stdin, wrap);
    const number = ++this.#calls;
    this.printed.set(number, answer.stdout);
    const mode = call.fault !== undefined && met() ? call.fault.mode : 'none';
    const words = mode === 'none' ? '' : `operation ${call.fault?.at} ${mode}`;
    const done: Done = { call, words, after: undefined };
    this.done.push(done);
    const look = () => this.#look(done);
    const always = last || mode !== 'none' || !this.stage.slow;
    const judged = this.model.judge(callOf(call.step, stdin), number, mode, answer, look, always);
    const outcome = mode === 'none' ? String(judged.code) : mode;
    this.#count(`${call.step.command} ${outcome}`);
    for (const note of judged.notes) this.#count(note);
  }

  event(event: Event): void {
    const done: Done = { call: undefined, words: event.do, after: undefined };
    if (event.do === 'reboot') {
      this.stage.reboot(NAMESPACES);
      this.done.push(done);
      this.model.rebooted(this.#look(done), NAMESPACES);
    } else if (event.do === 'namespace destroyed') {
      const name = CONTAINERS[event.container]!.netns;
      if (!this.model.hasNetns(name)) return;
      this.stage.netnsDel(name);
      if (event.again) this.stage.netnsAdd(name);
      this.done.push(done);
      this.model.netnsGone(name, this.#look(done));
    } else {
      const missing = NAMESPACES.filter((name) => !this.model.hasNetns(name));
      if (missing.length === 0) return;
      for (const name of missing) this.stage.netnsAdd(name);
      this.done.push(done);
      this.model.netnsMade(missing, this.#look(done));
    }
    this.#count(event.do);
  }

  /** The state, read once more when the last calls left it unread. */
  end(): void {
    this.model.unchanged(lookAt(this.stage.text(), this.model.loose));
  }
}

/** Runs it; throws a Failure at the first violation. */
function guarded(play: Play, action: () => void): readonly Done[] {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Failure(error, play.done, play.printed);
  }
  return play.done;
}

/** Plays a sequence; in the end every attachment gets its DEL, and nothing of any may be left. */
export function playSequence(stage: Stage, sequence: Sequence, tally: Tally): readonly Done[] {
  const play = new Play(stage, tally);
  return guarded(play, () => {
    for (const event of sequence.events) {
      const call = planned(event, sequence.networks, play.model);
      if (call === undefined) play.event(event);
      else play.call(call, false);
    }
    for (const call of farewells(play.model)) play.call(call, false);
    play.end();
  });
}

/** Plays the steps of a fixture that begins with an empty node. */
export function playFixture(stage: Stage, fixture: Fixture, tally: Tally): readonly Done[] {
  const play = new Play(stage, tally);
  return guarded(play, () => {
    for (const step of fixture.steps) {
      play.call({ label: '', step, stdin: step.stdin, prev: step.prev, fault: undefined }, false);
    }
  });
}
