// SPDX-License-Identifier: Apache-2.0
// By which addresses other nodes reach this one, where its source does not say it: those of an
// interface, of the default route's when none is named. It refuses to choose among several
// interfaces with default routes but by the metric, as the kernel does.
import { readFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** The default route's interface in the text of /proc/net/route (v4); "" for none. */
export function defaultOf4(text: string): string {
  const rows = text.split('\n').slice(1);
  const routes = rows
    .map((row) => row.trim().split(/\s+/))
    // Interface, destination, gateway, flags, …, metric, mask; RTF_UP is 1, RTF_REJECT 0x200.
    .filter(([, dst, , flags = '0', , , , mask]) => {
      const bits = Number.parseInt(flags, 16);
      return dst === '00000000' && mask === '00000000' && (bits & 0x201) === 1;
    })
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  return routes[0]?.[0] ?? '';
}

/** The same in the text of /proc/net/ipv6_route. */
export function defaultOf6(text: string): string {
  const routes = text
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    // Destination, bits, source, bits, next hop, metric, …, flags, interface.
    .filter(([dst = '', bits, , , , , , , flags = '0', dev]) => {
      const set = Number.parseInt(flags, 16);
      return /^0+$/.test(dst) && bits === '00' && dev !== 'lo' && (set & 0x201) === 1;
    })
    .sort((a, b) => Number.parseInt(a[5]!, 16) - Number.parseInt(b[5]!, 16));
  return routes[0]?.[9] ?? '';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A kernel without that family.
    return '';
  }
}

/** What others can reach: no address of the machine alone, of a link alone, or of a pod. */
function usable({ address, internal }: NetworkInterfaceInfo): boolean {
  return !internal && !/^(fe[89ab]|169\.254\.)/i.test(address);
}

/** One of each family at most; an Error says what is missing. */
export function ownAddresses(dev: string): string[] {
  const devs =
    dev !== ''
      ? [dev, dev]
      : [defaultOf4(read('/proc/net/route')), defaultOf6(read('/proc/net/ipv6_route'))];
  const links = networkInterfaces();
  const found = (['IPv4', 'IPv6'] as const).flatMap((family, at) => {
    const all = links[devs[at] ?? ''] ?? [];
    const first = all.find((one) => one.family === family && usable(one));
    return first === undefined ? [] : [first.address];
  });
  if (found.length > 0) return found;
  throw new Error(
    dev !== ''
      ? `"${dev}" has no address by which others reach this node`
      : 'no default route tells the address of this node: name "interface" or "addresses"',
  );
}
