// SPDX-License-Identifier: Apache-2.0
// The index of leases: absent, damaged, outdated, and what others write between two calls. On the
// simulated kernel, whose clock stands, so that everything happens in one tick, and on real files.
import { utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { type Recorded, recording, wrap } from '../../host-node/drivers/record.ts';
import { bucketOf, bucketText, lineOf } from '../support/leases.ts';
import { DIR, INDEX, Node, onFiles, simulated } from './node.ts';

const EIO = 5;

/** For wrap: every file is older than the boot, as after one, or after the clock was set. */
const allOld = (op: { readonly name: string }, _args: unknown, run: () => unknown): unknown =>
  op.name === 'file_before_boot' ? 1 : run();

const PLACES = [
  ['simulated kernel', simulated],
  ['real files', onFiles],
] as const;

describe.each(PLACES)('%s', (_, on) => {
  test('the first call makes it, the next ones use it', () =>
    on((node) => {
      expect(node.audit).toBe('none');
      expect(node.add('c1')).toBe('10.1.2.2');
      expect(node.audit).toBe('right');
      for (const command of ['STATUS', 'CHECK', 'ADD', 'DEL']) {
        expect(node.reads(command, 'c2'), command).toBe(false);
        expect(node.audit, command).toBe('right');
      }
      expect(node.leases).toEqual(['10.1.2.2']);
    }));

  test('a DEL of somebody unknown reads nothing and writes nothing, however often', () =>
    on((node) => {
      node.add('c1');
      for (let i = 0; i < 3; i++) {
        const names = node.ops('DEL', 'c9').map(({ op }) => op);
        expect(names.filter((op) => /write|set|create|remove|list/.test(op))).toEqual([]);
      }
      expect(node.audit).toBe('right');
    }));

  test('absent, it is made from the leases', () =>
    on((node) => {
      node.add('c1');
      node.add('c2');
      node.forget();
      expect(node.add('c1')).toContain('has been allocated to c1');
      expect(node.audit).toBe('right');
      node.remove(`${INDEX}/index`);
      node.del('c1');
      expect(node.leases).toEqual(['10.1.2.3']);
      expect(node.audit).toBe('right');
    }));

  const other = '00000000000000ff 10.1.2.3';
  const damages: [string, (node: Node, head: string, bucket: string) => void][] = [
    ['garbage for its head', (node) => node.write(`${INDEX}/index`, '\0\u00ff garbage')],
    ['an empty head', (node) => node.write(`${INDEX}/index`, '')],
    [
      'the head of another folder',
      (node, head) => node.write(`${INDEX}/index`, head.replace(DIR, '/other/net')),
    ],
    [
      'the head of another version',
      (node, head) => node.write(`${INDEX}/index`, head.replace('leases 3', 'leases 2')),
    ],
    [
      'a head that lost the buckets',
      (node, head) => node.write(`${INDEX}/index`, head.replace(/[0-9a-f]{64}/, '0'.repeat(64))),
    ],
    ['no bucket', (node, _head, bucket) => node.remove(bucket)],
    ['an empty bucket', (node, _head, bucket) => node.write(bucket, '')],
    ['a bucket of nothing', (node, _head, bucket) => node.write(bucket, bucketText([]))],
    [
      'garbage for a bucket',
      (node, _head, bucket) => node.write(bucket, `xyz 10.1.2.2\n${'0'.repeat(16)}\n`),
    ],
    ['half a bucket', (node, _head, bucket) => node.write(bucket, node.text(bucket).slice(0, 20))],
    [
      'a line too few',
      (node, _head, bucket) => node.write(bucket, node.text(bucket).replace(/.*\n/, `${other}\n`)),
    ],
    [
      'a line too many',
      (node, _head, bucket) => node.write(bucket, `${other}\n${node.text(bucket)}`),
    ],
    [
      'a name with one letter changed',
      (node, _head, bucket) => node.write(bucket, node.text(bucket).replace('10.1.2', '10.1.3')),
    ],
    [
      'a line that leads to the lease of another',
      (node, _head, bucket) => node.write(bucket, bucketText([lineOf('c1\r\neth0', '10.1.2.3')])),
    ],
    [
      'a line that leads to no lease',
      (node, _head, bucket) => node.write(bucket, bucketText([lineOf('c1\r\neth0', '10.1.2.9')])),
    ],
  ];
  test.each(damages)('damaged, it is made anew: %s', (_name, damage) =>
    on((node) => {
      for (const command of ['ADD', 'DEL', 'CHECK']) {
        node.add('c1');
        node.add('c2');
        const before = node.leases;
        expect(node.audit).toBe('right');
        damage(node, node.text(`${INDEX}/index`), bucketOf(DIR, 'c1'));
        if (command === 'ADD') expect(node.add('c1')).toContain('has been allocated to c1');
        else expect(node.call(command, 'c1').exit_code, command).toBe(0);
        const kept = before.filter((ip) => command !== 'DEL' || ip !== before[0]);
        expect(node.leases).toEqual(kept);
        expect(node.audit).toBe('right');
        for (const id of ['c1', 'c2']) node.del(id);
        expect(node.leases).toEqual([]);
      }
    }),
  );

  test.each([
    ['garbage', '\n\u00ff not a map'],
    ['all of them', 'o'.repeat(10923)],
    ['none of them', ''],
    ['too long', 'o'.repeat(10924)],
  ])('whatever the map says is taken: %s', (_name, map) =>
    on((node) => {
      for (let i = 2; i < 10; i++) expect(node.add(`c${i}`)).toBe(`10.1.2.${i}`);
      node.del('c5');
      node.write(`${INDEX}/taken.10.1.0.0`, map);
      for (const ip of [10, 11, 12, 13, 14, 5]) expect(node.add(`d${ip}`)).toBe(`10.1.2.${ip}`);
      expect(node.add('e')).toContain('no IP addresses available');
      expect(node.call('STATUS', '').exit_code).toBe(1);
    }),
  );

  describe('somebody writes in between', () => {
    test('a lease: it is found, its address not given', () =>
      on((node) => {
        node.add('c1');
        node.lease('10.1.2.3', 'c9\r\neth0');
        expect(node.add('c9')).toContain('10.1.2.3 has been allocated to c9');
        expect(node.call('CHECK', 'c9').exit_code).toBe(0);
        expect(node.add('c2')).toBe('10.1.2.4');
        node.lease('10.1.2.5', 'c8\r\neth0');
        node.del('c8');
        node.del('c9');
        expect(node.leases).toEqual(['10.1.2.2', '10.1.2.4']);
        expect(node.audit).toBe('right');
      }));

    test('a legacy lease, one with white space, an empty one', () =>
      on((node) => {
        node.add('c1');
        node.lease('10.1.2.3', 'c9');
        node.lease('10.1.2.4', ' c8\r\neth0\n');
        node.lease('10.1.2.5', '');
        expect(node.call('CHECK', 'c9').exit_code).toBe(0);
        expect(node.call('CHECK', 'c8').exit_code).toBe(0);
        expect(node.audit).toBe('right');
        expect(node.add('c2')).toBe('10.1.2.5');
        for (const id of ['c8', 'c9', 'c2', 'c1']) node.del(id);
        expect(node.leases).toEqual([]);
        expect(node.audit).toBe('right');
      }));

    test('a release: the container may come again, its address be given', () =>
      on((node) => {
        for (let i = 2; i < 15; i++) node.add(`c${i}`);
        node.remove(`${DIR}/10.1.2.7`);
        expect(node.call('CHECK', 'c7').exit_code).toBe(1);
        expect(node.add('c7')).toBe('10.1.2.7');
        expect(node.audit).toBe('right');
      }));

    test('a release and a lease of the same address', () =>
      on((node) => {
        node.add('c1');
        node.remove(`${DIR}/10.1.2.2`);
        node.lease('10.1.2.2', 'c9\r\neth0');
        node.del('c1');
        expect(node.owner('10.1.2.2')).toBe('c9\r\neth0');
        node.del('c9');
        expect(node.leases).toEqual([]);
      }));

    test('the folder comes anew', () =>
      on((node) => {
        node.add('c1');
        for (const name of node.driver.dir_list({ dir: DIR }) as string[]) {
          if (name !== 'lock') node.remove(`${DIR}/${name}`);
        }
        expect(node.add('c1')).toBe('10.1.2.2');
        expect(node.audit).toBe('right');
      }));

    test('without the lock, while we read: what we read is not believed', () =>
      on((node) => {
        node.add('c1');
        node.add('c2');
        node.remove(`${INDEX}/index`);
        let late = false;
        const meanwhile = wrap(node.driver, (op, _args, run) => {
          if (op.name === 'file_before_boot' && !late) {
            late = true;
            node.lease('10.1.2.9', 'c9\r\neth0');
          }
          return run();
        });
        expect(node.call('CHECK', 'c1', '', meanwhile).exit_code).toBe(0);
        expect(late).toBe(true);
        node.del('c9');
        expect(node.leases).toEqual(['10.1.2.2', '10.1.2.3']);
        expect(node.audit).toBe('right');
      }));

    test('without the lock, while we write: nothing is given twice, nothing is lost', () =>
      on((node) => {
        for (let i = 2; i < 14; i++) node.add(`c${i}`);
        node.unseen(() => node.lease('10.1.2.14', 'c9\r\neth0'));
        expect(node.add('d')).toContain('no IP addresses available');
        expect(node.audit).toBe('right');
        node.unseen(() => node.remove(`${DIR}/10.1.2.6`));
        expect(node.add('d')).toBe('10.1.2.6');
        node.unseen(() => node.remove(`${DIR}/10.1.2.8`));
        expect(node.call('STATUS', '').exit_code).toBe(0);
        node.del('c8');
        expect(node.add('c8')).toBe('10.1.2.8');
        expect(node.audit).toBe('right');
      }));
  });

  describe('a range without a free address', () => {
    const full = (node: Node) => {
      for (let i = 2; i < 15; i++) node.add(`c${i}`);
      expect(node.add('d')).toContain('no IP addresses available');
    };

    test('is read once, and not again while nothing happens', () =>
      on((node) => {
        full(node);
        for (let i = 0; i < 3; i++) {
          expect(node.reads('ADD', 'd')).toBe(false);
          expect(node.call('STATUS', '').exit_code).toBe(1);
          expect(node.call('CHECK', 'c2').exit_code).toBe(0);
          expect(node.add('c2')).toContain('has been allocated to c2');
          expect(node.audit).toBe('right');
        }
      }));

    test('somebody gives one back, or takes it as well', () =>
      on((node) => {
        for (const ip of ['10.1.2.6', '10.1.2.14', '10.1.2.2']) {
          full(node);
          expect(node.reads('ADD', 'd')).toBe(false);
          node.remove(`${DIR}/${ip}`);
          expect(node.add('d')).toBe(ip);
          expect(node.add('e')).toContain('no IP addresses available');
          node.del('d');
          node.lease(ip, 'c99\r\neth0');
          expect(node.add('d')).toContain('no IP addresses available');
          node.del('c99');
          expect(node.audit).toBe('right');
        }
      }));

    test('somebody leaves an empty lease', () =>
      on((node) => {
        full(node);
        node.lease('10.1.2.9', '');
        expect(node.add('d')).toBe('10.1.2.9');
      }));

    test('we give one back: by DEL, by GC', () =>
      on((node) => {
        full(node);
        node.del('c7');
        expect(node.add('d')).toBe('10.1.2.7');
        expect(node.add('e')).toContain('no IP addresses available');
        expect(node.reads('ADD', 'e')).toBe(false);
        const attachments = ['d', 'c2', 'c3'].map((id) => ({ containerID: id, ifname: 'eth0' }));
        const more = { 'cni.dev/valid-attachments': attachments };
        expect(node.call('GC', '', '', node.driver, more).exit_code).toBe(0);
        expect(node.leases).toEqual(['10.1.2.2', '10.1.2.3', '10.1.2.7']);
        expect(node.add('e')).toBe('10.1.2.8');
      }));

    test('without the lock, while we write: it is found nevertheless', () =>
      on((node) => {
        for (let i = 2; i < 14; i++) node.add(`c${i}`);
        for (let i = 0; i < 3; i++) {
          node.add(`c${14 + i}`);
          node.unseen(() => node.remove(`${DIR}/10.1.2.${5 + i}`));
          expect(node.add(`d${i}`)).toBe(`10.1.2.${5 + i}`);
          expect(node.add('e')).toContain('no IP addresses available');
          node.del(`d${i}`);
        }
      }));

    test('and a damaged bucket: it is made anew', () =>
      on((node) => {
        full(node);
        expect(node.reads('ADD', 'd')).toBe(false);
        node.write(bucketOf(DIR, 'c5'), 'garbage');
        node.del('c5');
        expect(node.add('d')).toBe('10.1.2.5');
        expect(node.audit).toBe('right');
      }));

    test('the machine starts anew: what is left from before may be taken', () =>
      on((node) => {
        full(node);
        expect(node.reads('ADD', 'd')).toBe(false);
        node.forget();
        const rebooted = wrap(node.driver, allOld);
        expect(node.call('STATUS', '', '', rebooted).exit_code).toBe(0);
        expect(node.add('d', '', rebooted)).toBe('10.1.2.2');
        expect(node.owner('10.1.2.2')).toBe('d\r\neth0');
        // That one is of this boot; of the others the next is taken.
        for (let i = 3; i < 15; i++) expect(node.add(`e${i}`, '', rebooted)).toBe(`10.1.2.${i}`);
        expect(node.add('f', '', rebooted)).toContain('no IP addresses available');
      }));

    test('the clock is set forward: no lease that was made since the boot is taken', () =>
      on((node) => {
        full(node);
        const before = node.leases.map((ip) => node.owner(ip));
        const late = wrap(node.driver, allOld);
        for (let i = 0; i < 3; i++) {
          expect(node.add('d', '', late)).toContain('no IP addresses available');
          expect(node.add('d', 'IP=10.1.2.9', late)).toContain('is not available');
          expect(node.add('c2', '', late)).toContain('has been allocated to c2');
          expect(node.call('STATUS', '', '', late).exit_code).toBe(1);
          // Whatever makes the index be made anew.
          if (i === 0) node.write(bucketOf(DIR, 'c5'), node.text(bucketOf(DIR, 'c5')));
          if (i === 1) node.lease('10.1.2.77', 'c77\r\neth0');
        }
        expect(node.leases.filter((ip) => ip !== '10.1.2.77').map((ip) => node.owner(ip))).toEqual(
          before,
        );
        node.del('c7');
        node.lease('10.1.2.7', 'c78\r\neth0');
        expect(node.add('d', '', late)).toContain('no IP addresses available');
      }));

    test('what could not be told of a lease is asked again', () =>
      on((node) => {
        for (let i = 2; i < 15; i++) node.add(`c${i}`);
        node.forget();
        const failing = wrap(node.driver, (op, _args, run) => {
          if (op.name === 'file_before_boot') throw new OsError(EIO);
          return run();
        });
        for (let i = 0; i < 3; i++) {
          expect(node.add('d', '', failing)).toContain('no IP addresses available');
        }
        const old = wrap(node.driver, (op, args, run) =>
          op.name === 'file_before_boot' ? Number(String(args['path']).endsWith('.9')) : run(),
        );
        expect(node.add('d', '', old)).toBe('10.1.2.9');
      }));
  });

  test('a nearly full range: the free address is found with one try', () =>
    on((node) => {
      node.ranges = [[{ subnet: '10.1.0.0/23' }]];
      for (let i = 0; i < 509; i++) node.add(`c${i}`);
      for (const [id, ip] of [
        ['c300', '10.1.1.46'],
        ['c0', '10.1.0.2'],
        ['c508', '10.1.1.254'],
      ] as const) {
        expect(node.add('d')).toContain('no IP addresses available');
        node.del(id);
        const seen: Recorded[] = [];
        const driver = recording(node.driver, (entry) => seen.push(entry));
        expect(node.add(`d${ip}`, '', driver)).toBe(ip);
        expect(seen.filter(({ op }) => op === 'store.file_create')).toHaveLength(1);
        expect(seen.filter(({ op }) => op === 'store.dir_list')).toEqual([]);
        expect(node.audit).toBe('right');
      }
    }));

  test('round robin over ranges of a set, gateways and the ends of 65,536 addresses', () =>
    on((node) => {
      node.ranges = [
        [
          { subnet: '10.1.0.0/15', rangeStart: '10.1.255.254', rangeEnd: '10.2.0.1' },
          { subnet: '10.9.0.0/29', gateway: '10.9.0.3' },
        ].map((range) => ({
          ...range,
          subnet: range.subnet.replace('10.1.0.0/15', '10.0.0.0/14'),
        })),
      ];
      const all = ['10.1.255.254', '10.1.255.255', '10.2.0.0', '10.2.0.1'];
      all.push('10.9.0.1', '10.9.0.2', '10.9.0.4', '10.9.0.5', '10.9.0.6');
      expect(all.map((ip) => node.add(`c${ip}`))).toEqual(all);
      expect(node.add('d')).toContain('no IP addresses available');
      for (const ip of ['10.2.0.0', '10.9.0.1', '10.1.255.255']) node.del(`c${ip}`);
      expect(['d1', 'd2', 'd3'].map((id) => node.add(id))).toEqual([
        '10.1.255.255',
        '10.2.0.0',
        '10.9.0.1',
      ]);
      node.del('c10.9.0.6');
      expect(node.add('d4')).toBe('10.9.0.6');
      expect(node.audit).toBe('right');
    }));

  test('the last address of a range and of a map is taken by somebody unseen: none behind it', () =>
    on((node) => {
      node.ranges = [
        [{ subnet: '10.0.0.0/8', rangeStart: '10.1.255.254', rangeEnd: '10.1.255.255' }],
      ];
      expect(node.add('c1')).toBe('10.1.255.254');
      node.unseen(() => node.lease('10.1.255.255', 'c9\r\neth0'));
      expect(node.add('c2')).toContain('no IP addresses available');
      expect(node.audit).toBe('right');
    }));

  test('DEL: a lease that cannot be read is not of somebody else', () =>
    on((node) => {
      node.add('c1');
      node.add('c2');
      node.remove(`${INDEX}/index`);
      let read = 0;
      const once = wrap(node.driver, (op, args, run) => {
        const asked = op.name === 'file_read' && String(args['path']).endsWith('/10.1.2.2');
        // The first is of the index that is made.
        if (asked && ++read === 2) throw new OsError(EIO);
        return run();
      });
      expect(node.call('DEL', 'c1', '', once).exit_code).toBe(0);
      expect(read).toBeGreaterThan(2);
      expect(node.leases).toEqual(['10.1.2.3']);
      expect(node.audit).toBe('right');
    }));

  test('STATUS: a lease that cannot be read is not free', () =>
    on((node) => {
      node.driver.dir_make({ dir: DIR });
      for (let n = 2; n < 15; n++) node.lease(`10.1.2.${n}`, `c${n}\r\neth0`);
      let read = 0;
      const once = wrap(node.driver, (op, args, run) => {
        const asked = op.name === 'file_read' && String(args['path']).endsWith('/10.1.2.5');
        // The first is of the index that is made.
        if (asked && ++read === 2) throw new OsError(EIO);
        return run();
      });
      expect(node.call('STATUS', '', '', once).exit_code).toBe(1);
      expect(read).toBe(3);
    }));

  test('IPv6, and two sets', () =>
    on((node) => {
      node.ranges = [
        [{ subnet: 'fd00::/64', rangeStart: 'fd00::fffe' }],
        [{ subnet: '10.1.2.0/29' }],
      ];
      const given = ['c1', 'c2', 'c3'].map((id) => node.add(id));
      expect(given).toEqual(['fd00::fffe,10.1.2.2', 'fd00::ffff,10.1.2.3', 'fd00::1:0,10.1.2.4']);
      node.del('c2');
      expect(node.leases).toEqual(['10.1.2.2', '10.1.2.4', 'fd00::1:0', 'fd00::fffe']);
      expect(node.audit).toBe('right');
      node.ranges = [
        [{ subnet: 'fd01::/64', rangeStart: 'fd01:0:0:0:ffff:ffff:ffff:fffe' }],
        [{ subnet: 'fd02::/126' }],
      ];
      node.add('e1');
      expect(node.add('e2')).toBe('fd01::ffff:ffff:ffff:ffff,fd02::3');
      expect(node.add('e3')).toContain('failed to allocate for range 0: no IP addresses');
      expect(node.audit).toBe('right');
    }));

  test.each([
    ['fd00::/123', 'fd00::', 16, 2, 31, 'FD00::1a'],
    ['10.1.2.0/27', '10.1.2.', 10, 2, 30, '::ffff:10.1.2.26'],
  ])('a name in another form takes no address of %s', (subnet, head, base, first, last, name) =>
    on((node) => {
      node.ranges = [[{ subnet }]];
      const all: string[] = [];
      for (let n = first; n <= last; n++) all.push(`${head}${n.toString(base)}`);
      for (const ip of all.slice(0, 17)) expect(node.add(`c${all.indexOf(ip)}`)).toBe(ip);
      node.lease(name, 'c99\r\neth0');
      for (const ip of all.slice(17)) expect(node.add(`c${all.indexOf(ip)}`)).toBe(ip);
      expect(node.add('d')).toContain('no IP addresses available');
      expect(node.audit).toBe('right');
    }),
  );

  test('an ADD that fails takes its lease out of it again', () =>
    on((node) => {
      node.ranges = [[{ subnet: '10.1.2.0/28' }], [{ subnet: '10.1.3.0/29' }]];
      for (let i = 2; i < 7; i++) node.add(`c${i}`);
      expect(node.add('d')).toContain('failed to allocate for range 1');
      expect(node.audit).toBe('right');
      expect(node.leases.filter((ip) => node.owner(ip).startsWith('d'))).toEqual([]);
      node.del('c4');
      expect(node.reads('ADD', 'd')).toBe(false);
    }));

  test('requested addresses, far apart', () =>
    on((node) => {
      node.ranges = [[{ subnet: 'fd00::/64' }]];
      for (const ip of ['fd00::1:2:3', 'fd00::9:0', 'fd00::7']) {
        expect(node.add(`c${ip}`.replaceAll(':', '-'), `IP=${ip}`)).toBe(ip);
      }
      const maps = (node.driver.dir_list({ dir: INDEX }) as string[]).filter((n) =>
        /taken/.test(n),
      );
      expect(maps).toEqual([]);
      expect(node.add('d', 'IP=fd00::9:0')).toContain('not available in range set');
      expect(node.audit).toBe('right');
    }));

  test('GC keeps it right', () =>
    on((node) => {
      for (const id of ['c1', 'c2', 'c3']) node.add(id);
      const more = { 'cni.dev/valid-attachments': [{ containerID: 'c2', ifname: 'eth0' }] };
      expect(node.call('GC', '', '', node.driver, more).exit_code).toBe(0);
      expect(node.leases).toEqual(['10.1.2.3']);
      expect(node.audit).toBe('right');
    }));

  test('GC says what it cannot read and leaves it, and goes on, also behind what vanishes', () =>
    on((node) => {
      node.driver.dir_make({ dir: DIR });
      for (const n of [2, 3, 4, 5, 6, 7]) node.lease(`10.1.2.${n}`, n === 4 ? '' : `c${n}\r\neth0`);
      const unsteady = wrap(node.driver, (op, args, run) => {
        const path = String(args['path']);
        if (op.name === 'file_read' && /10\.1\.2\.[35]$/.test(path)) throw new OsError(EIO);
        const value = run();
        if (op.name === 'dir_list' && args['dir'] === DIR) node.remove(`${DIR}/10.1.2.6`);
        return value;
      });
      const more = { 'cni.dev/valid-attachments': [] };
      const { exit_code, stdout } = node.call('GC', '', '', unsteady, more);
      expect(exit_code).toBe(1);
      for (const ip of ['10.1.2.3', '10.1.2.5']) expect(stdout).toContain(`read the lease ${ip}`);
      expect(node.leases).toEqual(['10.1.2.3', '10.1.2.5']);
      expect(node.call('CHECK', 'c3').exit_code).toBe(0);
      expect(node.audit).toBe('right');
    }));

  test('where it cannot be written all goes on without it', () =>
    on((node) => {
      const without = wrap(node.driver, (_op, args, run) => {
        const path = String(args['path'] ?? args['dir']);
        if (path.startsWith('/run/fairlead')) throw new OsError(EIO);
        return run();
      });
      const bare = new Node(without);
      expect(bare.add('c1')).toBe('10.1.2.2');
      expect(bare.add('c1')).toContain('has been allocated to c1');
      expect(bare.add('c2')).toBe('10.1.2.3');
      bare.del('c1');
      expect(bare.leases).toEqual(['10.1.2.3']);
      expect(node.audit).toBe('none');
    }));

  test.each(['fails', 'is done and reported as failed', 'is the last one of a process that dies'])(
    'it is right or not believed when an operation %s',
    (how) =>
      on((node) => {
        let at = 0;
        const disturbed = (n: number): Driver => {
          at = 0;
          return wrap(node.driver, (_op, _args, run) => {
            at++;
            if (at < n || (at > n && !how.includes('dies'))) return run();
            if (at === n && how !== 'fails') run();
            throw new OsError(EIO);
          });
        };
        for (let n = 1, over = false; !over; n++) {
          node.add('c1');
          for (const [command, id] of [
            ['ADD', 'c2'],
            ['DEL', 'c1'],
          ] as const) {
            node.call(command, id, '', disturbed(n));
            node.unlock();
            expect(['right', 'stale', 'none'], `${command} ${n}`).toContain(node.audit);
            over = at < n;
          }
          for (const id of ['c1', 'c2']) node.del(id);
          expect(node.leases, `after ${n}`).toEqual([]);
          expect(node.audit).toBe('right');
        }
      }),
  );

  test('two indexes of one folder do not believe each other', () =>
    on((node) => {
      const elsewhere = new Node(
        wrap(node.driver, (op, args, run) => {
          const moved = (key: string) => {
            const path = args[key];
            if (typeof path !== 'string' || !path.startsWith('/run/')) return false;
            args = { ...args, [key]: path.replace('/run/', '/elsewhere/') };
            return true;
          };
          const method = node.driver[op.name as keyof Driver] as (args: unknown) => unknown;
          return moved('path') || moved('dir') ? method(args) : run();
        }),
      );
      for (let i = 0; i < 6; i++) {
        const [one, two] = i % 2 === 0 ? [node, elsewhere] : [elsewhere, node];
        one.add(`a${i}`);
        two.add(`b${i}`);
        expect(two.call('CHECK', `a${i}`).exit_code).toBe(0);
        one.del(`b${i}`);
        two.del(`a${i}`);
        expect(node.leases).toEqual([]);
      }
    }));
});

test('files that a set clock makes older than the boot: nothing is taken of this boot', () =>
  onFiles((node, root) => {
    node.ranges = [[{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.10', rangeEnd: '10.1.2.12' }]];
    const touch = () => {
      for (const ip of node.leases) utimesSync(`${root}${DIR}/${ip}`, 1, 1);
    };
    for (const id of ['a', 'b', 'c']) node.add(id);
    touch();
    expect(node.add('d')).toContain('no IP addresses available');
    expect(node.owner('10.1.2.10')).toBe('a\r\neth0');
    node.forget();
    expect(node.add('d')).toBe('10.1.2.10');
    touch();
    expect(['e', 'f', 'g'].map((id) => node.add(id))).toEqual([
      '10.1.2.11',
      '10.1.2.12',
      expect.stringContaining('no IP addresses available'),
    ]);
  }));
