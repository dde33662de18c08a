// SPDX-License-Identifier: Apache-2.0
// The shapes of replies in JSON: a member a line, with its type, its meaning and, where the name
// does not say it, its unit. From them are generated the core's classes and their readers, the
// writers of the simulated kernel and of the native host, and a section of docs/host-abi.md; the
// types of TypeScript are derived below. A host gives every member, "" and 0 for what there is not.

/** `str?` is a text or null. */
export type FieldType = 'i32' | 'u32' | 'i64' | 'u64' | 'bool' | 'str' | 'str?' | `${string}[]`;
/** Type, meaning, unit. */
export type Field = readonly [type: FieldType, about: string, unit?: string];

export interface Shape {
  readonly about: string;
  /** The shape whose members come first. */
  readonly extends?: string;
  readonly fields: Readonly<Record<string, Field>>;
}

export const SHAPES = {
  Link: {
    about: 'A link.',
    fields: {
      ifindex: ['i32', 'number in its namespace'],
      name: ['str', 'name'],
      kind: ['str', 'IFLA_INFO_KIND, "" for lo and NICs'],
      address: ['str', 'hardware address, in lower case'],
      mtu_bytes: ['i32', 'MTU'],
      up: ['bool', 'IFF_UP'],
      promisc: ['bool', 'IFF_PROMISC'],
      allmulti: ['bool', 'IFF_ALLMULTI'],
      txqlen: ['u32', 'length of the transmit queue', 'packets'],
      operstate: ['str', 'state of RFC 2863 in the words of ip(8): up, down, unknown, …'],
      master: ['i32', 'ifindex of the bridge or VRF that it is in'],
      peer: ['i32', "ifindex of a veth's other end"],
      vlan_filtering: ['bool', 'of a bridge'],
      table: ['u32', 'routing table of a VRF'],
      lower: ['i32', 'ifindex of the link that it lies on, in the namespace of that'],
      mode: ['str', 'of a macvlan or ipvlan, in the words of ip(8)'],
      vid: ['i32', 'VLAN ID of a vlan'],
      alias: ['str', 'IFLA_IFALIAS, what somebody calls it beside its name'],
      permaddr: ['str', 'the hardware address that it was built with'],
    },
  },
  Address: {
    about: 'An address of a link.',
    fields: {
      address: ['str', 'address and prefix length'],
      scope: ['i32', 'rtnetlink(7): 0 global, 253 link, 254 host'],
      tentative: ['bool', 'duplicate address detection is going on'],
      dadfailed: ['bool', 'it found a duplicate'],
    },
  },
  Route: {
    about: 'A route.',
    fields: {
      dst: ['str', 'destination, always with its prefix length'],
      gw: ['str', 'gateway'],
      src: ['str', 'preferred source'],
      scope: ['i32', 'rtnetlink(7)'],
      table: ['u32', 'routing table; 254 is main'],
      priority: ['u32', 'metric'],
      mtu_bytes: ['i32', 'MTU of the path'],
      advmss: ['i32', 'MSS to advertise', 'bytes'],
      protocol: ['i32', 'RTPROT_*, linux/rtnetlink.h'],
    },
  },
  RouteTo: {
    about: 'A route with the link it leaves by.',
    extends: 'Route',
    fields: { ifindex: ['i32', 'the link'] },
  },
  FibRule: {
    about: 'A policy routing rule.',
    fields: {
      src: ['str', 'prefix of the source, "" is any'],
      table: ['u32', 'routing table, 0 for none'],
      priority: ['u32', 'its place; the least is asked first'],
      more: ['bool', 'it asks for more than the source, or does not just look into its table'],
    },
  },
  PortVlan: {
    about: 'A VLAN of a bridge port.',
    fields: {
      vid: ['i32', 'VLAN ID'],
      pvid: ['bool', 'untagged packets that come in are of it'],
      untagged: ['bool', 'its packets go out untagged'],
    },
  },
  Qdisc: {
    about: 'A qdisc; the last three members are those of a tbf.',
    fields: {
      kind: ['str', 'TCA_KIND'],
      handle: ['u32', "0 for the kernel's own default"],
      rate: ['u64', 'rate', 'bytes a second'],
      limit: ['u32', 'what may wait', 'bytes'],
      buffer: ['u32', 'time of a burst', '64 ns'],
    },
  },
  Filter: {
    about: 'A filter of incoming packets.',
    fields: {
      pref: ['i32', 'its place'],
      kind: ['str', 'TCA_KIND'],
      handle: ['u32', '0 for the head of a pref'],
      to: ['i32', 'ifindex of the link that it redirects to, 0 for none'],
    },
  },
  NftRule: {
    about: 'A rule of a table.',
    fields: {
      chain: ['str', 'its chain'],
      comment: ['str', 'its comment'],
    },
  },
  NftHandle: {
    about: 'A rule of one chain.',
    fields: {
      handle: ['i64', 'NFTA_RULE_HANDLE'],
      comment: ['str', 'its comment'],
      does: ['str[]', 'what its expressions are called, verdicts in the words of nft'],
    },
  },
  NftChain: {
    about: 'A chain.',
    fields: {
      use: ['u32', 'how many rules it has and rules and elements lead to it, in sum'],
      rules: ['NftHandle[]', 'its rules'],
    },
  },
  NftBase: {
    about: 'A base chain.',
    fields: {
      family: ['i32', 'NFPROTO_*, linux/netfilter.h'],
      table: ['str', 'its table'],
      chain: ['str', 'its name'],
      priority: ['i32', 'place at its hook'],
      policy: ['str', 'accept or drop'],
    },
  },
  NftElement: {
    about: 'An element of a set or map.',
    fields: {
      key: ['str', 'bytes in hex'],
      data: ['str', 'bytes in hex or a verdict in the words of nft, "" in a set'],
      comment: ['str', 'its comment'],
    },
  },
  NamedText: {
    about: 'A file and what is in it.',
    fields: {
      name: ['str', 'name in its folder'],
      content: ['str?', 'null when it is no UTF-8 or longer than LISTED_MAX_BYTES'],
    },
  },
  Ended: {
    about: 'How a program ended and what it said.',
    fields: {
      exit_code: ['i32', '-1 after a signal'],
      signal: ['str', 'name of the signal'],
      stdout: ['str', 'standard output'],
      stderr: ['str', 'standard error'],
    },
  },
} as const satisfies Readonly<Record<string, Shape>>;

type Shapes = typeof SHAPES;
type Value<T> = T extends `${infer Item}[]`
  ? readonly Value<Item>[]
  : T extends keyof Shapes
    ? ShapeOf<T>
    : T extends 'bool'
      ? boolean
      : T extends 'str'
        ? string
        : T extends 'str?'
          ? string | null
          : number;
type Members<F> = {
  readonly [K in keyof F]: F[K] extends readonly [infer T, ...unknown[]] ? Value<T> : never;
};

/** A shape as a type. */
export type ShapeOf<N extends keyof Shapes> = Members<Shapes[N]['fields']> &
  (Shapes[N] extends { extends: infer Base extends keyof Shapes } ? ShapeOf<Base> : unknown);
/** A reply in JSON as a type. */
export type JsonOf<T> = Value<T>;

export type Link = ShapeOf<'Link'>;
export type Address = ShapeOf<'Address'>;
export type Route = ShapeOf<'Route'>;
export type RouteTo = ShapeOf<'RouteTo'>;
export type FibRule = ShapeOf<'FibRule'>;
export type PortVlan = ShapeOf<'PortVlan'>;
export type Qdisc = ShapeOf<'Qdisc'>;
export type Filter = ShapeOf<'Filter'>;
export type NftRule = ShapeOf<'NftRule'>;
export type NftChain = ShapeOf<'NftChain'>;
export type NftBase = ShapeOf<'NftBase'>;
export type NftElement = ShapeOf<'NftElement'>;
