// SPDX-License-Identifier: Apache-2.0
// Programs called here that run in the other kernel: a folder of stand-ins for PATH, and what takes
// their calls over there. A call is files in a folder that both sides have; a line on a serial port
// says that there is one. One call at a time. A stand-in gives input, environment, output and exit
// code on; it refuses to know what the program is.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** All that touches a kernel's links, addresses, rules and namespaces in tests. */
const PROGRAMS = ['ip', 'bridge', 'tc', 'nft', 'nsenter', 'sh'];
/** The other end of the port that {@link portWords} gives qemu. */
const PORT = '/dev/ttyS1';

/** Words of qemu for the port: its two fifos are the files jobs.in and jobs.out. */
export function portWords(folder: string): string[] {
  const port = join(folder, 'jobs');
  return ['-chardev', `pipe,id=jobs,path=${port}`, '-serial', 'chardev:jobs'];
}

const standIn = (folder: string): string => `#!/bin/bash
PATH=\${PATH#"${folder}/programs:"}
exec 9>"${folder}/lock"
flock 9
cat >"${folder}/job.in"
{ export -p; printf '%q ' "\${0##*/}" "$@"; echo; } >"${folder}/job"
echo >"${folder}/jobs.in"
read -r code <"${folder}/jobs.out"
cat "${folder}/job.out"
cat "${folder}/job.err" >&2
exit "$code"
`;

/** Shell lines that take calls for ever. */
export function takeJobs(folder: string): string {
  const job = join(folder, 'job');
  return `exec 3<>${PORT}
stty raw -echo <&3
touch ${folder}/alive
while read -r _ <&3; do
  bash --norc ${job} <${job}.in >${job}.out 2>${job}.err 3>&-
  echo $? >&3
done
`;
}

/** Makes both ends here. Gives the environment in which programs are those of the other kernel. */
export function makeJobs(folder: string): NodeJS.ProcessEnv {
  const programs = join(folder, 'programs');
  const temporary = join(folder, 'tmp');
  for (const dir of [programs, temporary]) mkdirSync(dir);
  execFileSync('mkfifo', [join(folder, 'jobs.in'), join(folder, 'jobs.out')]);
  const script = join(folder, 'stand-in');
  writeFileSync(script, standIn(folder));
  chmodSync(script, 0o755);
  for (const name of PROGRAMS) symlinkSync(script, join(programs, name));
  const path = `${programs}:${process.env['PATH']}`;
  return { ...process.env, PATH: path, TMPDIR: temporary };
}
