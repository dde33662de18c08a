// SPDX-License-Identifier: Apache-2.0
// The picture of a state as SVG. Every text comes from outside and is escaped; what is too long is
// cut, and stands in full in the title. Colours are classes, so that a page can have its own.
import { type Box, CHAR, type Layout, LINE, layoutOf, type Wire } from './layout.ts';
import type { DrawnLink, Model } from './model.ts';

const FONT = 11;

/** How the classes look where nobody else says it. */
export const STYLE = `
svg.net{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;--ink:#1b2430;
--dim:#566374;--line:#8a97a8;--paper:#fff;--node:#f3f5f8;--pod:#eef6f3;--podline:#4b8f7b;
--bar:#dfe8f7;--barline:#4a72b8;--new:#0b7a43;--newfill:#e2f6ea}
@media (prefers-color-scheme:dark){svg.net{--ink:#e6ebf2;--dim:#9aa7b8;--line:#66748a;
--paper:#1c232d;--node:#161c25;--pod:#16241f;--podline:#5fae97;--bar:#1e2b44;--barline:#7ea2e6;
--new:#5fd598;--newfill:#143324}}
.net text{fill:var(--ink)}.net .more{fill:var(--dim)}.net .name{font-weight:600}
.net .node{fill:var(--node);stroke:var(--line)}.net .pod{fill:var(--pod);stroke:var(--podline)}
.net .bar{fill:var(--bar);stroke:var(--barline)}
.net .port,.net .device{fill:var(--paper);stroke:var(--line)}
.net .wire{stroke:var(--line);stroke-width:2}.net .down{stroke-dasharray:4 3}
.net .new>rect{stroke:var(--new);stroke-width:2;fill:var(--newfill)}
.net .new.wire{stroke:var(--new)}.net text.new{fill:var(--new)}
`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What XML cannot hold, and what turns the direction of a line, is shown as a mark. */
export function escaped(text: string): string {
  return text
    .replace(
      /[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]|[\u202A-\u202E\u2066-\u2069]/gu,
      '\uFFFD',
    )
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** As many characters as fit, the last an ellipsis where that is not all. */
export function cut(text: string, width: number): string {
  const most = Math.max(2, Math.floor(width / CHAR));
  const chars = [...text];
  return chars.length <= most ? text : `${chars.slice(0, most - 1).join('')}…`;
}

const keyOf = (space: string, link: string): string => `${space}/${link}`;

/** Links, their lines and the host's rules that another model did not have. */
class News {
  readonly #old = new Map<string, string>();
  readonly #rules: ReadonlySet<string>;
  readonly #first: boolean;

  constructor(before: Model | undefined) {
    this.#first = before === undefined;
    const host = before?.spaces[0];
    const routes = host?.routes.map((route) => `route ${route.replace(/ proto \S+/, '')}`) ?? [];
    this.#rules = new Set([...(host?.rules ?? []), ...routes]);
    for (const space of before?.spaces ?? []) {
      for (const link of space.links) {
        this.#old.set(keyOf(space.name, link.name), JSON.stringify(link satisfies DrawnLink));
      }
    }
  }

  marks(model: Model): ReadonlySet<string> {
    const marks = new Set<string>();
    if (this.#first) return marks;
    for (const space of model.spaces) {
      for (const link of space.links) {
        const key = keyOf(space.name, link.name);
        if (this.#old.get(key) !== JSON.stringify(link)) marks.add(key);
      }
    }
    return marks;
  }

  isNewRule(rule: string): boolean {
    return !this.#first && !this.#rules.has(rule) && !rule.includes('\n');
  }
}

function boxSvg(box: Box, isNew: boolean): string {
  const { x, y, width, height, role, lines, up, title } = box;
  const container = role === 'node' || role === 'pod';
  const round = container ? 10 : 5;
  const state = up ? '' : ' down';
  const mark = isNew ? ' class="new"' : '';
  const texts = lines.map((line, at) => {
    const style = at === 0 ? 'name' : 'more';
    const left = container ? x + 12 : x + 8;
    const base = y + (container ? 18 : 5 + FONT) + at * LINE;
    const said = escaped(cut(line, width - 16));
    return `<text class="${style}" x="${left}" y="${base}">${said}</text>`;
  });
  return (
    `<g${mark}><title>${escaped(title)}</title>` +
    `<rect class="${role}${state}" x="${x}" y="${y}" width="${width}" height="${height}" ` +
    `rx="${round}"/>${texts.join('')}</g>`
  );
}

function wireSvg({ from, to, up }: Wire, isNew: boolean): string {
  const words = `wire${up ? '' : ' down'}${isNew ? ' new' : ''}`;
  return `<line class="${words}" x1="${from[0]}" y1="${from[1]}" x2="${to[0]}" y2="${to[1]}"/>`;
}

function rulesSvg(layout: Layout, news: News): string {
  const { x, y, lines } = layout.rules;
  const width = layout.boxes[0]?.width ?? layout.width;
  return lines
    .map(({ line, rule }, at) => {
      const words = news.isNewRule(rule) ? 'new' : 'more';
      const indent = line.startsWith(' ') ? 2 * CHAR : 0;
      const shown = escaped(cut(line.trim(), width - 32 - indent));
      const text = `<title>${escaped(rule)}</title>${shown}`;
      return `<text class="${words}" x="${x + indent}" y="${y + 12 + at * LINE}">${text}</text>`;
    })
    .join('');
}

/** The picture in words, for who does not see it. */
export function wordsOf(model: Model): string {
  const spaces = model.spaces.map(({ name, links }) => {
    const said = links
      .filter((link) => link.name !== 'lo')
      .map(({ name: link, kind, addresses, master, up }) => {
        const where = master === '' ? '' : ` in ${master}`;
        const has = addresses.length === 0 ? '' : ` with ${addresses.join(' and ')}`;
        return `${link}${kind === '' ? '' : ` (${kind})`}${where}${has}${up ? '' : ', down'}`;
      });
    const all = said.length === 0 ? 'no links' : said.join('; ');
    return `${name === 'host' ? 'node' : name}: ${all}`;
  });
  return spaces.join('. ');
}

export interface SvgOptions {
  /** What it was before: what is new since is marked. */
  readonly before?: Model;
  /** With its own colours, for a file. */
  readonly standalone?: boolean;
}

/** The picture of a model. */
export function svgOf(model: Model, { before, standalone = false }: SvgOptions = {}): string {
  const layout = layoutOf(model);
  const news = new News(before);
  const marks = news.marks(model);
  const isNew = ({ space, link }: { space: string; link: string }): boolean =>
    marks.has(keyOf(space, link));
  const { width, height, boxes, wires } = layout;
  const containers = boxes.filter(({ link }) => link === '');
  const things = boxes.filter(({ link }) => link !== '');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="net" role="img" ` +
    `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<title>The network of the node</title><desc>${escaped(wordsOf(model))}</desc>` +
    `${standalone ? `<style>${STYLE}</style>` : ''}` +
    containers.map((box) => boxSvg(box, false)).join('') +
    wires.map((wire) => wireSvg(wire, isNew(wire))).join('') +
    things.map((box) => boxSvg(box, isNew(box))).join('') +
    `${rulesSvg(layout, news)}</svg>`
  );
}
