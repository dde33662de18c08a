// The command line: all that the program does when no runtime calls it as a plugin. It is a script
// of its own, so that a plugin call never loads it. It owns the list of subcommands; each has its
// file.
import { performTask } from '../core.ts';
import { realDriver } from '../drivers/index.ts';
import { didYouMean } from './args.ts';
import { dryRun } from './dry-run.ts';
import { runFuse } from './fuse.ts';
import { runInstaller } from './install.ts';
import { EXIT_USAGE, type Io } from './io.ts';
import { runNetworks, runRepair, runVerb, VERBS, type Verb } from './network.ts';
import { describeTypes, linkNames, readTypes, type TypeTable } from './types.ts';
import { reasonsAgainst, runValidate } from './validate.ts';

/** What main.ts of the program hands over. */
export interface Program {
  readonly args: readonly string[];
  readonly version: string;
  /** The single executable that runs; undefined for the bundle or the sources. */
  readonly executable: string | undefined;
  readonly env: Io['env'];
  readonly write: (fd: number, text: string) => void;
  readonly sleep: (duration_ms: number) => void;
  readonly core: () => WebAssembly.Module;
  /** sim.wasm. */
  readonly sim: () => WebAssembly.Module;
}

const help = (version: string, types: TypeTable): string =>
  `fairlead ${version}: CNI plugins with one WebAssembly core

As a CNI plugin (CNI_COMMAND in the environment, the network configuration on stdin) the base name
of the program is the CNI type. Install it, or a link to it, as one of:

${describeTypes(types)}
On the command line:
  fairlead add|del|check NETWORK NETNS    attach a namespace, detach it, compare it
  fairlead gc|status NETWORK              remove what is left over; is the network ready?
  fairlead networks                       the networks of /etc/cni/net.d
  fairlead validate FILE…                 what is wrong in configurations, with line and column
  fairlead repair                         put back what somebody flushed out of nftables
  fairlead fuse|unfuse FILE               a conflist as one plugin, and back
  fairlead install                        put the program and its type names in place
  fairlead uninstall                      take away what install put in place
  fairlead COMMAND --help                 the options of a command
  fairlead --help | --version             this text; the version and the CNI spec versions

Exit codes: 0 done; 1 a CNI error, as JSON on stdout, or a failed command; 2 wrong usage.
Manual: docs/fairlead.8.md in the source; configuration keys: docs/plugins.md
`;

const COMMANDS = [
  ...VERBS,
  'networks',
  'validate',
  'repair',
  'fuse',
  'unfuse',
  'install',
  'uninstall',
];

/** What a subcommand is given, on this machine. */
function machine(program: Program): Io {
  const log = (line: string): void => program.write(2, `${line}\n`);
  const nothing = (): Uint8Array => new Uint8Array(0);
  const around = { stdin: nothing, sleep: program.sleep, log };
  return {
    write: program.write,
    env: program.env,
    task: (name, request) => {
      const driver = realDriver();
      try {
        return performTask(program.core(), driver, name, request, around);
      } finally {
        driver.close();
      }
    },
    rehearse: (name, request) =>
      dryRun({ core: program.core(), sim: program.sim(), name, request }),
  };
}

/** Runs the command line and gives the exit code. */
export function runCommand(program: Program): number {
  const { args, version, executable, write } = program;
  const [first = '', ...rest] = args;
  if (first === '--version') {
    write(1, `fairlead ${version}\nCNI spec 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0\n`);
    return 0;
  }
  if (first === '--help' || first === '-h' || first === '') {
    write(1, help(version, readTypes(program.core(), program.sim())));
    return 0;
  }
  if (first === 'install' || first === 'uninstall') {
    const types = () => linkNames(readTypes(program.core(), program.sim()));
    const against = (file: string, path: string) => reasonsAgainst(machine(program), file, path);
    return runInstaller(first, { args: rest, version, executable, types, against, write });
  }
  const io = machine(program);
  if (VERBS.includes(first)) return runVerb(first as Verb, rest, io);
  if (first === 'networks') return runNetworks(rest, io);
  if (first === 'validate') return runValidate(rest, io);
  if (first === 'repair') return runRepair(rest, io);
  if (first === 'fuse' || first === 'unfuse') return runFuse(first, rest, io);
  const near = didYouMean(first, COMMANDS);
  write(2, `fairlead: unknown argument "${first}"${near}: see fairlead --help\n`);
  return EXIT_USAGE;
}
