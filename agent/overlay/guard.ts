// SPDX-License-Identifier: Apache-2.0
// Rules that keep strangers out of the tunnel: packets to its port from addresses that are no
// node's, and packets of pods to the port of any node. They are a table of their own, made by the
// program nft, whole or in part, each time in one transaction. It refuses to know what a tunnel is.
import { spawnSync } from 'node:child_process';
import { isIPv6 } from 'node:net';
import type { NetworkConfig } from './config.ts';

const LIMIT_MS = 10_000;
/** Backends whose packets say themselves from whom they are. */
const GUARDED = new Set(['vxlan', 'geneve']);
/** The VNI behind the headers of UDP and Geneve (RFC 8926), which nft knows by name since 1.0.8. */
const GENEVE_VNI = '@th,96,24';
/** Elements in a command: a line has its limits. */
const PIECE = 500;

/** Runs nft: what it said, and why it could not, '' when it could. */
export type Nft = (args: readonly string[], input: string) => { out: string; error: string };

export function runNft(args: readonly string[], input: string): { out: string; error: string } {
  const done = spawnSync('nft', args, { input, encoding: 'utf8', timeout: LIMIT_MS });
  if (done.error !== undefined) return { out: '', error: `cannot run nft: ${done.error.message}` };
  return { out: done.stdout, error: done.status === 0 ? '' : `nft: ${done.stderr.trim()}` };
}

export class Guard {
  readonly #network: NetworkConfig;
  readonly #nft: Nft;
  /** By the network's name, which stays when its VNI or type changes. */
  readonly #table: string;
  /** Addresses of nodes that are in the kernel; undefined before the table is. */
  #there: Set<string> | undefined;
  /** The table without elements, as nft tells it: to see whether somebody changed it. */
  #listed = '';

  constructor(network: NetworkConfig, nft: Nft = runNft) {
    this.#network = network;
    this.#nft = nft;
    this.#table = `inet fairlead_overlay_${network.name}`;
  }

  /** Lets packets of these addresses pass, and no others; why not, '' when they do. */
  allow(addresses: Iterable<string>): string {
    if (!GUARDED.has(this.#network.type)) return this.#none();
    const wanted = new Set(addresses);
    const before = this.#there;
    const commands = before === undefined ? this.#whole(wanted) : this.#part(before, wanted);
    if (commands === '') return '';
    const { error } = this.#nft(['-f', '-'], commands);
    // What is there is not known any more: the next time all of it is made.
    this.#there = error === '' ? wanted : undefined;
    if (before === undefined && error === '') this.#listed = this.#list();
    return error;
  }

  /** Takes away what another backend of the network had, once. */
  #none(): string {
    if (this.#there === undefined) this.remove();
    this.#there = new Set();
    return '';
  }

  /** Looks whether the table is as it was made; if it is not, the next `allow` makes it anew. */
  check(): void {
    if (!GUARDED.has(this.#network.type)) return;
    if (this.#there !== undefined && this.#list() !== this.#listed) this.#there = undefined;
  }

  remove(): string {
    this.#there = undefined;
    return this.#nft(['-f', '-'], this.#empty()).error;
  }

  #list(): string {
    return this.#nft(['-t', 'list', 'table', ...this.#table.split(' ')], '').out;
  }

  /** Takes the table away, whether it is there or not. */
  #empty(): string {
    return `add table ${this.#table}\ndelete table ${this.#table}\n`;
  }

  #whole(wanted: ReadonlySet<string>): string {
    const { cidrs, port, type, vni } = this.#network;
    // A device that routes lead into takes packets of every VNI.
    const foreign = type === 'geneve' ? `udp dport ${port} ${GENEVE_VNI} != ${vni} drop` : '';
    const own = cidrs.map((cidr) => {
      const [ip, peers] = cidr.includes(':') ? ['ip6', '@peers6'] : ['ip', '@peers4'];
      return `${ip} saddr ${cidr} ${ip} daddr ${peers} udp dport ${port} drop`;
    });
    return `${this.#empty()}table ${this.#table} {
  set peers4 { type ipv4_addr; }
  set peers6 { type ipv6_addr; }
  chain input {
    type filter hook input priority filter - 5; policy accept;
    udp dport ${port} ip saddr != @peers4 drop
    udp dport ${port} ip6 saddr != @peers6 drop
    ${foreign}
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    ${own.join('\n    ')}
  }
}
${this.#elements('add', [...wanted])}`;
  }

  #part(before: ReadonlySet<string>, wanted: ReadonlySet<string>): string {
    const more = [...wanted].filter((address) => !before.has(address));
    const less = [...before].filter((address) => !wanted.has(address));
    return this.#elements('add', more) + this.#elements('delete', less);
  }

  #elements(verb: 'add' | 'delete', addresses: readonly string[]): string {
    let commands = '';
    for (const v6 of [false, true]) {
      const own = addresses.filter((address) => isIPv6(address) === v6);
      for (let at = 0; at < own.length; at += PIECE) {
        const piece = own.slice(at, at + PIECE).join(', ');
        commands += `${verb} element ${this.#table} peers${v6 ? 6 : 4} { ${piece} }\n`;
      }
    }
    return commands;
  }
}
