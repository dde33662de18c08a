// SPDX-License-Identifier: Apache-2.0
// `fairlead trace --live`: one packet of the flow is sent, or waited for, and nftables' trace tells
// what became of it. The core says how the flow is followed; the tables for that belong to a socket
// of this process, so that the kernel removes them whatever ends it. Nothing of others is changed.
import { closeSync, openSync } from 'node:fs';
import { OsError } from '../abi/index.ts';
import { realDriver } from '../drivers/index.ts';
import {
  begins,
  type Compared,
  compared,
  type Facts,
  firstPacket,
  hasHooks,
  type Known,
  type Passage,
  passagesOf,
  untoldChanges,
} from '../story/seen.ts';
import { type ComputedEnd, type Reply, type SeenEnd, seenEnd } from '../story/seen-end.ts';
import {
  EEXIST,
  EINVAL,
  ENOENT,
  EOPNOTSUPP,
  EPERM,
  insideNetns,
  OPEN_TO_READ,
  releaseSignals,
} from '../sys/libc.ts';
import { NETLINK_NETFILTER, openHere } from '../sys/netlink.ts';
import { type Traced, TraceListener } from '../sys/nftrace.ts';
import { send } from '../sys/probe.ts';

/** The task's answer where a flow is to be followed (core-as/tasks/trace/trace.ts). */
export interface Followed {
  readonly steps: readonly { readonly at: string; readonly does: string; readonly facts?: Facts }[];
  readonly end: ComputedEnd;
  readonly packet: {
    readonly netns: string;
    readonly dst: string;
    readonly table: string;
    readonly legacy: boolean;
    readonly tables: readonly { readonly family: string; readonly messages: string }[];
  };
}

/** What is to be sent, or waited for. */
export interface Wanted {
  readonly protocol: string;
  readonly port: number;
  readonly sport: number;
  /** How long somebody else's packet is waited for; undefined: send one. */
  readonly wait_ms: number | undefined;
}

export interface Live {
  readonly steps: readonly Compared[];
  /** What changed it that no step tells of, and an end that is another. */
  readonly differences: readonly string[];
  readonly end: SeenEnd;
  readonly reply: Reply | undefined;
  readonly hooks: readonly Passage[];
  readonly unseen: readonly string[];
}

/** Why nothing can be followed here; the text says what to do. */
export class LiveError extends Error {}

/** Messages come before a sender's call returns; the rest are waited for so long. */
const SETTLE_MS = 200;
const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
const [EPROTONOSUPPORT, EAFNOSUPPORT] = [93, 97]; // asm-generic/errno.h
/** By these the kernel says that it does not know what is asked for. */
const UNKNOWN: readonly number[] = [EINVAL, EPROTONOSUPPORT, EOPNOTSUPP];
/** And by these that it has no such tables of a family, or no chains for them. */
const NO_FAMILY: readonly number[] = [...UNKNOWN, EAFNOSUPPORT, ENOENT];

/** Why nothing is followed, with what to do, of whatever failed. */
export function liveError(error: unknown): LiveError {
  if (error instanceof LiveError) return error;
  const why = 'this packet cannot be followed';
  const without = 'without --live its way is computed all the same';
  const { message } = error as Error;
  return new LiveError(`${why}: ${message}; ${without}`, { cause: error });
}

/** The kernel did not take the tables. */
export function tablesRefused(error: OsError): LiveError {
  const { errno, message } = error;
  if (errno === EPERM) {
    return new LiveError("nftables is root's (CAP_NET_ADMIN): run it as root, or without --live");
  }
  if (errno === EEXIST) {
    return new LiveError('a table of nftables has the name that ours was to have: run it again');
  }
  if (!UNKNOWN.includes(errno)) return liveError(error);
  const why = 'this kernel cannot follow a packet';
  const wants = 'it needs nf_tables with tables that a socket owns (Linux 5.12)';
  return new LiveError(`${why}: ${message}; ${wants}: run it without --live`);
}

/** Makes the tables; gives back what removes them, and what cannot be seen. */
function follow(tables: Followed['packet']['tables']) {
  const socket = openHere(NETLINK_NETFILTER);
  const unseen: string[] = [];
  let bridges = true;
  try {
    for (const { family, messages } of tables) {
      try {
        socket.transact(Buffer.from(messages, 'hex'));
      } catch (error) {
        if (!(error instanceof OsError)) throw error;
        if (family === 'inet' || !NO_FAMILY.includes(error.errno)) throw tablesRefused(error);
        bridges = false;
        unseen.push(`what bridges do: this kernel has no nftables for them (${error.message})`);
      }
    }
  } catch (error) {
    socket.close();
    throw error;
  }
  return { unseen, bridges, stop: () => socket.close() };
}

/** Sends it, in the container's namespace or here. */
function sent(netns: string, { protocol, port, sport }: Wanted, dst: string): Reply {
  const kind = port === 0 ? '' : (protocol as 'tcp' | 'udp');
  const probe = () => send({ protocol: kind, dst, port, sport });
  if (netns === '') return probe();
  const home = openSync('/proc/thread-self/ns/net', OPEN_TO_READ);
  try {
    const fd = openSync(netns, OPEN_TO_READ);
    try {
      return insideNetns(fd, home, probe);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(home);
  }
}

/** The messages of a time, from the first of a packet that was marked until shortly after it. */
export function gathered(
  listener: Pick<TraceListener, 'next'>,
  known: Known,
  wait_ms: number,
): Traced[] {
  const made: Traced[] = [];
  let end_ms = performance.now() + wait_ms;
  for (;;) {
    const left_ms = end_ms - performance.now();
    if (left_ms <= 0) return made;
    const found = listener.next(left_ms);
    // Others may have packets traced as well, and for hours: that is no packet of ours.
    const from = made.length > 0 ? 0 : found.findIndex((one) => begins(one, known));
    if (from < 0) continue;
    if (made.length === 0) end_ms = performance.now() + SETTLE_MS;
    for (const one of found.slice(from)) made.push(one);
  }
}

type Machine = ReturnType<typeof realDriver>;

/** The chains and links of the host as the messages name them. */
function knownOf(driver: Machine, table: string, ports: boolean): Known {
  const hooks = new Map<string, string>();
  const rules = new Map<string, Map<number, string>>();
  for (const [hooknum, hook] of HOOKS.entries()) {
    for (const base of driver.chain_list({ ns: 0, hooknum })) {
      if (hasHooks(base.family)) hooks.set(`${base.family} ${base.table} ${base.chain}`, hook);
    }
  }
  const comments = (family: number, name: string, chain: string): Map<number, string> => {
    const key = `${family} ${name} ${chain}`;
    let found = rules.get(key);
    if (found === undefined) {
      found = new Map();
      rules.set(key, found);
      try {
        const listed = driver.chain_get({ ns: 0, family, table: name, chain });
        for (const { handle, comment } of listed.rules) found.set(handle, comment);
      } catch (error) {
        // Gone since: the handle still names it.
        if (!(error instanceof OsError) || error.errno !== ENOENT) throw error;
      }
    }
    return found;
  };
  const linkOf = (ifindex: number): string => {
    if (ifindex === 0) return '';
    try {
      return driver.link_get_index({ ns: 0, ifindex }).name;
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      return `link ${ifindex}`;
    }
  };
  return {
    table,
    ports,
    hookOf: (family, name, chain) => hooks.get(`${family} ${name} ${chain}`),
    linkOf,
    commentOf: (family, name, chain, handle) => comments(family, name, chain).get(handle) ?? '',
  };
}

/** Follows one packet, and compares what was seen with what was computed. Throws LiveError. */
export function traceLive(followed: Followed, wanted: Wanted): Live {
  // Nothing is half done by a process that ends here: the kernel clears away behind it.
  releaseSignals();
  try {
    const driver = realDriver();
    try {
      return livedThrough(followed, wanted, driver);
    } finally {
      driver.close();
    }
  } catch (error) {
    throw liveError(error);
  }
}

function livedThrough(followed: Followed, wanted: Wanted, driver: Machine): Live {
  const { steps, end, packet } = followed;
  const waits = wanted.wait_ms;
  // Whatever the tables mark is heard.
  const listener = new TraceListener();
  try {
    const { unseen, bridges, stop } = follow(packet.tables);
    try {
      const known = knownOf(driver, packet.table, wanted.port > 0);
      const reply = waits === undefined ? sent(packet.netns, wanted, packet.dst) : undefined;
      const messages = firstPacket(gathered(listener, known, waits ?? SETTLE_MS), known);
      const hooks = passagesOf(messages, known);
      const { lost } = listener;
      if (lost) unseen.push('some of it: the kernel reported more than could be taken');
      if (packet.legacy) unseen.push('rules of iptables-legacy, which is in use');
      const answers = wanted.port === 0 || wanted.protocol === 'tcp';
      const ended = { computed: end, lost, answers, legacy: packet.legacy, bridges };
      const seen = seenEnd(hooks, ended, reply);
      const all = steps.flatMap((step) => step.facts ?? []);
      const differences = untoldChanges(all, messages[0]?.heads, hooks);
      if (seen.outcome !== end.outcome && seen.outcome !== 'unseen') {
        differences.push(`the end: ${seen.outcome} was seen, ${end.outcome} was computed`);
      }
      const compare = steps.map((step) => compared(step.facts, hooks));
      return { steps: compare, differences, end: seen, reply, hooks, unseen };
    } finally {
      stop();
    }
  } finally {
    listener.close();
  }
}
