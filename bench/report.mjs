// SPDX-License-Identifier: Apache-2.0
// The measurements as tables: for the terminal and as Markdown for docs/performance.md. Both are
// made of the same rows, so that what is read is what was measured.
// It refuses to measure and to judge.
import { judged } from './targets.mjs';

export const LABELS = { floor: 'floor', native: 'native', node: 'Node', reference: 'reference' };
const OURS = ['native', 'node'];

const fixed = (value, digits) => (value == null ? '–' : value.toFixed(digits));
/** Milliseconds and ratios, with as many digits as say something. */
const number = (value) => fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0);
const spread = (values) =>
  values ? `${number(values.least)} / ${number(values.median)} (${number(values.p95)})` : '–';
const over = (above, below) => (above == null || below == null ? '–' : number(above / below));

/** What is compared: see targets.mjs. */
const least = (side) => side?.wall_ms.least;

const named = ({ name, mode, command }) => `${name}${mode ? `, ${mode}` : ''} ${command}`;

/** Sides among `wanted` that the bench measured, in the order of the columns. */
const present = (bench, wanted) => wanted.filter((side) => bench.sides.includes(side));
const sidesOf = (bench) => present(bench, [...OURS, 'reference']);

function callsTable(bench) {
  const ours = present(bench, OURS);
  const head = [
    'call, ms',
    'floor',
    ...sidesOf(bench).map((side) => LABELS[side]),
    ...ours.map((side) => `${LABELS[side]} / ref.`),
    ...(ours.includes('native') ? ['native / floor'] : []),
    ...(ours.includes('node') ? ['Node / empty'] : []),
  ];
  const rows = bench.calls.map((row) => [
    named(row),
    spread(row.sides.floor?.wall_ms),
    ...sidesOf(bench).map((side) => spread(row.sides[side]?.wall_ms)),
    ...ours.map((side) => over(least(row.sides[side]), least(row.sides.reference))),
    ...(ours.includes('native') ? [over(least(row.sides.native), least(row.sides.floor))] : []),
    ...(ours.includes('node') ? [over(least(row.sides.node), least(bench.empty))] : []),
  ]);
  return { title: 'One call', note: emptyNote(bench), head, rows };
}

function emptyNote({ empty }) {
  return `An empty executable of the same Node takes ${spread(empty.wall_ms)} ms.`;
}

/** How long a child that answers before the kernel is done goes on. */
function leftNote(bench) {
  const left = bench.calls.flatMap(({ name, mode, command, sides }) =>
    Object.entries(sides)
      .filter(([, side]) => side.left_ms.median > 1)
      .map(
        ([side, { left_ms }]) =>
          `${named({ name, mode, command })}, ${LABELS[side]} ${spread(left_ms)}`,
      ),
  );
  return left.length === 0
    ? 'No call leaves a process behind.'
    : `A child of these goes on for so many ms after the answer: ${left.join('; ')}.`;
}

function useTable(bench) {
  const sides = sidesOf(bench);
  const of = (side) => [`${LABELS[side]} MB`, 'programs', 'system calls', 'CPU ms'];
  const cells = (side) => [
    fixed(side?.peak_mb, 1),
    fixed(side?.programs, 0),
    fixed(side?.system_calls, 0),
    number(side?.cpu_ms.quarter),
  ];
  return {
    title: 'What a call uses',
    note: leftNote(bench),
    head: ['call', ...sides.flatMap(of)],
    rows: bench.calls.map((row) => [
      named(row),
      ...sides.flatMap((side) => cells(row.sides[side])),
    ]),
  };
}

function leasesTable(bench) {
  const sides = sidesOf(bench);
  return {
    title: 'Leases in the network: bridge + host-local',
    head: [
      'leases, ms',
      ...sides.map((side) => LABELS[side]),
      ...present(bench, OURS).map((side) => `${LABELS[side]} / ref.`),
      ...sides.map((side) => `${LABELS[side]} / none`),
    ],
    rows: bench.leases.map((row) => [
      named(row),
      ...sides.map((side) => spread(row.sides[side].wall_ms)),
      ...present(bench, OURS).map((side) =>
        over(least(row.sides[side]), least(row.sides.reference)),
      ),
      ...sides.map((side) => over(least(row.sides[side]), least(row.none[side]))),
    ]),
  };
}

function leftTogether(bench) {
  const left = bench.at_once.flatMap((row) => Object.values(row.sides).map((side) => side.left_ms));
  const most = number(Math.max(...left));
  return `Children that calls left running end at most ${most} ms after the last call.`;
}

function atOnceTable(bench) {
  const sides = sidesOf(bench);
  const cells = (side, { count }) => [
    number(side.wall_ms),
    number((1000 * count) / side.wall_ms),
    [side.p50_ms, side.p95_ms, side.p99_ms].map(number).join(' / '),
  ];
  return {
    title: 'At once, one network',
    note: leftTogether(bench),
    head: [
      'calls',
      ...sides.flatMap((side) => [`${LABELS[side]} ms`, 'per s', 'p50 / p95 / p99 ms']),
      ...present(bench, OURS).map((side) => `${LABELS[side]} / ref.`),
    ],
    rows: bench.at_once.map((row) => [
      `${row.count} × ${row.name} ${row.command}`,
      ...sides.flatMap((side) => cells(row.sides[side], row)),
      ...present(bench, OURS).map((side) =>
        over(row.sides[side].wall_ms, row.sides.reference?.wall_ms),
      ),
    ]),
  };
}

function packetsTable(bench) {
  const cells = (way, one) => [
    number(one.add_ms),
    number(one.add_cpu_ms),
    number(one.first_ms[way]),
    spread(one.flow_us[way]),
    way === 'masquerade' ? number(one.turn_us) : '–',
    String(one.rules),
    String(one.elements),
  ];
  return {
    title: 'Packets among attachments of others',
    head: [
      'attachments, way',
      ...['side', 'ADD ms', 'CPU ms', 'first answer ms', 'new flow µs', 'established µs'],
      ...['rules', 'elements'],
    ],
    rows: bench.packets.flatMap(({ attachments, sides }) => {
      const ways = Object.keys(Object.values(sides)[0].first_ms);
      return ways.flatMap((way) =>
        Object.entries(sides).map(([side, one]) => [
          `${attachments}, ${way}`,
          LABELS[side],
          ...cells(way, one),
        ]),
      );
    }),
  };
}

function pathTable(bench) {
  const sides = sidesOf(bench).filter((side) => bench.path[0].sides[side] !== undefined);
  return {
    title: 'Packets of an established flow',
    note: 'CPU time of a round trip, both sockets in one process; the least of 20 runs of 8000.',
    head: [
      'one container, µs',
      ...['no rules', 'only masquerade', 'by hand'],
      ...sides.map((side) => LABELS[side]),
      ...sides.map((side) => `${LABELS[side]} / no rules`),
      ...sides.map((side) => `${LABELS[side]} / by hand`),
    ],
    rows: bench.path.map(({ name, none_us, rewriting_us, hand_us, sides: measured }) => [
      name === 'masquerade' ? name : `… + ${name}`,
      ...[none_us, rewriting_us, hand_us].map(number),
      ...sides.map((side) => number(measured[side])),
      ...sides.map((side) => over(measured[side], none_us)),
      ...sides.map((side) => over(measured[side], hand_us)),
    ]),
  };
}

function overlayTable(bench) {
  return {
    title: 'Between pods of two machines',
    note: 'VXLAN. CPU time, both sockets in one process; the least of 20 runs.',
    head: ['µs', 'no tunnel', 'by hand', 'ours', 'ours / no tunnel', 'ours / by hand'],
    rows: bench.overlay.map(({ name, underlay_us, hand_us, ours_us }) => [
      name,
      ...[underlay_us, hand_us, ours_us].map(number),
      ...[underlay_us, hand_us].map((to) => over(ours_us, to)),
    ]),
  };
}

function targetsTable(bench) {
  return {
    title: 'Targets',
    head: ['of the least times', 'at most', 'measured', '', 'by CPU time'],
    rows: judged(bench).map(({ what, limit, measured, word, by_cpu }) => [
      what,
      fixed(limit, 2),
      fixed(measured, 2),
      word,
      fixed(by_cpu, 2),
    ]),
  };
}

const GROUPS = [
  ['calls', callsTable],
  ['calls', useTable],
  ['leases', leasesTable],
  ['at_once', atOnceTable],
  ['packets', packetsTable],
  ['path', pathTable],
  ['overlay', overlayTable],
];

const tablesOf = (bench) => [
  ...GROUPS.filter(([key]) => bench[key]?.length > 0).map(([, make]) => make(bench)),
  targetsTable(bench),
];

function filesLines({ files = {} }) {
  const sides = Object.entries(files).filter(([, paths]) => paths !== undefined);
  return sides.flatMap(([side, paths]) => [
    `Files that an ADD of bridge + host-local opens, ${LABELS[side]}:`,
    ...paths.map((path) => `  ${path}`),
  ]);
}

const machineLine = ({ machine, date, rounds }) =>
  `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}; ` +
  `${rounds} rounds, ${date.slice(0, 10)}.`;

/** For the terminal. */
export function terminal(bench) {
  const drawn = tablesOf(bench).map(({ title, note, head, rows }) => {
    const all = [head, ...rows];
    const widths = head.map((_, at) => Math.max(...all.map((cells) => cells[at].length)));
    const line = (cells) =>
      cells
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
        .join('  ');
    const rule = '─'.repeat(line(head).length);
    return [title, '', line(head), rule, ...rows.map(line), ...(note ? ['', note] : [])].join('\n');
  });
  return [machineLine(bench), ...bench.left_out, ...drawn, filesLines(bench).join('\n')].join(
    '\n\n',
  );
}

/** For docs/performance.md; `chart` is the name of its picture beside the document. */
export function markdown(bench, chart) {
  const drawn = tablesOf(bench).flatMap(({ title, note, head, rows }) => {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    const alignment = head.map((_, at) => (at === 0 ? '---' : '---:'));
    const table = [line(head), `|${alignment.join('|')}|`, ...rows.map(line)];
    return [`### ${title}`, '', ...table, '', ...(note ? [note, ''] : [])];
  });
  return [
    machineLine(bench),
    ...bench.left_out.map((sentence) => `${sentence}.`),
    '',
    `![Wall time of each call, by side](${chart})`,
    '',
    ...drawn,
    '```text',
    ...filesLines(bench),
    '```',
  ].join('\n');
}
