// SPDX-License-Identifier: Apache-2.0
// The whole table: the rows of all files beside this one, by module. It refuses to describe any.
import { ADDRESS } from './address.ts';
import { BRIDGE } from './bridge.ts';
import { CONNTRACK } from './conntrack.ts';
import { HOST } from './host.ts';
import { LINK } from './link.ts';
import { NETNS } from './netns.ts';
import { NFT } from './nft.ts';
import { PLUGIN } from './plugin.ts';
import { ROUTE } from './route.ts';
import { type Module, type Operation, operationsOf } from './row.ts';
import { RULE } from './rule.ts';
import { SOCKET } from './socket.ts';
import { STORE } from './store.ts';
import { TC } from './tc.ts';

/** The rows by module. */
export const MODULES = {
  host: HOST,
  kernel: {
    ...NETNS,
    ...LINK,
    ...BRIDGE,
    ...ADDRESS,
    ...ROUTE,
    ...RULE,
    ...TC,
    ...CONNTRACK,
    ...SOCKET,
  },
  nft: NFT,
  store: STORE,
  plugin: PLUGIN,
} as const;

export const OPERATIONS: readonly Operation[] = Object.entries(MODULES).flatMap(([module, rows]) =>
  operationsOf(module as Module, rows),
);

/** The part of the table that a driver serves. */
export const DRIVER_OPERATIONS: readonly Operation[] = OPERATIONS.filter(
  (op) => op.module !== 'host',
);
