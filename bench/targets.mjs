// SPDX-License-Identifier: Apache-2.0
// The goals, and how far the measurements are from them. No test asserts them. Of times it takes
// the least, since whatever else the machine does only adds; and beside it CPU time, which hardly
// changes with that, of the quarter that took least.

const call = (name, command, mode) => (bench) =>
  bench.calls?.find(
    (row) =>
      row.command === command &&
      (name === 'chain' ? row.chain : row.name === name) &&
      (mode === undefined || row.mode === undefined || row.mode === mode),
  )?.sides;
const leases = (is, command) => (bench) =>
  bench.leases?.find((row) => is(row) && row.command === command);
const size = (wanted) => leases((row) => row.leases === wanted, 'ADD');
const full = leases((row) => row.full, 'ADD');
const at_once = (name, count, command) => (bench) =>
  bench.at_once?.find((row) => row.name === name && row.count === count && row.command === command)
    ?.sides;

/** What is compared of a side: the time of one call, or of many at once. */
const wall = (side) => side?.wall_ms.least ?? side?.wall_ms;
const cpu = (side) => side?.cpu_ms?.quarter;

/** Of two sides of one row; `time` is one of the two above. */
const ratio = (row, side, to) => (bench, time) =>
  divide(time(row(bench)?.[side]), time(row(bench)?.[to]));

function divide(above, below) {
  return above === undefined || below === undefined ? undefined : above / below;
}

/** Of the native host in a network with leases, to one without. */
const toNone = (row) => (bench, time) =>
  divide(time(row(bench)?.sides.native), time(row(bench)?.none.native));

const BRIDGE = 'bridge + host-local';
const MASQ = 'bridge + masquerade';
const FUSED = 'one process';
const to_reference = (side, row) => ratio(row, side, 'reference');

/** Of an ADD of the native host that is recorded, to one that is not. */
const recorded = (name) => (bench, time) => {
  const [on, off] = ['on', 'off'].map((word) => call(name, 'ADD', `recording ${word}`)(bench));
  return divide(time(on?.native), time(off?.native));
};

/** Of ours among 10,000 attachments of others, to among 10. */
const growth = (way) => (bench) => {
  const among = (count) => bench.packets?.find(({ attachments }) => attachments === count)?.sides;
  const ours = (sides) => (sides?.native ?? sides?.node)?.flow_us[way]?.median;
  return divide(ours(among(10_000)), ours(among(10)));
};

/** Of ours with all plugins of the data path, to a node without them. */
const path = (to) => (bench) => {
  const row = bench.path?.find(({ name }) => name === 'firewall');
  return divide(row?.sides.native ?? row?.sides.node, row?.[to]);
};

/** Of ours between pods of two machines, to the same tunnel made by hand. */
const overlay = (name) => (bench) => {
  const row = bench.overlay?.find((one) => one.name === name);
  return divide(row?.ours_us, row?.hand_us);
};

/** The same among 10,000 attachments of others, to among 10. */
const path_growth = (bench) => {
  const among = (count) => bench.packets?.find(({ attachments }) => attachments === count)?.sides;
  const ours = (sides) => (sides?.native ?? sides?.node)?.turn_us;
  return divide(ours(among(10_000)), ours(among(10)));
};

/** The largest number that calls of the native host use of something. */
const most = (key) => (bench) => {
  const used = (bench.calls ?? []).flatMap(({ mode, sides }) =>
    mode === 'one by one' ? [] : (sides.native?.[key] ?? []),
  );
  return used.length === 0 ? undefined : Math.max(...used);
};

/** Mishaps of Fairlead's calls at once. */
const mishaps = (key) => (bench) => {
  const sides = (bench.at_once ?? []).flatMap((row) => Object.entries(row.sides));
  const ours = sides.filter(([side]) => side !== 'reference');
  return ours.length === 0 ? undefined : ours.reduce((sum, [, one]) => sum + one[key], 0);
};

/**
 * `value` gives a number to be at most `limit`, or undefined when it was not measured. Of calls one
 * by one it is asked for wall time and for CPU time.
 */
const TARGETS = [
  [
    'native: bridge + host-local ADD / reference',
    0.35,
    to_reference('native', call(BRIDGE, 'ADD')),
  ],
  [
    'native: macvlan + host-local ADD / reference',
    0.35,
    to_reference('native', call('macvlan + host-local', 'ADD')),
  ],
  // Most of it is the kernel's: a link that moves waits for all processors, twice in the reference.
  [
    'native: host-device + host-local ADD / reference',
    0.6,
    to_reference('native', call('host-device + host-local', 'ADD')),
  ],
  ['native: bridge + masquerade ADD / reference', 0.15, to_reference('native', call(MASQ, 'ADD'))],
  [
    'native: whole chain ADD / reference',
    0.08,
    to_reference('native', call('chain', 'ADD', FUSED)),
  ],
  ['native: bridge + host-local DEL / reference', 0.2, to_reference('native', call(BRIDGE, 'DEL'))],
  [
    'native: whole chain DEL / reference',
    0.06,
    to_reference('native', call('chain', 'DEL', FUSED)),
  ],
  ['native: bridge + host-local ADD / floor', 2, ratio(call(BRIDGE, 'ADD'), 'native', 'floor')],
  ['native: loopback ADD, recorded / not', 1.05, recorded('recorded loopback')],
  ['native: bridge + host-local ADD, recorded / not', 1.05, recorded(`recorded ${BRIDGE}`)],
  ['native: ADD at 50,000 leases / at none', 1.1, toNone(size(50_000))],
  ['native: ADD in a nearly full /16 / at no leases', 1.1, toNone(full)],
  [
    'native: 100 bridge + masquerade ADDs at once / reference',
    0.12,
    to_reference('native', at_once(MASQ, 100, 'ADD')),
  ],
  [
    'native: 100 bridge + masquerade DELs at once / reference',
    0.1,
    to_reference('native', at_once(MASQ, 100, 'DEL')),
  ],
  [
    'Node: whole chain in one process ADD / reference',
    0.5,
    to_reference('node', call('chain', 'ADD', FUSED)),
  ],
  [
    'Node: whole chain in one process DEL / reference',
    0.4,
    to_reference('node', call('chain', 'DEL', FUSED)),
  ],
  [
    'Node: bridge + host-local ADD / empty executable',
    1.3,
    (bench, time) => divide(time(call(BRIDGE, 'ADD')(bench)?.node), time(bench.empty)),
  ],
  ['a new flow through masquerade among 10,000 attachments / among 10', 1.2, growth('masquerade')],
  ['a new flow through a host port among 10,000 attachments / among 10', 1.2, growth('host port')],
  ['an established flow through all plugins / through rules by hand', 1.03, path('hand_us')],
  ['an established flow through all plugins / no rules', 1.03, path('none_us')],
  ['an established flow among 10,000 attachments / among 10', 1.05, path_growth],
  [
    'a megabyte between pods of two machines / the same tunnel by hand',
    1.02,
    overlay('a megabyte'),
  ],
  ['calls at once that failed', 0, mishaps('failed')],
  ['addresses given twice at once', 0, mishaps('duplicates')],
  ['native: peak memory of any call, MB', 4, most('peak_mb')],
  ['native: programs that any one process row starts', 1, most('programs')],
  ['native: size of the executable, KB', 400, (bench) => bench.native_kb ?? undefined],
];

function wordFor(measured, limit) {
  if (measured === undefined) return 'not measured';
  if (measured <= limit) return 'met';
  return limit === 0 ? 'missed' : `missed by ${((measured / limit - 1) * 100).toFixed(0)} %`;
}

/** Whether each limit was met: what, limit, what was measured, a word for it, and by CPU time. */
export function judged(bench) {
  return TARGETS.map(([what, limit, value]) => {
    const measured = value(bench, wall);
    const by_cpu = value.length > 1 ? value(bench, cpu) : undefined;
    return { what, limit, measured, word: wordFor(measured, limit), by_cpu };
  });
}
