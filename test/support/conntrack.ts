// SPDX-License-Identifier: Apache-2.0
// Tracked flows of the real kernel in the conntrack lines of core-as/sim/text.ts: read from /proc,
// and made by ctnetlink, for which no program is at hand everywhere.
import { closeSync, constants, openSync } from 'node:fs';
import { command, NETLINK_NETFILTER, openInside } from '../../host-node/sys/netlink.ts';
import { NLM_F_CREATE, NLM_F_EXCL, parseIp } from '../../host-node/sys/rtnetlink/index.ts';

const IPCTNL_MSG_CT_NEW = 1 << 8;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_TIMEOUT = 7;
const TIMEOUT_S = 600;
const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };

const plain = (ip: string): string =>
  ip.includes(':') ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip;

/** UDP and SCTP flows of nf_conntrack in /proc/net: those of TCP end by themselves. */
export function flowLines(table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const protocol = /^\S+ +\d+ (udp|sctp) /.exec(line)?.[1];
    if (protocol === undefined) return [];
    const [src, src2] = [...line.matchAll(/ src=(\S+)/g)].map((found) => plain(found[1] ?? ''));
    const [dst] = [...line.matchAll(/ dst=(\S+)/g)].map((found) => plain(found[1] ?? ''));
    const [sport, sport2] = [...line.matchAll(/ sport=(\d+)/g)].map((found) => found[1]);
    const dport = / dport=(\d+)/.exec(line)?.[1];
    const first = `src ${src} sport ${sport} dst ${dst} dport ${dport}`;
    return [`conntrack ${protocol} ${first} reply src ${src2} sport ${sport2}`];
  });
}

type End = readonly [ip: string, port: string];

/** Makes a flow of a conntrack line in a namespace of `ip netns`. */
export function makeFlow(netns: string, line: string): void {
  const words = line.split(' ');
  const [protocol = '', src = '', sport = '', dst = '', dport = '', src2 = '', sport2 = ''] = [
    1, 3, 5, 7, 9, 12, 14,
  ].map((at) => words[at]);
  const v6 = src.includes(':');
  const request = command(IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL);
  request
    .u8(v6 ? 10 : 2)
    .u8(0)
    .u16(0);
  const port = (value: string) => Uint8Array.of(Number(value) >> 8, Number(value) & 0xff);
  const tuple = (type: number, from: End, to: End): void => {
    const nest = request.nest(type);
    const ips = request.nest(1);
    request
      .attr(v6 ? 3 : 1, parseIp(from[0]))
      .attr(v6 ? 4 : 2, parseIp(to[0]))
      .end(ips);
    const ports = request.nest(2);
    request.attrU8(1, PROTOCOLS[protocol] ?? 0);
    request.attr(2, port(from[1])).attr(3, port(to[1])).end(ports).end(nest);
  };
  tuple(CTA_TUPLE_ORIG, [src, sport], [dst, dport]);
  tuple(CTA_TUPLE_REPLY, [src2, sport2], [src, sport]);
  request.attr(CTA_TIMEOUT, Uint8Array.of(0, 0, TIMEOUT_S >> 8, TIMEOUT_S & 0xff));
  const home = openSync('/proc/thread-self/ns/net', constants.O_RDONLY);
  const inside = openSync(`/run/netns/${netns}`, constants.O_RDONLY);
  const socket = openInside(inside, home, NETLINK_NETFILTER);
  socket.run(request);
  socket.close();
  closeSync(inside);
  closeSync(home);
}
