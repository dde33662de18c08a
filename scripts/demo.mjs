// `npm run demo`: the main job of Fairlead, shown on real namespaces that exist only meanwhile.
// Runs under any Node from 20; it installs, builds and makes the namespaces. What is shown is
// demo/story.mjs, run by Node 26 inside the namespace that stands for the host, so that nothing of
// this machine's own network is touched.
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../tools/build.mjs';
import { sandboxProblem, withSandbox } from './sandbox.mjs';
import { ROOT, runNode26, setup } from './setup.mjs';

const STORY = 'scripts/demo/story.mjs';

/** Whether this user may write `files`: a build by root leaves them to root. */
function writable(files) {
  try {
    for (const file of files) accessSync(join(ROOT, file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Without root, or without namespaces for another reason: the same on the simulated kernel. */
async function simulated(problem) {
  const modules = ['dist/core.wasm', 'dist/sim.wasm'];
  const built = modules.every((file) => existsSync(join(ROOT, file)));
  if (built && !writable(['dist', ...modules])) {
    console.log('demo: dist/ belongs to another user: showing what lies there already');
  } else {
    await build(['core', 'sim']);
  }
  return runNode26(STORY, ['simulated', problem]);
}

/** Resolves to the exit code: 0 when all that was shown held. */
async function demo() {
  await setup('demo');
  const problem = sandboxProblem();
  if (problem !== '') return simulated(problem);
  await build(['executable']);
  return withSandbox('fairlead-demo', ['host', 'a', 'b'], ({ netns, folder }) => {
    const place = JSON.stringify({ folder, pods: { a: netns.a, b: netns.b } });
    return runNode26(STORY, ['real', place], ['nsenter', `--net=${netns.host}`]);
  });
}

process.exitCode = await demo().catch((error) => {
  console.error(`demo: ${error.message}`);
  return 1;
});
