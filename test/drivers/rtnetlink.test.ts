// SPDX-License-Identifier: Apache-2.0
// The wire format alone: bytes out, values in, and what a reply that lies does. No kernel.

import { describe, expect, test } from 'vitest';
import { OsError, type PortVlan, type Route } from '../../host-node/abi/index.ts';
import { type Channel, command, dumpOf, NetlinkSocket } from '../../host-node/sys/netlink.ts';
import * as rt from '../../host-node/sys/rtnetlink/index.ts';

const EBADMSG = 74;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const le16 = (value: number) => [value & 0xff, (value >> 8) & 0xff];
const le32 = (value: number) => [...le16(value), ...le16(value >>> 16)];

/** A message as the kernel would send it. */
function message(type: number, flags: number, sequence: number, body: number[]): Buffer {
  const header = [...le32(16 + body.length), ...le16(type), ...le16(flags), ...le32(sequence)];
  return Buffer.from([...header, ...le32(0), ...body]);
}

function attr(type: number, body: number[]): number[] {
  const padding = new Array((4 - (body.length & 3)) & 3).fill(0);
  return [...le16(4 + body.length), ...le16(type), ...body, ...padding];
}

const text = (value: string) => [...Buffer.from(`${value}\0`)];
const ifinfo = (ifindex: number, flags = 0) => [
  0,
  0,
  1,
  0,
  ...le32(ifindex),
  ...le32(flags),
  ...le32(0),
];

function only(bytes: Buffer): rt.Message {
  const all: rt.Message[] = [];
  rt.eachMessage(bytes, bytes.length, (one) => all.push(one));
  expect(all).toHaveLength(1);
  return all[0]!;
}

function errnoOf(action: () => unknown): number {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OsError);
    return (error as OsError).errno;
  }
  return 0;
}

/** A socket whose replies are scripted by the sequence number of each request. */
function scripted(answer: (sequence: number, sent: number) => (Buffer | number)[]) {
  const queue: (Buffer | number)[] = [];
  const sent: string[] = [];
  const channel: Channel = {
    send: (bytes) => {
      sent.push(hex(bytes));
      queue.push(...answer(Buffer.from(bytes).readUInt32LE(8), sent.length));
    },
    receive: (into) => {
      const next = queue.shift();
      if (next === undefined) throw Object.assign(new Error('EAGAIN'), { errno: -11 });
      if (typeof next === 'number') throw Object.assign(new Error('scripted'), { errno: -next });
      next.copy(into);
      return next.length;
    },
    close: () => {},
  };
  return { socket: new NetlinkSocket(channel), sent };
}

const ack = (sequence: number, errno = 0) =>
  message(rt.NLMSG_ERROR, rt.NLM_F_CAPPED, sequence, [...le32(-errno), ...new Array(16).fill(0)]);
const done = (sequence: number, flags = 0) => message(rt.NLMSG_DONE, flags, sequence, le32(0));
const linkOf = (sequence: number, ifindex: number, flags = 2) =>
  message(rt.RTM_NEWLINK, flags, sequence, [
    ...ifinfo(ifindex),
    ...attr(rt.IFLA_IFNAME, text('x')),
  ]);

describe('requests', () => {
  test('a link is brought up by one ifinfomsg', () => {
    const request = new rt.Request().begin(rt.RTM_NEWLINK, rt.NLM_F_ACK);
    const bytes = request.ifinfomsg(rt.AF_UNSPEC, 7, rt.IFF_UP, rt.IFF_UP).seal(9);
    expect(hex(bytes)).toBe(
      '20000000 1000 0500 09000000 00000000 00 00 0000 07000000 01000000 01000000'.replaceAll(
        ' ',
        '',
      ),
    );
  });

  test('attributes are nested, their lengths exact and their ends padded', () => {
    const request = new rt.Request().begin(rt.RTM_NEWLINK, rt.NLM_F_ACK);
    request.ifinfomsg(rt.AF_UNSPEC, 0, 0, 0).attrText(rt.IFLA_IFNAME, 'br0');
    const info = request.nest(rt.IFLA_LINKINFO);
    request.attrText(rt.IFLA_INFO_KIND, 'bridge');
    const data = request.nest(rt.IFLA_INFO_DATA);
    const bytes = request.attrU8(rt.IFLA_BR_VLAN_FILTERING, 1).end(data).end(info).seal(1);
    expect(hex(bytes.subarray(32))).toBe(
      '08000300 62723000 1c001280 0b000100 62726964676500 00 0c000280 05000700 01000000'.replaceAll(
        ' ',
        '',
      ),
    );
    expect(bytes.length).toBe(Buffer.from(bytes).readUInt32LE(0));
  });

  test('a table over 255 is not squeezed into its byte', () => {
    const dst = rt.parsePrefix('10.0.0.0/8');
    const bytes = new rt.Request().begin(rt.RTM_NEWROUTE, 0).rtmsg(dst, 1000, 3, 253, 1).seal(1);
    expect(hex(bytes.subarray(16))).toBe('02080000fc03fd0100000000');
  });

  test('a negative number is its unsigned value', () => {
    const bytes = new rt.Request().begin(rt.RTM_NEWROUTE, 0).attrU32(rt.RTA_PRIORITY, -2).seal(1);
    expect(hex(bytes.subarray(16))).toBe('08000600feffffff');
  });

  test('a request that does not fit, or a name with a NUL, is refused', () => {
    const request = new rt.Request().begin(rt.RTM_NEWLINK, 0);
    expect(errnoOf(() => request.attrText(rt.IFLA_IFNAME, 'x'.repeat(5000)))).toBe(90);
    expect(errnoOf(() => request.begin(16, 0).attrText(rt.IFLA_IFNAME, 'a\0b'))).toBe(22);
  });
});

describe('addresses as text', () => {
  test.each([
    ['10.1.2.3', '0a010203'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['fd00::1:0:0:2', 'fd000000000000000001000000000002'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['1:2:3:4:5:6:7:0', '00010002000300040005000600070000'],
    ['::ffff:10.1.2.3', '00000000000000000000ffff0a010203'],
  ])('%s there and back', (address, bytes) => {
    expect(hex(rt.parseIp(address))).toBe(bytes);
    expect(rt.formatIp(rt.parseIp(address))).toBe(address);
  });

  test('forms that are not canonical are read', () => {
    expect(rt.formatIp(rt.parseIp('FD00:0:0:0:0:0:0:1'))).toBe('fd00::1');
    expect(rt.formatIp(rt.parseIp('0:0:1::'))).toBe('0:0:1::');
  });

  test.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', ':', ':::', '1::2::3', '12345::'])(
    '%j is refused',
    (address) => expect(errnoOf(() => rt.parseIp(address))).toBe(22),
  );

  test.each([
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7::8',
    'fe80::1%eth0',
    'g::',
  ])('%j is refused too', (address) => expect(errnoOf(() => rt.parseIp(address))).toBe(22));

  test.each(['10.0.0.1', '10.0.0.1/', '10.0.0.1/33', '10.0.0.1/-1', '10.0.0.1/08', '::/129', '/8'])(
    'the prefix %j is refused',
    (address) => expect(errnoOf(() => rt.parsePrefix(address))).toBe(22),
  );

  test.each([
    ['10.1.2.3/24', '10.1.2.255'],
    ['10.1.2.3/30', '10.1.2.3'],
    ['10.1.2.3/12', '10.15.255.255'],
    ['0.0.0.0/0', '255.255.255.255'],
  ])('the broadcast address of %s is %s', (prefix, broadcast) => {
    expect(rt.formatIp(rt.broadcastOf(rt.parsePrefix(prefix)))).toBe(broadcast);
  });

  test('a hardware address is six pairs', () => {
    expect(rt.formatHardware(rt.parseHardware('0A:58:0a:01:02:03'))).toBe('0a:58:0a:01:02:03');
    for (const bad of [
      '',
      '0a:58:0a:01:02',
      '0a:58:0a:01:02:03:04',
      '0a-58-0a-01-02-03',
      'zz:58:0a:01:02:03',
    ]) {
      expect(errnoOf(() => rt.parseHardware(bad))).toBe(22);
    }
  });
});

describe('replies', () => {
  const info = [
    ...attr(rt.IFLA_INFO_KIND, text('veth')),
    ...attr(rt.IFLA_INFO_DATA, attr(rt.IFLA_BR_VLAN_FILTERING, [1])),
  ];
  const link = message(rt.RTM_NEWLINK, 0, 1, [
    ...ifinfo(5, rt.IFF_UP | rt.IFF_PROMISC),
    ...attr(rt.IFLA_IFNAME, text('eth0')),
    ...attr(rt.IFLA_ADDRESS, [0x0a, 0x58, 0x0a, 1, 2, 3]),
    ...attr(rt.IFLA_MTU, le32(1500)),
    ...attr(rt.IFLA_TXQLEN, le32(1000)),
    ...attr(rt.IFLA_LINK, le32(4)),
    ...attr(rt.IFLA_MASTER, le32(3)),
    ...attr(rt.IFLA_OPERSTATE, [6]),
    ...attr(rt.IFLA_LINKINFO, info),
  ]);

  test('a link', () => {
    expect(rt.parseLink(only(link))).toEqual({
      ifindex: 5,
      name: 'eth0',
      kind: 'veth',
      address: '0a:58:0a:01:02:03',
      mtu_bytes: 1500,
      up: true,
      promisc: true,
      allmulti: false,
      txqlen: 1000,
      operstate: 'up',
      table: 0,
      lower: 0,
      mode: '',
      vid: 0,
      alias: '',
      permaddr: '',
      master: 3,
      peer: 4,
      // The data of another kind has another meaning.
      vlan_filtering: false,
    });
  });

  test('what a dry run needs of a link beside', () => {
    const port = [
      ...attr(rt.IFLA_INFO_SLAVE_KIND, text('bridge')),
      ...attr(rt.IFLA_INFO_SLAVE_DATA, attr(rt.IFLA_BRPORT_ISOLATED, [1])),
    ];
    const other = [
      ...attr(rt.IFLA_INFO_SLAVE_KIND, text('bond')),
      ...attr(rt.IFLA_INFO_SLAVE_DATA, attr(rt.IFLA_BRPORT_ISOLATED, [1])),
    ];
    const extra = (flags: number, attrs: number[]) =>
      rt.parseLinkExtra(only(message(rt.RTM_NEWLINK, 0, 1, [...ifinfo(5, flags), ...attrs])));
    const none = { loopback: false, peer_nsid: -1, hairpin: false, isolated: false };
    expect(extra(0, attr(rt.IFLA_LINKINFO, info))).toEqual(none);
    expect(extra(rt.IFF_LOOPBACK, [])).toEqual({ ...none, loopback: true });
    expect(extra(0, attr(rt.IFLA_LINK_NETNSID, le32(3)))).toEqual({ ...none, peer_nsid: 3 });
    expect(extra(0, attr(rt.IFLA_LINKINFO, port))).toEqual({ ...none, isolated: true });
    // The data of another master's port has another meaning.
    expect(extra(0, attr(rt.IFLA_LINKINFO, other))).toEqual(none);
  });

  test('a link cut anywhere is EBADMSG or has lost whole attributes, and never hangs', () => {
    for (let length = 0; length < link.length; length++) {
      const cut = Buffer.from(link.subarray(0, length));
      expect(errnoOf(() => rt.eachMessage(cut, length, rt.parseLink))).toBe(EBADMSG);
      if (length < 16) continue;
      // The same with a header that owns up to the length: only the attributes are cut.
      cut.writeUInt32LE(length, 0);
      const errno = errnoOf(() => rt.eachMessage(cut, length, rt.parseLink));
      if (errno !== 0) expect(errno).toBe(EBADMSG);
    }
  });

  test('a link with any byte spoilt is read, or EBADMSG', () => {
    for (let at = 0; at < link.length; at++) {
      for (const value of [0, 1, 3, 0x7f, 0xff]) {
        const spoilt = Buffer.from(link);
        spoilt[at] = value;
        const errno = errnoOf(() => rt.eachMessage(spoilt, spoilt.length, rt.parseLink));
        if (errno !== 0) expect(errno).toBe(EBADMSG);
      }
    }
  });

  test('noise is EBADMSG for every parser, or read as something', () => {
    let state = 12345;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    };
    const parsers: ((one: rt.Message) => unknown)[] = [
      rt.parseLink,
      rt.parseVerdict,
      rt.parseLinkExtra,
      rt.parseNsid,
      rt.parseRouteHops,
      rt.linkMaster,
      (one) => rt.parsePortVlans(one, []),
      (one) => rt.parseAddress(one, 1, []),
      (one) => rt.parseRoute(one, rt.AF_INET, 1, []),
      rt.parseRouteTo,
      (one) => rt.parseFibRule(one, []),
    ];
    for (let round = 0; round < 2000; round++) {
      const body = Array.from({ length: random() }, random);
      // Small numbers make lengths that nearly fit.
      const small = body.map((value) => (value & 1 ? value & 31 : 0));
      const noise = message(random() & 3, random() << 4, 1, round & 1 ? body : small);
      for (const parse of parsers) {
        const errno = errnoOf(() => rt.eachMessage(noise, noise.length, parse));
        if (errno !== 0) expect(errno).toBe(EBADMSG);
      }
    }
  });

  test('a length of zero does not stand still', () => {
    const zero = Buffer.alloc(64);
    expect(errnoOf(() => rt.eachMessage(zero, 64, () => {}))).toBe(EBADMSG);
    const span = new rt.Span(zero, 0, 64);
    expect(errnoOf(() => rt.eachAttr(span, () => {}))).toBe(EBADMSG);
    expect(errnoOf(() => rt.eachMessage(zero, 100, () => {}))).toBe(EBADMSG);
  });

  test('VLAN ranges are spread out', () => {
    const vlan = (flags: number, vid: number) =>
      attr(rt.IFLA_BRIDGE_VLAN_INFO, [...le16(flags), ...le16(vid)]);
    const reply = message(rt.RTM_NEWLINK, 0, 1, [
      ...ifinfo(5),
      ...attr(rt.IFLA_AF_SPEC | 0x8000, [...vlan(6, 1), ...vlan(8 | 4, 10), ...vlan(16 | 4, 12)]),
    ]);
    const vlans: PortVlan[] = [];
    rt.parsePortVlans(only(reply), vlans);
    expect(vlans).toEqual([
      { vid: 1, pvid: true, untagged: true },
      { vid: 10, pvid: false, untagged: true },
      { vid: 11, pvid: false, untagged: true },
      { vid: 12, pvid: false, untagged: true },
    ]);
  });

  test('VLAN ranges that come again and again are no list', () => {
    const vlan = (flags: number, vid: number) =>
      attr(rt.IFLA_BRIDGE_VLAN_INFO, [...le16(flags), ...le16(vid)]);
    const all = [...vlan(8, 1), ...vlan(16, 4094)];
    const reply = (body: number[]) =>
      only(message(rt.RTM_NEWLINK, 0, 1, [...ifinfo(5), ...attr(rt.IFLA_AF_SPEC | 0x8000, body)]));
    const vlans: PortVlan[] = [];
    rt.parsePortVlans(reply(all), vlans);
    expect(vlans).toHaveLength(4094);
    expect(errnoOf(() => rt.parsePortVlans(reply([...all, ...vlan(4, 7)]), []))).toBe(EBADMSG);
  });

  test('of a multipath route only the hops by this link count', () => {
    const hop = (ifindex: number, gw: number[]) => {
      const attrs = attr(rt.RTA_GATEWAY, gw);
      return [...le16(8 + attrs.length), 0, 0, ...le32(ifindex), ...attrs];
    };
    const hops = [...hop(7, [10, 0, 0, 1]), ...hop(8, [10, 0, 0, 2]), ...hop(7, [10, 0, 0, 3])];
    const body = [2, 8, 0, 0, 254, 3, 0, 1, ...le32(0), ...attr(rt.RTA_DST, [10, 0, 0, 0])];
    const routes: Route[] = [];
    const reply = message(rt.RTM_NEWROUTE, 0, 1, [...body, ...attr(rt.RTA_MULTIPATH, hops)]);
    rt.parseRoute(only(reply), rt.AF_INET, 7, routes);
    expect(routes.map((route) => `${route.dst} ${route.gw}`)).toEqual([
      '10.0.0.0/8 10.0.0.1',
      '10.0.0.0/8 10.0.0.3',
    ]);
    expect(rt.parseRouteTo(only(reply))).toMatchObject({ ifindex: 7, gw: '10.0.0.1' });
    const lying = message(rt.RTM_NEWROUTE, 0, 1, [
      ...body,
      ...attr(rt.RTA_MULTIPATH, [...le16(0), 0, 0, ...le32(7)]),
    ]);
    expect(errnoOf(() => rt.parseRoute(only(lying), rt.AF_INET, 7, []))).toBe(EBADMSG);
    expect(errnoOf(() => rt.parseRouteTo(only(lying)))).toBe(EBADMSG);
  });

  test('an error brings its text, after a whole or a capped copy of the request', () => {
    const words = attr(1, text('no such thing'));
    const header = [...le32(20), ...new Array(12).fill(0)];
    const capped = message(rt.NLMSG_ERROR, 0x300, 1, [...le32(-19), ...header, ...words]);
    const whole = message(rt.NLMSG_ERROR, 0x200, 1, [
      ...le32(-19),
      ...header,
      0,
      0,
      0,
      0,
      ...words,
    ]);
    for (const reply of [capped, whole]) {
      expect(rt.parseVerdict(only(reply))).toMatchObject({ errno: 19, text: 'no such thing' });
    }
    const dumped = message(rt.NLMSG_DONE, 0x202, 1, [...le32(-19), ...words]);
    expect(rt.parseVerdict(only(dumped))).toMatchObject({ errno: 19, text: 'no such thing' });
    const lying = message(rt.NLMSG_ERROR, 0x200, 1, [...le32(-19), ...le32(-1), ...words]);
    expect(errnoOf(() => rt.parseVerdict(only(lying)))).toBe(EBADMSG);
  });
});

describe('exchanges', () => {
  const list = (socket: NetlinkSocket) =>
    socket.dump<number>(dumpOf(rt.RTM_GETLINK).ifinfomsg(0, 0, 0, 0), (one, into) => {
      into.push(rt.linkIndex(one));
    });

  test('replies to an older request are passed over', () => {
    const { socket } = scripted((n) => [linkOf(n - 1, 99), ack(n - 1, 5), linkOf(n, 1), ack(n)]);
    expect(socket.get(command(rt.RTM_GETLINK), rt.linkIndex)).toBe(1);
    expect(socket.broken).toBe(false);
  });

  test('an interrupted dump is asked for again, five times in all', () => {
    const good = scripted((n, sent) => [linkOf(n, sent), done(n, sent < 5 ? 0x10 : 0)]);
    expect(list(good.socket)).toEqual([5]);
    const never = scripted((n) => [linkOf(n, 1, 0x12), done(n)]);
    expect(errnoOf(() => list(never.socket))).toBe(4);
    expect(never.sent).toHaveLength(5);
  });

  test('a dump that overran the socket is asked for again', () => {
    const { socket } = scripted((n, sent) =>
      sent === 1 ? [linkOf(n, 1), 105, done(n)] : [linkOf(n, 1), linkOf(n, 2), done(n)],
    );
    expect(list(socket)).toEqual([1, 2]);
  });

  test('a signal does not end a read', () => {
    const { socket } = scripted((n) => [4, 4, ack(n)]);
    socket.run(command(rt.RTM_NEWLINK));
  });

  test('a change whose reply is lost fails, once sent', () => {
    const overrun = scripted(() => [105]);
    expect(errnoOf(() => overrun.socket.run(command(rt.RTM_NEWLINK)))).toBe(105);
    expect(overrun.sent).toHaveLength(1);
    expect(overrun.socket.broken).toBe(true);
    const silent = scripted(() => []);
    expect(errnoOf(() => silent.socket.run(command(rt.RTM_NEWLINK)))).toBe(110);
  });

  test('a batch: the first error counts, whole when the last change is acknowledged', () => {
    // Begin, two changes, end: numbered on by the socket from where it was.
    const batch = () =>
      Buffer.concat([16, 2568, 2568, 17].map((type, at) => message(type, 1, at, le32(0))));
    const good = scripted((n) => [ack(n + 2)]);
    good.socket.transact(batch());
    expect(good.sent).toEqual([
      hex(Buffer.concat([16, 2568, 2568, 17].map((type, at) => message(type, 1, at + 1, le32(0))))),
    ]);
    good.socket.transact(batch());
    const both = scripted((n) => [ack(n + 1, 2), ack(n + 2, 17)]);
    expect(errnoOf(() => both.socket.transact(batch()))).toBe(2);
    expect(both.socket.broken).toBe(false);
    // Refused as a whole: whether acknowledgements of the rest follow, nobody knows.
    const whole = scripted((n) => [ack(n, 95)]);
    expect(errnoOf(() => whole.socket.transact(batch()))).toBe(95);
    expect(whole.socket.broken).toBe(true);
    const silent = scripted(() => []);
    expect(errnoOf(() => silent.socket.transact(batch()))).toBe(110);
    expect(silent.socket.broken).toBe(true);
    expect(errnoOf(() => good.socket.transact(batch().subarray(0, 40)))).toBe(22);
  });

  test('a malformed reply breaks the socket, a refusal does not', () => {
    const garbage = scripted(() => [Buffer.alloc(40, 0xff)]);
    expect(errnoOf(() => garbage.socket.run(command(rt.RTM_NEWLINK)))).toBe(EBADMSG);
    expect(garbage.socket.broken).toBe(true);
    const refused = scripted((n) => [ack(n, 17)]);
    expect(errnoOf(() => refused.socket.run(command(rt.RTM_NEWLINK)))).toBe(17);
    expect(refused.socket.broken).toBe(false);
  });
});
