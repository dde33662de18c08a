// SPDX-License-Identifier: Apache-2.0
// Netlink in C against netlink in TypeScript: the same request bytes for the same operation, and
// the same answer to the same datagrams, be they the kernel's, spoilt, or noise. The C runs under
// sanitizers, which end it at the first read out of bounds.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Driver, OPERATIONS, OsError } from '../../host-node/abi/index.ts';
import { netlinkDriver } from '../../host-node/drivers/netlink.ts';
import type { Spaces } from '../../host-node/drivers/spaces.ts';
import { type Channel, NetlinkSocket } from '../../host-node/sys/netlink.ts';
import { makeFlow } from '../support/conntrack.ts';
import { buildNativeDriver, type NativeDriver, nativeDriver } from '../support/native-driver.ts';
import { needsNft } from '../support/needs.ts';

const MARK = 0x5e9e5e9e;
const EAGAIN = 11;
const ROUNDS = Number(process.env['SEQUENCES'] ?? 300);

type Question = readonly [name: keyof Driver, args: Record<string, number | string | Uint8Array>];
const HOST = { ns: 0 };
const NFT = { ns: 0, family: 1, table: 't' };
const ROUTE = { src: '', scope: 0, table: 0, priority: 0, mtu_bytes: 0, advmss: 0, protocol: 0 };

const FLOWS = {
  ...{ family: 2, protocol: 17, dst: '192.0.2.1', dport: 53, dport_end: 54 },
  reply_src: '10.1.2.3',
};

const TBF = { ns: 0, ifindex: 7, handle: 0x10000, limit_bytes: 25000, buffer_ticks: 156250 };

/** A begin, a rule that is deleted, an end: what the messages say is of no interest here. */
const BATCH = Buffer.concat(
  [16, 2568, 2568, 17].map((type, at) => {
    const message = Buffer.alloc(20);
    message.writeUInt32LE(20, 0);
    message.writeUInt16LE(type, 4);
    message.writeUInt32LE(at, 8);
    return message;
  }),
);

/** What lists or looks up, and has replies worth spoiling; `first` is the bridge's ifindex. */
const asking = (first: number): Question[] => [
  ['link_get', { ...HOST, name: 'veth0' }],
  ['link_get_index', { ...HOST, ifindex: first }],
  ['bridge_port_list', { ...HOST, ifindex: first }],
  ['bridge_vlan_list', { ...HOST, ifindex: first }],
  ['addr_list', { ...HOST, ifindex: first }],
  ['route_list', { ...HOST, ifindex: first }],
  ['route_get', { ...HOST, dst: '10.1.2.9' }],
  ['route_get', { ...HOST, dst: 'fd00::9' }],
  ['link_list', HOST],
  ['route_table_list', HOST],
  ['fib_rule_list', HOST],
  ['qdisc_get', { ...HOST, ifindex: first, parent: -1 }],
  ['filter_list', { ...HOST, ifindex: first }],
  ['conntrack_del', { ...HOST, ...FLOWS }],
  ['socket_listens', { ...HOST, protocol: 6, address: '127.0.0.1', port: 80 }],
  ['rule_list', NFT],
  ['chain_get', { ...NFT, chain: 'f' }],
  ['chain_list', { ns: 0, hooknum: 2 }],
  ['generation', HOST],
  ['element_list', { ...NFT, set: 's' }],
  ['element_get', { ...NFT, set: 'm', key: Uint8Array.of(10, 0, 0, 1) }],
];

const changing: Question[] = [
  ['link_add_bridge', { ...HOST, name: 'br1', mtu_bytes: 1400, vlan_filtering: 1 }],
  ['link_add_bridge', { ...HOST, name: 'br1', mtu_bytes: 0, vlan_filtering: 0 }],
  [
    'link_add_veth',
    {
      ...{ ...HOST, name: 'v1', address: '0a:58:0A:01:02:03', mtu_bytes: 1400, master: 7 },
      ...{ peer_ns: 0, peer_name: 'eth0', peer_address: '0a:58:0a:01:02:04' },
    },
  ],
  ['link_set_up', { ...HOST, ifindex: 7 }],
  ['link_set_down', { ...HOST, ifindex: 7 }],
  ['link_set_promisc', { ...HOST, ifindex: 7, on: 1 }],
  ['link_set_allmulti', { ...HOST, ifindex: 7, on: 0 }],
  ['link_set_mtu', { ...HOST, ifindex: 7, mtu_bytes: 9000 }],
  ['link_set_txqlen', { ...HOST, ifindex: 7, txqlen: 5 }],
  ['link_set_address', { ...HOST, ifindex: 7, address: '0a:58:0a:01:02:03' }],
  ['link_set_bridge_port', { ...HOST, ifindex: 7, hairpin: 1, isolated: 0 }],
  ['addr_add', { ...HOST, ifindex: 7, address: '10.1.2.3/24', nodad: 1 }],
  ['addr_add', { ...HOST, ifindex: 7, address: '10.1.2.3/31', nodad: 0 }],
  ['addr_add', { ...HOST, ifindex: 7, address: 'fd00::3/64', nodad: 1 }],
  ['addr_del', { ...HOST, ifindex: 7, address: '::ffff:1.2.3.4/128' }],
  ['route_add', { ...HOST, ifindex: 7, dst: '0.0.0.0/0', gw: '10.1.2.1', ...ROUTE }],
  ['route_add', { ...HOST, ifindex: 7, dst: '10.0.0.0/8', gw: 'fe80::1', ...ROUTE, scope: 253 }],
  [
    'route_add',
    {
      ...{ ...HOST, ifindex: 7, dst: 'fd00::/64', gw: '', src: 'fd00::3', scope: 0, table: -2 },
      ...{ priority: -1, mtu_bytes: 1400, advmss: 1300, protocol: 16 },
    },
  ],
  ['route_del', { ...HOST, ifindex: 7, dst: '0.0.0.0/0', gw: '', table: 100 }],
  ['route_del', { ...HOST, ifindex: 7, dst: 'fd00::/8', gw: 'fe80::1', table: 1000 }],
  ['link_add_vrf', { ...HOST, name: 'vrf1', table: 1000 }],
  ['link_set_master', { ...HOST, ifindex: 7, master: 3 }],
  ['link_add_dummy', { ...HOST, name: 'dummy1', address: '0a:58:0a:01:02:04' }],
  [
    'link_add_macvlan',
    {
      ...{ ...HOST, lower: 7, netns: 0, name: 'eth0', address: '0a:58:0a:01:02:05' },
      ...{ mtu_bytes: 1400, mode: 'bridge', bcqueuelen: 2000 },
    },
  ],
  ['link_add_ipvlan', { ...HOST, lower: 7, netns: 0, name: 'eth0', mtu_bytes: 1400, mode: 'l3s' }],
  ['link_add_vlan', { ...HOST, lower: 7, netns: 0, name: 'eth0', mtu_bytes: 0, vid: 4094 }],
  ['link_set_name', { ...HOST, ifindex: 7, name: 'eth1' }],
  ['link_set_netns', { ...HOST, ifindex: 7, netns: 0, name: 'eth1' }],
  ['link_set_alias', { ...HOST, ifindex: 7, alias: 'uplink' }],
  ['link_set_alias', { ...HOST, ifindex: 7, alias: '' }],
  ['link_add_ifb', { ...HOST, name: 'ifb1', address: '0a:58:0a:01:02:03', mtu_bytes: 1400 }],
  ['qdisc_add_ingress', { ...HOST, ifindex: 7 }],
  ['qdisc_add_tbf', { ...TBF, rate_low: 125000, rate_high: 0 }],
  ['qdisc_add_tbf', { ...TBF, rate_low: -1, rate_high: 3 }],
  ['qdisc_del', { ...HOST, ifindex: 7, parent: -15, handle: 0x10000 }],
  ['filter_add_redirect', { ...HOST, ifindex: 7, pref: 49152, to: 9 }],
  ['filter_del', { ...HOST, ifindex: 7, pref: 1, handle: -0x7ffff800 }],
  ['fib_rule_add', { ...HOST, src: '10.1.2.3/32', table: 100, priority: 0 }],
  ['fib_rule_del', { ...HOST, src: 'fd00::/64', table: 1000, priority: 7 }],
  ['batch', { ns: 0, messages: BATCH, words: '' }],
];

/** What first asks what kind of link it is. */
const vlanChanges = (ifindex: number): Question[] => {
  const range = { ...HOST, ifindex, vid: 5, vid_end: 9 };
  return [
    ['bridge_vlan_add', { ...range, pvid: 0, untagged: 1 }],
    ['bridge_vlan_add', { ...range, vid_end: 5, pvid: 1, untagged: 0 }],
    ['bridge_vlan_del', range],
  ];
};

/** Operations of the kernel that are in none of these lists, and why. */
const ELSEWHERE = {
  netns_open: 'no messages',
  netns_same: 'no messages',
  netns_id: 'no messages',
  netns_close: 'no messages',
  sysctl_read: 'a file',
  sysctl_write: 'a file',
  link_add_tap: 'a file',
  link_del: 'a child sends it: linger.test.ts',
};

/** Asks that end before anything is sent. */
const refused: Question[] = [
  ['link_get', { ns: 9, name: 'x' }],
  ['link_get', { ...HOST, name: 'x'.repeat(5000) }],
  ['link_get_index', { ...HOST, ifindex: 0 }],
  ['link_del', { ...HOST, ifindex: -1 }],
  ['link_set_address', { ...HOST, ifindex: 7, address: '0a:58:0a:01:02' }],
  ['bridge_vlan_add', { ...HOST, ifindex: 7, vid: 0, vid_end: 0, pvid: 0, untagged: 0 }],
  ['bridge_vlan_del', { ...HOST, ifindex: 7, vid: 2, vid_end: 4095 }],
  ['addr_add', { ...HOST, ifindex: 7, address: '10.1.2.3', nodad: 0 }],
  ['addr_add', { ...HOST, ifindex: 7, address: '10.1.2.256/24', nodad: 0 }],
  ['addr_del', { ...HOST, ifindex: 7, address: 'fd00::1/129' }],
  ['route_add', { ...HOST, ifindex: 7, dst: 'fd00::/8', gw: '10.0.0.1', ...ROUTE }],
  ['route_add', { ...HOST, ifindex: 0, dst: 'fd00::/8', gw: '', ...ROUTE }],
  ['route_get', { ...HOST, dst: 'x' }],
  ['sysctl_read', { ...HOST, key: 'net/../kernel/x' }],
  ['sysctl_read', { ...HOST, key: 'net/' }],
  ['sysctl_read', { ...HOST, key: 'kernel/hostname' }],
  ['sysctl_write', { ...HOST, key: 'net/ipv4/no_such_key', value: '1' }],
  ['batch', { ns: 0, messages: BATCH.subarray(0, 40), words: '' }],
  ['batch', { ns: 0, messages: BATCH.subarray(0, 30), words: '' }],
  ['batch', { ns: 0, messages: new Uint8Array(0), words: '' }],
];

/** Texts of addresses, good and bad, that both must read alike. */
const ADDRESSES = [
  ...[
    '1.2.3.4',
    '01.2.3.4',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.',
    '',
    '.',
    '1..2.3',
    ' 1.2.3.4',
  ],
  ...[
    '::',
    '::1',
    '1::',
    ':1',
    '1:',
    ':::',
    '1:::2',
    '1::2::3',
    '::1.2.3.4',
    '1.2.3.4::',
    '::1.2.3.4:5',
  ],
  ...['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8', '1:2:3:4:5:6:7::8'],
  ...['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:7:1.2.3.4', '12345::', 'g::', 'fe80::1%eth0', 'ABCD::Ef'],
  ...['::ffff:1.2.3.4', '1.2.3.4:', '1:2:3:4:5:6:7:8:9', '1:2:3:4::5:6:7:8', '1:2:3::4:5:6:7:8:9'],
];

let path: string;
let native: NativeDriver;
const netns = `fl-${randomBytes(5).toString('hex')}`;
const recorded: { question: Question; datagrams: Buffer[] }[] = [];

const ip = (...args: string[]) => execFileSync('ip', ['-n', netns, ...args]);

beforeAll(async () => {
  if (needsNft !== '') return;
  path = await buildNativeDriver();
  execFileSync('ip', ['netns', 'add', netns]);
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'br0', 'type', 'bridge');
  ip('link', 'add', 'veth0', 'master', 'br0', 'up', 'type', 'veth', 'peer', 'name', 'veth1');
  ip('link', 'set', 'veth1', 'up');
  ip('link', 'set', 'br0', 'up');
  for (const address of ['10.1.2.3/24', '10.1.2.4/32', 'fd00::3/64']) {
    ip('addr', 'add', address, 'dev', 'br0');
  }
  ip('route', 'add', '10.9.0.0/16', 'via', '10.1.2.1', 'mtu', '1300', 'metric', '7');
  ip('route', 'add', '10.8.0.0/16', 'nexthop', 'via', '10.1.2.1', 'nexthop', 'via', '10.1.2.2');
  ip('route', 'add', 'fd01::/64', 'via', 'fd00::1', 'table', '1000');
  const table = `table inet t {
    chain c { counter comment "a comment"
    }
    chain d { accept
    }
    chain f { type filter hook forward priority -10; policy drop;
    }
    set s { type ipv4_addr
      elements = { 10.0.0.1, 10.0.0.2 comment "two" }
    }
    map m { type ipv4_addr : verdict
      elements = { 10.0.0.1 comment "x" : goto c, 10.0.0.2 : drop }
    }
  }`;
  execFileSync('ip', ['netns', 'exec', netns, 'nft', '-f', '-'], { input: table });
  for (const dport of [53, 54, 55]) {
    const from = `src 192.0.2.2 sport ${dport} dst 192.0.2.1 dport ${dport}`;
    makeFlow(netns, `conntrack udp ${from} reply src 10.1.2.3 sport 53`);
  }
  native = nativeDriver(path, { hostNetns: `/var/run/netns/${netns}` });
  const first = (native.link_get({ ns: 0, name: 'br0' }) as { ifindex: number }).ifindex;
  for (const question of asking(first)) {
    native.real();
    answerOf(native, question);
    recorded.push({ question, datagrams: native.received() });
  }
});

afterAll(async () => {
  await native?.close();
  spawnSync('ip', ['netns', 'del', netns]);
});

/** What a driver answers: a value or the failure. */
function answerOf(driver: Driver, [name, args]: Question): unknown {
  try {
    return (driver[name] as (args: unknown) => unknown)(args) ?? 'done';
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return { errno: error.errno, text: error.text };
  }
}

/** The Node host's driver with these datagrams for a kernel, and what it sends. */
function inTypeScript(question: Question, datagrams: readonly (Buffer | number)[]) {
  const queue = [...datagrams];
  const sent: Buffer[] = [];
  const channel: Channel = {
    send: (bytes) => void sent.push(Buffer.from(bytes)),
    receive: (into) => {
      const next = queue.shift() ?? EAGAIN;
      if (typeof next === 'number') throw Object.assign(new Error('scripted'), { errno: -next });
      next.copy(into);
      const sequence = lastSequence(sent);
      for (let at = 0; at + 4 <= next.length; at += 4) {
        const behind = MARK - into.readUInt32LE(at);
        if (behind >= 0 && behind < 4) into.writeUInt32LE((sequence - behind) >>> 0, at);
      }
      return next.length;
    },
    close: () => {},
  };
  const socket = new NetlinkSocket(channel);
  const spaces = {
    fd: () => 0,
    socket: (ns: number) => {
      if (ns !== 0) throw new OsError(9, `no netns handle ${ns}`);
      return socket;
    },
    inside: (_: number, action: () => unknown) => action(),
  } as unknown as Spaces;
  return { answer: answerOf(netlinkDriver({}, spaces) as unknown as Driver, question), sent };
}

function inC(question: Question, datagrams: readonly (Buffer | number)[]) {
  native.script(datagrams);
  const answer = answerOf(native, question);
  return { answer, sent: native.sent() };
}

function lastSequence(sent: readonly Buffer[]): number {
  const last = sent.at(-1) ?? Buffer.alloc(16);
  let sequence = 0;
  for (let at = 0; at + 16 <= last.length; at += Math.max(16, last.readUInt32LE(at))) {
    sequence = last.readUInt32LE(at + 8);
  }
  return sequence;
}

/** Requests in hex; numbers that differ by nature (of messages, of a descriptor) left out. */
function plain(sent: readonly Buffer[]): string[] {
  return sent.map((bytes) => {
    const copy = Buffer.from(bytes);
    for (let at = 0; at + 16 <= copy.length; at += Math.max(16, copy.readUInt32LE(at))) {
      copy.fill(0, at + 8, at + 12);
    }
    return copy.toString('hex').replace(/08001c00.{8}/, '08001c00 FD');
  });
}

/** Puts MARK where the recorded datagrams have the number of their request. */
function marked(datagrams: readonly Buffer[]): Buffer[] {
  return datagrams.map((one) => {
    const copy = Buffer.from(one);
    for (let at = 0; at + 16 <= copy.length; at += (copy.readUInt32LE(at) + 3) & ~3) {
      copy.writeUInt32LE(MARK, at + 8);
    }
    return copy;
  });
}

let state = 12345;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % below;
}

/** The same datagrams with something wrong: a byte, a length, an end, an order. */
function spoilt(datagrams: readonly Buffer[]): (Buffer | number)[] {
  const all: (Buffer | number)[] = datagrams.map((one) => Buffer.from(one));
  const which = random(all.length);
  const one = all[which] as Buffer;
  for (let times = 1 + random(3); times > 0; times--) {
    const kind = random(6);
    const at = random(one.length);
    if (kind === 0) one[at] = random(256);
    else if (kind === 1) one.writeUInt16LE(random(64), at & ~3 & (one.length - 2));
    else if (kind === 2)
      one.writeUInt32LE(random(2) * 0xffffffff, Math.min(at & ~3, one.length - 4));
    else if (kind === 3) all[which] = one.subarray(0, at);
    else if (kind === 4) all.splice(random(all.length), 0, random(2) ? 105 : 4);
    else all.push(...all.slice(0, 1));
  }
  return all.filter((each) => typeof each === 'number' || each.length > 0);
}

const ack = Buffer.alloc(36);
ack.writeUInt32LE(36, 0);
ack.writeUInt16LE(2, 4);
ack.writeUInt32LE(MARK, 8);

const done = Buffer.alloc(20);
done.writeUInt32LE(20, 0);
done.writeUInt16LE(3, 4);
done.writeUInt32LE(MARK, 8);

/** The RTM_NEWLINK of AF_BRIDGE of a port; `infos` are flags and ids of struct bridge_vlan_info. */
function vlanReply(ifindex: number, infos: readonly number[]): Buffer {
  const spec = Buffer.alloc(4 + infos.length * 4);
  spec.writeUInt16LE(spec.length, 0);
  spec.writeUInt16LE(26, 2);
  for (let at = 0; at < infos.length; at += 2) {
    spec.set([8, 0, 2, 0], 4 + at * 4);
    spec.writeUInt16LE(infos[at]!, 8 + at * 4);
    spec.writeUInt16LE(infos[at + 1]!, 10 + at * 4);
  }
  const head = Buffer.alloc(32);
  head.writeUInt32LE(32 + spec.length, 0);
  head.writeUInt16LE(16, 4);
  head.writeUInt32LE(MARK, 8);
  head.writeUInt32LE(ifindex, 20);
  return Buffer.concat([head, spec]);
}

test('every operation over netlink is in a list', () => {
  const asked = [...asking(1), ...changing, ...vlanChanges(1)].map(([name]) => name);
  const listed = [...new Set(asked), ...Object.keys(ELSEWHERE)].sort();
  const table = OPERATIONS.filter(({ module }) => module === 'kernel' || module === 'nft');
  expect(listed).toEqual(table.map(({ name }) => name).sort());
});

describe.skipIf(needsNft !== '')(`the same over netlink as the Node host ${needsNft}`, () => {
  test('the kernel was asked everything that can be asked', () => {
    for (const { question, datagrams } of recorded) {
      expect([question[0], datagrams.length > 0]).toEqual([question[0], true]);
    }
  });

  test('requests, byte for byte', () => {
    for (const question of [...recorded.map((one) => one.question), ...changing]) {
      const [ours, theirs] = [inC(question, [ack]), inTypeScript(question, [ack])];
      expect([question[0], plain(ours.sent)]).toEqual([question[0], plain(theirs.sent)]);
      expect(ours.sent.length, question[0]).toBeGreaterThan(0);
    }
  });

  test('what is refused before it is sent, with its words', () => {
    for (const question of refused) {
      const [ours, theirs] = [inC(question, []), inTypeScript(question, [])];
      expect([question, ours]).toEqual([question, theirs]);
      expect(ours.sent).toEqual([]);
    }
  });

  test('texts of addresses', () => {
    for (const text of ADDRESSES.flatMap((one) => [one, `${one}/8`, `${one}/33`, `${one}/08`])) {
      for (const question of [
        ['route_get', { ...HOST, dst: text }],
        ['addr_add', { ...HOST, ifindex: 7, address: text, nodad: 0 }],
      ] satisfies Question[]) {
        const [ours, theirs] = [inC(question, [ack]), inTypeScript(question, [ack])];
        expect([text, ours.answer, plain(ours.sent)]).toEqual([
          text,
          theirs.answer,
          plain(theirs.sent),
        ]);
      }
    }
  });

  test('replies of the kernel', () => {
    for (const { question, datagrams } of recorded) {
      const script = marked(datagrams);
      const theirs = inTypeScript(question, script);
      expect([question, inC(question, script).answer]).toEqual([question, theirs.answer]);
    }
  });

  test('VLANs of bridges, which a kernel may lack', () => {
    const [bridge] = recorded.filter(({ question }) => question[0] === 'link_get_index');
    const { ifindex } = bridge!.question[1] as { ifindex: number };
    const known = marked(bridge!.datagrams);
    for (const question of vlanChanges(ifindex)) {
      const [ours, theirs] = [
        [...known, ack],
        [...known, ack],
      ].map((script, at) => (at === 0 ? inC : inTypeScript)(question, script));
      expect([ours!.answer, plain(ours!.sent)]).toEqual([theirs!.answer, plain(theirs!.sent)]);
      expect(ours!.sent).toHaveLength(2);
    }
    const list: Question = ['bridge_vlan_list', { ...HOST, ifindex }];
    const vlans = (...infos: number[]) => Buffer.concat([vlanReply(ifindex, infos), done]);
    const [pvid, first, last] = [6, 8, 16];
    for (const script of [
      vlans(pvid, 1, first | 4, 10, last | 4, 12, 0, 5),
      vlans(first, 1, last, 4094),
      vlans(first, 1, last, 4094, first, 1, last, 4094),
      vlans(first, 9, last, 5, 0, 4095),
    ]) {
      expect(inC(list, [script]).answer).toEqual(inTypeScript(list, [script]).answer);
    }
  });

  test('replies cut anywhere', () => {
    for (const { question, datagrams } of recorded) {
      const [first, ...rest] = marked(datagrams) as [Buffer, ...Buffer[]];
      for (let length = 1; length < first.length; length += 1 + (length >> 6)) {
        const cut = Buffer.from(first.subarray(0, length));
        // The same with a header that owns up to the length: only the attributes are cut.
        const owned = Buffer.from(cut);
        if (length >= 4) owned.writeUInt32LE(length, 0);
        for (const script of [
          [cut, ...rest],
          [owned, ...rest],
        ]) {
          const theirs = inTypeScript(question, script);
          expect([question, length, inC(question, script).answer]).toEqual([
            question,
            length,
            theirs.answer,
          ]);
        }
      }
    }
  });

  test('replies with something wrong', () => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const { question, datagrams } of recorded) {
        const script = spoilt(marked(datagrams));
        const theirs = inTypeScript(question, script);
        const ours = inC(question, script);
        const told = JSON.stringify(
          script.map((one) => (typeof one === 'number' ? one : one.toString('hex'))),
        );
        expect([question, ours.answer], told).toEqual([question, theirs.answer]);
      }
    }
  });

  test('verdicts on a batch', () => {
    const question = changing.at(-1) as Question;
    const verdict = (behind: number, errno: number) => {
      const one = Buffer.from(ack);
      one.writeUInt32LE(MARK - behind, 8);
      one.writeInt32LE(-errno, 16);
      return one;
    };
    const scripts = [
      [verdict(1, 0)],
      [verdict(2, 2), verdict(1, 17)],
      [Buffer.concat([verdict(2, 2), verdict(1, 0)])],
      [verdict(3, 95)],
      [verdict(3, 0)],
      [verdict(2, 2)],
    ];
    for (const script of scripts) {
      expect(inC(question, script).answer).toEqual(inTypeScript(question, script).answer);
    }
    // An acknowledgement of the end is none of a change: both wait for more, in vain.
    for (const script of [[ack], [], [4, 105], [Buffer.alloc(40, 0xff)]]) {
      expect(inC(question, script).answer).toEqual(inTypeScript(question, script).answer);
    }
  });
});
