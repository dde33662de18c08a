// SPDX-License-Identifier: Apache-2.0
// The table of CNI types as the core gives it (core-as/tasks/types.ts), for help and install. It
// knows no type itself.
import { performTask } from '../core.ts';
import { simulatedDriver } from '../drivers/simulated.ts';

/** A row: a CNI type that is ours, or one of others that is known. */
export interface TypeRow {
  readonly name: string;
  readonly role: 'main' | 'meta' | 'ipam' | 'alone' | 'chain' | 'either';
  readonly ours: boolean;
  /** A line of help; empty for others' types. */
  readonly about: string;
  /** Keys by place: "" is the configuration (core-as/plugin/type.ts). */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** What the kernel must have, as in the directive `needs` of a fixture. */
  readonly kernel: readonly string[];
}

/** The answer of the task. */
export interface TypeTable {
  readonly types: readonly TypeRow[];
  /** Keys that no type owns, by place: list, plugin, runtime, dns, routes, ranges. */
  readonly shared: Readonly<Record<string, readonly string[]>>;
}

/** The table. It is asked on the simulated kernel: nothing of the machine has to do with it. */
export function readTypes(core: WebAssembly.Module, sim: WebAssembly.Module): TypeTable {
  const driver = simulatedDriver(sim, 'netns host\n');
  const around = { stdin: () => new Uint8Array(0), sleep: () => {}, log: () => {} };
  const { stdout } = performTask(core, driver, 'types', {}, around);
  return JSON.parse(stdout) as TypeTable;
}

/** Names that lead to the program: all that are ours but its own. */
export const linkNames = ({ types }: TypeTable): readonly string[] =>
  types.filter(({ ours, role }) => ours && role !== 'chain').map(({ name }) => name);

/** The rows of ours as lines of help. */
export const describeTypes = ({ types }: TypeTable): string => {
  const rows = types.filter(({ ours }) => ours);
  const longest = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, about }) => `  ${name.padEnd(longest + 2)}${about}\n`).join('');
};

/** The places of keys (core-as/plugin/type.ts) as a person says them. */
const PLACES: Readonly<Record<string, string>> = {
  '': 'in its object',
  ipam: 'in "ipam"',
  runtime: 'from the runtime, as capabilities',
  args: 'in CNI_ARGS',
};

/** A type and its keys, as help. */
export function describeType({ name, role, ours, about, keys, kernel }: TypeRow): string {
  const whose = ours ? about : 'a plugin of others, which is executed from CNI_PATH';
  const lines = [`${name}: ${whose} (${role})`, ''];
  for (const [place, names] of Object.entries(keys)) {
    if (names.length === 0) continue;
    lines.push(`Keys ${PLACES[place] ?? `of "${place}"`}:`);
    lines.push(...names.map((key) => `  ${key}`));
  }
  if (kernel.length > 0) lines.push(`The kernel must have: ${kernel.join(', ')}`);
  return `${lines.join('\n')}\n`;
}
