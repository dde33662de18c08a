// SPDX-License-Identifier: Apache-2.0
// `fairlead trace`: the way a packet would take through this host, and where it ends and why. The
// core asks the kernel and computes it; this reads what is meant and prints.
import { parseArgs, UsageError } from './args.ts';
import { EXIT_FAILED, guarded, type Io, paint, tellFailure, wantsJson } from './io.ts';

const HELP = `fairlead trace: the way a packet would take through this host

Usage:
  fairlead trace FROM TO[:PORT[/PROTOCOL]] [--output json]

  FROM              a container (its id or the beginning of it, CONTAINER:IFNAME, or an address it
                    has), host, or outside
  TO                an address, or a container; [ADDRESS]:PORT for IPv6
  PORT, PROTOCOL    as 8080/udp; without a port a ping, without a protocol tcp
  --output json     {"steps": [{"at", "does"}], "end": {"outcome", "why", "cure"?}}

It is computed from routes, bridges, sysctls and our tables as they are now, and from what is known
of other firewalls; nothing is sent. OUTCOME is arrives, leaves (the host) or lost.
Exit codes: 0 it arrives, or leaves the host; 1 it is lost, or cannot be told; 2 wrong usage.
`;

interface Traced {
  readonly steps: readonly { readonly at: string; readonly does: string }[];
  readonly end: {
    readonly outcome: 'arrives' | 'leaves' | 'lost';
    readonly why: string;
    readonly cure?: string;
  };
}

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

/** Runs `trace` and gives the exit code. */
export function runTrace(args: readonly string[], io: Io): number {
  return guarded('trace', args, io, () => {
    const { help, options, operands } = parseArgs(args, { output: 'value' }, 2);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const [from, to] = operands;
    if (from === undefined || to === undefined) {
      throw new UsageError(`${from === undefined ? 'FROM' : 'TO'} is missing`);
    }
    const json = wantsJson(options.output);
    const answer = io.task('trace', { from, ...targetOf(to) });
    if (answer.exit_code !== 0) return tellFailure('trace', io, answer, json);
    const traced = JSON.parse(answer.stdout) as Traced;
    io.write(1, json ? `${answer.stdout}\n` : printed(traced));
    return traced.end.outcome === 'lost' ? EXIT_FAILED : 0;
  });
}
