// Inverse operations. An ADD notes one after every change it makes; when it fails they are unwound
// in reverse, so that the node is as it was. Nothing here may depend on the operation that failed.
import { failure_errno } from "./host/failure";
import {
  addr_add,
  addr_del,
  bridge_port_list,
  bridge_vlan_del,
  fib_rule_del,
  filter_del,
  filter_list,
  link_del,
  link_get,
  link_set_address,
  link_set_allmulti,
  link_set_down,
  link_set_master,
  link_set_mtu,
  link_set_promisc,
  link_set_txqlen,
  qdisc_del,
  Route,
  route_add,
  route_del,
  sysctl_read,
  sysctl_write,
  TC_H_INGRESS,
  TC_H_ROOT,
} from "./host/kernel";
import { file_remove, file_write, log } from "./host/store";
import { EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV, ENOENT, ENXIO, ESRCH } from "./lib/errno";
import { TABLE_MAIN } from "./net/tables";
import { delegate_call } from "./plugin/foreign";
import { Leases } from "./plugins/ipam/host-local/leases";
import { Carried } from "./plugins/meta/vrf/carry";
import { CniError, os_error } from "./spec/error";
import { Request } from "./spec/request";

const enum Inverse {
  LinkDel,
  BridgeDel,
  BridgeDown,
  AddrAdd,
  AddrDel,
  VlanDel,
  LinkSetDown,
  PromiscOff,
  LinkTune,
  RootDel,
  IngressDel,
  FilterDel,
  LinkLeave,
  RouteAdd,
  RouteDel,
  FibRuleDel,
  SysctlWrite,
  FileRemove,
  FileWrite,
  LeaseRelease,
  DelegateDel,
}

/** What of a link may be tuned. */
export const enum Tunable {
  Address,
  Mtu,
  Promisc,
  Allmulti,
  Txqlen,
}

/** Sets one property of a link: `text` is the address, `value` any other. */
export function link_tune(ns: i32, ifindex: i32, what: Tunable, text: string, value: i32): i32 {
  switch (what) {
    case Tunable.Address:
      return link_set_address(ns, ifindex, text);
    case Tunable.Mtu:
      return link_set_mtu(ns, ifindex, value);
    case Tunable.Promisc:
      return link_set_promisc(ns, ifindex, value != 0);
    case Tunable.Allmulti:
      return link_set_allmulti(ns, ifindex, value != 0);
    default:
      return link_set_txqlen(ns, ifindex, value);
  }
}

/** The handle of every ingress or clsact qdisc. */
export const INGRESS_HANDLE: u32 = 0xffff0000;

/**
 * Removes the ingress qdisc of a link unless filters of somebody hang on it; one that is gone, or
 * whose link is, is fine.
 */
export function ingress_del(ns: i32, ifindex: i32): bool {
  const filters = filter_list(ns, ifindex);
  if (!filters) return failure_errno == ENODEV;
  if (filters.length > 0) return true;
  return gone(qdisc_del(ns, ifindex, TC_H_INGRESS, INGRESS_HANDLE));
}

/** Whether a qdisc or filter was removed or was not there: the kernel says ENOENT or EINVAL. */
export function gone(code: i32): bool {
  if (code >= 0 || failure_errno == ENODEV) return true;
  return failure_errno == ENOENT || failure_errno == EINVAL;
}

/** What an inverse fails with when there is nothing left to undo. */
const UNDONE: i32[] = [ENOENT, ESRCH, ENXIO, EEXIST, ENODEV, EADDRNOTAVAIL];

class Entry {
  ns: i32 = 0;
  ifindex: i32 = 0;
  vid: i32 = 0;
  vid_end: i32 = 0;
  text: string = "";
  value: string = "";
  request: Request | null = null;
  route: Route = new Route();
  carried: Carried | null = null;
  leases: Leases | null = null;
  constructor(public inverse: Inverse) {}
}

export class Undo {
  private entries: Entry[] = [];

  private note(inverse: Inverse, ns: i32, ifindex: i32): Entry {
    const entry = new Entry(inverse);
    entry.ns = ns;
    entry.ifindex = ifindex;
    this.entries.push(entry);
    return entry;
  }
  /** By name: what follows the making of a link may be the very reading of its ifindex. */
  link_del(ns: i32, name: string): void {
    this.note(Inverse.LinkDel, ns, 0).text = name;
  }
  /** A bridge goes only while it has no port: another container may have come meanwhile. */
  bridge_del(ns: i32, name: string): void {
    this.note(Inverse.BridgeDel, ns, 0).text = name;
  }
  /** Sets a bridge down again, while it has no port. */
  bridge_down(ns: i32, name: string): void {
    this.note(Inverse.BridgeDown, ns, 0).text = name;
  }
  addr_add(ns: i32, ifindex: i32, address: string): void {
    this.note(Inverse.AddrAdd, ns, ifindex).text = address;
  }
  addr_del(ns: i32, ifindex: i32, address: string): void {
    this.note(Inverse.AddrDel, ns, ifindex).text = address;
  }
  vlan_del(ns: i32, ifindex: i32, vid: i32, vid_end: i32): void {
    const entry = this.note(Inverse.VlanDel, ns, ifindex);
    entry.vid = vid;
    entry.vid_end = vid_end;
  }
  link_set_down(ns: i32, ifindex: i32): void {
    this.note(Inverse.LinkSetDown, ns, ifindex);
  }
  promisc_off(ns: i32, ifindex: i32): void {
    this.note(Inverse.PromiscOff, ns, ifindex);
  }
  /** Gives a sysctl back its value, if it has another by then. */
  sysctl_write(ns: i32, key: string, value: string): void {
    const entry = this.note(Inverse.SysctlWrite, ns, 0);
    entry.text = key;
    entry.value = value;
  }
  /** Gives a property of a link back its value. */
  link_tune(ns: i32, ifindex: i32, what: Tunable, text: string, value: i32): void {
    const entry = this.note(Inverse.LinkTune, ns, ifindex);
    entry.vid = what;
    entry.vid_end = value;
    entry.text = text;
  }
  /** Removes a root qdisc by its handle. */
  root_del(ns: i32, ifindex: i32, handle: u32): void {
    this.note(Inverse.RootDel, ns, ifindex).vid = handle;
  }
  /** Removes the ingress qdisc, if nothing hangs on it. */
  ingress_del(ns: i32, ifindex: i32): void {
    this.note(Inverse.IngressDel, ns, ifindex);
  }
  /** Removes the filters of a pref. */
  filter_del(ns: i32, ifindex: i32, pref: i32): void {
    this.note(Inverse.FilterDel, ns, ifindex).vid = pref;
  }
  /** Takes a link out of a VRF, and gives it back what it had. */
  link_leave(ns: i32, ifindex: i32, carried: Carried): void {
    this.note(Inverse.LinkLeave, ns, ifindex).carried = carried;
  }
  route_add(ns: i32, ifindex: i32, route: Route): void {
    this.note(Inverse.RouteAdd, ns, ifindex).route = route;
  }
  route_del(ns: i32, ifindex: i32, route: Route): void {
    this.note(Inverse.RouteDel, ns, ifindex).route = route;
  }
  fib_rule_del(ns: i32, src: string, table: i32): void {
    const entry = this.note(Inverse.FibRuleDel, ns, 0);
    entry.text = src;
    entry.route.table = table;
  }
  /** Gives a file back its content. */
  file_write(path: string, content: string): void {
    const entry = this.note(Inverse.FileWrite, 0, 0);
    entry.text = path;
    entry.value = content;
  }
  file_remove(path: string): void {
    this.note(Inverse.FileRemove, 0, 0).text = path;
  }

  lease_release(
    dataDir: string,
    network: string,
    containerID: string,
    ifname: string,
    ip: string,
  ): void {
    const last = this.entries.length > 0 ? this.entries[this.entries.length - 1] : null;
    const before = last ? last.leases : null;
    // Those of one ADD go under one lock.
    if (last && before && before.are_of(dataDir, network, containerID, ifname)) {
      last.text += ` ${ip}`;
      return;
    }
    const entry = this.note(Inverse.LeaseRelease, 0, 0);
    entry.leases = new Leases(dataDir, network, containerID, ifname);
    entry.text = ip;
  }

  delegate_del(request: Request, type: string): void {
    const entry = this.note(Inverse.DelegateDel, 0, 0);
    entry.text = type;
    entry.request = request;
  }

  /** Runs the inverses, last change first; goes on after failures and collects them. */
  unwind(errors: CniError[]): void {
    while (this.entries.length > 0) {
      const entry = this.entries.pop();
      const request = entry.request;
      if (request) {
        // Often the very delegate whose ADD failed: its error is told already, this one is for a
        // log.
        const error = delegate_call(request, entry.text, "DEL").error;
        if (error) log(`undo: ${error.toString()}`);
        continue;
      }
      const carried = entry.carried;
      if (carried) {
        const error = leave(entry, carried);
        if (error) errors.push(new CniError(error.code, `undo: ${error.msg}`, error.details));
        continue;
      }
      const leases = entry.leases;
      if (leases) {
        if (!leases.take_back(entry.text.split(" "))) errors.push(kept(entry, leases));
        continue;
      }
      const tried = run(entry);
      if (tried.length == 0 || UNDONE.includes(failure_errno)) continue;
      errors.push(os_error(`undo: ${tried}`));
    }
  }
}

function kept(entry: Entry, leases: Leases): CniError {
  const error = leases.error;
  if (!error) return os_error(`undo: remove the leases ${entry.text}`);
  return new CniError(error.code, `undo: ${error.msg}`, error.details);
}

function leave(entry: Entry, carried: Carried): CniError | null {
  if (link_set_master(entry.ns, entry.ifindex, 0) >= 0) return carried.put_back(TABLE_MAIN);
  return failure_errno == ENODEV ? null : os_error(`take link ${entry.ifindex} out of its VRF`);
}

/** Performs one inverse; "" when it worked, else what was tried. */
function run(entry: Entry): string {
  const route = entry.route;
  switch (entry.inverse) {
    case Inverse.LinkDel:
    case Inverse.BridgeDel:
    case Inverse.BridgeDown:
      return undo_link(entry) ? "" : `undo the change of link "${entry.text}"`;
    case Inverse.AddrAdd:
      return addr_add(entry.ns, entry.ifindex, entry.text, true) < 0 ? `restore ${entry.text}` : "";
    case Inverse.AddrDel:
      return addr_del(entry.ns, entry.ifindex, entry.text) < 0 ? `remove ${entry.text}` : "";
    case Inverse.VlanDel:
      return bridge_vlan_del(entry.ns, entry.ifindex, entry.vid, entry.vid_end) < 0
        ? `remove VLAN ${entry.vid}`
        : "";
    case Inverse.LinkSetDown:
      return link_set_down(entry.ns, entry.ifindex) < 0 ? `set link ${entry.ifindex} down` : "";
    case Inverse.PromiscOff:
      return link_set_promisc(entry.ns, entry.ifindex, false) < 0 ? "leave promiscuous mode" : "";
    case Inverse.LinkTune:
      return link_tune(entry.ns, entry.ifindex, entry.vid, entry.text, entry.vid_end) < 0
        ? `restore link ${entry.ifindex}`
        : "";
    case Inverse.RootDel:
    case Inverse.IngressDel:
    case Inverse.FilterDel:
      return undo_tc(entry) ? "" : `undo the traffic control of link ${entry.ifindex}`;
    case Inverse.RouteAdd:
      return route_add(entry.ns, entry.ifindex, route) < 0 ? `restore route ${route.dst}` : "";
    case Inverse.RouteDel:
      return route_del(entry.ns, entry.ifindex, route.dst, route.gw, route.table) < 0
        ? `remove route ${route.dst}`
        : "";
    case Inverse.FibRuleDel:
      return fib_rule_del(entry.ns, entry.text, route.table, 0) < 0
        ? `remove the rule from ${entry.text}`
        : "";
    case Inverse.FileWrite:
      return file_write(entry.text, entry.value) < 0 ? `restore ${entry.text}` : "";
    case Inverse.SysctlWrite:
      if (sysctl_read(entry.ns, entry.text) == entry.value) return "";
      return sysctl_write(entry.ns, entry.text, entry.value) < 0 ? `restore ${entry.text}` : "";
    default:
      return file_remove(entry.text) < 0 ? `remove ${entry.text}` : "";
  }
}

function undo_tc(entry: Entry): bool {
  if (entry.inverse == Inverse.IngressDel) return ingress_del(entry.ns, entry.ifindex);
  if (entry.inverse == Inverse.FilterDel) {
    return gone(filter_del(entry.ns, entry.ifindex, entry.vid, 0));
  }
  return gone(qdisc_del(entry.ns, entry.ifindex, TC_H_ROOT, entry.vid));
}

function undo_link(entry: Entry): bool {
  const link = link_get(entry.ns, entry.text);
  if (!link) return false;
  if (entry.inverse == Inverse.LinkDel) return link_del(entry.ns, link.ifindex) >= 0;
  const ports = bridge_port_list(entry.ns, link.ifindex);
  if (!ports) return false;
  if (ports.length > 0) return true;
  if (entry.inverse == Inverse.BridgeDown) return link_set_down(entry.ns, link.ifindex) >= 0;
  return link_del(entry.ns, link.ifindex) >= 0;
}
