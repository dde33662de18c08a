// SPDX-License-Identifier: Apache-2.0
// How much the random tests try: one place for the tests and for docs/reliability.md, which a test
// holds against it. The environment may ask for more or less. It runs nothing.

/** Sequences of calls (test/sequences). */
export const SEQUENCES = {
  simulated: 3000,
  simulated_events_max: 25,
  real: 200,
  native: 40,
  real_events_max: 8,
} as const;

/** The verdict on a commit must not depend on luck: the same seed each time. */
export const SEED = 1;

/** Runs of calls of ours and of the reference host-local on one folder (test/leases). */
export const SHARED = { folders: 20, events: 40 } as const;

/** A count of the environment, or the usual one. */
export function countFrom(name: string, usual: number): number {
  const given = process.env[name];
  if (given === undefined) return usual;
  if (!/^[1-9]\d*$/.test(given)) throw new Error(`${name}=${given} is not a count`);
  return Number(given);
}

/** What decides which random cases are tried. */
export interface Choice {
  readonly seed: number;
  /** The one case of the seed that is meant, as a failure printed it. */
  readonly path?: string;
}

/** SEED of the environment, a number or "random" for a new one, and REPLAY. */
export function choiceFromEnvironment(): Choice {
  const { SEED: given, REPLAY: path } = process.env;
  const seed = given === 'random' ? Date.now() & 0x7fffffff : Number(given ?? SEED);
  return path === undefined ? { seed } : { seed, path };
}

/** Random changes of inputs (test/fuzz), by target. */
export const FUZZ: Readonly<Record<string, number>> = {
  config: 3000,
  chain: 1000,
  environment: 1000,
  args: 1000,
  'prev-result': 500,
  record: 400,
  lease: 400,
  hint: 300,
  delegate: 500,
  conflist: 400,
  cache: 400,
  netlink: 20000,
  'dhcp-frame': 3000,
  'dhcp-frame6': 1500,
  'dhcp-call': 3000,
  'dhcp-answer': 1000,
};
