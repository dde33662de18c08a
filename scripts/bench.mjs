// SPDX-License-Identifier: Apache-2.0
// `npm run bench`: Fairlead beside the reference plugins, the kernel's floor and an empty program.
// Runs under any Node from 20; it installs, builds, makes namespaces and shows what bench/run.mjs
// measured. docs/performance.md says how.
//     -- --rounds N            so many rounds
//     -- --only WORD[,WORD]    only rows whose name holds a word
//     -- --write               puts tables and chart into docs/
//     -- --profile             where the time of our calls goes, by strace
// It refuses to judge a change: numbers of a machine are for people, no test asserts them.
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chart } from '../bench/chart.mjs';
import { markdown, terminal } from '../bench/report.mjs';
import { APART, namespacesHere } from '../bench/world.mjs';
import { build } from '../tools/build.mjs';
import { sandboxProblem, withSandbox } from './sandbox.mjs';
import { node26, ROOT, runNode26, setup } from './setup.mjs';

const DOCUMENT = join(ROOT, 'docs/performance.md');
const CHART = 'performance.svg';
const RESULT = join(ROOT, 'dist/bench.json');
const GENERATED = /(<!-- bench:start[^>]*-->\n)[\s\S]*(<!-- bench:end -->)/;

/** An executable of the same Node with the same flags and nothing to do, by the build's plan. */
function buildEmpty() {
  const dist = (file) => join(ROOT, 'dist', file);
  const plan = JSON.parse(readFileSync(dist('.sea.json'), 'utf8'));
  writeFileSync(dist('.empty.mjs'), '');
  const empty = { ...plan, main: dist('.empty.mjs'), output: dist('.empty'), assets: {} };
  writeFileSync(dist('.empty.json'), JSON.stringify(empty));
  execFileSync(node26(), ['--build-sea', dist('.empty.json')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(dist('.empty'), dist('empty'));
}

function writeDocuments(bench) {
  const text = readFileSync(DOCUMENT, 'utf8');
  if (!GENERATED.test(text)) throw new Error('docs/performance.md has lost its markers');
  writeFileSync(join(ROOT, 'docs', CHART), chart(bench));
  writeFileSync(DOCUMENT, text.replace(GENERATED, `$1\n${markdown(bench, CHART)}\n\n$2`));
  console.log(`\nbench: wrote docs/performance.md and docs/${CHART}`);
}

function options() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '40' },
      only: { type: 'string', default: '' },
      write: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds wants a number from 1');
  const only = values.only.split(',').filter((word) => word !== '');
  if (values.write && (only.length > 0 || values.profile)) {
    throw new Error('--write wants a whole run: neither --only nor --profile');
  }
  return { ...values, rounds, only };
}

/** Runs bench/run.mjs in namespaces of its own; resolves to its exit code. */
function measured({ rounds, only, profile }) {
  return withSandbox('fairlead-bench', [], ({ folder }) => {
    const task = { folder, rounds, only, file: RESULT, node: namespacesHere(), profiled: profile };
    return runNode26('bench/run.mjs', [JSON.stringify(task)], APART);
  });
}

/** Resolves to the exit code. */
async function bench() {
  const wanted = options();
  await setup('bench');
  const problem = sandboxProblem();
  if (problem !== '') throw new Error(`nothing can be measured: ${problem}`);
  await build(['executable', 'native']);
  buildEmpty();
  rmSync(RESULT, { force: true });
  const code = await measured(wanted);
  if (code !== 0 || wanted.profile) return code;
  const result = JSON.parse(readFileSync(RESULT, 'utf8'));
  console.log(`\n${terminal(result)}`);
  if (wanted.write) writeDocuments(result);
  return 0;
}

process.exitCode = await bench().catch((error) => {
  console.error(`bench: ${error.message}`);
  return 1;
});
