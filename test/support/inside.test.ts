// SPDX-License-Identifier: Apache-2.0
// Programs that stay tell what there is now, not what there was when they started: the judge that
// all fixtures trust is held to this on the real kernel.
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { Insides } from './inside.ts';
import { needsRoot } from './needs.ts';
import { netnsAdd, netnsDel } from './netns.ts';
import { textOf } from './oracle.ts';
import { outputOf } from './shell.ts';

const prefix = `fl-in-${randomBytes(3).toString('hex')}-`;
const names = { host: `${prefix}host`, pod: `${prefix}pod` };
let insides = new Insides();

const ip = (words: string) => outputOf(['ip', ...words.split(' ')]);
const links = () =>
  textOf(insides, names).match(/^(netns|link (?!lo)|rule|route|nft) ?.*$/gm) ?? [];
/** Without what the kernel chose or tells late. */
const told = () =>
  links().map((line) => line.replace(/ address \S+/, '').replace(/ operstate \S+/, ''));

describe.skipIf(needsRoot !== '')(`programs that stay ${needsRoot}`, () => {
  afterEach(() => {
    insides.close();
    insides = new Insides();
    netnsDel(...Object.values(names));
  });

  test('links that change their names, their other ends and their places', () => {
    netnsAdd(...Object.values(names));
    expect(told()).toEqual(['netns host', 'netns pod']);

    ip(`-n ${names.host} link add a0 mtu 1400 type veth peer name b0 netns ${names.pod} mtu 1300`);
    expect(told()).toEqual([
      ...['netns host', 'link a0 kind veth down mtu 1400 peer pod/b0'],
      ...['netns pod', 'link b0 kind veth down mtu 1300 peer host/a0'],
    ]);

    ip(`-n ${names.host} link set a0 name a1`);
    ip(`-n ${names.pod} link set b0 up`);
    ip(`-n ${names.pod} link set b0 name b1`);
    ip(`-n ${names.pod} route add 10.1.0.0/24 dev b1`);
    expect(told()).toEqual([
      ...['netns host', 'link a1 kind veth down mtu 1400 peer pod/b1'],
      ...['netns pod', 'link b1 kind veth up mtu 1300 peer host/a1'],
      'route 10.1.0.0/24 dev b1 proto boot scope link',
    ]);

    ip(`-n ${names.pod} link del b1`);
    expect(told()).toEqual(['netns host', 'netns pod']);
  });

  test('rules of both families, and what complains', () => {
    netnsAdd(...Object.values(names));
    expect(told()).toEqual(['netns host', 'netns pod']);
    const host = insides.of(names.host);
    host.do('ip', ['rule add from 10.1.0.1 table 100 priority 7']);
    host.do('ip6', ['rule add from fd00::1 table 100 priority 8']);
    expect(told()).toEqual([
      ...['netns host', 'rule 7 from 10.1.0.1/32 table 100', 'rule 8 from fd00::1/128 table 100'],
      'netns pod',
    ]);
    expect(() => host.do('ip', ['link set nosuch up'])).toThrow('Cannot find device "nosuch"');
  });

  test('what one link has, after another was made', () => {
    netnsAdd(...Object.values(names));
    ip(`-n ${names.host} link add a0 type veth peer name b0 netns ${names.pod}`);
    const host = insides.of(names.host);
    host.do('tc', ['qdisc add dev a0 ingress']);
    const shaping = () => textOf(insides, names).match(/^(qdisc|filter) .*$/gm) ?? [];
    expect(shaping()).toEqual(['qdisc ingress ffff: dev a0']);
    ip(`-n ${names.host} link add a1 type veth peer name b1 netns ${names.pod}`);
    host.do('tc', [
      'qdisc add dev a1 ingress',
      'filter add dev a1 ingress protocol all pref 3 u32 match u32 0 0 flowid 1:1',
    ]);
    expect(shaping()).toEqual([
      'filter u32 dev a1 pref 3',
      ...['qdisc ingress ffff: dev a0', 'qdisc ingress ffff: dev a1'],
    ]);
  });

  test('a namespace that is taken away is not held by who looked at it', async () => {
    netnsAdd(...Object.values(names));
    ip(`-n ${names.host} link add a0 type veth peer name b0 netns ${names.pod}`);
    expect(told()).toHaveLength(4);
    insides.close();
    netnsDel(names.pod);
    netnsAdd(names.pod);
    // The kernel does so in its own time.
    await expect.poll(told).toEqual(['netns host', 'netns pod']);
  });
});
