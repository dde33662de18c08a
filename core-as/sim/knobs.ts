// SPDX-License-Identifier: Apache-2.0
// The sysctls of links that the simulated kernel has, and their values. It refuses to say what they
// do.

/** Sysctls of a link, and of `all` and `default`: family and name, then value by position. */
export const KNOBS: string[] = [
  "ipv4/accept_redirects",
  "ipv4/arp_notify",
  "ipv4/forwarding",
  "ipv4/route_localnet",
  "ipv6/accept_dad",
  "ipv6/accept_ra",
  "ipv6/disable_ipv6",
  "ipv6/enhanced_dad",
  "ipv6/forwarding",
  "ipv6/keep_addr_on_down",
  "ipv6/ndisc_notify",
];
export const enum Knob {
  AcceptRedirects,
  ArpNotify,
  Forwarding4,
  RouteLocalnet,
  AcceptDad,
  AcceptRa,
  DisableIpv6,
  EnhancedDad,
  Forwarding6,
  KeepAddrOnDown,
  NdiscNotify,
}

/** Values of KNOBS. */
export class Conf {
  values: i32[] = [1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0];
  get(knob: Knob): i32 {
    return this.values[knob];
  }
  set(knob: Knob, value: i32): void {
    this.values[knob] = value;
  }
  copy(): Conf {
    const copied = new Conf();
    copied.values = this.values.slice();
    return copied;
  }
}
