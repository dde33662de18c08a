// SPDX-License-Identifier: Apache-2.0
// Why an operation is done, where the core has no choice to explain: one row for each kind. What
// was decided the core says itself (core-as/spec/why.ts).
import type { Step } from './rehearse.ts';

interface Reason {
  readonly op: string;
  /** What a text argument has to hold. */
  readonly has?: readonly [arg: string, part: RegExp];
  readonly why: string;
}

const ROWS: readonly Reason[] = [
  { op: 'kernel.link_add_veth', why: 'the pair that joins the node and the container' },
  { op: 'kernel.link_add_bridge', why: 'the containers of the network meet in it' },
  {
    op: 'kernel.sysctl_write',
    has: ['key', /accept_ra$/],
    why: 'a router advertisement is not to configure the node',
  },
  {
    op: 'kernel.sysctl_write',
    has: ['key', /arp_notify$/],
    why: 'neighbours hear at once whose the address is now',
  },
  {
    op: 'kernel.sysctl_write',
    has: ['key', /accept_dad$/],
    why: 'the address is used at once: IPAM gives it to nobody else',
  },
  {
    op: 'kernel.sysctl_write',
    has: ['key', /keep_addr_on_down$/],
    why: 'the address is to outlive a link that goes down',
  },
  {
    op: 'kernel.sysctl_write',
    has: ['key', /^net\/(ipv4\/ip_forward|ipv6\/conf\/all\/forwarding)$/],
    why: 'the node forwards for its containers; last of all, as it cannot be undone exactly',
  },
  {
    op: 'kernel.sysctl_write',
    has: ['key', /route_localnet$/],
    why: 'so that a port on 127.0.0.1 of the node leads to the container',
  },
  { op: 'kernel.link_set_bridge_port', why: 'as hairpinMode and portIsolation say' },
  { op: 'kernel.socket_listens', why: 'whether a program of the node has the port' },
  { op: 'nft.batch', why: 'for all plugins of the chain at once, all or nothing' },
  {
    op: 'store.file_write',
    has: ['path', /\/attachments\//],
    why: 'the record: what DEL takes back, written ahead of it',
  },
  {
    op: 'store.file_write',
    has: ['path', /\/results\//],
    why: 'the result as CHECK and DEL of a runtime are given it',
  },
  { op: 'store.file_create', why: 'the lease: nobody else gets this address' },
  {
    op: 'store.file_rewrite',
    has: ['path', /last_reserved_ip/],
    why: 'the next container gets the one after it',
  },
  { op: 'store.dir_lock', why: 'calls at the same time wait for each other' },
];

/** Why a step is done; "" where its words say enough. */
export function reasonOf({ op, args }: Step): string {
  const row = ROWS.find(
    (one) => one.op === op && (one.has === undefined || one.has[1].test(String(args[one.has[0]]))),
  );
  return row?.why ?? '';
}
