// SPDX-License-Identifier: Apache-2.0
// The task `drain` of the containers that are gone, as an agent asks for it again and again: what
// it takes back, and what it leaves alone because nobody knows, an ADD is at work, or a folder is
// not seen; and `leases` as an agent asks for it. On the simulated kernel, with what a question
// finds changed under way.
import { beforeEach, expect, test } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { runVerb } from '../../host-node/cli/verbs.ts';
import { wrap } from '../../host-node/drivers/record.ts';
import { fileLine, Machine } from './machine.ts';

const [ENOENT, ENODEV, ENOBUFS] = [2, 19, 105];
const LEASES = '/var/lib/cni/networks';
const CONF = '/etc/cni/net.d';
const NETWORK = JSON.stringify({
  ...{ cniVersion: '1.0.0', name: 'pods' },
  plugins: [
    { type: 'bridge', isGateway: true, ipam: { type: 'host-local', subnet: '10.1.2.0/24' } },
  ],
});

let on: Machine;
beforeEach(() => {
  on = new Machine(`netns host\nnetns pod\n${fileLine(`${CONF}/10-pods.conflist`, NETWORK)}`);
  const words = ['pods', '/run/netns/pod', '--conf-dir', CONF, '--container-id', 'blue'];
  const said = on.run((io) => runVerb('add', words, io));
  expect(said.code, said.stderr).toBe(0);
});

interface Drained {
  readonly drained: readonly { readonly containerID: string }[];
  readonly left: number;
  readonly errors: readonly string[];
}
const drain = (living = false): Drained => {
  const { stdout } = on.task('drain', { living });
  return JSON.parse(stdout) as Drained;
};
const leased = (): readonly string[] =>
  on.files(`${LEASES}/pods`).filter((path) => /10\./.test(path));
const LEASE = [`${LEASES}/pods/10.1.2.2`];
/** What is said of the leases, by records alone. */
const states = (): readonly string[] => {
  const request = { network: 'pods', confDir: CONF, cacheDir: '' };
  const { leases } = JSON.parse(on.task('leases', request).stdout);
  return leases.map(({ state }: { state: string }) => state);
};
/** The container is gone, and with it the host's end of its pair. */
const end = (): void => {
  const [host, pod] = on.dump().split('netns pod\n') as [string, string];
  const files = pod.slice(pod.indexOf('file /'));
  on = new Machine(host.replace(/^.*\bveth[0-9a-f]{8}\b.*\n/gm, '') + files);
};
/** Namespaces of others are not seen, as in a container. */
const unseen = (): void => {
  on.wrap = (driver) =>
    wrap(driver, (op, _args, run) => {
      if (op.name === 'netns_open') throw new OsError(ENOENT);
      return run();
    });
};

test('what a gone container left goes, seen or not', () => {
  end();
  unseen();
  expect(states()).toEqual(['leaked']);
  expect(drain()).toMatchObject({ drained: [{ containerID: 'blue' }], left: 0, errors: [] });
  expect(leased()).toEqual([]);
});

test('one that lives where its namespace is not seen stays', () => {
  unseen();
  expect(states()).toEqual(['unknown']);
  expect(drain()).toEqual({ drained: [], left: 1, errors: [] });
  expect(leased()).toEqual(LEASE);
});

test('an ADD that ends between the look and the lock keeps what it made', () => {
  // Until the lock is taken nothing of the pair is there yet.
  let locked = false;
  on.wrap = (driver) =>
    wrap(driver, (op, args, run) => {
      if (op.name === 'dir_lock' && String(args['dir']).includes('/locks/')) locked = true;
      if (op.name === 'link_get' && !locked) throw new OsError(ENODEV);
      return run();
    });
  expect(drain()).toEqual({ drained: [], left: 1, errors: [] });
  expect(locked).toBe(true);
  expect(leased()).toEqual(LEASE);
});

test('a question that failed is no answer', () => {
  on.wrap = (driver) =>
    wrap(driver, (op, _args, run) => {
      if (op.name === 'netns_open') throw new OsError(ENOENT);
      if (op.name === 'link_get') throw new OsError(ENOBUFS);
      return run();
    });
  expect(drain()).toEqual({ drained: [], left: 1, errors: [] });
  expect(leased()).toEqual(LEASE);
  expect(states()).toEqual(['unknown']);
});

test('a pair whose hardware address somebody changed may be the container’s', () => {
  const before = on.dump();
  const after = before.replace(/^(link veth\S* .*address )\S+/m, '$102:00:00:00:00:99');
  expect(after).not.toBe(before);
  on = new Machine(after);
  unseen();
  expect(drain()).toEqual({ drained: [], left: 1, errors: [] });
  expect(leased()).toEqual(LEASE);
});

test('where the folder of leases is not seen the record stays, and says which folder it is', () => {
  end();
  const files = on.wrap;
  on.wrap = (driver) =>
    wrap(driver, (_op, args, run) => {
      const path = String(args['path'] ?? args['dir'] ?? '');
      if (path.startsWith(LEASES)) throw new OsError(ENOENT);
      return run();
    });
  const { errors, ...rest } = drain();
  expect(rest).toEqual({ drained: [], left: 1 });
  expect(errors).toEqual([expect.stringContaining(`${LEASES}, which is not here: mount it`)]);
  on.wrap = files;
  expect(leased()).toEqual(LEASE);
  expect(drain()).toMatchObject({ drained: [{ containerID: 'blue' }], left: 0, errors: [] });
  expect(leased()).toEqual([]);
});

test('a network of an agent: what is free of its subnets, whatever folders there are', () => {
  // No configuration says its ranges; records name both folders.
  const record = (id: string, dataDir: string) => {
    const text = on.file('/run/fairlead/attachments/blue:eth0')!;
    const moved = text.replaceAll('"blue"', `"${id}"`).replaceAll(`"${LEASES}"`, `"${dataDir}"`);
    return fileLine(`/run/fairlead/attachments/${id}:eth0`, moved);
  };
  const old = '/srv/leases';
  const lease = (dataDir: string, ip: string) => fileLine(`${dataDir}/pods/${ip}`, `x\r\neth0`);
  const kept = on.dump().replace(/^file \/etc\/cni.*\n/m, '');
  on = new Machine(kept + record('green', old) + lease(old, '10.1.2.3') + lease(LEASES, 'fd00::2'));
  const own = { network: 'pods', subnets: ['fd00::/64', '10.1.2.0/28'] };
  const request = { network: '', confDir: CONF, cacheDir: '', own };
  const { networks } = JSON.parse(on.task('leases', request).stdout);
  // 16 but for the first, the last, the gateway, and two that are given.
  const counts = networks.map(({ dataDir, size, used, free }: Record<string, unknown>) => {
    return { dataDir, size, used, free };
  });
  expect(counts).toEqual([
    { dataDir: LEASES, size: '13', used: 2, free: '11' },
    { dataDir: old, size: '', used: 1, free: '' },
  ]);
});
