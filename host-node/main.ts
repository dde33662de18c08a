// The program: a CNI plugin when CNI_COMMAND is set or its base name is a CNI type, else a command
// line. The plugin path is on every pod's start: it loads nothing it does not need, and avoids
// process.stdout and console, which cost Node more than a whole ADD.
import { readFileSync, readSync, writeSync } from 'node:fs';
import manifest from '../package.json' with { type: 'json' };
import { runInstaller } from './cli/install.ts';
import { serve } from './core.ts';
import { realDriver } from './drivers/index.ts';
import { exitNow } from './sys/libc.ts';

const EX_USAGE = 2;
const CHUNK_BYTES = 65536;

const HELP = `fairlead ${manifest.version}: CNI plugins with one WebAssembly core

As a CNI plugin (CNI_COMMAND in the environment, the network configuration on stdin) the base name
of the program is the CNI type. Install it, or a link to it, as one of:

  bridge      veth pair between a Linux bridge and the container
  ptp         veth pair between the host and the container
  loopback    the container's lo
  host-local  IPAM: addresses from ranges, leases in /var/lib/cni/networks
  static      IPAM: addresses written in the configuration

Usage:
  fairlead install      put it and its type names in place; see fairlead install --help
  fairlead uninstall    take away what install put in place
  fairlead --help       this text
  fairlead --version    the version and the CNI spec versions it speaks

Exit codes: 0 done; 1 a CNI error, as JSON on stdout; 2 wrong usage.
Manual: docs/fairlead.8.md in the source; configuration keys: docs/plugins.md
`;

function sleep(duration_ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
}

function busy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}

/** Standard input to its end, but no more than a little over the limit. */
function stdin(limit_bytes: number): Uint8Array {
  let bytes = new Uint8Array(CHUNK_BYTES);
  let length = 0;
  while (length <= limit_bytes) {
    if (length === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    try {
      const count = readSync(0, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    } catch (error) {
      // A caller may hand over a pipe that does not block.
      if ((error as NodeJS.ErrnoException).code === 'EOF') break;
      if (!busy(error)) throw error;
      sleep(1);
    }
  }
  return bytes.subarray(0, length);
}

function write(fd: number, text: string): void {
  let rest: Uint8Array = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!busy(error)) return;
      sleep(1);
    }
  }
}

/** core.wasm: inside the single executable, or beside the bundle. */
function coreModule(): WebAssembly.Module {
  const sea = process.getBuiltinModule('node:sea');
  const bytes = sea.isSea()
    ? sea.getRawAsset('core.wasm')
    : readFileSync(new URL('core.wasm', import.meta.url));
  return new WebAssembly.Module(bytes as BufferSource);
}

/** Whether this is the single executable, and not the bundle under a Node. */
function isExecutable(): boolean {
  return process.getBuiltinModule('node:sea').isSea();
}

/** What the program was called as: argv[0] of the executable, or the script's name. */
function baseName(): string {
  const path = (isExecutable() ? process.argv0 : process.argv[1]) ?? '';
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.endsWith('.mjs') ? name.slice(0, -4) : name;
}

/** Serves one call and ends the process: all output is written, and locks go with the process. */
function plugin(type: string): number {
  const answer = serve(
    coreModule(),
    realDriver(),
    { type, env: process.env },
    { stdin, sleep, log: (line) => write(2, `${line}\n`) },
  );
  write(1, answer.stdout);
  exitNow(answer.exit_code);
  return answer.exit_code;
}

function main(): number {
  const type = baseName();
  const command = process.env['CNI_COMMAND'] ?? '';
  const first = process.argv[2] ?? '';
  if (command !== '') return plugin(type);
  if (first === '--version') {
    write(1, `fairlead ${manifest.version}\nCNI spec 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0\n`);
    return 0;
  }
  if (first === 'install' || first === 'uninstall') {
    const executable = isExecutable() ? process.execPath : undefined;
    const args = process.argv.slice(3);
    return runInstaller(first, { args, version: manifest.version, executable, write });
  }
  if (first === '--help' || first === '-h' || (type === 'fairlead' && first === '')) {
    write(1, HELP);
    return 0;
  }
  if (first !== '') {
    write(2, `fairlead: unknown argument "${first}": see fairlead --help\n`);
    return EX_USAGE;
  }
  return plugin(type);
}

process.exitCode = main();
