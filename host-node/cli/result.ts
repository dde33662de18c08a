// SPDX-License-Identifier: Apache-2.0
// A result of ADD in lines for a person. It takes results of every version of the spec, and judges
// none.
/** A result of ADD, of any version of the spec. */
export interface Result {
  readonly interfaces?: readonly { name: string; mac?: string; sandbox?: string; mtu?: number }[];
  readonly ips?: readonly { address: string; gateway?: string; interface?: number }[];
  readonly routes?: readonly { dst: string; gw?: string }[];
  readonly dns?: Readonly<Record<string, string | readonly string[]>>;
  readonly ip4?: { ip: string; gateway?: string; routes?: readonly { dst: string; gw?: string }[] };
  readonly ip6?: Result['ip4'];
}

const COLUMN = 10;
/** One line of a result; what is not there is left out. */
function row(what: string, ...words: (string | undefined | false)[]): string {
  const there = words.filter((word) => word !== undefined && word !== false && word !== '');
  return `  ${what.padEnd(COLUMN)} ${there.join(' ')}`;
}
const via = (gw: string | undefined): string | undefined => (gw ? `via ${gw}` : undefined);

/** The lines of a result for a person. */
export function resultLines(result: Result): string[] {
  const { interfaces = [], ips = [], routes = [], dns = {} } = result;
  const lines = interfaces.map(({ name, mac, sandbox, mtu }) =>
    row('interface', name, mac, mtu !== undefined && `mtu ${mtu}`, sandbox || 'on the host'),
  );
  for (const { address, gateway, interface: at } of ips) {
    const on = interfaces[at ?? -1]?.name;
    lines.push(row('address', address, on && `on ${on}`, gateway && `gateway ${gateway}`));
  }
  for (const old of [result.ip4, result.ip6]) {
    if (old === undefined) continue;
    lines.push(row('address', old.ip, old.gateway && `gateway ${old.gateway}`));
    for (const { dst, gw } of old.routes ?? []) lines.push(row('route', dst, via(gw)));
  }
  for (const { dst, gw } of routes) lines.push(row('route', dst, via(gw)));
  for (const [key, value] of Object.entries(dns)) {
    lines.push(row(key, Array.isArray(value) ? value.join(', ') : String(value)));
  }
  return lines;
}
