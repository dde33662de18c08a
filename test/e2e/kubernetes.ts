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

/** Starts it; its process. What it has it writes into the file "api". */
export async function serveKubernetes(cluster: Cluster): Promise<string> {
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'one' },
    clusters: [{ name: 'one', cluster: { server: API, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
    users: [{ name: 'one', user: { token: 'x' } }],
  };
  writeFileSync(cluster.path('kubeconfig'), JSON.stringify(config));
  cluster.sourceOf = () => ({ type: 'kubernetes', kubeconfig: cluster.path('kubeconfig') });
  const script = `
    const { KubernetesApi } = await import(${JSON.stringify(SERVER)});
    const { writeFileSync } = await import('node:fs');
    const api = await KubernetesApi.open();
    await api.close();
    await api.listen(${PORT}, ${JSON.stringify(FACTS.a.own)});
    for (const node of ${JSON.stringify(OBJECTS)}) api.set(node);
    setInterval(() => {
      writeFileSync(${JSON.stringify(cluster.path('api'))}, JSON.stringify([...api.nodes]));
    }, 200);`;
  const node = [process.execPath, '--no-warnings', '--input-type=module', '-e', script];
  const command = ['ip', 'netns', 'exec', 'a', ...node];
  return cluster.cell.start(command, cluster.path('api.log'));
}
