// SPDX-License-Identifier: Apache-2.0
// All targets, one row each. A new one is a file beside this, a row here and a count in
// test/support/tries.ts.
import type { Target } from '../target.ts';
import { args, environment, prevResult } from './calls.ts';
import { chain, config } from './config.ts';
import { delegate } from './delegate.ts';
import { dhcpAnswer, dhcpCall, dhcpFrame } from './dhcp.ts';
import { dhcpFrame6 } from './dhcp6.ts';
import { hints, leases, records } from './files.ts';
import { netlink } from './netlink.ts';
import { cacheEntry, conflist } from './network.ts';

export const TARGETS: readonly Target[] = [
  config,
  chain,
  environment,
  args,
  prevResult,
  records,
  leases,
  hints,
  delegate,
  conflist,
  cacheEntry,
  netlink,
  dhcpFrame,
  dhcpFrame6,
  dhcpCall,
  dhcpAnswer,
];
