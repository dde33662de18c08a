// SPDX-License-Identifier: Apache-2.0
// The addresses that host-local has given, as doctor sees them: networks that are full, leases of
// containers that are gone. The core reads the leases, by the task of `fairlead leases`.
import type { Lease, Pool } from '../leases.ts';
import type { Finding } from './findings.ts';

/** The answer of the task `leases` (core-as/tasks/leases.ts). */
export interface Leases {
  readonly networks: readonly Pool[];
  readonly leases: readonly Lease[];
}

const NAMED = 3;

export function lookAtLeases({ networks, leases }: Leases): Finding[] {
  const full = networks
    .filter(({ free }) => free === '0')
    .map(({ network, used }): Finding => {
      return {
        id: 'addresses-none',
        severity: 'warning',
        evidence: `network ${network} has given all of its ${used} addresses: the next ADD fails`,
        cure: `fairlead gc ${network}, or a larger range; "fairlead leases ${network}" has whose`,
      };
    });
  const gone = leases.filter(({ state }) => state === 'leaked');
  const behind = networks.flatMap(({ network, leaked }): Finding[] => {
    if (leaked === 0) return [];
    const named = gone.filter((one) => one.network === network).slice(0, NAMED);
    const shown = named.map(({ address, containerID }) => {
      return `${address} of ${containerID}`;
    });
    const more = leaked > named.length ? ', …' : '';
    const number = `${leaked} of its leases ${leaked === 1 ? 'is' : 'are'} of containers`;
    return [
      {
        id: 'leases-leaked',
        severity: 'warning',
        evidence: `network ${network}: ${number} that are gone: ${shown.join(', ')}${more}`,
        cure: `fairlead gc ${network}`,
      },
    ];
  });
  return [...full, ...behind];
}
