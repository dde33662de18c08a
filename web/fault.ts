// SPDX-License-Identifier: Apache-2.0
// What an operation is let fail with, and what a call left other than it was: for both tabs that
// let one fail. It performs nothing.
import { h } from 'preact';
import { type Change, difference } from '../host-node/story/difference.ts';

export const ERRNOS: Readonly<Record<number, string>> = {
  1: 'EPERM',
  5: 'EIO',
  12: 'ENOMEM',
  13: 'EACCES',
  16: 'EBUSY',
  17: 'EEXIST',
  22: 'EINVAL',
  28: 'ENOSPC',
  95: 'EOPNOTSUPP',
};
/** Longer commands say no more in a list. */
const SHOWN_LIMIT = 160;
const LEFT_LIMIT = 12;

export const short = (text: string): string =>
  text.length > SHOWN_LIMIT ? `${text.slice(0, SHOWN_LIMIT)}…` : text;

interface ChoiceProps {
  readonly errno: number;
  readonly choose: (errno: number) => void;
}

/** With which errno an operation fails. */
export function ErrnoChoice({ errno, choose }: ChoiceProps) {
  return h(
    'label',
    null,
    'fail with ',
    h(
      'select',
      {
        value: errno,
        onChange: (event: Event) =>
          choose(Number((event.currentTarget as HTMLSelectElement).value)),
      },
      Object.entries(ERRNOS).map(([number, name]) =>
        h('option', { key: number, value: number }, name),
      ),
    ),
  );
}

const isOfKernel = ({ what }: Change): boolean => !what.startsWith('file ');

const changeLine = ({ change, what }: Change, at: number) =>
  h('li', { key: at }, `${change === 'added' ? '+' : '−'} ${short(what)}`);

interface LeftProps {
  readonly before: string;
  readonly after: string;
}

/** What a failed call left other than it was: all of it, the first of it at once. */
export function Left({ before, after }: LeftProps) {
  const left = difference(before, after);
  const kernel = left.filter(isOfKernel).length;
  if (left.length === 0) return h('p', null, 'All that it did was taken back.');
  const words =
    kernel === 0
      ? 'All that it did to the kernel was taken back. These files are other than before:'
      : 'This is other than before:';
  const rest = left.slice(LEFT_LIMIT);
  return h(
    'div',
    null,
    h('p', null, words),
    h('ul', { class: 'rest' }, left.slice(0, LEFT_LIMIT).map(changeLine)),
    rest.length === 0
      ? null
      : h(
          'details',
          null,
          h('summary', null, `${rest.length} more`),
          h('ul', { class: 'rest' }, rest.map(changeLine)),
        ),
  );
}
