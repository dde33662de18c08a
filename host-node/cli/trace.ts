// SPDX-License-Identifier: Apache-2.0
// `fairlead trace`: the way a packet would take through this host, and where it ends and why. The
// core asks the kernel and computes it; this reads what is meant and prints. With --live a packet
// is followed (trace-live.ts), and what was seen stands beside what was computed.
import { randomInt } from 'node:crypto';
import { senderPort } from '../sys/probe.ts';
import { parseArgs, UsageError } from './args.ts';
import { EXIT_FAILED, guarded, type Io, paint, tellFailure, wantsJson } from './io.ts';
import { type Followed, type Live, LiveError, traceLive } from './trace-live.ts';
import { printedLive } from './trace-report.ts';

/** How long a packet from outside is waited for. */
const WAIT_S = 10;
const WAIT_MOST_S = 3600;
const RANDOM_END = 1e9;

const HELP = `fairlead trace: the way a packet would take through this host

Usage:
  fairlead trace FROM TO[:PORT[/PROTOCOL]] [--live [--wait SECONDS]] [--output json]

  FROM              a container (its id or the beginning of it, CONTAINER:IFNAME, or an address it
                    has), host, or outside
  TO                an address, or a container; [ADDRESS]:PORT for IPv6
  PORT, PROTOCOL    as 8080/udp; without a port a ping, without a protocol tcp
  --live            send one packet (what opens a connection of tcp, an empty datagram of udp, a
                    ping), and show by nftables' trace what became of it, beside what is computed
  --wait SECONDS    with --live: send nothing, wait so long for the first packet of that flow; of
                    FROM outside always (${WAIT_S})
  --output json     {"steps": [{"at", "does"}], "end": {"outcome", "why", "cure"?}}; with --live
                    also {"live": {"steps", "differences", "end", "reply", "hooks", "unseen"}}

It is computed from routes, bridges, sysctls and our tables as they are now, and from what is known
of other firewalls; nothing is sent without --live. OUTCOME is arrives, leaves (the host) or lost.
For --live two tables of nftables, fairlead_trace_PID_RANDOM, are there as long as the command runs,
however it ends; they decide nothing about packets. It needs root.
Exit codes: 0 it arrives, or leaves the host; 1 it is lost, or cannot be told; 2 wrong usage.
`;

type Traced = Pick<Followed, 'steps' | 'end'>;

const PORT_MAX = 65_535;
const PROTOCOLS = ['tcp', 'udp', 'sctp'];
/** ADDRESS6, [ADDRESS6]:PORT/PROTOCOL, or WORD:PORT/PROTOCOL; a name of ours may hold a colon. */
const TO = /^(?:\[(?<six>[^\]]+)\]|(?<word>.+?))(?::(?<port>\d+)(?:\/(?<protocol>[a-z]+))?)?$/;

interface Target {
  readonly to: string;
  readonly port: number;
  readonly protocol: string;
}

function targetOf(operand: string): Target {
  // An IPv6 address without brackets has colons and no port.
  if (/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(operand)) {
    return { to: operand, port: 0, protocol: 'tcp' };
  }
  const { six, word, port, protocol = 'tcp' } = TO.exec(operand)?.groups ?? {};
  const to = six ?? word;
  if (to === undefined) throw new UsageError(`TO is "${operand}": write ADDRESS:PORT/PROTOCOL`);
  if (!PROTOCOLS.includes(protocol)) {
    throw new UsageError(`the protocol "${protocol}" is not known here: write tcp, udp or sctp`);
  }
  if (port !== undefined && (Number(port) < 1 || Number(port) > PORT_MAX)) {
    throw new UsageError(`the port ${port} is none: write 1 to ${PORT_MAX}`);
  }
  return { to, port: Number(port ?? 0), protocol };
}

const COLOURS = { arrives: 'green', leaves: 'green', lost: 'red' } as const;

function printed({ steps, end }: Traced): string {
  const width = Math.max(0, ...steps.map(({ at }) => at.length));
  const lines = steps.map(({ at, does }, index) => {
    return `${String(index + 1).padStart(2)}  ${at.padEnd(width)}  ${does}`;
  });
  lines.push(`    ${paint(COLOURS[end.outcome], end.outcome)}: ${end.why}`);
  if (end.cure !== undefined) lines.push(`    ${end.cure}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** How long somebody else's packet is waited for; undefined: one is sent. */
function waitOf(from: string, live: boolean, wait: string | undefined): number | undefined {
  if (wait !== undefined && !live) throw new UsageError('--wait goes with --live');
  if (wait === undefined) return live && from === 'outside' ? WAIT_S * 1000 : undefined;
  const good = /^\d{1,4}$/.test(wait) && Number(wait) >= 1 && Number(wait) <= WAIT_MOST_S;
  if (!good) throw new UsageError(`--wait is "${wait}": write seconds, 1 to ${WAIT_MOST_S}`);
  return Number(wait) * 1000;
}

/** Follows a packet, and prints both; gives the exit code. */
function runLive(
  request: { readonly from: string } & Target,
  wait_ms: number | undefined,
  json: boolean,
  io: Io,
): number {
  const { port, protocol } = request;
  const sends = wait_ms === undefined;
  if (sends && port > 0 && protocol === 'sctp') {
    throw new UsageError('--live sends no sctp: write --wait SECONDS, and let somebody send it');
  }
  let seen: Live;
  let followed: Followed;
  try {
    const sport = sends ? senderPort() : 0;
    // In two containers that share the host's network two processes may have one PID.
    const table = `fairlead_trace_${process.pid}_${randomInt(RANDOM_END)}`;
    const answer = io.task('trace', { ...request, table, sport });
    if (answer.exit_code !== 0) return tellFailure('trace', io, answer, json);
    followed = JSON.parse(answer.stdout) as Followed;
    seen = traceLive(followed, { port, protocol, sport, wait_ms });
  } catch (error) {
    if (!(error instanceof LiveError)) throw error;
    if (json) io.write(1, `${JSON.stringify({ command: 'trace', error: error.message })}\n`);
    else io.write(2, `fairlead trace: ${error.message}\n`);
    return EXIT_FAILED;
  }
  const { steps, end } = followed;
  const plain = {
    steps: steps.map(({ at, does }) => ({ at, does })),
    end: { outcome: end.outcome, why: end.why, ...(end.cure && { cure: end.cure }) },
  };
  io.write(1, json ? `${JSON.stringify({ ...plain, live: seen })}\n` : printedLive(plain, seen));
  const { outcome } = seen.end;
  return outcome === 'lost' || outcome === 'unseen' ? EXIT_FAILED : 0;
}

/** Runs `trace` and gives the exit code. */
export function runTrace(args: readonly string[], io: Io): number {
  return guarded('trace', args, io, () => {
    const table = { live: 'flag', wait: 'value', output: 'value' } as const;
    const { help, options, operands } = parseArgs(args, table, 2);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const [from, to] = operands;
    if (from === undefined || to === undefined) {
      throw new UsageError(`${from === undefined ? 'FROM' : 'TO'} is missing`);
    }
    const json = wantsJson(options.output);
    const request = { from, ...targetOf(to) };
    const wait_ms = waitOf(from, options.live, options.wait);
    if (options.live) return runLive(request, wait_ms, json, io);
    const answer = io.task('trace', request);
    if (answer.exit_code !== 0) return tellFailure('trace', io, answer, json);
    const traced = JSON.parse(answer.stdout) as Traced;
    io.write(1, json ? `${answer.stdout}\n` : printed(traced));
    return traced.end.outcome === 'lost' ? EXIT_FAILED : 0;
  });
}
