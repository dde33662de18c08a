// SPDX-License-Identifier: Apache-2.0
// Where things stand in the picture: the node at the left with what carries links (bridges,
// parents) as bars, the host's ends of links in a column, and at the right a box for each other
// namespace, every link on the height of what it hangs on, so that no two lines cross without need.
// One model has one layout. It draws nothing.
import type { DrawnLink, DrawnSpace, Model } from './model.ts';

/** A label of several lines in a frame. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly space: string;
  /** The link that it is, "" for a namespace. */
  readonly link: string;
  readonly role: 'node' | 'pod' | 'bar' | 'port' | 'device';
  /** The first is the name. */
  readonly lines: readonly string[];
  readonly up: boolean;
  /** What it is in full. */
  readonly title: string;
}

export interface Wire {
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
  /** The link whose wire it is, for marks. */
  readonly space: string;
  readonly link: string;
  readonly up: boolean;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
  /** Rules and routes of the host, below all else in the node. */
  readonly rules: { readonly x: number; readonly y: number; readonly lines: readonly Rule[] };
}

/** A line, and the whole rule that it is of. */
export interface Rule {
  readonly line: string;
  readonly rule: string;
}

export const LINE = 15;
/** The width of a letter of the picture's font, which has one width. */
export const CHAR = 6.65;
const MARGIN = 12;
const HEAD = 30;
const GAP = 10;
const BAR = { x: MARGIN + 16, width: 150, step: 166 } as const;
const PORT_WIDTH = 158;
const POD_WIDTH = 236;
const WIRE = 40;
const RULES_LIMIT = 24;
const ADDRESSES_LIMIT = 4;

/** A link of a pod, or one of the host's, and what of the host it hangs on. */
interface Row {
  readonly inner: DrawnLink | undefined;
  readonly space: DrawnSpace | undefined;
  readonly outer: DrawnLink | undefined;
  readonly bar: string;
}

const isLo = ({ name }: DrawnLink): boolean => name === 'lo';

/** What a label says of a link, its name first. */
function linesOf(link: DrawnLink): string[] {
  const kind = link.kind === '' ? 'device' : link.kind;
  const addresses =
    link.addresses.length > ADDRESSES_LIMIT
      ? [
          ...link.addresses.slice(0, ADDRESSES_LIMIT - 1),
          `${link.addresses.length - ADDRESSES_LIMIT + 1} more`,
        ]
      : link.addresses;
  const down = link.up ? '' : ' · down';
  return [
    link.name,
    ...addresses,
    `${kind} · MTU ${link.mtu_bytes}${down}`,
    ...link.more.slice(0, 3),
  ];
}

function titleOf(link: DrawnLink): string {
  const mac = link.mac === '' ? [] : [link.mac];
  return [link.name, link.kind, ...mac, `mtu ${link.mtu_bytes}`, ...link.addresses, ...link.more]
    .filter((word) => word !== '')
    .join(', ');
}

const heightOf = (lines: readonly string[]): number => lines.length * LINE + 10;

/** The rows, pods in their order, then what of the host hangs on a bar and leads to no pod. */
function rowsOf(host: DrawnSpace, pods: readonly DrawnSpace[]): Row[] {
  const named = (name: string | undefined) => host.links.find((link) => link.name === name);
  const rows: Row[] = [];
  for (const space of pods) {
    for (const inner of space.links.filter((link) => !isLo(link))) {
      const outer = inner.peer?.space === host.name ? named(inner.peer.link) : undefined;
      const below = inner.lower?.space === host.name ? inner.lower.link : '';
      rows.push({ inner, space, outer, bar: outer?.master || below });
    }
  }
  const shown = new Set(rows.map(({ outer }) => outer?.name));
  for (const outer of host.links) {
    if (shown.has(outer.name) || outer.master === '' || named(outer.master) === undefined) continue;
    rows.push({ inner: undefined, space: undefined, outer, bar: outer.master });
  }
  return rows;
}

/** Builds up boxes and wires. */
class Drawing {
  readonly boxes: Box[] = [];
  readonly wires: Wire[] = [];
  readonly #host: DrawnSpace;
  readonly #pods: readonly DrawnSpace[];
  readonly #rows: readonly Row[];
  readonly #bars: readonly DrawnLink[];
  readonly #portX: number;
  readonly #podX: number;
  #bottom = MARGIN + HEAD;

  constructor(host: DrawnSpace, pods: readonly DrawnSpace[]) {
    this.#host = host;
    this.#pods = pods;
    this.#rows = rowsOf(host, pods);
    const carrying = new Set(this.#rows.map(({ bar }) => bar));
    this.#bars = host.links.filter(
      ({ name, kind }) => carrying.has(name) || kind === 'bridge' || kind === 'vrf',
    );
    const columns = Math.max(1, this.#bars.length > 0 ? this.#lanes() : 1);
    this.#portX = BAR.x + columns * BAR.step + 14;
    this.#podX = this.#portX + PORT_WIDTH + WIRE + 16;
  }

  get width(): number {
    return this.#podX + POD_WIDTH + MARGIN;
  }

  readonly #laneOf = new Map<string, number>();

  /** Bars whose rows lie among those of another get a column of their own. */
  #lanes(): number {
    const ends: number[] = [];
    for (const bar of this.#bars) {
      const at = this.#rows.flatMap((row, index) => (row.bar === bar.name ? [index] : []));
      const [first, last] =
        at.length === 0 ? [this.#rows.length, this.#rows.length] : [at[0]!, at.at(-1)!];
      let lane = ends.findIndex((end) => end < first);
      if (lane < 0) lane = ends.length;
      ends[lane] = last;
      this.#laneOf.set(bar.name, lane);
    }
    return ends.length;
  }

  draw(): Layout {
    const devices = this.#devices();
    const spans = this.#drawRows(devices);
    this.#drawBars(spans);
    const nodeWidth = this.#portX + PORT_WIDTH + 16 - MARGIN;
    const lines = this.#rules(Math.floor((nodeWidth - 2 * (BAR.x - MARGIN)) / CHAR));
    const rulesY = this.#bottom + GAP;
    const rulesHeight = lines.length === 0 ? 0 : lines.length * LINE + 8;
    const height = rulesY + rulesHeight + MARGIN;
    this.boxes.unshift({
      x: MARGIN,
      y: MARGIN,
      width: nodeWidth,
      height: height - 2 * MARGIN,
      space: this.#host.name,
      link: '',
      role: 'node',
      lines: ['node'],
      up: true,
      title: 'the network namespace of the host',
    });
    const rules = { x: BAR.x, y: rulesY, lines };
    return { width: this.width, height, boxes: this.boxes, wires: this.wires, rules };
  }

  /** Devices of the host that nothing hangs on: side by side on top. Gives where they end. */
  #devices(): number {
    const bars = new Set(this.#bars.map(({ name }) => name));
    const inRows = new Set(this.#rows.map(({ outer }) => outer?.name));
    let x = BAR.x;
    let y = this.#bottom;
    let lowest = y;
    for (const link of this.#host.links) {
      if (isLo(link) || bars.has(link.name) || inRows.has(link.name)) continue;
      if (x + PORT_WIDTH > this.#portX + PORT_WIDTH) {
        x = BAR.x;
        y = lowest + GAP;
      }
      const box = this.#box('device', this.#host.name, link, x, y, PORT_WIDTH);
      x += PORT_WIDTH + GAP;
      lowest = Math.max(lowest, y + box.height);
    }
    return lowest === this.#bottom ? lowest : lowest + GAP;
  }

  #box(
    role: Box['role'],
    space: string,
    link: DrawnLink,
    x: number,
    y: number,
    width: number,
  ): Box {
    const lines = linesOf(link);
    const height = heightOf(lines);
    const { up } = link;
    const title = titleOf(link);
    const box = { x, y, width, height, space, link: link.name, role, lines, up, title };
    this.boxes.push(box);
    return box;
  }

  /** Gives from where to where the rows of each bar go. */
  #drawRows(top: number): Map<string, [number, number]> {
    const spans = new Map<string, [number, number]>();
    let y = top;
    let podY = MARGIN;
    const drawn = (row: Row, at: number): number => {
      const middle = at + 17;
      const { inner, outer, space, bar } = row;
      let bottom = at;
      let from = this.#portX + PORT_WIDTH;
      if (outer !== undefined) {
        const box = this.#box('port', this.#host.name, outer, this.#portX, at, PORT_WIDTH);
        bottom = box.y + box.height;
        if (bar !== '') this.#wire(this.#barEnd(bar), this.#portX, middle, this.#host.name, outer);
      } else from = bar === '' ? this.#podX : this.#barEnd(bar);
      if (inner !== undefined && space !== undefined) {
        const box = this.#box('port', space.name, inner, this.#podX + 8, at, POD_WIDTH - 16);
        bottom = Math.max(bottom, box.y + box.height);
        if (from < this.#podX) this.#wire(from, this.#podX + 8, middle, space.name, inner);
      }
      const span = spans.get(bar) ?? [at, bottom];
      spans.set(bar, [span[0], bottom]);
      return bottom + GAP;
    };
    for (const space of this.#pods) {
      const rows = this.#rows.filter((row) => row.space === space);
      const start = Math.max(y - HEAD + 6, podY);
      let end = start + HEAD - 4;
      y = end;
      for (const row of rows) {
        y = drawn(row, y);
        end = y - GAP;
      }
      end += rows.length === 0 ? 0 : 8;
      this.#pod(space, start, end);
      podY = end + GAP;
      y = podY + HEAD - 6;
    }
    for (const row of this.#rows.filter(({ space }) => space === undefined)) y = drawn(row, y);
    this.#bottom = Math.max(top, podY - GAP, y - HEAD);
    return spans;
  }

  #barEnd(bar: string): number {
    return BAR.x + (this.#laneOf.get(bar) ?? 0) * BAR.step + BAR.width;
  }

  #wire(from: number, to: number, y: number, space: string, link: DrawnLink): void {
    this.wires.push({ from: [from, y], to: [to, y], space, link: link.name, up: link.up });
  }

  #pod(space: DrawnSpace, y: number, end: number): void {
    const routes = space.routes.map((route) => `route ${route}`);
    this.boxes.unshift({
      x: this.#podX,
      y,
      width: POD_WIDTH,
      height: end - y,
      space: space.name,
      link: '',
      role: 'pod',
      lines: [space.name],
      up: true,
      title: [`namespace ${space.name}`, ...routes, ...space.rules].join('\n'),
    });
  }

  #drawBars(spans: ReadonlyMap<string, readonly [number, number]>): void {
    for (const bar of this.#bars) {
      const [top, bottom] = spans.get(bar.name) ?? [this.#bottom + GAP, 0];
      const x = BAR.x + (this.#laneOf.get(bar.name) ?? 0) * BAR.step;
      const lines = linesOf(bar);
      if (bar.master !== '') lines.push(`in ${bar.master}`);
      const height = Math.max(heightOf(lines), bottom - top);
      const { up, name: link } = bar;
      const place = { x, y: top, width: BAR.width, height, space: this.#host.name, link };
      this.boxes.push({ ...place, role: 'bar', lines, up, title: titleOf(bar) });
      this.#bottom = Math.max(this.#bottom, top + height);
    }
  }

  /** What the node does with packets, and where it sends them, in lines of so many letters. */
  #rules(most: number): Rule[] {
    const routes = this.#host.routes.map((route) => `route ${route.replace(/ proto \S+/, '')}`);
    const lines = [...this.#host.rules, ...routes].flatMap((rule) =>
      wrapped(rule, most).map((line) => ({ line, rule })),
    );
    if (lines.length <= RULES_LIMIT) return lines;
    const more = lines.slice(RULES_LIMIT - 1);
    const rest = {
      line: `and ${more.length} more lines`,
      rule: more.map(({ line }) => line).join('\n'),
    };
    return [...lines.slice(0, RULES_LIMIT - 1), rest];
  }
}

/** A text in lines of at most so many letters, broken where it has spaces. */
function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < most)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}

const NOBODY: DrawnSpace = { name: 'host', links: [], routes: [], rules: [] };

/** Places all that is in a model. */
export function layoutOf(model: Model): Layout {
  const [host = NOBODY, ...pods] = model.spaces;
  return new Drawing(host, pods).draw();
}
