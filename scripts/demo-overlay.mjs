// SPDX-License-Identifier: Apache-2.0
// `npm run demo:overlay`: three machines and their pods across a router, on the real kernel in
// namespaces that exist only meanwhile, as root or as an ordinary user. What is shown is
// demo/overlay.mjs. Where namespaces cannot be made it says why, and shows nothing.
import { prepare, problem, show } from './demo/room.mjs';
import { setup } from './setup.mjs';

/** Resolves to the exit code: 0 when all that was shown held. */
async function demo() {
  await setup('demo');
  const why = problem(['ping']);
  if (why !== '') throw new Error(why);
  await prepare(['executable']);
  return show('scripts/demo/overlay.mjs');
}

process.exitCode = await demo().catch((error) => {
  console.error(`demo: ${error.message}`);
  return 1;
});
