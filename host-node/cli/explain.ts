// SPDX-License-Identifier: Apache-2.0
// `fairlead explain`: the story of a call before it happens, of a network of this machine or of a
// file on a plain simulated node; as text, JSON or a picture. Nothing on the machine is changed.
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { simulatedDriver } from '../drivers/simulated.ts';
import { mermaidOf } from '../picture/mermaid.ts';
import { type Model, modelOf } from '../picture/model.ts';
import { svgOf } from '../picture/svg.ts';
import { CACHE_DIR, CONF_DIR, networkOf, plainNode, withConfig } from '../story/node.ts';
import { COMMANDS, type Command, type Story, tell } from '../story/story.ts';
import { parseArgs, UsageError } from './args.ts';
import { DryRunError, type Grounds, onSnapshot, taskOf } from './dry-run.ts';
import { printStory } from './explain-report.ts';
import { EXIT_FAILED, guarded, type Io } from './io.ts';
import { argsOf, capabilitiesOf, containerIdOf, netnsPath, placesOf } from './verbs.ts';

const OUTPUTS = ['text', 'json', 'svg', 'mermaid'] as const;
type Output = (typeof OUTPUTS)[number];

const FILE_LIMIT_BYTES = 8 << 20;
/** The namespace of a pod that is not there yet. */
const POD = 'new-pod';

const HELP = `fairlead explain: the story of a call before it happens

Usage:
  fairlead explain NETWORK|FILE [OPTION…]

NETWORK is one of this machine's: the call is performed on a snapshot of the machine, which needs
the rights of the real call. FILE (with a "/", or *.conflist, *.conf, *.json) is performed on a
plain node with one uplink; that needs no rights. Nothing is executed and nothing changed.

  --command ADD|CHECK|DEL the call (ADD); what CHECK and DEL are of is attached first
  --netns NETNS           a namespace of this machine (one that is made for the story)
  --ifname NAME           the interface in the container (eth0)
  --container-id ID       the container (made of the path of NETNS, as cnitool makes it)
  --args KEY=VALUE[;…]    CNI_ARGS for the plugins
  --capabilities JSON     values by capability, {"portMappings": […]}
  --conf-dir DIR          where networks are looked for ($NETCONFPATH, ${CONF_DIR})
  --path DIR[:DIR…]       where foreign plugins are ($CNI_PATH, /opt/cni/bin)
  --cache-dir DIR         where results are kept ($FAIRLEAD_CACHE_DIR, ${CACHE_DIR})
  --output FORM           text, json, svg or mermaid: the two last are the picture after the call

Exit codes: 0 the call would be done; 1 it would fail, or cannot be foreseen; 2 wrong usage.
`;

const OPTIONS = {
  command: 'value',
  netns: 'value',
  ifname: 'value',
  'container-id': 'value',
  args: 'value',
  capabilities: 'value',
  'conf-dir': 'value',
  path: 'value',
  'cache-dir': 'value',
  output: 'value',
} as const;

/** What of the program it uses. */
export interface ExplainIo extends Pick<Io, 'write' | 'env'> {
  /** tools.wasm and sim.wasm. */
  readonly core: WebAssembly.Module;
  readonly sim: WebAssembly.Module;
}

/** A story and what it was told on. */
interface Told {
  readonly network: string;
  readonly ground: string;
  readonly story: Story;
  readonly notes: readonly string[];
}

interface Asked {
  readonly operand: string;
  readonly command: Command;
  readonly output: Output;
  readonly netns: string | undefined;
  readonly request: Readonly<Record<string, unknown>>;
}

/** Why there is no story; the text says what to do. */
class ExplainError extends Error {}

function wordOf<const T extends string>(given: string, known: readonly T[], option: string): T {
  const found = known.find((word) => word === given.toLowerCase());
  if (found === undefined) {
    throw new UsageError(`--${option} is "${given}": write ${known.join(', ')}`);
  }
  return found;
}

function asked(args: readonly string[], env: Io['env']): Asked | undefined {
  const { help, options, operands } = parseArgs(args, OPTIONS, 1);
  if (help) return undefined;
  const [operand] = operands;
  if (operand === undefined) throw new UsageError('NETWORK or FILE is missing');
  const netns = options.netns === undefined ? undefined : netnsPath(options.netns);
  const path = netns ?? `/run/netns/${POD}`;
  const capabilities = capabilitiesOf(options.capabilities ?? env['CAP_ARGS']);
  return {
    operand,
    command: wordOf(options.command ?? 'ADD', COMMANDS, 'command'),
    output: wordOf(options.output ?? 'text', OUTPUTS, 'output'),
    netns,
    request: {
      ...placesOf({ ...options, 'dry-run': false, verbose: false }, env),
      netns: path,
      ifname: options.ifname ?? (env['CNI_IFNAME'] || 'eth0'),
      containerID: options['container-id'] ?? containerIdOf(path),
      args: argsOf(options.args ?? env['CNI_ARGS']),
      ...(capabilities === undefined ? {} : { capabilities }),
      insists: options.capabilities !== undefined,
      why: true,
    },
  };
}

/** Whether an operand is meant as a file. What lies in the working directory does not matter. */
const isFile = (operand: string): boolean =>
  operand.includes('/') || /\.(conflist|conf|json)$/.test(operand);

function textOf(file: string): string {
  try {
    if (statSync(file).size > FILE_LIMIT_BYTES) {
      throw new ExplainError(`${file} is larger than ${FILE_LIMIT_BYTES} bytes`);
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof ExplainError) throw error;
    throw new ExplainError(`cannot read ${file}: ${(error as Error).message}`);
  }
}

function ofFile({ core, sim }: ExplainIo, { operand, command, request, netns }: Asked): Told {
  const file = resolve(operand);
  const text = textOf(file);
  const network = networkOf(text);
  if (network === '') {
    throw new ExplainError(
      `${operand} has no "name" that can be read: see what fairlead validate ${operand} says`,
    );
  }
  const pod = netns === undefined ? POD : netns.slice(netns.lastIndexOf('/') + 1);
  const there = { confDir: CONF_DIR, cacheDir: CACHE_DIR, netns: `/run/netns/${pod}` };
  const simulated = simulatedDriver(sim, withConfig(plainNode([pod]), text));
  const perform = (name: Command) => taskOf(core, name, { ...request, network, ...there });
  const story = tell({ simulated, command, perform, attached: false });
  const notes = ['files beside it (drop-ins, NAME/*.conf) and programs of others are not there'];
  return { network, ground: 'a plain simulated node', story, notes };
}

function ofNetwork({ core, sim }: ExplainIo, { operand, command, request, netns }: Asked): Told {
  const grounds: Grounds = {
    core,
    sim,
    request: { ...request, ...(netns === undefined ? { netns: '' } : {}) },
    ...(netns === undefined ? { more: `netns ${POD}\n` } : {}),
  };
  const perform = (name: Command) => taskOf(core, name, { ...request, network: operand });
  const { made, notes } = onSnapshot(grounds, (simulated, rehearsing) =>
    tell({ simulated, command, perform, rehearsing, attached: netns !== undefined }),
  );
  const pod = netns === undefined ? [`the namespace ${POD} is not there: it is made up`] : [];
  return {
    network: operand,
    ground: 'a snapshot of this machine',
    story: made,
    notes: [...pod, ...notes],
  };
}

/** What a story's picture shows, and what was there before. */
function pictures({ before, after }: Story): { readonly model: Model; readonly before: Model } {
  return { model: modelOf(after), before: modelOf(before) };
}

function document({ network, ground, story, notes }: Told): Record<string, unknown> {
  const { command, answer, chapters, removed, stays, log } = story;
  const { exit_code, stdout } = answer;
  return {
    command,
    network,
    ground,
    exit_code,
    answer: stdout === '' ? null : JSON.parse(stdout),
    chapters,
    removed,
    stays,
    notes: [...story.notes, ...notes],
    log,
    picture: pictures(story).model,
  };
}

/** Tells of a failure in the form that was asked for. */
function sorry(io: ExplainIo, output: Output, message: string): number {
  if (output === 'json') io.write(1, `${JSON.stringify({ command: 'explain', error: message })}\n`);
  else io.write(2, `fairlead explain: ${message}\n`);
  return EXIT_FAILED;
}

function print(io: ExplainIo, output: Output, told: Told): number {
  const { story } = told;
  const { exit_code, stdout } = story.answer;
  if (output === 'json') io.write(1, `${JSON.stringify(document(told))}\n`);
  else if (output === 'text') io.write(1, printStory(told));
  else if (exit_code !== 0) {
    const { code, msg } = JSON.parse(stdout) as { code: number; msg: string };
    return sorry(io, output, `there is nothing to draw: ${msg} (CNI error ${code})`);
  } else {
    const { model, before } = pictures(story);
    const svg = (): string => `${svgOf(model, { before, standalone: true })}\n`;
    io.write(1, output === 'svg' ? svg() : mermaidOf(model));
  }
  return exit_code === 0 ? 0 : EXIT_FAILED;
}

/** Runs `explain` and gives the exit code. */
export function runExplain(args: readonly string[], io: ExplainIo): number {
  return guarded('explain', args, io, () => {
    const given = asked(args, io.env);
    if (given === undefined) {
      io.write(1, HELP);
      return 0;
    }
    try {
      const told = isFile(given.operand) ? ofFile(io, given) : ofNetwork(io, given);
      return print(io, given.output, told);
    } catch (error) {
      if (!(error instanceof ExplainError || error instanceof DryRunError)) throw error;
      const more = error instanceof DryRunError ? '; a FILE needs no rights' : '';
      return sorry(io, given.output, error.message + more);
    }
  });
}
