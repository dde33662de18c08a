// SPDX-License-Identifier: Apache-2.0
// What leases of both families have: whose they are, what was asked of the host for them, and when
// to look at them next. What is done with one is client.ts, or v6/client.ts.
import { Asked } from "./context";
import { Leased } from "./leased";

export const enum State {
  /** Nothing was asked for yet. */
  New,
  Selecting,
  Requesting,
  /** IPv6: the server gave an address, and whether somebody has it shows in a moment. */
  Probing,
  /** IPv6: the server is told that somebody has it. */
  Declining,
  Bound,
  /** IPv6, of an earlier daemon: the server is asked whether it is still of this link. */
  Confirming,
  Renewing,
  Rebinding,
  /** RELEASE is sent; whether the server is there shows in a moment. */
  Leaving,
  /** The server is to be told, when it is there, that the lease is not needed any more. */
  Owed,
  /** It goes with the end of the event. */
  Gone,
}

/** Why the link is looked for. */
export const enum Why {
  Nothing,
  /** To ask for a lease. */
  Acquire,
  /** To see that it is still the one that the lease is for. */
  Look,
  /** To renew or rebind it. */
  Renew,
  /** IPv6: to ask whether it is still of this link. */
  Confirm,
  /** To release it. */
  Leave,
  /** The lease is over: to set the link down, or with IPv6 to take the address off. */
  Down,
}

/** What the host found at an `open`. */
export class Link {
  netnsID: string = "";
  mac: u64 = 0;
  kind: string = "";
  mtu_bytes: i32 = 0;
  /** It was set up just now. */
  fresh: bool = false;
  /** Its link-local address, "" when the kernel gave it none. */
  link_local: string = "";
}

export abstract class Claim {
  id: string = "";
  network: string = "";
  containerID: string = "";
  ifname: string = "";
  netns: string = "";
  /** What the host calls the namespace that it was taken in. */
  netnsID: string = "";

  state: State = State.New;
  why: Why = Why.Nothing;
  /** Whether the host has a socket open for it. */
  open: bool = false;
  waiting: Asked[] = [];
  mac: u64 = 0;
  kind: string = "";
  /** Its link was set up just now: bridges between may not forward yet. */
  fresh: bool = false;

  obtained_ms: i64 = 0;
  /** When to look at it next; -1 for never. */
  due_ms: i64 = -1;
  /** When its socket is given back although nobody answered; -1 for never. */
  close_ms: i64 = -1;
  xid: u32 = 0;
  tries: i32 = 0;
  started_ms: i64 = 0;
  deadline_ms: i64 = 0;
  /** When the REQUEST that is under way was sent first. */
  asked_ms: i64 = 0;
  /** NAKs and taken addresses since it began. */
  setbacks: i32 = 0;
  ignored: i32 = 0;
  /** The last thing that was wrong with an answer. */
  problem: string = "";

  get held(): bool {
    return this.state >= State.Bound && this.state <= State.Rebinding;
  }
  /** Whether the link that was found is the one that the lease is for. */
  is_of(link: Link): bool {
    return link.netnsID == this.netnsID && link.mac == this.mac;
  }
  abstract get v6(): bool;
  abstract get leased(): Leased;
  /** The text in which it outlives the daemon. */
  abstract text(): string;
}
