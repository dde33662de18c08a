// SPDX-License-Identifier: Apache-2.0
// What was called on the page's node so far, and which step of which call is looked at. It owns no
// element of the page and no module; a changed session is a new one.
import { plainNode, withConfig } from '../host-node/story/node.ts';
import type { Rehearsal, Step } from '../host-node/story/rehearse.ts';
import type { Asked } from './engine.ts';
import type { SharedCall } from './share.ts';

export const PODS = Array.from({ length: 10 }, (_, at) => `pod${at + 1}`);

/** A call with what it did; `broken` where the simulation gave way. */
export interface Call {
  readonly asked: Asked;
  /** The same as one would share it. */
  readonly wanted: SharedCall;
  /** The configuration of the time. */
  readonly conf: string;
  readonly state: string;
  readonly done: Rehearsal | undefined;
  readonly broken: string;
}

export interface Session {
  readonly calls: readonly Call[];
  /** Which call is shown, and after how many of its steps: -1 of none. */
  readonly call: number;
  readonly step: number;
}

export const NOTHING: Session = { calls: [], call: -1, step: 0 };

/** How many pods the picture has: those in use, and one to be next. */
function podsOf(session: Session, pod: string): string[] {
  const used = session.calls.map(({ asked }) => PODS.indexOf(asked.pod));
  return PODS.slice(0, Math.max(0, PODS.indexOf(pod), ...used) + 1);
}

/** The state on which the next call goes on. */
export function stateNow(session: Session, pod: string, conf: string): string {
  const last = session.calls.at(-1);
  if (last === undefined) return withConfig(plainNode(podsOf(session, pod)), conf);
  const after = last.done?.after ?? last.state;
  // What the simulation wrote says all there is: nothing is to be added by its own rules.
  const head = after.startsWith('complete\n') ? '' : 'complete\n';
  const missing = podsOf(session, pod).filter((name) => !after.includes(`\nnetns ${name}\n`));
  return withConfig(head + after + missing.map((name) => `netns ${name}\n`).join(''), conf);
}

/** With one call more, which is shown at its end. */
export function withCall(session: Session, call: Call): Session {
  const calls = [...session.calls, call];
  return { calls, call: calls.length - 1, step: call.done?.steps.length ?? 0 };
}

/** Without the shown call and those after it. */
export function withoutShown(session: Session): Session {
  const calls = session.calls.slice(0, session.call);
  return { calls, call: calls.length - 1, step: calls.at(-1)?.done?.steps.length ?? 0 };
}

export const shownCall = (session: Session): Call | undefined => session.calls[session.call];

/** The numbers of the steps that a person looks at: what changed, failed, or all. */
export function toldSteps(steps: readonly Step[], all: boolean): number[] {
  return steps.flatMap((step, at) => {
    const told = all || step.changes || (step.errno !== undefined && isFault(step));
    return told ? [at + 1] : [];
  });
}

/** Failures that are answers, not trouble: something is not there. */
const ENOENT = 2;
const ENODEV = 19;

export function isFault({ errno }: Step): boolean {
  return errno !== undefined && errno !== ENOENT && errno !== ENODEV;
}

/** The state after so many steps of a call, and before the last of those that changed it. */
export function statesAt(
  { before, steps }: Rehearsal,
  step: number,
): { readonly state: string; readonly previous: string } {
  let [state, previous] = [before, before];
  for (let at = 0; at < step; at++) {
    const after = steps[at]?.state;
    if (after === undefined) continue;
    previous = state;
    state = after;
  }
  return { state, previous: steps[step - 1]?.state === undefined ? state : previous };
}
