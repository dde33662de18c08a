// SPDX-License-Identifier: Apache-2.0
// Writes the bytecode of every function of a script: code-cache.mjs SCRIPT NAME CACHE. V8 takes it
// only under the very flags it was made with, so build.mjs starts this with those of the
// executable.
import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const [source, name, cache] = process.argv.slice(2);
// Lazily compiled functions would be missing from the cache.
setFlagsFromString('--no-lazy');
const script = new Script(readFileSync(source, 'utf8'), { filename: `${name}.js` });
setFlagsFromString('--lazy');
writeFileSync(cache, script.createCachedData());
