// SPDX-License-Identifier: Apache-2.0
// `fairlead repair`: puts back what somebody flushed out of nftables, from the records. The core
// does it; this prints what it says.
import { parseArgs } from './args.ts';
import { count, EXIT_FAILED, guarded, type Io, tellFailure, wantsJson } from './io.ts';

const HELP = `fairlead repair: put back what somebody flushed out of nftables

Usage:
  fairlead repair [--output json]

  --output json     {"repaired": [{"network", "containerID", "ifname"}], "errors": […]}

For each attachment that lives and whose elements in our tables, or the tables themselves, are not
as its ADD left them: all of it is set again. Others' tables are not touched. Exit codes: 0 done, or
nothing to do; 1 something could not be restored; 2 wrong usage.
`;

interface Repaired {
  readonly repaired: readonly { network: string; containerID: string; ifname: string }[];
  readonly errors: readonly string[];
}

/** Runs `repair` and gives the exit code. */
export function runRepair(args: readonly string[], io: Io): number {
  return guarded('repair', args, io, () => {
    const { help: wanted, options } = parseArgs(args, { output: 'value' });
    if (wanted) {
      io.write(1, HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const answer = io.task('repair', {});
    if (answer.exit_code !== 0) return tellFailure('repair', io, answer, json);
    const { repaired, errors } = JSON.parse(answer.stdout) as Repaired;
    if (json) {
      io.write(1, `${answer.stdout}\n`);
    } else {
      for (const { network, containerID, ifname } of repaired) {
        io.write(1, `restored ${ifname} of container ${containerID} on network ${network}\n`);
      }
      io.write(1, `${count(repaired.length, 'attachment')} restored\n`);
      for (const error of errors) io.write(2, `fairlead repair: ${error}\n`);
    }
    return errors.length === 0 ? 0 : EXIT_FAILED;
  });
}
