// SPDX-License-Identifier: Apache-2.0
// Recordings of fixtures' first steps, made on the simulated kernel by what the Node host records
// with. It judges none.
import type { Driver } from '../../host-node/abi/index.ts';
import type { Surroundings } from '../../host-node/bind.ts';
import { type Answer, serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { Tape } from '../../host-node/recording/tape.ts';
import { allFixtures, type Fixture, stdinOf } from '../support/fixture.ts';
import { wasmModule } from '../support/wasm.ts';

const MOST_BYTES = 16 << 20;

export interface Taped {
  readonly text: string;
  readonly answer: Answer;
}

export function fixtureNamed(name: string): Fixture {
  const found = allFixtures().find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no fixture ${name}`);
  return found;
}

export interface TapedCall {
  readonly type: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | Uint8Array;
  /** The state before, in the text of the simulated kernel. */
  readonly before: string;
  readonly around?: Partial<Surroundings>;
  readonly wrap?: (driver: Driver) => Driver;
  readonly most_bytes?: number;
  readonly received?: boolean;
}

/** Serves a call on the simulated kernel and gives its recording. */
export function tape(call: TapedCall): Taped {
  const { type, env, stdin, before, around, received = true } = call;
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const most_bytes = call.most_bytes ?? MOST_BYTES;
  const recorded = new Tape(
    { type, env, version: '9.9.9', module_sha256: 'abc' },
    { write, most_bytes },
  );
  const driver = recorded.driver(
    (call.wrap ?? ((same) => same))(simulatedDriver(wasmModule('sim'), before)),
  );
  const here = { stdin: () => Buffer.from(stdin), log: () => {}, sleep: () => {}, ...around };
  const answer = serve(
    wasmModule('core'),
    driver,
    { type, env },
    recorded.around(here),
    () => received,
  );
  recorded.end(answer, received);
  return { text, answer };
}

/** The first step of a fixture as such a call. */
export function firstStep(fixture: Fixture): TapedCall {
  const [step] = fixture.steps;
  if (step === undefined) throw new Error(`${fixture.name} has no step`);
  const { type, env } = step;
  return { type, env, stdin: stdinOf(step, []), before: fixture.before };
}
