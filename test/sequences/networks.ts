// SPDX-License-Identifier: Apache-2.0
// The networks and containers of the random sequences, and what the model knows of them. Pools are
// written out and small, so that they run full: nothing here is computed as the core computes it.
// It owns no behaviour.

/** A range set of host-local: one address of it for each attachment. */
export interface Pool {
  /** Every ADDRESS/BITS it can give. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}

export interface Network {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether it wires containers; else it is IPAM alone. */
  readonly wires: boolean;
  /** The bridge's name, "" for none. */
  readonly bridge: string;
  /** Where its leases lie; "" for none. */
  readonly leases: string;
  readonly pools: readonly Pool[];
  /** ADDRESS/BITS that every container gets. */
  readonly fixed: readonly string[];
  /** ADDRESS/BITS on the bridge from the first container on. */
  readonly gateways: readonly string[];
  /** Destinations that its containers get a route to, besides those of their addresses. */
  readonly routes: readonly string[];
  /** Destinations that they have no route to by the kernel's own making. */
  readonly unrouted: readonly string[];
  /** Words of the bridge's line and of the host's end's. */
  readonly words: { readonly bridge: readonly string[]; readonly port: readonly string[] };
  /** Whether its cniVersion knows GC and STATUS. */
  readonly modern: boolean;
}

const LEASES = '/var/lib/cni/networks';

const PODS: Pool = { addresses: ['10.1.0.2/29', '10.1.0.3/29'], gateways: ['10.1.0.1'] };
const DUAL4: Pool = {
  addresses: ['10.2.0.2/29', '10.2.0.3/29', '10.2.0.4/29', '10.2.0.5/29', '10.2.0.6/29'],
  gateways: ['10.2.0.1'],
};
/** IPv6 has no broadcast address: the last one is given too. */
const DUAL6: Pool = { addresses: ['fd02::2/126', 'fd02::3/126'], gateways: ['fd02::1'] };
const LINK: Pool = { addresses: ['10.4.0.5/29', '10.4.0.6/29'], gateways: ['10.4.0.1'] };
/** Two ranges of one set. */
const CHAIN: Pool = {
  addresses: ['10.5.0.2/30', '10.5.0.10/29', '10.5.0.11/29'],
  gateways: ['10.5.0.1', '10.5.0.9'],
};
const OLD: Pool = { addresses: ['10.6.0.2/30'], gateways: ['10.6.0.1'] };
const BARE: Pool = { addresses: ['10.7.0.2/24', '10.7.0.3/24'], gateways: ['10.7.0.1'] };

const NONE = {
  wires: true,
  bridge: '',
  leases: '',
  pools: [],
  fixed: [],
  gateways: [],
  routes: [],
  unrouted: [],
  words: { bridge: [], port: [] },
  modern: true,
} as const;

const pods: Network = {
  ...NONE,
  name: 'pods',
  bridge: 'br0',
  leases: `${LEASES}/pods`,
  pools: [PODS],
  gateways: ['10.1.0.1/29'],
  routes: ['0.0.0.0/0'],
  config: {
    cniVersion: '1.1.0',
    name: 'pods',
    type: 'bridge',
    bridge: 'br0',
    isDefaultGateway: true,
    capabilities: { ips: true },
    ipam: {
      type: 'host-local',
      statusWhenFull: true,
      ranges: [[{ subnet: '10.1.0.0/29', rangeStart: '10.1.0.2', rangeEnd: '10.1.0.3' }]],
    },
  },
};

const dual: Network = {
  ...NONE,
  name: 'dual',
  bridge: 'br1',
  leases: `${LEASES}/dual`,
  pools: [DUAL4, DUAL6],
  gateways: ['10.2.0.1/29', 'fd02::1/126'],
  routes: ['10.99.0.0/16', 'fd99::/16'],
  words: { bridge: [], port: ['hairpin'] },
  config: {
    cniVersion: '1.1.0',
    name: 'dual',
    type: 'bridge',
    bridge: 'br1',
    isGateway: true,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      statusWhenFull: true,
      ranges: [[{ subnet: '10.2.0.0/29' }], [{ subnet: 'fd02::/126' }]],
      routes: [{ dst: '10.99.0.0/16' }, { dst: 'fd99::/16' }],
    },
  },
};

/** Layer 2, on the bridge of pods. */
const flat: Network = {
  ...NONE,
  name: 'flat',
  bridge: 'br0',
  words: { bridge: [], port: ['isolated'] },
  config: {
    cniVersion: '1.1.0',
    name: 'flat',
    type: 'bridge',
    bridge: 'br0',
    portIsolation: true,
  },
};

/** Addresses that are written down, on the bridge of dual. */
const fixed: Network = {
  ...NONE,
  name: 'fixed',
  bridge: 'br1',
  fixed: ['10.3.0.5/24', 'fd03::5/64'],
  routes: ['10.98.0.0/16'],
  config: {
    cniVersion: '1.0.0',
    name: 'fixed',
    type: 'bridge',
    bridge: 'br1',
    ipam: {
      type: 'static',
      addresses: [{ address: '10.3.0.5/24', gateway: '10.3.0.1' }, { address: 'fd03::5/64' }],
      routes: [{ dst: '10.98.0.0/16' }],
    },
  },
  modern: false,
};

const link: Network = {
  ...NONE,
  name: 'link',
  leases: `${LEASES}/link`,
  pools: [LINK],
  routes: ['10.4.0.1/32', '10.4.0.0/29', '0.0.0.0/0'],
  unrouted: ['10.4.0.0/29'],
  config: {
    cniVersion: '1.1.0',
    name: 'link',
    type: 'ptp',
    ipam: {
      type: 'host-local',
      statusWhenFull: true,
      subnet: '10.4.0.0/29',
      rangeStart: '10.4.0.5',
      routes: [{ dst: '0.0.0.0/0' }],
    },
  },
};

/** The fused type, its leases elsewhere. */
const chain: Network = {
  ...NONE,
  name: 'chain',
  bridge: 'br2',
  leases: '/var/lib/cni/elsewhere/chain',
  pools: [CHAIN],
  words: { bridge: ['promisc'], port: [] },
  config: {
    cniVersion: '1.1.0',
    name: 'chain',
    type: 'fairlead',
    plugins: [
      {
        type: 'bridge',
        bridge: 'br2',
        promiscMode: true,
        capabilities: { ips: true },
        ipam: {
          type: 'host-local',
          statusWhenFull: true,
          dataDir: '/var/lib/cni/elsewhere',
          ranges: [
            [
              { subnet: '10.5.0.0/30' },
              { subnet: '10.5.0.8/29', rangeStart: '10.5.0.10', rangeEnd: '10.5.0.11' },
            ],
          ],
        },
      },
    ],
  },
};

/** A version without GC and STATUS, and one address. */
const old: Network = {
  ...NONE,
  name: 'old',
  bridge: 'br3',
  leases: `${LEASES}/old`,
  pools: [OLD],
  gateways: ['10.6.0.1/30'],
  config: {
    cniVersion: '0.4.0',
    name: 'old',
    type: 'bridge',
    bridge: 'br3',
    isGateway: true,
    ipam: { type: 'host-local', statusWhenFull: true, ranges: [[{ subnet: '10.6.0.0/30' }]] },
  },
  modern: false,
};

/** IPAM alone, as another's plugin calls it: no link, no record. */
const bare: Network = {
  ...NONE,
  name: 'bare',
  wires: false,
  leases: `${LEASES}/bare`,
  pools: [BARE],
  config: {
    cniVersion: '1.1.0',
    name: 'bare',
    type: 'host-local',
    ipam: {
      type: 'host-local',
      statusWhenFull: true,
      ranges: [[{ subnet: '10.7.0.0/24', rangeStart: '10.7.0.2', rangeEnd: '10.7.0.3' }]],
    },
  },
};

export const NETWORKS: readonly Network[] = [pods, dual, flat, fixed, link, chain, old, bare];

export function networkNamed(name: string): Network {
  const found = NETWORKS.find((network) => network.name === name);
  if (found === undefined) throw new Error(`no network ${name}`);
  return found;
}

/** Containers by id and namespace. The last two share one, and meet there. */
export const CONTAINERS = [
  { id: 'c1', netns: 'pod1' },
  { id: 'c2', netns: 'pod2' },
  { id: 'c3', netns: 'pod3' },
  { id: 'c4', netns: 'pod3' },
] as const;
export const IFNAMES = ['eth0', 'net1'] as const;

/** The state that every sequence begins with. */
export const BEFORE = 'netns host\nnetns pod1\nnetns pod2\nnetns pod3\n';
