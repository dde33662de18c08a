// SPDX-License-Identifier: Apache-2.0
// The command line as a whole: what it says where no command is meant, or another than is written.
import { describe, expect, test } from 'vitest';
import { run } from './command-line.ts';

describe('help', () => {
  test.each([[], ['help'], ['--help'], ['-h'], ['help', '--help']])(
    '%j has every command',
    (...args) => {
      const { code, stdout, stderr } = run(...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const name of ['add', 'del', 'validate', 'install', 'version']) {
        expect(stdout).toContain(`\n  ${name} `);
      }
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    },
  );

  test('of a command is what the command says', () => {
    expect(run('help', 'del')).toEqual(run('del', '--help'));
    expect(run('help', 'rm')).toEqual(run('del', '--help'));
  });

  test('of a type has its keys', () => {
    expect(run('help', 'host-local').stdout).toMatch(/IPAM[\s\S]*\n {2}rangeStart\n/);
    expect(run('help', 'sriov').stdout).toContain('a plugin of others');
  });
});

describe('what is no command', () => {
  test.each([
    [['rm'], 'here it is del'],
    [['list'], 'here it is ls'],
    [['ps'], 'here it is ls'],
    [['vaildate'], 'did you mean "validate"?'],
    [['--verison'], 'there is no option'],
    [['help', 'bridg'], 'did you mean "bridge"?'],
  ])('%j is told with what there is', (args, words) => {
    const { code, stdout, stderr } = run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).toContain('There are networks, ls, ');
  });

  test('is JSON where that is asked for', () => {
    const { code, stdout, stderr } = run('rm', '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(JSON.parse(stdout).commands).toContain('del');
  });
});

test('--json leads to --output json', () => {
  expect(run('networks', '--json')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('write --output json'),
  });
});

test('options may stand before the command', () => {
  expect(run('--output', 'json', 'version')).toEqual(run('version', '--output', 'json'));
  expect(JSON.parse(run('-o', 'json', 'version').stdout)).toMatchObject({ version: '9.9.9' });
  expect(run('--version').stdout).toBe(run('version').stdout);
});
