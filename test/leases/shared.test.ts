// SPDX-License-Identifier: Apache-2.0
// Calls of ours and of the reference host-local, at random, on one folder, with hands that make and
// remove leases in between: nothing is given twice, nothing is lost, and the index that each of
// ours leaves is right.
import { spawnSync } from 'node:child_process';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { needsReference } from '../support/needs.ts';
import { choiceFromEnvironment, countFrom, SHARED } from '../support/tries.ts';
import { REFERENCE_DIR } from '../support/world.ts';
import { DIR, type Node, onFiles } from './node.ts';

/** Small enough to run full, large enough for holes. */
const POOLS = [
  ['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6'],
  ['fd00::2', 'fd00::3', 'fd00::4', 'fd00::5', 'fd00::6', 'fd00::7'],
];
const RANGES = [[{ subnet: '10.1.2.0/29' }], [{ subnet: 'fd00::/125' }]];

interface Event {
  readonly who: 'ours' | 'reference' | 'by hand';
  readonly command: 'ADD' | 'DEL' | 'CHECK';
  readonly container: number;
}
const EVENTS = fc.array(
  fc.record<Event>({
    who: fc.constantFrom('ours', 'ours', 'reference', 'by hand'),
    command: fc.constantFrom('ADD', 'ADD', 'DEL', 'CHECK'),
    container: fc.nat(7),
  }),
  { minLength: SHARED.events, maxLength: SHARED.events },
);

class Folder {
  readonly node: Node;
  readonly root: string;
  /** What each container has. */
  readonly held = new Map<string, string[]>();

  constructor(node: Node, root: string) {
    this.node = node;
    this.root = root;
    node.ranges = RANGES;
  }

  /** The exit code and the addresses of a call. */
  #call({ who, command }: Event, id: string): { code: number; ips: string[] } {
    let answer = { exit_code: 0, stdout: '' };
    if (who === 'ours') answer = this.node.call(command, id);
    else {
      const ipam = {
        type: 'host-local',
        ranges: RANGES,
        dataDir: `${this.root}${DIR.slice(0, -4)}`,
      };
      const config = { cniVersion: '1.0.0', name: 'net', type: 'host-local', ipam };
      const env = {
        CNI_COMMAND: command,
        CNI_CONTAINERID: id,
        CNI_IFNAME: 'eth0',
        CNI_NETNS: '/run/netns/pod',
        CNI_PATH: REFERENCE_DIR,
      };
      const input = JSON.stringify({ ...config, prevResult: { cniVersion: '1.0.0' } });
      const done = spawnSync(`${REFERENCE_DIR}/host-local`, { env, input, encoding: 'utf8' });
      answer = { exit_code: done.status ?? -1, stdout: done.stdout };
    }
    const { ips = [] } = answer.stdout === '' ? {} : JSON.parse(answer.stdout);
    const addresses = (ips as { address: string }[]).map((ip) => ip.address.split('/')[0] ?? '');
    return { code: answer.exit_code, ips: addresses };
  }

  #free(pool: readonly string[]): string[] {
    const taken = new Set([...this.held.values()].flat());
    return pool.filter((ip) => !taken.has(ip));
  }

  /** Makes or removes the leases of a container as somebody who knows no plugin. */
  #hand(event: Event, id: string): void {
    const held = this.held.get(id) ?? [];
    if (event.command === 'DEL') {
      for (const ip of held) this.node.remove(`${DIR}/${ip}`);
      this.held.delete(id);
    } else if (event.command === 'ADD' && held.length === 0) {
      const ips = POOLS.flatMap((pool) => this.#free(pool).slice(-1));
      // A container that has one of two is what an ADD of the reference that fails takes from it.
      if (ips.length < POOLS.length) return;
      for (const ip of ips) this.node.lease(ip, `${id}\r\neth0`);
      this.held.set(id, ips);
    }
  }

  do(event: Event): void {
    const id = `c${event.container}`;
    const held = this.held.get(id) ?? [];
    if (event.who === 'by hand') {
      this.#hand(event, id);
      return;
    }
    const { code, ips } = this.#call(event, id);
    if (event.command === 'ADD') {
      const fits = held.length === 0 && POOLS.every((pool) => this.#free(pool).length > 0);
      expect(code === 0, 'ADD succeeds').toBe(fits);
      if (!fits) return;
      for (const [i, pool] of POOLS.entries()) expect(this.#free(pool)).toContain(ips[i]);
      this.held.set(id, ips);
    } else if (event.command === 'DEL') {
      expect(code, 'DEL').toBe(0);
      this.held.delete(id);
    } else {
      expect(code === 0, 'CHECK succeeds').toBe(held.length > 0);
    }
  }

  judge(event: Event): void {
    const leases = [...this.held].flatMap(([id, ips]) => ips.map((ip) => `${ip} ${id}\r\neth0`));
    const found = this.node.leases.filter((name) => isIP(name) > 0);
    expect(found.map((ip) => `${ip} ${this.node.owner(ip)}`).sort()).toEqual(leases.sort());
    if (event.who === 'ours') expect(this.node.audit).toBe('right');
  }
}

describe.skipIf(needsReference !== '')(`reference plugins ${needsReference}`, () => {
  test(
    'share a folder with ours, and nothing is given twice or lost',
    () => {
      const property = fc.property(EVENTS, (events) =>
        onFiles((node, root) => {
          const folder = new Folder(node, root);
          node.add('c0');
          node.del('c0');
          for (const event of events) {
            folder.do(event);
            folder.judge(event);
          }
        }),
      );
      fc.assert(property, {
        numRuns: countFrom('SHARED', SHARED.folders),
        ...choiceFromEnvironment(),
      });
    },
    24 * 3600 * 1000,
  );
});
