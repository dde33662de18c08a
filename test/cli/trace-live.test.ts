// SPDX-License-Identifier: Apache-2.0
// What is made of nftables' trace, without a kernel: of whose packet it is, of its way hook by
// hook, and of an end that no rule is to blame for. test/e2e/trace-live.test.ts has the kernel's.
import { expect, test } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { gathered, liveError, tablesRefused } from '../../host-node/cli/trace-live.ts';
import { printedLive } from '../../host-node/cli/trace-report.ts';
import { firstPacket, hasHooks, type Known, passagesOf } from '../../host-node/story/seen.ts';
import { type ComputedEnd, type Ended, seenEnd } from '../../host-node/story/seen-end.ts';
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
  computed: { outcome: 'arrives', why: 'it would' },
  lost: false,
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

test('of two equal datagrams the first alone is told, and pings differ by their sequence', () => {
  const equal = [
    said({}),
    said({ chain: 'prerouting', ...policy }),
    said({ table: 'mine', chain: 'fw', handle: 4, verdict: 'accept' }),
  ];
  const dropped = said({ table: 'mine', chain: 'fw', handle: 5, verdict: 'drop' });
  const two = [...equal, ...equal.slice(0, 2), dropped];
  expect(passages(two)).toEqual(passages(equal));
  // A frame that comes to the host out of a bridge is marked there again, and is the same.
  const framed = said({ family: 7, id: 2 });
  expect(passages([framed, ...equal])).toHaveLength(3);
  const ping = { ...heads, transport: '0800f7ff00070001' };
  const later = { ...ping, transport: '0800f7fe00070002' };
  const pings = [said({ heads: ping }), said({ id: 2, family: 7, heads: later })];
  const known = { ...KNOWN, ports: false };
  expect(firstPacket(pings, known)).toEqual(pings.slice(0, 1));
});

test('a wait goes on while others have packets traced, and ends shortly after ours', () => {
  const other = said({ table: 'theirs', chain: 'trace' });
  const ours = said({ id: 2 });
  const after = said({ id: 2, chain: 'prerouting', ...policy });
  const comes = [[other], [other], [other, ours], [other], [after]];
  const waited: number[] = [];
  const listener = {
    next: (wait_ms: number) => {
      waited.push(wait_ms);
      const until_ms = performance.now() + (comes.length > 0 ? 120 : wait_ms + 1);
      while (performance.now() < until_ms);
      return comes.shift() ?? [];
    },
  };
  // Two of others' take longer than what is waited for behind the first of ours.
  expect(gathered(listener, KNOWN, 5000)).toEqual([ours, other, after]);
  expect(waited[2]).toBeGreaterThan(4000);
  expect(waited.at(-1)).toBeLessThan(200);
});

test('a link’s own chain makes no hook, and its drop is one', () => {
  expect([1, 2, 7, 10].every(hasHooks)).toBe(true);
  expect([5, 3, 0].some(hasHooks)).toBe(false);
  const out = { chain: 'postrouting', heads: { ...heads, oif: 3 } };
  const begun = [said({}), said({ ...out, ...policy })];
  const egress = said({ family: 5, table: 'mine', chain: 'out', handle: 4, verdict: 'accept' });
  const found = passages([...begun, egress]);
  expect(found.map(({ hook }) => hook)).toEqual(['prerouting', 'postrouting']);
  expect(seenEnd(found, ENDED)).toMatchObject({ outcome: 'leaves' });
  const drops = passages([...begun, { ...egress, verdict: 'drop' }]);
  expect(seenEnd(drops, ENDED)).toEqual({
    outcome: 'lost',
    why: 'chain netdev mine out drops it, by rule handle 4',
    cure: 'nft -a list chain netdev mine out',
  });
});

/** Messages of a packet that passed a last hook. */
const came = (chain: 'input' | 'postrouting') =>
  passages([
    said({}),
    said({ chain: 'prerouting', ...policy }),
    said({ chain, ...policy, heads: { ...heads, oif: chain === 'input' ? 0 : 3 } }),
  ]);
const ANSWERED = { kind: 'answered', why: 'the connection is accepted' } as const;
const computed = (outcome: ComputedEnd['outcome'], hook: string): Ended => ({
  ...ENDED,
  computed: { outcome, why: 'so it was computed', facts: { family: 'inet', hook } },
});

test('an answer says more than what was seen, and what was lost of that is no end', () => {
  const gone = passages([said({}), said({ chain: 'prerouting', ...policy })]);
  expect(seenEnd(gone, ENDED, ANSWERED)).toEqual({
    outcome: 'arrives',
    why: 'the connection is accepted; what was seen of it ends in hook inet prerouting',
  });
  expect(seenEnd([], ENDED, ANSWERED).outcome).toBe('arrives');
  expect(seenEnd(came('postrouting'), ENDED, ANSWERED).why).toBe(
    'it came to "if3", and the connection is accepted',
  );
  const half = { ...ENDED, lost: true };
  expect(seenEnd(gone, half, SILENCE)).toMatchObject({
    outcome: 'unseen',
    why: expect.stringMatching(/^the kernel reported more/),
  });
  const fell = said({ table: 'mine', chain: 'fw', handle: 4, verdict: 'drop' });
  expect(seenEnd(passages([said({}), fell]), half, SILENCE).outcome).toBe('lost');
});

test('where it was computed to be lost at what it reached, it is', () => {
  const dead = computed('lost', 'postrouting');
  const why = 'it came to "if3": so it was computed';
  for (const reply of [undefined, SILENCE]) {
    expect(seenEnd(came('postrouting'), dead, reply)).toEqual({ outcome: 'lost', why });
    const quiet = { ...dead, answers: false };
    expect(seenEnd(came('postrouting'), quiet, reply)).toEqual({ outcome: 'lost', why });
  }
});

test('what came to the host in place of a container did not leave it', () => {
  const elsewhere = computed('arrives', 'postrouting');
  expect(seenEnd(came('input'), elsewhere)).toEqual({
    outcome: 'unseen',
    why: 'it came to the host itself: whether a process takes it there is not seen',
  });
  expect(seenEnd(came('input'), elsewhere, SILENCE)).toMatchObject({
    outcome: 'lost',
    why: expect.stringMatching(/^it came to the host itself, and the ping is not answered/),
  });
  expect(seenEnd(came('input'), computed('arrives', 'input')).outcome).toBe('arrives');
  // Into another container, which does not answer.
  expect(seenEnd(came('postrouting'), computed('arrives', 'forward'), SILENCE).outcome).toBe(
    'lost',
  );
  expect(seenEnd(came('postrouting'), computed('leaves', 'postrouting'), SILENCE)).toEqual({
    outcome: 'leaves',
    why: `it left the host by "if3"; ${SILENCE.why}`,
  });
});

test('a refusal is told with its reason, wherever it came from', () => {
  const refused = { kind: 'refused', why: 'the connection is refused: by a router' } as const;
  const ends = [came('postrouting'), [], passages([said({})])].map((hooks) =>
    seenEnd(hooks, ENDED, refused),
  );
  for (const end of ends) {
    expect(end).toMatchObject({ outcome: 'lost', why: expect.stringContaining(refused.why) });
  }
  expect(ends[0]!.why).toBe('it came to "if3", and the connection is refused: by a router');
  const after = seenEnd(came('postrouting'), ENDED, { kind: 'unsent', why: 'no network' });
  expect(after.why).toBe('it came to "if3", and no network');
});

test('whatever fails is told with what to do, and of an old kernel only where it is one', () => {
  expect(tablesRefused(new OsError(1)).message).toContain('run it as root');
  expect(tablesRefused(new OsError(17)).message).toContain('run it again');
  for (const errno of [22, 93, 95]) {
    expect(tablesRefused(new OsError(errno)).message).toContain('Linux 5.12');
  }
  expect(tablesRefused(new OsError(12, 'sendto')).message).toBe(
    'this packet cannot be followed: errno 12: sendto; without --live its way is computed all ' +
      'the same',
  );
  const given = tablesRefused(new OsError(1));
  expect(liveError(given)).toBe(given);
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
