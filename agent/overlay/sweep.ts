// SPDX-License-Identifier: Apache-2.0
// Gives memory back after a look at thousands of nodes or entries: what was read was garbage a
// moment later, and V8 keeps its place for as long as little is asked of it. It refuses to be
// called often: it looks at the whole heap.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

let collect: Collect | undefined;

export function sweep(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
    setFlagsFromString('--no-expose-gc');
  }
  collect({ type: 'major', flavor: 'last-resort' });
}
