// SPDX-License-Identifier: Apache-2.0
// `fairlead mtu`: what packets of pods may have on the way to each other node, what the kernel's
// routes carry, whether it is true, and which interfaces of pods differ. The sums are those of
// agent.wasm, the pods are looked at by the core; this asks, and prints.
import { resolve } from 'node:path';
import { AgentCore } from '../../agent/core.ts';
import {
  type AgentHost,
  configured,
  USUAL_DISK_DIR,
  USUAL_STATE_DIR,
} from '../../agent/overlay/command.ts';
import type { AgentConfig } from '../../agent/overlay/config.ts';
import { type Looked, lookAtPaths, type Path } from '../../agent/overlay/paths.ts';
import { probe, type Verdict } from '../../agent/overlay/probe.ts';
import { Publisher } from '../../agent/overlay/publish.ts';
import { sourceOf } from '../../agent/overlay/sources/index.ts';
import { Echo } from '../sys/echo.ts';
import { parseArgs } from './args.ts';
import { EXIT_FAILED, guarded, type Io, paint, table, tellFailure, wantsJson } from './io.ts';
import { ID_SHOWN } from './ls.ts';

const USUAL_CONFIG = '/etc/fairlead/agent.json';

const HELP = `fairlead mtu: what each way to other nodes takes, and whether that is true

Usage:
  fairlead mtu [--probe] [--apply] [--config FILE] [OPTION…] [--output json]

  --probe           send packets that nobody may cut, at the limit and one byte above
  --apply           give running pods whose interfaces have more the sum, as "mtu_bytes"
  --config FILE     the agent's configuration (${USUAL_CONFIG})
  --node NAME       of this node in the source, in place of "node" of the configuration
  --disk-dir DIR    what outlives a boot: the nodes last known (${USUAL_DISK_DIR})
  --state-dir DIR   of the agent (CNI_FAIRLEAD_STATE_DIR, or ${USUAL_STATE_DIR})
  --output json     {"network", "mtu_bytes", "paths": […], "pods": […], "problems": […]}

LINK is what the link below takes here, THERE what the other node says, MTU what is left for pods,
ROUTE what the kernel's route carries. With --probe the way outside the tunnel and the one through
it are tried; where less gets through than is said, it is measured, and the hop that says so named.
The sum, "mtu_bytes", is what the tunnel leaves of this node's link. Pods are listed whose
interfaces have another MTU. --apply gives the sum to both ends of those that have more, also where
"mtu" of a delegate is more, if they are ours by record. Less is kept, as somebody may have chosen
it, and so is what "tuning" set. Where plugins are told another MTU than the sum, that is said. The
agent need not run.
Exit codes: 0 all of it is true; 1 something is not, or cannot be told; 2 wrong usage.
`;

/** An interface of a pod, as core-as/tasks/pod-mtu.ts has it. */
interface Pod {
  readonly containerID: string;
  readonly ifname: string;
  readonly netns: string;
  readonly mtu_bytes?: number;
  readonly host?: string;
  readonly host_bytes?: number;
  /** What the host's end is a port of. */
  readonly bridge?: string;
  readonly bridge_bytes?: number;
  /** `tuning` set it: it is meant. */
  readonly chosen?: boolean;
  readonly changed?: boolean;
  readonly error?: string;
}

/** A path with what was found out about it. */
interface Judged extends Path {
  readonly truth: Verdict['truth'];
  /** Why it is not true, or what is to be known. */
  readonly why: readonly string[];
  readonly probe?: { readonly outside: Verdict; readonly inside: Verdict };
}

/** What a route carries against what it should. */
function routeTrouble({ dev, route_bytes, mtu_bytes }: Path): string {
  if (route_bytes === mtu_bytes) return '';
  if (route_bytes === 0) return `no route leads there by ${dev}: is the agent running?`;
  return `the route carries ${route_bytes}, not ${mtu_bytes}: is the agent running?`;
}

function judged(path: Path, verdicts?: readonly [Verdict, Verdict]): Judged {
  const route = routeTrouble(path);
  const all = verdicts ?? [];
  const truth = (['lie', 'unknown'] as const).find((word) => all.some((one) => one.truth === word));
  // What a way outside does not take, the tunnel over it does not either; and a tunnel may take
  // more than it should, as others cut its packets.
  const [outer, inner] = all;
  const told = outer?.truth === 'lie' || inner?.truth === 'true' ? all.slice(0, 1) : all;
  const why = [route, ...told.map((one) => one.why)].filter((text) => text !== '');
  const found = route === '' ? (truth ?? 'true') : 'lie';
  if (verdicts === undefined) return { ...path, truth: found, why };
  const [outside, inside] = verdicts;
  return { ...path, truth: found, why, probe: { outside, inside } };
}

/** Tries each path outside the tunnel and through it. */
function probed(paths: readonly Path[]): Judged[] {
  const outside = paths.map(({ address, mtu_bytes, overhead_bytes }) => {
    return { address, limit_bytes: mtu_bytes + overhead_bytes };
  });
  const inside = paths.map((path) => ({ address: path.inside, limit_bytes: path.mtu_bytes }));
  // Pods of two families may go by one way: it is tried once.
  const keyOf = (one: { address: string; limit_bytes: number }): string =>
    `${one.address} ${one.limit_bytes}`;
  const targets = new Map([...outside, ...inside].map((one) => [keyOf(one), one]));
  const echo = new Echo();
  try {
    const verdicts = probe([...targets.values()], (asks, wait_ms) => echo.exchange(asks, wait_ms));
    const found = new Map([...targets.keys()].map((key, at) => [key, verdicts[at]!]));
    const of = (one: { address: string; limit_bytes: number }): Verdict => found.get(keyOf(one))!;
    return paths.map((path, at) => judged(path, [of(outside[at]!), of(inside[at]!)]));
  } finally {
    echo.close();
  }
}

const WORDS = {
  true: paint('green', 'true'),
  lie: paint('red', 'lie'),
  unknown: paint('yellow', 'unknown'),
} as const;

function pathRows(paths: readonly Judged[], probing: boolean): string[][] {
  const head = ['NODE', 'PODS', 'DEV', 'BELOW', 'LINK', 'THERE', 'OVERHEAD', 'MTU', 'ROUTE'];
  const number = (bytes: number): string => (bytes === 0 ? '-' : String(bytes));
  const rows = paths.map((path) => {
    const { node, subnet, dev, underlay, underlay_bytes, overhead_bytes, probe: tried } = path;
    const cells = [node, subnet, dev, underlay, number(underlay_bytes), number(path.node_bytes)];
    cells.push(String(overhead_bytes), String(path.mtu_bytes), number(path.route_bytes));
    if (tried === undefined) return [...cells, WORDS[path.truth]];
    const carried = [tried.outside, tried.inside].map((one) => number(one.carried_bytes));
    return [...cells, ...carried, WORDS[path.truth]];
  });
  return [[...head, ...(probing ? ['OUTSIDE', 'INSIDE'] : []), 'TRUTH'], ...rows];
}

function podRows(pods: readonly Pod[]): string[][] {
  const number = (bytes: number | undefined): string => String(bytes ?? '-');
  return [
    ['CONTAINER', 'IFNAME', 'MTU', 'HOST', 'HOST-MTU', 'STATE'],
    ...pods.map((pod) => {
      const { containerID, ifname, mtu_bytes, host = '-', host_bytes } = pod;
      const id = containerID.slice(0, ID_SHOWN);
      return [id, ifname, number(mtu_bytes), host, number(host_bytes), stateOf(pod)];
    }),
  ];
}

function stateOf({ chosen, changed, error }: Pod): string {
  if (error !== undefined) return paint('red', error);
  if (changed) return paint('green', 'set');
  return chosen ? 'chosen by tuning' : paint('yellow', 'differs');
}

/** Those whose interfaces are, or were before they were set, not as new ones would be. */
function different(pods: readonly Pod[], mtu_bytes: number): Pod[] {
  return pods.filter((pod) => pod.mtu_bytes !== mtu_bytes || pod.host_bytes !== mtu_bytes);
}

/** Bridges that pods are on and that take more than their ports: what is too large is lost. */
function bridgeLines(pods: readonly Pod[], mtu_bytes: number): string[] {
  const larger = pods.filter(({ bridge_bytes = 0 }) => bridge_bytes > mtu_bytes);
  const found = new Map(larger.map(({ bridge = '', bridge_bytes }) => [bridge, bridge_bytes]));
  return [...found].map(([bridge, bytes]) => {
    const cure = `ip link set ${bridge} mtu ${mtu_bytes}`;
    return `  the bridge ${bridge} has ${bytes}, so the node sends pods what they lose: ${cure}`;
  });
}

/** Whether a pod sends what no way takes. */
const tooLarge = (pod: Pod, mtu_bytes: number): boolean =>
  !pod.changed && (pod.mtu_bytes ?? Number.POSITIVE_INFINITY) > mtu_bytes;

interface Report {
  readonly network: string;
  readonly mtu_bytes: number;
  readonly paths: readonly Judged[];
  readonly pods: readonly Pod[];
  readonly problems: Looked['problems'];
}

function printed(report: Report, bridges: readonly string[], probing: boolean): string {
  const { network, mtu_bytes, paths, pods, problems } = report;
  const lines = [paint('bold', `network ${network}: pods get ${mtu_bytes} bytes`), ''];
  if (paths.length === 0) lines.push('no way leads to another node');
  else lines.push(table(pathRows(paths, probing)).trimEnd());
  for (const { node, subnet, why } of paths) {
    for (const one of why) lines.push(`  ${node} ${subnet}: ${one}`);
  }
  for (const { node, msg } of problems) lines.push(`  ${node === '' ? 'here' : node}: ${msg}`);
  if (pods.length > 0) lines.push('', 'pods with another MTU', table(podRows(pods)).trimEnd());
  return [...lines, ...bridges].map((line) => `${line}\n`).join('');
}

export interface MtuHost {
  readonly agent: () => WebAssembly.Module;
  readonly kubernetes: AgentHost['kubernetes'];
}

function look(config: AgentConfig, disk_dir: string, host: MtuHost): Looked {
  const parts = { disk_dir, kubernetes: host.kubernetes, log: () => {} };
  return lookAtPaths(new AgentCore(host.agent()), config, sourceOf(config, parts, true));
}

/** What keeps new pods from getting the sum; none where plugins were never told anything. */
function toldOtherwise(told_bytes: number, mtu_bytes: number): Looked['problems'] {
  if (told_bytes === 0 || told_bytes === mtu_bytes) return [];
  const msg = `plugins give new pods ${told_bytes}, not ${mtu_bytes}: is the agent running?`;
  return [{ node: '', msg }];
}

/** Tells what kept it from being done. */
function failed(io: Io, json: boolean, msg: string): number {
  if (json) io.write(1, `${JSON.stringify({ command: 'mtu', error: msg })}\n`);
  else io.write(2, `fairlead mtu: ${msg}\n`);
  return EXIT_FAILED;
}

/** Runs `mtu` and gives the exit code. */
export function runMtu(args: readonly string[], io: Io, host: MtuHost): number {
  return guarded('mtu', args, io, () => {
    const { help, options } = parseArgs(args, {
      ...({ probe: 'flag', apply: 'flag', config: 'value', node: 'value' } as const),
      ...({ 'disk-dir': 'value', 'state-dir': 'value', output: 'value' } as const),
    });
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const config = configured(options.config ?? USUAL_CONFIG, options.node ?? '');
    if (typeof config === 'string') return failed(io, json, config);
    let looked: Looked;
    let paths: Judged[];
    try {
      looked = look(config, options['disk-dir'] ?? USUAL_DISK_DIR, host);
      paths = options.probe ? probed(looked.paths) : looked.paths.map((path) => judged(path));
    } catch (error) {
      return failed(io, json, error instanceof Error ? error.message : String(error));
    }
    const { mtu_bytes, v6 } = looked;
    const usual = io.env['CNI_FAIRLEAD_STATE_DIR'] || USUAL_STATE_DIR;
    const state_dir = resolve(options['state-dir'] ?? usual);
    const { told_mtu_bytes } = new Publisher(config, state_dir);
    const problems = [...looked.problems, ...toldOtherwise(told_mtu_bytes, mtu_bytes)];
    const network = config.network.name;
    const named = options['state-dir'] === undefined ? {} : { stateDir: state_dir };
    const asked = { network, mtu_bytes, v6, apply: options.apply, ...named };
    const answer = io.task('pod_mtu', asked);
    if (answer.exit_code !== 0) return tellFailure('mtu', io, answer, json);
    const all = (JSON.parse(answer.stdout) as { pods: Pod[] }).pods;
    const pods = different(all, mtu_bytes);
    const report = { network, mtu_bytes, paths, pods, problems };
    const bridges = bridgeLines(all, mtu_bytes);
    io.write(1, json ? `${JSON.stringify(report)}\n` : printed(report, bridges, options.probe));
    const honest = paths.every(({ truth }) => truth === 'true') && bridges.length === 0;
    const failing = pods.some((pod) => tooLarge(pod, mtu_bytes) || pod.error !== undefined);
    return honest && !failing && problems.length === 0 ? 0 : EXIT_FAILED;
  });
}
