// SPDX-License-Identifier: Apache-2.0
// What a node holds of attachments, as its kernel and files have it: interfaces, leases, records,
// caches. Whatever a client is, these are the places where something of it can be left over.
// It refuses to judge: what should be there is the tests' to say.
import type { Cell } from './cell.ts';

/** Everything of an attachment that can be left over. */
export interface State {
  readonly links: readonly string[];
  readonly netns: readonly string[];
  readonly leases: readonly string[];
  readonly records: readonly string[];
  /** What libcni remembers of results. */
  readonly cache: readonly string[];
  /** What the reference plugins keep to restore on DEL. */
  readonly kept: readonly string[];
}

/** What an interface holds, as `ip -json` has it. */
export interface Interface {
  readonly mac: string;
  readonly mtu_bytes: number;
  /** Without the link-local address, which the kernel makes of the MAC. */
  readonly addresses: readonly string[];
}

interface IpAddr {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly addr_info: readonly { local: string; prefixlen: number; scope: string }[];
}

/** A pod's network namespace: the one of a process, or the one mounted at a path. */
export type Netns = { readonly pid: string } | { readonly path: string };

/** Runs a command in a pod's network namespace, with the cell's files. */
export function runInside(cell: Cell, netns: Netns, command: readonly string[]): Promise<string> {
  const enter = 'pid' in netns ? ['--target', netns.pid, '--net'] : [`--net=${netns.path}`];
  return cell.run(['nsenter', ...enter, '--', ...command]);
}

async function ipInside(cell: Cell, netns: Netns, args: readonly string[]): Promise<unknown[]> {
  return JSON.parse((await runInside(cell, netns, ['ip', '-json', ...args])) || '[]');
}

/** The interfaces of a namespace by name, as the kernel has them. */
export async function interfacesOf(cell: Cell, netns: Netns): Promise<Record<string, Interface>> {
  const links = (await ipInside(cell, netns, ['address', 'show'])) as IpAddr[];
  const entries = links.map((link): [string, Interface] => {
    const kept = link.addr_info.filter((one) => one.scope !== 'link');
    const addresses = kept.map((one) => `${one.local}/${one.prefixlen}`);
    return [link.ifname, { mac: link.address, mtu_bytes: link.mtu, addresses }];
  });
  return Object.fromEntries(entries);
}

/** The gateways of the default routes, IPv4 and IPv6. */
export async function defaultGatewaysOf(cell: Cell, netns: Netns): Promise<string[]> {
  const gateways = [];
  for (const family of ['-4', '-6']) {
    const routes = await ipInside(cell, netns, [family, 'route', 'show', 'default']);
    gateways.push(...(routes as { gateway: string }[]).map((route) => route.gateway));
  }
  return gateways;
}

/** Who holds an address, as the lease file has it. */
export function leaseOf(cell: Cell, network: string, address: string): Promise<string> {
  return cell.run(['cat', `/var/lib/cni/networks/${network}/${address}`]);
}

/** `netns_folder` is where the client mounts its namespaces. */
export async function stateOf(cell: Cell, netns_folder: string): Promise<State> {
  const links = JSON.parse(await cell.run(['ip', '-json', 'link', 'show'])) as IpAddr[];
  const hints = /\/(lock|last_reserved_ip\.\d+)$/;
  const leases = await cell.files('/var/lib/cni/networks');
  const records = await cell.files('/run/fairlead');
  return {
    links: links.map((link) => link.ifname).sort(),
    netns: await cell.files(netns_folder),
    leases: leases.filter((lease) => !hints.test(lease)),
    records: records.filter((path) => !/^(leases|locks|shared)\//.test(path)),
    cache: await cell.files('/var/lib/cni/results'),
    kept: await cell.files('/run/cni'),
  };
}
