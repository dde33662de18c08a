// SPDX-License-Identifier: Apache-2.0
// A server of the Kubernetes API on machine a of a cluster, with a Node for each machine, and a
// kubeconfig for agents. It asserts nothing.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Cluster, clusterNode, FACTS, NAMES } from './cluster.ts';

const PORT = 2379;
const SERVER = fileURLToPath(new URL('../support/kubernetes.ts', import.meta.url));

export const OBJECTS = NAMES.map((name) => {
  const { subnets = [], addresses = [] } = clusterNode(name);
  return {
    metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { podCIDRs: subnets },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  };
});

export const API = `http://${FACTS.a.own}:${PORT}`;

/** A configuration of clients of a server. */
export function kubeconfigOf(url: string): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'one' },
    clusters: [{ name: 'one', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
    users: [{ name: 'one', user: { token: 'x' } }],
  });
}

/** Arguments of Node for a server with some Nodes; what it has it writes into a file, whole. */
export function serverScript(host: string, objects: readonly object[], out: string): string[] {
  const script = `
    const { KubernetesApi } = await import(${JSON.stringify(SERVER)});
    const { renameSync, writeFileSync } = await import('node:fs');
    const api = await KubernetesApi.open();
    await api.close();
    await api.listen(${PORT}, ${JSON.stringify(host)});
    for (const node of ${JSON.stringify(objects)}) api.set(node);
    setInterval(() => {
      writeFileSync(${JSON.stringify(`${out}.new`)}, JSON.stringify([...api.nodes]));
      renameSync(${JSON.stringify(`${out}.new`)}, ${JSON.stringify(out)});
    }, 200);`;
  return ['--input-type=module', '-e', script];
}

/** Starts it; its process. */
export async function serveKubernetes(cluster: Cluster): Promise<string> {
  writeFileSync(cluster.path('kubeconfig'), kubeconfigOf(API));
  cluster.sourceOf = () => ({ type: 'kubernetes', kubeconfig: cluster.path('kubeconfig') });
  const script = serverScript(FACTS.a.own, OBJECTS, cluster.path('api'));
  const command = ['ip', 'netns', 'exec', 'a', process.execPath, '--no-warnings', ...script];
  return cluster.cell.start(command, cluster.path('api.log'));
}
