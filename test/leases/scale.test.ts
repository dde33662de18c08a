// What a call costs with no lease, a thousand and fifty thousand, and on a nearly full /16: as many
// operations. Counts, not times: those are the bench's. On real files.
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DIR, type Node, onFiles } from './node.ts';

const COUNTS = [0, 1000, 50_000];
/** All addresses of 10.1.0.0/16 that can be given: not the network, the gateway, the broadcast. */
const FULL = 65_533;

/** The n-th address of 10.1.0.0/16 that can be given. */
const address = (n: number): string => `10.1.${(n + 2) >> 8}.${(n + 2) & 255}`;
const id = (n: number): string => `${n}`.padStart(64, 'a');

/** Leases as a long life leaves them. */
function fill(root: string, count: number): void {
  mkdirSync(root + DIR, { recursive: true });
  for (let n = 0; n < count; n++) {
    writeFileSync(`${root}${DIR}/${address(n)}`, `${id(n)}\r\neth0`, { mode: 0o600 });
  }
  if (count > 0) writeFileSync(`${root}${DIR}/last_reserved_ip.0`, address(count - 1));
}

/** How many operations of each kind the calls of one container make. */
function costs(node: Node): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const command of ['STATUS', 'ADD', 'ADD', 'CHECK', 'DEL', 'DEL', 'CHECK']) {
    const ops = node.ops(command, 'new');
    const name = `${Object.keys(counted).length + 1} ${command}`;
    counted[name] = ops.length;
    expect(ops.filter(({ op }) => /list$/.test(op))).toEqual([]);
  }
  return counted;
}

describe('the operations of a call', () => {
  let none: Record<string, number> = {};
  test.each(COUNTS)('are as many with %d leases', (count) =>
    onFiles((node, root) => {
      node.ranges = [[{ subnet: '10.1.0.0/16' }]];
      fill(root, count);
      expect(node.add('warm')).toBe(address(count));
      node.del('warm');
      const counted = costs(node);
      if (count === 0) none = counted;
      expect(counted).toEqual(none);
      expect(counted).toMatchObject({ '2 ADD': 14, '5 DEL': 13, '6 DEL': 5 });
      expect(node.leases).toHaveLength(count);
    }),
  );

  test('are as many when a /16 has one free address', () =>
    onFiles((node, root) => {
      node.ranges = [[{ subnet: '10.1.0.0/16' }]];
      fill(root, FULL);
      for (const free of [30_000, 0, 1, FULL - 1]) {
        node.del(id(free));
        expect(costs(node)).toEqual(none);
        expect(node.add(id(free))).toBe(address(free));
      }
      expect(node.call('STATUS', '').exit_code).toBe(1);
      expect(node.leases).toHaveLength(FULL);
    }));
});
