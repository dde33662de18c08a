// SPDX-License-Identifier: Apache-2.0
// The machine as a recording says that it was before the call, in the text of the simulated kernel.
// Of each thing the first that was said of it counts, unless the call had made or changed it by
// then. What the call did not ask about is not there. It refuses to guess: what it leaves out it
// says.
import type { Address, FibRule, Filter, Link, Qdisc, Route } from '../abi/index.ts';
import type { Recording, Timed } from './format.ts';
import { routeLine } from './state-lines.ts';

export interface Ground {
  readonly text: string;
  /** What the replies do not tell. */
  readonly missing: readonly string[];
}

type Args = Readonly<Record<string, unknown>>;
type NamedText = { readonly name: string; readonly content: string | null };

const ENOENT = 2;
const TXQLEN_DEFAULT = 1000;
const RTPROT_KERNEL = 2;
const TABLES_OF_ALL = new Set([0, 253, 254, 255]);
const LEASE_INDEX = '/leases/';
const NAMED = /^\/(?:var\/)?run\/netns\/([^/]+)$/;

const bytesOf = (value: unknown): string => {
  const { base64 = '' } = (value ?? {}) as { base64?: string };
  return new TextDecoder().decode(Uint8Array.fromBase64(base64));
};
/** Whether the text can have it as a word. */
const isWord = (text: string): boolean => /^[^\s\p{Cc}]+$/u.test(text);
const isUnlisted = (ip: string): boolean => /^(fe[89ab]|ff[0-9a-f])[0-9a-f]:/.test(ip);

/** A namespace of the recording. */
class Space {
  readonly name: string;
  readonly head: string;
  readonly links = new Map<number, Link>();
  /** Names of links that the call made. */
  readonly made = new Set<string>();
  readonly lines: string[] = [];
  constructor(name: string, head: string) {
    this.name = name;
    this.head = head;
  }
}

class Builder {
  readonly missing = new Set<string>();
  readonly #spaces = new Map<number, Space>([[0, new Space('host', 'netns host')]]);
  readonly #files = new Map<string, string>();
  readonly #identities = new Map<string, string>();
  readonly #old = new Set<string>();
  /** Of what kind the call had changed something, where. */
  readonly #touched = new Set<string>();
  /** What was asked about already, or changed. */
  readonly #known = new Set<string>();

  read(line: Timed): void {
    const [, name = ''] = line.op.split('.');
    const { args, value, errno } = line;
    if (errno !== undefined) this.#absent(name, args, errno);
    else if (line.op.startsWith('store.')) this.#file(name, args, value);
    else if (line.op.startsWith('plugin.')) this.#program(name, args, value);
    else if (line.op.startsWith('nft.')) return;
    else this.#kernel(name, args, value);
  }

  /** True the first time. */
  #first(...key: unknown[]): boolean {
    const text = JSON.stringify(key);
    if (this.#known.has(text)) return false;
    this.#known.add(text);
    return true;
  }

  #absent(name: string, args: Args, errno: number): void {
    if (errno !== ENOENT) return;
    if (name.startsWith('file_')) this.#first('file', args['path']);
    if (name === 'sysctl_read') this.#first('sysctl', args['ns'], args['key']);
  }

  #kernel(name: string, args: Args, value: unknown): void {
    const space = this.#spaces.get(Number(args['ns'] ?? 0));
    const ifindex = Number(args['ifindex']);
    if (name === 'route_get') this.missing.add(`by which route ${args['dst']} is reached`);
    else if (name === 'netns_open') this.#open(Number(value), String(args['path']));
    else if (space === undefined) return;
    else if (name === 'netns_id') this.#identities.set(bytesOf(value), `netns:${space.name}`);
    else if (name === 'link_list') for (const link of value as Link[]) this.#link(space, link);
    else if (name === 'link_get' || name === 'link_get_index') this.#link(space, value as Link);
    else if (name.startsWith('link_add_')) this.#made(args, space);
    else if (name === 'link_set_name') space.made.add(String(args['name']));
    else if (name === 'link_set_netns') {
      this.#spaces.get(Number(args['netns']))?.made.add(String(args['name']));
    } else if (/_(add|del|set|write)/.test(name)) {
      this.#touched.add(`${name.split('_')[0]} ${space.name} ${ifindex}`);
      if (name.startsWith('sysctl')) this.#first('sysctl', args['ns'], args['key']);
    } else this.#list(name, space, ifindex, args, value);
  }

  #open(handle: number, path: string): void {
    const known = [...this.#spaces.values()].map(({ name }) => name);
    let name = NAMED.exec(path)?.[1] ?? path.replace(/^\/+/, '').replace(/[^\w.-]+/g, '-');
    while (known.includes(name) && name === 'host') name = `${name}-`;
    const head = path === `/run/netns/${name}` ? `netns ${name}` : `netns ${name} path ${path}`;
    this.#spaces.set(handle, new Space(name, head));
  }

  #made(args: Args, space: Space): void {
    const there = Number(args['peer_ns'] ?? args['netns'] ?? -1);
    (there >= 0 && !('peer_ns' in args) ? this.#spaces.get(there) : space)?.made.add(
      String(args['name']),
    );
    if ('peer_ns' in args) this.#spaces.get(there)?.made.add(String(args['peer_name']));
  }

  #link(space: Space, link: Link): void {
    if (space.made.has(link.name)) return;
    if (this.#first('link', space.name, link.ifindex)) space.links.set(link.ifindex, link);
  }

  /** Lists of what hangs on a link. */
  #list(name: string, space: Space, ifindex: number, args: Args, value: unknown): void {
    const kind = name.split('_')[0];
    const link = space.links.get(ifindex);
    const at = name === 'sysctl_read' ? args['key'] : '';
    if (this.#touched.has(`${kind} ${space.name} ${ifindex}`)) return;
    const of = kind === 'sysctl' ? [args['ns'], at] : [space.name, ifindex, args['parent']];
    if (!this.#first(kind, ...of)) return;
    if (name === 'sysctl_read') this.#sysctl(space, String(at), bytesOf(value));
    else if (name === 'fib_rule_list') this.#rules(space, value as FibRule[]);
    else if (link === undefined) return;
    else if (name === 'addr_list') {
      for (const { address } of value as Address[]) {
        if (!isUnlisted(address)) space.lines.push(`addr ${address} dev ${link.name}`);
      }
    } else if (name === 'route_list') this.#routes(space, link, value as Route[]);
    else if (name === 'qdisc_get') this.#qdisc(space, link, value as Qdisc);
    else if (name === 'filter_list') this.#filters(space, link, value as Filter[]);
    else if (name.endsWith('_list')) this.missing.add(`what ${name} gave of ${link.name}`);
  }

  #sysctl(space: Space, key: string, value: string): void {
    const owner = /^net\/ipv[46]\/conf\/([^/]+)\//.exec(key)?.[1];
    if (owner !== undefined && space.made.has(owner)) return;
    space.lines.push(`sysctl ${key} ${value.trim()}`);
  }

  #rules(space: Space, rules: readonly FibRule[]): void {
    for (const { src, table, priority, more } of rules) {
      if (src === '' && TABLES_OF_ALL.has(table)) continue;
      if (src === '' || more) this.missing.add(`the rule ${priority} of ${space.name}`);
      else space.lines.push(`rule ${priority} from ${src} table ${table}`);
    }
  }

  /** An address brings the kernel's own routes along. */
  #routes(space: Space, link: Link, routes: readonly Route[]): void {
    for (const route of routes) {
      if (route.protocol === RTPROT_KERNEL || isUnlisted(route.dst)) continue;
      space.lines.push(routeLine(route, link.name, route.dst.includes(':')));
    }
  }

  #qdisc(space: Space, link: Link, { kind, handle, rate, limit, buffer }: Qdisc): void {
    if (handle === 0 || !isWord(kind)) return;
    const words = `qdisc ${kind} ${(handle >>> 16).toString(16)}: dev ${link.name}`;
    const numbers = kind === 'tbf' ? ` rate ${rate} limit ${limit} buffer ${buffer}` : '';
    space.lines.push(words + numbers);
  }

  /** Heads and hash tables are no filters. */
  #filters(space: Space, link: Link, filters: readonly Filter[]): void {
    for (const { kind, pref, handle, to } of filters) {
      if (handle === 0 || (kind === 'u32' && (handle & 0xfff) === 0)) continue;
      const target = space.links.get(to)?.name;
      const redirect = target === undefined ? '' : ` redirect ${target}`;
      if (to !== 0 && target === undefined) this.missing.add(`where filter ${pref} leads`);
      space.lines.push(`filter ${kind} dev ${link.name} pref ${pref}${redirect}`);
    }
  }

  #file(name: string, args: Args, value: unknown): void {
    const [path, dir] = [String(args['path']), String(args['dir'])];
    if (`${'dir' in args ? dir : path}/`.includes(LEASE_INDEX)) return;
    if (name === 'file_read') this.#put(path, bytesOf(value));
    else if (name === 'file_list') {
      for (const one of value as NamedText[]) {
        if (one.content === null) this.missing.add(`the content of ${dir}/${one.name}`);
        else this.#put(`${dir}/${one.name}`, one.content);
      }
    } else if (name === 'file_before_boot' && value === 1) this.#old.add(path);
    else if (name === 'subdir_list') {
      for (const below of value as string[]) this.#folder(`${dir}/${below}`);
    } else if (name === 'dir_list') {
      if ((value as string[]).length === 0) this.#folder(dir);
    } else if (name === 'dir_make' || name === 'dir_lock' || name === 'dir_unlock') return;
    else if (/write|create|remove/.test(name)) this.#first('file', path);
  }

  #put(path: string, content: string): void {
    if (!this.#first('file', path)) return;
    if (isWord(path)) this.#files.set(path, `file ${path} ${JSON.stringify(content)}`);
    else this.missing.add(`the file ${JSON.stringify(path)}, whose name cannot be written`);
  }

  #folder(path: string): void {
    if (this.#first('folder', path) && isWord(path)) this.#files.set(path, `folder ${path}`);
  }

  #program(name: string, args: Args, value: unknown): void {
    const path = String(args['path']);
    if (name !== 'exec') {
      this.missing.add(`the daemon at ${path}`);
      return;
    }
    const { exit_code, stdout } = value as { exit_code: number; stdout: string };
    const line = `plugin ${path} ${exit_code} ${JSON.stringify(stdout)}`;
    const known = this.#files.get(path);
    if (known !== undefined && known !== line) this.missing.add(`other answers of ${path}`);
    if (known === undefined && isWord(path)) this.#files.set(path, line);
  }

  lines(nft: readonly string[]): string[] {
    const spaces = [...this.#spaces.values()].flatMap((space) => [
      space.head,
      ...[...space.links.values()].flatMap((link) => this.#linkLine(space, link)),
      ...space.lines,
      ...(space.name === 'host' ? nft : []),
    ]);
    const files = [...this.#files].map(([path, line]) => {
      const old = this.#old.has(path) && line.startsWith('file ');
      return this.#named(line) + (old ? ' before-boot' : '');
    });
    return [...spaces, ...files];
  }

  /** Identities of namespaces as the simulated kernel gives them. */
  #named(line: string): string {
    let named = line;
    for (const [identity, name] of this.#identities) {
      named = named.replaceAll(`\\"${identity}\\"`, `\\"${name}\\"`);
    }
    return named;
  }

  #linkLine(space: Space, link: Link): string[] {
    if (!isWord(link.name)) {
      this.missing.add(`a link of ${space.name} whose name cannot be written`);
      return [];
    }
    const words = ['link', link.name];
    if (isWord(link.kind)) words.push('kind', link.kind);
    words.push(link.up ? 'up' : 'down', 'address', link.address === '' ? 'none' : link.address);
    words.push('mtu', String(link.mtu_bytes));
    if (link.vlan_filtering) words.push('vlan_filtering');
    if (link.promisc) words.push('promisc');
    if (link.allmulti) words.push('allmulti');
    if (link.txqlen !== TXQLEN_DEFAULT) words.push('txqlen', String(link.txqlen));
    words.push('operstate', link.operstate);
    const master = space.links.get(link.master);
    if (master !== undefined) words.push('master', master.name);
    else if (link.master !== 0) this.missing.add(`the master of ${link.name}`);
    if (link.table !== 0) words.push('table', String(link.table));
    if (link.kind === 'veth') words.push('peer', this.#peerOf(space, link));
    if (link.mode !== '') words.push('mode', link.mode);
    if (link.kind === 'vlan') words.push('id', String(link.vid));
    const lower = link.lower === 0 ? undefined : this.#spaces.get(0)?.links.get(link.lower);
    if (lower !== undefined) words.push('lower', `host/${lower.name}`);
    if (link.kind === '' && link.permaddr !== '') words.push('permaddr', link.permaddr);
    if (isWord(link.alias)) words.push('alias', link.alias);
    return [words.join(' ')];
  }

  /** NETNS/NAME of the other end when both say so, "?" else. */
  #peerOf(space: Space, link: Link): string {
    const found = [...this.#spaces.values()].flatMap((there) => {
      const peer = there.links.get(link.peer);
      const mutual = peer?.kind === 'veth' && peer.peer === link.ifindex && peer !== link;
      return mutual ? [`${there.name}/${peer.name}`] : [];
    });
    if (found.length === 1) return found[0]!;
    this.missing.add(`the other end of ${link.name} in ${space.name}`);
    return '?';
  }
}

/** Makes the ground of a recording; `nft` are the lines of what it says of nftables. */
export function groundOf(recording: Recording, nft: readonly string[]): Ground {
  const builder = new Builder();
  for (const line of recording.operations) builder.read(line);
  const lines = builder.lines(nft);
  return { text: `${lines.join('\n')}\n`, missing: [...builder.missing] };
}
