// SPDX-License-Identifier: Apache-2.0
// Files that the core reads and anybody may have written: records of attachments, leases, and the
// hint where an allocation goes on. A second container lives beside, and nothing may happen to it.
import { OsError } from '../../../host-node/abi/index.ts';
import { Violation } from '../../support/answer.ts';
import { Node, nothingLeft } from '../node.ts';
import { bytes, type Target } from '../target.ts';

const NODE = 'netns host\nnetns pod\nnetns pod2\n';
const LEASES = '/var/lib/cni/networks/net';
const RECORD = '/run/fairlead/attachments/c1:eth0';
const NEIGHBOUR = {
  CNI_CONTAINERID: 'c2',
  CNI_NETNS: '/run/netns/pod2',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};
const VALID = 'cni.dev/valid-attachments';
const CONFIG = {
  cniVersion: '1.1.0',
  name: 'net',
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/29' }]] },
};
const config = JSON.stringify(CONFIG);
const gc = (...ids: string[]): string => {
  const valid = ids.map((containerID) => ({ containerID, ifname: 'eth0' }));
  return JSON.stringify({ ...CONFIG, [VALID]: valid });
};

/** Everything of the second container: its links, addresses, routes, lease and record. */
function neighbourOf(text: string): string {
  const [host = '', , pod2 = ''] = text.split(/^netns .*\n/m).slice(1);
  const end = /^link (\S+) .*peer pod2\/eth0/m.exec(host)?.[1] ?? 'none';
  const lines = host.split('\n').filter((line) => `${line} `.includes(` ${end} `));
  const files = text
    .split('\n')
    .filter((line) => /^file (\S+\/c2:eth0|\S+\/10\.1\.2\.2) /.test(line));
  const own = pod2.split('\n').filter((line) => !line.startsWith('file '));
  return [...lines, ...own, ...files].join('\n');
}

class Scene {
  readonly node = new Node(NODE);
  readonly #neighbour: string;

  constructor() {
    this.must('ADD', config, NEIGHBOUR);
    this.#neighbour = neighbourOf(this.node.text());
  }
  must(command: string, stdin: string, env?: typeof NEIGHBOUR): string {
    const { code, stdout } = this.node.call(command, 'bridge', stdin, env);
    if (code !== 0) throw new Violation(`${command}: ${stdout}`);
    return stdout;
  }
  /** Writes a file as anybody might; false when there can be none of that name. */
  plant(path: string, content: Uint8Array): boolean {
    try {
      this.node.driver.file_write({ path, content });
      return true;
    } catch (error) {
      if (error instanceof OsError) return false;
      throw error;
    }
  }
  /** The second container is as it was, and CHECK finds it so. */
  unharmed(what: string): void {
    const now = neighbourOf(this.node.text());
    if (now !== this.#neighbour) {
      throw new Violation(`${what} harmed the neighbour:\n${this.#neighbour}\nis now:\n${now}`);
    }
  }
  /** In the end a DEL leaves nothing of the first container, and the second one can go too. */
  end(): void {
    this.must('DEL', config);
    nothingLeft('DEL', this.node.text(), 'pod', 'c1', 'eth0');
    this.unharmed('DEL');
    this.must('DEL', config, NEIGHBOUR);
    nothingLeft('DEL', this.node.text(), 'pod2', 'c2', 'eth0');
  }
}

/** What happens to a node: every command in turn, each of them bearing what it finds. */
function everything(scene: Scene): void {
  const live = scene.node.text();
  const check = scene.node.call('CHECK', 'bridge', config);
  scene.node.call('STATUS', 'bridge', config);
  if (scene.node.text() !== live) throw new Violation('CHECK or STATUS changed the node');
  if (check.code === 0) throw new Violation('CHECK without prevResult');
  scene.node.call('ADD', 'bridge', config);
  scene.unharmed('ADD');
  scene.must('GC', gc('c1', 'c2'));
  scene.unharmed('GC');
  scene.node.call('DEL', 'bridge', '{', undefined);
  scene.unharmed('DEL with a broken configuration');
  scene.must('GC', gc('c2'));
  scene.unharmed('GC');
}

const record = (over: Readonly<Record<string, unknown>>): Uint8Array => {
  const usual = {
    network: 'net',
    containerID: 'c1',
    ifname: 'eth0',
    netns: '/run/netns/pod',
    dataDir: '/var/lib/cni/networks',
  };
  return bytes(JSON.stringify({ ...usual, ...over }));
};

/** One of today's form, with effects of every word. */
const effects = (over: Readonly<Record<string, unknown>>): Uint8Array => {
  const by = 'bridge';
  const dataDir = '/var/lib/cni/networks';
  const list = [
    { effect: 'uses', by, what: ['bridge cni0', 'forwarding'] },
    { effect: 'leases', by, dataDir },
    { effect: 'veth', by },
    { effect: 'elements', by, elements: ['masq4 10.1.2.3 : goto masq-10.1.2.0/24'] },
    { effect: 'tuning', by: 'tuning', dataDir: '/run/cni/tuning', mtu: 1400, txQLen: 5 },
    { effect: 'bandwidth', by: 'bandwidth', inside: false, dev: 'x', ifindex: 7, rate: 1000 },
    { effect: 'sbr', by: 'sbr', moves: true, rules: [{ src: '10.1.2.3/32', table: 100 }] },
    { effect: 'vrf', by: 'vrf', vrf: 'red' },
  ];
  const usual = {
    network: 'net',
    containerID: 'c1',
    ifname: 'eth0',
    netns: '/run/netns/pod',
    netnsID: 'netns:pod',
    hostNetnsID: 'netns:host',
    effects: list,
  };
  return bytes(JSON.stringify({ ...usual, ...over }));
};

export const records: Target = {
  name: 'record',
  calls: true,
  seeds: () => [
    record({}),
    record({ netns: '/run/netns/gone' }),
    record({ network: 'other', dataDir: '' }),
    record({ netns: '/proc/1/ns/net' }),
    effects({}),
    effects({ netnsID: 'netns:gone' }),
  ],
  words: () => [
    ...['network', 'containerID', 'ifname', 'netns', 'dataDir', 'net', 'other', 'c1', 'c2', 'eth0'],
    ...['/run/netns/pod', '/run/netns/pod2', '/run/netns/host', '/var/lib/cni/networks', '', '/'],
    ...['..', '../..', 'relative', 'c2:eth0', 'lo', '/run/fairlead', '/run/fairlead/attachments'],
  ],
  check: (input) => {
    for (const wired of [true, false]) {
      const scene = new Scene();
      if (wired) scene.must('ADD', config);
      scene.plant(RECORD, input);
      everything(scene);
      scene.end();
    }
  },
};

/** The first line is the file's name below the lease folder, the rest its content. */
export const leases: Target = {
  name: 'lease',
  calls: true,
  seeds: () =>
    [
      '10.1.2.3\nc1\r\neth0',
      '10.1.2.3\nc1',
      '10.1.2.4\n',
      '10.1.2.3\nd9\r\neth0',
      'fd00::3\nd9\r\neth0',
      'readme\nnot a lease',
      '10.1.2.3\nnot a lease either',
    ].map(bytes),
  words: () => [
    ...['10.1.2.1', '10.1.2.3', '10.1.2.5', '10.1.2.6', '10.1.2.7', '10.1.3.1', '010.1.2.3', '::1'],
    ...[
      '\n',
      '\r\n',
      '\r',
      ' ',
      '\t',
      'c1',
      'c2',
      'eth0',
      'c1\r\neth0',
      'c2\r\neth0',
      '/',
      '..',
      '.',
    ],
    ...['lock', 'last_reserved_ip.0', 'last_reserved_ip.', '.fairlead-1', 'ä', '\ufeff', 'net1'],
  ],
  check: (input) => {
    const end = input.indexOf(10);
    const name = Buffer.from(end < 0 ? input : input.subarray(0, end)).toString();
    const content = end < 0 ? new Uint8Array() : input.subarray(end + 1);
    const scene = new Scene();
    // The neighbour's own lease is not for anybody to write, nor is one given in its name.
    if (name.includes('\0') || /\/10\.1\.2\.2$/.test(`/${name.replace(/[/.]+$/, '')}`)) return;
    if (Buffer.from(content).toString().trim().startsWith('c2')) return;
    if (!scene.plant(`${LEASES}/${name}`, content)) return;
    const add = scene.node.call('ADD', 'bridge', config);
    scene.unharmed('ADD');
    const given: string = add.code === 0 ? JSON.parse(add.stdout).ips[0].address : '';
    if (content.length > 0 && given.split('/')[0] === name) {
      throw new Violation(`${given} was given although a file says that somebody has it`);
    }
    everything(scene);
    scene.end();
  },
};

export const hints: Target = {
  name: 'hint',
  calls: true,
  seeds: () => ['10.1.2.2', '10.1.2.6\n', 'fd00::3', '10.1.9.9', '', '10.1.2.3/29'].map(bytes),
  words: () => [
    ...['10.1.2.0', '10.1.2.1', '10.1.2.5', '10.1.2.6', '10.1.2.7', '10.1.2.8', '255.255.255.255'],
    ...['0.0.0.0', '::', '::ffff:10.1.2.3', '\n', ' ', '\t', '/', '.', ':', 'ä', '\ufeff', '0'],
  ],
  check: (input) => {
    const scene = new Scene();
    scene.plant(`${LEASES}/last_reserved_ip.0`, input);
    scene.node.call('STATUS', 'bridge', config);
    const { ips } = JSON.parse(scene.must('ADD', config));
    // 10.1.2.1 is the gateway, 10.1.2.2 the neighbour's.
    if (!/^10\.1\.2\.[3-6]\/29$/.test(ips[0].address)) throw new Violation(ips[0].address);
    everything(scene);
    scene.end();
  },
};
