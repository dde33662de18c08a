// SPDX-License-Identifier: Apache-2.0
// `fairlead leases`: which addresses host-local has given, whose they are, and how many are free.
// The core looks; this prints.
import { resolve } from 'node:path';
import { parseArgs } from './args.ts';
import {
  CACHE_DIR,
  CONF_DIR,
  count,
  formOf,
  guarded,
  type Io,
  paint,
  table,
  tellFailure,
} from './io.ts';
import { age, ID_SHOWN } from './ls.ts';

const HELP = `fairlead leases: the addresses that host-local has given

Usage:
  fairlead leases [NETWORK] [--conf-dir DIR] [--cache-dir DIR] [--output wide|json]

  NETWORK           those of one network
  --conf-dir DIR    where networks are looked for ($NETCONFPATH, ${CONF_DIR})
  --cache-dir DIR   where runtimes keep results ($FAIRLEAD_CACHE_DIR, ${CACHE_DIR})
  --output wide     whole container ids, and ranges of the networks
  --output json     {"networks": […], "leases": […]}

STATE is used, leaked (its container is gone: fairlead gc removes it), or unknown: nothing on this
node tells whether its container lives, which another plugin may have wired. Leases are read
without their lock. Exit codes: 0 done; 1 they cannot be read; 2 wrong usage.
`;

export interface Lease {
  readonly network: string;
  readonly address: string;
  readonly containerID: string;
  readonly ifname: string;
  readonly since_s: string;
  readonly state: 'used' | 'leaked' | 'unknown';
}

export interface Pool {
  readonly network: string;
  readonly dataDir: string;
  readonly ranges: readonly string[];
  /** As texts: there may be more than a number holds. Empty when unknown. */
  readonly size: string;
  readonly used: number;
  readonly leaked: number;
  readonly free: string;
  /** So many leases are counted and not listed. */
  readonly more: number;
}

const STYLES = { used: 'green', leaked: 'red', unknown: 'yellow' } as const;

/** In the order of their numbers. */
function byAddress(a: Lease, b: Lease): number {
  const key = ({ network, address }: Lease): string =>
    `${network} ${address.replace(/\d+/g, (digits) => digits.padStart(5, '0'))}`;
  return key(a) < key(b) ? -1 : 1;
}

function poolRows(pools: readonly Pool[], wide: boolean): string[][] {
  const head = ['NETWORK', 'USED', 'LEAKED', 'FREE', 'SIZE'];
  const rows = pools.map(({ network, used, leaked, free, size, ranges, dataDir }) => {
    const cells = [network, String(used), String(leaked), free || '-', size || '-'];
    return wide ? [...cells, ranges.join(',') || '-', dataDir] : cells;
  });
  return [wide ? [...head, 'RANGES', 'FOLDER'] : head, ...rows];
}

function leaseRows(leases: readonly Lease[], wide: boolean): string[][] {
  const now_s = Date.now() / 1000;
  const rows = leases
    .toSorted(byAddress)
    .map((one) => [
      one.address,
      one.network,
      (wide ? one.containerID : one.containerID.slice(0, ID_SHOWN)) || '-',
      one.ifname || '-',
      age(one.since_s, now_s),
      paint(STYLES[one.state], one.state),
    ]);
  return [['ADDRESS', 'NETWORK', 'CONTAINER', 'IFNAME', 'SINCE', 'STATE'], ...rows];
}

/** Runs `leases` and gives the exit code. */
export function runLeases(args: readonly string[], io: Io): number {
  return guarded('leases', args, io, () => {
    const spec = { 'conf-dir': 'value', 'cache-dir': 'value', output: 'value' } as const;
    const { help, options, operands } = parseArgs(args, spec, 1);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const output = formOf(options.output);
    const confDir = options['conf-dir'] ?? (io.env['NETCONFPATH'] || CONF_DIR);
    const cacheDir = options['cache-dir'] ?? (io.env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
    const [network = ''] = operands;
    const request = { network, confDir: resolve(confDir), cacheDir: resolve(cacheDir) };
    const answer = io.task('leases', request);
    const json = output === 'json';
    if (answer.exit_code !== 0) return tellFailure('leases', io, answer, json);
    if (json) {
      io.write(1, `${answer.stdout}\n`);
      return 0;
    }
    const wide = output === 'wide';
    const { networks, leases } = JSON.parse(answer.stdout) as {
      networks: Pool[];
      leases: Lease[];
    };
    if (networks.length === 0) io.write(1, 'no network here has addresses of host-local\n');
    else io.write(1, table(poolRows(networks, wide)));
    if (leases.length > 0) io.write(1, `\n${table(leaseRows(leases, wide))}`);
    for (const { network, more, dataDir } of networks) {
      const left = `${count(more, 'lease')} of ${network} more in ${dataDir}/${network}`;
      if (more > 0) io.write(1, `… ${left}, counted and not listed\n`);
    }
    return 0;
  });
}
