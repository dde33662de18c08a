// SPDX-License-Identifier: Apache-2.0
// `fairlead completion`: what real shells make of the scripts, and that all three get every command
// and its options.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { need, programPath } from '../support/needs.ts';
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

const needsZsh = need(programPath('zsh') !== '', 'needs the package zsh');
const needsFish = need(programPath('fish') !== '', 'needs the package fish');

/** What zsh offers: the words that the script gives to what zsh completes with. */
function offeredByZsh(...words: string[]): string[] {
  const script = `compdef() { :; }; _files() { print -- FILES; }
_describe() { print -l -- \${(P)2%%:*}; }
compadd() { shift; print -l -- $@; }
eval "$(cat)"
words=(fairlead "$@"); CURRENT=$(( $# + 1 )); PREFIX=$words[-1]; _fairlead`;
  const input = run('completion', 'zsh').stdout;
  const said = execFileSync('zsh', ['-f', '-c', script, 'zsh', ...words], {
    input,
    encoding: 'utf8',
  });
  return said.split('\n').filter((line) => line !== '');
}

test.skipIf(needsZsh !== '')(`zsh reads it, and has commands and options ${needsZsh}`, () => {
  expect(offeredByZsh('')).toEqual(expect.arrayContaining(['add', 'doctor', 'uninstall']));
  const options = ['--help', '--output', '--path', '--strict'];
  expect(offeredByZsh('validate', '--')).toEqual(options);
  expect(offeredByZsh('validate', 'net')).toEqual(['FILES']);
});

test.skipIf(needsFish !== '')(`fish reads it, and has commands and options ${needsFish}`, () => {
  const offeredByFish = (line: string): string[] => {
    // Node's end is a socket, which fish reads no script from.
    const script = `cat | fish --no-config -c 'source; complete -C $argv[1]' "$1"`;
    const said = execFileSync('sh', ['-c', script, 'sh', line], {
      input: run('completion', 'fish').stdout,
      encoding: 'utf8',
    });
    return said.split('\n').filter((one) => one !== '');
  };
  const names = offeredByFish('fairlead unf').map((line) => line.split('\t')[0]);
  expect(names).toEqual(['unfuse']);
  expect(offeredByFish('fairlead doctor --f')).toEqual(['--fix']);
  expect(offeredByFish('fairlead version --f')).toEqual([]);
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
