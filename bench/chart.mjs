// SPDX-License-Identifier: Apache-2.0
// The calls as a picture: a bar for each side on one logarithmic scale. SVG of its own, with
// colours for light and dark pages, and nothing that is not in the measurements.
import { LABELS } from './report.mjs';

const SIDES = ['floor', 'native', 'node', 'reference'];
const WIDTH = 900;
const LABEL_WIDTH = 260;
const RIGHT = 90;
const TOP = 64;
const BAR = 11;
const GROUP_GAP = 10;
const DECADE = [1, 2, 5];

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; } .grid { stroke: #d1d9e0; } .small { font-size: 10px; fill: #59636e; }
  .floor { fill: #8c959f; } .native { fill: #1a7f37; }
  .node { fill: #0969da; } .reference { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .page { fill: #0d1117; } .grid { stroke: #3d444d; }
    .small { fill: #9198a1; } .floor { fill: #6e7681; } .native { fill: #3fb950; }
    .node { fill: #4493f8; } .reference { fill: #db6d28; }
  }`;

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${escaped(words)}</text>`;

/** Long names of chains say less than their length costs. */
function nameOf({ name, chain, mode, command }, chain_words) {
  return [chain ? chain_words : name, ...(mode ? [mode] : []), command].join(' ');
}

/** Positions on a scale from `least` to `most` milliseconds. */
function scaleOf(values) {
  const [least, most] = [Math.min(...values) * 0.8, Math.max(...values) * 1.1];
  const width = WIDTH - LABEL_WIDTH - RIGHT;
  const at = (value) => LABEL_WIDTH + (width * Math.log(value / least)) / Math.log(most / least);
  const ticks = [-2, -1, 0, 1, 2, 3, 4]
    .flatMap((power) => DECADE.map((step) => step * 10 ** power))
    .filter((tick) => tick >= least && tick <= most);
  return { at, ticks };
}

function barsOf(row, top, at) {
  const sides = SIDES.filter((side) => row.sides[side] !== undefined);
  return sides.map((side, index) => {
    const ms = row.sides[side].wall_ms.median;
    const y = top + index * BAR;
    const width = Math.max(1, at(ms) - LABEL_WIDTH).toFixed(1);
    const label = text((at(ms) + 4).toFixed(1), y + BAR - 2, ms.toPrecision(3), 'class="small"');
    const box = `x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR - 1}"`;
    return `<rect class="${side}" ${box}/>\n${label}`;
  });
}

function legend(sides, words) {
  const entries = sides.map((side, index) => {
    const x = LABEL_WIDTH + index * 110;
    const box = `<rect class="${side}" x="${x}" y="30" width="12" height="12"/>`;
    return `${box}\n${text(x + 18, 40, LABELS[side])}`;
  });
  return [text(12, 20, words), ...entries];
}

/** The chart of a bench that measured calls. */
export function chart(bench) {
  const rows = bench.calls.filter((row) => Object.keys(row.sides).length > 1);
  const { at, ticks } = scaleOf(
    rows.flatMap((row) => Object.values(row.sides).map((side) => side.wall_ms.median)),
  );
  let top = TOP;
  const groups = rows.flatMap((row) => {
    const bars = barsOf(row, top, at);
    const middle = top + (bars.length * BAR) / 2 + 4;
    const name = text(LABEL_WIDTH - 8, middle, nameOf(row, 'chain,'), 'text-anchor="end"');
    top += bars.length * BAR + GROUP_GAP;
    return [name, ...bars];
  });
  const lines = ticks.map((tick) => {
    const x = at(tick).toFixed(1);
    const words = text(x, TOP - 6, String(tick), 'class="small" text-anchor="middle"');
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${top}"/>\n${words}`;
  });
  const { machine, date } = bench;
  const words =
    'Wall time of a call in ms, median, logarithmic. ' +
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ${date.slice(0, 10)}`;
  const sides = SIDES.filter((side) => rows.some((row) => row.sides[side] !== undefined));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img">`,
    `<title>${escaped(words)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${WIDTH}" height="${top}"/>`,
    ...legend(sides, words),
    ...lines,
    ...groups,
    '</svg>\n',
  ].join('\n');
}
