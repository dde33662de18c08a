// SPDX-License-Identifier: Apache-2.0
// Applies changes of core-as/overlay/machine.ts, each a line in the words of iproute2, to the
// kernel of this process's namespace. It owns how a line becomes a request and refuses to
// choose which are applied: what failed is told, and the rest goes on.
import { writeFileSync } from 'node:fs';
import { OsError } from '../../host-node/abi/index.ts';
import { EINVAL, ENODEV, EOPNOTSUPP, osError } from '../../host-node/sys/libc.ts';
import type { Request } from '../../host-node/sys/rtnetlink/index.ts';
import {
  address,
  type Encapsulation,
  forwarding,
  type LinkProperty,
  linkDel,
  linkSet,
  neighbour,
  type OverlayRoute,
  route,
} from './netlink.ts';
import type { Kernel } from './see.ts';
import { linkAddGeneve, linkAddVxlan, linkAddWireGuard } from './tunnel.ts';

/** A change that the kernel refused. */
export interface Refused {
  readonly change: string;
  readonly error: OsError;
}

/** What is gone already is gone as wished (ENOENT, ESRCH, EADDRNOTAVAIL). */
const GONE = new Set([2, 3, 99]);

/** Words behind which a value follows, of a line. */
function valuesOf(words: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const [at, word] of words.entries()) values.set(word, words[at + 1] ?? '');
  return values;
}

export class Applier {
  readonly #kernel: Kernel;
  /** Of one round: links change between. */
  #indices = new Map<string, number>();

  readonly #proc_sys: string;
  readonly #private_key: () => string;

  /**
   * `proc_sys` is /proc/sys, or where a container has it to be written; `private_key` that of this
   * node, in base64, which no line says.
   */
  constructor(kernel: Kernel, proc_sys: string, private_key: () => string) {
    this.#kernel = kernel;
    this.#proc_sys = proc_sys;
    this.#private_key = private_key;
  }

  /** Applies them in order; those that depend on a device that could not be made fail with it. */
  apply(changes: readonly string[]): Refused[] {
    this.#indices.clear();
    const refused: Refused[] = [];
    for (const change of changes) {
      try {
        this.#one(change);
      } catch (error) {
        const failure = osError(error);
        const gone = / del /.test(change) && GONE.has(failure.errno);
        if (!gone) refused.push({ change, error: failure });
      }
    }
    return refused;
  }

  #one(change: string): void {
    const [object = '', verb = '', ...words] = change.split(' ');
    if (object === 'sysctl') {
      writeFileSync(`${this.#proc_sys}/${verb}`, words[0] ?? '');
      return;
    }
    if (object === 'link') this.#link(verb, words);
    else if (object === 'wg') this.#key(words);
    else if (object === 'peer') this.#peer(verb, words);
    else if (verb !== 'replace' && verb !== 'del') throw new OsError(EINVAL, `what is ${verb}?`);
    else this.#kernel.spaces.socket(0).run(this.#entry(object, verb, words));
  }

  #index(name: string): number {
    const known = this.#indices.get(name) ?? this.#kernel.ifindex(name);
    if (known === undefined) throw new OsError(ENODEV, `no link is called "${name}"`);
    this.#indices.set(name, known);
    return known;
  }

  #link(verb: string, words: readonly string[]): void {
    const [name = '', property = '', ...rest] = words;
    const run = (request: Request): void => this.#kernel.spaces.socket(0).run(request);
    if (verb === 'del') {
      run(linkDel(this.#index(name)));
      this.#indices.delete(name);
    } else if (verb === 'add') {
      this.#create(name, words);
    } else if (verb === 'set') {
      run(linkSet(this.#index(name), propertyOf(property, rest)));
    } else throw new OsError(EINVAL, `what is link ${verb}?`);
  }

  /** "wg set DEV listen-port PORT private-key own". */
  #key([name = '', , port]: readonly string[]): void {
    this.#kernel.wireguard.setKey(name, Number(port), this.#private_key());
  }

  #peer(verb: string, words: readonly string[]): void {
    const [public_key = ''] = words;
    const value = valuesOf(words);
    const dev = value.get('dev') ?? '';
    const { wireguard } = this.#kernel;
    if (verb === 'del') {
      wireguard.removePeer(dev, public_key);
      return;
    }
    wireguard.setPeer(dev, {
      ...{ public_key, endpoint: value.get('endpoint') ?? '' },
      allowed_ips: value.get('allowed-ips')?.split(',') ?? [],
      keepalive_s: Number(value.get('keepalive')),
    });
  }

  #create(name: string, words: readonly string[]): void {
    try {
      this.#kernel.spaces.socket(0).run(this.#add(name, words));
    } catch (error) {
      if (osError(error).errno !== EOPNOTSUPP) throw error;
      const kind = valuesOf(words).get('type');
      const cure = `load its module (modprobe ${kind}), or use another backend`;
      throw new OsError(EOPNOTSUPP, `this kernel has no links of type "${kind}": ${cure}`);
    }
  }

  #add(name: string, words: readonly string[]): Request {
    const value = valuesOf(words);
    const number = (word: string): number => Number(value.get(word));
    const [port, mtu_bytes] = [number('dstport'), number('mtu')];
    const tunnel = { name, port, mtu_bytes, address: value.get('address') ?? '' };
    const kind = value.get('type');
    if (kind === 'wireguard') return linkAddWireGuard(name, mtu_bytes);
    if (kind === 'geneve') return linkAddGeneve(tunnel);
    if (kind !== 'vxlan') throw new OsError(EINVAL, `what is a ${kind}?`);
    const parent = this.#index(value.get('dev') ?? '');
    return linkAddVxlan({ ...tunnel, parent, vni: number('id'), local: value.get('local') ?? '' });
  }

  #entry(object: string, verb: 'replace' | 'del', words: readonly string[]): Request {
    const value = valuesOf(words);
    const [first = ''] = words;
    const dev = (): number => this.#index(value.get('dev') ?? '');
    if (object === 'addr') return address(verb, dev(), first);
    if (object === 'neigh') return neighbour(verb, dev(), first, value.get('lladdr') ?? '');
    if (object === 'fdb') return forwarding(verb, dev(), first, value.get('dst') ?? '');
    if (object === 'route') return route(verb, this.#route(words));
    throw new OsError(EINVAL, `what is ${object}?`);
  }

  #route(all: readonly string[]): OverlayRoute {
    const [encap, words] = encapsulationOf(all);
    const value = valuesOf(words);
    const [first = '', second = ''] = words;
    const unreachable = first === 'unreachable';
    const mtu_locked = value.get('mtu') === 'lock';
    return {
      dst: unreachable ? second : first,
      encap,
      unreachable,
      via: value.get('via') ?? '',
      ifindex: unreachable ? 0 : this.#index(value.get('dev') ?? ''),
      src: value.get('src') ?? '',
      onlink: words.includes('onlink'),
      metric: Number(value.get('metric') ?? 0),
      mtu_bytes: Number((mtu_locked ? value.get('lock') : value.get('mtu')) ?? 0),
      mtu_locked,
    };
  }
}

/** What a route's words say of its tunnel, and the words without that, where "src" is another. */
function encapsulationOf(words: readonly string[]): [Encapsulation | undefined, readonly string[]] {
  const at = words.indexOf('encap');
  if (at < 0) return [undefined, words];
  const until = words.indexOf('via');
  const value = valuesOf(words.slice(at + 2, until));
  const encap = {
    ...{ vni: Number(value.get('id')), src: value.get('src') ?? '', dst: value.get('dst') ?? '' },
    hops: Number(value.get('ttl') ?? value.get('hoplimit')),
    csum: value.has('csum'),
  };
  return [encap, [...words.slice(0, at), ...words.slice(until)]];
}

function propertyOf(word: string, rest: readonly string[]): LinkProperty {
  const [value = ''] = rest;
  if (word === 'up') return { up: true };
  if (word === 'mtu') return { mtu_bytes: Number(value) };
  if (word === 'address') return { address: value };
  if (word === 'alias') return { alias: rest.join(' ') };
  throw new OsError(EINVAL, `what is link set ${word}?`);
}
