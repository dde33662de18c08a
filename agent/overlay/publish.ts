// SPDX-License-Identifier: Apache-2.0
// What an agent says to the plugins of its node: the file of fairlead-overlay, Flannel's
// subnet.env, and last of all the runtime's conflist. Each is replaced as a whole. It refuses
// to take any of them away: running pods, and a new agent, go by them.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentConfig } from './config.ts';

/** What core-as/overlay/machine.ts says of this node. */
export interface NodeState {
  readonly ready: boolean;
  readonly mtu_bytes: number;
  readonly subnets: readonly string[];
  /** The pods' gateway in each subnet, with its prefix length. */
  readonly gateways: readonly string[];
  readonly networks: readonly string[];
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Replaces a file by rename, unless it holds that already; whether it did. */
export function replaceFile(path: string, content: string, mode = 0o644): boolean {
  if (contentOf(path) === content) return false;
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  // In the same folder: containerd looks at renames within the folder of configurations only.
  const temporary = join(dirname(path), `.${process.pid}.tmp`);
  try {
    // One that was left, of a process with this number, may be open to others.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, content, { mode, flag: 'wx', flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return true;
}

export function subnetEnv(state: NodeState, masquerade: boolean): string {
  const v6 = (text: string): boolean => text.includes(':');
  const line = (key: string, value: string | undefined): string =>
    value === undefined ? '' : `${key}=${value}\n`;
  return [
    line('FLANNEL_NETWORK', state.networks.filter((one) => !v6(one)).join(',') || undefined),
    line(
      'FLANNEL_SUBNET',
      state.gateways.find((one) => !v6(one)),
    ),
    line('FLANNEL_IPV6_NETWORK', state.networks.filter(v6).join(',') || undefined),
    line('FLANNEL_IPV6_SUBNET', state.gateways.find(v6)),
    line('FLANNEL_MTU', String(state.mtu_bytes)),
    // Flannel's IPMASQ says whether the agent itself masquerades: it leaves that to the plugin.
    line('FLANNEL_IPMASQ', String(!masquerade)),
  ].join('');
}

export class Publisher {
  readonly #config: AgentConfig;
  readonly #path: string;
  /** Once ready stays ready: running pods and new ones have what they need without a source. */
  #ready = false;

  constructor(config: AgentConfig, stateDir: string) {
    this.#config = config;
    this.#path = join(stateDir, 'overlay', `${config.network.name}.json`);
  }

  /** The MTU that plugins were told last, by whichever agent; 0 for none. */
  get told_mtu_bytes(): number {
    try {
      const said = JSON.parse(contentOf(this.#path) ?? '') as Partial<NodeState>;
      return typeof said.mtu_bytes === 'number' ? said.mtu_bytes : 0;
    } catch {
      return 0;
    }
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Says it; the lines for the log. */
  say(state: NodeState): string[] {
    const { masquerade, conflist, subnet_env } = this.#config;
    this.#ready ||= state.ready;
    if (!state.ready && this.#ready) return [];
    const { ready, networks, subnets, mtu_bytes } = state;
    const lines: string[] = [];
    const file = `${JSON.stringify({ ready, networks, subnets, mtu_bytes, masquerade })}\n`;
    if (replaceFile(this.#path, file)) lines.push(`wrote ${this.#path}: ${file.trim()}`);
    if (!ready) return lines;
    if (subnet_env !== '' && replaceFile(subnet_env, subnetEnv(state, masquerade))) {
      lines.push(`wrote ${subnet_env}`);
    }
    if (conflist !== undefined) {
      const content = `${JSON.stringify(conflist.content, null, 2)}\n`;
      if (replaceFile(conflist.path, content)) lines.push(`wrote ${conflist.path}`);
    }
    return lines;
  }
}
