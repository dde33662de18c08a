// SPDX-License-Identifier: Apache-2.0
// Gives memory back after a list: the objects of thousands of nodes were garbage the moment they
// were read, and V8 keeps their place for as long as little is asked of it. It refuses to be
// called often: it looks at the whole heap.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

export function sweep(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', flavor: 'last-resort' });
}
