// SPDX-License-Identifier: Apache-2.0
// WireGuard devices over generic netlink (linux/wireguard.h, linux/genetlink.h): their key and
// port, and their peers. It owns those messages and refuses to decide who is a peer.
import { isIPv6 } from 'node:net';
import { OsError } from '../../host-node/abi/index.ts';
import { EINVAL } from '../../host-node/sys/libc.ts';
import { command, dumpOf, type NetlinkSocket } from '../../host-node/sys/netlink.ts';
import * as rt from '../../host-node/sys/rtnetlink/index.ts';

export const NETLINK_GENERIC = 16;
const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
const GENL_HDRLEN = 4;

const WG_GENL_VERSION = 1;
const WG_CMD_GET_DEVICE = 0;
const WG_CMD_SET_DEVICE = 1;
const WGDEVICE_A_IFNAME = 2;
const WGDEVICE_A_PRIVATE_KEY = 3;
const WGDEVICE_A_PUBLIC_KEY = 4;
const WGDEVICE_A_LISTEN_PORT = 6;
const WGDEVICE_A_PEERS = 8;
const WGPEER_F_REMOVE_ME = 1;
const WGPEER_F_REPLACE_ALLOWEDIPS = 2;
const WGPEER_A_PUBLIC_KEY = 1;
const WGPEER_A_FLAGS = 3;
const WGPEER_A_ENDPOINT = 4;
const WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL = 5;
const WGPEER_A_ALLOWEDIPS = 9;
const WGALLOWEDIP_A_FAMILY = 1;
const WGALLOWEDIP_A_IPADDR = 2;
const WGALLOWEDIP_A_CIDR_MASK = 3;

/** struct genlmsghdr. */
const genlmsghdr = (request: rt.Request, cmd: number, version: number): rt.Request =>
  request.u8(cmd).u8(version).u16(0);

const keyBytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64');

/** Which number the family has on this kernel; an OsError, ENOENT, when it has none. */
export function getFamily(): rt.Request {
  return genlmsghdr(command(GENL_ID_CTRL), CTRL_CMD_GETFAMILY, 1).attrText(
    CTRL_ATTR_FAMILY_NAME,
    'wireguard',
  );
}

export function parseFamily(message: rt.Message): number {
  let id = 0;
  rt.eachAttr(message.from(GENL_HDRLEN), (type, value) => {
    if (type === CTRL_ATTR_FAMILY_ID) id = value.u16();
  });
  return id;
}

function setDevice(family: number, dev: string): rt.Request {
  const request = genlmsghdr(command(family), WG_CMD_SET_DEVICE, WG_GENL_VERSION);
  return request.attrText(WGDEVICE_A_IFNAME, dev);
}

/** `wg set DEV listen-port PORT private-key …`. */
export function setKey(family: number, dev: string, port: number, key: string): rt.Request {
  return setDevice(family, dev)
    .attr(WGDEVICE_A_PRIVATE_KEY, keyBytes(key))
    .attrU16(WGDEVICE_A_LISTEN_PORT, port);
}

/** A peer in the words of core-as/overlay/entry.ts. */
export interface Peer {
  readonly public_key: string;
  /** ADDRESS:PORT, the address in brackets when it is IPv6; "" for none. */
  readonly endpoint: string;
  readonly allowed_ips: readonly string[];
  readonly keepalive_s: number;
}

export const peerText = (peer: Peer, dev: string): string =>
  `peer ${peer.public_key} endpoint ${peer.endpoint || 'none'} ` +
  `allowed-ips ${[...peer.allowed_ips].sort().join(',') || 'none'} ` +
  `keepalive ${peer.keepalive_s} dev ${dev}`;

/** struct sockaddr_in or sockaddr_in6. */
function sockaddr(endpoint: string): Uint8Array {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(endpoint) ?? [];
  if (host === '') throw new OsError(EINVAL, `"${endpoint}" is no endpoint`);
  const v6 = isIPv6(host);
  const bytes = Buffer.alloc(v6 ? 28 : 16);
  bytes.writeUInt16LE(v6 ? rt.AF_INET6 : rt.AF_INET, 0);
  bytes.writeUInt16BE(Number(port), 2);
  bytes.set(rt.parseIp(host), v6 ? 8 : 4);
  return bytes;
}

function endpointOf(value: rt.Span): string {
  const port = (value.u8(2) << 8) | value.u8(3);
  if (value.u16() === rt.AF_INET)
    return `${rt.formatIp(value.from(4).raw().subarray(0, 4))}:${port}`;
  return `[${rt.formatIp(value.from(8).raw().subarray(0, 16))}]:${port}`;
}

/** `wg set DEV peer …`, with its allowed-ips in the place of those that it had. */
export function setPeer(family: number, dev: string, wanted: Peer): rt.Request {
  const request = setDevice(family, dev);
  const [peers, peer] = [request.nest(WGDEVICE_A_PEERS), request.nest(0)];
  request
    .attr(WGPEER_A_PUBLIC_KEY, keyBytes(wanted.public_key))
    .attr(WGPEER_A_ENDPOINT, sockaddr(wanted.endpoint))
    .attrU16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, wanted.keepalive_s)
    .attrU32(WGPEER_A_FLAGS, WGPEER_F_REPLACE_ALLOWEDIPS);
  const all = request.nest(WGPEER_A_ALLOWEDIPS);
  for (const cidr of wanted.allowed_ips) {
    const { family: ip, bytes, length } = rt.parsePrefix(cidr);
    const one = request.nest(0);
    request
      .attrU16(WGALLOWEDIP_A_FAMILY, ip)
      .attr(WGALLOWEDIP_A_IPADDR, bytes)
      .attrU8(WGALLOWEDIP_A_CIDR_MASK, length)
      .end(one);
  }
  return request.end(all).end(peer).end(peers);
}

/** `wg set DEV peer … remove`. */
export function removePeer(family: number, dev: string, public_key: string): rt.Request {
  const request = setDevice(family, dev);
  const [peers, peer] = [request.nest(WGDEVICE_A_PEERS), request.nest(0)];
  request
    .attr(WGPEER_A_PUBLIC_KEY, keyBytes(public_key))
    .attrU32(WGPEER_A_FLAGS, WGPEER_F_REMOVE_ME);
  return request.end(peer).end(peers);
}

export function getDevice(family: number, dev: string): rt.Request {
  const request = genlmsghdr(dumpOf(family), WG_CMD_GET_DEVICE, WG_GENL_VERSION);
  return request.attrText(WGDEVICE_A_IFNAME, dev);
}

/** What a device is known by, and who its peers are. */
export interface Device {
  /** "" while it has none. */
  public_key: string;
  port: number;
  readonly peers: Peer[];
}

/** Adds what a message of a dump says: a peer with many allowed-ips is told in several of them. */
export function parseDevice(message: rt.Message, into: Device): void {
  rt.eachAttr(message.from(GENL_HDRLEN), (type, value) => {
    if (type === WGDEVICE_A_PUBLIC_KEY)
      into.public_key = Buffer.from(value.raw()).toString('base64');
    else if (type === WGDEVICE_A_LISTEN_PORT) into.port = value.u16();
    else if (type === WGDEVICE_A_PEERS) {
      rt.eachAttr(value, (_, peer) => {
        const found = parsePeer(peer);
        const before = into.peers.at(-1);
        if (before === undefined || before.public_key !== found.public_key) into.peers.push(found);
        else {
          const allowed_ips = [...before.allowed_ips, ...found.allowed_ips];
          into.peers[into.peers.length - 1] = { ...before, allowed_ips };
        }
      });
    }
  });
}

function parsePeer(span: rt.Span): Peer {
  let [public_key, endpoint, keepalive_s] = ['', '', 0];
  const allowed_ips: string[] = [];
  rt.eachAttr(span, (type, value) => {
    if (type === WGPEER_A_PUBLIC_KEY) public_key = Buffer.from(value.raw()).toString('base64');
    else if (type === WGPEER_A_ENDPOINT) endpoint = endpointOf(value);
    else if (type === WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL) keepalive_s = value.u16();
    else if (type === WGPEER_A_ALLOWEDIPS) {
      rt.eachAttr(value, (_, one) => allowed_ips.push(allowedIpOf(one)));
    }
  });
  return { public_key, endpoint, allowed_ips, keepalive_s };
}

function allowedIpOf(span: rt.Span): string {
  let [address, length] = ['', 0];
  rt.eachAttr(span, (type, value) => {
    if (type === WGALLOWEDIP_A_IPADDR) address = rt.formatIp(value.raw());
    else if (type === WGALLOWEDIP_A_CIDR_MASK) length = value.u8();
  });
  return `${address}/${length}`;
}

/** A conversation with the family; the number is asked for once. */
export class WireGuard {
  readonly #socket: () => NetlinkSocket;
  #family: number | undefined;

  constructor(socket: () => NetlinkSocket) {
    this.#socket = socket;
  }

  get #number(): number {
    this.#family ??= this.#socket().get(getFamily(), parseFamily) ?? 0;
    return this.#family;
  }

  device(dev: string): Device {
    const device: Device = { public_key: '', port: 0, peers: [] };
    this.#socket().dump(getDevice(this.#number, dev), (message, into: Device[]) => {
      // A dump that is done again begins anew.
      if (into.length === 0) Object.assign(device, { public_key: '', port: 0, peers: [] });
      into.push(device);
      parseDevice(message, device);
    });
    return device;
  }

  setKey(dev: string, port: number, private_key: string): void {
    this.#socket().run(setKey(this.#number, dev, port, private_key));
  }

  setPeer(dev: string, peer: Peer): void {
    this.#socket().run(setPeer(this.#number, dev, peer));
  }

  removePeer(dev: string, public_key: string): void {
    this.#socket().run(removePeer(this.#number, dev, public_key));
  }
}
