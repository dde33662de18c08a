// SPDX-License-Identifier: Apache-2.0
// Dry runs of the runtime's verbs beside the real ones, in namespaces and folders of the test: what
// is foreseen must come true, nothing may change before, and no foreign program may run.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { DryRunError, type DryRunOptions, dryRun } from '../../host-node/cli/dry-run.ts';
import { type DryRun, dryRunDocument, printDryRun } from '../../host-node/cli/dry-run-report.ts';
import { visible } from '../../host-node/cli/io.ts';
import { fileDriver } from '../../host-node/drivers/files.ts';
import { type Change, difference } from '../../host-node/story/difference.ts';
import { allFixtures, type Fixture, normalState } from '../support/fixture.ts';
import { kernelLacks, needsNft, needsRoot, needsVlanFiltering } from '../support/needs.ts';
import { changed, Rehearsal, type Task } from '../support/rehearsal.ts';
import { wasmModule } from '../support/wasm.ts';

/** One of each kind of thing that a verb may meet. */
const SAMPLE = [
  'bridge/add-twice',
  'bridge/address-conflict',
  'bridge/default-gateway-present',
  'bridge/del-host-netns',
  'bridge/del-netns-gone',
  'bridge/del-netns-no-netns',
  'bridge/dns-from-resolv-conf',
  'bridge/dual-stack',
  'bridge/existing-bridge',
  'bridge/force-address',
  'bridge/gateway',
  'bridge/ifname-taken',
  'bridge/ipv6-disabled',
  'bridge/layer-2',
  'bridge/netns-host',
  'bridge/netns-missing',
  'bridge/route-unreachable',
  'bridge/two-containers',
  'bridge/vlan-gateway',
  'fused/del-twice',
  'fused/two',
  'heal/reboot-leases',
  'heal/reboot-recorded',
  'heal/record-of-dead',
  'heal/status-after-reboot',
  'host-local/corrupt-lease',
  'host-local/data-dir',
  'host-local/exhausted',
  'host-local/two-ranges',
  'loopback/add',
  'ptp/add',
  'ptp/dual-stack',
  'static/addresses',
];

const BRIDGE = {
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.1.2.0/24' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  },
};
const PTP = { type: 'ptp', ipam: { type: 'host-local', ranges: [[{ subnet: 'fd01::/64' }]] } };

const list = (...plugins: object[]): string =>
  Rehearsal.network('10-net.conflist', { cniVersion: '1.1.0', name: 'net', plugins });
const task = (name: string, more: object = {}): Task => ({
  name,
  request: { network: 'net', containerID: 'c1', netns: '/run/netns/pod', ifname: 'eth0', ...more },
});

const NOBODY = 65534;
const places: Rehearsal[] = [];
const roots: string[] = [];
afterEach(() => {
  for (const place of places.splice(0)) place.close();
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});
function set(before: string, named?: Fixture): Rehearsal {
  const place = new Rehearsal(before, named);
  places.push(place);
  return place;
}
const PODS = 'netns host\nnetns pod\n';

/** The steps of a fixture as the runtime's verbs; its configuration is a file of a network. */
function tasksOf(fixture: Fixture): { network: string; tasks: Task[] } {
  const [file = '', text = ''] = [...fixture.files].find(([name]) => name.endsWith('.json')) ?? [];
  const config = JSON.parse(text) as { name: string; type: string };
  const extension = config.type === 'fairlead' ? 'conflist' : 'conf';
  return {
    network: Rehearsal.network(`${file}.${extension}`, text),
    tasks: fixture.steps.map(({ command, env }) => ({
      name: command.toLowerCase(),
      request: {
        network: config.name,
        containerID: env['CNI_CONTAINERID'],
        netns: env['CNI_NETNS'],
        ifname: env['CNI_IFNAME'],
        args: env['CNI_ARGS'],
      },
    })),
  };
}

describe.skipIf(needsRoot !== '')(`what is foreseen comes true ${needsRoot}`, () => {
  const fixtures = allFixtures().filter((fixture) => SAMPLE.includes(fixture.name));

  test('in every fixture of the sample', () => {
    expect(fixtures.map((fixture) => fixture.name)).toEqual(SAMPLE);
  });

  for (const fixture of fixtures) {
    const why = kernelLacks(fixture.needs);
    test.skipIf(why !== '')(`${fixture.name} ${why}`.trimEnd(), () => {
      const { network, tasks } = tasksOf(fixture);
      const place = set(fixture.before + network, fixture);
      for (const one of tasks) {
        const { foreseen, real } = place.both(one);
        expect(foreseen).toEqual(real);
      }
    });
  }

  test('gc of an attachment whose namespace is gone', () => {
    const place = set(`${PODS}netns pod2\n${list(BRIDGE)}`);
    const other = { containerID: 'c2', netns: '/run/netns/pod2' };
    place.real(task('add'));
    place.real(task('add', other));
    execFileSync('ip', ['netns', 'del', `${place.ground.prefix}pod2`]);
    place.ground.names.splice(place.ground.names.indexOf('pod2'), 1);
    const { foreseen, real, report } = place.both(task('gc'));
    expect(foreseen).toEqual(real);
    expect(JSON.parse(report.answer.stdout)).toEqual({
      deleted: [{ containerID: 'c2', ifname: 'eth0' }],
      valid: 1,
    });
    expect(changed(report.changes)).toContain(
      '- file /var/lib/cni/networks/net/10.1.2.3 "c2\\r\\neth0"',
    );
  });

  test('in a bridge that follows its ports', () => {
    const place = set(`netns pod
netns other
netns host
link cni0 kind bridge up
link v0 kind veth up address fe:00:00:00:00:05 mtu 9000 master cni0 peer other/e0
${list(BRIDGE)}`);
    const { foreseen, real } = place.both(task('add'));
    expect(foreseen).toEqual(real);
    expect(real.kernel).toMatch(/^link cni0 kind bridge up address <mac host\/\w+> mtu 1500$/m);
  });

  test('in a namespace that another path leads to', () => {
    const place = set(PODS + list(BRIDGE));
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-netns-'));
    roots.push(folder);
    const path = join(folder, 'ns');
    writeFileSync(path, '');
    execFileSync('mount', ['--bind', `/run/netns/${place.ground.prefix}pod`, path]);
    try {
      const { report } = place.both(task('add', { netns: path }));
      const likes = report.operations.map(({ like }) => like);
      expect(likes).toContain(`nsenter --net=${path} ip link set dev eth0 up`);
      expect(report.changes.some(({ netns }) => netns.endsWith(` path ${path}`))).toBe(true);
      const del = place.both(task('del', { netns: path }));
      expect(del.real.answer.exit_code).toBe(0);
      // The simulated kernel knows the namespace by the path that leads there.
      const named = (line: string) => line.replace(/netns:tmp-[\w-]+/, 'netns:pod');
      expect(del.foreseen.files.map(named)).toEqual(del.real.files);
      expect(changed(del.report.changes)).toContain('- addr 10.1.2.2/24 dev eth0');
    } finally {
      execFileSync('umount', [path]);
    }
  });
});

describe.skipIf(needsNft !== '')(`nftables in a dry run ${needsNft}`, () => {
  const PLUGINS = [
    { ...BRIDGE, ipMasq: true },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'firewall', ingressPolicy: 'isolated' },
  ];
  const mapped = (hostPort: number) => ({
    capabilities: { portMappings: [{ hostPort, containerPort: 80, protocol: 'tcp' }] },
  });
  const nftOf = (changes: readonly Change[]): string[] =>
    changed(changes).filter((line) => / nft /.test(line));

  test('is what stands there, and changes by what this container has alone', () => {
    const place = set(`${PODS}netns pod2\n${list(...PLUGINS)}`);
    const first = place.both(task('add', mapped(8080)));
    expect(first.foreseen).toEqual(first.real);
    expect(nftOf(first.report.changes).join('\n')).toContain('+ nft masq 1');
    const second = task('add', { ...mapped(8081), containerID: 'c2', netns: '/run/netns/pod2' });
    const two = place.both(second);
    expect(two.foreseen).toEqual(two.real);
    expect(nftOf(two.report.changes).filter((line) => !line.includes('net c2 eth0'))).toEqual([]);
    const del = place.both(task('del', mapped(8080)));
    expect(del.foreseen).toEqual(del.real);
    expect(nftOf(del.report.changes).join('\n')).toMatch(/^- nft element \S+ .*"net c1 eth0"/m);
    expect(nftOf(del.report.changes).join('\n')).not.toContain('c2');
  });

  test('has what others drop in the forward hook', () => {
    const others = `nft table inet strict
nft forward inet strict forward 0 drop
`;
    const place = set(`netns host\n${others}netns pod\n${list(...PLUGINS)}`);
    const add = place.both(task('add', mapped(8080)));
    expect(add.foreseen).toEqual(add.real);
    expect(add.report.log.join('\n')).toContain('inet strict forward');
  });
});

describe.skipIf(needsRoot !== '')(`a dry run ${needsRoot}`, () => {
  test.each(['add', 'del', 'check', 'gc', 'status'])(
    'of %s leaves everything as it was',
    (name) => {
      const place = set(`${PODS}netns pod2\n${list(BRIDGE)}`);
      place.real(task('add', { containerID: 'c2', netns: '/run/netns/pod2' }));
      place.dry(task(name));
      const before = place.everything();
      const open = readdirSync('/proc/self/fd').length;
      place.dry(task(name));
      place.dry(task(name, { containerID: 'c2', netns: '/run/netns/pod2' }));
      expect(place.everything()).toEqual(before);
      expect(readdirSync('/proc/self/fd').length).toBe(open);
    },
  );

  test('waits for no lock and leaves none', () => {
    const place = set(PODS + list(BRIDGE));
    place.real(task('add'));
    const files = fileDriver({ root: place.ground.root });
    const dir = '/var/lib/cni/networks/net';
    try {
      const lock = files.dir_lock({ dir, create: 0, timeout_ms: 0 });
      expect(place.dry(task('del')).answer.exit_code).toBe(0);
      files.dir_unlock({ lock });
      files.dir_unlock({ lock: files.dir_lock({ dir, create: 0, timeout_ms: 0 }) });
    } finally {
      files.close();
    }
  });

  const ipam = { ...BRIDGE.ipam, routes: [{ dst: '10.9.0.0/16', gw: '10.1.2.9', mtu: 1300 }] };
  const flags = { hairpinMode: true, portIsolation: true, mtu: 1400, isDefaultGateway: true };
  const LIMITS = {
    type: 'bandwidth',
    ingressRate: 1234568,
    ingressBurst: 160000,
    egressRate: 40000000000,
    egressBurst: 80000000,
  };
  const wired: [string, object, string][] = [
    ['bridge', BRIDGE, ''],
    ['bridge with flags and routes', { ...BRIDGE, ...flags, ipam }, ''],
    ['bridge in a VLAN', { ...BRIDGE, vlan: 5 }, needsVlanFiltering],
    ['ptp', PTP, ''],
    ['bandwidth', { type: 'fairlead', plugins: [BRIDGE, LIMITS] }, ''],
  ];
  for (const [name, plugin, why] of wired) {
    const title = `says ${name} in lines that a shell can execute ${why}`.trimEnd();
    test.skipIf(why !== '')(title, () => {
      const place = set(PODS + list(plugin));
      const { operations, after, answer } = place.dry(task('add'));
      expect(answer.exit_code).toBe(0);
      const lines = operations.filter(({ op }) => op.startsWith('kernel.')).map(({ like }) => like);
      expect(lines.length).toBeGreaterThan(5);
      execFileSync('bash', ['--norc', '-euc', lines.join('\n')]);
      const kernel = (text: string) => {
        // tc takes a burst in bytes, and makes a time of it in its own way.
        const bytes = text.replace(/ buffer \d+$/gm, '');
        const shown = normalState(bytes, { files: new Map() }).split('\n');
        return shown.filter((line) => !/^(file|plugin) /.test(line));
      };
      expect(kernel(place.ground.dump())).toEqual(
        kernel(after.replaceAll(place.ground.prefix, '')),
      );
    });
  }

  test('tells what an ADD does that fails, and that nothing comes of it', () => {
    const routes = [{ dst: '10.9.0.0/16', gw: '10.77.0.1' }];
    const place = set(PODS + list({ ...BRIDGE, ipam: { ...BRIDGE.ipam, routes } }));
    const report = place.dry(task('add'));
    expect(report.answer.exit_code).toBe(1);
    const likes = report.operations.map(({ like }) => like.replace(/^ip -n \S+ /, 'ip '));
    expect(likes).toContain('ip link add cni0 type bridge');
    expect(likes).toContain('ip link del dev cni0');
    // A hint where to go on is no reservation, and stays.
    expect(changed(report.changes)).toEqual([
      '+ file /var/lib/cni/networks/net/last_reserved_ip.0 "10.1.2.2"',
    ]);
  });

  test('finds what a configuration names, wherever it is', () => {
    const ipam = { ...BRIDGE.ipam, dataDir: '/srv/leases', resolvConf: '/srv/resolv.conf' };
    const before = `${PODS}file /srv/leases/net/10.1.2.2 "c9\\r\\neth0"
file /srv/resolv.conf "nameserver 10.1.2.53\\n"
file /etc/cni/net.d/net/10-second.conf "{\\"type\\": \\"loopback\\"}"
`;
    const place = set(before + list({ ...BRIDGE, ipam }));
    const { foreseen, real } = place.both(task('add'));
    expect(foreseen).toEqual(real);
    expect(JSON.parse(real.answer.stdout)).toMatchObject({
      ips: [{ address: '10.1.2.3/24' }],
      dns: { nameservers: ['10.1.2.53'] },
    });
  });

  test('sees every lease of a large network', () => {
    const place = set(PODS + list({ ...BRIDGE, ipam: { ...BRIDGE.ipam, ranges: WIDE } }));
    const dir = `${place.ground.root}/var/lib/cni/networks/net`;
    mkdirSync(dir, { recursive: true });
    const owner = (n: number) => `10.2.${n >> 8}.${n & 255}`;
    for (let n = 2; n < 5000; n++) writeFileSync(join(dir, owner(n)), `c${n}\r\neth0`);
    unlinkSync(join(dir, owner(4321)));
    const report = place.dry(task('add', { containerID: 'new' }));
    expect(JSON.parse(report.answer.stdout).ips[0].address).toBe(`${owner(4321)}/16`);
    const taken = report.operations.filter(({ op }) => op === 'store.file_create');
    expect(taken.map(({ args }) => args['path'])).toEqual([
      `/var/lib/cni/networks/net/${owner(4321)}`,
    ]);
  });

  test('fails when it may not look, rather than tell half', () => {
    const place = set(PODS + list(BRIDGE));
    const asNobody = (action: () => unknown): string => {
      process.seteuid?.(NOBODY);
      try {
        action();
        return '';
      } catch (error) {
        expect(error).toBeInstanceOf(DryRunError);
        return (error as Error).message;
      } finally {
        process.seteuid?.(0);
      }
    };
    const why = 'a dry run needs the rights of the real one, run it as root';
    // The host's own namespace may be looked at by anybody, another may not be entered.
    const options = { core: wasmModule('tools'), sim: wasmModule('sim'), name: 'status' };
    const request = { network: 'net', confDir: '/etc/cni/net.d', cacheDir: '/c', path: '/bin' };
    expect(asNobody(() => dryRun({ ...options, root: place.ground.root, request }))).toBe(
      `may not read the folder /etc/cni/net.d: ${why}`,
    );
    const netns = `/run/netns/${place.ground.prefix}pod`;
    const bare = { ...request, confDir: '/nowhere', netns };
    expect(asNobody(() => dryRun({ ...options, request: bare }))).toBe(
      `may not enter the network namespace ${netns}: ${why}`,
    );
  });

  test('tells the operations that change nothing when asked for all', () => {
    const place = set(PODS + list(BRIDGE));
    place.real(task('add'));
    const names = (all: boolean) => place.dry(task('check'), all).operations.map(({ op }) => op);
    expect(names(false)).toEqual([]);
    expect(names(true)).toContain('kernel.addr_list');
    const again = place.dry(task('add'), true).operations;
    expect(again.find(({ op }) => op === 'store.dir_make')).toBeDefined();
    const shown = place.dry(task('add', { ifname: 'eth1' })).operations;
    const likes = shown.map(({ like }) => like);
    // The bridge is up, forwarding on, and the folders are there.
    expect(likes.filter((like) => /^mkdir (?!.*locks)|ip_forward|dev cni0 up$/.test(like))).toEqual(
      [],
    );
  });
});

/** A range of which a few thousand addresses are taken. */
const WIDE = [[{ subnet: '10.2.0.0/16', rangeEnd: '10.2.20.0' }]];

describe.skipIf(needsRoot !== '')(`foreign plugins ${needsRoot}`, () => {
  /** A program that leaves a trace when it runs. */
  function install(place: Rehearsal, type: string, mode = 0o755): { ran: () => boolean } {
    const path = `${place.ground.root}/opt/cni/bin/${type}`;
    const trace = `${place.ground.root}/${type}.ran`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\ntouch ${trace}\necho '{"cniVersion": "1.1.0"}'\n`);
    chmodSync(path, mode);
    return { ran: () => existsSync(trace) };
  }
  const error = (report: DryRun) =>
    JSON.parse(report.answer.stdout) as { code: number; msg: string };

  test('of a chain are not executed: the result goes on', () => {
    const place = set(PODS + list(BRIDGE, { type: 'theirs' }, { type: 'loopback' }));
    const { ran } = install(place, 'theirs');
    const report = place.dry(task('add'));
    expect(report.answer.exit_code).toBe(0);
    expect(JSON.parse(report.answer.stdout).ips[0].address).toBe('10.1.2.2/24');
    expect(report.notes).toEqual([
      'would execute /opt/cni/bin/theirs ADD; taken to pass the result on as it is',
    ]);
    const call = report.operations.find(({ op }) => op === 'plugin.exec');
    expect(call?.like).toMatch(/^env CNI_COMMAND=ADD .* timeout 90 \/opt\/cni\/bin\/theirs <<< /);
    for (const name of ['del', 'gc', 'status']) {
      const { notes } = place.dry(task(name));
      const command = name.toUpperCase();
      expect(notes).toEqual([`would execute /opt/cni/bin/theirs ${command}; taken to succeed`]);
    }
    expect(ran()).toBe(false);
  });

  test('for addresses cannot be simulated, and the error says so', () => {
    const place = set(PODS + list({ ...BRIDGE, ipam: { type: 'far' } }));
    const { ran } = install(place, 'far');
    const report = place.dry(task('add'));
    expect(error(report)).toMatchObject({
      code: 104,
      msg:
        'plugin type="bridge" failed: a dry run cannot tell which address the IPAM plugin "far" ' +
        'would give: it would have to execute /opt/cni/bin/far',
    });
    expect(report.changes).toEqual([]);
    expect(report.notes).toEqual([]);
    expect(ran()).toBe(false);
    const del = place.dry(task('del'));
    expect(del.answer.exit_code).toBe(0);
    expect(del.notes).toEqual(['would execute /opt/cni/bin/far DEL; taken to succeed']);
  });

  test('that come second give no addresses either', () => {
    const place = set(PODS + list({ type: 'loopback' }, { ...BRIDGE, ipam: { type: 'far' } }));
    install(place, 'far');
    expect(error(place.dry(task('add'))).code).toBe(104);
  });

  test('that come first cannot be simulated', () => {
    const place = set(PODS + list({ type: 'sriov' }));
    const { ran } = install(place, 'sriov');
    expect(error(place.dry(task('add')))).toMatchObject({
      code: 104,
      msg:
        'plugin type="sriov" failed: a dry run cannot tell what the plugin "sriov", first of ' +
        'its chain, would make: it would have to execute /opt/cni/bin/sriov',
    });
    expect(ran()).toBe(false);
  });

  test.each([
    ['is missing', undefined],
    ['cannot be executed', 0o644],
  ])('one that %s fails as it would', (_, mode) => {
    const place = set(PODS + list(BRIDGE, { type: 'theirs' }));
    if (mode !== undefined) install(place, 'theirs', mode);
    const { foreseen, real } = place.both(task('add'));
    expect(foreseen.answer).toEqual(real.answer);
    expect(real.answer.exit_code).toBe(1);
  });
});

describe('without a namespace', () => {
  test('the host is read and nothing else is needed', () => {
    const root = mkdtempSync(join(tmpdir(), 'fairlead-dry-'));
    roots.push(root);
    const ranges = [[{ subnet: '10.1.2.0/30' }]];
    const ipam = { type: 'host-local', statusWhenFull: true, ranges };
    mkdirSync(`${root}/conf`);
    mkdirSync(`${root}/var/lib/cni/networks/net`, { recursive: true });
    writeFileSync(`${root}/var/lib/cni/networks/net/10.1.2.2`, 'c9\r\neth0');
    const config = { cniVersion: '1.1.0', name: 'net', type: 'host-local', ipam };
    writeFileSync(`${root}/conf/10-net.conf`, JSON.stringify(config));
    const options: DryRunOptions = {
      core: wasmModule('tools'),
      sim: wasmModule('sim'),
      root,
      name: 'status',
      request: { network: 'net', confDir: '/conf', cacheDir: '/cache', path: '/bin' },
    };
    const report = dryRun(options);
    expect(JSON.parse(report.answer.stdout).code).toBe(50);
    expect(report).toMatchObject({ operations: [], changes: [], notes: [] });
    expect(dryRun({ ...options, request: { network: 'other', confDir: '/none' } })).toMatchObject({
      answer: { exit_code: 1 },
      changes: [],
    });
  });
});

const REPORT: DryRun = {
  command: 'add',
  answer: {
    exit_code: 0,
    stdout: '{\n    "cniVersion": "1.1.0",\n    "ips": [{"address": "10.1.2.2/24"}]\n}',
  },
  operations: [
    { op: 'kernel.link_set_up', args: { ns: 0, ifindex: 2 }, like: 'ip link set dev cni0 up' },
    { op: 'store.file_remove', args: { path: '/x' }, like: 'rm /x' },
    { op: 'nft.batch', args: { ns: 0, words: 'add a\nadd b\n' }, like: 'nft -f - <<< ab' },
  ],
  changes: [
    { netns: 'host', change: 'removed', what: 'link cni0 down' },
    { netns: 'host', change: 'added', what: 'link cni0 up' },
    { netns: 'host', change: 'added', what: 'nft masq 1' },
    { netns: 'pod path /x/pod', change: 'added', what: `sysctl ${'y'.repeat(300)}` },
    { netns: '', change: 'added', what: `file /x "${'y'.repeat(300)}"` },
  ],
  notes: ['left out: /n/large is larger than 8 MiB'],
  log: ['a word'],
  before: 'netns host\n',
  after: 'netns host\n',
};

describe('a report', () => {
  test('is printed for a person', () => {
    expect(visible(printDryRun(REPORT, false), false)).toBe(`add: dry run, nothing was changed
would do:
  ip link set dev cni0 up
  nft -f - (2 commands, all or none)
  1 operation on files and locks (--verbose)
would change:
  netns host:
    - link cni0 down
    + link cni0 up
    + nft rules of our tables for masq
  netns pod:
    + sysctl ${'y'.repeat(193)}…
  + file /x
would print:
  address    10.1.2.2/24
would say:
  a word
note:
  left out: /n/large is larger than 8 MiB
`);
  });

  test('is printed with all there is', () => {
    expect(visible(printDryRun(REPORT, true), false)).toBe(`add: dry run, nothing was changed
would do:
  ip link set dev cni0 up
  rm /x
  nft -f - <<< ab
would change:
  netns host:
    - link cni0 down
    + link cni0 up
    + nft masq 1
  netns pod:
    + sysctl ${'y'.repeat(300)}
  + file /x "${'y'.repeat(300)}"
would print:
  {
      "cniVersion": "1.1.0",
      "ips": [{"address": "10.1.2.2/24"}]
  }
would say:
  a word
note:
  left out: /n/large is larger than 8 MiB
`);
  });

  test('of nothing says so', () => {
    const answer = { exit_code: 0, stdout: '' };
    const nothing = { ...REPORT, answer, operations: [], changes: [], notes: [], log: [] };
    expect(visible(printDryRun(nothing, false), false)).toBe(`add: dry run, nothing was changed
would change nothing
`);
  });

  test('of a failure says what would be said', () => {
    const failed = { ...REPORT, answer: { exit_code: 1, stdout: '{"code": 7}' } };
    expect(visible(printDryRun(failed, false), false)).toContain('\nwould fail:\n  {"code": 7}\n');
  });

  test('is one JSON object for a program', () => {
    expect(JSON.parse(JSON.stringify(dryRunDocument(REPORT)))).toEqual({
      command: 'add',
      dry_run: true,
      exit_code: 0,
      answer: { cniVersion: '1.1.0', ips: [{ address: '10.1.2.2/24' }] },
      operations: REPORT.operations,
      changes: REPORT.changes,
      notes: REPORT.notes,
      log: REPORT.log,
    });
  });

  test('has a difference with what was beside what is', () => {
    const before = 'netns host\nlink a down\nlink b down\nnetns pod\nlink c up\nfile /x "1"\n';
    const after = 'netns host\nlink a up\nlink b down\nnetns pod\nlink c up\nfile /y "1"\n';
    expect(difference(before, after)).toEqual([
      { netns: 'host', change: 'removed', what: 'link a down' },
      { netns: 'host', change: 'added', what: 'link a up' },
      { netns: '', change: 'removed', what: 'file /x "1"' },
      { netns: '', change: 'added', what: 'file /y "1"' },
    ]);
    expect(difference(before, before)).toEqual([]);
  });
});
