// SPDX-License-Identifier: Apache-2.0
// `fairlead doctor`: looks at a node as an experienced operator would, and says what to do. The
// core looks at kernel and records, validate at the networks; this adds files and programs, prints,
// and with --fix lets the core do what harms nobody.
import { resolve } from 'node:path';
import type { Answer } from '../../core.ts';
import { parseArgs } from '../args.ts';
import {
  BIN_DIR,
  CACHE_DIR,
  type CniError,
  CONF_DIR,
  count,
  EXIT_FAILED,
  guarded,
  type Io,
  wantsJson,
} from '../io.ts';
import { networkReport, type Problem } from '../validate.ts';
import { lookAtBinDir, lookAtConfDir } from './files.ts';
import { type Finding, joined, type Looked, printFindings } from './findings.ts';
import { type Leases, lookAtLeases } from './leased.ts';

const HELP = `fairlead doctor: what is wrong on this node, what shows it, and what cures it

Usage:
  fairlead doctor [--fix] [--strict] [--conf-dir DIR] [--bin-dir DIR] [--output json]

It looks at the kernel (forwarding, other firewalls, routes), at the attachments and what is theirs
(nftables, veth pairs, MTU, ports), at networks and programs. Without root it says what it could not
see. Nothing is changed.

  --fix             then do what harms nobody: put back what was flushed out of nftables, take away
                    what containers left that are gone for certain
  --strict          a warning is an error
  --conf-dir DIR    where networks are ($NETCONFPATH, ${CONF_DIR})
  --bin-dir DIR     where plugins are (${BIN_DIR})
  --output json     {"findings": [{"id", "severity", "evidence", "cure", "fix"?}], "unseen": […],
                    "fixed": […], "failed": […], "errors": N, "warnings": N}

Exit codes: 0 no errors; 1 errors; 2 wrong usage.
`;

interface Places {
  readonly confDir: string;
  readonly binDir: string;
}

/** What the core says, or that it could not look. */
function asked<T>({ exit_code, stdout }: Answer, what: string): T | string {
  if (exit_code === 0) return JSON.parse(stdout) as T;
  const { msg, details = '' } = JSON.parse(stdout) as CniError;
  return `${what}: ${msg}${details && ` | ${details}`}`;
}

const findingOf = (path: string, { severity, line, column, msg }: Problem): Finding => ({
  id: severity === 'error' ? 'network-wrong' : 'network-doubtful',
  severity,
  evidence: `${path}:${line}:${column}: ${msg}`,
  cure: `fairlead validate ${path}`,
});

function lookAtNetworks(io: Io, { confDir, binDir }: Places): Looked {
  const report = networkReport(io, confDir, binDir);
  // That the folder is empty or not there lookAtConfDir says.
  const files = report.files.filter(({ path }) => path !== confDir);
  const findings = files.flatMap(({ path, problems }) =>
    problems.map((problem) => findingOf(path, problem)),
  );
  return { findings, unseen: [] };
}

/** All that can be looked at without changing anything. */
export function doctorDocument(io: Io, places: Places, version: string): Looked {
  const core = asked<Looked>(io.task('doctor', {}), 'cannot look at the node');
  const cacheDir = resolve(io.env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
  const request = { network: '', confDir: places.confDir, cacheDir };
  const leases = asked<Leases>(io.task('leases', request), 'cannot look at the leases');
  return joined([
    typeof core === 'string' ? { findings: [], unseen: [core] } : core,
    typeof leases === 'string'
      ? { findings: [], unseen: [leases] }
      : { findings: lookAtLeases(leases), unseen: [] },
    lookAtConfDir(places.confDir),
    lookAtNetworks(io, places),
    lookAtBinDir(places.binDir, version),
  ]);
}

interface Identity {
  readonly network: string;
  readonly containerID: string;
  readonly ifname: string;
}
type Done = Partial<Record<'repaired' | 'drained', Identity[]>> & { readonly errors: string[] };

/** Lets the core do what cures findings; gives what it did, and why it could not. */
function mend(io: Io, { findings }: Looked): { fixed: string[]; failed: string[] } {
  const [fixed, failed]: [string[], string[]] = [[], []];
  for (const fix of new Set(findings.flatMap((finding) => finding.fix ?? []))) {
    const done = asked<Done>(io.task(fix, { living: false }), fix);
    if (typeof done === 'string') {
      failed.push(done);
      continue;
    }
    const word = fix === 'repair' ? 'restored' : 'took away';
    for (const { containerID, ifname, network } of done.repaired ?? done.drained ?? []) {
      fixed.push(`${word} ${ifname} of container ${containerID} on network ${network}`);
    }
    failed.push(...done.errors);
  }
  return { fixed, failed };
}

/** Runs `doctor` and gives the exit code. */
export function runDoctor(args: readonly string[], io: Io, version: string): number {
  return guarded('doctor', args, io, () => {
    const { help, options } = parseArgs(args, {
      fix: 'flag',
      strict: 'flag',
      'conf-dir': 'value',
      'bin-dir': 'value',
      output: 'value',
    });
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const confDir = resolve(options['conf-dir'] ?? (io.env['NETCONFPATH'] || CONF_DIR));
    const places = { confDir, binDir: resolve(options['bin-dir'] ?? BIN_DIR) };
    const before = doctorDocument(io, places, version);
    const { fixed, failed } = options.fix ? mend(io, before) : { fixed: [], failed: [] };
    const found = options.fix ? doctorDocument(io, places, version) : before;
    const number = (severity: string): number =>
      found.findings.filter((finding) => finding.severity === severity).length;
    const [errors, warnings] = [number('error'), number('warning')];
    if (json) io.write(1, `${JSON.stringify({ ...found, fixed, failed, errors, warnings })}\n`);
    else {
      for (const text of fixed) io.write(1, `fixed    ${text}\n`);
      for (const text of failed) io.write(2, `fairlead doctor: ${text}\n`);
      const sum = `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
      const seen = found.unseen.length === 0 ? 'nothing is wrong' : 'nothing wrong was seen';
      io.write(1, `${printFindings(found)}${errors + warnings === 0 ? seen : sum}\n`);
    }
    return errors + (options.strict ? warnings : 0) + failed.length === 0 ? 0 : EXIT_FAILED;
  });
}
