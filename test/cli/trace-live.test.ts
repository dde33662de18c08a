// SPDX-License-Identifier: Apache-2.0
// What is made of nftables' trace, without a kernel: of whose packet it is, of its way hook by
// hook, and of an end that no rule is to blame for. test/e2e/trace-live.test.ts has the kernel's.
import { expect, test } from 'vitest';
import { printedLive } from '../../host-node/cli/trace-report.ts';
import { firstPacket, type Known, passagesOf } from '../../host-node/story/seen.ts';
import { type Ended, seenEnd } from '../../host-node/story/seen-end.ts';
import { parseTrace, type Traced } from '../../host-node/sys/nftrace.ts';
import { eachMessage } from '../../host-node/sys/rtnetlink/index.ts';

const KNOWN: Known = {
  table: 'ours',
  ports: true,
  hookOf: (_, table, chain) => (table === 'mine' && chain === 'fw' ? 'forward' : undefined),
  linkOf: (ifindex) => (ifindex === 0 ? '' : `if${ifindex}`),
  commentOf: () => '',
};
const heads = { iif: 2, oif: 0, src: '10.0.0.2', dst: '10.0.0.9', transport: 'c00000500000beef' };
const said = (more: Partial<Traced>): Traced => ({
  id: 1,
  family: 1,
  table: 'ours',
  chain: 'begin_prerouting',
  type: 'rule',
  handle: 3,
  verdict: 'continue',
  heads,
  ...more,
});
const policy = { type: 'policy', handle: 0, verdict: 'accept' } as const;
const ENDED: Ended = {
  facts: undefined,
  computed: 'arrives',
  answers: true,
  legacy: false,
  bridges: true,
};
const SILENCE = { kind: 'silence', why: 'the ping is not answered within 900 ms' } as const;
const passages = (messages: Traced[]) => passagesOf(firstPacket(messages, KNOWN), KNOWN);

test('messages of other packets are left out, also of the same flow', () => {
  const others = { ...heads, src: '10.0.0.3' };
  const later = { ...heads, transport: 'c00000500001beef' };
  const messages = [
    said({ id: 7, table: 'theirs', chain: 'trace', heads: others }),
    said({}),
    said({ id: 2, heads: later }),
    said({ chain: 'prerouting', ...policy }),
    said({ id: 2, chain: 'prerouting', ...policy, heads: later }),
    said({ id: 7, table: 'theirs', chain: 'trace', verdict: 'drop', heads: undefined }),
  ];
  const found = passages(messages);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ hook: 'prerouting', src: '10.0.0.2', passed: true, judged: [] });
  expect(passages([messages[0]!])).toEqual([]);
});

test('a drop is told of the chain that it is in, and a policy’s as a policy’s', () => {
  const begun = [said({}), said({ chain: 'prerouting', ...policy })];
  const inside = [
    said({ table: 'mine', chain: 'fw', handle: 4, verdict: 'jump web' }),
    said({ table: 'mine', chain: 'web', handle: 9, verdict: 'drop', heads: undefined }),
  ];
  expect(seenEnd(passages([...begun, ...inside]), ENDED, SILENCE)).toEqual({
    outcome: 'lost',
    why: 'chain inet mine web drops it, by rule handle 9',
    cure: 'nft -a list chain inet mine web',
  });
  const byPolicy = [said({ table: 'mine', chain: 'fw', ...policy, verdict: 'drop' })];
  expect(seenEnd(passages([...begun, ...byPolicy]), ENDED, SILENCE).why).toBe(
    'the policy of chain inet mine fw drops it',
  );
});

test('what is gone without a word of nftables is told so, with iptables-legacy', () => {
  const gone = passages([said({}), said({ chain: 'prerouting', ...policy })]);
  const end = seenEnd(gone, ENDED, SILENCE);
  expect(end.outcome).toBe('lost');
  expect(end.why).toMatch(/^it is gone behind hook inet prerouting, and no rule of nftables/);
  expect(end.why).not.toContain('legacy');
  const legacy = seenEnd(gone, { ...ENDED, legacy: true }, SILENCE);
  expect(legacy.why).toContain('or a rule of iptables-legacy, which is in use');
});

test('what a program got from a queue is unseen, and so is what never came', () => {
  const queued = passages([
    said({}),
    said({ chain: 'prerouting', ...policy }),
    said({ table: 'mine', chain: 'fw', verdict: 'queue' }),
  ]);
  expect(seenEnd(queued, ENDED, SILENCE)).toMatchObject({ outcome: 'unseen' });
  const never = seenEnd([], { ...ENDED, bridges: false }, SILENCE);
  expect(never).toEqual({
    outcome: 'unseen',
    why:
      "nothing came to the host's hooks, and the ping is not answered within 900 ms; " +
      'between ports of a bridge this kernel has no trace',
  });
  const unsent = seenEnd([], ENDED, { kind: 'unsent', why: 'no route' });
  expect(unsent).toEqual({ outcome: 'lost', why: 'it was not sent: no route' });
});

test('a person reads each step with its mark, and what a rule said', () => {
  const hooks = passages([
    said({}),
    said({ chain: 'prerouting', ...policy }),
    said({ table: 'mine', chain: 'fw', handle: 4, verdict: 'drop' }),
  ]);
  const end = { outcome: 'arrives', why: 'it would' } as const;
  const steps = [
    { at: 'host', does: 'takes it' },
    { at: 'host', does: 'routes it' },
  ];
  const live = {
    steps: [
      { verdict: 'same', seen: '' },
      { verdict: 'different', seen: 'it went out by "if3"' },
    ],
    differences: ['the end'],
    end: seenEnd(hooks, ENDED, SILENCE),
    reply: SILENCE,
    hooks,
    unseen: ['half'],
  } as const;
  const text = printedLive({ steps, end }, live).replaceAll(/[\uFDD0-\uFDD4]/g, '');
  expect(text.split('\n')).toEqual([
    '= 1  host  takes it',
    '! 2  host  routes it',
    '           seen: it went out by "if3"',
    '    computed  arrives: it would',
    '    seen      lost: chain inet mine fw drops it, by rule handle 4',
    '              nft -a list chain inet mine fw',
    '    differs   the end',
    '    unseen    half',
    '',
    '    inet prerouting: 10.0.0.2 > 10.0.0.9 port 80, in "if2"',
    '    inet forward: 10.0.0.2 > 10.0.0.9 port 80, in "if2"',
    '        chain inet mine fw, rule handle 4: drop',
    '',
    '= as computed, ! otherwise, ? not seen',
    '',
  ]);
});

/** One message of the kernel: nlmsghdr, nfgenmsg, attributes. */
function message(...attributes: [type: number, value: Buffer][]): Buffer {
  const parts = attributes.map(([type, value]) => {
    const made = Buffer.alloc(4 + ((value.length + 3) & ~3));
    made.writeUInt16LE(4 + value.length, 0);
    made.writeUInt16LE(type, 2);
    value.copy(made, 4);
    return made;
  });
  const body = Buffer.concat([Buffer.of(1, 0, 0, 0), ...parts]);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + body.length, 0);
  head.writeUInt16LE((10 << 8) | 17, 4);
  return Buffer.concat([head, body]);
}
function parsed(bytes: Buffer): Traced[] {
  const made: Traced[] = [];
  eachMessage(bytes, bytes.length, (one) => made.push(parseTrace(one)));
  return made;
}

test('a message with an IPv6 header is read, and a broken one is refused', () => {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header[23] = 1;
  header[39] = 2;
  const good = message(
    [1, Buffer.from('mine\0')],
    [4, Buffer.of(0, 0, 0, 1)],
    [16, Buffer.of(0, 0, 0, 0)],
    [8, header],
    [9, Buffer.from('c0000050', 'hex')],
  );
  expect(parsed(good)).toMatchObject([
    {
      table: 'mine',
      type: 'policy',
      verdict: 'drop',
      heads: { src: '::1', dst: '::2', transport: 'c0000050' },
    },
  ]);
  const broken = Buffer.from(good);
  broken.writeUInt16LE(0xfff0, 20);
  expect(() => parsed(broken)).toThrow('malformed netlink reply');
  for (const short of [1, 3]) {
    expect(() => parsed(message([4, Buffer.alloc(short)]))).toThrow('malformed netlink reply');
  }
});
