// SPDX-License-Identifier: Apache-2.0
// Real bytes under a limit: how long a transfer takes in each direction, by our plugins one by one,
// fused, and by the reference's, on a veth and on a macvlan. A transfer under a limit cannot be
// quicker than it, however busy the machine; without one it takes a small part of that.
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Step } from '../support/fixture.ts';
import { needsReference, needsRoot } from '../support/needs.ts';
import { openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns, Servers } from './packets.ts';

/** A machine with an uplink, and a server beyond it. */
const BEFORE = `netns host
link up0 kind veth up peer out/eth0
netns out
link eth0 kind veth up
addr 10.1.2.1/24 dev eth0
netns pod
`;
const PORT = 5202;
const SIZE_BYTES = 3_000_000;
const RATE_BYTES = 2_000_000;
const BURST_BYTES = 100_000;
const LIMIT = { Rate: RATE_BYTES * 8, Burst: BURST_BYTES * 8 };
/** What a limit allows at once is also what may wait behind it: tc-tbf(8), limit. */
const LEAST_MS = ((SIZE_BYTES - 3 * BURST_BYTES) / RATE_BYTES) * 1000;
const SLACK = 0.9;
const UNLIMITED_SHARE = 0.5;
const TIMEOUT_MS = 60_000;

/** "d": sends so many bytes. "u": takes all and says when it has them. */
const SERVER = `
const { createServer } = require('node:net');
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  let mode = '';
  socket.on('data', (chunk) => {
    if (mode !== '') return;
    mode = String(chunk).slice(0, 1);
    if (mode === 'd') socket.end(Buffer.alloc(${SIZE_BYTES}));
  });
  socket.on('end', () => { if (mode === 'u') socket.end('all'); });
});
server.listen(${PORT}, '::', () => console.log('ready'));
`;
/** How long it takes from the connection to the last byte, in milliseconds. */
const CLIENT = `
const { connect } = require('node:net');
const [server, mode] = process.argv.slice(1);
const socket = connect({ host: server, port: ${PORT}, allowHalfOpen: true });
let start = 0;
socket.on('connect', () => {
  start = performance.now();
  if (mode === 'u') socket.end(Buffer.alloc(${SIZE_BYTES}, 'u'));
  else socket.write('d');
});
let got = 0;
socket.on('data', (chunk) => { got += chunk.length; });
socket.on('end', () => {
  const whole = mode === 'u' ? 3 : ${SIZE_BYTES};
  console.log(got === whole ? performance.now() - start : 'only ' + got);
  process.exit(0);
});
`;

let world: ReturnType<typeof openWorld>;
const servers = new Servers();
beforeEach(() => {
  if (needsRoot === '') world = openWorld(BEFORE);
});
afterEach(() => {
  servers.stop();
  if (needsRoot === '') world.close();
});

const inside = (netns: string, ...words: string[]): string[] => inNetns(world, netns, ...words);
const serveIn = (netns: string): Promise<void> => servers.start(world, netns, SERVER);

function transfer_ms(mode: 'd' | 'u'): number {
  const client = inside('pod', process.execPath, '-e', CLIENT, '10.1.2.1', mode);
  const said = execFileSync('ip', client, { encoding: 'utf8', timeout: TIMEOUT_MS }).trim();
  expect(Number(said), said).toBeGreaterThan(0);
  return Number(said);
}

/** Whether down- and upload are limited. */
function expectLimits(down: boolean, up: boolean): void {
  for (const [mode, limited] of [
    ['d', down],
    ['u', up],
  ] as const) {
    const took_ms = transfer_ms(mode);
    if (limited) expect(took_ms, mode).toBeGreaterThan(LEAST_MS * SLACK);
    else expect(took_ms, mode).toBeLessThan(LEAST_MS * UNLIMITED_SHARE);
  }
}

type Config = Record<string, unknown> & { type: string };
/** Serves one call of a plugin and gives its result. */
type Call = (command: string, config: Config) => unknown;

function envOf(command: string): Record<string, string> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
}

const ours: Call = (command, { type, ...config }) => {
  const stdin = JSON.stringify({ cniVersion: '1.0.0', name: 'net', type, ...config });
  const step: Step = { number: 1, command, type, stdin, env: envOf(command), prev: 0 };
  const { exit_code, stdout } = world.run(step, stdin);
  expect(exit_code, stdout).toBe(0);
  return stdout === '' ? undefined : JSON.parse(stdout);
};

const theirs: Call = (command, { type, ...config }) => {
  const done = spawnSync('ip', inside('host', `${REFERENCE_DIR}/${type}`), {
    input: JSON.stringify({ cniVersion: '1.0.0', name: 'net', type, ...config }),
    env: {
      PATH: process.env['PATH'],
      ...envOf(command),
      CNI_NETNS: `/run/netns/${world.netns('pod')}`,
      CNI_PATH: REFERENCE_DIR,
    },
    encoding: 'utf8',
  });
  expect(done.status, done.stdout + done.stderr).toBe(0);
  return done.stdout === '' ? undefined : JSON.parse(done.stdout);
};

const ADDRESSES = [{ address: '10.1.2.3/24', gateway: '10.1.2.1' }];
const BRIDGE = {
  type: 'bridge',
  bridge: 'br0',
  isGateway: true,
  ipam: { type: 'static', addresses: ADDRESSES },
};
type Limits = Record<string, number>;
const INGRESS: Limits = { ingressRate: LIMIT.Rate, ingressBurst: LIMIT.Burst };
const EGRESS: Limits = { egressRate: LIMIT.Rate, egressBurst: LIMIT.Burst };

/** The list of bridge and bandwidth, as a runtime goes through it. */
function list(call: Call, limits: Limits) {
  const bandwidth = { type: 'bandwidth', ...limits };
  let last: unknown;
  return {
    add: () => {
      last = call('ADD', BRIDGE);
      last = call('ADD', { ...bandwidth, prevResult: last });
    },
    check: () => call('CHECK', { ...bandwidth, prevResult: last }),
    del: () => {
      call('DEL', { ...bandwidth, prevResult: last });
      call('DEL', { ...BRIDGE, prevResult: last });
    },
  };
}

function fused(_: Call, limits: Limits) {
  const chain = { type: 'fairlead', plugins: [BRIDGE, { type: 'bandwidth', ...limits }] };
  let last: unknown;
  return {
    add: () => {
      last = ours('ADD', chain);
    },
    check: () => ours('CHECK', { ...chain, prevResult: last }),
    del: () => ours('DEL', { ...chain, prevResult: last }),
  };
}

const ifbs = (): string =>
  execFileSync('ip', ['-n', world.netns('host'), '-br', 'link', 'show', 'type', 'ifb'], {
    encoding: 'utf8',
  });

const WAYS = [
  ['one by one', list, ours, needsRoot],
  ['fused', fused, ours, needsRoot],
  ['by the reference', list, theirs, needsReference],
] as const;

for (const [name, way, call, needs] of WAYS) {
  describe.skipIf(needs !== '')(`a veth, ${name} ${needs}`.trimEnd(), () => {
    test.each([
      ['ingress', INGRESS, true, false],
      ['egress', EGRESS, false, true],
    ] as const)('%s', { timeout: TIMEOUT_MS }, async (_, limits, down, up) => {
      const chain = way(call, limits);
      chain.add();
      await serveIn('host');
      expectLimits(down, up);
      chain.check();
      chain.del();
      expect(ifbs()).toBe('');
    });
  });
}

describe.skipIf(needsRoot !== '')(`a macvlan ${needsRoot}`.trimEnd(), () => {
  test('is limited inside the namespace, in both directions', { timeout: TIMEOUT_MS }, async () => {
    const pod = world.netns('pod');
    const ip = (...words: string[]) => execFileSync('ip', ['-n', pod, ...words]);
    const macvlan = ['link', 'add', 'mv0', 'link', 'up0', 'netns', pod, 'type', 'macvlan'];
    execFileSync('ip', ['-n', world.netns('host'), ...macvlan, 'mode', 'bridge']);
    ip('link', 'set', 'mv0', 'name', 'eth0', 'up');
    ip('addr', 'add', '10.1.2.3/24', 'dev', 'eth0');
    await serveIn('out');
    expectLimits(false, false);
    const prevResult = { interfaces: [{ name: 'eth0', sandbox: '/run/netns/pod' }] };
    const bandwidth = { type: 'bandwidth', ...INGRESS, ...EGRESS };
    const result = ours('ADD', { ...bandwidth, prevResult }) as { interfaces: object[] };
    expect(result.interfaces).toMatchObject([{}, { sandbox: '/run/netns/pod' }]);
    expectLimits(true, true);
    ours('CHECK', { ...bandwidth, prevResult: result });
    ours('DEL', bandwidth);
    expectLimits(false, false);
  });
});
