// SPDX-License-Identifier: Apache-2.0
// Where the time of one ADD and one DEL goes: every system call that takes long, with the gap
// before it, as strace sees them. strace makes each slower; the proportions are what to look at.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from './calls.mjs';
import { measure } from './process.mjs';
import { runUnder } from './proof.mjs';

/** What takes less is summed up by name. */
const LONG_US = 60;
const LINE = /^(\d+) +(\d+\.\d+) (\w+)\((.*?)(?:\) += +(-?\d+|\?).*?)?(?:<(\d+\.\d+)>)?$/;
const MESSAGE = /nlmsg_type=([^,]+)/;
const MAX_DETAIL = 70;

/** The calls of all processes in the order of their start: microseconds, name, words. */
function parse(text) {
  const calls = text.split('\n').flatMap((line) => {
    const [, pid, at, name, words, , took] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ pid, at_us: Number(at) * 1e6, name, words, took_us: Number(took ?? 0) * 1e6 }];
  });
  return calls;
}

function detail({ words }) {
  const message = MESSAGE.exec(words)?.[1];
  return (message ?? words.replaceAll(/\s+/g, ' ')).slice(0, MAX_DETAIL);
}

function show(calls) {
  const [first] = calls;
  let end_us = first.at_us;
  const short = new Map();
  for (const call of calls) {
    const { at_us, took_us, name, pid } = call;
    const gap_us = at_us - end_us;
    if (took_us >= LONG_US || gap_us >= LONG_US) {
      const cells = [(at_us - first.at_us) / 1000, gap_us / 1000, took_us / 1000];
      const [at, gap, took] = cells.map((ms) => ms.toFixed(2).padStart(8));
      console.log(`${at} ${gap} ${took}  ${pid} ${name} ${detail(call)}`);
    } else {
      const { count, sum_us } = short.get(name) ?? { count: 0, sum_us: 0 };
      short.set(name, { count: count + 1, sum_us: sum_us + took_us });
    }
    end_us = Math.max(end_us, at_us + took_us);
  }
  console.log(`${((end_us - first.at_us) / 1000).toFixed(2).padStart(8)}  end`);
  const rest = [...short].toSorted(([, a], [, b]) => b.sum_us - a.sum_us);
  const words = rest.map(
    ([name, { count, sum_us }]) => `${count} ${name} ${(sum_us / 1000).toFixed(2)} ms`,
  );
  console.log(`shorter ones: ${words.join(', ')}\n`);
}

/** Prints it for the native host, or Node where it is not built, and for the floor. */
export function profile(rows, sides, folder) {
  const file = join(folder, 'profile');
  const args = ['-f', '-qq', '-ttt', '-T', '-s', '48', '-o', file];
  const shown = ['floor', sides.native ? 'native' : 'node'];
  for (const { name, runners } of rows) {
    for (const { side, mode, chain } of runners.filter((runner) => shown.includes(runner.side))) {
      // The first makes what stays.
      for (const command of COMMANDS) chain.run(command, measure);
      for (const command of COMMANDS) {
        console.log(`${name} ${mode ?? ''} ${command}, ${side}\n   at ms   gap ms  call ms`);
        chain.run(command, (call) => {
          runUnder('strace', args, call);
          show(parse(readFileSync(file, 'utf8')));
        });
      }
    }
  }
}
