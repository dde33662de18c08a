// SPDX-License-Identifier: Apache-2.0
// deploy/kubernetes as far as it can be tried without a cluster: it parses, its names agree, its
// rights are those that the agent asks for, and its configuration is one that the agent takes.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import { expect, test } from 'vitest';
import { AGENT_HELP } from '../../agent/overlay/command.ts';
import { configOf } from '../../agent/overlay/config.ts';

const FOLDER = fileURLToPath(new URL('../../deploy/kubernetes/', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: documents of many kinds
type Doc = any;
const docsOf = (name: string): Doc[] => loadAll(readFileSync(join(FOLDER, name), 'utf8')) as Doc[];
const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml');
const docs = files.flatMap(docsOf);
const [kustomization] = docsOf('kustomization.yaml');
const of = (kind: string): Doc => docs.find((doc) => doc.kind === kind);
const pod = of('DaemonSet').spec.template.spec;
const [agent] = pod.containers;

test('kustomization.yaml lists every file, and the images that are used', () => {
  expect([...kustomization.resources].sort()).toEqual(files.sort());
  const images = [...pod.containers, ...pod.initContainers].map(({ image }) => image);
  expect(new Set(images)).toEqual(new Set(kustomization.images.map(({ name }: Doc) => name)));
});

test('names agree', () => {
  const { name, namespace } = of('ServiceAccount').metadata;
  expect(pod.serviceAccountName).toBe(name);
  const binding = of('ClusterRoleBinding');
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }]);
  expect(binding.roleRef.name).toBe(of('ClusterRole').metadata.name);
  for (const doc of docs) {
    const cluster = doc.kind.startsWith('ClusterRole');
    expect(doc.metadata.namespace).toBe(cluster ? undefined : kustomization.namespace);
  }
  const { selector, template } = of('DaemonSet').spec;
  expect(template.metadata.labels).toMatchObject(selector.matchLabels);
  const volumes = new Set(pod.volumes.map((volume: Doc) => volume.name));
  const mounted = [...pod.containers, ...pod.initContainers].flatMap((one) =>
    one.volumeMounts.map((mount: Doc) => mount.name),
  );
  expect(new Set(mounted)).toEqual(volumes);
  const config = pod.volumes.find((volume: Doc) => volume.configMap);
  expect(config.configMap.name).toBe(of('ConfigMap').metadata.name);
});

test('the least rights: what the source asks for, and no more', () => {
  expect(of('ClusterRole').rules).toEqual([
    { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
  ]);
  for (const { securityContext } of [...pod.containers, ...pod.initContainers]) {
    expect(securityContext).toMatchObject({
      ...{ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
      capabilities: { drop: ['ALL'] },
    });
    expect(securityContext.privileged).toBeUndefined();
  }
  expect(agent.securityContext.capabilities.add).toEqual(['NET_ADMIN']);
});

test('what nodes of Flannel’s need is a comment away', () => {
  const text = readFileSync(join(FOLDER, 'daemonset.yaml'), 'utf8');
  expect(pod.hostPID).toBeUndefined();
  const [joined] = loadAll(text.replace('# hostPID', 'hostPID')) as Doc[];
  expect(joined.spec.template.spec).toEqual({ ...pod, hostPID: true });
});

test('the agent takes its configuration and options, and finds all it writes on the node', () => {
  const words: string[] = [...agent.command, ...agent.args];
  const path = words[words.indexOf('--config') + 1]!;
  const mount = (folder: string) =>
    agent.volumeMounts.find(
      ({ mountPath }: Doc) => path.startsWith(folder) || mountPath === folder,
    );
  expect(mount('/etc/fairlead').name).toBe('config');
  const config = configOf(of('ConfigMap').data[basename(path)]);
  expect(config.source).toEqual({ type: 'kubernetes', kubeconfig: '' });
  const folder = config.conflist!.path.replace(/\/[^/]+$/, '');
  const mounts = agent.volumeMounts.map(({ mountPath }: Doc) => mountPath);
  for (const one of [folder, '/run/fairlead', '/var/lib/fairlead']) expect(mounts).toContain(one);
  for (const word of words.filter((one) => one.startsWith('--')))
    expect(AGENT_HELP).toContain(word);
  const { port } = agent.readinessProbe.httpGet;
  expect(config.listen).toBe(`127.0.0.1:${port}`);
  expect(agent.livenessProbe.httpGet.port).toBe(port);
});
