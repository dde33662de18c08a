// SPDX-License-Identifier: Apache-2.0
// The picture of a state as a flowchart of Mermaid, for documents that draw such themselves. Every
// text comes from outside: what could mean anything to Mermaid is written as its code.
import type { DrawnLink, DrawnSpace, Model } from './model.ts';

/** Mermaid's own escapes, #NUMBER;, for all but plain letters, digits and a few signs. */
function quoted(text: string): string {
  return text.replace(/[^\w ./:,@%+-]/gu, (char) => `#${char.codePointAt(0)};`);
}

function labelOf(link: DrawnLink): string {
  const lines = [link.name, ...link.addresses, `${link.kind || 'device'}, MTU ${link.mtu_bytes}`];
  if (!link.up) lines.push('down');
  return [...lines, ...link.more].map(quoted).join('<br/>');
}

/** Names of nodes: a letter and numbers, as a link may be called anything. */
class Ids {
  readonly #known = new Map<string, string>();

  of(space: string, link: string): string {
    const key = `${space}/${link}`;
    const id = this.#known.get(key) ?? `l${this.#known.size}`;
    this.#known.set(key, id);
    return id;
  }

  has(space: string, link: string): boolean {
    return this.#known.has(`${space}/${link}`);
  }
}

function group(space: DrawnSpace, at: number, ids: Ids): string[] {
  const title = space.name === 'host' ? 'node' : space.name;
  const links = space.links.filter(({ name }) => name !== 'lo');
  const nodes = links.map((link) => `    ${ids.of(space.name, link.name)}["${labelOf(link)}"]`);
  const rules = space.rules.map(quoted).join('<br/>');
  if (rules !== '') nodes.push(`    r${at}>"${rules}"]`);
  // A group of nothing is no group to Mermaid.
  if (nodes.length === 0) nodes.push(`    e${at}["no links"]`);
  return [`  subgraph s${at}["${quoted(title)}"]`, ...nodes, '  end'];
}

/** The flowchart of a model. */
export function mermaidOf(model: Model): string {
  const ids = new Ids();
  const lines = ['flowchart LR', ...model.spaces.flatMap((space, at) => group(space, at, ids))];
  const drawn = new Set<string>();
  const wire = (a: string, b: string, line: string): void => {
    const key = [a, b].sort().join(' ');
    if (drawn.has(key)) return;
    drawn.add(key);
    lines.push(`  ${a} ${line} ${b}`);
  };
  for (const { name: space, links } of model.spaces) {
    for (const link of links) {
      if (!ids.has(space, link.name)) continue;
      const id = ids.of(space, link.name);
      if (link.master !== '' && ids.has(space, link.master)) {
        wire(ids.of(space, link.master), id, '---');
      }
      for (const end of [link.peer, link.lower]) {
        if (end !== undefined && ids.has(end.space, end.link)) {
          wire(ids.of(end.space, end.link), id, end === link.peer ? '===' : '-.-');
        }
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
