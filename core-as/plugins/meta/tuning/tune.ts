// SPDX-License-Identifier: Apache-2.0
// The properties of a link that `tuning` may change, and how one is set. It refuses to know why.
import {
  Link,
  link_set_address,
  link_set_allmulti,
  link_set_mtu,
  link_set_promisc,
  link_set_txqlen,
} from "../../../host/kernel";
import { CniError, os_error } from "../../../spec/error";

/** What of a link may be tuned. */
export const enum Tunable {
  Address,
  Mtu,
  Promisc,
  Allmulti,
  Txqlen,
}

/** Sets one property of a link, unless it has the value: `text` the address, `value` any other. */
export function tune(
  ns: i32,
  link: Link,
  what: Tunable,
  text: string,
  value: i32,
): CniError | null {
  const index = link.ifindex;
  let code: i32 = 0;
  if (what == Tunable.Address && text != link.address) code = link_set_address(ns, index, text);
  if (what == Tunable.Mtu && value != link.mtu_bytes) code = link_set_mtu(ns, index, value);
  if (what == Tunable.Promisc && (value != 0) != link.promisc) {
    code = link_set_promisc(ns, index, value != 0);
  }
  if (what == Tunable.Allmulti && (value != 0) != link.allmulti) {
    code = link_set_allmulti(ns, index, value != 0);
  }
  if (what == Tunable.Txqlen && value != link.txqlen) code = link_set_txqlen(ns, index, value);
  return code < 0 ? tune_error(link, what) : null;
}

function tune_error(link: Link, what: Tunable): CniError {
  const names: string[] = ["MAC address", "MTU", "promiscuous mode", "allmulti", "txQLen"];
  return os_error(`set the ${names[what]} of "${link.name}"`);
}
