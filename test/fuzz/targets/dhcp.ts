// SPDX-License-Identifier: Apache-2.0
// What the DHCP client is sent by strangers: frames of the pod's link, in every state of a lease;
// what comes on the daemon's socket; what a daemon answers to our plugin.
import { AgentPanic } from '../../../agent/core.ts';
import { arpReply, replyFrame, unreachable } from '../../dhcp/frames.ts';
import { callBytes } from '../../dhcp/gob.ts';
import { nameOf, SETTINGS, Stage } from '../../dhcp/stage.ts';
import { Violation } from '../../support/answer.ts';
import { ENV, envBlock, Node, nothingLeft, same } from '../node.ts';
import { bytes, type Target } from '../target.ts';

const CHADDR = '020000000001';
const XID = '01020304';
const PLAIN = ['server=10.1.0.1', 'mask=255.255.0.0', 'router=10.1.0.1', 'lease=3600'];
const MORE = [
  ...['121=180a02030a0100fe08c000000000000a0100fd', '33=0a0900000a010002c0a807000a010003'],
  ...['6=0a010035', '15=6578616d706c65', '119=03656e67056170706c6503636f6d00c004', '26=0578'],
  ...['52=03', '56=00ff', '58=00000001', '59=00000002'],
];

function frames(): Uint8Array[] {
  const common = { xid: XID, chaddr: CHADDR, yiaddr: '10.1.0.5' };
  const replies = ['OFFER', 'ACK', 'NAK'].flatMap((type) => [
    replyFrame({ ...common, type, options: PLAIN }),
    replyFrame({ ...common, type, options: [...PLAIN, ...MORE] }),
  ]);
  return [...replies, arpReply('10.1.0.5', '02000000bb05'), unreachable('10.1.0.1')];
}

/** A frame of the machine's own transaction, where the input has one of ours. */
function addressed(input: Uint8Array, xid: string): Buffer {
  return Buffer.from(Buffer.from(input).toString('hex').replaceAll(XID, xid), 'hex');
}

export function guarded(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (error instanceof AgentPanic) throw new Violation(`the machine broke: ${error.message}`);
    throw error;
  }
}

/** The states in which a lease hears frames, each behind those before it. */
const STATES: readonly ((stage: Stage) => void)[] = [
  (stage) => {
    stage.tell({ event: 'start', leases: [], ...SETTINGS });
    stage.call('Allocate', 'a', '', '');
    opened(stage);
  },
  (stage) => void stage.answer('OFFER', 'a', '10.1.0.5', PLAIN),
  (stage) => {
    stage.answer('ACK', 'a', '10.1.0.5', PLAIN);
    stage.at('40:00');
    stage.tell({ event: 'tick' });
    opened(stage);
  },
  (stage) => {
    stage.call('Release', 'a', '', '');
    opened(stage);
  },
];

export function opened(stage: Stage, pod = 'a'): void {
  const link = {
    netnsID: 'a',
    mac: Number.parseInt(CHADDR, 16),
    kind: 'veth',
    mtu_bytes: 1500,
    fresh: false,
  };
  stage.tell({ event: 'opened', lease: nameOf(pod), ...link });
}

export const dhcpFrame: Target = {
  name: 'dhcp-frame',
  calls: false,
  seeds: frames,
  words: () => [
    '\x01\x04',
    '\x03\x04',
    '\x36\x04',
    '\x33\x04',
    '\x79\xff',
    '\x77\x02\xc0\x00',
    '\xff',
    '\0',
  ],
  check: (input) => {
    for (let states = 1; states <= STATES.length; states++) {
      guarded(() => {
        const stage = new Stage();
        for (const state of STATES.slice(0, states)) state(stage);
        const lines = stage.frame('a', addressed(input, stage.xid('a')));
        if (lines.some((line) => /stored|IPs/.test(line))) wellFormed(lines);
        stage.at('90:00');
        stage.tell({ event: 'tick' });
      });
    }
  },
};

/** A lease that is given has an address of a host. */
function wellFormed(lines: readonly string[]): void {
  const told = lines.find((line) => line.includes('"IPs"'));
  const [, ip = '10.0.0.1'] = /"Address":\{"IP":"([\d.]+)"/.exec(told ?? '') ?? [];
  const first = Number(ip.split('.')[0]);
  if (first === 0 || first === 127 || first >= 224) throw new Violation(`an address ${ip}`);
}

const CALL = {
  method: 'DHCP.Allocate',
  containerID: 'a',
  netns: '/run/netns/a',
  ifname: 'eth0',
  config: { name: 'net', ipam: { type: 'dhcp', provide: [{ option: '12', value: 'x' }] } },
};

export const dhcpCall: Target = {
  name: 'dhcp-call',
  calls: false,
  seeds: () => [
    callBytes(CALL),
    callBytes({ ...CALL, method: 'DHCP.Release', args: 'A=b;C=d' }),
    callBytes({ ...CALL, config: { name: 'net', ipam: { request: [{ skipDefault: true }] } } }),
    bytes('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  ],
  words: () => [
    '\xfe\xff\xff',
    '\xf8\x7f\xff\xff\xff\xff\xff\xff\xff',
    '\xff\x81',
    '\x7f',
    '\0\0',
    '\n\n',
  ],
  check: (input) => {
    guarded(() => {
      const stage = new Stage();
      stage.tell({ event: 'start', leases: [], ...SETTINGS });
      const half = Math.floor(input.length / 2);
      for (const [conn, parts] of [
        [input],
        [input.subarray(0, half), input.subarray(half)],
      ].entries()) {
        stage.tell({ event: 'connected', conn });
        for (const part of parts) {
          stage.tell({ event: 'bytes', conn, bytes: Buffer.from(part).toString('base64') });
        }
        stage.tell({ event: 'ended', conn });
        stage.tell({ event: 'closed', conn });
      }
    });
  },
};

const NODE =
  'netns host\nnetns pod\ndhcp /run/cni/dhcp.sock {"address":"10.1.2.3/24","gateway":"10.1.2.1"}\n';
const CONFIG = bytes(
  JSON.stringify({ cniVersion: '1.1.0', name: 'net', type: 'bridge', ipam: { type: 'dhcp' } }),
);

/** What the simulated daemon says to an ADD and a DEL. */
function said(): Uint8Array[] {
  const node = new Node(NODE);
  const heard: Uint8Array[] = [];
  for (const CNI_COMMAND of ['ADD', 'DEL']) {
    node.run('bridge', envBlock({ ...ENV, CNI_COMMAND }), CONFIG, {
      socket_call: (args) => {
        const answer = Uint8Array.from(node.driver.socket_call(args));
        heard.push(answer);
        return answer;
      },
    });
  }
  return heard;
}

export const dhcpAnswer: Target = {
  name: 'dhcp-answer',
  calls: true,
  seeds: () => [...said(), bytes('HTTP/1.0 405 must CONNECT\n\n'), bytes('')],
  words: () => ['\xfe\xff\xff', '\x7f', '\0', '\n\n', ' 200 ', '\x0a\x01\x02\x03'],
  check: (input) => {
    const node = new Node('netns host\nnetns pod\n');
    const before = node.text();
    const call = (CNI_COMMAND: string) =>
      node.run('bridge', envBlock({ ...ENV, CNI_COMMAND }), CONFIG, { socket_call: () => input });
    const add = call('ADD');
    if (add.code === 0) JSON.parse(add.stdout);
    const left = node.text();
    // An answer that is an error is one to the release too, which stays for the next DEL.
    if (add.code !== 0 && !left.includes('"dhcp\\"'))
      same(`a refused ADD (${add.code})`, before, left);
    call('DEL');
    nothingLeft(
      'DEL',
      node.text().replaceAll(/^file \/run\/fairlead\/attachments.*\n/gm, ''),
      'pod',
      'c1',
      'eth0',
    );
  },
};
