// SPDX-License-Identifier: Apache-2.0
// What a call costs with no lease, a thousand and fifty thousand, and on a nearly full /16: as many
// operations. Counts, not times: those are the bench's. On real files.
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { wrap } from '../../host-node/drivers/record.ts';
import { DIR, INDEX, type Node, onFiles } from './node.ts';

const COUNTS = [0, 1000, 50_000];
/** All addresses of 10.1.0.0/16 that can be given: not the network, the gateway, the broadcast. */
const FULL = 65_533;

/** The n-th address of 10.1.0.0/16 that can be given, and on from there. */
const address = (n: number): string =>
  `10.${1 + ((n + 2) >> 16)}.${((n + 2) >> 8) & 255}.${(n + 2) & 255}`;
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

  test('are few when a /16 has none, once it was looked for', () =>
    onFiles((node, root) => {
      node.ranges = [[{ subnet: '10.1.0.0/16' }]];
      fill(root, FULL);
      for (let i = 0; i < 2; i++) expect(node.add('late')).toContain('no IP addresses available');
      for (let i = 0; i < 3; i++) {
        const names = node.ops('ADD', 'late').map(({ op }) => op);
        expect(names.filter((op) => /list|create|write/.test(op))).toEqual([]);
        expect(names).toHaveLength(8);
      }
      unlinkSync(`${root}${DIR}/${address(40_000)}`);
      expect(node.add('late')).toBe(address(40_000));
      expect(node.leases).toHaveLength(FULL);
    }));
});

/** Three values of JSON for each would be more than VALUES_LIMIT. */
const MANY = 84_000;

describe('a folder of very many leases', () => {
  test('GC and STATUS read them one by one', () =>
    onFiles((node, root) => {
      node.ranges = [[{ subnet: '10.0.0.0/8', rangeStart: '10.1.0.2', rangeEnd: '10.1.0.9' }]];
      fill(root, MANY);
      node.lease('10.1.0.77', 'not\u00a0ours');
      const { exit_code, stdout } = node.call('STATUS', '');
      expect(exit_code).toBe(1);
      expect(JSON.parse(stdout).details).toMatch(/^8 leases, of /);
      const kept = [0, 1, 70_000].map((n) => ({ containerID: id(n), ifname: 'eth0' }));
      const more = { 'cni.dev/valid-attachments': kept };
      expect(node.call('GC', '', '', node.driver, more)).toMatchObject({ exit_code: 0 });
      expect(node.leases).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.77', address(70_000)].sort());
      expect(node.audit).toBe('right');
    }));

  test('beyond what the core takes, every command says so and touches nothing', () =>
    onFiles((node) => {
      for (const name of ['c1', 'c2']) node.add(name);
      const listed = Array.from({ length: 250_000 }, (_, n) => address(n));
      const crowded = wrap(node.driver, (op, args, run) =>
        op.name === 'dir_list' && args['dir'] === DIR ? listed : run(),
      );
      node.remove(`${INDEX}/index`);
      for (const command of ['ADD', 'CHECK', 'DEL', 'STATUS', 'GC']) {
        const more = { 'cni.dev/valid-attachments': [] };
        const { stdout } = node.call(command, 'c1', '', crowded, more);
        expect(JSON.parse(stdout), command).toMatchObject({
          msg: expect.stringContaining(`cannot read the leases in ${DIR}`),
          details: `EFBIG: ${DIR} has more than 249999 files`,
        });
      }
      expect(node.leases).toEqual(['10.1.2.2', '10.1.2.3']);
    }));
});
