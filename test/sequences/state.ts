// SPDX-License-Identifier: Apache-2.0
// A state text as a set of lines that can be compared: each kernel line with its namespace in
// front. Hints where an allocation goes on are no state and come apart. It judges nothing.

export interface Look {
  /** "pod1: link eth0 …", "netns pod1", "file …". */
  readonly lines: ReadonlySet<string>;
  /** last_reserved_ip.N by path: the address in it. */
  readonly hints: ReadonlyMap<string, string>;
}

const BEFORE_BOOT = ' before-boot';
const HINT = /^file (\S+\/last_reserved_ip\.\d+) "([^"]*)"/;

/**
 * Reads a state text. The operstate of bridges follows their ports up to a second later and is left
 * out; of bridges named `loose` only that they are there counts.
 */
export function lookAt(text: string, loose: ReadonlySet<string>): Look {
  const lines = new Set<string>();
  const hints = new Map<string, string>();
  let ns = '';
  for (const line of text.split('\n')) {
    const hint = HINT.exec(line);
    if (hint !== null) hints.set(hint[1] ?? '', hint[2] ?? '');
    else if (/^(file|plugin) /.test(line)) lines.add(line);
    else if (line.startsWith('netns ')) {
      ns = line.slice('netns '.length);
      lines.add(line);
    } else if (line !== '') lines.add(plain(`${ns}: ${line}`, loose));
  }
  return { lines, hints };
}

/** A line as lookAt gives it. */
export function plain(line: string, loose: ReadonlySet<string>): string {
  const bridge = /^\w+: link (\S+) kind bridge /.exec(line)?.[1];
  if (bridge === undefined) return line;
  if (loose.has(bridge)) return `host: link ${bridge} kind bridge`;
  return line.replace(/ operstate \S+/, '');
}

export const minus = (left: Iterable<string>, right: ReadonlySet<string>): string[] =>
  [...left].filter((line) => !right.has(line));

/** A lease line's parts, undefined for any other line. */
export interface Lease {
  readonly folder: string;
  readonly address: string;
  /** "<containerID>\r\n<ifname>". */
  readonly owner: string;
  readonly old: boolean;
}

export function leaseOf(line: string): Lease | undefined {
  const match = /^file (\S+)\/([0-9a-f.:]+) (".*")( before-boot)?$/.exec(line);
  if (match === null) return undefined;
  const [, folder = '', address = '', content = '""', old] = match;
  return { folder, address, owner: JSON.parse(content) as string, old: old !== undefined };
}

/** Host links whose other end is NETNS/IFNAME. */
export function hostEnds(lines: Iterable<string>, netns: string, ifname: string): string[] {
  const ends: string[] = [];
  const peer = new RegExp(`^host: link (\\S+) .*\\bpeer ${netns}/${ifname}( |$)`);
  for (const line of lines) {
    const name = peer.exec(line)?.[1];
    if (name !== undefined) ends.push(name);
  }
  return ends;
}

/** Whether a kernel line is about the link: the link itself, its addresses, routes and sysctls. */
export function isAbout(line: string, netns: string, link: string): boolean {
  if (!line.startsWith(`${netns}: `)) return false;
  const words = line.slice(netns.length + 2).split(' ');
  if (words[0] === 'link') return words[1] === link;
  if (words[0] === 'sysctl') return words[1]?.split('/')[3] === link;
  return words[words.indexOf('dev') + 1] === link && words.includes('dev');
}

/** The lines of a state text that are a namespace's, its own line first. */
function sectionOf(text: string, netns: string): string[] {
  const lines = text.split('\n');
  const start = lines.indexOf(`netns ${netns}`);
  if (start < 0) return [];
  const end = lines.findIndex((line, at) => at > start && /^(netns |file |plugin |$)/.test(line));
  return lines.slice(start, end < 0 ? lines.length : end);
}

/** Names of a namespace's links. */
export function linksOf(text: string, netns: string): string[] {
  return sectionOf(text, netns).flatMap((line) => /^link (\S+)/.exec(line)?.[1] ?? []);
}

/** A state text without a namespace. */
export function withoutNetns(text: string, netns: string): string {
  const section = sectionOf(text, netns);
  return section.length === 0 ? text : text.replace(`${section.join('\n')}\n`, '');
}

/** The state text after a reboot: /run and the kernel's state are new, other files are old. */
export function afterReboot(text: string, fresh: string): string {
  const files = text.split('\n').filter((line) => /^(file|plugin) /.test(line));
  const kept = files.filter((line) => !line.startsWith('file /run/'));
  const old = kept.map((line) =>
    line.startsWith('file ') && !line.endsWith(BEFORE_BOOT) ? line + BEFORE_BOOT : line,
  );
  return fresh + old.map((line) => `${line}\n`).join('');
}
