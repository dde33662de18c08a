// SPDX-License-Identifier: Apache-2.0
// A state in the text of the simulated kernel (core-as/sim/text.ts) as things to draw: namespaces
// with their links, addresses, routes and rules. It reads words by their places, skips lines that
// it does not know, and judges nothing. It knows nothing of Node.

/** A link by the namespace that it is in. */
export interface Place {
  readonly space: string;
  readonly link: string;
}

export interface DrawnLink {
  readonly name: string;
  /** As ip(8) has it; "" for a device of the machine. */
  readonly kind: string;
  readonly up: boolean;
  readonly mac: string;
  readonly mtu_bytes: number;
  readonly master: string;
  readonly peer: Place | undefined;
  readonly lower: Place | undefined;
  readonly addresses: readonly string[];
  /** What else it is: hairpin, isolated, VLANs, a rate. */
  readonly more: readonly string[];
}

export interface DrawnSpace {
  readonly name: string;
  readonly links: readonly DrawnLink[];
  readonly routes: readonly string[];
  /** Rules of routing, forwarding, and of nftables, in words. */
  readonly rules: readonly string[];
}

/** What is in the picture; the first namespace is the host's. */
export interface Model {
  readonly spaces: readonly DrawnSpace[];
}

type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer I)[] ? I[] : T[K] };
type Space = Draft<Omit<DrawnSpace, 'links'>> & { links: Draft<DrawnLink>[] };

const FLAGS = ['hairpin', 'isolated', 'promisc', 'vlan_filtering'];
const BITS = 8;
const UNITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'] as const;

/** The value after a word of a line, "" when it is not there. */
function after(words: readonly string[], word: string): string {
  const at = words.indexOf(word);
  return at < 0 ? '' : (words[at + 1] ?? '');
}

function placeOf(text: string): Place | undefined {
  const at = text.indexOf('/');
  return at <= 0 ? undefined : { space: text.slice(0, at), link: text.slice(at + 1) };
}

function linkOf(words: readonly string[]): Draft<DrawnLink> {
  const kind = after(words, 'kind');
  const more = words.filter((word, at) => at > 1 && FLAGS.includes(word));
  if (kind === 'vlan') more.push(`vlan ${after(words, 'id')}`);
  if (after(words, 'mode') !== '') more.push(after(words, 'mode'));
  if (kind === 'vrf') more.push(`table ${after(words, 'table')}`);
  const address = after(words, 'address');
  return {
    name: words[1] ?? '',
    kind,
    up: words.includes('up') && words.indexOf('up') <= 4,
    mac: address === 'none' ? '' : address,
    mtu_bytes: Number(after(words, 'mtu')),
    master: after(words, 'master'),
    peer: placeOf(after(words, 'peer')),
    lower: placeOf(after(words, 'lower')),
    addresses: [],
    more,
  };
}

/** A rate in the unit in which it is short. */
export function rateWords(bytes_per_s: number): string {
  let rate = bytes_per_s * BITS;
  let unit = 0;
  while (rate >= 1000 && unit < UNITS.length - 1) {
    rate /= 1000;
    unit++;
  }
  return `${Number(rate.toFixed(2))} ${UNITS[unit]}`;
}

/** ADDRESS . PORT as one writes it. */
function endpoint(text: string): string {
  const [address = '', port] = text.split(' . ');
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Sets whose elements are told by others: what belongs to a port, what leads to a chain. */
const SILENT = /^(hostports_(open|snat)[46]|firewall_admins)$/;

/** What an element of a set of ours does, and to what; for others the set's name and nothing. */
function elementWords(set: string, rest: string): readonly [does: string, to: string] {
  const body = rest.replace(/ "(?:[^"\\]|\\.)*"$/, '');
  const [key = '', data = ''] = body.split(' : ');
  if (/^masq[46]$/.test(set)) return ['masquerades', key];
  if (/^firewall[46]$/.test(set)) return ['lets through', key];
  if (/^hostports[46]$/.test(set)) {
    const [protocol, port] = key.split(' . ');
    return [`port ${port}/${protocol} to`, endpoint(data)];
  }
  if (/^hostports_ip[46]$/.test(set)) {
    const [address = '', protocol, port = ''] = key.split(' . ');
    return [`port ${endpoint(`${address} . ${port}`)}/${protocol} to`, endpoint(data)];
  }
  return [`nft set ${set}:`, key];
}

/** Reads the lines of one namespace after another. */
class Reader {
  readonly spaces = new Map<string, Space>();
  /** What is done in nftables, and to whom, by namespace. */
  readonly #done = new Map<string, Map<string, string[]>>();
  #at: Space | undefined;

  line(line: string): void {
    const words = line.split(' ');
    const [first = '', second = ''] = words;
    if (first === 'netns') this.#enter(second);
    else if (first === 'file' || first === 'plugin' || first === 'dhcp') this.#at = undefined;
    else if (this.#at !== undefined) this.#inside(this.#at, line, words);
  }

  end(): Model {
    for (const [name, done] of this.#done) {
      const space = this.spaces.get(name);
      for (const [does, to] of done) space?.rules.push(`${does} ${to.join(', ')}`);
    }
    const spaces = [...this.spaces.values()];
    return { spaces: spaces.sort((a, b) => Number(b.name === 'host') - Number(a.name === 'host')) };
  }

  #enter(name: string): void {
    const known = this.spaces.get(name);
    this.#at = known ?? { name, links: [], routes: [], rules: [] };
    this.spaces.set(name, this.#at);
  }

  #inside(space: Space, line: string, words: readonly string[]): void {
    const [first, second = '', third = ''] = words;
    const link = space.links.find(({ name }) => name === after(words, 'dev'));
    if (first === 'link') space.links.push(linkOf(words));
    else if (first === 'addr') link?.addresses.push(second);
    else if (first === 'vlan')
      link?.more.push(`vlan ${words.slice(1).join(' ')}`.replace(/ dev \S+/, ''));
    else if (first === 'route') space.routes.push(line.slice('route '.length));
    else if (first === 'rule') space.rules.push(`rule ${words.slice(1).join(' ')}`);
    else if (first === 'sysctl') this.#sysctl(space, second, third);
    else if (first === 'qdisc' && second === 'tbf') {
      link?.more.push(`at most ${rateWords(Number(after(words, 'rate')))}`);
    } else if (first === 'nft') this.#nft(space, second, words.slice(2));
  }

  #sysctl(space: Space, key: string, value: string): void {
    if (value !== '1') return;
    if (key === 'net/ipv4/ip_forward') space.rules.push('forwards IPv4');
    if (key === 'net/ipv6/conf/all/forwarding') space.rules.push('forwards IPv6');
  }

  #nft(space: Space, what: string, words: readonly string[]): void {
    if (what === 'admin') space.rules.push(`administrator's chain ${words[0]}`);
    if (what === 'forward') space.rules.push(`forward hook of ${words.slice(0, 3).join(' ')}`);
    if (what !== 'element') return;
    const [set = '', ...rest] = words;
    if (SILENT.test(set)) return;
    const [does, to] = elementWords(set, rest.join(' '));
    const done = this.#done.get(space.name) ?? new Map<string, string[]>();
    done.set(does, [...(done.get(does) ?? []), to]);
    this.#done.set(space.name, done);
  }
}

/** What a state's text holds. */
export function modelOf(text: string): Model {
  const reader = new Reader();
  for (const line of text.split('\n')) if (line !== '') reader.line(line);
  return reader.end();
}
