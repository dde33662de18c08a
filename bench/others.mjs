// SPDX-License-Identifier: Apache-2.0
// What other attachments leave in a machine's packet filter, thousands of them, in exactly the form
// that a real ADD leaves it: one is made, taken as the template and multiplied. Elements go in
// through nft, rules of the reference through iptables-restore.
// It refuses to know what a rule or an element means.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';

/** In the bench's own /run. */
const INPUT = '/run/others';
const FIRST_PORT = 20_000;
const MAX_BUFFER_BYTES = 1 << 30;
/** Chains of one attachment end in a part of a hash. */
const OWN_CHAIN = /CNI-(?:[A-Z]+-)?[0-9a-f]{20,}/g;

const inside = ({ host }, ...words) => [
  'netns',
  'exec',
  host.slice(host.lastIndexOf('/') + 1),
  ...words,
];

function ip(machine, words) {
  const options = { encoding: 'utf8', maxBuffer: MAX_BUFFER_BYTES };
  return execFileSync('ip', inside(machine, ...words), options);
}

/** The `index`-th of the others. */
function other(index, { subnet_number }) {
  const value = index + 64 * 256;
  return {
    id: `other-${index}`,
    address: `10.${subnet_number}.${value >> 8}.${value & 255}`,
    port: FIRST_PORT + index,
    digest: createHash('sha256').update(String(index)).digest('hex'),
  };
}

/** A text about the real attachment as one about another. */
function retold(text, real, made) {
  return text
    .replaceAll(real.id, made.id)
    .replaceAll(new RegExp(`\\b${real.address.replaceAll('.', '\\.')}\\b`, 'g'), made.address)
    .replaceAll(new RegExp(`\\b${real.port}\\b`, 'g'), String(made.port))
    .replaceAll(OWN_CHAIN, (name) => {
      const start = name.search(/[0-9a-f]{20,}$/);
      return name.slice(0, start) + made.digest.slice(0, name.length - start);
    });
}

/** The template of the reference: what `iptables-save` prints while the attachment is there. */
function savedRules(machine, real) {
  return { real, text: ip(machine, ['iptables-save']) };
}

/** The same with `count` others in the place of the attachment. */
function restoreRules(machine, { real, text }, count) {
  const own = (line) =>
    line.includes(real.address) || line.includes(real.id) || line.search(OWN_CHAIN) >= 0;
  const others = Array.from({ length: count }, (_, index) => other(index, real));
  const restored = text
    .split('\n')
    .flatMap((line) => (own(line) ? others.map((made) => retold(line, real, made)) : [line]))
    .join('\n');
  writeFileSync(INPUT, restored);
  ip(machine, ['iptables-restore', INPUT]);
}

/** Our template: the elements of sets and maps that are the attachment's. */
function savedElements(machine, real) {
  const own = (elem) => {
    const text = JSON.stringify(elem);
    return text.includes(real.address) || text.includes(real.id);
  };
  return setsOf(machine).flatMap(({ family, table, name, elem = [] }) => {
    const owned = elem.filter(own);
    return owned.length === 0 ? [] : [{ real, place: { family, table, name }, elem: owned }];
  });
}

/** The same elements of `count` others, into the tables that an ADD has made already. */
function addElements(machine, template, count) {
  const adds = template.map(({ real, place, elem }) => {
    const text = JSON.stringify(elem);
    const others = Array.from({ length: count }, (_, index) => other(index, real));
    const all = others.flatMap((made) => JSON.parse(retold(text, real, made)));
    return { add: { element: { ...place, elem: all } } };
  });
  if (adds.length === 0) throw new Error('our ADD leaves no elements: the template is wrong');
  writeFileSync(INPUT, JSON.stringify({ nftables: adds }));
  ip(machine, ['nft', '-j', '-f', INPUT]);
}

/** How to multiply what a side's ADD leaves: `take` while it is there, `put` into a machine. */
export const multiplier = (side) =>
  side === 'reference'
    ? { take: savedRules, put: restoreRules }
    : { take: savedElements, put: addElements };

function listed(machine) {
  return JSON.parse(ip(machine, ['nft', '-j', 'list', 'ruleset'])).nftables;
}

function setsOf(machine) {
  return listed(machine).flatMap((object) => object.set ?? object.map ?? []);
}

/** How many rules, and how many elements of sets and maps, lie in a machine. */
export function contents(machine) {
  return {
    rules: listed(machine).filter((object) => object.rule !== undefined).length,
    elements: setsOf(machine).reduce((sum, { elem = [] }) => sum + elem.length, 0),
  };
}
