// SPDX-License-Identifier: Apache-2.0
// What an agent counts and collects, with a core that answers as told: how often it is asked, what
// is said of failures, and how the interval is written. What is taken back by a real one is in
// test/e2e/overlay-crowd.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { configOf } from '../../agent/overlay/config.ts';
import { metricsOf, serveHealth } from '../../agent/overlay/health.ts';
import type { AgentState } from '../../agent/overlay/plan.ts';
import { Tender } from '../../agent/overlay/tend.ts';

interface Answered {
  readonly exit_code: number;
  readonly stdout: string;
}

function tender(answers: readonly (Answered | Error)[], waiting = () => false) {
  const [asked, log]: [unknown[], string[]] = [[], []];
  const made = new Tender({
    task: (name, request) => {
      asked.push(name === 'leases' ? request : name);
      const answer = answers[Math.min(asked.length, answers.length) - 1]!;
      if (answer instanceof Error) throw answer;
      return { stderr: '', ...answer } as never;
    },
    own: () => ({ network: 'pods', subnets: ['fd00::/64', '10.244.1.0/28'] }),
    ...{ conf_dir: '/etc/cni/net.d', waiting },
    log: (level, msg) => log.push(`${level} ${msg}`),
  });
  return { made, asked, log };
}
const done = (answer: object) => ({ exit_code: 0, stdout: JSON.stringify(answer) });

const folder = (network: string, used: number, leaked: number, free: string) => {
  return { network, used, leaked, free };
};

test('leases are counted seldom, by records, and with the ranges of the own network', () => {
  const { made, asked } = tender([done({ networks: [folder('pods', 3, 1, '11')] })]);
  for (let times = 0; times < 2; times++) expect(made.leases).toMatchObject([{ free: '11' }]);
  // The cache goes by namespaces that may not be seen from a container.
  const own = { network: 'pods', subnets: ['fd00::/64', '10.244.1.0/28'] };
  const request = { network: '', confDir: '/etc/cni/net.d', cacheDir: '', own };
  expect(asked).toEqual([request]);
});

test('folders of one network are one; where nobody knows what is free, nothing is said', () => {
  const leases = [folder('pods', 3, 1, '7'), folder('pods', 1, 0, ''), folder('others', 1, 0, '')];
  const state = { underlay: [], problems: [], source_trouble: '' } as unknown as AgentState;
  const said = metricsOf(state, { leases, collected: 0 });
  expect(said.split('\n').filter((line) => line.startsWith('fairlead_leases'))).toEqual([
    'fairlead_leases_used{network="pods"} 4',
    'fairlead_leases_used{network="others"} 1',
    'fairlead_leases_leaked{network="pods"} 1',
    'fairlead_leases_leaked{network="others"} 0',
    'fairlead_leases_free{network="pods"} 7',
  ]);
});

test('leases that cannot be read are none, and the log says why', () => {
  const { made, log } = tender([{ exit_code: 1, stdout: 'no right to read\n' }]);
  expect(made.leases).toEqual([]);
  expect(log).toEqual(['error leases are not counted: no right to read']);
});

test('what is taken back is named and counted, what fails is said once', () => {
  const drained = [{ network: 'pods', containerID: 'x', ifname: 'eth0' }];
  const { made, log } = tender([
    done({ drained, errors: ['busy'] }),
    done({ drained: [], errors: ['busy'] }),
    { exit_code: 1, stdout: 'no records' },
  ]);
  for (let round = 0; round < 4; round++) made.collect();
  expect(made.collected).toBe(1);
  expect(log).toEqual([
    'info took back what eth0 of x left in pods: it is gone',
    'error busy',
    'error what gone containers left stays: no records',
  ]);
});

test('a task that fails altogether ends nothing, and is said once', () => {
  vi.useFakeTimers();
  try {
    const { made, log } = tender([new Error('no memory')]);
    made.start(1);
    vi.advanceTimersByTime(3_000);
    expect(made.leases).toEqual([]);
    made.stop();
    expect(log).toEqual([
      'error what gone containers left stays: no memory',
      'error leases are not counted: no memory',
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test('while the agent waits nothing is taken back', () => {
  vi.useFakeTimers();
  try {
    let waits = true;
    const { made, asked } = tender([done({ drained: [], errors: [] })], () => waits);
    made.start(1);
    vi.advanceTimersByTime(3_000);
    expect(asked).toEqual([]);
    waits = false;
    vi.advanceTimersByTime(1_000);
    expect(asked).toEqual(['drain']);
    made.stop();
  } finally {
    vi.useRealTimers();
  }
});

test('a request that cannot be answered is 500, and the next one is asked', async () => {
  let broken = true;
  const state = (): AgentState => {
    if (broken) throw new Error('no state');
    return { ready: true, problems: [] } as unknown as AgentState;
  };
  const server = serveHealth('127.0.0.1:0', state, { leases: [], collected: 0 });
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ask = async (): Promise<[number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      return [answer.status, await answer.text()];
    };
    expect(await ask()).toEqual([500, 'cannot answer: no state\n']);
    broken = false;
    expect(await ask()).toEqual([200, 'ok\n']);
  } finally {
    server.close();
  }
});

test.each([
  [undefined, 0],
  ['30s', 30],
  ['10m', 600],
  ['24h', 86_400],
])('gc %s', (gc, seconds) => {
  const source = { type: 'kubernetes' };
  const text = JSON.stringify({ name: 'pods', source, 'net-conf': {}, ...(gc && { gc }) });
  expect(configOf(text).gc_s).toBe(seconds);
});

test.each(['10', '0s', '1d', '25h', '-1s', '1.5h'])('gc %s is refused', (gc) => {
  const text = JSON.stringify({ name: 'pods', source: { type: 'kubernetes' }, gc });
  expect(() => configOf(text)).toThrow(`"gc" is "${gc}": write an interval`);
});
