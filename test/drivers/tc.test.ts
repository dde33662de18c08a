// SPDX-License-Identifier: Apache-2.0
// Traffic control: the operations on real namespaces with tc(8) as judge, and parsers on replies
// that lie.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Link, OsError, type Qdisc } from '../../host-node/abi/index.ts';
import { netlinkDriver } from '../../host-node/drivers/netlink.ts';
import * as rt from '../../host-node/sys/rtnetlink/index.ts';
import { parseFilter, parseQdisc } from '../../host-node/sys/tc.ts';
import { needsRoot } from '../support/needs.ts';

const EBADMSG = 74;
const [ROOT, INGRESS] = [-1, -15];
const HANDLE = 0x10000;

// biome-ignore lint/suspicious/noExplicitAny: what tc prints has no type
type Json = any;

describe.skipIf(needsRoot !== '')(`on the real kernel ${needsRoot}`.trimEnd(), () => {
  let netns: string;
  let kernel: ReturnType<typeof netlinkDriver>;
  let ifindex: number;
  beforeEach(() => {
    netns = `fl-tc-${randomBytes(5).toString('hex')}`;
    execFileSync('ip', ['netns', 'add', netns]);
    execFileSync('ip', ['-n', netns, 'link', 'add', 'v0', 'up', 'type', 'veth', 'peer', 'v1']);
    kernel = netlinkDriver({ hostNetns: `/run/netns/${netns}` });
    ifindex = (kernel.link_get({ ns: 0, name: 'v0' }) as Link).ifindex;
  });
  afterEach(() => {
    kernel.close();
    spawnSync('ip', ['netns', 'del', netns]);
  });
  const tc = (...args: string[]): Json =>
    JSON.parse(execFileSync('tc', ['-j', '-r', '-n', netns, ...args], { encoding: 'utf8' }));
  const root = (): Json => tc('qdisc', 'show', 'dev', 'v0')[0];
  const tbf = (more: Record<string, number> = {}) =>
    kernel.qdisc_add_tbf({
      ns: 0,
      ifindex,
      handle: HANDLE,
      rate_low: 125000,
      rate_high: 0,
      limit_bytes: 13125,
      buffer_ticks: 156250,
      ...more,
    });

  test('a bucket as tc shows it, and a rate of more than 32 bits', () => {
    tbf();
    expect(root()).toMatchObject({ kind: 'tbf', handle: '1:', root: true });
    expect(root().options).toMatchObject({ rate: 125000, limit: 13125, burst_raw: '2625a' });
    const shown = { kind: 'tbf', handle: HANDLE, rate: 125000, limit: 13125, buffer: 156250 };
    expect(kernel.qdisc_get({ ns: 0, ifindex, parent: ROOT })).toEqual(shown);
    kernel.qdisc_del({ ns: 0, ifindex, parent: ROOT, handle: HANDLE });
    expect(root().kind).toBe('noqueue');
    tbf({ rate_low: 7, rate_high: 3, buffer_ticks: -1, limit_bytes: -1 });
    const rate = 3 * 2 ** 32 + 7;
    expect(root().options).toMatchObject({ rate, burst_raw: 'ffffffff', limit: 0xffffffff });
    const large = { rate, limit: 0xffffffff, buffer: 0xffffffff };
    expect(kernel.qdisc_get({ ns: 0, ifindex, parent: ROOT })).toMatchObject(large);
  });

  test('an ifb with its address, and everything that comes in is sent there', () => {
    const address = '02:fa:00:00:00:07';
    kernel.link_add_ifb({ ns: 0, name: 'i0', address, mtu_bytes: 1400 });
    const text = execFileSync('ip', ['-n', netns, '-j', '-d', 'link', 'show', 'i0']);
    const [link]: Json[] = JSON.parse(String(text));
    expect(link).toMatchObject({ address, mtu: 1400, linkinfo: { info_kind: 'ifb' } });
    expect(link.flags).toContain('UP');
    expect(link.txqlen).toBeUndefined();
    const to = (kernel.link_get({ ns: 0, name: 'i0' }) as Link).ifindex;
    kernel.qdisc_add_ingress({ ns: 0, ifindex });
    const ingress = kernel.qdisc_get({ ns: 0, ifindex, parent: INGRESS }) as Qdisc;
    expect(ingress).toMatchObject({ kind: 'ingress', handle: 0xffff0000 });
    kernel.filter_add_redirect({ ns: 0, ifindex, pref: 49152, to });
    const node = tc('filter', 'show', 'dev', 'v0', 'ingress').at(-1);
    expect(node).toMatchObject({ pref: 49152, protocol: 'all', kind: 'u32' });
    expect(node.options).toMatchObject({ match: { value: '0', mask: '0' }, flowid: '1:1' });
    const redirect = { mirred_action: 'redirect', direction: 'egress', to_dev: 'i0' };
    expect(node.options.actions).toMatchObject([
      { ...redirect, control_action: { type: 'stolen' } },
    ]);
    const list = kernel.filter_list({ ns: 0, ifindex });
    expect(list).toContainEqual({ pref: 49152, kind: 'u32', handle: 0x80000800, to });
    kernel.filter_del({ ns: 0, ifindex, pref: 49152, handle: 0x80000800 | 0 });
    expect(kernel.filter_list({ ns: 0, ifindex })).toEqual([]);
  });

  test("somebody else's filters and qdiscs are told, whatever they do", () => {
    execFileSync('tc', ['-n', netns, 'qdisc', 'add', 'dev', 'v0', 'clsact']);
    execFileSync('tc', ['-n', netns, 'qdisc', 'add', 'dev', 'v0', 'root', 'handle', '7:', 'pfifo']);
    const filter = ['filter', 'add', 'dev', 'v0', 'ingress', 'protocol', 'ip', 'pref', '3', 'u32'];
    execFileSync('tc', ['-n', netns, ...filter, 'match', 'ip', 'dst', '10.0.0.0/8']);
    const other = { rate: 0, limit: 0, buffer: 0 };
    const clsact = { kind: 'clsact', handle: 0xffff0000, ...other };
    expect(kernel.qdisc_get({ ns: 0, ifindex, parent: INGRESS })).toEqual(clsact);
    const pfifo = { kind: 'pfifo', handle: 0x70000, ...other };
    expect(kernel.qdisc_get({ ns: 0, ifindex, parent: ROOT })).toEqual(pfifo);
    const told = { pref: 3, kind: 'u32', handle: 0x80000800, to: 0 };
    expect(kernel.filter_list({ ns: 0, ifindex })).toContainEqual(told);
  });
});

const le16 = (value: number) => [value & 0xff, (value >> 8) & 0xff];
const le32 = (value: number) => [...le16(value), ...le16(value >>> 16)];
function attr(type: number, body: number[]): number[] {
  const padding = new Array((4 - (body.length & 3)) & 3).fill(0);
  return [...le16(4 + body.length), ...le16(type), ...body, ...padding];
}
const text = (value: string) => [...Buffer.from(`${value}\0`)];
function reply(handle: number, info: number, ...attrs: number[][]): Buffer {
  const tcmsg = [...le32(0), ...le32(5), ...le32(handle), ...le32(0), ...le32(info)];
  const body = [...tcmsg, ...attrs.flat()];
  return Buffer.from([...le32(16 + body.length), ...le32(36), ...le32(1), ...le32(0), ...body]);
}
/** What a parser makes of a datagram: its value as text, or the errno. */
function outcome(bytes: Buffer, parse: (message: rt.Message) => unknown): string {
  let result = 'nothing';
  try {
    rt.eachMessage(bytes, bytes.length, (one) => {
      result = JSON.stringify(parse(one));
    });
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return `errno ${error.errno}`;
  }
  return result;
}

describe('replies', () => {
  const parms = [...new Array(8).fill(0), ...le32(9), ...new Array(12).fill(0), ...le32(7)];
  const options = [
    ...attr(1, [...parms, ...le32(8), ...le32(0)]),
    ...attr(4, [1, 0, 0, 0, 2, 0, 0, 0]),
  ];
  const qdisc = reply(HANDLE, 0, attr(1, text('tbf')), attr(2, options));
  const mirred = [...new Array(20).fill(0), ...le32(1), ...le32(6)];
  const action = attr(1, [...attr(1, text('mirred')), ...attr(2, attr(2, mirred))]);
  const filter = reply(0x800, 0x30003, attr(1, text('u32')), attr(2, attr(7, action)));

  test('a qdisc and a filter', () => {
    const rate = 2 * 2 ** 32 + 1;
    const told = { kind: 'tbf', handle: HANDLE, rate, limit: 7, buffer: 8 };
    expect(outcome(qdisc, parseQdisc)).toBe(JSON.stringify(told));
    const redirect = { pref: 3, kind: 'u32', handle: 0x800, to: 6 };
    expect(outcome(filter, parseFilter)).toBe(JSON.stringify(redirect));
  });

  test('an action of another kind, or a mirred that only copies, redirects nothing', () => {
    const of = (kind: string, eaction: number) => {
      const parms2 = [...new Array(20).fill(0), ...le32(eaction), ...le32(6)];
      const one = attr(1, [...attr(1, text(kind)), ...attr(2, attr(2, parms2))]);
      return outcome(reply(0x800, 0, attr(1, text('u32')), attr(2, attr(7, one))), parseFilter);
    };
    expect(JSON.parse(of('mirred', 1)).to).toBe(6);
    expect(JSON.parse(of('mirred', 2)).to).toBe(0);
    expect(JSON.parse(of('gact', 1)).to).toBe(0);
  });

  test.each([
    ['qdisc', qdisc, parseQdisc],
    ['filter', filter, parseFilter],
  ] as const)('a %s cut anywhere or with any byte spoilt is EBADMSG or read', (_, whole, parse) => {
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      const cut = Buffer.from(whole.subarray(0, at));
      if (at >= 4) cut.writeUInt32LE(at, 0);
      const spoilt = Buffer.from(whole);
      spoilt[at] = ~spoilt[at]! & 0xff;
      for (const bytes of [cut, spoilt]) {
        const told = outcome(bytes, parse);
        if (told.startsWith('errno')) {
          expect(told).toBe(`errno ${EBADMSG}`);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(whole.length / 4);
  });
});
