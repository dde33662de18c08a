// SPDX-License-Identifier: Apache-2.0
// `fairlead dhcp daemon`, and `dhcp daemon` under the name of the reference plugin: its flags, in
// the form that Go's flag package takes. It owns what is said to whoever starts it.
import { getSystemErrorName } from 'node:util';
import { OsError } from '../../host-node/abi/index.ts';
import { ETIMEDOUT } from '../../host-node/sys/libc.ts';
import { Daemon, type DaemonHost, type DaemonOptions } from './daemon.ts';

export const SOCKET_PATH = '/run/cni/dhcp.sock';
const EPERM = 1;
const EACCES = 13;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export const HELP = `fairlead dhcp: the daemon of the IPAM type dhcp

Usage:
  fairlead dhcp daemon [OPTION…]

  -socketpath PATH      where plugins call it (${SOCKET_PATH}); "daemonSocketPath" of a network
  -pidfile PATH         an absolute path: holds its process number while it runs
  -hostprefix PATH      stands before the paths of socket, state and namespaces
  -broadcast            servers are asked to answer by broadcast
  -timeout TIME         so long an offer that was taken up is waited for (10s)
  -resendmax TIME       the longest time between two tries (62s)
  -resendtimeout TIME   so long a lease is tried to be had (208s)

TIME is as Go writes it: 500ms, 10s, 1m30s. It asks DHCP servers for the pods' addresses, and keeps
the leases while the pods live, which it does not end; a daemon that is started again takes them
over. A socket of systemd takes the place of -socketpath.
`;

/** sun_path of linux/un.h, without its NUL. */
const SOCKET_PATH_MAX_BYTES = 107;

class UsageError extends Error {}

const FLAGS: Readonly<Record<string, 'bool' | 'path' | 'time'>> = {
  socketpath: 'path',
  pidfile: 'path',
  hostprefix: 'path',
  broadcast: 'bool',
  timeout: 'time',
  resendmax: 'time',
  resendtimeout: 'time',
};
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const TIME_MAX_MS = 2 ** 31;

/** A time of Go in milliseconds; undefined when it is none, or none that can be waited for. */
export function durationOf(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total_ms = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) {
    total_ms += Number(number) * (UNITS_MS[unit ?? ''] ?? 0);
  }
  return total_ms > 0 && total_ms <= TIME_MAX_MS ? Math.round(total_ms) : undefined;
}

function checkedValue(flag: string, value: string): string {
  const kind = FLAGS[flag];
  if (kind === 'bool') {
    if (/^(1|t|T|true|TRUE|True)$/.test(value)) return 'true';
    if (/^(0|f|F|false|FALSE|False)$/.test(value)) return '';
    throw new UsageError(`-${flag} is "${value}": write true or false`);
  }
  if (kind === 'time' && durationOf(value) === undefined) {
    throw new UsageError(`-${flag} is "${value}": write a time such as 10s or 1m30s`);
  }
  if (kind === 'path' && value !== '' && !value.startsWith('/')) {
    throw new UsageError(`-${flag} is "${value}": write an absolute path`);
  }
  return value;
}

/** The flags as written: `-name value`, `-name=value`, with one dash or two. */
function flagsOf(args: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const [, name = '', , given] = /^--?([a-z]+)(=(.*))?$/s.exec(args[at]!) ?? [];
    const kind = FLAGS[name];
    if (kind === undefined) throw new UsageError(`there is no option "${args[at]}"`);
    const value = given ?? (kind === 'bool' ? 'true' : args[++at]);
    if (value === undefined) throw new UsageError(`-${name} needs a value`);
    found.set(name, checkedValue(name, value));
  }
  return found;
}

/** What the flags and the environment say. Throws UsageError. */
function optionsOf(args: readonly string[], env: DaemonHost['env']): DaemonOptions {
  const flags = flagsOf(args);
  const where = (flags.get('hostprefix') ?? '') + (flags.get('socketpath') || SOCKET_PATH);
  if (Buffer.byteLength(where) > SOCKET_PATH_MAX_BYTES) {
    throw new UsageError(`-socketpath has more than ${SOCKET_PATH_MAX_BYTES} bytes: shorten it`);
  }
  const time_ms = (name: string, otherwise: string): number =>
    durationOf(flags.get(name) ?? otherwise) ?? 0;
  return {
    socketpath: flags.get('socketpath') || SOCKET_PATH,
    pidfile: flags.get('pidfile') ?? '',
    hostprefix: flags.get('hostprefix') ?? '',
    broadcast: flags.get('broadcast') === 'true',
    timeout_ms: time_ms('timeout', '10s'),
    resendmax_ms: time_ms('resendmax', '62s'),
    resendtimeout_ms: time_ms('resendtimeout', '208s'),
    state_dir: env['CNI_FAIRLEAD_STATE_DIR'] || '/run/fairlead',
  };
}

/** Why the daemon did not start, for a person. */
function reasonOf(error: unknown, socketpath: string): string {
  if (error instanceof OsError && error.errno === ETIMEDOUT) {
    return `another daemon has the leases of ${socketpath}: ${error.text}`;
  }
  if (error instanceof OsError) {
    const words = [getSystemErrorName(-error.errno), error.text].filter((text) => text !== '');
    const denied = error.errno === EACCES || error.errno === EPERM;
    return `${words.join(': ')}${denied ? ': run it as root' : ''}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Starts the daemon, which then runs on; gives the exit code of what is no daemon. */
export function runDhcp(
  args: readonly string[],
  host: DaemonHost & { readonly write: (fd: number, text: string) => void },
): number {
  const [word = '', ...flags] = args;
  if (args.some((arg) => /^--?(h|help)$/.test(arg))) {
    host.write(1, HELP);
    return 0;
  }
  if (word !== 'daemon') {
    const what = word === '' ? 'what is to be done' : `"${word}"`;
    host.write(2, `fairlead dhcp: ${what}? There is daemon: see fairlead help dhcp\n`);
    return EXIT_USAGE;
  }
  let options: DaemonOptions;
  try {
    options = optionsOf(flags, host.env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    host.write(2, `fairlead dhcp: ${error.message}\nSee fairlead help dhcp\n`);
    return EXIT_USAGE;
  }
  void start(options, host);
  return 0;
}

async function start(options: DaemonOptions, host: DaemonHost): Promise<void> {
  let daemon: Daemon | undefined;
  try {
    daemon = new Daemon(options, host);
    await daemon.start();
    host.log(`fairlead dhcp: listening on ${options.hostprefix}${options.socketpath}`);
  } catch (error) {
    daemon?.close();
    host.log(`fairlead dhcp: ${reasonOf(error, options.socketpath)}`);
    host.exit(EXIT_FAILED);
  }
}
