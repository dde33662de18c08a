// The measurements as a table for the terminal and as Markdown for docs/performance.md. Both are
// made of the same rows, so that what is read is what was measured.
// It refuses to measure.

/** How much longer than the empty executable a whole ADD may take. A goal, not a test. */
export const TARGET_RATIO = 1.3;
/** How much longer than its first plugin alone a fused chain may take. A goal, not a test. */
export const FUSED_RATIO = 1.15;

const COLUMNS = [
  'call',
  'Fairlead ms',
  'ref. ms',
  'ratio',
  '× empty',
  'CPU ms',
  'ref.',
  'peak MB',
  'ref.',
];

const fixed = (value, digits = 1) => (value == null ? '–' : value.toFixed(digits));
const wall = (side) => (side ? `${fixed(side.wall_ms.median)} (${fixed(side.wall_ms.p95)})` : '–');

function ratioOf(a, b) {
  return a && b ? a.wall_ms.median / b.wall_ms.median : null;
}

function row({ scenario, command, fairlead, reference }, empty) {
  return [
    `${scenario} ${command}`,
    wall(fairlead),
    wall(reference),
    fixed(ratioOf(fairlead, reference), 2),
    fixed(ratioOf(fairlead, empty), 2),
    fixed(fairlead.cpu_ms.median),
    fixed(reference?.cpu_ms.median),
    fixed(fairlead.peak_mb, 0),
    fixed(reference?.peak_mb, 0),
  ];
}

function emptyRow(empty) {
  const blank = '';
  const cpu = fixed(empty.cpu_ms.median);
  return [
    'empty executable',
    wall(empty),
    blank,
    blank,
    '1.00',
    cpu,
    blank,
    fixed(empty.peak_mb, 0),
    blank,
  ];
}

const rowsOf = (bench) => [...bench.rows.map((it) => row(it, bench.empty)), emptyRow(bench.empty)];

const judged = (ratio, target) =>
  `target at most ${target.toFixed(2)}: ${ratio <= target ? 'met' : 'missed'}`;

/** Lines with "met" or "missed", and the numbers. */
export function verdicts(bench) {
  const [measured] = bench.rows;
  const ratio = ratioOf(measured.fairlead, bench.empty);
  const by_cpu = measured.fairlead.cpu_ms.median / bench.empty.cpu_ms.median;
  const fused = bench.rows.find((it) => it.scenario.startsWith('fused') && it.command === 'ADD');
  const chain = ratioOf(fused.fairlead, measured.fairlead);
  return [
    `${measured.scenario} ADD: ${ratio.toFixed(2)} times the empty executable ` +
      `(CPU time: ${by_cpu.toFixed(2)} times); ${judged(ratio, TARGET_RATIO)}`,
    `${fused.scenario} ADD: ${chain.toFixed(2)} times ${measured.scenario} ADD; ` +
      judged(chain, FUSED_RATIO),
  ];
}

function proofLines({ strace }) {
  if (strace === undefined)
    return ['strace cannot trace here: programs and files were not counted'];
  const started = Object.entries(strace.programs_started);
  const counts = started.map(([side, count]) => `${side} ${count}`).join(', ');
  return [
    `Programs started by one ADD of ${strace.scenario} (execve): ${counts}`,
    'Files it opens that the empty executable does not:',
    ...strace.files_opened.map((path) => `  ${path}`),
  ];
}

const machineLine = ({ machine, date, rounds }) =>
  `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}; ` +
  `${rounds} rounds, ${date.slice(0, 10)}`;

/** For the terminal. */
export function table(bench) {
  const rows = [COLUMNS, ...rowsOf(bench)];
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((cells) => cells[at].length)));
  const line = (cells) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  ');
  const rule = '─'.repeat(line(COLUMNS).length);
  return [
    machineLine(bench),
    'Wall time of a whole process: median (95th percentile).',
    '',
    line(COLUMNS),
    rule,
    ...rows.slice(1).map(line),
    '',
    ...verdicts(bench),
    '',
    ...proofLines(bench),
  ].join('\n');
}

/** For docs/performance.md. */
export function markdown(bench) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const alignment = COLUMNS.map((_, at) => (at === 0 ? '---' : '---:'));
  return [
    `${machineLine(bench)}.`,
    '',
    line(COLUMNS),
    `|${alignment.join('|')}|`,
    ...rowsOf(bench).map(line),
    '',
    ...verdicts(bench).map((line) => `- ${line}`),
    '',
    '```',
    ...proofLines(bench),
    '```',
  ].join('\n');
}
