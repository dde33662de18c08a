// SPDX-License-Identifier: Apache-2.0
// Where a packet ended, by what nftables' trace showed and what came back to its sender. It says
// no more than these do: what has no trace is named as what it is.
import { compared, type Facts, type Judged, type Passage } from './seen.ts';

export interface SeenEnd {
  readonly outcome: 'arrives' | 'leaves' | 'lost' | 'unseen';
  readonly why: string;
  /** The command that shows more of it. */
  readonly cure?: string;
}

/** What came back to the sender; undefined for a packet that somebody else sent. */
export interface Reply {
  readonly kind: 'answered' | 'refused' | 'silence' | 'unsent';
  readonly why: string;
}

/** The end that was computed. */
export interface ComputedEnd {
  readonly outcome: 'arrives' | 'leaves' | 'lost';
  readonly why: string;
  readonly cure?: string;
  /** Where it is one that a trace shows. */
  readonly facts?: Facts;
}

export interface Ended {
  readonly computed: ComputedEnd;
  /** Whether the kernel reported more than could be taken. */
  readonly lost: boolean;
  /** Whether every receiver answers what was sent: one of UDP need not. */
  readonly answers: boolean;
  readonly legacy: boolean;
  readonly bridges: boolean;
}

/** What may take a packet behind a hook without a word in nftables' trace. */
const BEHIND: Readonly<Record<string, string>> = {
  'inet prerouting': 'no route, forwarding that is off, or rp_filter',
  'inet forward': 'a policy of IPsec, or an MTU that is too small',
  'inet output': 'no route for what it became',
  'bridge prerouting': 'no port has its hardware address, or the port is not forwarding',
  'bridge input': 'the host did not take it at the bridge',
  'bridge forward': 'the port is down',
};

const dropped = ({ chain, by, handle, comment }: Judged): string => {
  if (by === 'policy') return `the policy of chain ${chain} drops it`;
  return `chain ${chain} drops it, by rule handle ${handle}${comment && ` ("${comment}")`}`;
};

function vanished({ family, hook, passed }: Passage, { legacy }: Ended): SeenEnd {
  const place = `${family} ${hook}`;
  const where = passed ? `behind hook ${place}` : `in hook ${place}`;
  const may = BEHIND[place] ?? 'something that nftables does not report';
  const more = legacy ? '; or a rule of iptables-legacy, which is in use and reports nothing' : '';
  const why = `it is gone ${where}, and no rule of nftables dropped it: it may be ${may}${more}`;
  return legacy
    ? { outcome: 'lost', why, cure: 'iptables-legacy-save -c' }
    : { outcome: 'lost', why };
}

const UNSEEN_PLACES =
  'neither the namespace of the container nor the way of an answer is seen here';

const placeOf = ({ hook, oif }: Passage): string =>
  hook === 'input' ? 'the host itself' : `"${oif}"`;

/** Whether it came out of the last hook that there is, or into the host. */
const isThrough = ({ passed, hook, family }: Passage): boolean =>
  passed && (hook === 'postrouting' || (family === 'inet' && hook === 'input'));

/** It came out of the last hook, or into the host, and no answer came. */
function unanswered(
  last: Passage,
  passages: readonly Passage[],
  { computed, answers }: Ended,
  reply?: Reply,
): SeenEnd {
  const came = `it came to ${placeOf(last)}`;
  const reached = compared(computed.facts, passages).verdict === 'same';
  if (reached && computed.outcome === 'lost') {
    const { why, cure } = computed;
    return { outcome: 'lost', why: `${came}: ${why}`, ...(cure !== undefined && { cure }) };
  }
  const into = last.hook === 'input';
  const left = into ? undefined : `it left the host by ${placeOf(last)}`;
  if (left !== undefined && computed.outcome === 'leaves') {
    return { outcome: 'leaves', why: reply === undefined ? left : `${left}; ${reply.why}` };
  }
  if (reply !== undefined && answers) {
    return { outcome: 'lost', why: `${came}, and ${reply.why}: ${UNSEEN_PLACES}` };
  }
  if (reached) return { outcome: 'arrives', why: came };
  if (left !== undefined) return { outcome: 'leaves', why: left };
  return { outcome: 'unseen', why: `${came}: whether a process takes it there is not seen` };
}

/** An answer came: whatever was seen, the packet was there. */
function answeredEnd(last: Passage | undefined, why: string): SeenEnd {
  if (last === undefined) {
    return { outcome: 'arrives', why: `${why}, by a way that does not pass this host's rules` };
  }
  const seen = `${why}; what was seen of it ends in hook ${last.family} ${last.hook}`;
  const through = `it came to ${placeOf(last)}, and ${why}`;
  return { outcome: 'arrives', why: isThrough(last) ? through : seen };
}

/** Nothing was seen, and no answer came. */
function nothingSeen({ bridges }: Ended, reply?: Reply): SeenEnd {
  if (reply?.kind === 'unsent') return { outcome: 'lost', why: `it was not sent: ${reply.why}` };
  if (reply?.kind === 'refused') return { outcome: 'lost', why: reply.why };
  const without = bridges ? '' : '; between ports of a bridge this kernel has no trace';
  const came = reply === undefined ? 'no such packet came' : `nothing came to the host's hooks`;
  const more = reply === undefined ? '' : `, and ${reply.why}`;
  return { outcome: 'unseen', why: `${came}${more}${without}` };
}

/** The last place: where rules of IP run for a bridge, its port says more than the bridge does. */
function lastOf(passages: readonly Passage[]): Passage | undefined {
  const [before, last] = [passages.at(-2), passages.at(-1)];
  const nested = before?.family === 'bridge' && before.hook === last?.hook && before.passed;
  return nested && last?.passed ? before : last;
}

/** Where it ended. */
export function seenEnd(passages: readonly Passage[], ended: Ended, reply?: Reply): SeenEnd {
  const last = lastOf(passages);
  if (reply?.kind === 'answered') return answeredEnd(last, reply.why);
  for (const { judged } of passages) {
    const drop = judged.find(({ verdict }) => verdict === 'drop');
    if (drop === undefined) continue;
    return { outcome: 'lost', why: dropped(drop), cure: `nft -a list chain ${drop.chain}` };
  }
  if (last === undefined) return nothingSeen(ended, reply);
  // Something was seen, so what its sender was told came after it.
  if (isThrough(last) && (reply?.kind === 'refused' || reply?.kind === 'unsent')) {
    return { outcome: 'lost', why: `it came to ${placeOf(last)}, and ${reply.why}` };
  }
  if (ended.lost) {
    if (reply?.kind === 'refused') return { outcome: 'lost', why: reply.why };
    const why = 'the kernel reported more than could be taken, so that its end is not seen';
    return { outcome: 'unseen', why };
  }
  const taken = last.judged.find(({ verdict }) => verdict === 'queue' || verdict === 'stolen');
  if (!last.passed && taken !== undefined) {
    const how = taken.verdict === 'queue' ? 'gave it to a program' : 'took it';
    const why = `chain ${taken.chain} ${how}, by rule handle ${taken.handle}`;
    return { outcome: 'unseen', why: `${why}: what became of it is not seen` };
  }
  if (isThrough(last)) return unanswered(last, passages, ended, reply);
  const gone = vanished(last, ended);
  return reply?.kind === 'refused' ? { ...gone, why: `${gone.why}; ${reply.why}` } : gone;
}
