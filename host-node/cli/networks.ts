// SPDX-License-Identifier: Apache-2.0
// `fairlead networks`: which networks a folder of configurations has. The core reads the files;
// this prints what it found. It judges no configuration: that is validate's.
import { resolve } from 'node:path';
import { parseArgs } from './args.ts';
import { CONF_DIR, EXIT_FAILED, formOf, guarded, type Io, table, tellFailure } from './io.ts';

const HELP = `fairlead networks: what networks there are

Usage:
  fairlead networks [--conf-dir DIR] [--output wide|json]

  --conf-dir DIR    where networks are looked for ($NETCONFPATH, ${CONF_DIR})
  --output wide     the files, and all plugins of a chain
  --output json     JSON on stdout in place of lines

DRIVER is the plugin that makes the interface; ATTACHED counts records of ours, which root may read.

Of several files with one network the first one listed counts. Exit codes: 0 done; 1 a file or the
folder cannot be read; 2 wrong usage.
`;

interface Network {
  readonly name: string;
  readonly cniVersion: string;
  readonly path: string;
  readonly plugins: readonly string[];
  /** What a plugin of the type `fairlead` is made of. */
  readonly inside?: readonly string[];
  readonly subnets: readonly string[];
  /** Records of ours, where they can be read. */
  readonly attached?: number;
  readonly error?: string;
}

/** The types of a network's plugins, of a fused one also what is inside. */
function pluginsOf({ plugins, inside = [] }: Network): string {
  const fused = `fairlead(${inside.join(',')})`;
  return plugins.map((type) => (type === 'fairlead' && inside.length > 0 ? fused : type)).join(',');
}

function rowOf(one: Network, wide: boolean): string[] {
  const { name, cniVersion, plugins, inside = [], subnets, attached } = one;
  const driver = (plugins[0] === 'fairlead' ? inside[0] : plugins[0]) ?? '-';
  const cells = [
    ...[name, driver, cniVersion, subnets.join(',') || '-'],
    attached === undefined ? '-' : String(attached),
  ];
  return wide ? [...cells, pluginsOf(one), one.path] : cells;
}

const HEAD = ['NETWORK', 'DRIVER', 'VERSION', 'SUBNETS', 'ATTACHED'];

/** The table for a person; what cannot be read stands on standard error. */
function print(networks: readonly Network[], wide: boolean, io: Io): void {
  const sound = networks.filter(({ error }) => error === undefined);
  const head = wide ? [...HEAD, 'PLUGINS', 'FILE'] : HEAD;
  if (sound.length > 0) io.write(1, table([head, ...sound.map((one) => rowOf(one, wide))]));
  for (const { path, error = '' } of networks.filter((one) => one.error !== undefined)) {
    // Errors of a document name their file, some of them twice.
    const once = error.replaceAll(` of ${path}`, '');
    io.write(2, once.includes(path) ? `${once}\n` : `${path}: ${once}\n`);
  }
}

/** Runs `networks` and gives the exit code. */
export function runNetworks(args: readonly string[], io: Io): number {
  return guarded('networks', args, io, () => {
    const { help, options } = parseArgs(args, { 'conf-dir': 'value', output: 'value' });
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const output = formOf(options.output);
    const json = output === 'json';
    const named = options['conf-dir'] ?? (io.env['NETCONFPATH'] || undefined);
    const confDir = resolve(named ?? CONF_DIR);
    const answer = io.task('networks', { confDir });
    if (answer.exit_code !== 0) return tellFailure('networks', io, answer, json);
    const { networks, missing } = JSON.parse(answer.stdout) as {
      networks: Network[];
      missing: boolean;
    };
    const why = missing ? `${confDir} does not exist` : `no network in ${confDir}`;
    // That a node has no network is nothing wrong; a folder that was named must be there.
    const wrong = missing && named !== undefined;
    if (json) io.write(1, `${JSON.stringify({ networks, ...(missing ? { error: why } : {}) })}\n`);
    else if (networks.length > 0) print(networks, output === 'wide', io);
    else io.write(wrong ? 2 : 1, wrong ? `fairlead networks: ${why}\n` : `${why}\n`);
    const broken = networks.some((network) => network.error !== undefined);
    return broken || wrong ? EXIT_FAILED : 0;
  });
}
