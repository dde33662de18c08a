// SPDX-License-Identifier: Apache-2.0
// Deleting does not wait for the kernel: what can be seen is gone when the answer comes, and who
// still waits for the rest has nothing of the caller's and does not stay long.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { NATIVE } from '../support/hosts.ts';
import { Lab } from '../support/lab.ts';
import { buildNativeDriver, type NativeDriver, nativeDriver } from '../support/native-driver.ts';
import { needsNft } from '../support/needs.ts';

const [EPERM, ENODEV, EOPNOTSUPP] = [1, 19, 95];
const TIMES = 30;
/** A child ends by itself after four seconds at most. */
const OUTLIVED_MS = 6000;
const why = needsNft || NATIVE.why;

interface Process {
  readonly pid: number;
  readonly session: number;
  readonly cwd: string;
  /** What its descriptors are. */
  readonly files: readonly string[];
}

/** Processes that run the program at a path, those that are dead already left out. */
function processesOf(program: string): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const at = `/proc/${name}`;
      if (!/^\d+$/.test(name) || readlinkSync(`${at}/exe`) !== program) return [];
      const [state, , , session] = readFileSync(`${at}/stat`, 'utf8').split(') ')[1]!.split(' ');
      const files = readdirSync(`${at}/fd`).map((fd) => readlinkSync(`${at}/fd/${fd}`));
      const cwd = readlinkSync(`${at}/cwd`);
      return state === 'Z' ? [] : [{ pid: Number(name), session: Number(session), cwd, files }];
    } catch {
      return [];
    }
  });
}

const goneBySoon = (program: string, left: number) =>
  expect.poll(() => processesOf(program).length, { timeout: OUTLIVED_MS }).toBe(left);

/** What a child has left of what it was born with. */
const keepsOf = ({ pid, session, cwd, files }: Process) => ({
  files: files.map((file) => file.replace(/\d+/, 'N')),
  own_session: session === pid,
  cwd,
});
const NOTHING = { files: ['socket:[N]'], own_session: true, cwd: '/' };

describe.skipIf(why !== '')(`link_del ${why}`, () => {
  let path: string;
  let host: string;
  let pod: string;
  let native: NativeDriver;
  let ns: number;
  const open = (before: string[] = []) => {
    native = nativeDriver(path, { hostNetns: `/run/netns/${host}`, before });
    ns = native.netns_open({ path: `/run/netns/${pod}` });
  };
  const names = { name: 'veth0', address: '', mtu_bytes: 0, master: 0 };
  const pair = () => {
    native.link_add_veth({ ns: 0, ...names, peer_ns: ns, peer_name: 'eth0', peer_address: '' });
    return (native.link_get({ ns, name: 'eth0' }) as { ifindex: number }).ifindex;
  };
  const errnoOf = (action: () => unknown): number => {
    try {
      action();
    } catch (error) {
      if (error instanceof OsError) return error.errno;
      throw error;
    }
    return 0;
  };
  const links = (netns: string) =>
    execFileSync('ip', ['-n', netns, '-br', 'link', 'show', 'type', 'veth'], { encoding: 'utf8' });

  beforeAll(async () => {
    path = await buildNativeDriver();
  });
  beforeEach(() => {
    [host, pod] = [0, 1].map(() => `fl-${randomBytes(5).toString('hex')}`) as [string, string];
    for (const name of [host, pod]) execFileSync('ip', ['netns', 'add', name]);
  });
  afterEach(async () => {
    await native.close();
    for (const name of [host, pod]) execFileSync('ip', ['netns', 'del', name]);
    await goneBySoon(path, 0);
  });

  test('both ends are gone for everybody, and their names are free at once', () => {
    open();
    for (let time = 0; time < TIMES; time++) {
      native.link_del({ ns, ifindex: pair() });
      expect([links(host), links(pod)]).toEqual(['', '']);
      expect(errnoOf(() => native.link_get({ ns: 0, name: 'veth0' }))).toBe(ENODEV);
      expect(errnoOf(() => native.link_get({ ns, name: 'eth0' }))).toBe(ENODEV);
    }
  });

  test('a child with nothing but its socket waits for the rest', async () => {
    open();
    const children: Process[] = [];
    for (let time = 0; time < TIMES; time++) {
      native.link_del({ ns, ifindex: pair() });
      children.push(...processesOf(path).filter(({ pid }) => pid !== native.pid));
    }
    expect(children.length).toBeGreaterThan(0);
    for (const child of children) expect(keepsOf(child)).toEqual(NOTHING);
    await goneBySoon(path, 1);
  });

  test('more at once than there may be children', () => {
    open();
    const indexes: number[] = [];
    for (let at = 0; at < 50; at++) {
      native.link_add_veth({
        ...{ ns: 0, ...names, name: `v${at}` },
        ...{ peer_ns: ns, peer_name: `e${at}`, peer_address: '' },
      });
      indexes.push((native.link_get({ ns, name: `e${at}` }) as { ifindex: number }).ifindex);
    }
    for (const ifindex of indexes) native.link_del({ ns, ifindex });
    expect([links(host), links(pod)]).toEqual(['', '']);
  });

  test('a failure is told', () => {
    open();
    expect(errnoOf(() => native.link_del({ ns, ifindex: 1 }))).toBe(EOPNOTSUPP);
    expect(errnoOf(() => native.link_del({ ns, ifindex: 77 }))).toBe(ENODEV);
    // The socket is as good as before.
    native.link_del({ ns, ifindex: pair() });
    expect(errnoOf(() => native.link_del({ ns, ifindex: 77 }))).toBe(ENODEV);
  });

  test('so is that it is not allowed', () => {
    open(['setpriv', '--inh-caps', '-net_admin', '--bounding-set', '-net_admin']);
    const add = ['link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod];
    execFileSync('ip', ['-n', host, ...add]);
    const { ifindex } = native.link_get({ ns, name: 'eth0' }) as { ifindex: number };
    expect(errnoOf(() => native.link_del({ ns, ifindex }))).toBe(EPERM);
    expect(links(pod)).toContain('eth0');
  });

  test('when the child is killed before it has done anything, the link goes all the same', () => {
    open();
    native.doomChildren();
    native.link_del({ ns, ifindex: pair() });
    expect([links(host), links(pod)]).toEqual(['', '']);
    expect(errnoOf(() => native.link_del({ ns, ifindex: 77 }))).toBe(ENODEV);
  });

  test('below an init that may not reap orphans nobody is left behind', () => {
    open(['unshare', '--pid', '--fork', 'sh', '-c', '"$@"; :', 'sh']);
    for (let time = 0; time < 5; time++) {
      native.link_del({ ns, ifindex: pair() });
      expect(processesOf(path)).toHaveLength(1);
    }
  });
});

describe.skipIf(why !== '')(`DEL of a bridge with masquerade ${why}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-linger-'));
  const program = join(folder, 'bridge');
  const config = {
    cniVersion: '1.0.0',
    name: 'lingering',
    type: 'bridge',
    bridge: 'br0',
    isGateway: true,
    ipMasq: true,
    ipam: { type: 'host-local', subnet: '10.1.0.0/24', dataDir: join(folder, 'leases') },
  };
  let lab: Lab;
  const nft = () =>
    lab.ip('netns', 'exec', `${lab.prefix}host`, 'nft', 'list', 'table', 'inet', 'fairlead');
  const call = async (command: string) => {
    const called = await lab.call(program, command, 'pod0', config);
    expect(called).toMatchObject({ code: 0 });
  };
  /** What can be seen of the attachment, anywhere. */
  const seen = () =>
    [
      ...lab.links('veth'),
      ...lab.ip('-n', `${lab.prefix}pod0`, '-br', 'link', 'show', 'type', 'veth').split('\n'),
      ...nft()
        .split('\n')
        .filter((line) => line.includes('10.1.0.') && line.includes('pod0')),
    ].filter((line) => line !== '');

  beforeAll(() => {
    mkdirSync(join(folder, 'leases'));
    copyFileSync(NATIVE.program, program);
  });
  beforeEach(() => {
    lab = new Lab(1);
  });
  afterEach(async () => {
    lab.close();
    await goneBySoon(program, 0);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('nothing of it can be seen afterwards, and it can be added again at once', async () => {
    for (let time = 0; time < TIMES; time++) {
      await call('ADD');
      expect(seen()).toHaveLength(3);
      await call('DEL');
      expect(seen()).toEqual([]);
    }
  });

  test('who reads its output to the end does not wait for what is left behind', async () => {
    await call('ADD');
    await call('DEL');
    // The output has ended by now: the call waited for that.
    expect(processesOf(program).length).toBeGreaterThan(0);
    const others = () =>
      processesOf(program).filter((child) => !isDeepStrictEqual(keepsOf(child), NOTHING));
    await expect.poll(others, { interval: 5, timeout: 250 }).toEqual([]);
  });

  test('its process group can be killed, and the namespace removed and made anew', async () => {
    for (let time = 0; time < 5; time++) {
      await call('ADD');
      const env = {
        ...{ CNI_COMMAND: 'DEL', CNI_CONTAINERID: 'pod0', CNI_NETNS: lab.netnsPath('pod0') },
        ...{ CNI_IFNAME: 'eth0', CNI_PATH: folder },
      };
      const inside = [`--net=${lab.netnsPath('host')}`, program];
      const child = spawn('nsenter', inside, {
        env,
        detached: true,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      child.stdin.end(JSON.stringify(config));
      const code = await new Promise((resolve) => child.on('exit', resolve));
      spawnSync('kill', ['-KILL', '--', `-${child.pid}`]);
      expect([code, seen()]).toEqual([0, []]);
      lab.ip('netns', 'del', `${lab.prefix}pod0`);
      lab.ip('netns', 'add', `${lab.prefix}pod0`);
    }
  });
});
