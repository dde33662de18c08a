// SPDX-License-Identifier: Apache-2.0
// Replies of the kernel: one datagram through every parser of rtnetlink, and through a socket that
// waits for the answer to a request, a query and a dump.
import {
  type Address,
  type FibRule,
  OsError,
  type PortVlan,
  type Route,
} from '../../../host-node/abi/index.ts';
import { command, dumpOf, NetlinkSocket } from '../../../host-node/sys/netlink.ts';
import * as rt from '../../../host-node/sys/rtnetlink/index.ts';
import { Violation } from '../../support/answer.ts';
import { corpusOf } from '../corpus.ts';
import type { Target } from '../target.ts';

const EAGAIN = 11;
/** Of a reply of 64 KiB no more can be made by right. */
const LIST_MAX = 1 << 16;

/** A failure as the driver may hand it on; anything else is none. */
function orOsError(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof OsError)) throw new Violation(`a parser threw ${error}`);
    if (!(error.errno > 0)) throw new Violation(`a parser failed with errno ${error.errno}`);
  }
}

function short(list: readonly unknown[]): void {
  if (list.length > LIST_MAX) throw new Violation(`a list of ${list.length} entries`);
}

const PARSERS: readonly ((message: rt.Message) => void)[] = [
  rt.parseLink,
  rt.parseVerdict,
  rt.linkIndex,
  rt.linkMaster,
];

function parseAll(datagram: Buffer): void {
  for (const parse of PARSERS) {
    orOsError(() => rt.eachMessage(datagram, datagram.length, parse));
  }
  for (let ifindex = 0; ifindex < 4; ifindex++) {
    const addresses: Address[] = [];
    const routes: Route[] = [];
    orOsError(() =>
      rt.eachMessage(datagram, datagram.length, (one) => {
        rt.parseAddress(one, ifindex, addresses);
      }),
    );
    for (const family of [rt.AF_INET, rt.AF_INET6]) {
      orOsError(() =>
        rt.eachMessage(datagram, datagram.length, (one) => {
          rt.parseRoute(one, family, ifindex, routes);
        }),
      );
    }
    short(addresses);
    short(routes);
  }
  const vlans: PortVlan[] = [];
  orOsError(() =>
    rt.eachMessage(datagram, datagram.length, (one) => {
      rt.parsePortVlans(one, vlans);
    }),
  );
  short(vlans);
  const rules: FibRule[] = [];
  orOsError(() => rt.eachMessage(datagram, datagram.length, (one) => rt.parseFibRule(one, rules)));
  short(rules);
}

/** A socket that answers every request with the datagram, its first message made to fit. */
function answering(datagram: Buffer): NetlinkSocket {
  let waiting: Buffer | undefined;
  return new NetlinkSocket({
    send: (sent) => {
      const fitting = Buffer.from(datagram);
      if (fitting.length >= 12) fitting.writeUInt32LE(Buffer.from(sent).readUInt32LE(8), 8);
      waiting = fitting;
    },
    receive: (into) => {
      if (waiting === undefined) throw Object.assign(new Error('EAGAIN'), { errno: -EAGAIN });
      const length = waiting.copy(into);
      waiting = undefined;
      return length;
    },
    close: () => {},
  });
}

export const netlink: Target = {
  name: 'netlink',
  calls: false,
  seeds: () => corpusOf('netlink').map(([, content]) => content),
  words: () => ['\0', '\0\0\0\0', '\u0001\0\0\0', '\u0004\0', '\u0010\0\0\0', 'veth', 'eth0', 'lo'],
  check: (input) => {
    const datagram = Buffer.from(input);
    if (datagram.length > 65536) return;
    parseAll(datagram);
    orOsError(() => answering(datagram).run(command(rt.RTM_NEWLINK)));
    orOsError(() => answering(datagram).get(command(rt.RTM_GETLINK), rt.parseLink));
    orOsError(() => {
      short(answering(datagram).dump<PortVlan>(dumpOf(rt.RTM_GETLINK), rt.parsePortVlans));
    });
  },
};
