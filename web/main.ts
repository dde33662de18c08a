// SPDX-License-Identifier: Apache-2.0
// The page: its frame, its editor, its tabs, and how it starts. The frame is drawn before any
// module is unpacked.
import { h, render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { makeEditor } from './editor.ts';
import { loadModules } from './engine.ts';
import { EXAMPLES } from './examples.ts';
import { Calculator } from './mtu.ts';
import { Network } from './network.ts';
import { Recordings } from './replay.ts';
import { fragmentOf, readFragment } from './share.ts';
import { Store, type Tab } from './store.ts';

const TABS: readonly (readonly [Tab, string])[] = [
  ['network', 'Network'],
  ['mtu', 'MTU'],
  ['recording', 'Recording'],
];

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

function Problems({ store }: { readonly store: Store }) {
  const { problems } = store;
  if (store.modules === undefined) return h('p', { class: 'hint' }, 'Loading the core …');
  if (problems.length === 0) return h('p', { class: 'fine', role: 'status' }, 'No problems.');
  return h(
    'ul',
    { class: 'problems', 'aria-label': 'Problems', 'aria-live': 'polite' },
    problems.map(({ severity, line, column, msg }, at) =>
      h(
        'li',
        { key: at, class: severity },
        h(
          'button',
          { type: 'button', onClick: () => store.editor?.go(line, column) },
          h('span', { class: 'place' }, `${line}:${column} `),
          `${severity}: ${msg}`,
        ),
      ),
    ),
  );
}

/** Text of a file that somebody opened or dropped. */
async function open(store: Store, file: File | undefined): Promise<void> {
  if (file === undefined) return;
  const large = store.tooLarge(file.size);
  if (large !== '') store.set('notice', `${file.name} has ${large}`);
  else {
    store.editor?.replace(await file.text());
    store.look();
  }
}

function Configuration({ store }: { readonly store: Store }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null || store.editor !== undefined) return;
    store.editor = makeEditor(host.current, EXAMPLES[0]?.text ?? '', () => store.edited());
    store.look();
  });
  const choose = (event: Event): void => {
    const example = EXAMPLES[Number((event.currentTarget as HTMLSelectElement).value)];
    if (example === undefined) return;
    store.editor?.replace(example.text);
    store.capabilities = example.capabilities ?? '';
    store.restart();
    store.look();
  };
  return h(
    'section',
    {
      class: 'left',
      'aria-label': 'Configuration',
      onDragOver: (event: Event) => event.preventDefault(),
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        void open(store, event.dataTransfer?.files[0]);
      },
    },
    h(
      'div',
      { class: 'head' },
      h('h2', null, 'Configuration'),
      h(
        'select',
        { 'aria-label': 'Example', onChange: choose },
        EXAMPLES.map(({ name }, at) => h('option', { key: name, value: at }, name)),
      ),
      h(
        'label',
        { class: 'file' },
        'Open ',
        h('input', {
          type: 'file',
          accept: '.conflist,.conf,.json',
          onChange: (event: Event) =>
            void open(store, (event.currentTarget as HTMLInputElement).files?.[0]),
        }),
      ),
    ),
    h('div', { class: 'editor', ref: host }),
    h(Problems, { store }),
  );
}

function Share({ store }: { readonly store: Store }) {
  const [said, setSaid] = useState('');
  const share = async (): Promise<void> => {
    try {
      history.replaceState(null, '', await fragmentOf(store.shared()));
      setSaid('The address of this page now has the configuration and the calls, keys in it too.');
    } catch (error) {
      setSaid(messageOf(error));
    }
  };
  return h(
    'div',
    { class: 'share' },
    h('span', { role: 'status' }, said),
    h('button', { type: 'button', onClick: () => void share() }, 'Share'),
  );
}

function Pending({ store }: { readonly store: Store }) {
  const calls = store.pending?.calls;
  if (calls === undefined) return null;
  const words = calls.map(({ command, pod }) => `${command.toUpperCase()} ${pod}`).join(', ');
  return h(
    'p',
    { class: 'notice' },
    `This link brought a configuration and calls: ${words}. `,
    h(
      'button',
      { type: 'button', disabled: store.modules === undefined, onClick: () => store.runPending() },
      'Run them',
    ),
  );
}

function Body({ store }: { readonly store: Store }) {
  const { modules, failure, tab } = store;
  if (failure !== '') return h('p', { class: 'notice', role: 'alert' }, failure);
  if (tab === 'network') return h(Network, { store });
  if (modules === undefined) return h('p', { class: 'hint' }, 'Loading the core …');
  return tab === 'mtu' ? h(Calculator, { modules }) : h(Recordings, { modules });
}

function App({ store }: { readonly store: Store }) {
  return [
    h(
      'header',
      null,
      h('h1', null, 'Fairlead'),
      h('p', null, 'CNI networks, tried in this page: nothing leaves it.'),
      h(
        'nav',
        { 'aria-label': 'Parts of the page' },
        TABS.map(([tab, label]) =>
          h(
            'button',
            {
              key: tab,
              type: 'button',
              'aria-current': store.tab === tab ? 'page' : undefined,
              onClick: () => store.set('tab', tab),
            },
            label,
          ),
        ),
      ),
      h(Share, { store }),
    ),
    h(Pending, { store }),
    h(
      'main',
      { class: store.tab },
      h('div', { hidden: store.tab !== 'network', class: 'editing' }, h(Configuration, { store })),
      h('div', { class: 'body' }, h(Body, { store })),
    ),
  ];
}

async function fromAddress(store: Store): Promise<void> {
  try {
    const shared = await readFragment(location.hash);
    if (shared !== undefined) store.take(shared);
  } catch (error) {
    store.set('notice', messageOf(error));
  }
}

async function start(): Promise<void> {
  const root = document.getElementById('app');
  if (root === null) return;
  root.replaceChildren();
  const store = new Store((one) => render(h(App, { store: one }), root));
  store.draw();
  addEventListener('hashchange', () => void fromAddress(store));
  // What is dropped beside its place is not to replace the page.
  for (const name of ['dragover', 'drop']) {
    addEventListener(name, (event) => event.preventDefault());
  }
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  try {
    store.modules = await loadModules();
    await fromAddress(store);
    store.look();
  } catch (error) {
    store.set('failure', `The core cannot be loaded in this browser: ${messageOf(error)}`);
  }
}

void start();
