// SPDX-License-Identifier: Apache-2.0
// What a foreign plugin prints: as the IPAM plugin of a bridge, and as a plugin of a chain.
import { Violation } from '../../support/answer.ts';
import { wordsOf } from '../mutate.ts';
import { ENV, envBlock, Node, nothingLeft, same } from '../node.ts';
import { bytes, type Target } from '../target.ts';
import { configurations } from './config.ts';

const HEAD = { cniVersion: '1.1.0', name: 'net' };
const BRIDGE = { type: 'bridge', isGateway: true, ipam: { type: 'other' } };
const CONFIGS = [
  { ...HEAD, ...BRIDGE },
  { ...HEAD, cniVersion: '0.4.0', ...BRIDGE },
  { ...HEAD, type: 'ptp', ipam: { type: 'other' } },
  { ...HEAD, type: 'fairlead', plugins: [BRIDGE, { type: 'another' }] },
];
const RESULT = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/pod' }],
  ips: [
    { address: '10.1.2.9/24', gateway: '10.1.2.1', interface: 0 },
    { address: 'fd00::9/64', gateway: 'fd00::1' },
  ],
  routes: [{ dst: '0.0.0.0/0', gw: '10.1.2.1', mtu: 1400 }, { dst: 'fd09::/16' }],
  dns: { nameservers: ['10.1.2.1'], domain: 'x', search: ['y'], options: ['z'] },
};
const OLD = {
  cniVersion: '0.2.0',
  ip4: { ip: '10.1.2.9/24', gateway: '10.1.2.1', routes: [{ dst: '0.0.0.0/0' }] },
};

/** The first byte is the exit code's parity: success when even. The rest is standard output. */
export const delegate: Target = {
  name: 'delegate',
  calls: true,
  seeds: () => [
    bytes(`0${JSON.stringify(RESULT)}`),
    bytes(`0${JSON.stringify({ ...RESULT, cniVersion: '0.4.0' })}`),
    bytes(`0${JSON.stringify(OLD)}`),
    bytes('0null'),
    bytes('0'),
    bytes('1{"cniVersion": "1.0.0", "code": 11, "msg": "try again", "details": "later"}'),
    bytes('1<html>'),
    bytes('1'),
  ],
  words: () => wordsOf([...configurations('delegate/'), bytes(JSON.stringify(RESULT))]),
  check: (input) => {
    const failed = ((input[0] ?? 0) & 1) === 1;
    const stdout = Buffer.from(input.subarray(1)).toString();
    const exec = () => ({ exit_code: failed ? 1 : 0, signal: '', stdout, stderr: '' });
    for (const config of CONFIGS) {
      const node = new Node('netns host\nnetns pod\n');
      const before = node.text();
      const call = (CNI_COMMAND: string) => {
        const env = envBlock({ ...ENV, CNI_COMMAND });
        // Its error is forwarded as it is: only 0 would be no error.
        return node.run(config.type, env, bytes(JSON.stringify(config)), { exec }, (n) => n !== 0);
      };
      const add = call('ADD');
      if (failed && add.code === 0) throw new Violation('ADD succeeded without addresses');
      if (add.code !== 0) same(`a refused ADD (${add.code})`, before, node.text());
      else JSON.parse(add.stdout);
      const added = node.text();
      call('CHECK');
      call('STATUS');
      same('CHECK or STATUS', added, node.text());
      call('DEL');
      nothingLeft('DEL', node.text().replace(/^file .*\n/gm, ''), 'pod', 'c1', 'eth0');
      // The plugin that cannot even delete is replaced by one that can; then the record goes too.
      const good = { exec: () => ({ exit_code: 0, signal: '', stdout: '', stderr: '' }) };
      const env = envBlock({ ...ENV, CNI_COMMAND: 'DEL' });
      const del = node.run(config.type, env, bytes(JSON.stringify(config)), good);
      if (del.code !== 0) throw new Violation(`DEL: ${del.stdout}`);
      nothingLeft('DEL', node.text(), 'pod', 'c1', 'eth0');
    }
  },
};
