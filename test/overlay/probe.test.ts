// SPDX-License-Identifier: Apache-2.0
// Paths are probed as they are: whatever they take, lose and say, what is found is what they take.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Exchange, probe } from '../../agent/overlay/probe.ts';
import { type NetworkEvent, nodeOf, Station } from './station.ts';

interface FakePath {
  readonly takes_bytes: number;
  readonly limit_bytes: number;
  /** What its router says of what is too large; 0 for nothing. */
  readonly says_bytes: number;
}

const ADDRESS = (at: number): string => `192.0.2.${at + 1}`;

/** Paths; of each packet size, the first `lost` tries get lost. */
function exchangeOf(paths: readonly FakePath[], lost: number) {
  const tries = new Map<string, number>();
  let packets = 0;
  const exchange: Exchange = (asks) =>
    asks.map(({ address, size_bytes }) => {
      packets++;
      const path = paths[Number(address.split('.')[3]) - 1]!;
      const key = `${address} ${size_bytes}`;
      const before = tries.get(key) ?? 0;
      tries.set(key, before + 1);
      if (before < lost) return { kind: 'silence' };
      if (size_bytes <= path.takes_bytes) return { kind: 'answer', rtt_ms: 1 };
      if (path.says_bytes === 0) return { kind: 'silence' };
      return { kind: 'too large', by: '192.0.2.254', mtu_bytes: path.says_bytes };
    });
  return { exchange, packets: () => packets };
}

const bytes = fc.integer({ min: 576, max: 9000 });
const fakePath = fc.record({
  takes_bytes: fc.oneof(fc.constant(0), bytes),
  limit_bytes: bytes,
  says_bytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65_535 })),
});

test('what is found is what the path takes, whatever is lost and said', () => {
  fc.assert(
    fc.property(
      fc.array(fakePath, { maxLength: 6 }),
      fc.integer({ min: 0, max: 2 }),
      (drawn, lost) => {
        // A router that says less than it takes is believed: nobody sends more for that.
        const paths = drawn.map((one) =>
          one.says_bytes > 0 && one.says_bytes < one.takes_bytes
            ? { ...one, says_bytes: one.takes_bytes }
            : one,
        );
        const { exchange, packets } = exchangeOf(paths, lost);
        const targets = paths.map(({ limit_bytes }, at) => ({ address: ADDRESS(at), limit_bytes }));
        const verdicts = probe(targets, exchange);
        for (const [at, { takes_bytes, limit_bytes, says_bytes }] of paths.entries()) {
          const { truth, carried_bytes, more, hop } = verdicts[at]!;
          expect(carried_bytes).toBe(Math.min(takes_bytes, limit_bytes));
          expect(more).toBe(takes_bytes > limit_bytes);
          if (takes_bytes === 0) expect(truth).toBe('unknown');
          else expect(truth).toBe(takes_bytes >= limit_bytes ? 'true' : 'lie');
          if (truth === 'lie') expect(hop).toBe(says_bytes === 0 ? '' : '192.0.2.254');
        }
        // Sizes by halves: 14 of them lie between 68 and 9000, each sent three times at the most.
        expect(packets()).toBeLessThanOrEqual(paths.length * 3 * 17);
      },
    ),
  );
});

test('a router that says less than gets through is named with both', () => {
  const paths = [{ takes_bytes: 1400, limit_bytes: 1500, says_bytes: 1300 }];
  const [verdict] = probe(
    [{ address: ADDRESS(0), limit_bytes: 1500 }],
    exchangeOf(paths, 0).exchange,
  );
  expect(verdict).toMatchObject({ truth: 'lie', carried_bytes: 1300, hop_bytes: 1300 });
});

test('a router that says more than gets through is named with what does', () => {
  const paths = [{ takes_bytes: 1400, limit_bytes: 1500, says_bytes: 1450 }];
  const [verdict] = probe(
    [{ address: ADDRESS(0), limit_bytes: 1500 }],
    exchangeOf(paths, 0).exchange,
  );
  expect(verdict?.why).toBe('192.0.2.254 says that 1450 is the most to 192.0.2.1, and 1400 is');
});

test('a near node does not shorten the wait for a far one', () => {
  const paths = [
    { takes_bytes: 1500, limit_bytes: 1500, rtt_ms: 1 },
    { takes_bytes: 1400, limit_bytes: 1500, rtt_ms: 150 },
  ];
  // Without a word above 1400: in between there are rounds that the near one alone answers.
  const exchange: Exchange = (asks, wait_ms) =>
    asks.map(({ address, size_bytes }) => {
      const { takes_bytes, rtt_ms } = paths[Number(address.split('.')[3]) - 1]!;
      const answered = size_bytes <= takes_bytes && rtt_ms <= wait_ms;
      return answered ? { kind: 'answer', rtt_ms } : { kind: 'silence' };
    });
  const targets = paths.map(({ limit_bytes }, at) => ({ address: ADDRESS(at), limit_bytes }));
  const found = probe(targets, exchange).map(({ truth, carried_bytes }) => [truth, carried_bytes]);
  expect(found).toEqual([
    ['true', 1500],
    ['lie', 1400],
  ]);
});

interface Surveyed {
  readonly paths: readonly Readonly<Record<string, unknown>>[];
}

test.each<[string, NetworkEvent, object]>([
  ['a tunnel', {}, { dev: 'fl.1', overhead_bytes: 50, mtu_bytes: 1350, underlay_bytes: 1500 }],
  ['a tunnel of Geneve', { type: 'geneve' }, { dev: 'fl.1', overhead_bytes: 50, mtu_bytes: 1350 }],
  ['a plain route', { type: 'host-gw' }, { dev: 'eth0', overhead_bytes: 0, mtu_bytes: 1400 }],
  ['a tunnel that is asked for less', { mtu_bytes: 1300 }, { dev: 'fl.1', mtu_bytes: 1250 }],
])('the sums of %s are those of its route', (_, more, expected) => {
  const cidrs = ['10.244.0.0/16'];
  const node = (i: number, mtu_bytes: number) =>
    nodeOf(i, { subnets: [`10.244.${i}.0/24`], mtu_bytes });
  const station = new Station(node(1, 1500), { name: 'pods', cidrs, ...more });
  station.nodes([node(1, 1500), node(2, 1400)]);
  station.look();
  const { paths } = station.tell({ event: 'paths' }) as unknown as Surveyed;
  expect(paths).toHaveLength(1);
  expect(paths[0]).toMatchObject({ node: 'n2', inside: '10.244.2.1', ...expected });
  const [route = ''] = [...station.kernel.entries.values()].filter((one) =>
    one.startsWith('route 10.244.2.0/24'),
  );
  const carried = / mtu (\d+)/.exec(route)?.[1] ?? station.kernel.link('fl.1')?.mtu_bytes;
  expect(Number(carried)).toBe(paths[0]!['mtu_bytes']);
});
