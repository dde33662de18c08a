// SPDX-License-Identifier: Apache-2.0
// What inspect and leases say of attachments on the simulated kernel: every effect with its state,
// and what each still says when something is gone, changed, hidden or lies.
import { describe, expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { runInspect } from '../../host-node/cli/inspect.ts';
import { runLeases } from '../../host-node/cli/leases.ts';
import { runNetworks } from '../../host-node/cli/networks.ts';
import { runVerb } from '../../host-node/cli/verbs.ts';
import { fileLine, Machine, type Said } from './machine.ts';

const POD = '/run/netns/pod';
const ID = 'c0ffee00d15ea5e';
const EACCES = 13;
const CONFLIST = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00::/64' }]],
      },
    },
    { type: 'bandwidth', ingressRate: 8_000_000, ingressBurst: 800_000 },
    { type: 'tuning', mtu: 1400, sysctl: { 'net.ipv4.conf.IFNAME.accept_redirects': '0' } },
    { type: 'sbr' },
  ],
});
const GROUND = `netns host\nnetns pod\n${fileLine('/etc/cni/net.d/10-pods.conflist', CONFLIST)}`;

function attached(): Machine {
  const on = new Machine(GROUND);
  const said = on.run((io) => runVerb('add', ['pods', POD, '--container-id', ID], io));
  expect(said).toMatchObject({ code: 0, stderr: '' });
  return on;
}
const inspect = (on: Machine, ...args: string[]): Said => on.run((io) => runInspect(args, io));
const leases = (on: Machine, ...args: string[]): Said => on.run((io) => runLeases(args, io));

interface Effect {
  readonly what: string;
  readonly state: string;
  readonly why?: string;
  readonly show: readonly string[];
}

function inspected(on: Machine, name = ID) {
  const { code, stdout } = inspect(on, name, '-o', 'json');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}
const effectsOf = (on: Machine): Effect[] => inspected(on).attachments[0].effects;
const statesOf = (on: Machine): Record<string, string> =>
  Object.fromEntries(effectsOf(on).map(({ what, state }) => [what, state]));

/** The machine with another state, by the lines of its text. */
function changed(on: Machine, edit: (text: string) => string): Machine {
  const before = on.dump();
  const after = edit(before);
  expect(after).not.toBe(before);
  return new Machine(after);
}

/** As it is when the namespaces of containers are gone and nobody called DEL. */
const withoutPod = (text: string): string =>
  text.replaceAll(/(\\"netns\\":\s*\\"\/run\/netns\/)pod/g, '$1left');

const refusing =
  (name: string, errno: number) =>
  (driver: Driver): Driver => ({
    ...driver,
    [name]: () => {
      throw new OsError(errno, 'not you');
    },
  });

describe('inspect', () => {
  test('has every effect of the record, there, with a command that shows it', () => {
    const on = attached();
    const before = on.dump();
    const effects = effectsOf(on);
    expect(new Set(effects.map(({ state }) => state))).toEqual(new Set(['there']));
    const words = effects.map(({ what }) => what.replace(/ .*/, ''));
    expect(new Set(words)).toEqual(
      new Set([
        ...['bridge', 'gateway', 'forwarding', 'lease', 'veth', 'element', 'qdisc', 'sysctl'],
        ...['mtu', 'rule'],
      ]),
    );
    for (const { show } of effects) expect(show[0]).toMatch(/^(ip|nft|tc|cat|sysctl|nsenter) /);
    const shown = effects.flatMap(({ show }) => show).join('\n');
    expect(shown).toContain('ip -n pod address show dev eth0');
    expect(shown).toMatch(/^nft list set bridge fairlead|^nft list (set|map) inet fairlead/m);
    expect(shown).toMatch(/^tc qdisc show dev veth/m);
    expect(on.dump()).toBe(before);
  });

  test.each([
    ['the beginning of the id', 'c0ff'],
    ['the network', 'pods'],
    ['an address', '10.1.2.2'],
    ['an address with its length', 'fd00::2/64'],
  ])('knows it by %s', (_, name) => {
    const { attachments } = inspected(attached(), name);
    expect(attachments).toMatchObject([
      { containerID: ID, ifname: 'eth0', network: 'pods', netns: POD, state: 'lives' },
    ]);
    expect(attachments[0].addresses).toEqual(['10.1.2.2/24', 'fd00::2/64']);
  });

  test("knows it by the host's end of the pair", () => {
    const on = attached();
    const end = /^link (veth[0-9a-f]{8}) /m.exec(on.dump())?.[1] ?? '';
    expect(inspected(on, end).attachments).toHaveLength(1);
  });

  test('has the addresses of the kernel when no runtime keeps a result', () => {
    const on = changed(attached(), (text) =>
      text.replace(/^file \/var\/lib\/cni\/results.*\n/m, ''),
    );
    expect(inspected(on, '10.1.2.2').attachments[0].addresses).toContain('10.1.2.2/24');
  });

  const losses: [string, RegExp, string, Record<string, string>][] = [
    ['an element that was flushed', /^nft element \S+ 10\.1\.2\.2.*\n/gm, '', { element: 'gone' }],
    ['a lease', /^file \S+\/10\.1\.2\.2 .*\n/m, '', { 'lease fd00::2': 'there' }],
    ['a qdisc of another rate', /rate 1000000/, 'rate 2000000', { qdisc: 'changed' }],
    ['a rule', /^rule \d+ from 10\.1\.2\.2.*\n/m, '', { 'rule from 10.1.2.2': 'gone' }],
    ["the gateway's addresses", /^addr \S+ dev cni0.*\n/gm, '', { 'gateway cni0': 'gone' }],
    [
      'one of them, which may be another one',
      /^addr 10\.1\.2\.1\/24 dev cni0.*\n/m,
      '',
      { 'gateway cni0': 'unknown', 'bridge cni0': 'there' },
    ],
    [
      'forwarding of one family',
      /^sysctl net\/ipv6\/conf\/all\/forwarding 1$/m,
      'sysctl net/ipv6/conf/all/forwarding 0',
      { 'forwarding of IPv4': 'there', 'forwarding of IPv6': 'gone' },
    ],
  ];
  test.each(losses)('tells %s', (_, from, to, expected) => {
    const states = statesOf(changed(attached(), (text) => text.replace(from, to)));
    for (const [start, state] of Object.entries(expected)) {
      const found = Object.entries(states).filter(([what]) => what.startsWith(start));
      expect(found.map(([, one]) => one)).toContain(state);
    }
  });

  const added = (plugins: readonly object[], ground: string): Machine => {
    const conflist = JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins });
    const on = new Machine(`${ground}${fileLine('/etc/cni/net.d/1.conflist', conflist)}`);
    const said = on.run((io) => runVerb('add', ['pods', POD, '--container-id', ID], io));
    expect(said).toMatchObject({ code: 0, stderr: '' });
    return on;
  };
  const stateOf = (on: Machine, start: string): string | undefined =>
    Object.entries(statesOf(on)).find(([what]) => what.startsWith(start))?.[1];

  test('tells which VLAN the uplink does not let pass', () => {
    const uplink = { type: 'bridge', bridge: 'cni0', vlan: 100, uplinkInterface: 'eth0' };
    const ground = `netns host
link cni0 kind bridge up address 02:00:00:00:00:09 mtu 1500 vlan_filtering
link eth0 up address 02:00:00:00:00:0a mtu 1500 master cni0
netns pod
`;
    const on = added([{ ...uplink, vlanFiltering: true }], ground);
    expect(stateOf(on, 'vlans eth0')).toBe('there');
    const without = changed(on, (text) => text.replace(/^vlan 100 dev eth0\b.*\n/m, ''));
    expect(effectsOf(without).find(({ what }) => what.startsWith('vlans'))).toMatchObject({
      ...{ state: 'gone', why: 'VLAN 100 does not pass' },
    });
    expect(stateOf(changed(on, withoutPod), 'vlans eth0')).toBe('unknown');
  });

  test('tells a filter that leads elsewhere', () => {
    const limit = { type: 'bandwidth', egressRate: 8_000_000, egressBurst: 800_000 };
    const on = added([{ type: 'bridge', bridge: 'cni0' }, limit], 'netns host\nnetns pod\n');
    expect(stateOf(on, 'filter ingress')).toBe('there');
    const indexOf = (link: RegExp): number =>
      on.driver.link_get({ ns: 0, name: link.exec(on.dump())?.[1] ?? '' }).ifindex;
    const ifindex = indexOf(/^link (veth\S+) /m);
    const ifb = indexOf(/^link (bwp\S+) /m);
    const { handle } = on.driver.filter_list({ ns: 0, ifindex }).find(({ to }) => to === ifb)!;
    on.driver.filter_del({ ns: 0, ifindex, pref: 1, handle });
    expect(stateOf(on, 'filter ingress')).toBe('gone');
    on.driver.filter_add_redirect({ ns: 0, ifindex, pref: 1, to: indexOf(/^link (cni0) /m) });
    expect(stateOf(on, 'filter ingress')).toBe('changed');
  });

  test('of a container that is gone what was in it is gone', () => {
    const on = changed(attached(), withoutPod);
    const { attachments } = inspected(on);
    expect(attachments[0].state).toBe('gone');
    const veth = attachments[0].effects.find(({ what }: Effect) => what.startsWith('veth'));
    expect(veth).toMatchObject({ state: 'gone', why: 'its network namespace is gone' });
  });

  test('without nftables says so of the elements, and the rest', () => {
    const on = attached();
    on.wrap = refusing('element_get', 93);
    const states = statesOf(on);
    const of = (word: string) =>
      Object.entries(states).flatMap(([what, state]) => (what.startsWith(word) ? [state] : []));
    expect(new Set(of('element'))).toEqual(new Set(['unknown']));
    expect(of('veth')).toEqual(['there', 'there']);
  });

  test('who may not enter the namespace is told why', () => {
    const on = attached();
    on.wrap = refusing('netns_open', EACCES);
    const [one] = inspected(on).attachments;
    expect(one).toMatchObject({ state: 'unknown' });
    expect(one.why).toContain('not you');
    expect(statesOf(on)[`veth eth0 in ${POD}`]).toBe('unknown');
  });

  test('who may not read the records is told', () => {
    const on = attached();
    on.wrap = refusing('dir_list', EACCES);
    const { code, stderr } = inspect(on, ID);
    expect(code).toBe(1);
    expect(stderr).toMatch(/fairlead inspect: .*\/run\/fairlead\/attachments/);
  });

  test('records that lie are told and not believed', () => {
    const record = `/run/fairlead/attachments/${ID}:eth1`;
    const lie = { network: 'pods', containerID: ID, ifname: 'eth1' };
    const text = {
      ...lie,
      netns: "/run/netns/x'; reboot; '",
      netnsID: 'netns:nowhere',
      effects: [
        { effect: 'warp', by: 'others', speed: 9 },
        { effect: 'uses', by: 'bridge', what: ['bridge $(reboot)'] },
        { effect: 'elements', by: 'x', elements: ['no such', 7] },
        { effect: 'sbr', by: 'sbr', rules: [{ src: '1.2.3.4', table: 'x' }, 5], moves: true },
      ],
    };
    const on = changed(attached(), (state) =>
      [
        state.trimEnd(),
        fileLine(record, JSON.stringify(text)).trimEnd(),
        fileLine(`/run/fairlead/attachments/${ID}:eth2`, '{"network":').trimEnd(),
        fileLine(`/run/fairlead/attachments/${ID}:eth3`, JSON.stringify(text)),
      ].join('\n'),
    );
    const { attachments, odd } = inspected(on);
    const liar = attachments.find(({ ifname }: { ifname: string }) => ifname === 'eth1');
    expect(liar.state).toBe('gone');
    expect(liar.effects[0]).toMatchObject({ what: 'warp', state: 'unknown' });
    const commands: string[] = liar.effects.flatMap(({ show }: Effect) => show);
    expect(commands).toContain("ip -d link show dev '$(reboot)'");
    expect(odd.map((one: { record: string }) => one.record.slice(-4))).toEqual(['eth2', 'eth3']);
    expect(inspect(on, ID).stdout).toContain('it is no record: the next DEL removes it');
  });

  test('an attachment of another plugin is told by what the runtime keeps', () => {
    const on = changed(attached(), (text) =>
      text.replace(/^file \/run\/fairlead\/attachments\S+ .*\n/m, ''),
    );
    const { attachments, foreign } = inspected(on, '10.1.2.2');
    expect(attachments).toEqual([]);
    expect(foreign).toMatchObject([{ containerID: ID, state: 'lives' }]);
    expect(inspect(on, '10.1.2.2').stdout).toContain('another plugin wired it');
  });

  test('the table has states in words', () => {
    const { stdout } = inspect(attached(), ID);
    expect(stdout).toMatch(/^eth0 of c0ffee00d15ea5e: lives\n {2}network {4}pods\n/);
    expect(stdout).toMatch(/^EFFECT +BY +SHOWN BY +STATE$/m);
    expect(stdout).toMatch(/^veth eth0 in \S+ +fairlead +ip -n pod -d link show dev eth0 +there$/m);
  });

  test.each([
    ['a name that nobody has', ['nobody'], 1, 'no attachment of this node is named "nobody"'],
    ['a link that is no pair', ['cni0'], 1, 'the link "cni0" of the host is no attachment'],
    ['no name', [], 2, 'ID, NETWORK, ADDRESS or LINK is missing'],
  ])('%s is an error', (_, args, code, words) => {
    const said = inspect(attached(), ...args);
    expect(said).toMatchObject({ code, stdout: '' });
    expect(said.stderr).toContain(words);
  });
});

describe('leases', () => {
  const DIR = '/var/lib/cni/networks/pods';
  const told = (on: Machine) => JSON.parse(leases(on, '-o', 'json').stdout);

  test('have what is used and free, and whose it is', () => {
    const on = attached();
    const before = on.dump();
    const { networks, leases: list } = told(on);
    // Of the /24 without network, broadcast and gateway; all but one of 2^64.
    expect(networks).toMatchObject([{ network: 'pods', used: 2, ranges: expect.any(Array) }]);
    const owner = { network: 'pods', containerID: ID, ifname: 'eth0', state: 'used' };
    expect(list).toMatchObject([
      { address: '10.1.2.2', ...owner },
      { address: 'fd00::2', ...owner },
    ]);
    expect(on.dump()).toBe(before);
  });

  test('of IPv4 alone are counted', () => {
    const config = CONFLIST.replace(',[{"subnet":"fd00::/64"}]', '');
    const on = changed(attached(), (text) =>
      text.replace(JSON.stringify(CONFLIST), JSON.stringify(config)),
    );
    expect(told(on).networks).toMatchObject([{ size: '253', used: 2, free: '252' }]);
  });

  const leased = (network: object, addresses: readonly string[]): Machine => {
    const config = JSON.stringify({
      ...{ cniVersion: '1.0.0', name: 'pods', type: 'bridge' },
      ipam: { type: 'host-local', ranges: [[network]] },
    });
    const files = addresses.map((address) => fileLine(`${DIR}/${address}`, 'stranger\r\neth0'));
    return new Machine(`netns host\n${fileLine('/etc/cni/net.d/1.conf', config)}${files.join('')}`);
  };

  test.each([
    // One that an earlier configuration gave, which had another gateway.
    ['of the gateway takes none', ['10.9.0.1', '10.9.0.2'], { size: '5', used: 2, free: '4' }],
    [
      'of all and the gateway leave none',
      ['10.9.0.1', '10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6'],
      { size: '5', used: 6, free: '0' },
    ],
    ['outside the range takes none', ['10.8.0.2'], { size: '5', used: 1, free: '5' }],
  ])('a lease %s', (_, addresses, expected) => {
    const on = leased({ subnet: '10.9.0.0/29' }, addresses);
    expect(told(on).networks).toMatchObject([expected]);
  });

  test.each([
    ['one in the other', '10.9.0.0/29', '10.9.0.0/30', { size: '5', free: '4' }],
    ['partly', '10.9.0.0/29', '10.9.0.4-10.9.0.9', { size: '8', free: '7' }],
    ['not at all', '10.9.0.0/29', '10.9.1.0/29', { size: '10', free: '9' }],
  ])('of ranges that overlap %s count once', (_, first, second, expected) => {
    const [start = '', end] = second.split('-');
    const more = end === undefined ? { subnet: second } : { subnet: '10.9.0.0/28' };
    const range = end === undefined ? more : { ...more, rangeStart: start, rangeEnd: end };
    const config = (subnet: object) =>
      JSON.stringify({
        ...{ cniVersion: '1.0.0', name: 'pods', type: 'bridge' },
        ipam: { type: 'host-local', ranges: [[subnet]] },
      });
    const files = [
      fileLine('/etc/cni/net.d/1.conf', config({ subnet: first })),
      fileLine('/etc/cni/net.d/2.conf', config(range)),
      fileLine(`${DIR}/10.9.0.2`, 'stranger\r\neth0'),
    ];
    expect(told(new Machine(`netns host\n${files.join('')}`)).networks).toMatchObject([expected]);
  });

  test('in two forms of one address leave none free, and not less than none', () => {
    const on = leased({ subnet: '10.9.0.0/29', rangeStart: '10.9.0.2', rangeEnd: '10.9.0.2' }, [
      ...['10.9.0.2', '::ffff:10.9.0.2'],
    ]);
    expect(told(on).networks).toMatchObject([{ size: '1', used: 2, free: '0' }]);
  });

  test('beyond what is listed are counted, and said to be there', () => {
    const addresses = Array.from({ length: 10_002 }, (_, n) => `10.9.${n >> 8}.${n & 255}`);
    const on = leased({ subnet: '10.9.0.0/16' }, addresses);
    const { networks, leases: list } = told(on);
    expect(list).toHaveLength(10_000);
    // Of the network's and the gateway's address none is taken.
    expect(networks).toMatchObject([{ used: 10_002, leaked: 0, more: 2, free: '55533' }]);
    expect(leases(on).stdout).toMatch(/\n… 2 leases of pods more in .*counted and not listed\n$/);
  });

  test('whose container is gone are leaked, whose nobody knows unknown', () => {
    const dead = attached();
    const [, name = ''] = /^link (veth\S+) /m.exec(dead.dump()) ?? [];
    dead.driver.link_del({ ns: 0, ifindex: dead.driver.link_get({ ns: 0, name }).ifindex });
    const on = changed(dead, (text) =>
      [
        text.trimEnd(),
        fileLine(`${DIR}/10.1.2.9`, 'stranger\r\neth0').trimEnd(),
        fileLine(`${DIR}/10.1.2.10`, '').trimEnd(),
        fileLine(`${DIR}/notes`, 'hello'),
      ].join('\n'),
    );
    const states = told(on).leases.map((one: { address: string; state: string }) => [
      one.address,
      one.state,
    ]);
    expect(states.sort()).toEqual([
      ['10.1.2.2', 'leaked'],
      ['10.1.2.9', 'unknown'],
      ['fd00::2', 'leaked'],
    ]);
    expect(leases(on).stdout).toMatch(/^pods +3 +2 /m);
  });

  test('of a container whose namespace is only not seen from here are not leaked', () => {
    const states = told(changed(attached(), withoutPod)).leases.map(
      ({ state }: { state: string }) => state,
    );
    expect(states).toEqual(['unknown', 'unknown']);
  });

  test('of a network whose configuration is gone are found by its records', () => {
    const on = changed(attached(), (text) => text.replace(/^file \/etc\/cni\S+ .*\n/m, ''));
    expect(told(on).networks).toMatchObject([{ network: 'pods', used: 2, size: '', free: '' }]);
  });

  test('of a network that has none are an error, and so are those nobody may read', () => {
    const on = attached();
    expect(leases(on, 'nothing')).toMatchObject({ code: 1 });
    on.wrap = refusing('dir_list', EACCES);
    expect(leases(on)).toMatchObject({ code: 1, stdout: '' });
  });
});

test('networks have their driver, subnets and how many are attached', () => {
  const { stdout } = attached().run((io) => runNetworks([], io));
  expect(stdout).toMatch(/^NETWORK +DRIVER +VERSION +SUBNETS +ATTACHED$/m);
  expect(stdout).toMatch(/^pods +bridge +1\.0\.0 +10\.1\.2\.0\/24,fd00::\/64 +1$/m);
});

test('who may not read records sees the networks all the same', () => {
  const on = attached();
  on.wrap = (driver) => ({
    ...driver,
    dir_list: ({ dir }) => {
      if (dir.includes('attachments')) throw new OsError(EACCES);
      return driver.dir_list({ dir });
    },
  });
  const { code, stdout } = on.run((io) => runNetworks([], io));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^pods .* -$/m);
});
