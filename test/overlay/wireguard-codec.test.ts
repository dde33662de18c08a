// SPDX-License-Identifier: Apache-2.0
// Messages of WireGuard's family, held against those that wg(8) 1.0.20210914 and Linux 6.1
// exchanged for the same commands: recorded with strace, without struct nlmsghdr.
import { describe, expect, test } from 'vitest';
import {
  type Device,
  getDevice,
  getFamily,
  parseDevice,
  parseFamily,
  peerText,
  removePeer,
  setKey,
  setPeer,
} from '../../agent/overlay/wireguard.ts';
import { eachMessage, type Message, type Request } from '../../host-node/sys/rtnetlink/index.ts';

const HEADER_BYTES = 16;
const FAMILY = 0x20;
const PRIVATE = Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('base64');
const PUBLIC = 'j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=';
const PEER4 = {
  ...{ public_key: '0b5SyDNMSKqfZKKcYl0Jbtx36ZrpRiGGIPYbr6MzRlg=', keepalive_s: 25 },
  ...{ endpoint: '192.0.2.2:51820', allowed_ips: ['10.244.2.0/24', 'fd00:244:0:2::/64'] },
};
const PEER6 = {
  ...{ public_key: 'VbEjQMkFNMoXmpArHrr3OObMiKRnPyNJWf9wAI/jpRs=', keepalive_s: 0 },
  ...{ endpoint: '[2001:db8::3]:51820', allowed_ips: ['10.244.3.0/24'] },
};

const bodyOf = (request: Request): string =>
  Buffer.from(request.seal(1)).subarray(HEADER_BYTES).toString('hex');

/** Messages with these bodies, as a socket would give them. */
function messages(...bodies: string[]): Message[] {
  const found: Message[] = [];
  for (const body of bodies) {
    const bytes = Buffer.concat([Buffer.alloc(HEADER_BYTES), Buffer.from(body, 'hex')]);
    bytes.writeUInt32LE(bytes.length, 0);
    eachMessage(bytes, bytes.length, (message) => found.push(message));
  }
  return found;
}

describe('what is asked for', () => {
  const [name, peer4, peer6] = [
    '0800020077673000',
    'd1be52c8334c48aa9f64a29c625d096edc77e99ae946218620f61bafa3334658',
    '55b12340c90534ca179a902b1ebaf738e6cc88a4673f234959ff70008fe3a51b',
  ];
  const end4 = '140004000200ca6cc00002020000000000000000';
  const end6 = '200004000a00ca6c0000000020010db800000000000000000000000300000000';
  const net4 = (third: string): string =>
    `1c0000800600010002000000080002000af4${third}000500030018000000`;
  const net6 = '28000080060001000a00000014000200fd0002440000000200000000000000000500030040000000';
  test.each<[string, () => Request, string]>([
    ['the family', () => getFamily(), '030100000e000200776972656775617264000000'],
    [
      'key and port',
      () => setKey(FAMILY, 'wg0', 51_820, PRIVATE),
      `01010000${name}24000300${Buffer.from(PRIVATE, 'base64').toString('hex')}060006006cca0000`,
    ],
    [
      'a peer over IPv4',
      () => setPeer(FAMILY, 'wg0', PEER4),
      `01010000${name}980008809400008024000100${peer4}${end4}06000500190000000800030002000000` +
        `48000980${net4('02')}${net6}`,
    ],
    [
      'a peer over IPv6',
      () => setPeer(FAMILY, 'wg0', PEER6),
      `01010000${name}7c0008807800008024000100${peer6}${end6}06000500000000000800030002000000` +
        `20000980${net4('03')}`,
    ],
    [
      'no peer any more',
      () => removePeer(FAMILY, 'wg0', PEER6.public_key),
      `01010000${name}340008803000008024000100${peer6}0800030001000000`,
    ],
    ['what there is', () => getDevice(FAMILY, 'wg0'), `00010000${name}`],
  ])('%s', (_, request, recorded) => {
    expect(bodyOf(request())).toBe(recorded);
  });

  test.each(['192.0.2.2', ':1', 'none'])('no peer at %j', (endpoint) => {
    expect(() => setPeer(FAMILY, 'wg0', { ...PEER4, endpoint })).toThrow('is no endpoint');
  });
});

describe('what the kernel tells', () => {
  test('the number of the family', () => {
    const [message] = messages(
      '010200000e00020077697265677561726400000006000100200000000800030001000000' +
        '080004000000000008000500080000002c00060014000100080001000000000008000200' +
        '1c000000140002000800010001000000080002001a000000',
    );
    expect(parseFamily(message!)).toBe(FAMILY);
  });

  const idle = `24000200${'00'.repeat(32)}1400060000000000000000000000000000000000`;
  const counted = (keepalive: string): string =>
    `06000500${keepalive}0000000c00080000000000000000000c000700000000000000000008000a0001000000`;
  const DEVICE =
    '00010000060006006cca0000080007000000000008000100020000000800020077673000' +
    '24000300000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e5f' +
    '240004008f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f' +
    'b0010880e400008024000100d1be52c8334c48aa9f64a29c625d096edc77e99ae946218620f61bafa3334658' +
    `${idle}${counted('19')}140004000200ca6cc00002020000000000000000` +
    '480009801c00008005000300180000000600010002000000080002000af40200' +
    '280000800500030040000000060001000a00000014000200fd000244000000020000000000000000' +
    'c80000802400010055b12340c90534ca179a902b1ebaf738e6cc88a4673f234959ff70008fe3a51b' +
    `${idle}${counted('00')}200004000a00ca6c0000000020010db800000000000000000000000300000000` +
    '200009801c00008005000300180000000600010002000000080002000af40300';
  const told = (...bodies: string[]): Device => {
    const device: Device = { public_key: '', port: 0, peers: [] };
    for (const message of messages(...bodies)) parseDevice(message, device);
    return device;
  };

  test('key, port and peers of a device', () => {
    expect(told(DEVICE)).toEqual({ public_key: PUBLIC, port: 51_820, peers: [PEER4, PEER6] });
    expect(told(DEVICE).peers.map((peer) => peerText(peer, 'wg0'))).toEqual([
      `peer ${PEER4.public_key} endpoint 192.0.2.2:51820 ` +
        'allowed-ips 10.244.2.0/24,fd00:244:0:2::/64 keepalive 25 dev wg0',
      `peer ${PEER6.public_key} endpoint [2001:db8::3]:51820 ` +
        'allowed-ips 10.244.3.0/24 keepalive 0 dev wg0',
    ]);
  });

  test('a peer that is told of in two messages is one', () => {
    // wg_get_device_dump goes on with the same peer when its allowed-ips do not fit.
    const key = '24000100d1be52c8334c48aa9f64a29c625d096edc77e99ae946218620f61bafa3334658';
    const net = '1c00008005000300180000000600010002000000080002000af40900';
    const part = `000100004c00088048000080${key}20000980${net}`;
    expect(told(part, part.replace('f409', 'f408')).peers).toEqual([
      expect.objectContaining({ allowed_ips: ['10.244.9.0/24', '10.244.8.0/24'] }),
    ]);
  });

  test('a message that ends in the middle is an error', () => {
    expect(() => told(DEVICE.slice(0, -8))).toThrow();
  });
});
