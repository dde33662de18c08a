// SPDX-License-Identifier: Apache-2.0
// The picture of a state as elements of the page. The text of the SVG goes through the parser of
// XML, in which nothing is executed, and its nodes are taken over.
import { h } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { modelOf } from '../host-node/picture/model.ts';
import { svgOf } from '../host-node/picture/svg.ts';

export interface PictureProps {
  readonly state: string;
  readonly previous: string;
}

/** Draws a state, with what is new since another marked. */
export function Picture({ state, previous }: PictureProps) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const text = svgOf(modelOf(state), { before: modelOf(previous) });
    const { documentElement } = new DOMParser().parseFromString(text, 'image/svg+xml');
    host.current?.replaceChildren(document.importNode(documentElement, true));
  }, [state, previous]);
  return h('div', {
    class: 'picture',
    ref: host,
    tabIndex: 0,
    'aria-label': 'Picture',
    role: 'group',
  });
}
