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

export interface Ended {
  /** Of the end that was computed, where it is one that a trace shows. */
  readonly facts: Facts | undefined;
  readonly computed: 'arrives' | 'leaves' | 'lost';
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

/** It came out of the last hook, or into the host. */
function through(
  last: Passage,
  passages: readonly Passage[],
  ended: Ended,
  reply?: Reply,
): SeenEnd {
  const place = last.hook === 'input' ? 'the host itself' : `"${last.oif}"`;
  if (reply?.kind === 'answered') {
    return { outcome: 'arrives', why: `it came to ${place}, and ${reply.why}` };
  }
  if (reply?.kind === 'refused') {
    return { outcome: 'lost', why: `it came to ${place}, and ${reply.why}: nobody listens there` };
  }
  const reached = compared(ended.facts, passages).verdict === 'same';
  if (!reached) return { outcome: 'leaves', why: `it left the host by ${place}` };
  if (ended.computed === 'leaves') {
    const more = reply === undefined ? '' : `; ${reply.why}`;
    return { outcome: 'leaves', why: `it left the host by ${place}${more}` };
  }
  if (reply !== undefined && ended.answers) {
    const unseen = 'neither the namespace of the container nor the way of an answer is seen here';
    return { outcome: 'lost', why: `it came to ${place}, and ${reply.why}: ${unseen}` };
  }
  return { outcome: 'arrives', why: `it came to ${place}` };
}

/** The last place: where rules of IP run for a bridge, its port says more than the bridge does. */
function lastOf(passages: readonly Passage[]): Passage | undefined {
  const [before, last] = [passages.at(-2), passages.at(-1)];
  const nested = before?.family === 'bridge' && before.hook === last?.hook && before.passed;
  return nested && last?.passed ? before : last;
}

/** Where it ended. */
export function seenEnd(passages: readonly Passage[], ended: Ended, reply?: Reply): SeenEnd {
  for (const { judged } of passages) {
    const drop = judged.find(({ verdict }) => verdict === 'drop');
    if (drop === undefined) continue;
    return { outcome: 'lost', why: dropped(drop), cure: `nft -a list chain ${drop.chain}` };
  }
  const last = lastOf(passages);
  if (last !== undefined) {
    const taken = last.judged.find(({ verdict }) => verdict === 'queue' || verdict === 'stolen');
    if (!last.passed && taken !== undefined) {
      const how = taken.verdict === 'queue' ? 'gave it to a program' : 'took it';
      const why = `chain ${taken.chain} ${how}, by rule handle ${taken.handle}`;
      return { outcome: 'unseen', why: `${why}: what became of it is not seen` };
    }
    const out = last.hook === 'postrouting' || (last.family === 'inet' && last.hook === 'input');
    return last.passed && out ? through(last, passages, ended, reply) : vanished(last, ended);
  }
  if (reply?.kind === 'unsent') return { outcome: 'lost', why: `it was not sent: ${reply.why}` };
  if (reply?.kind === 'answered') {
    return {
      outcome: 'arrives',
      why: `${reply.why}, by a way that does not pass this host's rules`,
    };
  }
  const bridges = ended.bridges ? '' : '; between ports of a bridge this kernel has no trace';
  const came = reply === undefined ? 'no such packet came' : `nothing came to the host's hooks`;
  return {
    outcome: 'unseen',
    why: `${came}${reply === undefined ? '' : `, and ${reply.why}`}${bridges}`,
  };
}
