// SPDX-License-Identifier: Apache-2.0
// Ports of the host that lead to a container, as elements of our sets: which of them clash, and
// forgetting the flows that conntrack took elsewhere. It refuses to know attachments.
import { failure_errno } from "../host/failure";
import { conntrack_del, HOST } from "../host/kernel";
import { EINVAL } from "../lib/errno";
import { CniError, os_error } from "../spec/error";
import { Element, Owned } from "./element";
import { element_at } from "./found";
import { elements_in } from "./left";
import { PORTMAP } from "./subnets";
import { protocol_number } from "./value";

/** An element that leads a port of the host to a container, taken apart. */
export class HostPort {
  v6: bool = false;
  /** "" for any. */
  address: string = "";
  protocol: string = "";
  port: i32 = 0;
  container: string = "";

  get text(): string {
    const whose = this.address.length > 0 ? ` of ${this.address}` : "";
    return `host port ${this.port}/${this.protocol}${whose}`;
  }
}

/** The port of the host that an element is of; null when it is another's. */
export function host_port_of(element: Element): HostPort | null {
  if (element.part != PORTMAP || !element.place.claimed) return null;
  const parts = element.key.split(" . ");
  const made = new HostPort();
  made.v6 = element.set.endsWith("6");
  if (parts.length == 3) made.address = parts[0];
  made.protocol = parts[parts.length - 2];
  made.port = I32.parseInt(parts[parts.length - 1]);
  made.container = element.data.split(" . ")[0];
  return made;
}

/** The set where ports for any address, or for certain ones, would stand in an element's way. */
function rival_set(port: HostPort): string {
  return `hostports${port.address.length > 0 ? "" : "_ip"}${port.v6 ? 6 : 4}`;
}

/** Whether two ports of one family would both be meant by some packet. */
function clash(a: HostPort, b: HostPort): bool {
  if (a.v6 != b.v6 || a.port != b.port || a.protocol != b.protocol) return false;
  return a.address == b.address || a.address.length == 0 || b.address.length == 0;
}

/**
 * Adds elements that would mean packets that some of `wanted` mean, by another key: for any address
 * or for some. Who has the very key the kernel tells. `lost`: among these, whatever their keys.
 */
export function rivals_of(wanted: Owned[], lost: Owned[] | null, into: Owned[]): CniError | null {
  const listed = new Map<string, Owned[]>();
  for (let i = 0; i < wanted.length; i++) {
    const port = host_port_of(wanted[i].element);
    if (!port) continue;
    const set = rival_set(port);
    if (!lost && port.address.length > 0) {
      const there = element_at(new Element(set, `${port.protocol} . ${port.port}`));
      if (there.error) return there.error;
      if (there.owned) into.push(<Owned>there.owned);
      continue;
    }
    if (!lost && !listed.has(set)) {
      const errors = new Array<CniError>();
      listed.set(set, elements_in(set, errors));
      if (errors.length > 0) return errors[0];
    }
    const elements = lost ? lost : listed.get(set);
    for (let k = 0; k < elements.length; k++) {
      const other = host_port_of(elements[k].element);
      if (other && clash(port, other)) into.push(elements[k]);
    }
  }
  return null;
}

/** linux/netfilter.h NFPROTO_* */
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;

/**
 * Makes conntrack forget UDP flows through ports of the host: it would send what belongs to them
 * where it went before. `fresh`: the ports lead to a container from now on, and all flows to them
 * go; else just those to the container.
 */
export function flows_forget(elements: Element[], fresh: bool): CniError | null {
  let error: CniError | null = null;
  let first: HostPort | null = null;
  let end = 0;
  for (let i = 0; i <= elements.length; i++) {
    const port = i < elements.length ? host_port_of(elements[i]) : null;
    if (i < elements.length && (!port || port.protocol != "udp")) continue;
    if (port && first && port.port == end + 1 && same_place(port, first)) {
      end++;
      continue;
    }
    if (first && !error) error = forget(first, end, fresh);
    first = port;
    end = port ? port.port : 0;
  }
  return error;
}

function same_place(a: HostPort, b: HostPort): bool {
  return a.v6 == b.v6 && a.address == b.address && a.container == b.container;
}

function forget(port: HostPort, end: i32, fresh: bool): CniError | null {
  const family = port.v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
  const protocol = protocol_number(port.protocol);
  const from = fresh ? "" : port.container;
  const gone = conntrack_del(HOST, family, protocol, port.address, port.port, end, from);
  // Without ctnetlink nobody remembers a flow that could be told of.
  if (gone >= 0 || failure_errno == EINVAL) return null;
  return os_error(`make conntrack forget ${port.text}`);
}
