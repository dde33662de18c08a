// SPDX-License-Identifier: Apache-2.0
// Tunnel devices in rtnetlink: how one is asked for, and what the kernel tells of one. It owns
// those messages and refuses to decide which devices there ought to be.
import { command } from '../../host-node/sys/netlink.ts';
import * as rt from '../../host-node/sys/rtnetlink/index.ts';

// linux/if_link.h
const IFLA_IFALIAS = 20;
const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_LINK = 3;
const IFLA_VXLAN_LOCAL = 4;
const IFLA_VXLAN_LEARNING = 7;
const IFLA_VXLAN_PORT = 15;
const IFLA_VXLAN_LOCAL6 = 17;
const IFLA_GENEVE_ID = 1;
const IFLA_GENEVE_PORT = 5;
const IFLA_GENEVE_COLLECT_METADATA = 6;

/** A WireGuard device has neither hardware address nor port of its own here. */
export function linkAddWireGuard(name: string, mtu_bytes: number): rt.Request {
  const { add, info, data } = linkAdd({ name, mtu_bytes, address: '' }, 'wireguard');
  return add.end(data).end(info);
}

/** A device as it is asked for. */
export interface Tunnel {
  readonly name: string;
  readonly port: number;
  readonly address: string;
  readonly mtu_bytes: number;
}

export interface Vxlan extends Tunnel {
  readonly vni: number;
  readonly local: string;
  readonly parent: number;
}

/** Bytes of a port in network order. */
const port16 = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 0xff);

/** Begins a request for a link of a kind, up to what is the kind's own. */
function linkAdd({ name, address, mtu_bytes }: Omit<Tunnel, 'port'>, kind: string) {
  const add = command(rt.RTM_NEWLINK, rt.NLM_F_CREATE | rt.NLM_F_EXCL)
    .ifinfomsg(rt.AF_UNSPEC, 0, 0, 0)
    .attrText(rt.IFLA_IFNAME, name);
  if (address !== '') add.attr(rt.IFLA_ADDRESS, rt.parseHardware(address));
  add.attrU32(rt.IFLA_MTU, mtu_bytes);
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, kind);
  return { add, info, data: add.nest(rt.IFLA_INFO_DATA) };
}

export function linkAddGeneve(wanted: Tunnel): rt.Request {
  const { add, info, data } = linkAdd(wanted, 'geneve');
  add.attr(IFLA_GENEVE_COLLECT_METADATA, new Uint8Array(0));
  return add.attr(IFLA_GENEVE_PORT, port16(wanted.port)).end(data).end(info);
}

export function linkAddVxlan(wanted: Vxlan): rt.Request {
  const { add, info, data } = linkAdd(wanted, 'vxlan');
  const local = rt.parseIp(wanted.local);
  add
    .attrU32(IFLA_VXLAN_ID, wanted.vni)
    .attrU32(IFLA_VXLAN_LINK, wanted.parent)
    .attr(local.length === 4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, local)
    .attrU8(IFLA_VXLAN_LEARNING, 0)
    .attr(IFLA_VXLAN_PORT, port16(wanted.port));
  return add.end(data).end(info);
}

/** What links have beyond rt.parseLink. */
export interface LinkMore {
  readonly alias: string;
  readonly vni: number;
  readonly port: number;
  readonly local: string;
  readonly parent: number;
  readonly learning: boolean;
  /** Whether routes say where its packets go, and not the device. */
  readonly external: boolean;
  /** Of a WireGuard device, of which generic netlink tells (wireguard.ts). */
  readonly public_key: string;
}

export function parseLinkMore(message: rt.Message): LinkMore {
  let more = {
    ...{ alias: '', vni: 0, port: 0, local: '', parent: 0, learning: false, external: false },
    public_key: '',
  };
  rt.eachAttr(message.from(rt.IFINFOMSG_LEN), (type, value) => {
    if (type === IFLA_IFALIAS) more = { ...more, alias: value.text() };
    if (type !== rt.IFLA_LINKINFO) return;
    let kind = '';
    rt.eachAttr(value, (inner, data) => {
      if (inner === rt.IFLA_INFO_KIND) kind = data.text();
      else if (inner === rt.IFLA_INFO_DATA && kind === 'vxlan') more = vxlanOf(data, more);
      else if (inner === rt.IFLA_INFO_DATA && kind === 'geneve') more = geneveOf(data, more);
    });
  });
  return more;
}

function vxlanOf(data: rt.Span, before: LinkMore): LinkMore {
  const more = { ...before };
  rt.eachAttr(data, (type, value) => {
    if (type === IFLA_VXLAN_ID) more.vni = value.u32();
    else if (type === IFLA_VXLAN_LINK) more.parent = value.u32();
    else if (type === IFLA_VXLAN_LEARNING) more.learning = value.u8() !== 0;
    else if (type === IFLA_VXLAN_PORT) more.port = (value.u8(0) << 8) | value.u8(1);
    else if (type === IFLA_VXLAN_LOCAL || type === IFLA_VXLAN_LOCAL6) {
      more.local = rt.formatIp(value.raw());
    }
  });
  return more;
}

function geneveOf(data: rt.Span, before: LinkMore): LinkMore {
  const more = { ...before };
  rt.eachAttr(data, (type, value) => {
    if (type === IFLA_GENEVE_ID) more.vni = value.u32();
    else if (type === IFLA_GENEVE_PORT) more.port = (value.u8(0) << 8) | value.u8(1);
    else if (type === IFLA_GENEVE_COLLECT_METADATA) more.external = true;
  });
  return more;
}
