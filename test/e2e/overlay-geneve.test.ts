// SPDX-License-Identifier: Apache-2.0
// What Geneve needs of any kernel: rules that let in this network's packets alone, as a device that
// routes lead into takes those of every VNI; and a word where a kernel lacks what a backend needs.
// Packets through such a device are sent in test/uml/geneve.test.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { networkOf } from '../../agent/overlay/config.ts';
import { Guard } from '../../agent/overlay/guard.ts';
import { NODE } from '../support/hosts.ts';
import { within } from '../support/listener.ts';
import { kernelLacks, needsRoot } from '../support/needs.ts';
import { Cell } from './cell.ts';

const LIMIT_MS = 15_000;
const NET_CONF = { Network: '10.244.0.0/16', Backend: { Type: 'geneve', VNI: 7 } };

describe.skipIf(needsRoot !== '')(`Geneve ${needsRoot}`, () => {
  let cell: Cell;
  beforeAll(async () => {
    cell = await Cell.open();
    const lines = [
      ...['netns add a', 'netns add b', 'link add eth0 netns a type veth peer name eth0 netns b'],
      ...['-n a addr add 192.0.2.1/24 dev eth0', '-n b addr add 192.0.2.2/24 dev eth0'],
      ...['-n b addr add 192.0.2.3/24 dev eth0', '-n a link set eth0 up', '-n b link set eth0 up'],
    ];
    for (const line of lines) await cell.run(['ip', ...line.split(' ')]);
  });
  afterAll(() => cell?.close());
  const on = (name: string, ...command: string[]): string[] => {
    return ['ip', 'netns', 'exec', name, ...command];
  };

  test('packets of other VNIs, and those of strangers, are dropped', async () => {
    const [rules, heard] = [join(cell.folder, 'rules'), join(cell.folder, 'heard')];
    const guard = new Guard(networkOf('pods', NET_CONF), (_, input) => {
      if (input !== '') writeFileSync(rules, input);
      return { out: '', error: '' };
    });
    expect(guard.allow(['192.0.2.2'])).toBe('');
    await cell.run(on('a', 'nft', '-f', rules));
    const listen = `const s = require('dgram').createSocket('udp4');
      s.on('message', (data, { address }) =>
        require('fs').appendFileSync(${JSON.stringify(heard)}, address + ' ' + data[6] + '\\n'));
      s.bind(6081, () => require('fs').writeFileSync(${JSON.stringify(heard)}, ''));`;
    await cell.start(on('a', process.execPath, '-e', listen), join(cell.folder, 'log'));
    await within(LIMIT_MS, 'somebody listens', async () => {
      return (await cell.run(on('a', 'ss', '-Hlun'))).includes(':6081');
    });
    const send = `const { createSocket } = require('dgram');
      const packets = [['192.0.2.2', 8], ['192.0.2.3', 7], ['192.0.2.2', 7]];
      const next = () => {
        const [from, vni] = packets.shift() ?? [];
        if (from === undefined) return;
        const s = createSocket('udp4');
        const data = Buffer.from([0, 0, 0x65, 0x58, 0, 0, vni, 0]);
        s.bind(0, from, () => s.send(data, 6081, '192.0.2.1', () => { s.close(); next(); }));
      };
      next();`;
    await cell.run(on('b', process.execPath, '-e', send));
    // The last one is let in: then the others would have been heard.
    await within(LIMIT_MS, 'the packet of ours is heard', async () => {
      return readFileSync(heard, 'utf8') !== '';
    });
    expect(readFileSync(heard, 'utf8')).toBe('192.0.2.2 7\n');
    // Another VNI leaves nothing of the former one's rules.
    const eighth = { ...NET_CONF, Backend: { Type: 'geneve', VNI: 8 } };
    const another = new Guard(networkOf('pods', eighth), (_, input) => {
      if (input !== '') writeFileSync(rules, input);
      return { out: '', error: '' };
    });
    expect(another.allow(['192.0.2.2'])).toBe('');
    await cell.run(on('a', 'nft', '-f', rules));
    const ruleset = await cell.run(on('a', 'nft', 'list', 'ruleset'));
    expect(ruleset.match(/^table .*/gm)).toEqual(['table inet fairlead_overlay_pods {']);
    expect(ruleset).toMatch(/@th,96,24 != (8|0x8) drop/);
    // A backend that needs no such rules takes those of the former one away.
    const tables = async () => await cell.run(on('a', 'nft', 'list', 'tables'));
    expect(await tables()).toContain('fairlead_overlay_pods');
    const Backend = { Type: 'wireguard', VNI: 8 };
    const none = new Guard(networkOf('pods', { ...NET_CONF, Backend }), (_, input) => {
      if (input !== '') writeFileSync(rules, input);
      return { out: '', error: '' };
    });
    expect(none.allow(['192.0.2.2'])).toBe('');
    await cell.run(on('a', 'nft', '-f', rules));
    expect(await tables()).toBe('');
  });

  const LINKS = ['geneve id 7 remote 192.0.2.2', 'wireguard'];
  const lacking = LINKS.filter((words) => kernelLacks([`link ${words}`]) !== '');
  test.skipIf(lacking.length === 0)(
    'what a kernel has not is named, and the node is not ready',
    async () => {
      for (const words of lacking) await expectNamed(words.split(' ')[0]!);
    },
  );

  /** An agent on machine a, which is the only node: what its verbs say, and its end. */
  async function startAlone(backend: object) {
    const [path, nodes] = [join(cell.folder, 'agent.json'), join(cell.folder, 'nodes.json')];
    const net_conf = { ...NET_CONF, Backend: backend };
    const source = { type: 'file', path: nodes };
    const own = { name: 'a', subnets: ['10.244.1.0/24'], addresses: ['192.0.2.1'] };
    writeFileSync(nodes, JSON.stringify({ nodes: [own] }));
    writeFileSync(path, JSON.stringify({ name: 'pods', node: 'a', 'net-conf': net_conf, source }));
    const folders = ['--state-dir', join(cell.folder, 's'), '--disk-dir', join(cell.folder, 'd')];
    const words = ['--config', path, ...folders];
    await cell.run(on('a', 'ip', 'link', 'set', 'lo', 'up'));
    const pid = await cell.start(
      on('a', NODE.program, 'agent', ...words),
      join(cell.folder, 'log'),
    );
    const call = (verb: string, ...more: string[]) =>
      cell.call(on('a', NODE.program, 'agent', verb, ...words, ...more), {}, '');
    return { call, end: () => cell.run(['sh', '-c', `kill ${pid}`]) };
  }

  async function expectNamed(type: string): Promise<void> {
    const { call, end } = await startAlone({ Type: type, VNI: 7 });
    const status = async () => (await call('status', '--log', 'json')).stdout;
    let said = '';
    await within(LIMIT_MS, 'the agent says why', async () => {
      said = await status();
      return said.includes(`type \\"${type}`);
    });
    const { ready, problems } = JSON.parse(said) as { ready: boolean; problems: { msg: string }[] };
    expect(ready).toBe(false);
    expect(problems.map(({ msg }) => msg).join('\n')).toContain(
      `this kernel has no links of type "${type}": load its module (modprobe ${type})`,
    );
    await end();
    await within(LIMIT_MS, 'the agent has ended', async () => (await status()) === '');
    // A file that holds no key keeps no node from leaving.
    if (type === 'wireguard') writeFileSync(join(cell.folder, 'd', 'overlay', 'pods.key'), 'none');
    const { code, stderr } = await call('leave');
    expect({ code, stderr }).toMatchObject({ code: 0 });
  }

  test('tunnels of somebody else keep what is on them, and so does another network', async () => {
    const lines = [
      'link add vx0 type vxlan id 99 dev eth0 dstport 4789',
      'link set vx0 alias office up',
      'addr add 10.8.0.1/24 dev vx0',
      'link add fl.9 type vxlan id 9 dev eth0 dstport 4790',
      'addr add 10.9.0.1/24 dev fl.9',
      'link set fl.9 up',
      'route add 10.244.9.0/24 dev fl.9 proto 157',
    ];
    for (const line of lines) await cell.run(['ip', '-n', 'a', ...line.split(' ')]);
    const alias = ['link', 'set', 'fl.9', 'alias', 'fairlead overlay others'];
    await cell.run(['ip', '-n', 'a', ...alias]);
    const fdb = ['fdb', 'append', '02:00:00:00:00:09', 'dst', '192.0.2.9', 'dev', 'vx0'];
    await cell.run(on('a', 'bridge', ...fdb));
    const theirs = async () => [
      await cell.run(on('a', 'bridge', 'fdb', 'show', 'dev', 'vx0')),
      await cell.run(on('a', 'ip', '-4', '-o', 'addr', 'show', 'dev', 'vx0')),
      await cell.run(on('a', 'ip', '-4', '-o', 'addr', 'show', 'dev', 'fl.9')),
      await cell.run(on('a', 'ip', 'route', 'show', 'dev', 'fl.9')),
    ];
    const before = await theirs();
    expect(before.join()).toMatch(
      /02:00:00:00:00:09[\s\S]*10\.8\.0\.1[\s\S]*10\.9\.0\.1[\s\S]*10\.244\.9/,
    );
    const { call, end } = await startAlone({ VNI: 7 });
    await within(LIMIT_MS, 'it is ready', async () => (await call('status')).code === 0);
    expect(await theirs()).toEqual(before);
    await end();
    const { code } = await call('leave');
    expect([code, await theirs()]).toEqual([0, before]);
    expect(await cell.run(on('a', 'ip', 'link'))).not.toContain('fl.7');
  });
});
