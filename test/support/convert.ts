// SPDX-License-Identifier: Apache-2.0
// Results between spec versions, as an oracle for the core's conversion: written from the table of
// libcni's rules, on plain JSON, sharing nothing with core-as/spec/result.ts.

interface Ip {
  version?: string;
  address: string;
  gateway?: string;
  interface?: number;
}
interface Route {
  dst: string;
  gw?: string;
}
interface Modern {
  cniVersion: string;
  interfaces?: Record<string, unknown>[];
  ips?: Ip[];
  routes?: Route[];
  dns?: unknown;
}

const family = (address: string): string => (address.includes(':') ? '6' : '4');

function legacy(document: Modern, version: string): unknown {
  const out: Record<string, unknown> = { cniVersion: version };
  for (const v of ['4', '6']) {
    const ip = document.ips?.find((item) => family(item.address) === v);
    if (ip === undefined) continue;
    const routes = (document.routes ?? [])
      .filter((route) => family(route.dst) === v)
      .map(({ dst, gw }) => (gw === undefined ? { dst } : { dst, gw }));
    out[`ip${v}`] = {
      ip: ip.address,
      ...(ip.gateway === undefined ? {} : { gateway: ip.gateway }),
      ...(routes.length === 0 ? {} : { routes }),
    };
  }
  return { ...out, dns: document.dns ?? {} };
}

/** A result of 1.0.0 or 1.1.0 as any version prints it. */
export function convertResult(document: Modern, version: string): unknown {
  if (version < '0.3.0') return legacy(document, version);
  if (version >= '1.0.0') return { ...document, cniVersion: version };
  const interfaces = document.interfaces?.map(({ name, mac, sandbox }) => ({
    name,
    ...(mac === undefined ? {} : { mac }),
    ...(sandbox === undefined ? {} : { sandbox }),
  }));
  const ips = document.ips?.map((ip) => ({ version: family(ip.address), ...ip }));
  return {
    cniVersion: version,
    ...(interfaces === undefined ? {} : { interfaces }),
    ...(ips === undefined ? {} : { ips }),
    ...(document.routes === undefined ? {} : { routes: document.routes }),
    dns: document.dns ?? {},
  };
}
