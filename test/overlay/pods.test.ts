// SPDX-License-Identifier: Apache-2.0
// Which MTU running pods have after changes, failures and restarts of the agent, in whatever order:
// the core's task is replaced by one with its rule.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Pods, type Task } from '../../agent/overlay/pods.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pods-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A node with pods, of which some cannot be entered, and the agent on it. */
class Node {
  readonly mtus: Record<string, number> = { one: 1450, two: 1450, chosen: 1300 };
  readonly unreached = new Set<string>();
  readonly log: string[] = [];
  #told_bytes = 0;
  #pods = this.#agent();

  restarted(): void {
    this.#pods = this.#agent();
  }
  #agent(): Pods {
    const task: Task = (_, asked) => {
      const { mtu_bytes, before_bytes } = asked as { mtu_bytes: number; before_bytes: number };
      const pods = Object.entries(this.mtus).map(([containerID, had]) => {
        if (this.unreached.has(containerID)) return { containerID, ifname: 'eth0', error: 'no' };
        if (had > mtu_bytes || had === before_bytes) this.mtus[containerID] = mtu_bytes;
        const now_bytes = this.mtus[containerID];
        return { containerID, ifname: 'eth0', mtu_bytes: had, now_bytes };
      });
      return { exit_code: 0, stdout: JSON.stringify({ pods }) };
    };
    return new Pods(task, 'pods', (level, msg) => this.log.push(`${level}: ${msg}`), folder);
  }
  /** Plugins are told it; the agent may end before pods are. */
  tell(mtu_bytes: number): void {
    this.#told_bytes = mtu_bytes;
  }
  look(mtu_bytes: number, times = 1): void {
    for (let at = 0; at < times; at++) {
      this.#pods.follow(this.#told_bytes, mtu_bytes, false);
      this.tell(mtu_bytes);
    }
  }
}

test('an agent that ended after plugins were told, and before pods were', () => {
  const node = new Node();
  node.look(1450);
  node.tell(1370);
  node.restarted();
  node.look(1370);
  expect(node.mtus).toEqual({ one: 1370, two: 1370, chosen: 1300 });
});

test('one that ended while a pod was not reached', () => {
  const node = new Node();
  node.look(1450);
  node.unreached.add('two');
  node.look(1370, 3);
  node.restarted();
  node.unreached.clear();
  node.look(1370);
  expect(node.mtus).toEqual({ one: 1370, two: 1370, chosen: 1300 });
});

test.each([
  ['goes on', false],
  ['ended meanwhile', true],
])('the MTU comes back before all pods were reached; the agent %s', (_, restarts) => {
  const node = new Node();
  node.look(1450);
  node.unreached.add('two');
  node.look(1370);
  if (restarts) node.restarted();
  node.unreached.clear();
  node.look(1450);
  expect(node.mtus).toEqual({ one: 1450, two: 1450, chosen: 1300 });
  node.look(1500);
  expect(node.mtus).toEqual({ one: 1500, two: 1500, chosen: 1300 });
});

test('once all of them have it, who has what they had before has it by choice', () => {
  const node = new Node();
  node.look(1450);
  node.look(1370, 3);
  node.look(1400, 3);
  node.mtus['chosen'] = 1370;
  node.restarted();
  node.look(1450, 3);
  expect(node.mtus).toEqual({ one: 1450, two: 1450, chosen: 1370 });
});

test('what keeps a pod from following is told once, and again after another change', () => {
  const node = new Node();
  const told = () => node.log.filter((line) => line.startsWith('error: '));
  node.look(1450);
  node.unreached.add('two');
  node.look(1370, 5);
  expect(told()).toEqual(['error: eth0 and  of two: no']);
  node.look(1300, 5);
  expect(told()).toHaveLength(2);
});
