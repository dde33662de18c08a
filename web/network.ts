// SPDX-License-Identifier: Apache-2.0
// The tab with the network: what is called, how far one looks, the picture, the operations. All it
// shows comes from the store; all it does goes there.
import { type ComponentChildren, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { plainNode } from '../host-node/story/node.ts';
import { reasonOf } from '../host-node/story/reasons.ts';
import type { Rehearsal, Step } from '../host-node/story/rehearse.ts';
import { ERRNOS, ErrnoChoice, Left, short } from './fault.ts';
import { Picture } from './picture.ts';
import { type Call, isFault, PODS, shownCall, statesAt, toldSteps } from './session.ts';
import type { Store } from './store.ts';

function briefLike({ op, args, like }: Step): string {
  if (op !== 'nft.batch') return short(like);
  const commands = String(args['words']).trim().split('\n').length;
  return `nft -f - (${commands} commands, all or none)`;
}

const button = (
  label: ComponentChildren,
  onClick: () => void,
  more: Readonly<Record<string, unknown>> = {},
) => h('button', { type: 'button', onClick, ...more }, label);

function Controls({ store }: { readonly store: Store }) {
  const ready = store.modules !== undefined;
  const does = (name: 'add' | 'check' | 'del', title: string) =>
    button(name.toUpperCase(), () => store.ask(name), {
      class: name === 'add' ? 'primary' : '',
      disabled: !ready,
      title,
    });
  return h(
    'div',
    { class: 'controls' },
    h(
      'label',
      null,
      'Pod ',
      h(
        'select',
        {
          'aria-label': 'Pod',
          value: store.pod,
          onChange: (event: Event) =>
            store.set('pod', (event.currentTarget as HTMLSelectElement).value),
        },
        PODS.map((pod) => h('option', { key: pod }, pod)),
      ),
    ),
    does('add', 'Attach the pod to the network'),
    does('check', 'Compare the attachment with its ADD'),
    does('del', 'Take the attachment away'),
    button('Start over', () => store.restart(), { disabled: store.session.calls.length === 0 }),
    h(
      'label',
      { class: 'wide' },
      'Capabilities of the next ADD ',
      h('input', {
        value: store.capabilities,
        spellcheck: false,
        placeholder: '{"portMappings": […]}',
        onInput: (event: Event) =>
          store.set('capabilities', (event.currentTarget as HTMLInputElement).value),
      }),
    ),
  );
}

const nameOf = ({ asked }: Call): string => `${asked.command.toUpperCase()} ${asked.pod}`;

function isGood({ done }: Call): boolean {
  return done?.answer.exit_code === 0;
}

function Calls({ store }: { readonly store: Store }) {
  const { calls, call: shown } = store.session;
  if (calls.length === 0) return null;
  return h(
    'ol',
    { class: 'calls', 'aria-label': 'Calls so far' },
    calls.map((call, at) =>
      h(
        'li',
        { key: at },
        button(
          [h('span', { class: isGood(call) ? 'dot good' : 'dot bad' }), nameOf(call)],
          () => store.goto(at, call.done?.steps.length ?? 0),
          {
            'aria-current': at === shown ? 'true' : undefined,
            'aria-label': `${nameOf(call)}, ${isGood(call) ? 'done' : 'failed'}`,
          },
        ),
      ),
    ),
  );
}

/** How a call ended, in a sentence. */
function outcome(call: Call, { answer, steps }: Rehearsal): string {
  const changes = steps.filter((step) => step.changes).length;
  const counted = `${changes} changes in ${steps.length} operations`;
  const { fault } = call.asked;
  if (answer.exit_code === 0) {
    const spite = fault === undefined ? '' : ` although operation ${fault.n} failed`;
    return `${nameOf(call)} is done${spite}: ${counted}.`;
  }
  const { code, msg } = JSON.parse(answer.stdout) as { code: number; msg: string };
  return `${nameOf(call)} failed with CNI error ${code}: ${msg}`;
}

function Outcome({ call }: { readonly call: Call }) {
  const { done, broken } = call;
  if (done === undefined) {
    return h(
      'div',
      { class: 'outcome bad', role: 'status' },
      `The simulation broke, which is no answer of the network: ${broken}. Please report it.`,
    );
  }
  const bad = done.answer.exit_code !== 0;
  const { stdout } = done.answer;
  return h(
    'div',
    { class: `outcome ${bad ? 'bad' : 'good'}` },
    h('p', { role: 'status' }, outcome(call, done)),
    bad ? h(Left, { before: done.before, after: done.after }) : null,
    done.notes.map((note, at) => h('p', { key: at }, note)),
    done.log.map((line, at) => h('p', { key: `l${at}` }, line)),
    stdout === ''
      ? null
      : h('details', null, h('summary', null, 'What it prints'), h('pre', null, stdout)),
  );
}

/** What was decided since the step before, and what this one is for. */
function becauses(steps: readonly Step[], before: number, n: number): string[] {
  const decided = steps
    .slice(before, n)
    .flatMap(({ whys }) => whys.filter(({ what }) => what !== 'plugin'))
    .map(({ what, is, because }) => `${what}: ${is}: ${because}`);
  return [...decided, reasonOf(steps[n - 1]!)].filter((words) => words !== '');
}

function Steps({ store, call }: { readonly store: Store; readonly call: Call }) {
  const steps = call.done?.steps ?? [];
  const told = toldSteps(steps, store.all);
  const step = told.findLast((n) => n <= store.session.step) ?? 0;
  const current = useRef<HTMLLIElement>(null);
  useEffect(() => {
    const [item, list] = [current.current, current.current?.parentElement];
    if (item == null || list == null) return;
    const above = item.offsetTop - list.offsetTop;
    if (above < list.scrollTop || above + item.offsetHeight > list.scrollTop + list.clientHeight) {
      list.scrollTop = above - list.clientHeight / 2;
    }
  }, [step, call]);
  const first = h(
    'li',
    { key: 0, ref: step === 0 ? current : null },
    button('before it began', () => store.goto(store.session.call, 0), {
      'aria-current': step === 0 ? 'step' : undefined,
    }),
  );
  return h(
    'ol',
    { class: 'steps', 'aria-label': `Operations of ${nameOf(call)}` },
    first,
    told.map((n, index) => {
      const one = steps[n - 1]!;
      const failed = isFault(one);
      const words = [failed ? 'failed' : '', one.changes ? '' : 'quiet'].join(' ').trim();
      const here = n === step;
      return h(
        'li',
        { key: n, ref: here ? current : null, class: words },
        button(
          [
            h('span', { class: 'number' }, n),
            h('span', { class: 'like' }, briefLike(one)),
            one.errno === undefined
              ? null
              : h('span', { class: 'errno' }, ` ${ERRNOS[one.errno] ?? `errno ${one.errno}`}`),
          ],
          () => store.goto(store.session.call, n),
          { 'aria-current': here ? 'step' : undefined, title: `${one.op}: ${short(one.like)}` },
        ),
        here && call.asked.fault === undefined
          ? button('Let it fail', () => store.again(n), { class: 'fail' })
          : null,
        becauses(steps, told[index - 1] ?? 0, n).map((words, at) =>
          h('p', { key: `b${at}`, class: 'because' }, short(words)),
        ),
      );
    }),
  );
}

function Stepper({ store, call }: { readonly store: Store; readonly call: Call }) {
  const steps = call.done?.steps ?? [];
  const told = [0, ...toldSteps(steps, store.all)];
  const { step, call: at } = store.session;
  const index = Math.max(
    0,
    told.findLastIndex((n) => n <= step),
  );
  const go = (to: number): void =>
    store.goto(at, told[Math.min(told.length - 1, Math.max(0, to))]!);
  const one = steps[told[index]! - 1];
  return h(
    'div',
    { class: 'stepper' },
    button('«', () => go(0), { 'aria-label': 'To the beginning', disabled: index === 0 }),
    button('◀', () => go(index - 1), { 'aria-label': 'One step back', disabled: index === 0 }),
    h('input', {
      type: 'range',
      min: 0,
      max: told.length - 1,
      value: index,
      'aria-label': 'Step',
      'aria-valuetext': one === undefined ? 'before it began' : briefLike(one),
      onInput: (event: Event) => go(Number((event.currentTarget as HTMLInputElement).value)),
    }),
    button('▶', () => go(index + 1), {
      'aria-label': 'One step on',
      disabled: index === told.length - 1,
    }),
    button('»', () => go(told.length - 1), {
      'aria-label': 'To the end',
      disabled: index === told.length - 1,
    }),
    h('span', { class: 'where' }, `${index} of ${told.length - 1}`),
  );
}

function Side({ store, call }: { readonly store: Store; readonly call: Call | undefined }) {
  if (call === undefined) {
    return h(
      'section',
      { class: 'side', 'aria-label': 'Operations' },
      h('h2', null, 'Operations'),
      h(
        'p',
        { class: 'hint' },
        'ADD attaches the pod on a simulated node. Every operation is listed here: ' +
          'go through them with the arrow keys, or let one fail and see all of it taken back.',
      ),
    );
  }
  const { fault } = call.asked;
  return h(
    'section',
    { class: 'side', 'aria-label': 'Operations' },
    h(
      'div',
      { class: 'head' },
      h('h2', null, `Operations of ${nameOf(call)}`),
      h(
        'label',
        null,
        h('input', {
          type: 'checkbox',
          checked: store.all,
          onChange: (event: Event) =>
            store.set('all', (event.currentTarget as HTMLInputElement).checked),
        }),
        ' all',
      ),
      h(ErrnoChoice, { errno: store.errno, choose: (errno) => store.set('errno', errno) }),
      fault === undefined ? null : button('Without the fault', () => store.again()),
    ),
    h(Steps, { store, call }),
  );
}

/** The tab. */
export function Network({ store }: { readonly store: Store }) {
  const { session } = store;
  const call = shownCall(session);
  const plain = plainNode([store.pod]);
  const at = call?.done === undefined ? undefined : statesAt(call.done, session.step);
  const { state, previous } = at ?? { state: call?.state ?? plain, previous: call?.state ?? plain };
  return h(
    'div',
    { class: 'stage' },
    h(
      'section',
      { class: 'middle', 'aria-label': 'Network' },
      h(Controls, { store }),
      store.notice === '' ? null : h('p', { class: 'notice', role: 'alert' }, store.notice),
      h(Calls, { store }),
      call === undefined ? null : h(Stepper, { store, call }),
      call === undefined ? null : h(Outcome, { call }),
      h(Picture, { state, previous }),
    ),
    h(Side, { store, call }),
  );
}
