// SPDX-License-Identifier: Apache-2.0
// The runtime's side on the simulated kernel: which file is a network's, what the chain is passed,
// what lies in the cache, and what is left when anything goes wrong. test/e2e/runner.test.ts runs
// the same program on the real one.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { age, runLs } from '../../host-node/cli/ls.ts';
import { runNetworks } from '../../host-node/cli/networks.ts';
import { containerIdOf, netnsPath, runVerb } from '../../host-node/cli/verbs.ts';
import { failing } from '../../host-node/drivers/record.ts';
import { fileLine, Machine, type Said } from './machine.ts';

const CONF = '/etc/cni/net.d';
const POD = '/run/netns/pod';
const ID = containerIdOf(POD);
const CACHED = `/var/lib/cni/results/podnet-${ID}-eth0`;
const RECORD = `/run/fairlead/attachments/${ID}:eth0`;
const EIO = 5;

const bridge = {
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  capabilities: { ips: true },
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/24' }]] },
};
const conflist = (more: object = {}): string =>
  JSON.stringify({ cniVersion: '1.1.0', name: 'podnet', plugins: [bridge], ...more });

function machine(files: Record<string, string>, netns = 'netns pod\n'): Machine {
  const lines = Object.entries(files).map(([path, text]) => fileLine(path, text));
  return new Machine(`netns host\n${netns}${lines.join('')}`);
}
const usual = (more: object = {}): Machine =>
  machine({ [`${CONF}/10-pods.conflist`]: conflist(more) });
const verb = (
  on: Machine,
  name: 'add' | 'del' | 'check' | 'gc' | 'status',
  ...args: string[]
): Said => on.run((io) => runVerb(name, args, io));
const attach = (on: Machine, ...args: string[]) => verb(on, 'add', 'podnet', POD, ...args);
const detach = (on: Machine, ...args: string[]) => verb(on, 'del', 'podnet', POD, ...args);
const cache = (on: Machine) => JSON.parse(on.file(CACHED) ?? 'null');
const EACCES = 13;
const ok = { code: 0, stderr: '' };

describe('add', () => {
  test('attaches, prints the result and keeps it in the format of libcni', () => {
    const on = usual();
    const said = attach(on, '--output', 'json', '--args', 'IgnoreUnknown=1;K=V');
    expect(said).toMatchObject(ok);
    const result = JSON.parse(said.stdout);
    expect(result.ips).toEqual([{ address: '10.1.2.2/24', gateway: '10.1.2.1', interface: 2 }]);
    expect(cache(on)).toEqual({
      kind: 'cniCacheV1',
      containerId: ID,
      config: Buffer.from(conflist()).toString('base64'),
      ifName: 'eth0',
      networkName: 'podnet',
      netns: POD,
      cniArgs: [
        ['IgnoreUnknown', '1'],
        ['K', 'V'],
      ],
      result,
    });
    expect(on.file(RECORD)).toContain('"network":"podnet"');
  });

  test('tells a person what was made', () => {
    const said = attach(usual());
    expect(said).toMatchObject(ok);
    expect(said.stdout).toContain(`eth0 in ${POD} is on network podnet:`);
    expect(said.stdout).toMatch(/address +10\.1\.2\.2\/24 on eth0 gateway 10\.1\.2\.1\n/);
  });

  test('passes the capabilities that the plugin declares', () => {
    const on = usual();
    const given = '{"ips":["10.1.2.77"],"mac":"0a:00:00:00:00:44"}';
    on.env = { CAP_ARGS: given };
    const said = attach(on);
    expect(said.code).toBe(0);
    expect(said.stderr).toContain('declares the capability "mac", so that it would have no effect');
    expect(on.dump()).toContain('addr 10.1.2.77/24 dev eth0');
    expect(on.dump()).not.toContain('address 0a:00:00:00:00:44');
    expect(cache(on).capabilityArgs).toEqual(JSON.parse(given));
  });

  test('a capability that a person names and no plugin declares is refused', () => {
    const on = usual();
    const before = on.dump();
    for (const [given, cure] of [
      ['{"portMappings":[]}', 'there are ips'],
      ['{"ip":["10.1.2.77"]}', 'did you mean "ips"?'],
    ] as const) {
      const said = attach(on, '--capabilities', given);
      expect(said).toMatchObject({ code: 1, stdout: '' });
      expect(said.stderr).toContain(cure);
    }
    expect(on.dump()).toBe(before);
  });

  test('takes its parameters from the environment of cnitool', () => {
    const on = machine({ '/conf/net.conflist': conflist() });
    on.env = { NETCONFPATH: '/conf', CNI_IFNAME: 'net1', CAP_ARGS: '{"ips":["10.1.2.9"]}' };
    expect(attach(on, '--cache-dir', '/cache')).toMatchObject(ok);
    expect(on.files('/cache')).toEqual([`/cache/results/podnet-${ID}-net1`]);
    expect(on.dump()).toContain('addr 10.1.2.9/24 dev net1');
  });

  test('errors are in the words of the command line', () => {
    const on = usual();
    attach(on);
    expect(attach(on).stderr).toContain('run fairlead del for it, or choose another --ifname');
    expect(verb(on, 'add', 'podnet', '/run/netns/none').stderr).toContain(
      'namespace /run/netns/none does not exist: make it first, as ip netns add NAME does',
    );
    expect(attach(on, '--ifname', 'a/b').stderr).toContain('correct --ifname');
    expect(attach(on, '--container-id', 'a/b').stderr).toContain('--container-id takes letters');
    const down = new Machine(on.dump().replace(/^addr 10\.1\.2\.2.*\n/m, ''));
    expect(verb(down, 'check', 'podnet', POD).stderr).toContain(
      'run fairlead del and fairlead add for it',
    );
  });

  test('every phrase that is replaced is one that plugins say', () => {
    const core = (path: string) => new URL(`../../core-as/${path}`, import.meta.url);
    const words = readFileSync(core('tasks/runtime/words.ts'), 'utf8');
    const [, list = ''] = /PAIRS: string\[\] = \[([^\]]*)\]/.exec(words) ?? [];
    const said = [...list.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
    const sources = readdirSync(core(''), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('/words.ts'))
      .map((name) => readFileSync(core(name), 'utf8').replaceAll(/["`] \+\n *["`]/g, ''))
      .join('\n');
    const phrases = said.filter((_, index) => index % 2 === 0);
    expect(phrases.length).toBeGreaterThan(8);
    // What stands before a path stands before a value in the source.
    const known = (phrase: string) => sources.includes(phrase.replace(/\/$/, '$'));
    expect(phrases.filter((phrase) => !known(phrase))).toEqual([]);
  });

  test.each([
    ['a second ADD of the interface', (on: Machine) => attach(on), 102],
    ['a missing namespace', (on: Machine) => verb(on, 'add', 'podnet', '/run/netns/none'), 8],
    ['an unknown network', (on: Machine) => verb(on, 'add', 'podnt', POD), 7],
    ['an invalid interface name', (on: Machine) => attach(on, '--ifname', 'a/b'), 4],
    ['an invalid container id', (on: Machine) => attach(on, '--container-id', 'a/b'), 4],
  ])('%s is refused and nothing changes', (_, command, code) => {
    const on = usual();
    attach(on);
    const before = on.dump();
    const said = command(on);
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toContain(`(CNI error ${code})`);
    expect(on.dump()).toBe(before);
  });

  test.each([
    ['of a bridge', {}],
    ['with set elements in nftables', { plugins: [{ ...bridge, ipMasq: true }] }],
  ])('%s fails in any of its operations without a trace', (_, more) => {
    const whole = usual(more);
    let count = 0;
    whole.wrap = (driver) => {
      const counted = failing(driver, 0, EIO);
      count = 0;
      return new Proxy(counted, {
        get: (target, name) => {
          count = counted.count();
          return Reflect.get(target, name);
        },
      });
    };
    expect(attach(whole).code).toBe(0);
    expect(count).toBeGreaterThan(20);
    let failed = 0;
    for (let n = 1; n <= count + 1; n++) {
      const on = usual(more);
      const before = on.dump();
      on.wrap = (driver) => failing(driver, n, EIO);
      const said = attach(on);
      if (said.code === 0) {
        expect(on.file(CACHED), `operation ${n}`).toBeDefined();
        continue;
      }
      failed++;
      const left = on.dump().replace(/^file \S+(last_reserved_ip\.0|lock) .*\n/gm, '');
      expect(left, `operation ${n}: ${said.stderr}`).toBe(before);
    }
    expect(failed).toBeGreaterThan(20);
  });
});

describe('del', () => {
  test('leaves nothing, twice', () => {
    const on = usual();
    attach(on);
    for (const _ of [1, 2]) {
      expect(detach(on)).toMatchObject(ok);
      expect(on.files('/var/lib/cni/results')).toEqual([]);
      expect(on.files('/run/fairlead')).toEqual([]);
      expect(on.dump()).not.toMatch(/link veth|file .*\/10\.1\.2\.2 /);
    }
  });

  test.each([
    ['empty', ''],
    ['cut short', '{"kind":"cniCacheV1","contai'],
    ['another document', '[1,2]'],
    ['a result that is none', '{"kind":"cniCacheV1","result":{"cniVersion":"9.9.9","ips":7}}'],
    ['a bare result of an older libcni', '{"cniVersion":"0.4.0","ips":[]}'],
  ])('a cache entry that is %s does not hold it up', (_, text) => {
    const on = usual();
    attach(on);
    const after = machine({ [CACHED]: text })
      .dump()
      .split('\n')
      .find((l) => l.startsWith('file'));
    const changed = new Machine(
      on.dump().replace(/^file \/var\/lib\/cni\/results.*$/m, after ?? ''),
    );
    expect(detach(changed).code).toBe(0);
    expect(changed.files('/var/lib/cni/results')).toEqual([]);
    expect(changed.dump()).not.toMatch(/link veth|file .*\/10\.1\.2\.2 /);
  });

  test.each([
    ['taken away', ''],
    ['broken', fileLine(`${CONF}/10-pods.conflist`, '{"name": "podnet", "plugins": 7}')],
    ['cut short', fileLine(`${CONF}/10-pods.conflist`, '{"name": "podnet", "plu')],
  ])('works from the cache when the network was %s', (_, line) => {
    const on = usual();
    attach(on);
    const gone = new Machine(on.dump().replace(/^file \/etc\/cni\/.*\n/m, line));
    const said = detach(gone);
    expect(said.code).toBe(0);
    expect(said.stderr).toContain('using the cached configuration');
    expect(gone.files('/var/lib/cni/results')).toEqual([]);
    expect(gone.dump()).not.toMatch(/link veth/);
    expect(detach(gone)).toMatchObject({ code: 1 });
  });

  test('works from the cache for a single plugin, and with the drop-in folder that is left', () => {
    const single = { cniVersion: '1.0.0', name: 'podnet', ...bridge };
    const drop = fileLine(`${CONF}/podnet/10-x.conf`, '{"type":"nothere"}');
    const on = machine({ [`${CONF}/10-pods.conf`]: JSON.stringify(single) });
    expect(attach(on)).toMatchObject(ok);
    expect(JSON.parse(Buffer.from(cache(on).config, 'base64').toString())).toEqual({
      cniVersion: '1.0.0',
      name: 'podnet',
      plugins: [bridge],
    });
    const gone = on.dump().replace(/^file \/etc\/cni\/.*\n/m, '');
    const without = new Machine(gone);
    expect(detach(without).code).toBe(0);
    expect(without.dump()).not.toMatch(/link veth/);
    const list = usual();
    attach(list);
    const rest = new Machine(list.dump().replace(/^file \/etc\/cni\/.*\n/m, drop));
    expect(detach(rest).stderr).toContain('failed to find plugin "nothere"');
  });

  test('a namespace that is gone is nothing to act on, and is not asked for', () => {
    const said = verb(usual(), 'del', 'podnet', '/run/netns/none');
    expect(said.code).toBe(0);
    expect(said.stderr).toContain('/run/netns/none does not exist; nothing to remove there');
    expect(said.stderr).not.toContain('must make');
  });

  test('passes what the ADD was passed', () => {
    const foreign = { type: 'echo', capabilities: { x: true } };
    const on = usual({ plugins: [bridge, foreign] });
    const sent: string[] = [];
    on.wrap = (driver) =>
      ({
        ...driver,
        plugin_exec: undefined,
        exec: (args: { stdin: Uint8Array; env: Uint8Array }) => {
          sent.push(Buffer.from(args.env).toString(), Buffer.from(args.stdin).toString());
          const { prevResult } = JSON.parse(sent.at(-1) ?? '{}');
          return { exit_code: 0, signal: '', stdout: JSON.stringify(prevResult), stderr: '' };
        },
      }) as never;
    expect(attach(on, '--args', 'IgnoreUnknown=1;A=B', '--capabilities', '{"x":7}')).toMatchObject(
      ok,
    );
    const added = JSON.parse(sent[1] ?? '');
    sent.length = 0;
    expect(detach(on)).toMatchObject(ok);
    expect(sent[0]).toContain('CNI_ARGS=IgnoreUnknown=1;A=B\0');
    const removed = JSON.parse(sent[1] ?? '');
    expect(removed).toEqual(added);
    expect(removed).toMatchObject({ name: 'podnet', cniVersion: '1.1.0', runtimeConfig: { x: 7 } });
    expect(removed.prevResult.ips).toHaveLength(1);
  });
});

describe('check', () => {
  test('is fine after ADD and tells what is missing', () => {
    const on = usual();
    attach(on);
    expect(verb(on, 'check', 'podnet', POD)).toMatchObject(ok);
    const broken = new Machine(on.dump().replace(/^addr 10\.1\.2\.2.*\n/m, ''));
    const said = verb(broken, 'check', 'podnet', POD);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain('10.1.2.2');
  });

  test('without an ADD says so', () => {
    const said = verb(usual(), 'check', 'podnet', POD, '--output', 'json');
    expect(said).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(said.stdout)).toMatchObject({ code: 103 });
  });

  test('does nothing where disableCheck says so, also as text', () => {
    for (const disableCheck of [true, 'True']) {
      const on = usual({ disableCheck });
      expect(verb(on, 'check', 'podnet', POD).code).toBe(0);
    }
    const wrong = verb(usual({ disableCheck: 'maybe' }), 'check', 'podnet', POD);
    expect(wrong.stderr).toContain(`line 1, column`);
    expect(wrong.code).toBe(1);
  });

  test('needs cniVersion 0.4.0', () => {
    const on = usual({ cniVersion: '0.3.1' });
    attach(on);
    expect(verb(on, 'check', 'podnet', POD).stderr).toContain('CNI error 1');
  });
});

describe('gc', () => {
  /** Three attachments, the namespace of the second gone. */
  function three(more: object = {}): Machine {
    const on = machine(
      { [`${CONF}/10-pods.conflist`]: conflist(more) },
      'netns pod\nnetns dead\nnetns third\n',
    );
    for (const name of ['pod', 'dead', 'third']) {
      verb(on, 'add', 'podnet', `/run/netns/${name}`, '--container-id', name);
    }
    // Its files name a path where nothing is; the links are those of a namespace that lingers.
    const files = /^file .*$/gm;
    return new Machine(on.dump().replace(files, (line) => line.replace('netns/dead', 'netns/no')));
  }
  const cached = (on: Machine) =>
    on.files('/var/lib/cni/results').map((path) => path.split('-').at(-2));
  const leases = (on: Machine) => on.files('/var/lib/cni/networks/podnet').length - 1;

  test('results that may not be looked at are not taken for none', () => {
    const on = machine({ [`${CONF}/10-pods.conflist`]: conflist({ cniVersion: '1.0.0' }) });
    on.wrap = (driver) => ({
      ...driver,
      dir_list: (args) => {
        if (args.dir.endsWith('/results')) throw new OsError(EACCES, '');
        return driver.dir_list(args);
      },
    });
    const said = verb(on, 'gc', 'podnet');
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toContain('cannot read /var/lib/cni/results');
    expect(said.stderr).toContain('EACCES: run it as root');
  });

  test('removes the attachments whose namespace is gone', () => {
    const on = three();
    const said = verb(on, 'gc', 'podnet', '--output', 'json');
    expect(said.code).toBe(0);
    const deleted = [{ containerID: 'dead', ifname: 'eth0' }];
    expect(JSON.parse(said.stdout)).toEqual({ deleted, valid: 2 });
    expect(cached(on)).toEqual(['pod', 'third']);
    expect(leases(on)).toBe(2);
    const again = verb(on, 'gc', 'podnet');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toBe('network podnet: 0 attachments removed, 2 valid\n');
  });

  test('keeps an attachment that is being made: it has a record, and no cache entry yet', () => {
    const on = three();
    const text = on.dump().replace(/^file \/var\/lib\/cni\/results\/podnet-third.*\n/m, '');
    const making = new Machine(text);
    expect(verb(making, 'gc', 'podnet')).toMatchObject({ code: 0 });
    expect(leases(making)).toBe(2);
  });

  test.each([
    [['--valid', 'third:eth0'], ['third']],
    [['--valid', 'third:eth1'], []],
    [['--all'], []],
  ])('%s', (options, left) => {
    const on = three();
    expect(verb(on, 'gc', 'podnet', ...options)).toMatchObject({ code: 0 });
    expect(cached(on)).toEqual(left);
    expect(leases(on)).toBe(left.length);
  });

  test('does nothing where disableGC says so', () => {
    const on = three({ disableGC: true });
    const before = on.dump();
    expect(verb(on, 'gc', 'podnet', '--all')).toMatchObject({ code: 0 });
    expect(on.dump()).toBe(before);
  });

  test('below 1.1.0 works through the cache alone', () => {
    const on = three({ cniVersion: '1.0.0' });
    expect(verb(on, 'gc', 'podnet')).toMatchObject({ code: 0 });
    expect(cached(on)).toEqual(['pod', 'third']);
    expect(leases(on)).toBe(2);
  });

  test('leaves other networks and what is no entry alone', () => {
    const on = three();
    const other = '/var/lib/cni/results/podnet-2-x-eth0';
    const entry = { kind: 'cniCacheV1', networkName: 'podnet-2', containerId: 'x', ifName: 'eth0' };
    const strange = '/var/lib/cni/results/podnet-garbage';
    const more = new Machine(
      on.dump() + fileLine(other, JSON.stringify(entry)) + fileLine(strange, '{'),
    );
    expect(verb(more, 'gc', 'podnet', '--all')).toMatchObject({ code: 0 });
    expect(more.files('/var/lib/cni/results')).toEqual([other, strange]);
  });
});

describe('status', () => {
  test('is 50 when no address is left and the network wants that told', () => {
    const ranges = [[{ subnet: '10.1.2.0/30' }]];
    const ipam = { type: 'host-local', statusWhenFull: true, ranges };
    const on = usual({ plugins: [{ ...bridge, ipam }] });
    expect(verb(on, 'status', 'podnet').stdout).toBe('network podnet is ready\n');
    attach(on);
    const said = verb(on, 'status', 'podnet', POD, '--output', 'json');
    expect(said.code).toBe(1);
    expect(JSON.parse(said.stdout)).toMatchObject({ code: 50 });
  });

  test('is not asked below 1.1.0', () => {
    const said = verb(usual({ cniVersion: '1.0.0' }), 'status', 'podnet');
    expect(said.code).toBe(0);
    expect(said.stdout).toContain('has no STATUS');
    expect(
      JSON.parse(verb(usual({ cniVersion: '1.0.0' }), 'status', 'podnet', '-o', 'json').stdout),
    ).toEqual({ network: 'podnet', ready: true, asked: false, cniVersion: '1.0.0', reasons: [] });
  });

  test.each([
    ['a program is missing', { type: 'sriov' }, 'no program "sriov"'],
    ['the file has errors', { ...bridge, mtu: 'x' }, '"mtu" must be'],
  ])('below 1.1.0 is not ready when %s', (_, plugin, words) => {
    const on = usual({ cniVersion: '1.0.0', plugins: [plugin] });
    const said = verb(on, 'status', 'podnet');
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toContain(words);
    const json = verb(on, 'status', 'podnet', '--output', 'json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ready: false, asked: false });
  });
});

describe('which file is a network', () => {
  const named = (name: string, br: string) =>
    JSON.stringify({ cniVersion: '1.0.0', name, plugins: [{ ...bridge, bridge: br }] });
  const bridges = (on: Machine) => /link (\S+) kind bridge/.exec(on.dump())?.[1];

  test('the first conflist by name, before any conf', () => {
    const single = { cniVersion: '1.0.0', name: 'podnet', ...bridge, bridge: 'single' };
    const files: Record<string, string> = {
      [`${CONF}/00-single.conf`]: JSON.stringify(single),
      [`${CONF}/20-b.conflist`]: named('podnet', 'second'),
      [`${CONF}/10-a.conflist`]: named('podnet', 'first'),
      [`${CONF}/05-other.conflist`]: named('other', 'other'),
      [`${CONF}/00-broken.conflist`]: '{"name": "podnet",',
    };
    const on = machine(files);
    expect(attach(on)).toMatchObject({ code: 0 });
    expect(bridges(on)).toBe('first');
    const alone = machine({ [`${CONF}/00-single.conf`]: JSON.stringify(single) });
    expect(attach(alone)).toMatchObject({ code: 0 });
    expect(bridges(alone)).toBe('single');
  });

  test('a .conf with a type is one plugin, whatever else it has', () => {
    const fused = { cniVersion: '1.0.0', name: 'podnet', type: 'fairlead', plugins: [bridge] };
    const on = machine({ [`${CONF}/10-pods.conf`]: JSON.stringify(fused) });
    const said = attach(on);
    expect(said.code).toBe(0);
    expect(said.stderr).toContain('"bridge" wants ips of the runtime, which passes what the type');
    expect(JSON.parse(on.run((io) => runNetworks(['--output', 'json'], io)).stdout)).toMatchObject({
      networks: [{ plugins: ['fairlead'] }],
    });
    expect(detach(on)).toMatchObject(ok);
  });

  test('plugins of the drop-in folder follow, unless they are not wanted', () => {
    const drop = { [`${CONF}/podnet/10-x.conf`]: '{"type":"nothere"}' };
    const list = (more: object) => ({ [`${CONF}/10-pods.conflist`]: conflist(more), ...drop });
    const said = attach(machine(list({})));
    expect(said.stderr).toContain('failed to find plugin "nothere"');
    expect(attach(machine(list({ loadOnlyInlinedPlugins: true })))).toMatchObject(ok);
    const only = { loadOnlyInlinedPlugins: true, plugins: undefined };
    expect(attach(machine(list(only))).stderr).toContain('needs "plugins"');
    const without = { [`${CONF}/10-pods.conflist`]: '{"cniVersion":"1.0.0","name":"podnet"}' };
    expect(attach(machine(without)).stderr).toContain('no plugins in list');
    const conf = { [`${CONF}/podnet/10-x.conf`]: JSON.stringify(bridge) };
    expect(attach(machine({ ...without, ...conf }))).toMatchObject(ok);
  });

  test.each([
    [{ cniVersions: ['0.4.0', '1.1.0', '9.0.0'] }, '1.1.0'],
    [{ cniVersion: '1.0.0', cniVersions: ['0.3.1', '0.4.0'] }, '1.0.0'],
    [{ cniVersion: '9.0.0', cniVersions: ['0.3.1', '0.4.0'] }, '0.4.0'],
    [{ cniVersion: undefined, cniVersions: ['0.3.1'] }, '0.3.1'],
  ])('%o is version %s', (more, version) => {
    const said = attach(usual(more), '--output', 'json');
    expect(JSON.parse(said.stdout).cniVersion).toBe(version);
  });

  test.each([
    ['a version of ours is not offered', { cniVersion: '9.0.0', cniVersions: ['8.0.0'] }, 'no ver'],
    ['a version that is none', { cniVersions: ['1.x'] }, 'not a version'],
    ['one that we do not speak', { cniVersion: '2.0.0' }, 'incompatible CNI versions'],
    ['a list without plugins', { plugins: [] }, 'no plugins in list'],
    ['a plugin without type', { plugins: [{}] }, 'without "type"'],
    ['a path for a type', { plugins: [{ type: '../x' }] }, 'cannot be a path'],
    ['plugins that are no list', { plugins: {} }, 'must be an array'],
    ['a plugin that is no object', { plugins: [7] }, 'must be an object'],
    ['a name that is a path', { name: 'a/b' }, 'invalid characters'],
  ])('%s is refused', (_, more, words) => {
    const on = usual(more);
    const before = on.dump();
    const said = verb(on, 'add', 'name' in more ? 'a/b' : 'podnet', POD);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(words);
    expect(on.dump()).toBe(before);
  });
});

describe('networks', () => {
  test('lists them in the order of discovery, and those that are broken', () => {
    const on = machine({
      [`${CONF}/99-broken.conflist`]: '{',
      [`${CONF}/10-pods.conflist`]: conflist(),
      [`${CONF}/00-one.conf`]: JSON.stringify({ name: 'one', ...bridge }),
      [`${CONF}/readme.txt`]: 'none of ours',
    });
    const said = on.run((io) => runNetworks([], io));
    expect(said).toEqual({
      code: 1,
      stdout:
        'NETWORK  DRIVER  VERSION  SUBNETS      ATTACHED\n' +
        'podnet   bridge  1.1.0    10.1.2.0/24  0\n' +
        'one      bridge  0.1.0    10.1.2.0/24  0\n',
      stderr:
        'cannot decode /etc/cni/net.d/99-broken.conflist: the document ends too early; ' +
        'line 1, column 2\n',
    });
    const json = on.run((io) => runNetworks(['--output', 'json'], io));
    expect(JSON.parse(json.stdout).networks).toHaveLength(3);
  });

  test('of a folder that is not there are none', () => {
    const said = new Machine('netns host\n').run((io) => runNetworks([], io));
    expect(said).toEqual({ code: 0, stdout: '/etc/cni/net.d does not exist\n', stderr: '' });
    const named = ['--conf-dir', '/nosuch'];
    expect(new Machine('netns host\n').run((io) => runNetworks(named, io))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'fairlead networks: /nosuch does not exist\n',
    });
  });
});

describe('usage', () => {
  test.each([
    [['add'], 'NETWORK is missing'],
    [['add', 'podnet'], 'NETNS is missing'],
    [['add', 'podnet', 'pod', 'more'], 'unexpected argument "more"'],
    [['add', 'podnet', 'pod', '--ifnam', 'x'], 'did you mean "--ifname"?'],
    [['add', 'podnet', 'pod', '--args', 'K'], 'invalid CNI_ARGS pair "K"'],
    [['add', 'podnet', 'pod', '--capabilities', '[]'], 'must be an object'],
    [['add', 'podnet', 'pod', '--capabilities', '{'], 'is not JSON'],
    [['add', 'podnet', 'pod', '--output', 'yaml'], 'write json or text'],
    [['gc', 'podnet', '--all', '--valid', 'a:b'], 'exclude each other'],
    [['gc', 'podnet', '--valid', 'a'], 'write CONTAINER-ID:IFNAME'],
  ])('%j: %s', (args, words) => {
    const on = usual();
    const said = verb(on, args[0] as 'add', ...args.slice(1));
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain(words);
  });

  test.each(['add', 'del', 'check', 'gc', 'status'] as const)('%s --help', (name) => {
    const said = verb(usual(), name, '--help');
    expect(said).toMatchObject(ok);
    expect(said.stdout).toContain(`fairlead ${name} NETWORK`);
  });

  test('a namespace is a name or a path, and names the container as cnitool does', () => {
    expect(netnsPath('testing')).toBe('/var/run/netns/testing');
    expect(netnsPath('/proc/1/ns/net')).toBe('/proc/1/ns/net');
    expect(containerIdOf('/var/run/netns/testing')).toBe('cnitool-77383ca0a0715733ca6f');
  });
});

test('a fused network shows what is inside', () => {
  const plugins = [
    { type: 'fairlead', plugins: [bridge, { type: 'portmap' }] },
    { type: 'tuning' },
  ];
  const on = usual({ plugins });
  const said = on.run((io) => runNetworks(['-o', 'wide'], io));
  expect(said.stdout).toContain(' fairlead(bridge,portmap),tuning ');
  const json = on.run((io) => runNetworks(['--output=json'], io));
  expect(JSON.parse(json.stdout).networks[0]).toMatchObject({ inside: ['bridge', 'portmap'] });
});

describe('what others chose', () => {
  test('does not reach the terminal as it is', () => {
    const on = machine({ [`${CONF}/a\u001b[31m\u009b.conflist`]: conflist() });
    const said = on.run((io) => runNetworks(['-o', 'wide'], io));
    expect(said.stdout).toContain('a\\u001b[31m\\u009b.conflist');
    const json = on.run((io) => runNetworks(['-o', 'json'], io));
    expect(json.stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(JSON.parse(json.stdout).networks[0].path).toContain('\u001b[31m\u009b');
  });
});

describe('JSON', () => {
  const at = { network: 'podnet', containerID: ID, ifname: 'eth0', netns: POD };
  test.each(['check', 'del'] as const)('of %s says which attachment it was', (name) => {
    const on = usual();
    attach(on);
    const said = verb(on, name, 'podnet', POD, '-o', 'json');
    expect(said).toMatchObject(ok);
    expect(JSON.parse(said.stdout)).toEqual(at);
  });

  test('of wrong usage is JSON too', () => {
    const said = verb(usual(), 'del', 'podnet', '--output', 'json');
    expect(said).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(said.stdout)).toEqual({ command: 'del', error: 'NETNS is missing' });
  });
});

describe('one namespace under both of its names', () => {
  const OTHER = `/var${POD}`;
  const both = (): Machine =>
    machine({ [`${CONF}/10-pods.conflist`]: conflist() }, `netns pod\nnetns pod path ${OTHER}\n`);

  test('is one container', () => {
    const on = both();
    expect(verb(on, 'add', 'podnet', 'pod')).toMatchObject(ok);
    const id = containerIdOf(OTHER);
    expect(on.files('/run/fairlead/attachments')).toHaveLength(1);
    expect(verb(on, 'check', 'podnet', POD)).toMatchObject(ok);
    expect(verb(on, 'add', 'podnet', POD).stderr).toContain(id);
    expect(verb(on, 'del', 'podnet', POD)).toMatchObject(ok);
    expect(on.files('/run/fairlead/attachments')).toEqual([]);
    expect(on.files('/var/lib/cni/results')).toEqual([]);
  });

  test('an id that is named is not looked for elsewhere', () => {
    const on = both();
    attach(on, '--container-id', 'one');
    expect(verb(on, 'del', 'podnet', OTHER, '--container-id', 'two')).toMatchObject(ok);
    expect(on.file(CACHED.replace(ID, 'one'))).toBeDefined();
  });
});

test("another network's cached result is neither overwritten, used nor removed", () => {
  const list = (name: string, br: string, subnet: string) =>
    JSON.stringify({
      cniVersion: '1.0.0',
      name,
      plugins: [{ ...bridge, bridge: br, ipam: { type: 'host-local', ranges: [[{ subnet }]] } }],
    });
  const on = machine(
    {
      [`${CONF}/a.conflist`]: list('a', 'br0', '10.1.0.0/24'),
      [`${CONF}/a-b.conflist`]: list('a-b', 'br1', '10.2.0.0/24'),
    },
    'netns pod\nnetns pod2\n',
  );
  const path = '/var/lib/cni/results/a-b-c-eth0';
  expect(verb(on, 'add', 'a-b', POD, '--container-id', 'c')).toMatchObject(ok);
  const kept = on.file(path);
  const second = verb(on, 'add', 'a', '/run/netns/pod2', '--container-id', 'b-c');
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('is taken by "eth0" of container c on network "a-b"');
  expect(verb(on, 'check', 'a', '/run/netns/pod2', '--container-id', 'b-c').code).toBe(1);
  expect(verb(on, 'del', 'a', '/run/netns/pod2', '--container-id', 'b-c')).toMatchObject({
    code: 0,
  });
  expect(on.file(path)).toBe(kept);
  expect(verb(on, 'check', 'a-b', POD, '--container-id', 'c')).toMatchObject(ok);
});

describe('ls', () => {
  const ls = (on: Machine, ...args: string[]) => on.run((io) => runLs(args, io));

  test('of a node without any says so', () => {
    expect(ls(usual())).toEqual({ code: 0, stdout: 'nothing is attached\n', stderr: '' });
  });

  test('tells what lives, what is gone, and what another plugin wired', () => {
    const on = machine(
      { [`${CONF}/10-pods.conflist`]: conflist() },
      'netns pod\nnetns pod2\nnetns pod3\n',
    );
    for (const name of ['pod', 'pod2', 'pod3']) {
      const args = ['podnet', `/run/netns/${name}`, '--container-id', `${name}-${'0'.repeat(20)}`];
      expect(verb(on, 'add', ...args)).toMatchObject(ok);
    }
    const id = (name: string) => `${name}-${'0'.repeat(20)}`;
    on.driver.file_remove({ path: `/run/fairlead/attachments/${id('pod3')}:eth0` });
    const ns = on.driver.netns_open({ path: '/run/netns/pod2' });
    const { ifindex } = on.driver.link_get({ ns, name: 'eth0' });
    on.driver.link_del({ ns, ifindex });
    const rows = ls(on)
      .stdout.split('\n')
      .map((line) => line.replace(/ +/g, ' '));
    expect(
      rows.slice(0, -1).map((line) => line.replace(/ \S+( \S+(, foreign)?)$/, ' ?$1')),
    ).toEqual([
      'CONTAINER IFNAME NETWORK ADDRESSES ? STATE',
      'pod-00000000 eth0 podnet 10.1.2.2/24 ? lives',
      'pod2-0000000 eth0 podnet 10.1.2.3/24 ? gone',
      'pod3-0000000 eth0 podnet 10.1.2.4/24 ? lives, foreign',
    ]);
    expect(ls(on, '--output', 'wide').stdout).toContain(`${id('pod')} `);
    expect(ls(on, 'othernet').stdout).toBe('nothing is attached of network othernet\n');
    const { attachments, foreign } = JSON.parse(ls(on, '-o', 'json').stdout);
    expect(attachments).toHaveLength(2);
    expect(attachments[0]).toMatchObject({ effects: expect.arrayContaining(['veth', 'leases']) });
    expect(foreign).toMatchObject([{ containerID: id('pod3'), state: 'lives' }]);
  });

  test.each([
    ['100', 100, '0s'],
    ['100', 161, '1m'],
    ['0', 90_000, '1d'],
    ['0', 7300, '2h'],
    ['', 5, '-'],
    [undefined, 5, '-'],
  ])('since %s at %i is %s', (since, now, shown) => {
    expect(age(since, now)).toBe(shown);
  });
});
