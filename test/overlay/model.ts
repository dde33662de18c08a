// SPDX-License-Identifier: Apache-2.0
// A kernel as far as an overlay has to do with it: devices, entries, and what the kernel does with
// entries when a device changes. Changes come in the words of iproute2. It owns those rules and
// refuses to know what is wanted.

export interface ModelLink {
  name: string;
  ifindex: number;
  kind: string;
  mtu_bytes: number;
  address: string;
  up: boolean;
  alias: string;
  vni: number;
  port: number;
  local: string;
  parent: string;
  learning: boolean;
  external?: boolean;
  public_key?: string;
}

export interface ModelUnderlay {
  v6: boolean;
  address: string;
  dev: string;
  mtu_bytes: number;
}

const wordAfter = (words: readonly string[], name: string): string => {
  const at = words.indexOf(name);
  return at < 0 ? '' : (words[at + 1] ?? '');
};
const devOf = (entry: string): string => wordAfter(entry.split(' '), 'dev');

/** What the kernel has one of: as core-as/overlay/entry.ts has it, told by another hand. */
function keyOf(entry: string): string {
  const words = entry.split(' ');
  const [kind = '', first = '', second = ''] = words;
  if (kind === 'addr') return entry;
  if (kind !== 'route') return `${kind} ${first} ${devOf(entry)}`;
  const dst = first === 'unreachable' ? second : first;
  return `route ${dst} ${wordAfter(words, 'metric')}`;
}

export class ModelKernel {
  /** Kinds of links that it can make. */
  kinds = ['vxlan', 'geneve', 'wireguard'];
  /** Of the key that "own" stands for. */
  public_key = '';
  links: ModelLink[] = [];
  readonly entries = new Map<string, string>();
  /** Routes of others. */
  foreign: string[] = [];
  underlay: ModelUnderlay[] = [];
  #ifindex = 10;

  /** The event `seen`; the ways to addresses are neighbours' by the underlay of their family. */
  seen(addresses: readonly string[]) {
    const paths = addresses.flatMap((address) => {
      const below = this.underlay.find(({ v6 }) => v6 === address.includes(':'));
      return below ? [{ address, dev: below.dev, gateway: '', mtu_bytes: below.mtu_bytes }] : [];
    });
    const { links, foreign, underlay } = this;
    return { event: 'seen', links, entries: [...this.entries.values()], foreign, underlay, paths };
  }

  link(name: string): ModelLink | undefined {
    return this.links.find((one) => one.name === name);
  }

  delLink(name: string): void {
    this.links = this.links.filter((one) => one.name !== name);
    this.#drop((entry) => devOf(entry) === name);
  }

  /** A device that goes down loses its routes and neighbours, and keeps addresses and the FDB. */
  down(name: string): void {
    const link = this.link(name);
    if (link !== undefined) link.up = false;
    this.#drop((entry) => devOf(entry) === name && /^(route|neigh) /.test(entry));
  }

  /** One change; a text says why it is refused, '' when it is done. */
  apply(change: string): string {
    const [object = '', verb = '', ...words] = change.split(' ');
    if (object === 'sysctl') return this.link(verb.split('/')[3] ?? '') ? '' : 'ENOENT';
    if (object === 'link') return this.#link(verb, words);
    if (object === 'wg') return this.#key(words);
    const entry = [object, ...words].join(' ');
    const key = keyOf(entry);
    if (verb === 'del') return this.entries.delete(key) ? '' : 'ENOENT';
    const dev = devOf(entry);
    const link = this.link(dev);
    const below = this.underlay.some((one) => one.dev === dev);
    if (dev !== '' && link === undefined && !below) return 'ENODEV';
    if (object === 'route' && link !== undefined && !link.up) return 'ENETDOWN';
    // Behind the words of a tunnel, whose source is another.
    const src = wordAfter(words.slice(words.indexOf('via') + 1), 'src');
    const has = [...this.entries.keys()].some((one) => one.startsWith(`addr ${src}/`));
    if (src !== '' && !has && link !== undefined) return 'EINVAL';
    if (object === 'peer') this.#steal(key, entry);
    this.entries.set(key, entry);
    return '';
  }

  #key([name = '', , port]: readonly string[]): string {
    const link = this.link(name);
    if (link?.kind !== 'wireguard') return 'ENODEV';
    Object.assign(link, { public_key: this.public_key, port: Number(port) });
    return '';
  }

  /** An address is allowed to one peer of a device: the last that is given it. */
  #steal(by: string, peer: string): void {
    const taken = wordAfter(peer.split(' '), 'allowed-ips').split(',');
    for (const [key, entry] of this.entries) {
      if (!entry.startsWith('peer ') || key === by || devOf(entry) !== devOf(peer)) continue;
      const allowed = wordAfter(entry.split(' '), 'allowed-ips');
      const left = allowed.split(',').filter((one) => !taken.includes(one));
      const rest = `allowed-ips ${left.join(',') || 'none'} `;
      this.entries.set(key, entry.replace(`allowed-ips ${allowed} `, rest));
    }
  }

  #link(verb: string, words: readonly string[]): string {
    const [name = '', property = '', ...rest] = words;
    const link = this.link(name);
    if (verb === 'del') {
      if (link === undefined) return 'ENODEV';
      this.delLink(name);
      return '';
    }
    if (verb === 'add') return this.#add(name, words);
    if (link === undefined) return 'ENODEV';
    if (property === 'up') link.up = true;
    else if (property === 'mtu') link.mtu_bytes = Number(rest[0]);
    else if (property === 'alias') link.alias = rest.join(' ');
    else if (property === 'address') {
      link.address = rest[0] ?? '';
      this.#drop((entry) => devOf(entry) === name && entry.startsWith('neigh '));
    } else return 'EINVAL';
    return '';
  }

  #add(name: string, words: readonly string[]): string {
    const kind = wordAfter(words, 'type');
    if (!this.kinds.includes(kind)) return 'EOPNOTSUPP';
    const number = (word: string): number => Number(wordAfter(words, word));
    const external = words.includes('external') || kind === 'wireguard';
    const [vni, port, local] = [number('id'), number('dstport'), wordAfter(words, 'local')];
    // geneve_configure of drivers/net/geneve.c: such a device has its port to itself.
    const alone = (one: ModelLink): boolean => external || one.external === true;
    const twin = (one: ModelLink): boolean =>
      one.vni === vni && one.local.includes(':') === local.includes(':');
    const same = (one: ModelLink): boolean =>
      one.kind === kind && one.port === port && port > 0 && (alone(one) || twin(one));
    if (this.links.some((one) => one.name === name || same(one))) return 'EEXIST';
    this.links.push({
      ...{ name, kind, port, local, external, up: false, alias: '', learning: false },
      vni: external ? 0 : vni,
      ...{ ifindex: this.#ifindex++, mtu_bytes: number('mtu') },
      ...{ address: wordAfter(words, 'address'), parent: wordAfter(words, 'dev') },
    });
    return '';
  }

  #drop(which: (entry: string) => boolean): void {
    for (const [key, entry] of this.entries) if (which(entry)) this.entries.delete(key);
  }
}
