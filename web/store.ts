// SPDX-License-Identifier: Apache-2.0
// What the page knows, and the one function that draws it anew. It owns the order of a call:
// validated or not, it is performed as it stands.
import { networkOf, plainNode } from '../host-node/story/node.ts';
import type { Editor } from './editor.ts';
import { type Asked, type Modules, type Problem, perform, validate } from './engine.ts';
import { EXAMPLES } from './examples.ts';
import {
  type Call,
  isFault,
  NOTHING,
  type Session,
  shownCall,
  stateNow,
  withCall,
  withoutShown,
} from './session.ts';
import { CONF_LIMIT, type Shared, type SharedCall } from './share.ts';

export type Tab = 'network' | 'mtu' | 'recording';

const VALIDATE_AFTER_MS = 250;

export class Store {
  modules: Modules | undefined;
  /** Why there are none. */
  failure = '';
  tab: Tab = 'network';
  session: Session = NOTHING;
  problems: readonly Problem[] = [];
  pod = 'pod1';
  capabilities = EXAMPLES[0]?.capabilities ?? '';
  errno = 5;
  all = false;
  /** A word on what was just asked for. */
  notice = '';
  /** What a link brought and nobody has run yet. */
  pending: Shared | undefined;
  editor: Editor | undefined;
  readonly draw: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(draw: (store: Store) => void) {
    this.draw = () => draw(this);
  }

  get text(): string {
    return this.editor?.text() ?? '';
  }

  set<K extends keyof Store>(key: K, value: Store[K]): void {
    (this as Store)[key] = value;
    this.draw();
  }

  edited(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), VALIDATE_AFTER_MS);
  }

  /** Why the text is not given to the core at all; "" when it is. */
  tooLarge(bytes: number): string {
    if (bytes <= CONF_LIMIT) return '';
    const kib = CONF_LIMIT / 1024;
    return `${bytes} bytes: this page takes configurations of up to ${kib} KiB`;
  }

  look(): void {
    if (this.modules === undefined) return;
    const large = this.tooLarge(new TextEncoder().encode(this.text).length);
    if (large !== '') this.problems = [{ severity: 'error', line: 1, column: 1, msg: large }];
    else {
      try {
        this.problems = validate(this.modules, plainNode([this.pod]), this.text);
      } catch (error) {
        this.problems = [{ severity: 'error', line: 1, column: 1, msg: String(error) }];
      }
    }
    this.editor?.show(this.problems);
    this.draw();
  }

  /** What a call gives to plugins by capability; undefined, and a notice, when it is no object. */
  #capabilities({ capabilities = '' }: SharedCall): Record<string, unknown> | undefined {
    if (capabilities.trim() === '') return {};
    try {
      const value = JSON.parse(capabilities) as unknown;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        return value as Record<string, unknown>;
      }
    } catch {
      // Said below.
    }
    this.notice = 'Capabilities must be a JSON object, {"portMappings": […]}, or empty.';
    return undefined;
  }

  /** The network of an attachment is that of its ADD, whatever the text says by now. */
  #network(command: Asked['command'], pod: string): string {
    const added = this.session.calls.findLast(
      ({ asked }) => asked.command === 'add' && asked.pod === pod,
    );
    return command === 'add' || added === undefined ? networkOf(this.text) : added.asked.network;
  }

  /** A call as the controls of the page say it. */
  ask(command: SharedCall['command']): void {
    const { pod, capabilities } = this;
    const given = command === 'add' && capabilities !== '' ? { capabilities } : {};
    this.call({ command, pod, ...given });
    // A port of the node is given away once.
    if (command === 'add' && this.session.calls.at(-1)?.done?.answer.exit_code === 0) {
      this.capabilities = '';
      this.draw();
    }
  }

  call(wanted: SharedCall): void {
    this.notice = this.tooLarge(new TextEncoder().encode(this.text).length);
    const { command, pod, fault } = wanted;
    const capabilities = this.#capabilities(wanted);
    const network = this.#network(command, pod);
    if (this.notice === '' && network === '') {
      this.notice = 'The configuration has no name: see its problems.';
    }
    if (this.modules !== undefined && this.notice === '' && capabilities !== undefined) {
      const given = Object.keys(capabilities).length > 0 ? { capabilities } : {};
      const failing = fault === undefined ? {} : { fault };
      const asked = { command, network, pod, ifname: 'eth0', ...given, ...failing };
      this.#perform(this.modules, asked, wanted);
    }
    this.draw();
  }

  #perform(modules: Modules, asked: Asked, wanted: SharedCall): void {
    const conf = this.text;
    const state = stateNow(this.session, asked.pod, conf);
    let call: Call = { asked, wanted, conf, state, done: undefined, broken: '' };
    try {
      call = { ...call, done: perform(modules, state, asked) };
    } catch (error) {
      call = { ...call, broken: error instanceof Error ? error.message : String(error) };
    }
    this.session = withCall(this.session, call);
    // The eye is to go along from where it happens.
    const failed = call.done?.steps.findIndex((step) => isFault(step)) ?? -1;
    if (asked.fault !== undefined && failed >= 0)
      this.session = { ...this.session, step: failed + 1 };
  }

  /** The shown call again, with one of its operations failing, or with none. */
  again(n?: number): void {
    const call = shownCall(this.session);
    if (call === undefined) return;
    const { fault: _, ...wanted } = call.wanted;
    const before = this.session;
    const without = withoutShown(before);
    this.session = without;
    this.call(n === undefined ? wanted : { ...wanted, fault: { n, errno: this.errno } });
    // A call that was refused, as the text is none now, takes nothing away.
    if (this.session === without) this.session = before;
  }

  goto(call: number, step: number): void {
    this.session = { ...this.session, call, step };
    this.draw();
  }

  restart(): void {
    this.session = NOTHING;
    this.notice = '';
    this.draw();
  }

  shared(): Shared {
    return { conf: this.text, calls: this.session.calls.map(({ wanted }) => wanted) };
  }

  /** Takes what a link brought: the text at once, the calls when somebody says so. */
  take(shared: Shared): void {
    this.session = NOTHING;
    this.editor?.replace(shared.conf);
    this.pending = shared.calls.length > 0 ? shared : undefined;
    this.look();
  }

  runPending(): void {
    const calls = this.pending?.calls ?? [];
    this.pending = undefined;
    for (const call of calls) this.call(call);
    this.draw();
  }
}
