// SPDX-License-Identifier: Apache-2.0
// `npm test`: sets up what is missing, builds what is not built, runs every test, and ends with one
// plain line of counts. Arguments are handed to vitest; of `npm test -- test/lib` only what those
// tests need is built. It runs under the Node that npm found; all else runs under Node 26.
import { runNode26, setup } from './setup.mjs';

await setup('test');
process.exitCode = await runNode26('tools/run-tests.mjs', process.argv.slice(2));
