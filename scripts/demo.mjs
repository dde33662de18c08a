// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: what Fairlead does, shown on the real kernel in namespaces that exist only
// meanwhile, as root or as an ordinary user. Runs under any Node from 20; it installs and builds.
// What is shown is demo/story.mjs, run by Node 26 inside namespaces of its own, so that nothing of
// this machine's own network, /run or /var/lib is touched.
import { prepare, problem, show } from './demo/room.mjs';
import { runNode26, setup } from './setup.mjs';

/** Resolves to the exit code: 0 when all that was shown held. */
async function demo() {
  await setup('demo');
  const why = problem();
  await prepare(why === '' ? ['executable'] : ['core', 'sim']);
  if (why !== '') return runNode26('scripts/demo/simulated.mjs', [why]);
  return show('scripts/demo/story.mjs');
}

process.exitCode = await demo().catch((error) => {
  console.error(`demo: ${error.message}`);
  return 1;
});
