// SPDX-License-Identifier: Apache-2.0
// What a node says of itself to the others: of its devices, as the kernel has them. What the kernel
// refused is not said, as others would go by it. It refuses to know sources.
import type { NetworkConfig } from './config.ts';
import { aliasOf, type Seen } from './see.ts';
import type { OwnNode } from './source.ts';

/** The public key that the network's WireGuard device has, "" while it has none. */
export function ownKey(seen: Seen | undefined, { name, type }: NetworkConfig): string {
  if (type !== 'wireguard') return '';
  const alias = aliasOf(name);
  return seen?.links.find((link) => link.kind === type && link.alias === alias)?.public_key ?? '';
}

/** Undefined while nothing is known of the link below. */
export function ownNode(
  ready: boolean,
  seen: Seen | undefined,
  network: NetworkConfig,
): OwnNode | undefined {
  const [underlay] = seen?.underlay ?? [];
  if (seen === undefined || underlay === undefined) return undefined;
  const { name, vni } = network;
  const alias = aliasOf(name);
  const mac = (device: string): string | undefined =>
    seen.links.find((link) => link.name === device && link.alias === alias)?.address;
  const [v4, v6] = [mac(`fl.${vni}`), mac(`fl6.${vni}`)];
  const macs = { ...(v4 !== undefined && { v4 }), ...(v6 !== undefined && { v6 }) };
  const public_key = ownKey(seen, network);
  const keyed = public_key === '' ? {} : { public_key };
  const addresses = seen.underlay.map(({ address }) => address);
  return { ready, mtu_bytes: underlay.mtu_bytes, macs, addresses, ...keyed };
}
