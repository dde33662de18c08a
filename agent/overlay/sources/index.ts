// SPDX-License-Identifier: Apache-2.0
// The source that a configuration names, with what it remembers on disk. It owns those files'
// names; that of Kubernetes is a script that is loaded here, and only when it is named.
import { join } from 'node:path';
import { RememberingSource } from '../cache.ts';
import type { AgentConfig } from '../config.ts';
import type { Source } from '../source.ts';
import { Memory } from './etcd/memory.ts';
import { EtcdSource } from './etcd/source.ts';
import { FileSource } from './file.ts';

/** The script dist/fairlead-kubernetes.js. */
export type KubernetesScript = typeof import('./kubernetes/source.ts');

export interface SourceParts {
  /** For what outlives a boot. */
  readonly disk_dir: string;
  readonly kubernetes: () => Pick<KubernetesScript, 'kubernetesSource'>;
  readonly log: (level: 'info' | 'warn', msg: string) => void;
}

/** `silent`: one that says only what is remembered, and asks nobody. */
export function sourceOf(config: AgentConfig, parts: SourceParts, silent = false): Source {
  const { source, node, network } = config;
  // A file is on the disk already.
  if (source.type === 'file') return new FileSource(source.path);
  const { log, disk_dir } = parts;
  const path = join(disk_dir, 'overlay', `${network.name}.nodes.json`);
  const at = source.type === 'etcd' ? source.prefix : source.kubeconfig;
  const of = [source.type, at, network.name, node].join(' ');
  const options = { path, of, log };
  if (silent) return new RememberingSource(undefined, options);
  if (source.type === 'kubernetes') {
    const { kubeconfig } = source;
    const { kubernetesSource } = parts.kubernetes();
    const joined = network.flannel ? { vni: network.vni } : undefined;
    const inner = kubernetesSource({ node, kubeconfig, joined, log });
    return new RememberingSource(inner, options);
  }
  const memory = new Memory(join(disk_dir, 'overlay', `${network.name}.claim.json`));
  return new RememberingSource(new EtcdSource({ config, source, memory, log }), options);
}
