// SPDX-License-Identifier: Apache-2.0
// Memory of a program that runs for months and has nothing to do most of the time: V8 is told to
// collect when it is quiet, since by itself it lets garbage of a busy minute lie for ever.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const QUIET_MS = 1000;

/** Called at everything that happens; collects once when nothing has happened for a second. */
export function collectWhenQuiet(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let timer: NodeJS.Timeout | undefined;
  return () => {
    if (timer !== undefined) timer.refresh();
    else timer = setTimeout(collect, QUIET_MS).unref();
  };
}
