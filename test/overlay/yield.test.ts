// SPDX-License-Identifier: Apache-2.0
// An agent that was about to take a node over when flanneld came back: it does nothing and says
// nothing until that was away long enough again. The kernel is only looked at; what is told to the
// machine and to the source is what counts.
import { afterEach, expect, test, vi } from 'vitest';
import { OverlayAgent } from '../../agent/overlay/agent.ts';
import { configOf } from '../../agent/overlay/config.ts';
import { Flanneld } from '../../agent/overlay/flannel.ts';
import type { SourceListener } from '../../agent/overlay/source.ts';

const ANSWER = { changes: [], again: false, taken: true, problems: [], served: 0, entries: 0 };
const STATE = { ready: false, mtu_bytes: 0, subnets: [], networks: [], gateways: [] };

function agent() {
  // Of a backend that has no table of nftables, so that nothing is left whatever goes wrong.
  const config = configOf(
    JSON.stringify({
      ...{ name: 'yields', node: 'a', source: { type: 'file', path: '/none' } },
      'net-conf': { Network: '10.244.0.0/16', Backend: { Type: 'wireguard' } },
    }),
  );
  const now = { said: '', ms: 0 };
  const told: string[] = [];
  const published: unknown[] = [];
  let listener: SourceListener | undefined;
  const made = new OverlayAgent({
    core: {
      tell: (_: string, { event }: { event: string }) => {
        told.push(event);
        return { ...ANSWER, ...STATE };
      },
    } as never,
    source: {
      start: (given) => {
        listener = given;
      },
      publish: (own) => published.push(own),
      stop: () => {},
    },
    flanneld: new Flanneld(
      () => now.said,
      () => now.ms,
    ),
    publisher: { told_mtu_bytes: 0, say: () => [] } as never,
    ...{ config, key: undefined, pods: undefined, proc_sys: '/none', log: () => {} },
  });
  const says = (full: boolean) => {
    const nodes = [{ name: 'a', subnets: ['10.244.1.0/24'], addresses: ['192.0.2.1'] }];
    listener?.update({ full, trusted: true, nodes, gone: [] });
  };
  return { made, now, told, published, says, started: () => listener !== undefined };
}

afterEach(() => {
  vi.useRealTimers();
});

test('flanneld that is back before the source answers keeps its node', () => {
  vi.useFakeTimers();
  const { made, now, told, published, says, started } = agent();
  made.start();
  try {
    vi.advanceTimersByTime(5_000);
    expect([started(), made.waiting]).toEqual([false, true]);
    now.ms += 30_000;
    vi.advanceTimersByTime(1_000);
    expect(started()).toBe(true);
    // A look at the kernel would be told to the machine as "seen".
    now.said = 'flanneld runs on this node';
    for (const full of [true, false]) says(full);
    made.resync();
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual(['network', 'nodes', 'nodes']);
    expect(published).toEqual([]);
    expect(made.waiting).toBe(true);
    expect(made.state).toMatchObject({ ready: false, problems: [{ node: '', msg: now.said }] });
    // One look without it is not enough again.
    now.said = '';
    vi.advanceTimersByTime(5_000);
    expect(told).not.toContain('seen');
    now.ms += 30_000;
    vi.advanceTimersByTime(1_000);
    expect([told.includes('seen'), made.waiting]).toEqual([true, false]);
  } finally {
    made.stop();
  }
});
