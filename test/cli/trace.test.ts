// SPDX-License-Identifier: Apache-2.0
// `fairlead trace` on the simulated kernel: between containers, by ports of the host, to elsewhere,
// and each way to be lost. That packets go so is what test/e2e/trace.test.ts tries.
import { beforeEach, describe, expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { runTrace } from '../../host-node/cli/trace.ts';
import { runVerb } from '../../host-node/cli/verbs.ts';
import { fileLine, Machine } from './machine.ts';

const CONF = '/etc/cni/net.d';
const ipam = (net: string, six: string) => ({
  type: 'host-local',
  ranges: [[{ subnet: `${net}/24` }], [{ subnet: `${six}/64` }]],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
});
const chain = (name: string, main: object) =>
  JSON.stringify({
    cniVersion: '1.0.0',
    name,
    plugins: [
      { ipMasq: true, ...main },
      { type: 'portmap', capabilities: { portMappings: true } },
      { type: 'firewall' },
    ],
  });
const FILES = [
  ['bridged', { type: 'bridge', isGateway: true, ipam: ipam('10.1.2.0', 'fd00:1::') }],
  ['routed', { type: 'ptp', ipam: ipam('10.1.3.0', 'fd00:2::') }],
  [
    'alone',
    {
      type: 'bridge',
      bridge: 'br1',
      ipMasq: false,
      ipam: { type: 'host-local', subnet: '10.1.4.0/24' },
    },
  ],
] as const;
const NODE = `netns host
link up0 kind dummy up address 02:00:00:00:00:01 mtu 1500 operstate unknown
addr 203.0.113.1/24 dev up0
route 0.0.0.0/0 via 203.0.113.254 dev up0 proto boot
route 203.0.113.0/24 dev up0 proto kernel scope link src 203.0.113.1
netns p1
netns p2
netns p3
netns p4
${FILES.map(([name, main]) => fileLine(`${CONF}/${name}.conflist`, chain(name, main)))
  .sort()
  .join('')}`;
const ports = (hostPort: number) =>
  `{"portMappings":[{"hostPort":${hostPort},"containerPort":80,"protocol":"tcp"}]}`;

let on: Machine;
function add(network: string, netns: string, id: string, ...more: string[]): void {
  const args = [network, `/run/netns/${netns}`, '--container-id', id, ...more];
  const said = on.run((io) => runVerb('add', args, io));
  expect(said.code, said.stderr).toBe(0);
}
beforeEach(() => {
  on = new Machine(NODE);
  add('bridged', 'p1', 'blue', '--capabilities', ports(8080));
  add('bridged', 'p2', 'green');
  add('routed', 'p3', 'red');
});

interface Traced {
  readonly steps: readonly { at: string; does: string }[];
  readonly end: { outcome: string; why: string; cure?: string };
}
function trace(from: string, to: string) {
  const said = on.run((io) => runTrace([from, to, '--output', 'json'], io));
  expect(said.stderr).toBe('');
  const traced = JSON.parse(said.stdout) as Traced;
  expect(said.code).toBe(traced.end?.outcome === 'lost' || traced.end === undefined ? 1 : 0);
  return traced;
}
const does = ({ steps }: Traced): string[] =>
  steps.map((step) => `${step.at}: ${step.does}`.replaceAll(/veth[0-9a-f]{8}/g, 'vethN'));
/** In every namespace somebody listens, or nobody does. */
const listening =
  (yes: boolean) =>
  (driver: Driver): Driver =>
    new Proxy(driver, {
      get: (target, key) =>
        key === 'socket_listens' ? () => Number(yes) : Reflect.get(target, key),
    });

describe('it arrives', () => {
  test('at a container on the same bridge, of either family', () => {
    const traced = trace('blue', 'green');
    expect(does(traced)).toEqual([
      'container blue ("eth0" on bridged): sends by "eth0", from 10.1.2.2',
      'bridge cni0: takes it at port "vethN"',
      'bridge cni0: switches it to port "vethN"',
    ]);
    expect(traced.end).toEqual({
      outcome: 'arrives',
      why: 'container green ("eth0" on bridged) has 10.1.2.3',
    });
    expect(trace('blue', 'fd00:1::3').end.outcome).toBe('arrives');
  });

  test('at a container of another network, over the host, and masqueraded', () => {
    expect(does(trace('10.1.2.2', 'red'))).toEqual([
      'container blue ("eth0" on bridged): sends by "eth0" via 10.1.2.1, from 10.1.2.2',
      'bridge cni0: takes it at port "vethN"',
      'host: routes 10.1.3.2 by "vethN"',
      'host: masquerades it: its source becomes the address of "vethN"',
      'host: gives it to "vethN"',
    ]);
  });

  test('by a port of the host', () => {
    on.wrap = listening(true);
    const traced = trace('outside', '203.0.113.1:8080');
    expect(does(traced)).toEqual([
      'host: port 8080/tcp leads to 10.1.2.2 . 80',
      'host: routes 10.1.2.2:80/tcp by "cni0"',
      'bridge cni0: gives it to "vethN"',
    ]);
    expect(traced.end).toMatchObject({ outcome: 'arrives', why: expect.stringContaining('blue') });
  });

  test('from the host, whose own packets are not forwarded', () => {
    on.driver.sysctl_write({ ns: 0, key: 'net/ipv4/ip_forward', value: '0' });
    expect(trace('host', 'red').end.outcome).toBe('arrives');
    expect(trace('outside', 'red').end.outcome).toBe('lost');
  });

  test('where the kernel cannot tell who listens, and it is said', () => {
    on.wrap = (driver) =>
      new Proxy(driver, {
        get: (target, key) => {
          if (key !== 'socket_listens') return Reflect.get(target, key);
          return () => {
            throw new OsError(95, 'on purpose');
          };
        },
      });
    for (const [from, to] of [
      ['blue', '203.0.113.1:22'],
      ['blue', 'green:80/sctp'],
    ] as const) {
      const traced = trace(from, to);
      expect(traced.end.outcome).toBe('arrives');
      expect(does(traced).at(-1)).toContain('whether somebody listens cannot be told');
    }
  });

  test('at a container whose whole id is the beginning of another', () => {
    add('bridged', 'p4', 'gre');
    expect(trace('blue', 'gre').end.why).toContain('container gre (');
    expect(trace('blue', 'gree').end.why).toContain('container green (');
  });

  test('at a process of the host', () => {
    on.wrap = listening(true);
    expect(trace('red', '203.0.113.1:22').end).toEqual({
      outcome: 'arrives',
      why: 'a process of the host listens at 203.0.113.1:22/tcp',
    });
  });
});

test('it leaves the host, masqueraded', () => {
  const traced = trace('red', '198.51.100.7:443');
  expect(does(traced).slice(1)).toEqual([
    'host: takes it at "vethN"',
    'host: routes 198.51.100.7:443/tcp by "up0" via 203.0.113.254',
    'host: masquerades it: its source becomes the address of "up0"',
  ]);
  expect(traced.end).toEqual({
    outcome: 'leaves',
    why: 'it leaves the host by "up0" via 203.0.113.254',
  });
});

describe('it is lost', () => {
  test.each([
    ['where nobody listens', 'outside', '203.0.113.1:8080', 'nobody listens there'],
    ['at a port of the host that leads nowhere', 'blue', '203.0.113.1:81', 'nobody listens at'],
    ['where nobody has the address', 'blue', '10.1.2.99', 'nobody known at bridge cni0'],
    ['where the host has no such container', 'red', '10.1.2.99', 'no container at bridge cni0'],
  ])('%s', (_, from, to, why) => {
    on.wrap = listening(false);
    expect(trace(from, to).end).toMatchObject({
      outcome: 'lost',
      why: expect.stringContaining(why),
    });
  });

  test('where the host does not forward', () => {
    on.driver.sysctl_write({ ns: 0, key: 'net/ipv4/ip_forward', value: '0' });
    expect(trace('blue', 'red').end).toEqual({
      outcome: 'lost',
      why: 'the host does not forward: net.ipv4.ip_forward is 0',
      cure: 'sysctl -w net.ipv4.ip_forward=1',
    });
  });

  test('where nobody is known, and some could not be looked at', () => {
    expect(trace('blue', '10.1.2.99').end.why).not.toContain('could not be looked at');
    on.wrap = (driver) =>
      new Proxy(driver, {
        get: (target, key) => {
          if (key !== 'netns_open') return Reflect.get(target, key);
          return ({ path }: { path: string }) => {
            if (path.endsWith('/p2')) throw new OsError(13, 'on purpose');
            return target.netns_open({ path });
          };
        },
      });
    const words =
      'nobody known at bridge cni0 has 10.1.2.3 (1 could not be looked at: run it as root)';
    expect(trace('blue', '10.1.2.3').end.why).toBe(words);
  });

  test('in a container without a route', () => {
    add('alone', 'p4', 'grey');
    expect(trace('grey', '198.51.100.7').end).toMatchObject({
      outcome: 'lost',
      why: expect.stringContaining('has no route to 198.51.100.7'),
      cure: expect.stringContaining('"isDefaultGateway": true'),
    });
    expect(trace('grey', 'fd00:1::2').end.why).toContain('has no IPv6 address');
  });

  test('in a chain of others, with what helps', () => {
    on = new Machine(
      on.dump().replace(/^nft /m, 'nft table inet mine\nnft forward inet mine fw 7 drop\nnft '),
    );
    expect(trace('blue', 'red').end).toMatchObject({
      outcome: 'lost',
      why: expect.stringContaining('the policy of chain inet mine fw is drop'),
      cure: expect.stringContaining('nft '),
    });
  });

  test('at an end that is down', () => {
    const [, name = ''] = /^link (veth\S+) .* peer p3\//m.exec(on.dump()) ?? [];
    const { ifindex } = on.driver.link_get({ ns: 0, name });
    on.driver.link_set_down({ ns: 0, ifindex });
    expect(trace('red', 'blue').end.why).toBe(`the host's end "${name}" is down`);
  });
});

describe('what is not meant is told', () => {
  const said = (...args: string[]) => on.run((io) => runTrace(args, io));
  test.each([
    [[], 2, 'FROM is missing'],
    [['blue'], 2, 'TO is missing'],
    [['blue', '10.1.2.3:99999'], 2, 'the port 99999 is none'],
    [['blue', '10.1.2.3:80/icmp'], 2, 'the protocol "icmp" is not known here'],
    [['blue', 'green', '--wait', '3'], 2, '--wait goes with --live'],
    [['blue', 'green', '--live', '--wait', '0'], 2, '--wait is "0": write seconds, 1 to 3600'],
    [['blue', 'green:80/sctp', '--live'], 2, '--live sends no sctp'],
    [['nobody', '10.1.2.3', '--live'], 1, 'no container of this node is "nobody"'],
    [['nobody', '10.1.2.3'], 1, 'no container of this node is "nobody": fairlead ls'],
  ])('%j', (args, code, words) => {
    const { stdout, stderr, ...rest } = said(...args);
    expect({ ...rest, stdout }).toEqual({ code, stdout: '' });
    expect(stderr).toContain(words);
  });

  test('what the kernel would show is told where it is to be followed, and only there', () => {
    const asked = { from: 'blue', to: 'red', port: 80, protocol: 'tcp' };
    const answer = (more: object) =>
      on.run((io) => {
        io.write(1, io.task('trace', { ...asked, ...more }).stdout);
        return 0;
      }).stdout;
    expect(answer({})).not.toMatch(/facts|packet/);
    const followed = JSON.parse(answer({ table: 'mine', sport: 50_000 })) as {
      steps: { facts?: object }[];
      packet: { tables: { family: string; messages: string }[] };
    };
    expect(followed.steps.map(({ facts }) => facts)).toEqual([
      { family: '', hook: 'prerouting', src: '10.1.2.2' },
      { family: 'bridge', hook: 'prerouting', iif: expect.stringMatching(/^veth/) },
      { family: 'inet', hook: 'forward', oif: expect.stringMatching(/^veth/) },
      { family: 'inet', hook: 'postrouting', not_src: '10.1.2.2' },
      { family: 'inet', hook: 'postrouting', oif: expect.stringMatching(/^veth/) },
    ]);
    expect(followed.packet).toMatchObject({ netns: '/run/netns/p1', dst: '10.1.3.2' });
    const [inet, bridge] = followed.packet.tables.map(({ messages }) => messages);
    // NFTA_TABLE_FLAGS: NFT_TABLE_F_OWNER. Without it a killed process would leave them behind.
    for (const messages of [inet, bridge]) expect(messages).toContain('0800020000000002');
  });

  test('the host’s own packets are marked where they go out, all others where they come in', () => {
    const hex = (text: string) => Buffer.from(`${text}\0`).toString('hex');
    const tables = (from: string, more: object) => {
      const asked = { from, to: '10.1.3.2', protocol: 'tcp', table: 'mine', ...more };
      const { stdout } = on.run((io) => {
        io.write(1, io.task('trace', asked).stdout);
        return 0;
      });
      const { packet } = JSON.parse(stdout) as { packet: { tables: { messages: string }[] } };
      return packet.tables.map(({ messages }) => messages);
    };
    const begins = (messages: string) =>
      ['begin_prerouting', 'begin_output'].filter((chain) => messages.includes(hex(chain)));
    const asked = { port: 80, sport: 50_000 };
    expect(tables('host', asked).map(begins)).toEqual([['begin_output'], []]);
    for (const from of ['blue', 'outside']) {
      expect(tables(from, asked).map(begins)).toEqual([['begin_prerouting'], ['begin_prerouting']]);
    }
    // NFTA_DATA_VALUE with the number of a ping of ours, which others' do not have.
    const number = '06000100c350';
    expect(tables('host', { port: 0, sport: 50_000 })[0]).toContain(number);
    expect(tables('host', { port: 0, sport: 0 })[0]).not.toContain(number);
  });

  test('a container without an address of that family sends nothing, and that is said', () => {
    add('alone', 'p4', 'grey');
    const { code, stderr } = said('grey', 'fd00:2::2', '--live');
    expect(code).toBe(1);
    expect(stderr).toContain('container grey ("eth0" on alone) has no IPv6 address');
  });

  test('lines for people are numbered', () => {
    expect(said('blue', 'green').stdout).toMatch(
      /^ 1 {2}container blue .*\n 2 {2}bridge cni0 .*\n 3 .*\n {4}arrives: container green/,
    );
  });
});
