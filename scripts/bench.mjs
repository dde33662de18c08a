// `npm run bench`: Fairlead beside the reference plugins and an empty executable. Runs under any
// Node from 20; it installs, builds, makes the namespaces and shows what bench/run.mjs measured.
// `-- --rounds N` sets the rounds; `-- --write` puts the table into docs/performance.md.
// It refuses to judge a change: numbers of a machine are for people, no test asserts them.
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdown, table } from '../bench/report.mjs';
import { sandboxProblem, withSandbox } from './sandbox.mjs';
import { build, node26, ROOT, runNode26, setup } from './setup.mjs';

const DOCUMENT = join(ROOT, 'docs/performance.md');
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

function writeDocument(bench) {
  const text = readFileSync(DOCUMENT, 'utf8');
  if (!GENERATED.test(text)) throw new Error('docs/performance.md has lost its markers');
  writeFileSync(DOCUMENT, text.replace(GENERATED, `$1\n${markdown(bench)}\n\n$2`));
  console.log('\nbench: wrote docs/performance.md');
}

function options() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '40' },
      write: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds wants a number from 1');
  return { rounds, write: values.write };
}

/** Resolves to the exit code. */
async function bench() {
  const { rounds, write } = options();
  await setup('bench');
  const problem = sandboxProblem();
  if (problem !== '') throw new Error(`nothing can be measured: ${problem}`);
  await build(['core', 'sim', 'bundle', 'executable']);
  buildEmpty();
  const code = await withSandbox('fairlead-bench', ['host', 'a', 'b'], ({ netns, folder }) => {
    const pods = { fairlead: netns.a, reference: netns.b };
    const task = JSON.stringify({ folder, pods, rounds, file: RESULT });
    return runNode26('bench/run.mjs', [task], ['nsenter', `--net=${netns.host}`]);
  });
  if (code !== 0) return code;
  const measured = JSON.parse(readFileSync(RESULT, 'utf8'));
  console.log(`\n${table(measured)}`);
  if (write) writeDocument(measured);
  return 0;
}

process.exitCode = await bench().catch((error) => {
  console.error(`bench: ${error.message}`);
  return 1;
});
