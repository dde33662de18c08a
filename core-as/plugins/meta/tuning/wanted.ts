// SPDX-License-Identifier: Apache-2.0
// What a configuration of `tuning` wants of the interface: reading it, making it so, and CHECK. How
// it goes back is restore.ts.
import { HOST, Link } from "../../../host/kernel";
import { JsonValue } from "../../../lib/json";
import { mac_normal } from "../../../lib/name";
import { check_failed } from "../../../net/check";
import { host_end } from "../../../net/peer";
import { CniError } from "../../../spec/error";
import { Reader } from "../../../spec/reader";
import { Result } from "../../../spec/types";
import { why } from "../../../spec/why";
import { Sysctl } from "./sysctls";
import { Tunable, tune } from "./tune";

/** Why something is changed; of what cannot be read nobody knows what it was. */
function because(known: bool): string {
  if (!known) return "it was asked for; it cannot be read, so that DEL leaves it";
  return "it was asked for, and DEL puts back what it was";
}

/** Says of a sysctl that it is set. */
export function sysctl_tell(sysctl: Sysctl, known: bool): void {
  why("sysctl", `${sysctl.key} = ${sysctl.value}`, because(known));
}

export class Wanted {
  mac: string = "";
  mtu_bytes: i32 = 0;
  private promisc: bool = false;
  /** -1 when not asked for. */
  private allmulti: i32 = -1;
  private txqlen: i32 = -1;

  /** The keys that are about the link, over what was read before. */
  read(reader: Reader, from: JsonValue): void {
    this.mac = reader.string(from, "mac", this.mac);
    this.promisc = reader.bool(from, "promisc", this.promisc);
    this.mtu_bytes = <i32>reader.integer(from, "mtu", 0, i32.MAX_VALUE, this.mtu_bytes);
    if (from.get("allmulti")) this.allmulti = i32(reader.bool(from, "allmulti"));
    this.txqlen = <i32>reader.integer(from, "txQLen", 0, i32.MAX_VALUE, this.txqlen);
  }

  /** Gives the address one spelling; one that is none lands in the reader. */
  normalize(reader: Reader): void {
    const given = this.mac;
    if (given.length == 0) return;
    this.mac = mac_normal(given);
    if (this.mac.length > 0) return;
    reader.invalid(
      `the requested MAC address "${given}" is not a unicast address such as 02:42:ac:11:00:02`,
    );
  }

  /** The properties of the interface that are to be changed. */
  asked(): string[] {
    const keys = new Array<string>();
    if (this.mac.length > 0) keys.push("mac");
    if (this.promisc) keys.push("promisc");
    if (this.mtu_bytes > 0) keys.push("mtu");
    if (this.allmulti >= 0) keys.push("allmulti");
    if (this.txqlen >= 0) keys.push("txQLen");
    return keys;
  }

  /** Says what is changed of the link and who wants it. */
  tell(host: Link | null): void {
    const asked = because(true);
    if (this.mac.length > 0) why("MAC", this.mac, asked);
    if (this.promisc) why("promiscuous mode", "on", asked);
    if (this.mtu_bytes > 0) {
      why("MTU", this.mtu_bytes.toString(), host ? `${asked}; the node's end has the same` : asked);
    }
    if (this.allmulti >= 0) why("all multicast", this.allmulti == 1 ? "on" : "off", asked);
    if (this.txqlen >= 0) why("queue length", this.txqlen.toString(), asked);
  }

  /** Changes the link, and the MTU of the host's end, if it has one. */
  set(ns: i32, link: Link, host: Link | null): CniError | null {
    let error: CniError | null = null;
    if (this.mac.length > 0) error = tune(ns, link, Tunable.Address, this.mac, 0);
    if (!error && this.promisc) error = tune(ns, link, Tunable.Promisc, "", 1);
    if (!error && this.mtu_bytes > 0) {
      error = tune(ns, link, Tunable.Mtu, "", this.mtu_bytes);
      if (!error && host) error = tune(HOST, host, Tunable.Mtu, "", this.mtu_bytes);
    }
    if (!error && this.allmulti >= 0) {
      error = tune(ns, link, Tunable.Allmulti, "", this.allmulti);
    }
    if (error || this.txqlen < 0) return error;
    return tune(ns, link, Tunable.Txqlen, "", this.txqlen);
  }

  /** CHECK: how the link differs, and with `both` the MTU of the host's end. */
  check(link: Link, result: Result, both: bool): CniError | null {
    const name = link.name;
    if (this.mac.length > 0 && link.address != this.mac) {
      return check_failed(`interface "${name}" has MAC ${link.address}, not ${this.mac}`);
    }
    if (this.promisc && !link.promisc) {
      return check_failed(`interface "${name}" is not in promiscuous mode`);
    }
    if (this.mtu_bytes > 0) {
      const end = host_end(link, result);
      const error = end.error ? end.error : this.check_mtu(link);
      const host = end.link;
      if (error) return error;
      if (both && host && this.check_mtu(host)) return this.check_mtu(host);
    }
    if (this.allmulti >= 0 && link.allmulti != (this.allmulti == 1)) {
      return check_failed(`interface "${name}" has allmulti ${link.allmulti}`);
    }
    if (this.txqlen >= 0 && link.txqlen != this.txqlen) {
      return check_failed(`interface "${name}" has txQLen ${link.txqlen}, not ${this.txqlen}`);
    }
    return null;
  }

  private check_mtu(link: Link): CniError | null {
    if (link.mtu_bytes == this.mtu_bytes) return null;
    return check_failed(
      `interface "${link.name}" has MTU ${link.mtu_bytes}, not ${this.mtu_bytes}`,
    );
  }
}
