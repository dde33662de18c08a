// SPDX-License-Identifier: Apache-2.0
// The editor of the configuration: CodeMirror in a shadow root, where its styles need no exception
// in the page's content security policy. Problems come from outside; it knows no JSON but for
// colours.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
} from '@codemirror/view';
import type { Problem } from './engine.ts';

const TOKEN = /("(?:[^"\\\n]|\\.)*"\s*:)|("(?:[^"\\\n]|\\.)*")|(-?\d[\d.eE+-]*|true|false|null)/g;
const CLASSES = ['', 'tok-key', 'tok-text', 'tok-word'].map((name) =>
  Decoration.mark({ class: name || 'tok' }),
);

const tokens = new MatchDecorator({
  regexp: TOKEN,
  decoration: (match) => CLASSES[match.slice(1).findIndex((part) => part !== undefined) + 1]!,
});

const colours = ViewPlugin.define(
  (view) => ({
    decorations: tokens.createDeco(view),
    update(change) {
      this.decorations = tokens.updateDeco(change, this.decorations);
    },
  }),
  { decorations: (plugin) => plugin.decorations },
);

const theme = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', color: 'var(--ink)', background: 'var(--paper)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { background: 'var(--paper)', color: 'var(--dim)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { background: 'var(--hover)' },
  '.cm-selectionBackground': { background: 'var(--select) !important' },
  '.cm-tooltip': {
    background: 'var(--paper)',
    color: 'var(--ink)',
    border: '1px solid var(--line)',
  },
  '.tok-key': { color: 'var(--tok-key)' },
  '.tok-text': { color: 'var(--tok-text)' },
  '.tok-word': { color: 'var(--tok-word)' },
});

export interface Editor {
  text(): string;
  replace(text: string): void;
  show(problems: readonly Problem[]): void;
  /** Puts the cursor to a line and column of a problem. */
  go(line: number, column: number): void;
}

/** Where a place is: columns count characters of Unicode, from 1. */
function offsetOf(state: EditorState, line: number, column: number): number {
  const { from, text } = state.doc.line(Math.min(Math.max(1, line), state.doc.lines));
  return from + [...text].slice(0, Math.max(0, column - 1)).join('').length;
}

function diagnosticOf(state: EditorState, { line, column, severity, msg }: Problem): Diagnostic {
  const from = offsetOf(state, line, column);
  const rest =
    /^("(?:[^"\\\n]|\\.)*"|[\w.+-]+|.)/.exec(state.sliceDoc(from, from + 200))?.[0] ?? '';
  return { from, to: from + rest.length, severity, message: msg };
}

/** Makes the editor inside an element. */
export function makeEditor(host: HTMLElement, text: string, changed: () => void): Editor {
  const root = host.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        EditorState.tabSize.of(2),
        // Tab is left to the browser: who has no mouse must get out again.
        keymap.of([...defaultKeymap, ...historyKeymap]),
        lintGutter(),
        colours,
        theme,
        EditorView.contentAttributes.of({ 'aria-label': 'Network configuration (JSON)' }),
        EditorView.updateListener.of((update) => update.docChanged && changed()),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    replace: (next) =>
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    show: (problems) => {
      const list = problems.map((problem) => diagnosticOf(view.state, problem));
      view.dispatch(setDiagnostics(view.state, list));
    },
    go: (line, column) => {
      const anchor = offsetOf(view.state, line, column);
      view.dispatch({ selection: { anchor }, scrollIntoView: true });
      view.focus();
    },
  };
}
