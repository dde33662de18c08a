// SPDX-License-Identifier: Apache-2.0
// What comes with a call beside its configuration: the environment, CNI_ARGS, prevResult.
import { Violation } from '../../support/answer.ts';
import { ENV, envBlock, Node, nothingLeft, same } from '../node.ts';
import { bytes, type Target } from '../target.ts';

const NODE = 'netns host\nnetns pod\nnetns pod2\n';
const RANGES = [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00::/64' }]];

function configOf(type: string, ipam: string, more: Readonly<Record<string, unknown>> = {}) {
  const addresses = [{ address: '10.1.2.3/24', gateway: '10.1.2.1' }];
  return {
    cniVersion: '1.1.0',
    name: 'net',
    type,
    ...more,
    ipam: { type: ipam, ...(ipam === 'static' ? { addresses } : { ranges: RANGES }) },
  };
}

const COMMANDS = ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS', 'VERSION'];

/** Lines of a state that a command other than a lasting ADD must not leave. */
function leftovers(text: string): string[] {
  const lines = text.split('\n');
  return lines.filter((line) => /^link \S+ kind veth|^file (?!\S+\/last_reserved_ip)/.test(line));
}

/** The variables as a block of NAME=value, each ended by a NUL byte: whatever stands in it. */
export const environment: Target = {
  name: 'environment',
  calls: true,
  seeds: () =>
    COMMANDS.flatMap((CNI_COMMAND) => [
      envBlock({ CNI_COMMAND, ...ENV, CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=x' }),
      envBlock({ CNI_COMMAND, ...ENV, CNI_NETNS_OVERRIDE: 'true', CNI_NETNS: '/proc/1/ns/net' }),
    ]),
  words: () => [
    ...['CNI_COMMAND=', 'CNI_CONTAINERID=', 'CNI_NETNS=', 'CNI_IFNAME=', 'CNI_ARGS=', 'CNI_PATH='],
    ...[
      'CNI_NETNS_OVERRIDE=1',
      'ADD',
      'DEL',
      'CHECK',
      'GC',
      '\0',
      '\0\0',
      '=',
      '==',
      '',
      ' ',
      '\n',
    ],
    ...['/run/netns/pod2', '/run/netns/host', '/run/netns/', '/proc/self/ns/net', '/', '..', '../'],
    ...['lo', 'eth0', 'eth1', 'a/b', 'a:b', 'sixteen-letters-', 'c1:eth0', 'ä', '\u{10ffff}'],
  ],
  check: (input) => {
    for (const type of ['bridge', 'host-local', 'loopback']) {
      const stdin = bytes(JSON.stringify(configOf(type, 'host-local')));
      const node = new Node(NODE);
      const before = node.text();
      const { code } = node.run(type, input, stdin);
      const after = node.text();
      if (code !== 0) same(`a refused call (${code})`, before, after);
      // The last of two variables of a name counts.
      const again = Buffer.concat([input, bytes('\0CNI_COMMAND=DEL\0')]);
      const del = node.run(type, again, stdin);
      if (code === 0 && leftovers(after).length > 0 && del.code !== 0) {
        throw new Violation(`DEL after ADD: ${del.stdout}`);
      }
      const left = leftovers(node.text());
      if (left.length > 0) throw new Violation(`DEL left:\n${left.join('\n')}`);
    }
  },
};

/** CNI_ARGS. A NUL byte would end it: it is cut there, as a process would get it. */
export const args: Target = {
  name: 'args',
  calls: true,
  seeds: () =>
    [
      'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web',
      'IP=10.1.2.9',
      'IP=10.1.2.9/24;GATEWAY=10.1.2.1',
      'IP=10.1.2.9/24,fd00::9/64;GATEWAY=10.1.2.1,fd00::1',
      'MAC=02:00:00:00:00:01;IP=fd00::9',
      'IgnoreUnknown=true;MAC=02-00-00-00-00-01',
    ].map(bytes),
  words: () => [
    ...[
      'IP=',
      'GATEWAY=',
      'MAC=',
      'IgnoreUnknown=',
      ';',
      '=',
      ',',
      '/',
      ':',
      '1',
      '0',
      'true',
      'x',
    ],
    ...[
      '10.1.2.3',
      '10.1.2.1',
      '10.1.2.0',
      '10.1.2.255',
      '10.9.9.9',
      '/24',
      '/33',
      '/0',
      '::',
      'fd00::',
    ],
    ...[
      'fd00::1',
      'fe80::1%eth0',
      '::ffff:10.1.2.3',
      '0x0a.1.2.3',
      '010.1.2.3',
      '256.1.1.1',
      'false',
    ],
    ...['ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00', '02:00:00:00:00', 'ä', ' ', '\t', '\n'],
  ],
  check: (input) => {
    const end = input.indexOf(0);
    const value = end < 0 ? input : input.subarray(0, end);
    for (const ipam of ['host-local', 'static']) {
      const config = bytes(JSON.stringify(configOf('bridge', ipam, { isGateway: true })));
      const node = new Node(NODE);
      const before = node.text();
      const call = (CNI_COMMAND: string) => {
        const start = Buffer.concat([envBlock({ ...ENV, CNI_COMMAND }), bytes('CNI_ARGS=')]);
        return node.run('bridge', Buffer.concat([start, value, bytes('\0')]), config);
      };
      const add = call('ADD');
      if (add.code !== 0) same(`a refused ADD (${add.code})`, before, node.text());
      const added = node.text();
      call('CHECK');
      call('STATUS');
      same('CHECK or STATUS', added, node.text());
      const del = call('DEL');
      if (add.code === 0 && del.code !== 0) throw new Violation(`DEL after ADD: ${del.stdout}`);
      nothingLeft('DEL', node.text(), 'pod', 'c1', 'eth0');
    }
  },
};

const LIVE = [
  configOf('bridge', 'host-local', { isGateway: true }),
  configOf('ptp', 'host-local'),
  configOf('bridge', 'static', { isDefaultGateway: true }),
  { cniVersion: '1.1.0', name: 'net', type: 'loopback' },
];

/** The results that ADD gives for the configurations above, in several versions. */
function results(): Uint8Array[] {
  const versions = ['1.1.0', '1.0.0', '0.4.0', '0.3.1'];
  const made = LIVE.flatMap((config) =>
    versions.map((cniVersion) => {
      const node = new Node(NODE);
      return node.call('ADD', config.type, JSON.stringify({ ...config, cniVersion })).stdout;
    }),
  );
  return [...new Set(made)].map(bytes);
}

/** prevResult, as it stands in the configuration. */
export const prevResult: Target = {
  name: 'prev-result',
  calls: true,
  seeds: results,
  words: () => [
    ...[
      'interfaces',
      'ips',
      'routes',
      'dns',
      'name',
      'mac',
      'sandbox',
      'address',
      'gateway',
      'dst',
    ],
    ...['interface', 'version', 'ip4', 'ip6', 'ip', 'cniVersion', 'gw', 'mtu', 'table', 'scope'],
    ...['eth0', 'cni0', 'lo', '/run/netns/pod', '/run/netns/pod2', '10.1.2.3/24', '0.0.0.0/0'],
    ...['1.1.0', '1.0.0', '0.4.0', '0.2.0', 'fd00::2/64', 'nameservers', 'priority', 'advmss'],
  ],
  check: (input) => {
    for (const config of LIVE) {
      const node = new Node(NODE);
      const added = node.call('ADD', config.type, JSON.stringify(config));
      if (added.code !== 0) throw new Violation(added.stdout);
      const live = node.text();
      const head = JSON.stringify(config).slice(0, -1);
      const document = Buffer.concat([bytes(`${head},"prevResult":`), input, bytes('}')]);
      node.call('CHECK', config.type, document);
      same('CHECK', live, node.text());
      node.call('GC', config.type, document);
      same('GC without a list', live, node.text());
      const del = node.call('DEL', config.type, document);
      // What does not parse hides the configuration too; the record leads to what it would say.
      if (del.code !== 0) node.call('DEL', config.type, JSON.stringify(config));
      nothingLeft('DEL', node.text(), 'pod', 'c1', 'eth0');
      const before = node.text();
      const chained = { ...config, type: 'fairlead', plugins: [{ type: 'loopback' }] };
      const fused = JSON.stringify(chained).slice(0, -1);
      const again = Buffer.concat([bytes(`${fused},"prevResult":`), input, bytes('}')]);
      const add = node.call('ADD', 'fairlead', again);
      if (add.code === 0) JSON.parse(add.stdout);
      else same(`a refused ADD (${add.code})`, before, node.text());
    }
  },
};
