// SPDX-License-Identifier: Apache-2.0
// The kinds of links that fixtures may have: a row for each, with what the words of a state and
// those of iproute2 must know of it. It runs nothing, and knows no fixture.

// biome-ignore lint/suspicious/noExplicitAny: what iproute2 prints has no type
type Json = any;
type Words = readonly (string | false)[];

interface LinkKind {
  /** Its address can only be given when it is made. */
  readonly fixed_address?: true;
  /** It is made by `ip tuntap`. Of users and groups that have a name iproute2 says that. */
  readonly tap?: true;
  /** It has no ARP and so no DAD: its accept_dad is -1. */
  readonly no_arp?: true;
  /** What the kernel says of its working depends on its release: it is not told. */
  readonly vague?: true;
  /** It lies on another, which its line names by `lower`. */
  readonly stacked?: true;
  /** Words of its line that `ip link add … type KIND` needs as options: a name and its value. */
  readonly options?: readonly string[];
  /** Words of its line that are an option without a value there, and that option. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Words for the line, of what `ip -d -j link` says as `info_data`: after the MTU… */
  readonly after_mtu?: (data: Json) => Words;
  /** …and after the master. */
  readonly after_master?: (data: Json) => Words;
}

export const LINK_KINDS: Readonly<Record<string, LinkKind>> = {
  bridge: {
    flags: { vlan_filtering: 'vlan_filtering 1' },
    after_mtu: (data) => [data.vlan_filtering === 1 && 'vlan_filtering'],
  },
  dummy: { no_arp: true },
  ifb: { fixed_address: true, no_arp: true },
  ipvlan: {
    fixed_address: true,
    vague: true,
    stacked: true,
    options: ['mode'],
    after_master: ({ mode }) => [`mode ${mode}`],
  },
  macvlan: {
    stacked: true,
    options: ['mode', 'bcqueuelen'],
    after_master: ({ mode, bcqueuelen }) => [
      `mode ${mode}`,
      bcqueuelen !== 1000 && `bcqueuelen ${bcqueuelen}`,
    ],
  },
  /** A card, which no kernel makes: a fixture that needs one is of the simulated kernel alone. */
  nic: {},
  tun: {
    tap: true,
    after_mtu: ({ multi_queue, user, group }) => [
      multi_queue === true && 'multi_queue',
      user !== undefined && `owner ${user}`,
      group !== undefined && `group ${group}`,
    ],
  },
  veth: {},
  vlan: { stacked: true, options: ['id'], after_master: ({ id }) => [`id ${id}`] },
  vrf: {
    no_arp: true,
    options: ['table'],
    after_master: (data) => [`table ${data.table}`],
  },
};

/** The row of a kind; that of a link without a kind, as `lo` is, says nothing. */
export const rowOf = (kind: string | undefined): LinkKind =>
  kind === undefined ? {} : (LINK_KINDS[kind] ?? {});
