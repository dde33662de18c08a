// SPDX-License-Identifier: Apache-2.0
// The key of a node: its file, who may read it, what becomes of one that is gone,
// and the command that makes another.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent } from '../../agent/overlay/command.ts';
import { KeyFile, keyPairOf, leavingKey } from '../../agent/overlay/keys.ts';

const keyOf = (i: number): string => Buffer.alloc(32, i).toString('base64');

describe('the file of the key', () => {
  const inFolder = (act: (key: KeyFile) => void): void => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-key-'));
    try {
      act(new KeyFile(join(folder, 'overlay', 'pods.key')));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test('is made once, for root alone, and made anew when that is asked for', () => {
    inFolder((key) => {
      const first = key.read();
      expect(statSync(key.path).mode & 0o777).toBe(0o600);
      expect(new KeyFile(key.path).read()).toEqual(first);
      const second = new KeyFile(key.path).make();
      expect(second.private_key).not.toBe(first.private_key);
      expect(key.read()).toEqual(second);
    });
  });

  test('takes the rights of nothing that was left under the temporary name', () => {
    inFolder((key) => {
      mkdirSync(dirname(key.path), { recursive: true });
      writeFileSync(join(dirname(key.path), `.${process.pid}.tmp`), 'left', { mode: 0o644 });
      key.make();
      expect(statSync(key.path).mode & 0o777).toBe(0o600);
      expect(readdirSync(dirname(key.path))).toEqual(['pods.key']);
    });
  });

  test('that is gone is told, and none is made in its place; the first one is logged', () => {
    inFolder(({ path }) => {
      const said: string[] = [];
      const key = new KeyFile(path, (msg) => said.push(msg));
      const { public_key } = key.read();
      expect(said).toEqual([`made a key of WireGuard, ${path}: its public half is ${public_key}`]);
      rmSync(path);
      expect(() => key.read()).toThrow(`${path} is gone: put it back`);
      expect(existsSync(path)).toBe(false);
      const made = new KeyFile(path).make();
      expect(key.read()).toEqual(made);
      expect(said).toHaveLength(1);
    });
  });

  test('is not needed to leave, and not made for it', () => {
    inFolder((key) => {
      const passing = leavingKey(key.path).read();
      expect(passing).toEqual(keyPairOf(passing.private_key));
      expect(existsSync(key.path)).toBe(false);
      expect(leavingKey(key.make() && key.path).read()).toEqual(key.read());
      writeFileSync(key.path, 'nothing\n');
      expect(leavingKey(key.path).read().public_key).toMatch(/=$/);
    });
  });

  test('with something else in it, or open to others, is an error and stays', () => {
    inFolder((key) => {
      key.make();
      writeFileSync(key.path, 'nothing\n', { mode: 0o600 });
      expect(() => key.read()).toThrow(`${key.path}: it holds no private key`);
      rmSync(key.path);
      writeFileSync(key.path, `${keyOf(1)}\n`, { mode: 0o644 });
      expect(() => key.read()).toThrow('chmod 600');
    });
  });

  test('the public half is that of wg(8)', () => {
    // What `wg pubkey` makes of the bytes 0 to 31.
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
    const { public_key } = keyPairOf(bytes.toString('base64'));
    expect(public_key).toBe('j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=');
  });
});

describe('fairlead agent rotate-key', () => {
  function rotated(type: string, ...more: string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-rotate-'));
    const said = ['', '', ''];
    try {
      const config = join(folder, 'agent.json');
      const net_conf = { Network: '10.244.0.0/16', Backend: { Type: type } };
      const source = { type: 'file', path: join(folder, 'nodes.json') };
      writeFileSync(config, JSON.stringify({ name: 'pods', 'net-conf': net_conf, source }));
      const words = ['rotate-key', '--config', config, '--disk-dir', folder, ...more];
      const never = (): never => {
        throw new Error('it starts no agent');
      };
      const status = runAgent(words, {
        ...{ module: never, kubernetes: never, task: never, exit: never, env: {} },
        write: (fd, text) => {
          said[fd] += text;
        },
      });
      const path = join(folder, 'overlay', 'pods.key');
      const key = type === 'wireguard' ? new KeyFile(path).read().public_key : '';
      return { status, out: said[1], error: said[2], key };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  test('prints the public half of the new key', () => {
    const { status, out, error, key } = rotated('wireguard');
    expect({ status, out, error }).toEqual({ status: 0, out: `${key}\n`, error: '' });
    const told = rotated('wireguard', '--log', 'json');
    expect(JSON.parse(told.out!)).toEqual({ public_key: told.key });
  });

  test('is for WireGuard alone', () => {
    const { status, out, error } = rotated('geneve');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(error).toContain('only "wireguard" has a key');
  });
});
