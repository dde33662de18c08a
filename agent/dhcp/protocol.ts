// SPDX-License-Identifier: Apache-2.0
// What the daemon and its machine (core-as/dhcp/machine.ts) say to each other: events in, actions
// out. Bytes are base64. It refuses to know how either comes about.

/** What every event has: milliseconds of CLOCK_BOOTTIME, and a number of 32 bits by chance. */
export interface Moment {
  readonly now_ms: number;
  readonly random: number;
}

/** The daemon's flags, in the machine's words. */
export interface MachineSettings {
  readonly broadcast: boolean;
  readonly timeout_ms: number;
  readonly resendmax_ms: number;
  readonly resendtimeout_ms: number;
}

export type Event =
  /** First of all: flags, and what an earlier daemon stored. */
  | ({ readonly event: 'start'; readonly leases: readonly string[] } & MachineSettings)
  /** A caller on the socket; `ended`: it says nothing more, and may listen still. */
  | { readonly event: 'connected' | 'ended' | 'closed'; readonly conn: number }
  | { readonly event: 'bytes'; readonly conn: number; readonly bytes: string }
  /** The time of `wake_ms` has come. */
  | { readonly event: 'tick' }
  /** After `open`: what is there. */
  | ({ readonly event: 'opened'; readonly lease: string } & FoundLink)
  /** After `open`: why not; `gone` when it will not be there later either. */
  | {
      readonly event: 'failed';
      readonly lease: string;
      readonly error: string;
      readonly gone: boolean;
    }
  | { readonly event: 'frame'; readonly lease: string; readonly frame: string }
  /** After `release`: "" when nobody said that it did not arrive. */
  | { readonly event: 'released'; readonly lease: string; readonly error: string };

export interface FoundLink {
  /** What tells its namespace from every other. */
  readonly netnsID: string;
  /** Its hardware address as a number. */
  readonly mac: number;
  readonly kind: string;
  readonly mtu_bytes: number;
  /** It was down, so that what is sent at once may be lost on its way. */
  readonly fresh: boolean;
  /** Its IPv6 address on the link, where that was asked for and is there. */
  readonly link_local?: string;
}

export type Action =
  /** Find the link, set it up, listen on it; `opened` or `failed` is the answer. */
  | {
      readonly do: 'open';
      readonly lease: string;
      readonly netns: string;
      readonly ifname: string;
      /** What of IPv6 comes is wanted, not of IPv4. */
      readonly ipv6?: boolean;
    }
  | { readonly do: 'send'; readonly lease: string; readonly frame: string }
  | { readonly do: 'close' | 'down' | 'forget'; readonly lease: string }
  | { readonly do: 'addr_del'; readonly lease: string; readonly address: string }
  | { readonly do: 'mtu'; readonly lease: string; readonly mtu_bytes: number }
  /** Keep a text for the next daemon. */
  | { readonly do: 'store'; readonly lease: string; readonly text: string }
  /** Tell a server, from the host's own namespace; `released` is the answer. */
  | {
      readonly do: 'release';
      readonly lease: string;
      readonly server: string;
      readonly body: string;
    }
  | { readonly do: 'reply'; readonly conn: number; readonly bytes: string }
  /** End a connection once all is said. */
  | { readonly do: 'hangup'; readonly conn: number }
  | { readonly do: 'log'; readonly text: string };

export interface Actions {
  readonly actions: readonly Action[];
  /** When to say `tick`, -1 for never. */
  readonly wake_ms: number;
}
