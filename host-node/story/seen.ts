// SPDX-License-Identifier: Apache-2.0
// What nftables' trace showed of one packet, hook by hook, and how that compares with the way that
// was computed. It asks nobody: messages of the kernel come in, in their order.
import type { Heads, Traced } from '../sys/nftrace.ts';

/** linux/netfilter.h NFPROTO_*, and the words for the others. */
const [NETDEV, BRIDGE] = [5, 7];
const FAMILIES: Readonly<Record<number, string>> = {
  ...{ 1: 'inet', 2: 'ip', [NETDEV]: 'netdev', [BRIDGE]: 'bridge', 10: 'ip6' },
};
/** Whether hooks of a family have the numbers of NF_INET_*: those of netdev count anew. */
export const hasHooks = (family: number): boolean => family !== NETDEV && family in FAMILIES;
const BEGIN = 'begin_';

/** What a rule or a policy did with it. */
export interface Judged {
  /** As `nft list chain` wants it: FAMILY TABLE CHAIN. */
  readonly chain: string;
  readonly by: 'rule' | 'policy';
  /** Of the rule; 0 for a policy. */
  readonly handle: number;
  readonly verdict: string;
  /** The rule's; "" where it has none. */
  readonly comment: string;
}

/** One hook that it came to. */
export interface Passage {
  readonly family: 'bridge' | 'inet';
  readonly hook: string;
  iif: string;
  oif: string;
  src: string;
  dst: string;
  /** Of its destination; 0 where the protocol has none. */
  port: number;
  /** Whether it came out of the hook. */
  passed: boolean;
  readonly judged: Judged[];
}

/** What is known of the host's tables and links. */
export interface Known {
  /** The table that has it followed. */
  readonly table: string;
  readonly ports: boolean;
  readonly hookOf: (family: number, table: string, chain: string) => string | undefined;
  readonly linkOf: (ifindex: number) => string;
  readonly commentOf: (family: number, table: string, chain: string, handle: number) => string;
}

/**
 * What tells a packet from all others and no table changes on its way in: source and its port, then
 * the sequence of TCP, the length of UDP; of a ping its number and its sequence.
 */
const keyOf = ({ src, transport }: Heads, { ports }: Known): string =>
  `${src} ${transport.slice(0, 4)} ${transport.slice(8, ports ? 12 : 16)}`;

/** Whether a message says that a packet was marked. */
export const begins = ({ table, chain, heads }: Traced, known: Known): boolean =>
  table === known.table && chain.startsWith(BEGIN) && heads !== undefined;

/** The messages of the first packet that was marked; others' traces and later packets go. */
export function firstPacket(messages: readonly Traced[], known: Known): Traced[] {
  const from = messages.findIndex((one) => begins(one, known));
  const first = messages[from];
  if (first?.heads === undefined) return [];
  const key = keyOf(first.heads, known);
  const ours = ({ heads }: Traced): boolean => heads !== undefined && keyOf(heads, known) === key;
  // Two datagrams of one length have one key, and may have one number: the second begins anew.
  const again = ({ family, chain }: Traced): boolean =>
    family === first.family && chain === first.chain;
  const rest = messages.slice(from);
  const next = rest.findIndex((one, at) => at > 0 && begins(one, known) && again(one) && ours(one));
  const until = next < 0 ? rest : rest.slice(0, next);
  // A frame that a bridge hands to the host gets another number there.
  const ids = new Set(until.filter(ours).map(({ id }) => id));
  return until.filter(({ id }) => ids.has(id));
}

const portOf = (transport: string): number => Number.parseInt(transport.slice(4, 8) || '0', 16);

/** The hooks that it came to, in their order. */
export function passagesOf(messages: readonly Traced[], known: Known): Passage[] {
  const made: Passage[] = [];
  for (const message of messages) {
    const { family, table, chain, heads, type, verdict, handle } = message;
    const ours = table === known.table;
    const layer = family === BRIDGE ? 'bridge' : 'inet';
    let last = made.at(-1);
    // What a link's own chain says belongs to where the packet came last.
    if (heads !== undefined && family !== NETDEV) {
      const named = ours ? chain.replace(BEGIN, '') : known.hookOf(family, table, chain);
      const hook = named ?? last?.hook ?? '';
      // Hooks of IP may run inside those of a bridge (br_netfilter).
      last = made.findLast((one) => one.family === layer && one.hook === hook && !one.passed);
      if (last === undefined) {
        last = { family: layer, hook, passed: false, judged: [], ...NOWHERE };
        made.push(last);
      }
      const { src, dst, transport } = heads;
      const port = known.ports ? portOf(transport) : 0;
      const [iif, oif] = [known.linkOf(heads.iif), known.linkOf(heads.oif)];
      Object.assign(last, { src, dst, port, iif: iif || last.iif, oif: oif || last.oif });
    }
    if (last === undefined) continue;
    if (ours) last.passed ||= !chain.startsWith(BEGIN);
    else if (type === 'policy' || (type === 'rule' && handle > 0)) {
      const comment = type === 'rule' ? known.commentOf(family, table, chain, handle) : '';
      const words = `${FAMILIES[family] ?? family} ${table} ${chain}`;
      last.judged.push({ chain: words, by: type, handle, verdict, comment });
    }
  }
  return made;
}

const NOWHERE = { iif: '', oif: '', src: '', dst: '', port: 0 };

/** What the core says the kernel shows of a step (core-as/tasks/trace/walk.ts). */
export interface Facts {
  /** "" for either. */
  readonly family: string;
  readonly hook: string;
  readonly iif?: string;
  readonly oif?: string;
  readonly src?: string;
  readonly not_src?: string;
  readonly dst?: string;
  readonly port?: number;
}

/** How a step compares: `same`, `different`, `unseen`, or `untold`: no trace shows such a thing. */
export interface Compared {
  readonly verdict: 'same' | 'different' | 'unseen' | 'untold';
  /** What was seen in its place. */
  readonly seen: string;
}

const target = ({ dst, port }: { dst: string; port: number }): string => {
  const address = dst.includes(':') && port > 0 ? `[${dst}]` : dst;
  return port > 0 ? `${address}:${port}` : address;
};

/** What of the facts a passage shows otherwise; "" when nothing. */
function mismatch(facts: Facts, passage: Passage): string {
  const { iif, oif, src, not_src, dst, port } = facts;
  if (iif !== undefined && passage.iif !== iif) return `it came in by "${passage.iif}"`;
  if (oif !== undefined && passage.oif !== oif) return `it went out by "${passage.oif}"`;
  if (src !== undefined && passage.src !== src) return `its source was ${passage.src}`;
  if (not_src === passage.src) return `its source stayed ${passage.src}`;
  const led = (dst ?? passage.dst) === passage.dst && (port ?? passage.port) === passage.port;
  return led ? '' : `it went on to ${target(passage)}`;
}

/** Compares what one step says with what was seen. */
export function compared(facts: Facts | undefined, passages: readonly Passage[]): Compared {
  if (facts === undefined) return { verdict: 'untold', seen: '' };
  const there = passages.filter(
    ({ family, hook }) => hook === facts.hook && (facts.family === '' || facts.family === family),
  );
  const wrong = there.map((passage) => mismatch(facts, passage));
  if (wrong.includes('')) return { verdict: 'same', seen: '' };
  if (there.length > 0) return { verdict: 'different', seen: wrong[0]! };
  return { verdict: 'unseen', seen: `it did not come to ${facts.hook} of ${facts.family}`.trim() };
}

/** Changes of addresses that no step tells of. */
export function untoldChanges(
  all: readonly Facts[],
  first: Heads | undefined,
  passages: readonly Passage[],
): string[] {
  const last = passages.at(-1);
  if (first === undefined || last === undefined) return [];
  const made: string[] = [];
  const masqueraded = all.some(({ not_src }) => not_src !== undefined);
  if (!masqueraded && first.src !== last.src) made.push(`its source became ${last.src}`);
  const mapped = all.some(({ dst }) => dst !== undefined);
  if (!mapped && last.dst !== first.dst) made.push(`its destination became ${target(last)}`);
  return made;
}
