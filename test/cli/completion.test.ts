// SPDX-License-Identifier: Apache-2.0
// `fairlead completion`: what a real bash makes of the script, and that all three shells get every
// command and its options.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { run } from './command-line.ts';

/** What bash offers after these words, the last of which is being written. */
function offered(...words: string[]): string[] {
  const script = `eval "$(cat)"
COMP_WORDS=(fairlead "$@"); COMP_CWORD=$#; _fairlead; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const input = run('completion', 'bash').stdout;
  const said = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], {
    input,
    encoding: 'utf8',
  });
  return said.split('\n').filter((line) => line !== '');
}

test('bash completes commands by their beginning', () => {
  expect(offered('unf')).toEqual(['unfuse']);
  expect(offered('')).toEqual(expect.arrayContaining(['add', 'doctor', 'uninstall', 'version']));
});

test('and the options of a command, not those of another', () => {
  expect(offered('doctor', '--f')).toEqual(['--fix']);
  expect(offered('validate', '--')).toEqual(['--help', '--output', '--path', '--strict']);
  expect(offered('version', '--fix')).toEqual([]);
});

test('what is no option is left to the shell, which has files', () => {
  expect(offered('validate', 'net')).toEqual([]);
});

test.each(['bash', 'zsh', 'fish'])('%s gets every command with its options', (shell) => {
  const { code, stdout } = run('completion', shell);
  expect(code).toBe(0);
  const commands = [...run('help').stdout.matchAll(/^ {2}([a-z-]+) .*\S/gm)].map(
    ([, name]) => name,
  );
  for (const name of commands.slice(0, commands.indexOf('help'))) {
    expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
  }
  expect(stdout).toMatch(shell === 'fish' ? / -l conf-dir$/m : /--conf-dir\b/);
});

test('a shell that is not known is wrong usage', () => {
  expect(run('completion', 'tcsh')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('"tcsh" is no shell known here: write bash, zsh or fish'),
  });
  expect(run('completion').code).toBe(2);
});
