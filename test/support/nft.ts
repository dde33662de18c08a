// nftables as `nft` tells and takes it, in the nft lines of core-as/sim/text.ts. It reads and loads
// by the program alone and knows no message of ours: it is the judge of them.
import { execFileSync } from 'node:child_process';

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

const FAMILIES: Readonly<Record<string, string>> = {
  masq4: 'inet',
  masq6: 'inet',
  spoof_ports: 'bridge',
  spoof_pairs: 'bridge',
};

/** The chain of a subnet, by its name. */
function subnetChain(name: string): string {
  const tag = 'comment "fairlead masq 1"';
  const subnet = name.slice('masq-'.length).replaceAll('_', ':');
  const v6 = name === 'masq-any6' || subnet.includes(':');
  const own = name.startsWith('masq-any') ? [] : [`${v6 ? 'ip6' : 'ip'} daddr ${subnet} return`];
  const multicast = v6 ? 'ip6 daddr ff00::/8 return' : 'ip daddr 224.0.0.0/4 return';
  const rules = [...own, multicast, 'masquerade'].map((rule) => `\t\t${rule} ${tag}\n`);
  return `\n\tchain ${name} {\n${rules.join('')}\t}`;
}

/** Runs nft inside a namespace of `ip netns`. */
export function nft(netns: string, args: string[], input = ''): string {
  return execFileSync('ip', ['netns', 'exec', netns, 'nft', ...args], {
    encoding: 'utf8',
    input,
    maxBuffer: 64 << 20,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** The blocks of a table (`map NAME {…}` and so on) as they stand in the listing. */
const blocksOf = (body: string): string[] => body.match(/\n\t\w+ \S+ \{\n[\s\S]*?\n\t\}/g) ?? [];

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
  for (const block of blocks) {
    const name = /^\n\tchain (masq-\S+)/.exec(block)?.[1];
    if (name !== undefined && block === subnetChain(name)) lines.push(`nft chain ${name}`);
    else lines.push(`nft odd ${family}${block.replace(/\s+/g, ' ')}`);
  }
  return lines;
}

/** What nft says on a kernel that has no nf_tables, in which no rule can lie. */
const UNSUPPORTED = /Operation not supported|Protocol not supported|cache initialization failed/;

function listingOf(netns: string): string {
  try {
    return nft(netns, ['-s', 'list', 'ruleset']);
  } catch (error) {
    if (UNSUPPORTED.test(String((error as { stderr?: string }).stderr))) return '';
    throw error;
  }
}

/** The nft lines of a namespace of `ip netns`. */
export function nftLines(netns: string): string[] {
  const listing = listingOf(netns);
  const lines: string[] = [];
  for (const [, family = '', name = '', body = ''] of listing.matchAll(
    /^table (\S+) (\S+) \{([\s\S]*?)\n?^\}/gm,
  )) {
    if (name === 'fairlead') lines.push(...tableLines(family, body));
    else lines.push(`nft table ${family} ${name}`);
  }
  return lines;
}

/** What to give `nft -f` to bring such lines about. */
function script(lines: readonly string[]): string {
  const chains: string[] = [];
  const elements: string[] = [];
  for (const line of lines) {
    const [, what = '', first = '', second = ''] = line.split(' ');
    const part = PARTS[`${what} ${first}`];
    if (what === 'table') chains.push(`table ${first} ${second} {\n}\n`);
    else if (what === 'chain') chains.push(`table inet fairlead {${subnetChain(first)}\n}\n`);
    else if (what === 'element') {
      const [, key = '', data = '', comment = ''] =
        /^nft element \S+ (.*?)( : .*?)? ("[^"]*")$/.exec(line) ?? [];
      const at = `${FAMILIES[first]} fairlead ${first}`;
      elements.push(`add element ${at} { ${key} comment ${comment}${data} }\n`);
    } else if (part !== undefined) {
      chains.push(`table ${part.family} fairlead {${part.sets}${part.chains}\n}\n`);
    } else throw new Error(`what is "${line}"?`);
  }
  return [...chains, ...elements].join('');
}

/** Loads nft lines into a namespace. */
export function loadNft(netns: string, lines: readonly string[]): void {
  if (lines.length > 0) nft(netns, ['-f', '-'], script(lines));
}
