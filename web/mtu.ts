// SPDX-License-Identifier: Apache-2.0
// The tab with the MTU calculator: what encapsulations leave for pods, by the maths of the core. It
// has no number of its own.
import { h } from 'preact';
import { useState } from 'preact/hooks';
import { type Modules, type Mtu, type MtuTable, mtuOf } from './engine.ts';

const UNDERLAY_BYTES = 1500;
const MOST_BYTES = 65535;

const textOf = (event: Event): string => (event.currentTarget as HTMLInputElement).value;
const isChecked = (event: Event): boolean => (event.currentTarget as HTMLInputElement).checked;

/** A cell of the table: the number, or a dash with the reason. */
function cell({ mtu_bytes, problem }: Mtu) {
  return problem === undefined
    ? h('td', { class: 'number' }, mtu_bytes)
    : h('td', { class: 'none', title: problem }, h('abbr', { title: problem }, '–'));
}

interface BoxProps {
  readonly label: string;
  readonly checked: boolean;
  readonly set: (on: boolean) => void;
}

const box = ({ label, checked, set }: BoxProps) =>
  h(
    'label',
    null,
    h('input', { type: 'checkbox', checked, onChange: (event: Event) => set(isChecked(event)) }),
    ` ${label}`,
  );

interface TableProps {
  readonly found: MtuTable;
  readonly underlay_bytes: number;
  readonly add: (name: string) => void;
}

/** Each encapsulation alone. */
function Table({ found, underlay_bytes, add }: TableProps) {
  return [
    h('h2', null, `One encapsulation on ${underlay_bytes}`),
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          ['', 'over IPv4', 'over IPv6'].map((text) =>
            h('th', { scope: 'col', class: 'number' }, text),
          ),
        ),
      ),
      h(
        'tbody',
        null,
        found.table.map(({ name, ipv4, ipv6 }) =>
          h(
            'tr',
            { key: name },
            h(
              'th',
              { scope: 'row' },
              h(
                'button',
                { type: 'button', onClick: () => add(name), title: 'Put it inside' },
                name,
              ),
            ),
            cell(ipv4),
            cell(ipv6),
          ),
        ),
      ),
    ),
  ];
}

/** The calculator. */
export function Calculator({ modules }: { readonly modules: Modules }) {
  const [underlay, setUnderlay] = useState(String(UNDERLAY_BYTES));
  const [words, setWords] = useState('vxlan');
  const [v6, setV6] = useState(false);
  const [podsV4, setPodsV4] = useState(true);
  const [podsV6, setPodsV6] = useState(false);
  const underlay_bytes = Math.min(MOST_BYTES * 2, Math.max(0, Math.trunc(Number(underlay) || 0)));
  const layers = words.split(/[\s/+]+/).filter((word) => word !== '');
  const asked = { underlay_bytes, layers, v6, pods_v4: podsV4, pods_v6: podsV6 };
  const found = mtuOf(modules, asked);
  const { mtu_bytes, problem, warning, mss4_bytes, mss6_bytes } = found;
  const add = (name: string): void => setWords([...layers, name].join(' '));
  return h(
    'section',
    { class: 'calculator', 'aria-label': 'MTU calculator' },
    h('h2', null, 'What is left for pods'),
    h(
      'div',
      { class: 'controls' },
      h(
        'label',
        null,
        'MTU of the underlay ',
        h('input', {
          type: 'number',
          min: 68,
          max: MOST_BYTES,
          value: underlay,
          onInput: (event: Event) => setUnderlay(textOf(event)),
        }),
      ),
      h(
        'label',
        { class: 'wide' },
        'Encapsulations, the outermost first ',
        h('input', {
          value: words,
          spellcheck: false,
          placeholder: 'wireguard vxlan',
          onInput: (event: Event) => setWords(textOf(event)),
        }),
      ),
      box({ label: 'outer packets are IPv6', checked: v6, set: setV6 }),
      box({ label: 'pods have IPv4', checked: podsV4, set: setPodsV4 }),
      box({ label: 'pods have IPv6', checked: podsV6, set: setPodsV6 }),
    ),
    h(
      'p',
      { class: `answer ${problem === undefined ? 'good' : 'bad'}`, role: 'status' },
      problem ??
        `MTU ${mtu_bytes}; the largest TCP segment is ${mss4_bytes} over IPv4, ` +
          `${mss6_bytes} over IPv6`,
    ),
    warning === undefined ? null : h('p', { class: 'notice' }, warning),
    h(Table, { found, underlay_bytes, add }),
  );
}
