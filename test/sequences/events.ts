// SPDX-License-Identifier: Apache-2.0
// What may happen in a random sequence, and how an event becomes a call: which attachment it means
// is told relative to what the model says there is, so that events meet, also after shrinking.
import fc from 'fast-check';
import type { Step } from '../support/fixture.ts';
import { type FaultMode, FOREIGN_MAC, MOVED_DIR, VALID } from './call.ts';
import type { Model } from './model.ts';
import { CONTAINERS, IFNAMES, NETWORKS, type Network } from './networks.ts';

export interface Fault {
  readonly mode: FaultMode;
  /** The operation it meets, from 1. */
  readonly at: number;
}

/** Whom a call means: one of those that there are, or any of all. */
interface Target {
  readonly network: number;
  readonly container: number;
  readonly ifname: number;
  /** Which of those that have left something; undefined for the three above. */
  readonly present: number | undefined;
}

export type Event =
  | {
      readonly do: 'ADD';
      readonly target: Target;
      readonly netns: 'own' | 'missing' | 'host';
      readonly requested: number | undefined;
      readonly fault: Fault | undefined;
    }
  | {
      readonly do: 'DEL';
      readonly target: Target;
      readonly netns: 'own' | 'none' | 'missing';
      readonly config: 'same' | 'broken' | 'moved';
      readonly prevResult: boolean;
      readonly fault: Fault | undefined;
    }
  | {
      readonly do: 'CHECK';
      readonly target: Target;
      readonly prevResult: 'none' | 'own' | 'changed';
      readonly fault: Fault | undefined;
    }
  | {
      readonly do: 'GC';
      readonly network: number;
      readonly list: 'all' | 'some' | 'empty' | 'null' | 'absent' | 'wrong';
      readonly fault: Fault | undefined;
    }
  | { readonly do: 'STATUS'; readonly network: number; readonly fault: Fault | undefined }
  | { readonly do: 'namespace destroyed'; readonly container: number; readonly again: boolean }
  | { readonly do: 'namespaces made' }
  | { readonly do: 'reboot' };

export interface Sequence {
  /** The networks it is about; events name them by index. */
  readonly networks: readonly number[];
  readonly events: readonly Event[];
}

/** A value in so many of a hundred cases; shrinks to none. */
function sometimes<T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 100 - percent, arbitrary: fc.constant(undefined) },
    { weight: percent, arbitrary },
  );
}

const anyFault = fc.record({
  mode: fc.constantFrom<FaultMode>('fails', 'fails', 'lost', 'dies'),
  at: fc.integer({ min: 1, max: 45 }),
});
const fault = sometimes(25, anyFault);
const rarely = sometimes(10, anyFault);
const small = fc.nat({ max: 11 });

function target(present_percent: number): fc.Arbitrary<Target> {
  return fc.record({
    network: small,
    container: fc.nat({ max: CONTAINERS.length - 1 }),
    ifname: fc.nat({ max: IFNAMES.length - 1 }),
    present: sometimes(present_percent, small),
  });
}

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('ADD' as const),
      target: target(0),
      netns: fc.constantFrom(...(['own', 'own', 'own', 'own', 'own', 'missing', 'host'] as const)),
      requested: sometimes(20, fc.nat({ max: 5 })),
      fault,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('ADD' as const),
      target: target(80),
      netns: fc.constant('own' as const),
      requested: fc.constant(undefined),
      fault: rarely,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('DEL' as const),
      target: target(80),
      netns: fc.constantFrom(...(['own', 'own', 'none', 'missing'] as const)),
      config: fc.constantFrom(...(['same', 'same', 'same', 'broken', 'moved'] as const)),
      prevResult: fc.boolean(),
      fault,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('CHECK' as const),
      target: target(80),
      prevResult: fc.constantFrom(...(['own', 'own', 'own', 'none', 'changed'] as const)),
      fault: rarely,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('GC' as const),
      network: small,
      list: fc.constantFrom(
        ...(['all', 'some', 'some', 'some', 'empty', 'null', 'absent', 'wrong'] as const),
      ),
      fault,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('STATUS' as const), network: small, fault: rarely }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('namespace destroyed' as const),
      container: fc.nat({ max: CONTAINERS.length - 1 }),
      again: fc.constantFrom(true, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('namespaces made' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reboot' as const) }) },
);

/** Sequences of at most so many events. */
export function sequences(events_max: number): fc.Arbitrary<Sequence> {
  return fc.record({
    networks: fc.uniqueArray(fc.nat({ max: NETWORKS.length - 1 }), { minLength: 1, maxLength: 3 }),
    events: fc.array(event, { minLength: 1, maxLength: events_max, size: 'max' }),
  });
}

/** A call about to be made. */
export interface Planned {
  /** A name for its configuration. */
  readonly label: string;
  readonly step: Step;
  /** What the step's file holds, prevResult not yet put in. */
  readonly stdin: string;
  /** The call of the sequence whose result goes in unchanged as prevResult, 0 for none. */
  readonly prev: number;
  readonly fault: Fault | undefined;
}

interface Meant {
  readonly network: Network;
  readonly id: string;
  readonly ifname: string;
  readonly netns: string;
}

function meant(target: Target, networks: readonly Network[], model: Model): Meant {
  const there = model.remains.filter((item) => networks.includes(item.network));
  if (target.present !== undefined && there.length > 0) {
    const item = there[target.present % there.length]!;
    const netns = CONTAINERS.find((container) => container.id === item.id)?.netns ?? '';
    return { network: item.network, id: item.id, ifname: item.ifname, netns };
  }
  const { id, netns } = CONTAINERS[target.container]!;
  const network = networks[target.network % networks.length]!;
  return { network, id, ifname: IFNAMES[target.ifname]!, netns };
}

const PATHS = { none: '', missing: '/run/netns/missing', host: '/run/netns/host' } as const;

/** The call an event comes to, in a given state; undefined for an event that is none. */
export function planned(event: Event, chosen: Sequence['networks'], model: Model) {
  const networks = chosen.map((index) => NETWORKS[index]!);
  if (event.do === 'GC' || event.do === 'STATUS') {
    const network = networks[event.network % networks.length]!;
    const config = { ...network.config, ...(event.do === 'GC' ? list(event, network, model) : {}) };
    return plan(event.do, { network, id: '', ifname: '', netns: '' }, '', config, 0, event.fault);
  }
  if (event.do !== 'ADD' && event.do !== 'DEL' && event.do !== 'CHECK') return undefined;
  const who = meant(event.target, networks, model);
  const place = event.do === 'CHECK' ? 'own' : event.netns;
  const netns = place === 'own' ? `/run/netns/${who.netns}` : PATHS[place];
  if (event.do === 'ADD') {
    const config = { ...who.network.config, ...requested(event.requested, who.network) };
    return plan('ADD', who, netns, config, 0, event.fault);
  }
  const last = model.resultOf(who.network, who.id, who.ifname);
  if (event.do === 'DEL') {
    const prev = event.prevResult && event.config === 'same' ? (last?.call ?? 0) : 0;
    return plan('DEL', who, netns, variant(event.config, who.network), prev, event.fault);
  }
  if (event.prevResult !== 'changed' || last === undefined) {
    const prev = event.prevResult === 'own' ? (last?.call ?? 0) : 0;
    return plan('CHECK', who, netns, who.network.config, prev, event.fault);
  }
  const interfaces = last.document.interfaces?.map((item) => ({ ...item, mac: FOREIGN_MAC }));
  const prevResult = { ...last.document, ...(interfaces && { interfaces }) };
  return plan('CHECK', who, netns, { ...who.network.config, prevResult }, 0, event.fault);
}

/** Addresses of the pools and then their gateways: some are free, some taken, some refused. */
function requested(which: number | undefined, network: Network): Record<string, unknown> {
  if (which === undefined || network.pools.length === 0) return {};
  const addresses = network.pools.flatMap((pool) => pool.addresses);
  const all = [...addresses, ...network.pools.flatMap((pool) => pool.gateways)];
  const ip = all[which % all.length]?.split('/')[0];
  return { runtimeConfig: { ips: [ip] } };
}

function list(
  event: Extract<Event, { do: 'GC' }>,
  network: Network,
  model: Model,
): Record<string, unknown> {
  if (event.list === 'absent') return {};
  if (event.list === 'null') return { [VALID]: null };
  if (event.list === 'wrong') return { [VALID]: [{ containerID: 1, ifname: 'eth0' }] };
  const there = model.remains.filter((item) => item.network === network);
  const kept = there.filter((_, index) =>
    event.list === 'all' ? true : event.list === 'some' && index % 2 === 0,
  );
  return { [VALID]: kept.map(({ id, ifname }) => ({ containerID: id, ifname })) };
}

function variant(
  config: 'same' | 'broken' | 'moved',
  network: Network,
): Readonly<Record<string, unknown>> | undefined {
  if (config === 'broken') return undefined;
  if (config === 'same') return network.config;
  return JSON.parse(JSON.stringify(network.config), (key, value) =>
    key === 'ipam' && value.type === 'host-local' ? { ...value, dataDir: MOVED_DIR } : value,
  );
}

function plan(
  command: string,
  who: Meant,
  netns: string,
  config: Readonly<Record<string, unknown>> | undefined,
  prev: number,
  fault: Fault | undefined,
): Planned {
  const type = String(who.network.config['type']);
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: who.id,
    CNI_NETNS: netns,
    CNI_IFNAME: who.ifname,
    CNI_ARGS: '',
    CNI_PATH: '/opt/cni/bin',
  };
  const stdin = config === undefined ? BROKEN : JSON.stringify(config, null, 2);
  const label = config === undefined ? 'broken' : who.network.name;
  return { label, step: { number: 0, command, type, stdin, env, prev }, stdin, prev, fault };
}

/** A DEL, as a runtime would call it, for everything that there is. */
export function farewells(model: Model): Planned[] {
  return model.remains.map(({ network, id, ifname }) => {
    const netns = CONTAINERS.find((container) => container.id === id)?.netns ?? '';
    const who = { network, id, ifname, netns };
    const path = model.hasNetns(netns) ? `/run/netns/${netns}` : '';
    return plan('DEL', who, path, network.config, 0, undefined);
  });
}

const BROKEN = '{"cniVersion": "1.1.0", "name": ';
