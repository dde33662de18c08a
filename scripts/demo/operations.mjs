// Runs the core in this process and shows the operations it asked its host for.
// It refuses to make any up: each is one call of a driver that was there.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { serve } from '../../host-node/core.ts';
import { recording } from '../../host-node/drivers/record.ts';
import { ROOT } from '../setup.mjs';
import { dim, say, WIDTH, wrapped } from './paint.mjs';

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, code]) => [code, name]));
const SHOWN_OF_A_LINK = ['ifindex', 'up', 'master', 'peer'];
const NAMESPACE_ARGS = ['a', 'b', 'peer_ns'];
const DEFAULTS = ['', 0, false];

export const wasm = (file) => new WebAssembly.Module(readFileSync(join(ROOT, 'dist', file)));

function sleep(duration_ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
}

/** A driver that remembers how long its last operation took. */
function timed(driver) {
  const clock = { last_ms: 0 };
  const methods = Object.entries(driver).map(([name, method]) => [
    name,
    (args) => {
      const start_ms = performance.now();
      try {
        return method(args);
      } finally {
        clock.last_ms = performance.now() - start_ms;
      }
    },
  ]);
  return { clock, driver: Object.fromEntries(methods) };
}

/** Serves one call on `driver`. Gives the answer and the operations, each with its time. */
export function serveHere(core, driver, call, stdin) {
  const operations = [];
  const { clock, driver: measured } = timed(driver);
  const recorded = recording(measured, (entry) => {
    operations.push({ ...entry, duration_ms: clock.last_ms });
  });
  const around = { stdin: () => Buffer.from(stdin), log: (line) => say(`  ${dim(line)}`), sleep };
  const start_ms = performance.now();
  const answer = serve(core, recorded, call, around);
  return { ...answer, duration_ms: performance.now() - start_ms, operations };
}

function shortValue(value) {
  if (Array.isArray(value)) return `[${value.map(shortValue).join(', ')}]`;
  if (typeof value === 'string') return /[\s"]/.test(value) ? JSON.stringify(value) : value;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('base64' in value) return JSON.stringify(Buffer.from(value.base64, 'base64').toString());
  const names = 'ifindex' in value ? SHOWN_OF_A_LINK : Object.keys(value);
  const members = names.filter((name) => !DEFAULTS.includes(value[name]));
  const shown = members.map((name) =>
    value[name] === true ? name : `${name} ${shortValue(value[name])}`,
  );
  return `{${shown.join(', ')}}`;
}

/** A call opens one namespace besides the host's own: its pod's. */
const spaceName = (handle) => (handle === 0 ? 'host' : 'pod');

/** What an operation was given, without what says nothing: "name=eth0 master=2". */
function shortArgs(args) {
  return Object.entries(args)
    .map(([name, value]) => [name, NAMESPACE_ARGS.includes(name) ? spaceName(value) : value])
    .filter(([name, value]) => name !== 'ns' && !DEFAULTS.includes(value))
    .map(([name, value]) => `${name}=${shortValue(value)}`)
    .join(' ');
}

function outcome(entry) {
  if (entry.errno !== undefined) return ERRNO_NAMES.get(entry.errno) ?? `errno ${entry.errno}`;
  return entry.value === undefined ? 'done' : shortValue(entry.value);
}

/** The operations as a table; `shorten` may replace long paths. */
export function showOperations(operations, shorten) {
  const indent = 45;
  say(dim(`    #     ms  where  ${'operation'.padEnd(22)}  arguments → reply`));
  operations.forEach((entry, index) => {
    const [module, name] = entry.op.split('.');
    const where = module === 'store' ? 'files' : spaceName(entry.args.ns ?? 0);
    const said = shorten(`${shortArgs(entry.args)} → ${outcome(entry)}`);
    const [first, ...more] = wrapped(said, WIDTH - indent);
    const took = entry.duration_ms.toFixed(2);
    const head = `${dim(`${index + 1}`.padStart(3))}  ${took.padStart(5)}  ${where.padEnd(5)}`;
    say(`  ${head}  ${name.padEnd(22)}  ${first}`);
    for (const line of more) say(' '.repeat(indent) + line);
  });
}
