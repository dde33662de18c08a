// SPDX-License-Identifier: Apache-2.0
// The operation on tracked flows: a dump, and a request for each flow that is meant. It decides
// nothing.
import { type Driver, OsError } from '../abi/index.ts';
import { ENOENT } from '../sys/libc.ts';
import { NETLINK_NETFILTER } from '../sys/netlink.ts';
import * as nf from '../sys/nfnetlink.ts';
import { parseIp } from '../sys/rtnetlink/index.ts';
import type { Spaces } from './spaces.ts';

type Args = Parameters<Driver['conntrack_del']>[0];

function isMeant(flow: nf.Flow, args: Args): boolean {
  const from = args.reply_src === '' ? undefined : parseIp(args.reply_src);
  const to = args.dst === '' ? undefined : parseIp(args.dst);
  return (
    flow.protocol === args.protocol &&
    flow.dport >= args.dport &&
    flow.dport <= args.dport_end &&
    (to === undefined || flow.dst.equals(to)) &&
    (from === undefined || flow.reply_src.equals(from))
  );
}

export function conntrackDel(spaces: Spaces, args: Args): number {
  const socket = spaces.socket(args.ns, NETLINK_NETFILTER);
  const meant = socket.dump<nf.Flow>(nf.flowsOf(args.family), (message, into) => {
    const flow = nf.parseFlow(message);
    if (isMeant(flow, args)) into.push(flow);
  });
  let gone = 0;
  for (const flow of meant) {
    try {
      socket.run(nf.forgetFlow(args.family, flow));
      gone++;
    } catch (error) {
      // Its time was over meanwhile.
      if (!(error instanceof OsError) || error.errno !== ENOENT) throw error;
    }
  }
  return gone;
}
