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

/** Words of a line that have no value; every other is followed by its own. */
const ALONE = new Set(['up', 'down', 'multi_queue', 'allmulti', 'pvid', 'untagged', ...FLAGS]);

/** What a line says from a place on: a name may be any word, and so may a value. */
class Words {
  readonly flags: string[] = [];
  readonly #values = new Map<string, string>();

  constructor(words: readonly string[], from: number) {
    for (let at = from; at < words.length; at++) {
      const word = words[at]!;
      if (ALONE.has(word)) this.flags.push(word);
      else this.#values.set(word, words[++at] ?? '');
    }
  }

  /** The value of a word, "" when it is not there. */
  of(word: string): string {
    return this.#values.get(word) ?? '';
  }
}

function placeOf(text: string): Place | undefined {
  const at = text.indexOf('/');
  return at <= 0 ? undefined : { space: text.slice(0, at), link: text.slice(at + 1) };
}

function linkOf(words: readonly string[]): Draft<DrawnLink> {
  const said = new Words(words, 2);
  const kind = said.of('kind');
  const more = said.flags.filter((word) => FLAGS.includes(word));
  if (kind === 'vlan') more.push(`vlan ${said.of('id')}`);
  if (said.of('mode') !== '') more.push(said.of('mode'));
  if (kind === 'vrf') more.push(`table ${said.of('table')}`);
  const address = said.of('address');
  return {
    name: words[1] ?? '',
    kind,
    up: said.flags.includes('up'),
    mac: address === 'none' ? '' : address,
    mtu_bytes: Number(said.of('mtu')),
    master: said.of('master'),
    peer: placeOf(said.of('peer')),
    lower: placeOf(said.of('lower')),
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

const counted = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? '' : 's'}`;

/** What a namespace has of nftables, in numbers: our parts, and tables of others. */
class Tables {
  readonly #parts: string[] = [];
  readonly #others = new Map<string, number>();
  #chains = 0;
  #elements = 0;

  line(what: string, words: readonly string[]): void {
    const [first = '', second = ''] = words;
    if (what === 'element') this.#elements++;
    else if (what === 'chain' && words.length < 3) this.#chains++;
    else if (what === 'chain' || what === 'forward') this.#other(`${first} ${second}`, 1);
    else if (what === 'table') this.#other(`${first} ${second}`, 0);
    // A part of ours has its version, and nothing else.
    else if (/^\d+$/.test(first) && words.length === 1) this.#parts.push(what);
  }

  #other(table: string, chains: number): void {
    this.#others.set(table, (this.#others.get(table) ?? 0) + chains);
  }

  get words(): string[] {
    const made: string[] = [];
    if (this.#parts.length > 0) {
      const numbers = `${counted(this.#chains, 'chain')}, ${counted(this.#elements, 'element')}`;
      made.push(`nftables of ours: ${this.#parts.join(', ')}; ${numbers}`);
    }
    for (const [table, chains] of this.#others) {
      const known = chains > 0 ? `, ${counted(chains, 'chain')}` : '';
      made.push(`nftables of others: table ${table}${known}`);
    }
    return made;
  }
}

/** Reads the lines of one namespace after another. */
class Reader {
  readonly spaces = new Map<string, Space>();
  /** What is done in nftables, and to whom, by namespace. */
  readonly #done = new Map<string, Map<string, string[]>>();
  /** What of nftables there is, by namespace. */
  readonly #tables = new Map<string, Tables>();
  #at: Space | undefined;

  line(line: string): void {
    const words = line.split(' ');
    const [first = '', second = ''] = words;
    if (first === 'netns') this.#enter(second);
    else if (first === 'file' || first === 'plugin' || first === 'dhcp') this.#at = undefined;
    else if (this.#at !== undefined) this.#inside(this.#at, line, words);
  }

  end(): Model {
    for (const [name, tables] of this.#tables) this.spaces.get(name)?.rules.push(...tables.words);
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
    const said = new Words(words, first === 'qdisc' ? 3 : 2);
    const link = space.links.find(({ name }) => name === said.of('dev'));
    if (first === 'link') space.links.push(linkOf(words));
    else if (first === 'addr') link?.addresses.push(second);
    else if (first === 'vlan')
      link?.more.push(`vlan ${words.slice(1).join(' ')}`.replace(/ dev \S+/, ''));
    else if (first === 'route') space.routes.push(line.slice('route '.length));
    else if (first === 'rule') space.rules.push(`rule ${words.slice(1).join(' ')}`);
    else if (first === 'sysctl') this.#sysctl(space, second, third);
    else if (first === 'qdisc' && second === 'tbf') {
      link?.more.push(`at most ${rateWords(Number(said.of('rate')))}`);
    } else if (first === 'nft') this.#nft(space, second, words.slice(2));
  }

  #sysctl(space: Space, key: string, value: string): void {
    if (value !== '1') return;
    if (key === 'net/ipv4/ip_forward') space.rules.push('forwards IPv4');
    if (key === 'net/ipv6/conf/all/forwarding') space.rules.push('forwards IPv6');
  }

  #nft(space: Space, what: string, words: readonly string[]): void {
    const tables = this.#tables.get(space.name) ?? new Tables();
    this.#tables.set(space.name, tables);
    tables.line(what, words);
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
