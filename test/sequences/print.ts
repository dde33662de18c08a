// SPDX-License-Identifier: Apache-2.0
// A sequence that went wrong as a fixture, in the format of fixtures/README.md. What no fixture can
// say (a namespace that goes, a reboot, an operation that fails) is left to the state before: the
// fixture then begins after the last of these.
import type { Step } from '../support/fixture.ts';
import { formatTxtar } from '../support/txtar.ts';
import { BEFORE } from './networks.ts';
import type { Done, Failure } from './play.ts';

/** Files by name, each content once. */
class Files {
  readonly files = new Map<string, string>();

  add(wanted: string, content: string): string {
    for (let n = 1; ; n++) {
      const name = n === 1 ? `${wanted}.json` : `${wanted}-${n}.json`;
      const there = this.files.get(name);
      if (there !== undefined && there !== content) continue;
      this.files.set(name, content);
      return name;
    }
  }
}

/** What a step's line must say: all that is not a default. */
function words(step: Step, stdin: string): string[] {
  const { env } = step;
  const netns = env['CNI_NETNS'] ?? '';
  const found = /"type":\s*"([^"]+)"/.exec(stdin)?.[1];
  const wanted =
    step.command === 'GC' || step.command === 'STATUS'
      ? []
      : [
          `id=${env['CNI_CONTAINERID']}`,
          `netns=${netns.replace(/^\/run\/netns\//, '')}`,
          `ifname=${env['CNI_IFNAME']}`,
        ];
  return found === step.type ? wanted : [...wanted, `type=${step.type}`];
}

function withResult(stdin: string, result: string): string {
  const document = { ...JSON.parse(stdin), prevResult: JSON.parse(result) };
  return JSON.stringify(document, null, 2);
}

/**
 * The fixture of a failure. `found` says how it was found; the numbers of calls begin at the first
 * that the fixture has.
 */
export function fixtureOf(failure: Failure, found: string): string {
  const done = failure.done;
  const last = done.length - 1;
  const cut = done.findLastIndex((item, index) => index < last && item.words !== '');
  const shown = done.slice(cut + 1).filter((item) => item.call !== undefined);
  const skipped = done.slice(0, cut + 1).filter((item) => item.call !== undefined).length;
  const files = new Files();
  const lines = shown.map(({ call }) => {
    if (call === undefined) return '';
    const within = call.prev > skipped;
    const result = within ? undefined : failure.printed.get(call.prev);
    const stdin = result === undefined ? call.stdin : withResult(call.stdin, result);
    const name = files.add(call.label, `${stdin}\n`);
    const prev = within ? [`prev=${call.prev - skipped}`] : [];
    return [call.step.command, name, ...words(call.step, stdin), ...prev].join(' ');
  });
  const before = cut < 0 ? BEFORE : (done[cut]?.after ?? '');
  return formatTxtar({
    comment: comment(failure, found, done.slice(0, cut + 1)),
    files: new Map([['before', before], ['steps', `${lines.join('\n')}\n`], ...files.files]),
  });
}

function comment(failure: Failure, found: string, earlier: readonly Done[]): string {
  const final = failure.done.at(-1);
  const [first = ''] = failure.message.split('\n');
  const lines = ['What holds: to be said in this line.'];
  lines.push(`Found by ${found}.`, `It said: ${first.replace(/[:{ ]+$/, '')}`);
  if (final !== undefined && final.words !== '') {
    lines.push(`In the last step ${final.words}: the corpus lets every operation fail in turn.`);
  }
  if (earlier.length > 0) {
    const said = earlier.map((item) => item.words).filter((item) => item !== '');
    lines.push(`The state before comes of: ${said.join(', ')}.`);
  }
  lines.push('', 'referee: skip found by a random sequence', 'versions: written');
  return `${lines.join('\n')}\n`;
}
