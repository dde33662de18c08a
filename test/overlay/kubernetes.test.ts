// SPDX-License-Identifier: Apache-2.0
// Kubernetes as the source of nodes, against a server of the documented API: pages, watches and
// what breaks them, tokens, rights, objects of any shape, and what the agent says of its node. It
// needs no root.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reduced } from '../../agent/overlay/sources/kubernetes/node.ts';
import { KubernetesSource } from '../../agent/overlay/sources/kubernetes/source.ts';
import { KubernetesApi, type NodeObject } from '../support/kubernetes.ts';
import { Ear, within } from '../support/listener.ts';
import { needsOpenssl } from '../support/needs.ts';

const WITHIN_MS = 10_000;
const FLANNEL = 'flannel.alpha.coreos.com';
const OWN = { ready: true, mtu_bytes: 1500, macs: { v4: '02:00:00:00:00:01' } };

function nodeObject(number: number, more: Partial<NodeObject['metadata']> = {}): NodeObject {
  return {
    metadata: { name: `n${number}`, creationTimestamp: '2026-01-01T00:00:00Z', ...more },
    spec: { podCIDRs: [`10.244.${number}.0/24`] },
    status: {
      addresses: [
        { type: 'InternalIP', address: `192.0.2.${number}` },
        { type: 'Hostname', address: `n${number}` },
      ],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  };
}

let api: KubernetesApi;
let folder = '';
const ears: Ear[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-kubernetes-'));
  api = await KubernetesApi.open();
  for (const number of [1, 2, 3]) api.set(nodeObject(number));
});
afterEach(async () => {
  for (const ear of ears.splice(0)) ear.source.stop();
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Wanted {
  readonly user?: object;
  readonly cluster?: object;
  readonly node?: string;
  readonly stall_ms?: number;
}

function kubeconfig({ user = {}, cluster = { 'insecure-skip-tls-verify': true } }: Wanted): string {
  const path = join(folder, 'kubeconfig');
  // JSON is YAML; block style is what people have.
  const text = [
    'apiVersion: v1',
    'kind: Config',
    'current-context: one',
    `clusters: [{ name: one, cluster: ${JSON.stringify({ server: api.url, ...cluster })} }]`,
    'contexts: [{ name: one, context: { cluster: one, user: one } }]',
    'users:',
    '- name: one',
    '  user:',
    ...Object.entries(user).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`),
  ];
  writeFileSync(path, `${text.join('\n')}\n`);
  return path;
}

function start(wanted: Wanted = {}): Ear {
  const path = kubeconfig(wanted);
  const { node = 'n1', stall_ms = 60_000 } = wanted;
  const ear = new Ear((log) => {
    const options = { node, kubeconfig: path, log, stall_ms, retry_ms: 100 };
    return new KubernetesSource(options);
  });
  ears.push(ear);
  return ear;
}
const knows = (ear: Ear, names: readonly string[]): Promise<number> =>
  within(WITHIN_MS, `it knows ${names}`, () => ear.names.join() === [...names].sort().join());
const watched = (count = 1): Promise<number> =>
  within(WITHIN_MS, `${count} watch`, () => api.watches === count);
const fulls = (ear: Ear): number => ear.updates.filter(({ full }) => full).length;

describe('objects', () => {
  test('a Node in short', () => {
    expect(reduced(nodeObject(1))).toEqual({
      ...{ name: 'n1', subnets: ['10.244.1.0/24'], addresses: ['192.0.2.1'] },
      created: '2026-01-01T00:00:00Z',
    });
  });

  test.each([
    ['no object', null],
    ['a number', 7],
    ['a list', []],
    ['no metadata', {}],
    ['a name that is no text', { metadata: { name: 7 } }],
  ])('%s is no node', (_, object) => {
    expect(reduced(object)).toBeUndefined();
  });

  test.each([
    ['no podCIDR', { spec: {} }],
    ['podCIDRs that are no list', { spec: { podCIDRs: '10.244.1.0/24' } }],
    ['podCIDRs of numbers', { spec: { podCIDRs: [1, null] } }],
    ['a spec that is a text', { spec: 'x' }],
  ])('%s: a node without subnets', (_, more) => {
    expect(reduced({ ...nodeObject(1), ...more })?.subnets).toEqual([]);
  });

  test('a single podCIDR, both families, and one that nobody hears of', () => {
    const { metadata } = nodeObject(1);
    expect(reduced({ metadata, spec: { podCIDR: '10.244.1.0/24' } })?.subnets).toEqual([
      '10.244.1.0/24',
    ]);
    const podCIDRs = ['10.244.1.0/24', 'fd00::/64'];
    expect(reduced({ metadata, spec: { podCIDRs } })?.subnets).toEqual(podCIDRs);
    const conditions = (status: string) => ({ conditions: [{ type: 'Ready', status }] });
    expect(reduced({ metadata, status: conditions('Unknown') })?.dead).toBe(true);
    // A kubelet that waits for its network lives.
    expect(reduced({ metadata, status: conditions('False') })?.dead).toBeUndefined();
    const wrong = { addresses: [null, { type: 'InternalIP' }], conditions: 7 };
    expect(reduced({ metadata, status: wrong })?.addresses).toEqual([]);
  });

  const flannel = {
    [`${FLANNEL}/kube-subnet-manager`]: 'true',
    [`${FLANNEL}/public-ip`]: '198.51.100.1',
    [`${FLANNEL}/public-ipv6`]: '2001:db8::1',
    [`${FLANNEL}/backend-data`]: '{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}',
    [`${FLANNEL}/backend-v6-data`]: '{"VNI":1,"VtepMAC":"02:00:00:00:00:02"}',
  };
  test.each([
    [
      'a node that Flannel keeps',
      flannel,
      {
        addresses: ['198.51.100.1', '2001:db8::1'],
        macs: { v4: '02:00:00:00:00:01', v6: '02:00:00:00:00:02' },
      },
    ],
    [
      'one that was Flannel’s: its addresses are those of the object, its MACs stay',
      { ...flannel, 'fairlead/mtu-bytes': '1400' },
      {
        ...{ addresses: ['192.0.2.1'], mtu_bytes: 1400 },
        macs: { v4: '02:00:00:00:00:01', v6: '02:00:00:00:00:02' },
      },
    ],
    [
      'an address that somebody wrote wins',
      { [`${FLANNEL}/public-ip-overwrite`]: '203.0.113.1' },
      { addresses: ['203.0.113.1'] },
    ],
    [
      'our MAC before Flannel’s',
      { ...flannel, 'fairlead/mac': '02:00:00:00:00:09' },
      { macs: { v4: '02:00:00:00:00:09', v6: '02:00:00:00:00:02' } },
    ],
    ['an MTU that is none', { 'fairlead/mtu-bytes': 'large' }, { addresses: ['192.0.2.1'] }],
    ['data that is no JSON', { [`${FLANNEL}/backend-data`]: '{' }, { addresses: ['192.0.2.1'] }],
  ])('annotations: %s', (_, annotations, said) => {
    const node = reduced(nodeObject(1, { annotations }));
    expect(node).toMatchObject(said);
    if (!('macs' in said)) expect(node?.macs).toBeUndefined();
  });
});

describe('list and watch', () => {
  test('pages are put together, and 410 between two of them begins anew', async () => {
    for (let number = 4; number <= 25; number++) api.set(nodeObject(number));
    api.page_most = 10;
    const a = start();
    await within(WITHIN_MS, 'it knows all', () => a.nodes.size === 25);
    expect(api.asks('list')).toHaveLength(3);
    expect(api.asks('list')[0]?.query.get('limit')).toBe('500');
    api.compact();
    api.fail('list', { status: 410 });
    api.sayError(410);
    await within(WITHIN_MS, 'it listed anew', () => fulls(a) === 2);
    expect(a.nodes.size).toBe(25);
  });

  test('added, changed, deleted; what a kubelet says every minute is no news', async () => {
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    await watched();
    api.set(nodeObject(4));
    await knows(a, ['n1', 'n2', 'n3', 'n4']);
    const before = a.updates.length;
    api.set(nodeObject(4));
    api.set({ ...nodeObject(4), spec: { podCIDRs: ['10.244.9.0/24'] } });
    await within(
      WITHIN_MS,
      'it has moved',
      () => a.nodes.get('n4')?.subnets?.[0] === '10.244.9.0/24',
    );
    expect(a.updates).toHaveLength(before + 1);
    api.remove('n4');
    await knows(a, ['n1', 'n2', 'n3']);
    expect(fulls(a)).toBe(1);
  });

  test.each([
    ['in the middle of a line', () => api.cut()],
    ['as a server does it', () => api.end()],
  ])('a watch that ends %s goes on where it was', async (_, end) => {
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    for (let round = 4; round < 8; round++) {
      await watched();
      end();
      api.set(nodeObject(round));
      await within(WITHIN_MS, 'it is told', () => a.nodes.has(`n${round}`));
    }
    expect(fulls(a)).toBe(1);
    expect(a.updates.flatMap(({ gone }) => gone)).toEqual([]);
  });

  test('a bookmark is where it goes on from', async () => {
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    await watched();
    api.tellStrange('BOOKMARK', { metadata: { resourceVersion: '5000' } });
    api.end();
    await within(WITHIN_MS, 'it came back', () => api.asks('watch').length === 2);
    expect(api.asks('watch')[1]?.query.get('resourceVersion')).toBe('5000');
    expect(api.asks('watch')[1]?.query.get('allowWatchBookmarks')).toBe('true');
  });

  test.each([
    ['said on the watch', () => api.sayError(410)],
    ['answered to it', () => api.end()],
  ])('410, %s: all is listed anew, and what is gone is gone', async (_, end) => {
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    await watched();
    end();
    api.remove('n3');
    api.compact();
    await knows(a, ['n1', 'n2']);
    expect(fulls(a)).toBe(2);
    expect(a.now).toBe('');
  });

  test('a watch on which nothing comes is ended', async () => {
    api.bookmarks = false;
    const a = start({ stall_ms: 500 });
    await knows(a, ['n1', 'n2', 'n3']);
    await within(WITHIN_MS, 'it tried again', () => api.asks('watch').length >= 3);
    expect(fulls(a)).toBe(1);
  });

  test('objects of a strange shape are passed over, and said', async () => {
    const a = start();
    await watched();
    for (const object of [null, 7, {}, { metadata: { name: '' } }, { metadata: null }]) {
      api.tellStrange('MODIFIED', object);
    }
    api.set(nodeObject(4));
    await knows(a, ['n1', 'n2', 'n3', 'n4']);
    expect(a.log.filter((line) => line.includes('without a name'))).toHaveLength(5);
    expect(fulls(a)).toBe(1);
  });

  test('an object that cannot be read is a problem of its node alone', async () => {
    // What a server gives that does not hold annotations to texts.
    const odd = { toString: null } as unknown as string;
    api.set(nodeObject(2, { annotations: { 'fairlead/mtu-bytes': odd } }));
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    expect(a.nodes.get('n2')).toEqual({
      ...{ name: 'n2', unfit: expect.stringContaining('its object cannot be read: ') },
    });
    await watched();
    api.set(nodeObject(2));
    await within(WITHIN_MS, 'it is read', () => a.nodes.get('n2')?.subnets?.length === 1);
    api.set(nodeObject(3, { annotations: { 'fairlead/mtu-bytes': odd } }));
    await within(WITHIN_MS, 'it is told', () => a.nodes.get('n3')?.unfit !== undefined);
    expect([fulls(a), a.now]).toEqual([1, '']);
  });

  test('an API that is gone and comes back: trouble, and nothing lost', async () => {
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    await watched();
    await api.close();
    await within(WITHIN_MS, 'it says so', () => a.now.includes('cannot watch the nodes'));
    api.set(nodeObject(4));
    api.remove('n2');
    expect(a.names).toEqual(['n1', 'n2', 'n3']);
    await api.listen();
    await knows(a, ['n1', 'n3', 'n4']);
    await within(WITHIN_MS, 'it answers', () => a.now === '');
    expect(fulls(a)).toBe(1);
  });

  test('a start while the API is away', async () => {
    await api.close();
    const a = start();
    await within(WITHIN_MS, 'it says so', () => a.now.includes('cannot list the nodes'));
    expect(a.updates).toEqual([]);
    await api.listen();
    await knows(a, ['n1', 'n2', 'n3']);
    await within(WITHIN_MS, 'it answers', () => a.now === '');
  });
});

describe('refusals', () => {
  test('429: not before the time that the server named', async () => {
    api.fail('list', { status: 429, headers: { 'retry-after': '2' } });
    const begin_ms = performance.now();
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    expect(performance.now() - begin_ms).toBeGreaterThan(2_000);
    expect(api.asks('list')).toHaveLength(2);
  });

  test.each(['list', 'watch'] as const)('403 to %s: which right is missing', async (kind) => {
    api.fail(kind, { status: 403 });
    const a = start();
    await within(WITHIN_MS, 'it says so', () =>
      a.troubles.some((msg) => msg.includes('ClusterRole')),
    );
    expect(a.troubles.find((msg) => msg !== '')).toContain(`"${kind}" of "nodes"`);
    await within(WITHIN_MS, 'it answers', () => a.now === '' && a.nodes.size === 3);
  });

  test.each([
    ['a page of a proxy', { status: 200, body: '<html>' }],
    ['a list without items', { status: 200, body: '{"metadata":{}}' }],
    ['a list of no version', { status: 200, body: '{"items":[]}' }],
    ['500', { status: 500, body: 'broken' }],
  ])('%s says nothing of nodes', async (_, fault) => {
    api.fail('list', fault);
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    expect(a.troubles[0]).toContain('cannot list the nodes');
    expect(fulls(a)).toBe(1);
  });

  test('a token in a file that changes, while a watch stands and at its end', async () => {
    const token = join(folder, 'token');
    writeFileSync(token, 'first');
    api.tokens = ['first'];
    const a = start({ user: { tokenFile: token } });
    await knows(a, ['n1', 'n2', 'n3']);
    await watched();
    api.tokens = ['second'];
    api.end();
    await within(WITHIN_MS, 'it says so', () => a.now.includes('the token is not valid'));
    expect(a.names).toEqual(['n1', 'n2', 'n3']);
    writeFileSync(token, 'second');
    api.set(nodeObject(4));
    await knows(a, ['n1', 'n2', 'n3', 'n4']);
    await within(WITHIN_MS, 'it answers', () => a.now === '');
    expect(fulls(a)).toBe(1);
  });

  test('no kubeconfig, one of no use, and no pod: each says what to do', async () => {
    const trouble = async (path: string): Promise<string> => {
      const ear = new Ear((log) => {
        return new KubernetesSource({ node: 'n1', kubeconfig: path, log, retry_ms: 100 });
      });
      ears.push(ear);
      await within(WITHIN_MS, 'it says so', () => ear.now !== '');
      return ear.now;
    };
    expect(await trouble(join(folder, 'none'))).toContain('ENOENT');
    const broken = join(folder, 'broken');
    writeFileSync(broken, 'current-context: x\nclusters: []\ncontexts: []\nusers: []\n');
    expect(await trouble(broken)).toContain('no current cluster');
    expect(await trouble('')).toContain('name a "kubeconfig"');
  });

  test('a name that no Node has is trouble', async () => {
    const a = start({ node: 'who' });
    await within(WITHIN_MS, 'it says so', () => a.now.includes('no Node "who"'));
    api.set({ ...nodeObject(9), metadata: { name: 'who' } });
    await within(WITHIN_MS, 'it is there', () => a.now === '');
  });
});

describe('what this node says', () => {
  const annotations = () => api.nodes.get('n1')?.metadata.annotations;
  const condition = () =>
    api.nodes.get('n1')?.status?.conditions?.find((one) => one['type'] === 'NetworkUnavailable');

  test('MTU and condition, in one patch, and only when they differ', async () => {
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    a.source.publish({ ...OWN, ready: false });
    await within(WITHIN_MS, 'the MTU', () => annotations()?.['fairlead/mtu-bytes'] === '1500');
    expect(condition()).toBeUndefined();
    await within(WITHIN_MS, 'it comes back', () => a.nodes.get('n1')?.mtu_bytes === 1500);
    a.source.publish(OWN);
    await within(WITHIN_MS, 'the condition', () => condition()?.['status'] === 'False');
    for (let round = 0; round < 5; round++) a.source.publish(OWN);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(api.asks('patch')).toHaveLength(2);
    // The other conditions, and all else of the object, stay.
    expect(api.nodes.get('n1')?.status?.conditions).toHaveLength(2);
    expect(annotations()).toEqual({ 'fairlead/mtu-bytes': '1500' });
    a.source.publish({ ...OWN, mtu_bytes: 1400 });
    await within(WITHIN_MS, 'the MTU', () => annotations()?.['fairlead/mtu-bytes'] === '1400');
    expect(api.asks('patch')).toHaveLength(3);
  });

  test('a public key, and another one', async () => {
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    for (const public_key of ['one', 'another']) {
      a.source.publish({ ...OWN, public_key });
      await within(
        WITHIN_MS,
        'the key',
        () => annotations()?.['fairlead/public-key'] === public_key,
      );
      await within(WITHIN_MS, 'it comes back', () => a.nodes.get('n1')?.public_key === public_key);
    }
  });

  test('a node that was Flannel’s keeps its MAC under our name', async () => {
    const data = { [`${FLANNEL}/backend-data`]: '{"VtepMAC":"02:00:00:00:00:77"}' };
    api.set(nodeObject(1, { annotations: data }));
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    a.source.publish(OWN);
    await within(WITHIN_MS, 'the MAC', () => {
      return annotations()?.['fairlead/mac'] === '02:00:00:00:00:77';
    });
  });

  test('without the right to patch: trouble that says so, and nodes all the same', async () => {
    for (let round = 0; round < 3; round++) api.fail('patch', { status: 403 });
    const a = start();
    await knows(a, ['n1', 'n2', 'n3']);
    a.source.publish(OWN);
    await within(WITHIN_MS, 'it says so', () => a.now.includes('"patch" of "nodes/status"'));
    api.set(nodeObject(4));
    await knows(a, ['n1', 'n2', 'n3', 'n4']);
    await within(WITHIN_MS, 'the condition', () => condition()?.['status'] === 'False');
    await within(WITHIN_MS, 'it is over', () => a.now === '');
  });
});

test.skipIf(needsOpenssl !== '')(
  `TLS by the cluster’s authority alone ${needsOpenssl}`,
  async () => {
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
    ];
    const names = ['-subj', '/CN=one', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    await api.close();
    api = await KubernetesApi.open({
      key: readFileSync(key, 'utf8'),
      cert: readFileSync(cert, 'utf8'),
    });
    api.set(nodeObject(1));
    api.tokens = ['secret'];
    const user = { token: 'secret' };
    const a = start({ user, cluster: { 'certificate-authority': 'cert' } });
    await knows(a, ['n1']);
    await watched();
    a.source.publish(OWN);
    await within(WITHIN_MS, 'the MTU comes back', () => a.nodes.get('n1')?.mtu_bytes === 1500);
    const b = start({ user, cluster: {} });
    await within(WITHIN_MS, 'it says so', () => b.now.includes('self-signed certificate'));
  },
);
