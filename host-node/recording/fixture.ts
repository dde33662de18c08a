// SPDX-License-Identifier: Apache-2.0
// A recorded call as a fixture (fixtures/README.md): the ground that the recording tells of, the
// step, what it prints and leaves on the simulated kernel. What a fixture cannot have, or the
// simulation does otherwise, is said at its head.
import { OsError } from '../abi/index.ts';
import { Halt } from '../bind.ts';
import { type Recording, RecordingError } from './format.ts';
import type { Rehearsed } from './rehearse.ts';
import { stdinOf } from './replay.ts';

const MAC = /\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/g;
const ZERO_MAC = '00:00:00:00:00:00';
const CONFIG = 'config.json';
/** Variables that are of the machine it was recorded on. */
const LEFT_OUT = ['CNI_FAIRLEAD_RECORD', 'CNI_FAIRLEAD_STATE_DIR', 'CNI_FAIRLEAD_HELD'];
const KEYS: Readonly<Record<string, string>> = {
  CNI_CONTAINERID: 'id',
  CNI_IFNAME: 'ifname',
  CNI_ARGS: 'args',
  CNI_PATH: 'path',
};

/**
 * Replaces hardware addresses by <mac NETNS/LINK>, except those that `named` has: a kernel makes up
 * some of them, and a result that names the link's own is what matters.
 */
export function normalMacs(text: string, state: string, named: string): string {
  const owners = new Map<string, string>();
  let ns = '';
  for (const line of state.split('\n')) {
    ns = /^netns (\S+)/.exec(line)?.[1] ?? ns;
    const link = /^link (\S+) .*address (\S+)/.exec(line);
    if (link) owners.set(link[2] ?? '', `${ns}/${link[1]}`);
  }
  return text.replace(MAC, (mac) => {
    const owner = owners.get(mac);
    return mac === ZERO_MAC || owner === undefined || named.includes(mac) ? mac : `<mac ${owner}>`;
  });
}

/**
 * A state without made-up addresses, and without the operstate of bridges and VLAN interfaces: that
 * follows what is below them up to a second later.
 */
export function normalState(state: string, named: string): string {
  const settled = state.replace(/^(link \S+ kind (?:bridge|vlan) .*) operstate \S+/gm, '$1');
  return normalMacs(settled, state, named);
}

function keyed(name: string, value: string): string {
  if (value.includes('"')) {
    throw new RecordingError(`${name} has a quote, which no step of a fixture can have`);
  }
  return /\s/.test(value) ? `${name}="${value}"` : `${name}=${value}`;
}

function stepOf({ head }: Recording, stdin: string): string {
  const { CNI_COMMAND = '', CNI_NETNS = '', ...env } = head.env;
  const words = [CNI_COMMAND, CONFIG];
  for (const [name, value] of Object.entries(env)) {
    if (!LEFT_OUT.includes(name)) words.push(keyed(KEYS[name] ?? name, value));
  }
  words.push(keyed('netns', /^\/run\/netns\/([^/]+)$/.exec(CNI_NETNS)?.[1] ?? CNI_NETNS));
  let type = '';
  try {
    type = String((JSON.parse(stdin) as { type?: unknown }).type ?? '');
  } catch {
    // What stands first is taken then.
  }
  if (type !== head.type) words.push(keyed('type', head.type));
  return words.join(' ');
}

const ended = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** What a step of a fixture always has; a call may have been given none. */
function configOf(recording: Recording): string {
  try {
    return new TextDecoder().decode(stdinOf(recording));
  } catch (error) {
    if (!(error instanceof Halt || error instanceof OsError)) throw error;
    throw new RecordingError('the call read no configuration, and a step of a fixture has one');
  }
}

/** The fixture of a recording that was rehearsed. */
export function fixtureOf(recording: Recording, about: string, rehearsed: Rehearsed): string {
  if (recording.head.task !== undefined) {
    throw new RecordingError('it is of a command of ours, and a fixture is of calls of plugins');
  }
  const stdin = configOf(recording);
  if (/^-- .+ --$/m.test(stdin)) {
    throw new RecordingError('its configuration has a line that a fixture would take for its own');
  }
  const { before, after, answer, text, missing, parts } = rehearsed;
  const named = `${text}\n${stdin}`.toLowerCase();
  const notes = [
    ...missing.map((what) => `Not known: ${what}.`),
    ...(parts === '' ? [] : [`The recorded call went another way: ${parts}.`]),
  ];
  const result = normalMacs(answer.stdout, after, named);
  const [first, last] = [normalState(before, named), normalState(after, named)];
  const files: [string, string][] = [
    ['before', text],
    ['steps', `${stepOf(recording, stdin)}\n`],
    [CONFIG, ended(stdin)],
    ...(result === '' ? [] : ([['1.result', ended(result)]] as [string, string][])),
    ...(last === first ? [] : ([['1.after', last]] as [string, string][])),
  ];
  const head = [`${about}.`, ...notes, '', 'referee: skip it was recorded on a node', ''];
  return head.join('\n') + files.map(([name, body]) => `-- ${name} --\n${body}`).join('');
}
