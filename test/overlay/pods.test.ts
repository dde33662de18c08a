// SPDX-License-Identifier: Apache-2.0
// When pods are asked to follow an MTU, and what the log has of it: an error that stays is told
// once. The core is answers of the test's own; what it does is test/e2e/overlay-pods.test.ts.
import { expect, test } from 'vitest';
import { Pods } from '../../agent/overlay/pods.ts';

const pod = { containerID: 'pod-a', ifname: 'eth0', host: 'veth0', mtu_bytes: 1450 };
const hidden = { ...pod, error: 'its namespace cannot be entered: EACCES' };

/** Pods that find what `answers` has, the last one again and again. */
function start(answers: object[]): { pods: Pods; log: string[]; asked: () => number } {
  const log: string[] = [];
  let asked = 0;
  const task = (): { exit_code: number; stdout: string } => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    const exit_code = Array.isArray(answer) ? 0 : 1;
    return { exit_code, stdout: JSON.stringify(exit_code === 0 ? { pods: answer } : answer) };
  };
  const pods = new Pods(task, 'pods', (level, msg) => log.push(`${level}: ${msg}`));
  return { pods, log, asked: () => asked };
}
const KEPT = `error: eth0 and veth0 of pod-a keep their MTU: ${hidden.error}`;

test('an error of a pod is tried at each look, and told once', () => {
  const other = { ...hidden, containerID: 'pod-b' };
  const done = { ...pod, changed: true };
  const { pods, log, asked } = start([[hidden], [hidden], [hidden, other], [hidden], [done], []]);
  pods.follow(1450, 1400, false);
  for (let look = 0; look < 9; look++) pods.follow(1400, 1400, false);
  expect(asked()).toBe(6);
  expect(log).toEqual([
    KEPT,
    KEPT.replace('pod-a', 'pod-b'),
    'info: link set eth0 and veth0 of pod-a mtu 1400, was 1450',
  ]);
});

test('it is told again after another change, and when it had gone meanwhile', () => {
  const { pods, log } = start([
    [hidden],
    [hidden],
    [hidden, pod],
    [{ ...pod, error: 'EBUSY' }],
    [hidden],
  ]);
  pods.follow(1450, 1400, false);
  pods.follow(1400, 1300, false);
  for (let look = 0; look < 4; look++) pods.follow(1300, 1300, false);
  expect(log).toEqual([KEPT, KEPT, KEPT.replace(/its .*/, 'EBUSY'), KEPT]);
});

test('that no pod can be looked at is told once, too', () => {
  const { pods, log } = start([{ code: 999, msg: 'no records' }]);
  pods.follow(1450, 1400, false);
  for (let look = 0; look < 3; look++) pods.follow(1400, 1400, false);
  expect(log).toEqual(['error: the MTU of pods stays: {"code":999,"msg":"no records"}']);
});
