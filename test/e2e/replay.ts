// SPDX-License-Identifier: Apache-2.0
// A recorded client once more, against our executable on a node of its own: the same environment,
// the same input, namespaces at the same paths. It owns what stands between the recording and the
// replay: results of ours where the recording has those of the reference. It refuses to judge.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownTypes } from '../support/types.ts';
import { REFERENCE_DIR } from '../support/world.ts';
import { Cell } from './cell.ts';
import { type Interface, interfacesOf, type State, stateOf } from './state.ts';
import type { RecordedCall, Transcript } from './transcript.ts';

/** Keys that our plugins still refuse; without an entry here they are sent as recorded. */
const NOT_YET: readonly string[] = ['ipMasq'];

/** Where the clients had their plugins. The machine's own folder of that name stays as it is. */
const RECORDED_CNI_PATH = '/opt/cni/bin';
/** podman and CRI-O give this as CNI_NETNS of VERSION. */
const NO_NETNS = new Set(['', 'dummy']);

export interface Answer {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** All that a call can change. */
export interface Snapshot extends State {
  /** The interfaces of each pod that lives, by CNI_NETNS. */
  readonly pods: Readonly<Record<string, Readonly<Record<string, Interface>>>>;
}

type Json = Record<string, unknown>;

/** A text that is equal for results that say the same: keys sorted, without an empty dns. */
function canonical(result: unknown): string {
  return JSON.stringify(result, (key, value) => {
    if (key === 'dns' && JSON.stringify(value) === '{}') return undefined;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const versions = new Map<string, readonly string[]>();

/** The versions that a plugin of the reference speaks, as it is installed here. */
function versionsOf(type: string): readonly string[] {
  const known = versions.get(type);
  if (known !== undefined) return known;
  const program = join(REFERENCE_DIR, type);
  if (!existsSync(program)) return [];
  const env = { CNI_COMMAND: 'VERSION' };
  const stdout = execFileSync(program, { env, input: '{"cniVersion":"1.0.0"}', encoding: 'utf8' });
  const { supportedVersions } = JSON.parse(stdout) as { supportedVersions: string[] };
  versions.set(type, supportedVersions);
  return supportedVersions;
}

export const isOurs = ({ plugin }: RecordedCall): boolean => ownTypes().includes(plugin);

/**
 * "" when the call can be replayed. A type that we do not have is the reference's, and the packaged
 * release of it may be older than the one that was recorded: that is so under CI as well.
 */
export function needsPlugin(call: RecordedCall): string {
  if (isOurs(call)) return '';
  const { plugin } = call;
  const { cniVersion } = JSON.parse(call.stdin) as { cniVersion: string };
  if (versionsOf(plugin).includes(cniVersion)) return '';
  return `needs a ${plugin} that speaks CNI ${cniVersion}`;
}

/** The last address given before `address`: a folder with this hint goes on with `address`. */
function addressBefore(address: string): string {
  const [a, b, c, d] = address.split('.').map(Number);
  return [a, b, c, Number(d) - 1].join('.');
}

export class Replay {
  private readonly cell: Cell;
  private readonly transcript: Transcript;
  /** Our result for each result of the recording, by its canonical text. */
  private readonly results = new Map<string, unknown>();
  private readonly pods = new Set<string>();

  private constructor(cell: Cell, transcript: Transcript) {
    this.cell = cell;
    this.transcript = transcript;
  }

  /** `executable` is what our types are called as. */
  static async open(transcript: Transcript, executable: string): Promise<Replay> {
    const replay = new Replay(await Cell.open(), transcript);
    try {
      await replay.prepare(executable);
      return replay;
    } catch (error) {
      await replay.close();
      throw error;
    }
  }

  private async prepare(executable: string): Promise<void> {
    mkdirSync(this.program(''));
    for (const type of new Set(this.transcript.calls.map((call) => call.plugin))) {
      const target = ownTypes().includes(type) ? executable : join(REFERENCE_DIR, type);
      symlinkSync(target, this.program(type));
    }
    for (const call of this.transcript.delegated) await this.hint(call);
  }

  private program(type: string): string {
    return join(this.cell.folder, 'bin', type);
  }

  /**
   * The recorded node had given addresses before. With the same hint in the folder of leases the
   * first ADD has to give the recorded address, and every later one the next, as recorded.
   */
  private async hint({ env, stdin, stdout }: RecordedCall): Promise<void> {
    if (env['CNI_COMMAND'] !== 'ADD') return;
    const { name, ipam } = JSON.parse(stdin) as { name: string; ipam: { dataDir?: string } };
    const { ips } = JSON.parse(stdout) as { ips: { address: string }[] };
    const folder = join(ipam.dataDir ?? '/var/lib/cni/networks', name);
    const last = addressBefore(ips[0]!.address.replace(/\/.*/, ''));
    const once = 'mkdir -p "$1" && [ -e "$2" ] || printf %s "$3" >"$2"';
    const hint = join(folder, 'last_reserved_ip.0');
    await this.cell.run(['sh', '-c', once, 'hint', folder, hint, last]);
  }

  /** Makes the namespace that a call names, at its path, unless an earlier call did. */
  private async makePod(netns: string): Promise<void> {
    if (NO_NETNS.has(netns) || this.pods.has(netns)) return;
    await this.cell.run(['mkdir', '-p', dirname(netns)]);
    await this.cell.run(['touch', netns]);
    await this.cell.run(['unshare', `--net=${netns}`, 'true']);
    this.pods.add(netns);
  }

  /** The client removed a namespace after the last call that names it. */
  async removePodAfter(call: RecordedCall): Promise<void> {
    const netns = call.env['CNI_NETNS'] ?? '';
    const later = this.transcript.calls.filter((other) => other.number > call.number);
    if (this.pods.has(netns) && later.every((other) => other.env['CNI_NETNS'] !== netns)) {
      await this.removePod(netns);
    }
  }

  async removePod(netns: string): Promise<void> {
    await this.cell.run(['umount', netns]);
    await this.cell.run(['rm', netns]);
    this.pods.delete(netns);
  }

  /**
   * The recorded input. A prevResult in it is what the reference had answered, with its hardware
   * addresses and host interfaces: a client that has our plugins passes what ours answered instead.
   * One that no recorded call gave is an error. All else goes byte for byte.
   */
  private stdinOf({ number, stdin }: RecordedCall): string {
    const config = JSON.parse(stdin) as Json;
    const refused = NOT_YET.filter((key) => key in config);
    if (refused.length === 0 && config['prevResult'] === undefined) return stdin;
    for (const key of refused) delete config[key];
    if (config['prevResult'] !== undefined) {
      const ours = this.results.get(canonical(config['prevResult']));
      if (ours === undefined) throw new Error(`call ${number} has a prevResult of no earlier call`);
      config['prevResult'] = ours;
    }
    return JSON.stringify(config);
  }

  async call(recorded: RecordedCall): Promise<Answer> {
    await this.makePod(recorded.env['CNI_NETNS'] ?? '');
    const answer = await this.again(recorded);
    if (recorded.env['CNI_COMMAND'] === 'ADD' && answer.code === 0) {
      this.results.set(canonical(JSON.parse(recorded.stdout)), JSON.parse(answer.stdout));
    }
    return answer;
  }

  /** The call alone, on whatever is left of its pod: what a client does when it repeats one. */
  again(recorded: RecordedCall): Promise<Answer> {
    const own = dirname(this.program('any'));
    const path = recorded.env['CNI_PATH'] === RECORDED_CNI_PATH ? { CNI_PATH: own } : {};
    const env = { ...recorded.env, ...path };
    return this.cell.call([this.program(recorded.plugin)], env, this.stdinOf(recorded));
  }

  async snapshot(): Promise<Snapshot> {
    const pods: Record<string, Record<string, Interface>> = {};
    for (const path of this.pods) pods[path] = await interfacesOf(this.cell, { path });
    return { ...(await stateOf(this.cell, '/run/netns')), pods };
  }

  async removeLink(name: string): Promise<void> {
    await this.cell.run(['ip', 'link', 'del', name]);
  }

  /** The rules of the packet filter that name a text: what plugins of the reference leave there. */
  async rulesWith(text: string): Promise<string[]> {
    const rules = await this.cell.run(['iptables-save']);
    return rules.split('\n').filter((line) => line.includes(text));
  }

  close(): Promise<void> {
    return this.cell.close();
  }
}
