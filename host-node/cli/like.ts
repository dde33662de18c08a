// SPDX-License-Identifier: Apache-2.0
// An operation said in the words of iproute2 and coreutils, from the table's `like`, with the
// arguments filled in: for a person to read, and mostly to paste into a shell. It refuses to run
// anything.
import type { Operation } from '../abi/index.ts';

/** Names for the numbers in arguments. */
export interface Names {
  /** The path of a namespace by its handle, "" for the one a shell is in. */
  netns(handle: number): string;
  /** The name of a link. */
  link(ns: number, ifindex: number): string;
}

type Args = Readonly<Record<string, unknown>>;

const SCOPES: Readonly<Record<number, string>> = { 200: 'site', 253: 'link', 254: 'host' };
const PROTOCOLS: Readonly<Record<number, string>> = { 0: 'boot', 2: 'kernel', 3: 'boot' };
const TABLE_MAIN = 254;
/** linux/pkt_sched.h; the kernel's tick of net/pkt_sched.h. */
const TC_H_ROOT = -1;
const TICK_NS = 64;
/** Longer content of a file says no more to a person. */
const SHOWN_LIMIT = 200;
/** NFPROTO_ of linux/netfilter.h, in nft's words. */
const FAMILIES: Readonly<Record<number, string>> = { 1: 'inet', 2: 'ip', 7: 'bridge', 10: 'ip6' };

/** A word of a shell, quoted when it has to be. */
export function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`;
  const escaped = word.replace(/[\p{Cc}\\']/gu, (char) => {
    const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', "'": "\\'" }[char];
    return known ?? `\\u${char.codePointAt(0)?.toString(16).padStart(4, '0')}`;
  });
  return `$'${escaped}'`;
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
}

/** The name of ip-netns(8) for a path, "" when it has none. */
function ipName(path: string): string {
  return /^(?:\/var)?\/run\/netns\/([\w.-]+)$/.exec(path)?.[1] ?? '';
}

/** NAME=value for each of an environment block. */
function environment(block: string): string {
  const pairs = block.split('\0').filter((pair) => pair !== '');
  return pairs.map((pair) => quote(pair)).join(' ');
}

function routeWord(param: string, args: Args): string | undefined {
  const [gw, v6] = [String(args['gw']), String(args['dst']).includes(':')];
  const number = Number(args[param]);
  // Without a gateway ip(8) would take the scope of the link.
  if (param === 'scope' && number === 0) return v6 || gw !== '' ? '' : 'global';
  if (param === 'scope') return SCOPES[number] ?? String(number);
  if (param === 'table') return number === TABLE_MAIN || number === 0 ? '' : String(number >>> 0);
  if (param === 'protocol') return PROTOCOLS[number] ?? String(number);
  if (param === 'priority') return number === 0 ? '' : String(number >>> 0);
  if (param === 'gw' && gw.includes(':') && !v6) return `inet6 ${gw}`;
  return undefined;
}

/** Numbers of traffic control in the words and units of tc(8); rates are bytes a second. */
function tcWord(param: string, args: Args): string | undefined {
  const rate = (Number(args['rate_high']) >>> 0) * 2 ** 32 + (Number(args['rate_low']) >>> 0);
  const number = Number(args[param]) >>> 0;
  if (param === 'parent') return Number(args[param]) === TC_H_ROOT ? 'root' : 'ingress';
  if (param === 'rate_low') return `${rate * 8}bit`;
  if (param === 'limit_bytes') return `${number}b`;
  if (param === 'buffer_ticks') return `${Math.round((rate * number * TICK_NS) / 1e9)}b`;
  if (param !== 'handle' || number === 0) return undefined;
  // Of a u32 filter: hash table, bucket and filter.
  if ('pref' in args) return `${(number >>> 20).toString(16)}::${(number & 0xfff).toString(16)}`;
  return `${(number >>> 16).toString(16)}:`;
}

/** The words for an argument, "" when the clause it stands in is to be left out. */
function words(op: Operation, param: string, args: Args, names: Names): string {
  const value = args[param];
  const ns = Number(args['ns']);
  if (param === 'a' || param === 'b')
    return quote(names.netns(Number(value)) || '/proc/self/ns/net');
  if (param === 'peer_ns' || param === 'netns') {
    if (value === ns) return '';
    const path = names.netns(Number(value));
    return path === '' ? '1' : ipName(path) || quote(path);
  }
  const tc = tcWord(param, args);
  if (tc !== undefined) return tc;
  if (['ifindex', 'lower', 'master', 'to'].includes(param)) {
    return value === 0 ? '' : quote(names.link(ns, Number(value)));
  }
  if (param === 'vid') return String(value);
  // -1 is nobody in particular, and 0 is root.
  if (param === 'owner' || param === 'group')
    return value === -1 ? '' : String(Number(value) >>> 0);
  if (param === 'family') return FAMILIES[Number(value)] ?? String(value);
  if (param === 'hairpin' || param === 'isolated') return value === 0 ? 'off' : 'on';
  if (param === 'timeout_ms') return String(Number(value) / 1000);
  if (param === 'env') return environment(textOf(value));
  if (op.name.startsWith('route_')) {
    const word = routeWord(param, args);
    if (word !== undefined) return word;
  }
  if (typeof value === 'number') {
    const unsigned = param === 'table' || param === 'priority' ? value >>> 0 : value;
    return value === 0 ? '' : String(unsigned);
  }
  const text = textOf(value);
  if (text === '' && !op.like.includes(`"$${param}"`)) return '';
  // A command that is cut off can be pasted nowhere.
  return quote(
    op.params[param] === 'bytes' && text.length > SHOWN_LIMIT
      ? `${text.slice(0, SHOWN_LIMIT)}…`
      : text,
  );
}

/** A word of the template; undefined when it and the word before it are to be left out. */
function filled(op: Operation, token: string, args: Args, names: Names): string | undefined {
  if (token === '$vid-$vid_end' && args['vid'] === args['vid_end']) return String(args['vid']);
  let absent = false;
  const text = token.replaceAll(/"?\$(\w+)"?/g, (_, param: string) => {
    const word = words(op, param, args, names);
    absent ||= word === '';
    return word;
  });
  return absent ? undefined : text;
}

/** Whether a bare word of the template is to be said: "pvid", "untagged", "nodad" are flags. */
function isSaid(op: Operation, token: string, args: Args): boolean {
  if (!(token in op.params) || op.params[token] !== 'bool') return true;
  if (token === 'nodad' && !String(args['address']).includes(':')) return false;
  return args[token] !== 0;
}

function fill(op: Operation, args: Args, names: Names): string[] {
  const said: string[] = [];
  const six = op.name.startsWith('fib_rule_') && String(args['src']).includes(':');
  const tokens = op.like.split(' ');
  for (const [at, token] of tokens.entries()) {
    if (token.includes('$')) {
      const text = filled(op, token, args, names);
      if (text !== undefined) said.push(text);
      else if (said.pop() === 'master' && op.name === 'link_set_master') said.push('nomaster');
    } else if (token === 'on' && args['on'] === 0) said.push('off');
    // What stands before its value goes with it.
    else if (tokens[at + 1]?.startsWith('$') || isSaid(op, token, args)) said.push(token);
  }
  if ('ifindex' in op.params && !op.like.includes('$ifindex')) {
    said.push('dev', words(op, 'ifindex', args, names));
  }
  // From the prefix alone ip(8) does not know the family.
  if (six) said.splice(1, 0, '-6');
  return said;
}

/** The content that a command reads on standard input, before the command. */
function piped(op: Operation, args: Args, command: string): string {
  if (op.params['content'] !== 'bytes') return command;
  const content = textOf(args['content']);
  if (content.length > SHOWN_LIMIT) {
    return `${command} # ${new TextEncoder().encode(content).length} bytes`;
  }
  return `printf %s ${quote(content)} | (${command})`;
}

/** The operation as a line for a shell. */
export function likeOf(op: Operation, args: Args, names: Names): string {
  const said = fill(op, args, names);
  const path = 'ns' in op.params ? names.netns(Number(args['ns'])) : '';
  const command = said.join(' ');
  if (path === '') return piped(op, args, command);
  const [program = '', ...rest] = said;
  const inside = `nsenter --net=${quote(path)}`;
  if (program !== 'ip' && program !== 'bridge' && program !== 'tc')
    return `${inside} sh -c ${quote(command)}`;
  const name = ipName(path);
  return name === '' ? `${inside} ${command}` : [program, '-n', name, ...rest].join(' ');
}
