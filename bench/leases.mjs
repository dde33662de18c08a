// SPDX-License-Identifier: Apache-2.0
// Measures bridge + host-local in networks that have many leases already, made beforehand as
// host-local writes them. Every side has leases of its own, so that nobody finds those of another.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleave, rowsOf } from './calls.mjs';
import { Chain } from './chain.mjs';
import { say } from './progress.mjs';
import { bridge } from './scenarios.mjs';
import { makeMemoryDir, removeMemoryDir } from './world.mjs';

const SUBNET_NUMBER = 110;
/** In memory: to make and remove 200,000 files on a disk would take longer than to measure. */
const LEASES = '/run/leases';
/** Of a /16, without the network's address, the gateway and the broadcast address. */
const HOSTS = 65_533;
const FREE_IN_FULL = 16;
export const SIZES = [0, 1_000, 10_000, 50_000, HOSTS - FREE_IN_FULL];
const MIN_ROUNDS = 10;
/** The rounds of the other groups are too many here: the reference takes a second for a call. */
const ROUNDS_DIVISOR = 5;

/** The `index`-th address that can be given away. */
function address(index) {
  const value = index + 2;
  return `10.${SUBNET_NUMBER}.${value >> 8}.${value & 255}`;
}

/** Leases of other containers. In a nearly full range the free addresses lie spread. */
function fill(folder, size) {
  mkdirSync(folder, { recursive: true });
  const step = Math.floor(HOSTS / FREE_IN_FULL);
  let last = '';
  for (let index = 0, made = 0; made < size; index++) {
    if (size > HOSTS / 2 && size + FREE_IN_FULL >= HOSTS && index % step === step - 1) continue;
    last = address(index);
    writeFileSync(join(folder, last), `other-${index}\r\neth0`, { mode: 0o600 });
    made++;
  }
  if (last !== '') writeFileSync(join(folder, 'last_reserved_ip.0'), last);
}

function runnersOf(size, { sides, machines, pods, folder }) {
  return Object.entries(sides).map(([side, bin], at) => {
    const leases = join(LEASES, side);
    const network = `leases-${size}`;
    fill(join(leases, network), size);
    const chain = new Chain({
      ...{ bin, network, folder, host: machines[side].host, pod: pods[at] },
      ...{ plugins: [bridge(SUBNET_NUMBER, leases)], id: `bench-${side}` },
    });
    return { side, chain };
  });
}

/** Rows by size, each with the sides of an empty network, whose calls had their turns between. */
export function measureLeases(sizes, world, rounds) {
  const fewer = Math.max(MIN_ROUNDS, Math.floor(rounds / ROUNDS_DIVISOR));
  return sizes.flatMap((size) => {
    say(`leases: making ${size} for each side`);
    makeMemoryDir(LEASES);
    const runners = runnersOf(size, world);
    const full = size === SIZES.at(-1);
    const name = full ? `nearly full /16 (${size})` : String(size);
    const row = { name: `leases: ${name}`, leases: size, full, runners };
    const none = size === 0 ? row : { name: 'leases: none', runners: runnersOf(0, world) };
    interleave([...new Set([none, row])], fewer, { warm_up: 1 });
    removeMemoryDir(LEASES);
    const nones = rowsOf(none);
    return rowsOf({ ...row, name }).map((line, at) => ({ ...line, none: nones[at].sides }));
  });
}
