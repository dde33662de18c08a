// SPDX-License-Identifier: Apache-2.0
// The pods' links of the DHCP daemon: found in their namespaces, set up, listened to. A namespace
// is entered to open a socket and never kept open: a pod's must end when the pod does. It refuses
// to read what comes.
import { OsError } from '../../host-node/abi/index.ts';
import { netlinkDriver } from '../../host-node/drivers/netlink.ts';
import { Spaces } from '../../host-node/drivers/spaces.ts';
import { EINVAL, ENODEV, ENOENT, osError } from '../../host-node/sys/libc.ts';
import { openPacket, type PacketSocket } from '../../host-node/sys/packet.ts';
import type { FoundLink } from './protocol.ts';

/** There is no such link; `gone` when there will not be one later either. */
export class NoLink extends Error {
  readonly gone: boolean;
  constructor(message: string, gone: boolean) {
    super(message);
    this.gone = gone;
  }
}

interface Open {
  readonly netns: string;
  readonly ifindex: number;
  readonly socket: PacketSocket;
}

/** Frames of one link that are read before another has its turn. */
const BURST = 64;

export class Links {
  readonly #prefix: string;
  readonly #open = new Map<string, Open>();

  /** `prefix` stands before the path of every namespace. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Finds a link, sets it up and listens on it; NoLink when that cannot be. */
  open(lease: string, netns: string, ifname: string, ipv6: boolean): FoundLink {
    this.close(lease);
    const spaces = new Spaces(undefined);
    const kernel = netlinkDriver({}, spaces);
    const path = this.#prefix + netns;
    try {
      const ns = kernel.netns_open({ path });
      const link = kernel.link_get({ ns, name: ifname });
      const mac = Number.parseInt(link.address.replaceAll(':', ''), 16);
      if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(link.address)) {
        throw new NoLink(`"${ifname}" is no Ethernet interface: DHCP needs one`, false);
      }
      if (!link.up) kernel.link_set_up({ ns, ifindex: link.ifindex });
      const netnsID = new TextDecoder().decode(kernel.netns_id({ ns }));
      const own = ipv6 ? linkLocal(kernel.addr_list({ ns, ifindex: link.ifindex })) : undefined;
      // Last of all: nothing fails any more, so no socket is left open.
      const socket = spaces.inside(ns, () => openPacket(link.ifindex, ipv6));
      this.#open.set(lease, { netns: path, ifindex: link.ifindex, socket });
      const { kind, mtu_bytes, up } = link;
      return { netnsID, mac, kind, mtu_bytes, fresh: !up, ...(own && { link_local: own }) };
    } catch (error) {
      throw noLink(error, path, ifname);
    } finally {
      kernel.close();
    }
  }

  send(lease: string, frame: Uint8Array): void {
    this.#open.get(lease)?.socket.send(frame);
  }

  /** Hands over what came on all links. */
  drain(take: (lease: string, frame: Uint8Array) => void): void {
    for (const [lease, { socket }] of [...this.#open]) {
      for (let count = 0; count < BURST; count++) {
        // What one frame leads to may close the socket.
        if (this.#open.get(lease)?.socket !== socket) break;
        const frame = socket.receive();
        if (frame === undefined) break;
        take(lease, frame);
      }
    }
  }

  setDown(lease: string): void {
    this.#inside(lease, (kernel, args) => kernel.link_set_down(args));
  }

  removeAddress(lease: string, address: string): void {
    this.#inside(lease, (kernel, args) => kernel.addr_del({ ...args, address }));
  }

  setMtu(lease: string, mtu_bytes: number): void {
    this.#inside(lease, (kernel, args) => kernel.link_set_mtu({ ...args, mtu_bytes }));
  }

  close(lease: string): void {
    this.#open.get(lease)?.socket.close();
    this.#open.delete(lease);
  }

  #inside(
    lease: string,
    action: (
      kernel: ReturnType<typeof netlinkDriver>,
      args: { readonly ns: number; readonly ifindex: number },
    ) => void,
  ): void {
    const open = this.#open.get(lease);
    if (open === undefined) return;
    const kernel = netlinkDriver();
    try {
      const ns = kernel.netns_open({ path: open.netns });
      action(kernel, { ns, ifindex: open.ifindex });
    } finally {
      kernel.close();
    }
  }
}

/** The address of a link that is good on it alone. */
function linkLocal(addresses: readonly { readonly address: string }[]): string | undefined {
  return addresses.find(({ address }) => address.startsWith('fe80:'))?.address.split('/')[0];
}

function noLink(error: unknown, path: string, ifname: string): NoLink {
  if (error instanceof NoLink) return error;
  const failure = error instanceof OsError ? error : osError(error);
  const { errno } = failure;
  if (errno === ENODEV) return new NoLink(`there is no interface "${ifname}" in ${path}`, true);
  const gone = errno === ENOENT || errno === EINVAL;
  return new NoLink(`"${ifname}" in ${path} cannot be used: ${failure.message}`, gone);
}
