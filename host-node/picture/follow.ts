// SPDX-License-Identifier: Apache-2.0
// What a recording's operations say of the kernel, as states in the text of core-as/sim/text.ts,
// one before and one after each: for the picture, of a machine that is not here. It claims nothing
// beyond what was said, and knows nothing of Node.
import type { Link } from '../abi/index.ts';
import type { Recorded } from '../drivers/record.ts';

type Args = Readonly<Record<string, unknown>>;

interface Known {
  name: string;
  kind: string;
  up: boolean;
  mtu_bytes: number;
  mac: string;
  /** NETNS/NAME of the other end. */
  peer: string;
  master: number | string;
  readonly addresses: Set<string>;
}

const MTU_BYTES = 1500;
const NAMES: Readonly<Record<string, string>> = {
  link_add_bridge: 'bridge',
  link_add_dummy: 'dummy',
  link_add_vlan: 'vlan',
  link_add_macvlan: 'macvlan',
  link_add_ipvlan: 'ipvlan',
  link_add_vrf: 'vrf',
  link_add_tap: 'tun',
};

/** One namespace, as far as it was spoken of. */
class Space {
  readonly name: string;
  readonly links: Known[] = [];
  readonly routes = new Set<string>();
  readonly #indexes = new Map<number, Known>();

  constructor(name: string) {
    this.name = name;
  }

  link(name: string): Known {
    const found = this.links.find((link) => link.name === name);
    if (found !== undefined) return found;
    const plain = { kind: '', up: false, mtu_bytes: MTU_BYTES, mac: '', peer: '', master: '' };
    const made: Known = { name, ...plain, addresses: new Set() };
    this.links.push(made);
    return made;
  }

  at(ifindex: unknown): Known | undefined {
    return this.#indexes.get(Number(ifindex));
  }

  seen(link: Link): void {
    const known = this.link(link.name);
    this.#indexes.set(link.ifindex, known);
    known.kind = link.kind;
    known.up = link.up;
    known.mtu_bytes = link.mtu_bytes;
    known.mac = link.address;
    if (link.master !== 0) known.master = link.master;
  }

  remove(link: Known | undefined): string {
    const at = link === undefined ? -1 : this.links.indexOf(link);
    if (at >= 0) this.links.splice(at, 1);
    return link?.peer ?? '';
  }

  lines(): string[] {
    const links = this.links.map((link) => {
      const kind = link.kind === '' ? '' : ` kind ${link.kind}`;
      const master = typeof link.master === 'number' ? this.at(link.master)?.name : link.master;
      const at = master === undefined || master === '' ? '' : ` master ${master}`;
      const peer = link.peer === '' ? '' : ` peer ${link.peer}`;
      const mac = link.mac === '' ? 'none' : link.mac;
      const state = link.up ? 'up' : 'down';
      return `link ${link.name}${kind} ${state} address ${mac} mtu ${link.mtu_bytes}${at}${peer}`;
    });
    const addresses = this.links.flatMap(({ name, addresses: all }) =>
      [...all].map((address) => `addr ${address} dev ${name}`),
    );
    return [`netns ${this.name}`, ...links, ...addresses, ...this.routes];
  }
}

/** The namespaces of a recording, and what happens to them. */
class Follower {
  readonly #spaces = new Map<number, Space>([[0, new Space('host')]]);

  text(): string {
    return [...this.#spaces.values()].flatMap((space) => space.lines()).join('\n');
  }

  take({ op, args, value, errno }: Recorded): void {
    if (errno !== undefined) return;
    const name = op.slice(op.indexOf('.') + 1);
    if (name === 'netns_open') this.#open(Number(value), String(args['path']));
    const space = this.#spaces.get(Number(args['ns'] ?? -1));
    if (space === undefined) return;
    if (name === 'link_get' || name === 'link_get_index') space.seen(value as Link);
    else if (name === 'link_add_veth') this.#veth(space, args);
    else if (name.startsWith('link_add_')) this.#made(space, NAMES[name] ?? '', args);
    else this.#changed(space, name, args);
  }

  #open(handle: number, path: string): void {
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/\s/g, '_');
    const taken = [...this.#spaces.values()].some((space) => space.name === name);
    this.#spaces.set(handle, new Space(taken || name === '' ? `${name}-${handle}` : name));
  }

  #made(space: Space, kind: string, args: Args): void {
    const link = space.link(String(args['name']));
    link.kind = kind;
    if (Number(args['mtu_bytes'] ?? 0) > 0) link.mtu_bytes = Number(args['mtu_bytes']);
  }

  #veth(space: Space, args: Args): void {
    const there = this.#spaces.get(Number(args['peer_ns']));
    const [name, peer] = [String(args['name']), String(args['peer_name'])];
    this.#made(space, 'veth', args);
    const link = space.link(name);
    if (Number(args['master']) !== 0) {
      link.master = Number(args['master']);
      link.up = true;
    }
    link.mac = String(args['address'] ?? '');
    if (there === undefined) return;
    this.#made(there, 'veth', { name: peer, mtu_bytes: args['mtu_bytes'] });
    link.peer = `${there.name}/${peer}`;
    there.link(peer).peer = `${space.name}/${name}`;
    there.link(peer).mac = String(args['peer_address'] ?? '');
  }

  #changed(space: Space, name: string, args: Args): void {
    const link = space.at(args['ifindex']);
    if (name === 'link_del') this.#gone(space, link);
    if (name.startsWith('route_') && link !== undefined) {
      const via = String(args['gw'] ?? '') === '' ? '' : ` via ${args['gw']}`;
      const line = `route ${args['dst']}${via} dev ${link.name}`;
      if (name === 'route_add') space.routes.add(line);
      if (name === 'route_del') space.routes.delete(line);
    }
    if (link === undefined) return;
    if (name === 'link_set_up') link.up = true;
    if (name === 'link_set_down') link.up = false;
    if (name === 'link_set_mtu') link.mtu_bytes = Number(args['mtu_bytes']);
    if (name === 'link_set_name') link.name = String(args['name']);
    if (name === 'link_set_address') link.mac = String(args['address']);
    if (name === 'link_set_master') link.master = Number(args['master']) || '';
    if (name === 'addr_add') link.addresses.add(String(args['address']));
    if (name === 'addr_del') link.addresses.delete(String(args['address']));
  }

  /** Of a pair both ends go. */
  #gone(space: Space, link: Known | undefined): void {
    const [there = '', name = ''] = space.remove(link).split('/');
    const other = [...this.#spaces.values()].find((one) => one.name === there);
    other?.remove(other.links.find((one) => one.name === name));
  }
}

/** The states: before the first operation, and after each. */
export function follow(entries: readonly Recorded[]): string[] {
  const follower = new Follower();
  const states = [follower.text()];
  for (const entry of entries) {
    follower.take(entry);
    const text = follower.text();
    // Mostly nothing changes: the same text is kept once.
    states.push(text === states.at(-1) ? (states.at(-1) ?? '') : text);
  }
  return states;
}
