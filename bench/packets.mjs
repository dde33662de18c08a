// SPDX-License-Identifier: Apache-2.0
// Measures packets: how soon after the start of an ADD the first one is answered, through
// masquerade and through a host port, and what a flow and its packets cost while attachments of
// others are there.
// The world outside knows no way to the pods, so only masqueraded packets are answered.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Chain, fused } from './chain.mjs';
import { contents, multiplier } from './others.mjs';
import { turn_us } from './path.mjs';
import { enter, measure, startServer, stopServers } from './process.mjs';
import { say } from './progress.mjs';
import { runtimeOf, wholeChain } from './scenarios.mjs';
import { quantile, spread, total } from './series.mjs';
import { makeMachine, makePods, OUTSIDE, removeNetns, UPLINK } from './world.mjs';

export const ATTACHMENTS = [10, 1_000, 10_000];
const SUBNET_NUMBER = 130;
const OUTSIDE_PORT = 7777;
const HOST_PORT = 9999;
const ROUNDS = 10;
/** The reference needs a minute for one ADD among thousands: then fewer rounds must do. */
const LIMIT_MS = 15_000;
const FLOWS = 1000;
const TURN_RUNS = 20;
/** Shaping limits packets, tuning has nothing to do with them. */
const TYPES = ['portmap', 'firewall'];

let count = 0;

/** A place to measure in: a machine, and a pod in which a server answers. */
class Place {
  constructor(side, world) {
    const name = `${side}-${++count}`;
    this.world = world;
    this.side = side;
    this.machine = makeMachine(name);
    const [pod, first] = makePods(2, `${name}-`);
    this.pod = pod;
    this.first = first;
    this.types = TYPES.filter((type) => world.known.includes(type));
    this.leases = join(world.folder, `leases-${name}`);
    this.real = {
      ...{ id: `bench-real-${side}`, address: `10.${SUBNET_NUMBER}.0.2` },
      ...{ port: HOST_PORT, pod, subnet_number: SUBNET_NUMBER },
    };
  }

  chain(pod, id, port) {
    const { side, world } = this;
    const plugins = wholeChain(SUBNET_NUMBER, this.leases, this.types);
    return new Chain({
      ...{ bin: world.sides[side], network: 'packets', folder: world.folder, id, pod },
      ...{ host: this.machine.host, runtime: runtimeOf(port, 'udp') },
      plugins: side === 'reference' ? plugins : fused(plugins),
    });
  }

  get has_port() {
    return this.types.includes('portmap');
  }

  /** Runs the probe in a namespace. */
  probe(netns, ...args) {
    const { probe: program, folder } = this.world;
    enter(netns);
    const output = join(folder, 'probe.out');
    const { wall_ms } = measure({ program, args: args.map(String), output });
    return { wall_ms, printed: readFileSync(output, 'utf8') };
  }

  /** Asks from the pod through masquerade, or from outside through the host port. */
  ask(way, what, ...more) {
    return way === 'masquerade'
      ? this.probe(this.pod, what, OUTSIDE, OUTSIDE_PORT, ...more)
      : this.probe(this.machine.out, what, UPLINK, HOST_PORT, ...more);
  }

  serve() {
    const { probe: program, folder } = this.world;
    for (const [netns, port] of [
      [this.machine.out, OUTSIDE_PORT],
      [this.pod, 80],
    ]) {
      enter(netns);
      startServer({
        program,
        args: ['serve', String(port)],
        output: join(folder, `server-${port}`),
      });
    }
  }

  remove() {
    stopServers();
    const paths = [this.machine.host, this.machine.out, this.pod, this.first];
    removeNetns(paths.map((path) => path.slice(path.lastIndexOf('/') + 1)));
    rmSync(this.leases, { recursive: true, force: true });
  }
}

/** What one attachment leaves. */
function templateOf(side, world) {
  const place = new Place(side, world);
  const chain = place.chain(place.pod, place.real.id, HOST_PORT);
  chain.run('ADD', measure);
  const template = multiplier(side).take(place.machine, place.real);
  chain.run('DEL', measure);
  place.remove();
  return template;
}

/** ADD, the first answers, and what packets cost then. */
function visit(place, ways) {
  const chain = place.chain(place.pod, place.real.id, HOST_PORT);
  const { wall_ms: add_ms, cpu_ms } = total(chain.run('ADD', measure));
  const first = ways.map((way) => [way, add_ms + place.ask(way, 'first').wall_ms]);
  return { add_ms, cpu_ms, first_ms: Object.fromEntries(first), chain };
}

const microseconds = (printed) =>
  spread(
    printed
      .trim()
      .split('\n')
      .map((line) => Number(line) / 1000),
  );

function measurePlace(place, ways) {
  const visits = [];
  const start_ms = performance.now();
  for (let round = 0; ; round++) {
    const seen = visit(place, ways);
    visits.push(seen);
    if (round >= ROUNDS || performance.now() - start_ms > LIMIT_MS) break;
    seen.chain.run('DEL', measure);
  }
  // The first is a warm-up when there are others.
  const kept = visits.length > 1 ? visits.slice(1) : visits;
  const median = (values) => quantile(values, 0.5);
  const by_way = (of) => Object.fromEntries(ways.map((way) => [way, of(way)]));
  return {
    visits: kept.length,
    add_ms: median(kept.map(({ add_ms }) => add_ms)),
    add_cpu_ms: median(kept.map(({ cpu_ms }) => cpu_ms)),
    first_ms: by_way((way) => median(kept.map(({ first_ms }) => first_ms[way]))),
    flow_us: by_way((way) => microseconds(place.ask(way, 'flows', FLOWS).printed)),
    turn_us: Math.min(
      ...Array.from({ length: TURN_RUNS }, () => turn_us(place.world, place.machine, place.pod)),
    ),
    ...contents(place.machine),
  };
}

function among(others, side, template, world) {
  const place = new Place(side, world);
  try {
    // The first makes what all attachments share.
    place.chain(place.first, 'bench-first', HOST_PORT + 1).run('ADD', measure);
    multiplier(side).put(place.machine, template, others);
    place.serve();
    const ways = place.has_port ? ['masquerade', 'host port'] : ['masquerade'];
    return measurePlace(place, ways);
  } finally {
    place.remove();
  }
}

/** Rows by number of attachments. */
export function measurePackets(counts, world) {
  const sides = [world.sides.native ? 'native' : 'node', 'reference'].filter(
    (side) => world.sides[side] !== undefined,
  );
  const templates = sides.map((side) => templateOf(side, world));
  return counts.map((others) => {
    const results = sides.map((side, at) => {
      say(`packets among ${others} attachments: ${side}`);
      return [side, among(others, side, templates[at], world)];
    });
    return { attachments: others, sides: Object.fromEntries(results) };
  });
}
