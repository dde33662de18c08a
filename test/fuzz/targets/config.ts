// SPDX-License-Identifier: Apache-2.0
// Configurations: what a plugin reads on standard input, of every type and every fixture. Every
// command gets the same one, and a DEL with it must take away what an ADD with it made.
import { Violation } from '../../support/answer.ts';
import { allFixtures } from '../../support/fixture.ts';
import { ownTypes } from '../../support/types.ts';
import { wordsOf } from '../mutate.ts';
import { Node, nothingLeft, same } from '../node.ts';
import { bytes, type Target } from '../target.ts';

const FOREIGN = JSON.stringify(
  JSON.stringify({ cniVersion: '1.0.0', ips: [{ address: '10.8.0.9/24', gateway: '10.8.0.1' }] }),
);
/** Another network's container that died, a link that is no bridge, and foreign plugins. */
const BEFORE = `netns host
link eth9 up
netns pod
plugin /opt/cni/bin/after 0 ${FOREIGN}
plugin /opt/cni/bin/broken 1 "no JSON"
plugin /opt/cni/bin/other-ipam 0 ${FOREIGN}
file /etc/resolv.conf "nameserver 10.0.0.1\\nsearch example.org\\n"
file /run/fairlead/attachments/d1:eth0 "{\\"network\\":\\"dead\\",\\"containerID\\":\\"d1\\"}"
file /var/lib/cni/networks/dead/10.9.9.9 "d1\\r\\neth0"
`;
const TYPES = [...ownTypes(), 'fairlead'];

/** The types that a configuration names. */
function typesOf(input: Uint8Array): string[] {
  const text = Buffer.from(input).toString('latin1');
  return [...text.matchAll(/"type"\s*:\s*"([^"]*)"/gi)].map((match) => match[1] ?? '');
}

/** Configurations of the fixtures, each once. */
export function configurations(below: string): Uint8Array[] {
  const texts = new Set<string>();
  for (const fixture of allFixtures()) {
    if (!fixture.name.startsWith(below)) continue;
    for (const step of fixture.steps) texts.add(step.stdin);
  }
  return [...texts].sort().map(bytes);
}

/** The configuration with a result as prevResult; undefined when it is no plain document. */
function withResult(input: Uint8Array, result: string): string | undefined {
  try {
    const config = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(input));
    return JSON.stringify({ ...config, prevResult: JSON.parse(result) });
  } catch {
    return undefined;
  }
}

function checkConfig(input: Uint8Array): void {
  const types = typesOf(input);
  const type = types.find((item) => TYPES.includes(item)) ?? 'bridge';
  const node = new Node(BEFORE);
  const before = node.text();
  const add = node.call('ADD', type, input);
  if (add.code !== 0) same(`a refused ADD (${add.code})`, before, node.text());
  const added = node.text();
  const next = add.code === 0 ? withResult(input, add.stdout) : undefined;
  const check = node.call('CHECK', type, next ?? input);
  // A foreign plugin of a chain may say what it likes of others' interfaces.
  const ours = type !== 'fairlead' || types.every((item) => TYPES.includes(item));
  if (next !== undefined && ours && ![0, 1].includes(check.code)) {
    throw new Violation(`CHECK after ADD: ${check.stdout}`);
  }
  node.call('STATUS', type, input);
  same('CHECK or STATUS', added, node.text());
  const gc = node.call('GC', type, input);
  const collected = node.text();
  const grown = collected.split('\n').filter((line) => !added.includes(line));
  // Bridges follow their ports.
  const wrong = grown.filter((line) => !/^link \S+ kind bridge /.test(line));
  if (wrong.length > 0) throw new Violation(`GC made:\n${wrong.join('\n')}`);
  if (gc.code === 1 || gc.code === 6) same('a refused GC', added, collected);
  const del = node.call('DEL', type, input);
  if (add.code !== 0) same('DEL of nothing', withoutDead(before), withoutDead(node.text()));
  else if (del.code !== 0) throw new Violation(`DEL after ADD: ${del.stdout}`);
  nothingLeft('DEL', node.text(), 'pod', 'c1', 'eth0');
}

/** What a GC of the dead container's network may have taken, and lo, which DEL sets down. */
function withoutDead(text: string): string {
  return text.replace(/^file \S+\/(d1:eth0|10\.9\.9\.9) .*\n/gm, '');
}

export const config: Target = {
  name: 'config',
  calls: true,
  seeds: () => configurations(''),
  words: () => wordsOf(configurations('')),
  check: checkConfig,
};

/** The same for chains alone: most of their changes would else hit other types. */
export const chain: Target = {
  name: 'chain',
  calls: true,
  seeds: () => configurations('fused/'),
  words: () => wordsOf(configurations('')),
  check: checkConfig,
};
