// SPDX-License-Identifier: Apache-2.0
// Real packets through ports of the host: from beyond, from the host, from a neighbour and from the
// container itself, by 127.0.0.1; and whom the container sees. The same configurations run with the
// reference plugins, and both must look alike from outside.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../support/fixture.ts';
import { NATIVE, NODE } from '../support/hosts.ts';
import { Lab } from '../support/lab.ts';
import { needsNft, needsReference, needsSctp } from '../support/needs.ts';
import { nft, nftLines } from '../support/nft.ts';
import { callFor } from '../support/pod-call.ts';
import { executableWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { CLIENT, SERVER, SERVER_PORT } from './packets.ts';

/** A machine with an uplink, and another beyond it that knows no way to the containers. */
const BEFORE = `netns host
link lo up
link up0 kind veth up peer out/eth0
addr 192.0.2.1/24 dev up0
addr 192.0.2.3/24 dev up0
addr 2001:db8::1/64 dev up0
netns out
link eth0 kind veth up
addr 192.0.2.2/24 dev eth0
addr 2001:db8::2/64 dev eth0
netns pod
netns pod2
`;
type Place = Pick<ReturnType<typeof openWorld>, 'netns' | 'close'> & {
  run(step: Step, stdin: string): { exit_code: number; stdout: string };
};
const CLIENT_PORT = 4444;
const children: ReturnType<typeof spawn>[] = [];
let place: Place | undefined;
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  place?.close();
  place = undefined;
});

const inside = (netns: string, ...words: string[]): string[] => [
  'netns',
  'exec',
  place?.netns(netns) ?? '',
  ...words,
];

async function serveIn(netns: string): Promise<void> {
  const server = spawn('ip', inside(netns, process.execPath, '-e', SERVER, netns), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(server);
  await once(server.stdout, 'data');
}
const ask = (netns: string, ...question: string[]): string =>
  execFileSync('ip', inside(netns, process.execPath, '-e', CLIENT, ...question), {
    encoding: 'utf8',
  }).trim();

interface Mapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol?: string;
  readonly hostIP?: string;
}
interface Chain {
  readonly name: string;
  readonly needs: string;
  open(): Place;
  add(pod: string, mappings: readonly Mapping[], portmap?: object): void;
  del(pod: string, mappings: readonly Mapping[]): void;
}

const RANGES = [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00:1::/64' }]];
const ROUTES = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
const BRIDGE = {
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  hairpinMode: true,
  ipam: { type: 'host-local', ranges: RANGES, routes: ROUTES },
};

function call(command: string, pod: string, config: { type: string }): string {
  const whole = { cniVersion: '1.0.0', name: 'net', ...config };
  const { exit_code, stdout } = callFor(place!, command, pod, whole);
  expect(exit_code, stdout).toBe(0);
  return stdout;
}

/** One plugin after the other, as a runtime calls them. */
const apart = {
  add(pod: string, portMappings: readonly Mapping[], portmap: object = {}): void {
    const prevResult = JSON.parse(call('ADD', pod, BRIDGE));
    const runtimeConfig = { portMappings };
    call('ADD', pod, { type: 'portmap', ...portmap, runtimeConfig, prevResult } as never);
  },
  del(pod: string, portMappings: readonly Mapping[]): void {
    call('DEL', pod, { type: 'portmap', runtimeConfig: { portMappings } } as never);
    call('DEL', pod, BRIDGE);
  },
};

function fused(portMappings: readonly Mapping[], portmap: object = {}) {
  const ports = { type: 'portmap', capabilities: { portMappings: true }, ...portmap };
  return { type: 'fairlead', plugins: [BRIDGE, ports], runtimeConfig: { portMappings } };
}

const CHAINS: readonly Chain[] = [
  { name: 'ours', needs: needsNft, open: () => openWorld(BEFORE), ...apart },
  {
    name: 'ours, fused',
    needs: needsNft,
    open: () => openWorld(BEFORE),
    add: (pod, mappings, portmap) => void call('ADD', pod, fused(mappings, portmap)),
    del: (pod, mappings) => void call('DEL', pod, fused(mappings)),
  },
  {
    name: 'the reference',
    needs: needsReference,
    open: () => executableWorld(BEFORE, REFERENCE_DIR),
    ...apart,
  },
];
const OURS = CHAINS.slice(0, 2);

const BOTH = ['tcp', 'udp'];
const PORTS: readonly Mapping[] = [
  ...BOTH.map((protocol) => ({ hostPort: 8080, containerPort: SERVER_PORT, protocol })),
  ...BOTH.map((protocol) => {
    return { hostPort: 8081, containerPort: SERVER_PORT, protocol, hostIP: '192.0.2.1' };
  }),
];

/** Who answers where, and whom it sees. */
const SEEN: readonly [
  from: string,
  protocol: string,
  address: string,
  port: string,
  answer: string,
][] = BOTH.flatMap((protocol) => [
  ['out', protocol, '192.0.2.1', '8080', 'pod sees 192.0.2.2'],
  ['out', protocol, '2001:db8::1', '8080', 'pod sees 2001:db8::2'],
  ['host', protocol, '192.0.2.1', '8080', 'pod sees 192.0.2.1'],
  ['host', protocol, '127.0.0.1', '8080', 'pod sees 10.1.2.1'],
  ['pod', protocol, '192.0.2.1', '8080', 'pod sees 10.1.2.1'],
  ['pod', protocol, '10.1.2.1', '8080', 'pod sees 10.1.2.1'],
  ['pod', protocol, '2001:db8::1', '8080', 'pod sees fd00:1::1'],
  ['pod2', protocol, '192.0.2.1', '8080', 'pod sees 10.1.2.1'],
  ['pod2', protocol, '10.1.2.2', '80', 'pod sees 10.1.2.3'],
  ['out', protocol, '192.0.2.1', '8081', 'pod sees 192.0.2.2'],
  ['out', protocol, '192.0.2.3', '8081', 'nobody'],
]);

describe.each(CHAINS)('$name $needs', (chain) => {
  test.skipIf(chain.needs !== '')('ports lead to the container from everywhere', async () => {
    place = chain.open();
    chain.add('pod', PORTS);
    chain.add('pod2', []);
    await serveIn('pod');
    const answers = SEEN.map(([from, protocol, address, port]) => [
      from,
      protocol,
      address,
      port,
      ask(from, protocol, address, port),
    ]);
    expect(answers).toEqual(SEEN);
    chain.del('pod', PORTS);
    for (const protocol of BOTH) expect(ask('out', protocol, '192.0.2.1', '8080')).toBe('nobody');
  });

  test.skipIf(chain.needs !== '')(
    'without snat sources stay, and 127.0.0.1 is nobody',
    async () => {
      place = chain.open();
      chain.add('pod', PORTS, { snat: false });
      await serveIn('pod');
      expect(ask('out', 'tcp', '192.0.2.1', '8080')).toBe('pod sees 192.0.2.2');
      expect(ask('host', 'udp', '127.0.0.1', '8080')).toBe('nobody');
    },
  );

  test.skipIf(chain.needs !== '')('UDP follows to another container at once', async () => {
    place = chain.open();
    chain.add('pod', PORTS);
    await serveIn('pod');
    const from = String(CLIENT_PORT);
    const asked = () => ask('out', 'udp', '192.0.2.1', '8080', from);
    expect(asked()).toBe('pod sees 192.0.2.2');
    chain.del('pod', PORTS);
    chain.add('pod2', PORTS);
    await serveIn('pod2');
    expect(asked()).toBe('pod2 sees 192.0.2.2');
  });
});

const SCTP_PEER = join(import.meta.dirname, 'sctp.ts');
const sctpPeer = (netns: string, ...words: string[]): string[] =>
  inside(netns, process.execPath, '--experimental-ffi', '--no-warnings', SCTP_PEER, ...words);
const SCTP_PORTS: readonly Mapping[] = [
  { hostPort: 8080, containerPort: 3868, protocol: 'sctp' },
  { hostPort: 8081, containerPort: 3868, protocol: 'sctp', hostIP: '192.0.2.1' },
];
/** As SEEN; an answer counts only from the port that was asked, with a checksum that is right. */
const SCTP_SEEN: readonly [from: string, address: string, port: string, answer: string][] = [
  ['out', '192.0.2.1', '8080', 'pod sees 192.0.2.2'],
  ['out', '2001:db8::1', '8080', 'pod sees 2001:db8::2'],
  ['out', '192.0.2.1', '8081', 'pod sees 192.0.2.2'],
  ['host', '192.0.2.1', '8080', 'pod sees 192.0.2.1'],
  ['pod2', '192.0.2.1', '8080', 'pod sees 10.1.2.1'],
  ['out', '192.0.2.3', '8081', 'nobody'],
  ['out', '192.0.2.1', '3868', 'nobody'],
];

describe.each(CHAINS)('$name $needs', (chain) => {
  const why = chain.needs || needsSctp;
  test.skipIf(why !== '')(`SCTP packets, there and back ${needsSctp}`, async () => {
    place = chain.open();
    chain.add('pod', SCTP_PORTS);
    chain.add('pod2', []);
    const server = spawn('ip', sctpPeer('pod', 'serve', 'pod', '3868'), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(server);
    await once(server.stdout, 'data');
    const asked = (from: string, address: string, port: string): string =>
      execFileSync('ip', sctpPeer(from, 'ask', address, port), { encoding: 'utf8' }).trim();
    const answers = SCTP_SEEN.map(([from, address, port]) => {
      return [from, address, port, asked(from, address, port)];
    });
    expect(answers).toEqual(SCTP_SEEN);
    chain.del('pod', SCTP_PORTS);
    expect(asked('out', '192.0.2.1', '8080')).toBe('nobody');
  });
});

// The reference's masqAll is of later releases than those that distributions have.
describe.each(OURS)('$name $needs', (chain) => {
  test.skipIf(chain.needs !== '')('masqAll: every source is the host', async () => {
    place = chain.open();
    chain.add('pod', PORTS, { masqAll: true });
    await serveIn('pod');
    expect(ask('out', 'tcp', '192.0.2.1', '8080')).toBe('pod sees 10.1.2.1');
    expect(ask('out', 'udp', '2001:db8::1', '8080')).toBe('pod sees fd00:1::1');
    expect(ask('pod', 'tcp', '192.0.2.1', '8080')).toBe('pod sees 10.1.2.1');
  });

  test.skipIf(chain.needs !== '')(
    'after DEL a flow of UDP ends, also one that goes on',
    async () => {
      place = chain.open();
      chain.add('pod', PORTS);
      await serveIn('pod');
      const from = String(CLIENT_PORT);
      expect(ask('out', 'udp', '192.0.2.1', '8080', from)).toBe('pod sees 192.0.2.2');
      chain.del('pod', []);
      // The namespace lives on, and its address is somebody else's soon.
      chain.add('pod', []);
      expect(ask('out', 'udp', '192.0.2.1', '8080', from)).toBe('nobody');
    },
  );

  test.skipIf(chain.needs !== '')('repair restores what somebody flushed', async () => {
    const world = openWorld(BEFORE);
    place = world;
    chain.add('pod', PORTS);
    await serveIn('pod');
    execFileSync('ip', inside('host', 'nft', 'flush', 'ruleset'));
    expect(ask('out', 'tcp', '192.0.2.1', '8080')).toBe('nobody');
    expect(JSON.parse(world.task('repair', {}).stdout)).toEqual({
      repaired: [{ network: 'net', containerID: 'pod', ifname: 'eth0' }],
      errors: [],
    });
    expect(ask('out', 'tcp', '192.0.2.1', '8080')).toBe('pod sees 192.0.2.2');
    expect(ask('pod', 'udp', '192.0.2.1', '8081')).toBe('pod sees 10.1.2.1');
  });

  test.skipIf(chain.needs !== '')('route_localnet lets no container in on 127.0.0.1', async () => {
    place = chain.open();
    chain.add('pod', PORTS);
    await serveIn('host');
    const say = (...words: string[]) => execFileSync('ip', inside('pod', ...words));
    // A container that sends packets to 127.0.0.1 out of its interface.
    say('ip', 'link', 'set', 'lo', 'down');
    say('sysctl', '-qw', 'net.ipv4.conf.eth0.route_localnet=1');
    say('ip', 'rule', 'add', 'pref', '100', 'lookup', 'local');
    say('ip', 'rule', 'add', 'pref', '1', 'to', '127.0.0.1', 'lookup', '7');
    say('ip', 'rule', 'del', 'pref', '0');
    say('ip', 'route', 'add', '127.0.0.1', 'via', '10.1.2.1', 'src', '10.1.2.2', 'table', '7');
    expect(ask('pod', 'tcp', '10.1.2.1', '80')).toBe('host sees 10.1.2.2');
    expect(ask('pod', 'tcp', '127.0.0.1', '80')).toBe('nobody');
    const host = (...words: string[]) => execFileSync('ip', inside('host', ...words));
    // New connections are dropped twice, for the sake of what is not tracked.
    host('nft', 'flush', 'chain', 'inet', 'fairlead', 'hostports_prerouting');
    expect(ask('pod', 'tcp', '127.0.0.1', '80')).toBe('nobody');
    host('nft', 'flush', 'chain', 'inet', 'fairlead', 'hostports_input');
    expect(ask('pod', 'tcp', '127.0.0.1', '80')).toBe('host sees 10.1.2.2');
  });
});

const AT_ONCE = [NODE, NATIVE].filter(({ why }) => why === '');

describe.skipIf(needsNft !== '')(`at the same time ${needsNft}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-portmap-'));
  const program = (host: string) => join(folder, host, 'portmap');
  beforeAll(() => {
    for (const { host, program: path } of AT_ONCE) {
      mkdirSync(join(folder, host));
      symlinkSync(path, program(host));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const PAIRS = 8;
  const ROUNDS = 5;
  const FIRST = 9000;

  /** Of each pair one asks for a port of any address, the other for that of one. */
  function asks(lab: Lab) {
    return lab.pods.map((pod, at) => {
      const mapping = { hostPort: FIRST + (at >> 1), containerPort: 80, protocol: 'tcp' };
      const named = at % 2 === 1 ? { hostIP: '192.0.2.1' } : {};
      const prevResult = {
        cniVersion: '1.1.0',
        interfaces: [{ name: 'eth0', sandbox: lab.netnsPath(pod) }],
        ips: [{ address: `10.1.2.${at + 2}/24`, interface: 0 }],
      };
      const runtimeConfig = { portMappings: [{ ...mapping, ...named }] };
      const config = { cniVersion: '1.1.0', name: 'pairs', type: 'portmap', snat: false };
      return { pod, config: { ...config, runtimeConfig, prevResult } };
    });
  }

  test.each(AT_ONCE)('$host: of two that ask for one port exactly one has it', async ({ host }) => {
    const lab = new Lab(2 * PAIRS, `pair${AT_ONCE.findIndex((one) => one.host === host)}-`);
    for (const pod of lab.pods) {
      lab.ip('-n', lab.prefix + pod, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
    }
    const calls = asks(lab);
    const all = (command: string) =>
      Promise.all(calls.map(({ pod, config }) => lab.call(program(host), command, pod, config)));
    // Others that live on this machine meanwhile are restored here too.
    const elements = () =>
      nftLines(`${lab.prefix}host`).filter((line) => /^nft element .*"pairs /.test(line));
    const ports = () => elements().filter((line) => !line.includes('hostports_open'));
    try {
      for (let round = 0; round < ROUNDS; round++) {
        // Every other time on a node that has none of our tables.
        if (round % 2 === 0) nft(`${lab.prefix}host`, ['flush', 'ruleset']);
        const added = await all('ADD');
        const held = ports();
        expect(held.length).toBe(PAIRS);
        expect(elements().length).toBe(2 * PAIRS);
        for (let pair = 0; pair < PAIRS; pair++) {
          const [any, one] = [added[2 * pair], added[2 * pair + 1]];
          const winner = any?.code === 0 ? 2 * pair : 2 * pair + 1;
          expect([any?.code, one?.code].sort()).toEqual([0, 1]);
          const refused = JSON.parse((any?.code === 0 ? one : any)?.stdout ?? '');
          expect(refused.code).toBe(101);
          expect(refused.msg).toContain(`taken by container ${lab.pods[winner]} ("eth0")`);
          expect(held.join('\n')).toContain(`"pairs ${lab.pods[winner]} eth0"`);
        }
        const gone = await all('DEL');
        expect(gone.map(({ code, stdout }) => `${code}${stdout}`)).toEqual(calls.map(() => '0'));
        expect(elements()).toEqual([]);
      }
    } finally {
      await all('DEL');
      lab.close();
    }
  });
});
