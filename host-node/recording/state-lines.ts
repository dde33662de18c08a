// SPDX-License-Identifier: Apache-2.0
// Lines of the simulated kernel's text (core-as/sim/text.ts) of what a kernel says in the shapes of
// the host ABI. It refuses to ask a kernel.
import type { Route } from '../abi/index.ts';

/** Metrics of IPv6 routes that nobody chose. */
const METRIC_DEFAULT6 = 1024;
const RT_TABLE_MAIN = 254;

/** The line of a route over a link. */
export function routeLine(route: Route, dev: string, v6: boolean): string {
  const words = ['route', route.dst];
  if (route.gw !== '') words.push('via', route.gw);
  words.push('dev', dev, 'proto', String(route.protocol));
  if (route.scope !== 0) words.push('scope', String(route.scope));
  if (route.src !== '') words.push('src', route.src);
  if (route.priority !== (v6 ? METRIC_DEFAULT6 : 0)) words.push('metric', String(route.priority));
  if (route.table !== RT_TABLE_MAIN) words.push('table', String(route.table));
  if (route.mtu_bytes !== 0) words.push('mtu', String(route.mtu_bytes));
  if (route.advmss !== 0) words.push('advmss', String(route.advmss));
  return words.join(' ');
}
