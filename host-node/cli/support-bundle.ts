// SPDX-License-Identifier: Apache-2.0
// `fairlead support-bundle`: what a bug report needs of a node, in one file of JSON, packed with
// gzip, with stars in the place of secrets. It sends nothing anywhere, and changes nothing but that
// file, which has to be new.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { arch, hostname, release } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FILE_MAX_BYTES } from '../recording/format.ts';
import { recordingsIn, ringOf } from '../recording/ring.ts';
import { Secrets } from '../recording/secrets.ts';
import { parseArgs } from './args.ts';
import { doctorDocument } from './doctor/command.ts';
import {
  BIN_DIR,
  CACHE_DIR,
  CONF_DIR,
  EXIT_FAILED,
  guarded,
  type Io,
  RUN_DIR,
  wantsJson,
} from './io.ts';
import type { Attachments } from './ls.ts';
import { snapshot } from './snapshot.ts';
import { SnapshotError } from './snapshot-notes.ts';

const HELP = `fairlead support-bundle: what a bug report needs of this node, in one file

Usage:
  fairlead support-bundle [FILE] [--conf-dir DIR] [--bin-dir DIR] [--output json]

  FILE              a new file (fairlead-support-HOST-TIME.json.gz here)
  --conf-dir DIR    where networks are ($NETCONFPATH, ${CONF_DIR})
  --bin-dir DIR     where plugins are (${BIN_DIR})
  --output json     {"file", "redacted": ["NAME"], "missing": ["…"]}

It holds what doctor says, the attachments, the networks, a snapshot of links, addresses, routes,
rules and our tables of the host and of the containers, and the recordings there are. Values whose
names look like those of secrets are starred; addresses, names and MACs are not: look into it
("zcat FILE | jq .") before you send it. Exit codes: 0 done; 1 it could not be written; 2 wrong
usage.
`;

/** More of them make a file that nobody takes; the newest are wanted. */
const RECORDINGS_MAX = 50;
const READ = /\.(conflist|conf|json)$/;

/** Parts that could not be had, with why. */
type Missing = string[];

function tried<T>(what: string, missing: Missing, action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    const known = error instanceof SnapshotError || 'code' in (error as object);
    if (!known) throw error;
    missing.push(`${what}: ${(error as Error).message}`);
    return null;
  }
}

/** Text without secrets. */
function starred(bytes: Buffer, secrets: Secrets): string {
  secrets.json(bytes);
  secrets.cached(bytes);
  secrets.again(bytes);
  return bytes.toString();
}

/** A regular file, of a size that a network or a recording has. */
function bytesOf(path: string): Buffer {
  // A FIFO would be waited for.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    if (!fstatSync(fd).isFile()) throw Object.assign(new Error('no regular file'), { code: '' });
    if (size > FILE_MAX_BYTES) throw Object.assign(new Error(`${size} bytes`), { code: 'EFBIG' });
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The files of a folder by name, each as `read` gives it. */
function textsOf(
  dir: string,
  names: readonly string[],
  missing: Missing,
  read: (bytes: Buffer) => string,
) {
  const texts: Record<string, string | null> = {};
  for (const name of names) {
    const path = join(dir, name);
    texts[path] = tried(path, missing, () => read(bytesOf(path)));
  }
  return texts;
}

function answerOf(io: Io, name: string, request: object, missing: Missing): unknown {
  const { exit_code, stdout } = io.task(name, request);
  if (exit_code === 0) return JSON.parse(stdout);
  missing.push(`${name}: ${stdout}`);
  return null;
}

interface Places {
  readonly confDir: string;
  readonly binDir: string;
}

function contents(io: Io, places: Places, version: string, secrets: Secrets, missing: Missing) {
  const { confDir } = places;
  const cacheDir = resolve(io.env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
  const attached = answerOf(io, 'attachments', { network: '', cacheDir }, missing);
  const { attachments = [], foreign = [] } = (attached ?? {}) as Partial<Attachments>;
  const netns = new Set([...attachments, ...foreign].map((one) => one.netns));
  const nft = answerOf(io, 'nft_state', {}, missing) as { lines: string[] } | null;
  const ring = ringOf(io.env) ?? '';
  const names = tried(confDir, missing, () => readdirSync(confDir).filter((n) => READ.test(n)));
  const calls = tried(ring, missing, () => recordingsIn(ring).slice(-RECORDINGS_MAX));
  const taken = tried('snapshot', missing, () => {
    const none: readonly string[] = [];
    const folders = [join(io.env['CNI_FAIRLEAD_STATE_DIR'] || RUN_DIR, 'attachments')];
    const nothing = { files: none, programs: none };
    const live = [...netns].filter((path) => path !== '');
    return snapshot({ ...nothing, folders, netns: live, nft: nft?.lines ?? [] });
  });
  return {
    fairlead_support: 1,
    made: new Date().toISOString(),
    version,
    kernel: release(),
    arch: arch(),
    doctor: doctorDocument(io, places, version),
    attachments: attached,
    networks: textsOf(confDir, names ?? [], missing, (bytes) => starred(bytes, secrets)),
    snapshot: taken === null ? null : starred(Buffer.from(taken), secrets),
    // They have no secrets any more: whoever recorded them starred those.
    recordings: textsOf(ring, calls ?? [], missing, (bytes) => bytes.toString()),
  };
}

/** Writes a file that is not there yet, for its owner alone. */
function writeNew(path: string, bytes: Uint8Array): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
}

/** Runs `support-bundle` and gives the exit code. */
export function runSupportBundle(args: readonly string[], io: Io, version: string): number {
  return guarded('support-bundle', args, io, () => {
    const table = { 'conf-dir': 'value', 'bin-dir': 'value', output: 'value' } as const;
    const { help, options, operands } = parseArgs(args, table, 1);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const confDir = resolve(options['conf-dir'] ?? (io.env['NETCONFPATH'] || CONF_DIR));
    const places = { confDir, binDir: resolve(options['bin-dir'] ?? BIN_DIR) };
    const time = new Date().toISOString().replace(/\..*|[-:]/g, '');
    const file = resolve(operands[0] ?? `fairlead-support-${hostname()}-${time}.json.gz`);
    const [secrets, missing] = [new Secrets(), [] as Missing];
    const bundle = { ...contents(io, places, version, secrets, missing), missing };
    try {
      writeNew(file, gzipSync(`${JSON.stringify({ ...bundle, redacted: secrets.names })}\n`));
    } catch (error) {
      const msg = `cannot write ${file}: ${(error as Error).message}`;
      if (json) io.write(1, `${JSON.stringify({ command: 'support-bundle', error: msg })}\n`);
      else io.write(2, `fairlead support-bundle: ${msg}\n`);
      return EXIT_FAILED;
    }
    const told = { file, redacted: secrets.names, missing };
    if (json) io.write(1, `${JSON.stringify(told)}\n`);
    else {
      for (const what of missing) io.write(2, `not in it: ${what}\n`);
      const stars = secrets.names.length === 0 ? 'none was found' : secrets.names.join(', ');
      io.write(1, `${file}\nsecrets with stars in their place: ${stars}\n`);
    }
    return 0;
  });
}
