// `npm test`: sets up what is missing, builds, runs every test, and ends with one plain line of
// counts. Arguments are handed to vitest (`npm test -- test/fixtures`). It runs under the Node that
// npm found and starts everything else under Node 26.
import { build, runNode26, setup } from './setup.mjs';

await setup('test');
await build([]);
process.exitCode = await runNode26('tools/run-tests.mjs', process.argv.slice(2));
