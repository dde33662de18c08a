// SPDX-License-Identifier: Apache-2.0
// nftables as `nft` tells and takes it, in the nft lines of core-as/sim/text.ts. It reads and loads
// by that program's library alone and knows no message of ours: it is the judge of them.
import { runNft } from './libnftables.ts';
import { run } from './shell.ts';

/** Rules that look up, by protocol and family, whose source is masqueraded behind a port. */
function snatRules(): string {
  const rules = ['tcp', 'udp', 'sctp'].flatMap((protocol) =>
    ['ip', 'ip6'].map((ip) => {
      const key = `${ip} daddr . meta l4proto . ct original proto-dst`;
      const map = `hostports_snat${ip === 'ip' ? 4 : 6}`;
      return `ct status dnat meta l4proto ${protocol} ${key} vmap @${map}`;
    }),
  );
  return rules.map((rule) => `\t\t${rule} comment "fairlead portmap 2"\n`).join('');
}

/** What `nft list` must show of each part of our tables, character for character. */
const PARTS: Readonly<Record<string, { family: string; sets: string; chains: string }>> = {
  'masq 1': {
    family: 'inet',
    sets: `
	map masq4 {
		type ipv4_addr : verdict
	}

	map masq6 {
		type ipv6_addr : verdict
	}`,
    chains: `
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr vmap @masq4 comment "fairlead masq 1"
		ip6 saddr vmap @masq6 comment "fairlead masq 1"
	}`,
  },
  'portmap 2': {
    family: 'inet',
    sets: `
	map hostports4 {
		type inet_proto . inet_service : ipv4_addr . inet_service
	}

	map hostports6 {
		type inet_proto . inet_service : ipv6_addr . inet_service
	}

	map hostports_ip4 {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
	}

	map hostports_ip6 {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
	}

	map hostports_snat4 {
		type ipv4_addr . inet_proto . inet_service : verdict
	}

	map hostports_snat6 {
		type ipv6_addr . inet_proto . inet_service : verdict
	}

	set hostports_open4 {
		type ipv4_addr . inet_proto . inet_service
	}

	set hostports_open6 {
		type ipv6_addr . inet_proto . inet_service
	}

	set hostports_self4 {
		type ipv4_addr . ipv4_addr
	}

	set hostports_self6 {
		type ipv6_addr . ipv6_addr
	}`,
    chains: `
	chain hostports {
		dnat ip to ip daddr . meta l4proto . th dport map @hostports_ip4 comment "fairlead portmap 2"
		dnat ip to meta l4proto . th dport map @hostports4 comment "fairlead portmap 2"
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @hostports_ip6 comment "fairlead portmap 2"
		dnat ip6 to meta l4proto . th dport map @hostports6 comment "fairlead portmap 2"
	}

	chain hostports_all {
		masquerade comment "fairlead portmap 2"
	}

	chain hostports_self4 {
		ip saddr . ip daddr @hostports_self4 masquerade comment "fairlead portmap 2"
		ip saddr 127.0.0.0/8 masquerade comment "fairlead portmap 2"
	}

	chain hostports_self6 {
		ip6 saddr . ip6 daddr @hostports_self6 masquerade comment "fairlead portmap 2"
	}

	chain hostports_prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iif != "lo" ip daddr 127.0.0.0/8 drop comment "fairlead portmap 2"
		fib daddr type local goto hostports comment "fairlead portmap 2"
	}

	chain hostports_input {
		type filter hook input priority filter; policy accept;
		iif != "lo" ip daddr 127.0.0.0/8 ct state invalid,new,untracked drop comment "fairlead portmap 2"
	}

	chain hostports_output {
		type nat hook output priority -100; policy accept;
		fib daddr type local goto hostports comment "fairlead portmap 2"
	}

	chain hostports_postrouting {
		type nat hook postrouting priority srcnat; policy accept;
${snatRules()}	}`,
  },
  'spoof 1': {
    family: 'bridge',
    sets: `
	set spoof_ports {
		type ifname
	}

	set spoof_pairs {
		type ifname . ether_addr
	}`,
    chains: `
	chain prerouting {
		type filter hook prerouting priority dstnat; policy accept;
		iifname @spoof_ports iifname . ether saddr != @spoof_pairs drop comment "fairlead spoof 1"
	}`,
  },
};

const FIREWALL_TAG = 'comment "fairlead firewall 2"';
const MARKS_TAG = 'comment "fairlead marks 1"';
const OTHER_BRIDGE =
  'iifname @firewall_same oifname @firewall_same iifname . oifname != @firewall_pairs';
const MAPS = ['ipv4_addr', 'ipv6_addr', 'ifname', 'ifname'];

/** A chain with its rules, each with its part's tag. */
const chainBlock = (name: string, head: string, rules: readonly string[], tag: string): string =>
  `\n\tchain ${name} {\n${head}${rules.map((rule) => `\t\t${rule} ${tag}\n`).join('')}\t}\n`;
const FORWARD_HEAD = '\t\ttype filter hook forward priority filter - 5; policy accept;\n';
const END_HEAD = '\t\ttype filter hook forward priority 20; policy accept;\n';
const APART = [
  'iifname @firewall_isolated oifname @firewall_isolated drop',
  'iifname @firewall_isolated oifname @firewall_same drop',
  'iifname @firewall_same oifname @firewall_isolated drop',
  `${OTHER_BRIDGE} drop`,
];
const THROUGH = 'meta mark set meta mark | 0x00000800';
const OPEN = ['tcp', 'udp', 'sctp'].flatMap((protocol) =>
  ['ip', 'ip6'].map((ip) => {
    const key = `ct reply ${ip} saddr . meta l4proto . ct original proto-dst`;
    return `meta l4proto ${protocol} ${key} @hostports_open${ip === 'ip' ? 4 : 6} ${THROUGH}`;
  }),
);
const SADDR = ['ip saddr vmap @firewall4', 'ip6 saddr vmap @firewall6'];
const DADDR = ['ip daddr vmap @firewall4', 'ip6 daddr vmap @firewall6'];
/** Sets of other parts are theirs to tell. */
const MARKED = [
  chainBlock(
    'firewall-ports',
    '',
    [
      ...OPEN,
      ...['icmp', 'ipv6-icmp'].map((icmp) => `meta l4proto ${icmp} ct state related ${THROUGH}`),
    ],
    MARKS_TAG,
  ),
  chainBlock(
    'firewall-unknown',
    '',
    ['meta mark set meta mark & 0xffffefff', 'ct status dnat goto firewall-ports'],
    MARKS_TAG,
  ),
  chainBlock('firewall-known', '', [...SADDR, ...DADDR, 'goto firewall-unknown'], MARKS_TAG),
  chainBlock(
    'forward',
    FORWARD_HEAD,
    [
      'meta mark set meta mark & 0xfffff7ff | 0x00001000',
      'jump firewall-admins',
      'ct state established,related goto firewall-known',
      ...APART,
      ...SADDR,
      'goto firewall-unknown',
    ],
    MARKS_TAG,
  ),
  chainBlock('forward-end', END_HEAD, ['meta mark set meta mark & 0xffffe7ff'], MARKS_TAG),
].join('');
const FIREWALL_SETS = [
  ...['4', '6', '_policies', '_admins'].map(
    (name, at) => `\n\tmap firewall${name} {\n\t\ttype ${MAPS[at]} : verdict\n\t}\n`,
  ),
  ...['_same', '_isolated', '_pairs'].map((name) => {
    const type = name === '_pairs' ? 'ifname . ifname' : 'ifname';
    return `\n\tset firewall${name} {\n\t\ttype ${type}\n\t}\n`;
  }),
].join('');

const OPEN_SETS = ['4', '6']
  .map((family) => {
    const type = `ipv${family}_addr . inet_proto . inet_service`;
    return `\n\tset hostports_open${family} {\n\t\ttype ${type}\n\t}\n`;
  })
  .join('');

Object.assign(PARTS, {
  'firewall 2': {
    family: 'inet',
    sets: FIREWALL_SETS,
    chains: chainBlock(
      'forward',
      FORWARD_HEAD,
      ['jump firewall-admins', 'ct state established,related accept', ...APART],
      FIREWALL_TAG,
    ),
  },
  'marks 1': { family: 'inet', sets: '', chains: MARKED },
  'isolation 1': {
    family: 'bridge',
    sets: `
	set isolated_ports {
		type ifname
	}`,
    chains: `
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname @isolated_ports drop comment "fairlead isolation 1"
		oifname @isolated_ports drop comment "fairlead isolation 1"
	}`,
  },
});

/** The family of a set of ours. */
function familyOf(set: string): string {
  const part = Object.values(PARTS).find(({ sets }) => sets.includes(` ${set} {`));
  return part?.family ?? '';
}

/** The chain of a subnet, by its name. */
function subnetChain(name: string): string {
  const masq = name.startsWith('masq-');
  const tag = `comment "fairlead ${masq ? 'masq 1' : 'portmap 2'}"`;
  const subnet = name.slice('masq-'.length).replaceAll('_', ':');
  const v6 = name === 'masq-any6' || subnet.includes(':');
  const ip = v6 ? 'ip6' : 'ip';
  const rules = masq ? masqRules(name, subnet, v6) : [`${ip} saddr ${subnet} masquerade`];
  if (!masq && !v6) rules.push('ip saddr 127.0.0.0/8 masquerade');
  return `\n\tchain ${name} {\n${rules.map((rule) => `\t\t${rule} ${tag}\n`).join('')}\t}`;
}

function masqRules(name: string, subnet: string, v6: boolean): string[] {
  const own = name.startsWith('masq-any') ? [] : [`${v6 ? 'ip6' : 'ip'} daddr ${subnet} return`];
  const multicast = v6 ? 'ip6 daddr ff00::/8 return' : 'ip daddr 224.0.0.0/4 return';
  return [...own, multicast, 'masquerade'];
}

/** A chain of the firewall that elements lead to, by its name. */
function firewallChain(name: string): string {
  const verdict = name.startsWith('firewall-accept') ? 'accept' : 'return';
  return `\n\tchain ${name} {\n\t\t${verdict} ${FIREWALL_TAG}\n\t}`;
}
const ledChain = (name: string): string =>
  name.startsWith('firewall-') ? firewallChain(name) : subnetChain(name);

/** Does what words of nft say inside a namespace of `ip netns`; `-f -` are those of the input. */
export function nft(netns: string, args: readonly string[], input = ''): string {
  return runNft(netns, args[0] === '-f' ? input : args.join(' '));
}

/** The blocks of a table (`map NAME {…}` and so on) as they stand in the listing. */
const blocksOf = (body: string): string[] =>
  body.match(/\n\t\w+ \S+ \{\n(?:[\s\S]*?\n)??\t\}/g) ?? [];

const ELEMENTS = /\n\t\telements = \{([^}]*)\}/;

function elementLines(set: string, block: string): string[] {
  const listed = ELEMENTS.exec(block)?.[1]?.trim() ?? '';
  if (listed === '') return [];
  return listed.split(/,\s+/).map((element) => {
    const [, key = '', comment = '', data = ''] =
      /^(.*?) comment "([^"]*)"(?: : (.*))?$/.exec(element) ?? [];
    const value = data === '' ? '' : ` : ${data}`;
    return `nft element ${set} ${key.replaceAll('"', '')}${value} "${comment}"`;
  });
}

/** The lines of one table of ours; what is not as it must be is told in the words of nft. */
function tableLines(family: string, body: string): string[] {
  const lines: string[] = [];
  let blocks = blocksOf(body);
  for (const block of blocks) {
    lines.push(...elementLines(/^\n\t\w+ (\S+)/.exec(block)?.[1] ?? '', block));
  }
  blocks = blocks.map((block) => block.replace(ELEMENTS, ''));
  for (const [name, part] of Object.entries(PARTS)) {
    const wanted = blocksOf(part.sets + part.chains);
    if (part.family !== family || !wanted.every((block) => blocks.includes(block))) continue;
    lines.push(`nft ${name}`);
    blocks = blocks.filter((block) => !wanted.includes(block));
  }
  // Sets alone are nothing odd: rules of another part may look them up.
  for (const { sets } of Object.values(PARTS)) {
    const known = blocksOf(sets);
    blocks = blocks.filter((block) => !known.includes(block));
  }
  const admins: string[] = [];
  for (const block of blocks) {
    if (!block.startsWith('\n\tchain firewall-admins {')) continue;
    for (const [, name = ''] of block.matchAll(/jump (\S+) comment "fairlead admin \1"/g)) {
      admins.push(name);
    }
  }
  for (const block of blocks) {
    const [, name = ''] = /^\n\tchain (\S+)/.exec(block) ?? [];
    if (name === 'firewall-admins') continue;
    if (admins.includes(name)) {
      for (const jump of admins) if (jump === name) lines.push(`nft admin ${name}`);
      for (const rule of block.split('\n').slice(2, -1)) {
        lines.push(`nft rule ${name} ${rule.trim()}`);
      }
    } else if (/^(masq|snat|firewall)-/.test(name) && block === ledChain(name)) {
      lines.push(`nft chain ${name}`);
    } else lines.push(`nft odd ${family}${block.replace(/\s+/g, ' ')}`);
  }
  return lines;
}

/** A priority as a number: nft says `filter`, `filter - 5` or a number. */
function priorityOf(family: string, words: string): number {
  const base = family === 'bridge' ? -200 : 0;
  const [, offset = ''] = /^filter ?(.*)$/.exec(words) ?? [];
  return words.startsWith('filter') ? base + Number(offset.replace(' ', '')) : Number(words);
}

/** Chains of others: those in the forward hook, those that are in none, and their rules. */
function othersLines(family: string, table: string, body: string): string[] {
  const lines: string[] = [];
  for (const block of blocksOf(body)) {
    const [, chain = '', inner = ''] = /^\n\tchain (\S+) \{\n([\s\S]*)\t\}$/.exec(block) ?? [];
    const [, hook, priority = '', policy = ''] =
      /^\t\ttype \S+ hook (\S+) priority ([^;]+); policy (\w+);/.exec(inner) ?? [];
    if (chain === '' || (hook !== undefined && hook !== 'forward')) continue;
    const place = `${family} ${table} ${chain}`;
    const number = priorityOf(family, priority);
    lines.push(
      hook === undefined ? `nft chain ${place}` : `nft forward ${place} ${number} ${policy}`,
    );
    const rules = inner.split('\n').slice(hook === undefined ? 0 : 1, -1);
    lines.push(...rules.map((rule, at) => `nft in ${place} ${at + 1} ${rule.trim()}`));
  }
  return lines;
}

/** What nft says on a kernel that has no nf_tables, in which no rule can lie. */
const UNSUPPORTED = /Operation not supported|Protocol not supported|cache initialization failed/;
let known: boolean | undefined;

/** Whether this kernel has nf_tables: asked once, as nft takes long to say that it has not. */
export function kernelHasNft(): boolean {
  if (known !== undefined) return known;
  const { status, stderr } = run(['nft', 'list', 'tables']);
  known = status === 0;
  if (!known && !UNSUPPORTED.test(stderr)) throw new Error(`nft list tables: ${stderr}`);
  return known;
}

/** All tables of a namespace without what counts, "" where the kernel has none. */
export function listing(netns: string): string {
  return kernelHasNft() ? runNft(netns, 'list ruleset', { stateless: true }) : '';
}

/** The nft lines of a namespace of `ip netns`. */
export const nftLines = (netns: string): string[] => rulesetLines(listing(netns));

/** The nft lines of such a listing. */
export function rulesetLines(listing: string): string[] {
  const lines: string[] = [];
  for (const [, family = '', name = '', body = ''] of listing.matchAll(
    /^table (\S+) (\S+) \{([\s\S]*?)\n?^\}/gm,
  )) {
    if (name === 'fairlead') lines.push(...tableLines(family, body));
    else lines.push(`nft table ${family} ${name}`, ...othersLines(family, name, body));
  }
  return lines;
}

/** What to give `nft -f` to bring such lines about, each kind after what it refers to. */
function script(lines: readonly string[]): string {
  const ranks: string[][] = [[], [], []];
  const put = (rank: number, text: string) => ranks[rank]?.push(`${text}\n`);
  for (const line of lines) {
    const [, what = '', first = '', second = '', third = '', priority, policy] = line.split(' ');
    const part = PARTS[`${what} ${first}`];
    const rest = line.slice(`nft ${what} ${first} `.length);
    if (what === 'table') put(0, `table ${first} ${second} {\n}`);
    else if (what === 'chain' && second !== '') {
      put(0, `table ${first} ${second} {\n\tchain ${third} {\n\t}\n}`);
    } else if (what === 'in') {
      const words = line.split(' ').slice(6).join(' ');
      put(1, `add rule ${first} ${second} ${third} ${words}`);
    } else if (what === 'chain') put(0, `table inet fairlead {${ledChain(first)}\n}`);
    else if (what === 'forward') {
      const base = `type filter hook forward priority ${priority}; policy ${policy};`;
      put(0, `table ${first} ${second} {\n\tchain ${third} {\n\t\t${base}\n\t}\n}`);
    } else if (what === 'admin') {
      put(0, `table inet fairlead {\n\tchain ${first} {\n\t}\n}`);
      const tag = `comment "fairlead admin ${first}"`;
      put(1, `add rule inet fairlead firewall-admins jump ${first} ${tag}`);
    } else if (what === 'rule') put(1, `add rule inet fairlead ${first} ${rest}`);
    else if (what === 'element') {
      const [, key = '', data = '', comment = ''] =
        /^nft element \S+ (.*?)( : .*?)? ("[^"]*")$/.exec(line) ?? [];
      const at = `${familyOf(first)} fairlead ${first}`;
      put(2, `add element ${at} { ${key} comment ${comment}${data} }`);
    } else if (part !== undefined) {
      const admins =
        what === 'firewall' || what === 'marks' ? '\n\tchain firewall-admins {\n\t}\n' : '';
      const borrowed = what === 'marks' ? FIREWALL_SETS + OPEN_SETS : '';
      put(0, `table ${part.family} fairlead {${part.sets}${borrowed}${admins}${part.chains}\n}`);
    } else throw new Error(`what is "${line}"?`);
  }
  return ranks.flat().join('');
}

/** Loads nft lines into a namespace. */
export function loadNft(netns: string, lines: readonly string[]): void {
  if (lines.length > 0) nft(netns, ['-f', '-'], script(lines));
}
