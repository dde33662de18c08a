// SPDX-License-Identifier: Apache-2.0
// What an agent counts and collects, with a core that answers as told: how often it is asked, what
// is said of failures, and how the interval is written. What is taken back by a real one is in
// test/e2e/overlay-crowd.
import { expect, test } from 'vitest';
import { configOf } from '../../agent/overlay/config.ts';
import { Tender } from '../../agent/overlay/tend.ts';

function tender(answers: readonly { exit_code: number; stdout: string }[]) {
  const [asked, log]: [string[], string[]] = [[], []];
  const made = new Tender({
    task: (name) => {
      asked.push(name);
      return { stderr: '', ...answers[Math.min(asked.length, answers.length) - 1]! } as never;
    },
    own: () => ({ network: 'pods', subnets: ['fd00::/64', '10.244.1.0/28'] }),
    ...{ conf_dir: '/etc/cni/net.d', cache_dir: '/var/lib/cni' },
    log: (level, msg) => log.push(`${level} ${msg}`),
  });
  return { made, asked, log };
}
const done = (answer: object) => ({ exit_code: 0, stdout: JSON.stringify(answer) });

test('leases are counted seldom, and what is free of the own network is summed', () => {
  const networks = [
    { network: 'pods', used: 3, leaked: 1, free: '' },
    { network: 'others', used: 1, leaked: 0, free: '' },
    { network: 'sized', used: 1, leaked: 0, free: '7' },
  ];
  const leases = ['10.244.1.2', '10.244.1.3', 'fd00::2'].map((address) => {
    return { network: 'pods', address };
  });
  const { made, asked } = tender([done({ networks, leases })]);
  expect(made.leases.map(({ free }) => free)).toEqual(['11', '', '7']);
  expect(made.leases).toHaveLength(3);
  expect(asked).toEqual(['leases']);
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
