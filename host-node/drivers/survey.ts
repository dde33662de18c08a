// SPDX-License-Identifier: Apache-2.0
// Looking at whole namespaces over netlink: all links, addresses, routes, rules, VLANs and sysctls,
// each in one dump. For the dry run; no plugin asks for so much. It refuses to change anything and
// to leave out anything: what is of no interest is the caller's to say.
import { readFileSync } from 'node:fs';
import {
  type Address,
  type FibRule,
  type Filter,
  type Link,
  OsError,
  type PortVlan,
  type Qdisc,
} from '../abi/index.ts';
import { ENOENT, osError } from '../sys/libc.ts';
import { command, dumpOf } from '../sys/netlink.ts';
import * as rt from '../sys/rtnetlink/index.ts';
import * as tc from '../sys/tc.ts';
import { type NetlinkOptions, netnsId } from './netlink.ts';
import { Spaces } from './spaces.ts';

export type SurveyedLink = Link & rt.LinkExtra;

/** An address and where it is. */
export interface SurveyedAddress {
  readonly ifindex: number;
  readonly address: string;
}

/** A qdisc and where it is: `parent` as of linux/pkt_sched.h. */
export interface SurveyedQdisc extends Qdisc {
  readonly ifindex: number;
  readonly parent: number;
}

/** The machine to look at. Every method throws OsError, as those of the drivers do. */
export class Surveyor {
  readonly #spaces: Spaces;

  constructor(options: NetlinkOptions) {
    this.#spaces = new Spaces(options.hostNetns);
  }

  /** A handle of the namespace at a path; 0 is the host's own. */
  open(path: string): number {
    try {
      return this.#spaces.add(path);
    } catch (error) {
      throw osError(error);
    }
  }

  /** What tells a namespace from all others. */
  identity(ns: number): string {
    return Buffer.from(netnsId(this.#spaces, ns)).toString();
  }

  /** By ifindex. */
  links(ns: number): SurveyedLink[] {
    const list = dumpOf(rt.RTM_GETLINK)
      .ifinfomsg(rt.AF_UNSPEC, 0, 0, 0)
      .attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS);
    const links = this.#spaces.socket(ns).dump<SurveyedLink>(list, (message, into) => {
      into.push({ ...rt.parseLink(message), ...rt.parseLinkExtra(message) });
    });
    return links.sort((a, b) => a.ifindex - b.ifindex);
  }

  /** In the kernel's order, IPv4 first. */
  addresses(ns: number): SurveyedAddress[] {
    const list = dumpOf(rt.RTM_GETADDR).ifaddrmsg(rt.AF_UNSPEC, 0, 0, 0);
    return this.#spaces.socket(ns).dump<SurveyedAddress>(list, (message, into) => {
      const ifindex = rt.addressIndex(message);
      const found: Address[] = [];
      rt.parseAddress(message, ifindex, found);
      for (const { address } of found) into.push({ ifindex, address });
    });
  }

  /** VLANs of bridges and ports by ifindex. */
  vlans(ns: number): Map<number, PortVlan[]> {
    const list = dumpOf(rt.RTM_GETLINK)
      .ifinfomsg(rt.AF_BRIDGE, 0, 0, 0)
      .attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_BRVLAN_COMPRESSED);
    const found = this.#spaces.socket(ns).dump<[number, PortVlan[]]>(list, (message, into) => {
      const vlans: PortVlan[] = [];
      rt.parsePortVlans(message, vlans);
      into.push([rt.linkIndex(message), vlans]);
    });
    return new Map(found);
  }

  /** Of a family and all tables, in the kernel's order. */
  routes(ns: number, family: number): rt.RouteHops[] {
    const any = { family, bytes: new Uint8Array(0), length: 0 };
    const list = dumpOf(rt.RTM_GETROUTE).rtmsg(any, 0, 0, 0, 0);
    return this.#spaces.socket(ns).dump<rt.RouteHops>(list, (message, into) => {
      if (message.u8(0) === family) into.push(rt.parseRouteHops(message));
    });
  }

  /** At the root and for what comes in, those of the kernel's own choice left out. */
  qdiscs(ns: number): SurveyedQdisc[] {
    const list = dumpOf(tc.RTM_GETQDISC).tcmsg(0, 0, 0);
    return this.#spaces.socket(ns).dump<SurveyedQdisc>(list, (message, into) => {
      const [ifindex, parent] = [tc.tcIndex(message), tc.tcParent(message)];
      const qdisc = tc.parseQdisc(message);
      const shown = parent === tc.TC_H_ROOT || parent === tc.TC_H_INGRESS;
      if (shown && qdisc.handle !== 0) into.push({ ...qdisc, ifindex, parent });
    });
  }

  /** Of what comes in by a link. */
  filters(ns: number, ifindex: number): Filter[] {
    const list = dumpOf(tc.RTM_GETTFILTER).tcmsg(ifindex, 0, tc.INGRESS_FILTERS);
    return this.#spaces.socket(ns).dump<Filter>(list, (message, into) => {
      into.push(tc.parseFilter(message));
    });
  }

  /** Of a family, in the order in which they are asked. */
  rules(ns: number, family: number): FibRule[] {
    const any = { family, bytes: new Uint8Array(0), length: 0 };
    const list = dumpOf(rt.RTM_GETRULE).fibRuleHdr(any, 0, 0);
    return this.#spaces.socket(ns).dump<FibRule>(list, rt.parseFibRule);
  }

  /** The values of those keys that are there. */
  sysctls(ns: number, keys: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    this.#spaces.inside(ns, () => {
      for (const key of keys) {
        try {
          found.set(key, readFileSync(`/proc/sys/${key}`, 'utf8').trim());
        } catch (error) {
          const failure = osError(error);
          if (failure.errno !== ENOENT) throw new OsError(failure.errno, `read sysctl ${key}`);
        }
      }
    });
    return found;
  }

  /** The number under which one namespace knows another, -1 when it does not. */
  nsid(ns: number, other: number): number {
    const get = command(rt.RTM_GETNSID)
      .rtgenmsg(rt.AF_UNSPEC)
      .attrU32(rt.NETNSA_FD, this.#spaces.fd(other));
    return this.#spaces.socket(ns).get(get, rt.parseNsid) ?? -1;
  }

  close(): void {
    this.#spaces.close();
  }
}
