// SPDX-License-Identifier: Apache-2.0
// The store operations on a real folder, the state read back with node:fs and flock(1).

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { fileDriver } from '../../host-node/drivers/files.ts';

const [ENOENT, EBADF, EEXIST, EISDIR, EINVAL, EFBIG, ETIMEDOUT] = [2, 9, 17, 21, 22, 27, 110];

let root: string;
let store: ReturnType<typeof fileDriver>;
let children: ChildProcess[] = [];

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'fl-files-'));
  store = fileDriver({ root });
});

afterEach(() => {
  store.close();
  for (const child of children) {
    child.kill('SIGKILL');
    child.stdin!.end();
  }
  children = [];
  fs.rmSync(root, { recursive: true, force: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);
const real = (path: string) => root + path;
const read = (path: string) => fs.readFileSync(real(path), 'utf8');
const mode = (path: string) => fs.statSync(real(path)).mode & 0o777;

function failure(action: () => unknown): OsError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OsError);
    return error as OsError;
  }
  throw new Error('it did not fail');
}

/** Whether another process can take the lock now. */
function lockIsFree(path: string): boolean {
  try {
    execFileSync('flock', ['-n', real(path), 'true']);
    return true;
  } catch {
    return false;
  }
}

/** A process that holds a lock until it is killed; resolves once it does. */
async function holdLock(path: string): Promise<ChildProcess> {
  // flock -o does not hand the lock's descriptor to its child, so that its own death frees it.
  // What it runs ends with its standard input, so that nothing outlives the test.
  const args = ['-o', real(path), 'sh', '-c', 'echo held; exec cat > /dev/null'];
  const child = spawn('flock', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((done) => child.stdout!.once('data', done));
  return child;
}

describe('dir_lock', () => {
  test('makes the folder and its lock with the modes of host-local', () => {
    const umask = process.umask(0);
    try {
      const lock = store.dir_lock({ dir: '/var/lib/cni/networks/a', create: 1, timeout_ms: 0 });
      expect(lock).toBeGreaterThanOrEqual(1);
    } finally {
      process.umask(umask);
    }
    expect(mode('/var/lib/cni/networks/a')).toBe(0o755);
    expect(mode('/var/lib/cni')).toBe(0o755);
    expect(mode('/var/lib/cni/networks/a/lock')).toBe(0o750);
  });

  test('without create a missing folder is ENOENT and stays missing', () => {
    const error = failure(() => store.dir_lock({ dir: '/a', create: 0, timeout_ms: 0 }));
    expect(error.errno).toBe(ENOENT);
    expect(fs.readdirSync(root)).toEqual([]);
  });

  test('keeps others out until it is given back', () => {
    const lock = store.dir_lock({ dir: '/a', create: 1, timeout_ms: 0 });
    expect(lockIsFree('/a/lock')).toBe(false);
    store.dir_unlock({ lock });
    expect(lockIsFree('/a/lock')).toBe(true);
    expect(failure(() => store.dir_unlock({ lock })).errno).toBe(EBADF);
  });

  test('two folders are two locks, and close gives back what is held', () => {
    const one = store.dir_lock({ dir: '/a', create: 1, timeout_ms: 0 });
    const two = store.dir_lock({ dir: '/b', create: 1, timeout_ms: 0 });
    expect(one).not.toBe(two);
    store.close();
    expect(lockIsFree('/a/lock') && lockIsFree('/b/lock')).toBe(true);
  });

  test('a held lock is ETIMEDOUT after the time, naming who holds it', async () => {
    fs.mkdirSync(real('/a'));
    const holder = await holdLock('/a/lock');
    const start = Date.now();
    const error = failure(() => store.dir_lock({ dir: '/a', create: 1, timeout_ms: 150 }));
    expect(error.errno).toBe(ETIMEDOUT);
    expect(Date.now() - start).toBeGreaterThanOrEqual(149);
    expect(Date.now() - start).toBeLessThan(1000);
    expect(error.text).toContain(`process ${holder.pid} (flock)`);
    expect(failure(() => store.dir_lock({ dir: '/a', create: 0, timeout_ms: 0 })).errno).toBe(
      ETIMEDOUT,
    );
  });

  test('a lock freed meanwhile is taken', async () => {
    fs.mkdirSync(real('/a'));
    const holder = await holdLock('/a/lock');
    // This thread waits without an event loop, so another process does the killing.
    spawn('sh', ['-c', `sleep 0.1; kill ${holder.pid}`], { stdio: 'ignore' });
    const lock = store.dir_lock({ dir: '/a', create: 0, timeout_ms: 5000 });
    expect(lockIsFree('/a/lock')).toBe(false);
    store.dir_unlock({ lock });
  });

  test('a driver in one process excludes a second one', () => {
    const other = fileDriver({ root });
    const lock = store.dir_lock({ dir: '/a', create: 1, timeout_ms: 0 });
    const error = failure(() => other.dir_lock({ dir: '/a', create: 1, timeout_ms: 5 }));
    expect(error.text).toContain(`process ${process.pid} `);
    store.dir_unlock({ lock });
    other.dir_unlock({ lock: other.dir_lock({ dir: '/a', create: 1, timeout_ms: 0 }) });
  });
});

describe('file_mtime and file_set_mtime', () => {
  const mtime = (path: string) => Buffer.from(store.file_mtime({ path })).toString();

  test('tell and set a time to the nanosecond, and leave that of the last access', () => {
    fs.mkdirSync(real('/n'));
    fs.writeFileSync(real('/n/f'), '');
    for (const path of ['/n', '/n/f']) {
      const { atimeNs } = fs.statSync(real(path), { bigint: true });
      store.file_set_mtime({ path, mtime: '1764248932.123456789' });
      expect(mtime(path)).toBe('1764248932.123456789');
      const shown = execFileSync('stat', ['-c', '%.9Y', real(path)], { encoding: 'utf8' });
      expect(shown.trim()).toBe('1764248932.123456789');
      expect(fs.statSync(real(path), { bigint: true }).atimeNs).toBe(atimeNs);
    }
    execFileSync('touch', ['-c', '-m', '-d', '@1700000000.000000001', real('/n')]);
    expect(mtime('/n')).toBe('1700000000.000000001');
  });

  test('refuse what is no time, and what is not there', () => {
    for (const text of ['', '1', '1.5', '1.0000000000', '-1.000000000', '12345678901.000000000']) {
      const set = () => store.file_set_mtime({ path: '/', mtime: text });
      expect(failure(set).errno, text).toBe(EINVAL);
    }
    const set = () => store.file_set_mtime({ path: '/n', mtime: '1.000000000' });
    expect(failure(set).errno).toBe(ENOENT);
    expect(failure(() => store.file_mtime({ path: '/n' })).errno).toBe(ENOENT);
  });
});

describe('file_list', () => {
  test('gives texts of at most 64 KiB, null for longer ones and what is no text', () => {
    fs.mkdirSync(real('/l'));
    fs.writeFileSync(real('/l/most'), 'x'.repeat(65536));
    fs.writeFileSync(real('/l/more'), 'x'.repeat(65537));
    fs.writeFileSync(real('/l/bytes'), Uint8Array.of(0xff));
    expect(store.file_list({ dir: '/l' })).toEqual([
      { name: 'bytes', content: null },
      { name: 'more', content: null },
      { name: 'most', content: 'x'.repeat(65536) },
    ]);
  });
});

describe('file_read', () => {
  test('gives the bytes, up to the limit', () => {
    const content = Uint8Array.from({ length: 10_000 }, (_, i) => i);
    fs.writeFileSync(real('/f'), content);
    expect(Buffer.from(store.file_read({ path: '/f', limit_bytes: 10_000 }))).toEqual(
      Buffer.from(content),
    );
    expect(failure(() => store.file_read({ path: '/f', limit_bytes: 9_999 })).errno).toBe(EFBIG);
    fs.writeFileSync(real('/empty'), '');
    expect(store.file_read({ path: '/empty', limit_bytes: 0 })).toHaveLength(0);
    expect(failure(() => store.file_read({ path: '/f', limit_bytes: -1 })).errno).toBe(EINVAL);
  });

  test('a file that hides its size is read to its end, or to the limit', () => {
    const proc = fileDriver();
    const expected = fs.readFileSync('/proc/kallsyms').length;
    const got = proc.file_read({ path: '/proc/kallsyms', limit_bytes: 1 << 28 });
    expect(got.length).toBe(expected);
    const error = failure(() => proc.file_read({ path: '/proc/kallsyms', limit_bytes: 5000 }));
    expect(error.errno).toBe(EFBIG);
  });

  test('what is not a regular file is refused, and a fifo is not waited for', () => {
    fs.mkdirSync(real('/d'));
    execFileSync('mkfifo', [real('/fifo')]);
    expect(failure(() => store.file_read({ path: '/d', limit_bytes: 9 })).errno).toBe(EISDIR);
    expect(failure(() => store.file_read({ path: '/fifo', limit_bytes: 9 })).errno).toBe(EINVAL);
    expect(failure(() => store.file_read({ path: '/none', limit_bytes: 9 })).errno).toBe(ENOENT);
  });
});

describe('file_create', () => {
  const create = (path: string, content: string, replace_empty = 0) =>
    store.file_create({ path, content: bytes(content), replace_empty });

  test('makes the file whole, mode 0600, and leaves nothing else', () => {
    create('/10.0.0.2', 'id\r\neth0');
    expect(read('/10.0.0.2')).toBe('id\r\neth0');
    expect(mode('/10.0.0.2')).toBe(0o600);
    expect(fs.statSync(real('/10.0.0.2')).nlink).toBe(1);
    expect(fs.readdirSync(root)).toEqual(['10.0.0.2']);
  });

  test('an existing file is EEXIST and stays as it was', () => {
    fs.writeFileSync(real('/f'), 'old');
    fs.writeFileSync(real('/empty'), '');
    expect(failure(() => create('/f', 'new')).errno).toBe(EEXIST);
    expect(failure(() => create('/f', 'new', 1)).errno).toBe(EEXIST);
    expect(failure(() => create('/empty', 'new')).errno).toBe(EEXIST);
    expect([read('/f'), read('/empty')]).toEqual(['old', '']);
    expect(fs.readdirSync(root).sort()).toEqual(['empty', 'f']);
  });

  test('replace_empty takes the place of an empty file, not of a folder or a link', () => {
    fs.writeFileSync(real('/empty'), '');
    fs.mkdirSync(real('/dir'));
    fs.symlinkSync('empty', real('/link'));
    expect(failure(() => create('/dir', 'x', 1)).errno).toBe(EEXIST);
    expect(failure(() => create('/link', 'x', 1)).errno).toBe(EEXIST);
    create('/empty', 'x', 1);
    expect(read('/empty')).toBe('x');
    expect(mode('/empty')).toBe(0o600);
    expect(fs.readdirSync(root).sort()).toEqual(['dir', 'empty', 'link']);
  });

  test('a missing folder is ENOENT', () => {
    expect(failure(() => create('/none/f', 'x')).errno).toBe(ENOENT);
  });

  test.skipIf(process.getuid!() !== 0)('a full file system is ENOSPC and keeps no rest', () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'fl-test', root]);
    try {
      fs.writeFileSync(real('/old'), 'old');
      const big = new Uint8Array(200_000);
      const made = failure(() => store.file_create({ path: '/f', content: big, replace_empty: 0 }));
      expect(made.errno).toBe(28);
      expect(failure(() => store.file_write({ path: '/old', content: big })).errno).toBe(28);
      expect(fs.readdirSync(root)).toEqual(['old']);
      expect(read('/old')).toBe('old');
    } finally {
      execFileSync('umount', [root]);
    }
  });
});

describe('file_write and file_remove', () => {
  test('a file is replaced at once: a reader keeps what it opened', () => {
    fs.writeFileSync(real('/f'), 'old', { mode: 0o644 });
    const fd = fs.openSync(real('/f'), 'r');
    store.file_write({ path: '/f', content: bytes('new') });
    expect(fs.readFileSync(fd, 'utf8')).toBe('old');
    fs.closeSync(fd);
    expect([read('/f'), mode('/f')]).toEqual(['new', 0o600]);
    store.file_write({ path: '/g', content: bytes('') });
    expect(read('/g')).toBe('');
    expect(fs.readdirSync(root).sort()).toEqual(['f', 'g']);
  });

  test('a write that fails leaves no temporary', () => {
    fs.mkdirSync(real('/d'));
    expect(failure(() => store.file_write({ path: '/d', content: bytes('x') })).errno).toBe(EISDIR);
    expect(failure(() => store.file_write({ path: '/n/f', content: bytes('x') })).errno).toBe(
      ENOENT,
    );
    expect(fs.readdirSync(root)).toEqual(['d']);
  });

  test('a file is rewritten in place: same file, mode and folder', () => {
    fs.writeFileSync(real('/f'), 'a long one', { mode: 0o644 });
    const before = fs.statSync(real('/f')).ino;
    store.file_rewrite({ path: '/f', content: bytes('new') });
    expect([read('/f'), mode('/f')]).toEqual(['new', 0o644]);
    store.file_rewrite({ path: '/f', content: bytes('and longer') });
    expect([read('/f'), fs.statSync(real('/f')).ino]).toEqual(['and longer', before]);
    store.file_rewrite({ path: '/g', content: bytes('made') });
    expect([read('/g'), mode('/g')]).toEqual(['made', 0o600]);
    expect(fs.readdirSync(root).sort()).toEqual(['f', 'g']);
  });

  test('what is no regular file is not rewritten, nor is what a symbolic link leads to', () => {
    fs.mkdirSync(real('/d'));
    fs.writeFileSync(real('/t'), 'kept');
    fs.symlinkSync(real('/t'), real('/l'));
    const content = bytes('x');
    expect(failure(() => store.file_rewrite({ path: '/d', content })).errno).toBe(EISDIR);
    expect(failure(() => store.file_rewrite({ path: '/n/f', content })).errno).toBe(ENOENT);
    store.file_rewrite({ path: '/l', content });
    expect([read('/t'), read('/l')]).toEqual(['kept', 'x']);
    expect(fs.readdirSync(root).sort()).toEqual(['d', 'l', 't']);
  });

  test('a file is removed, a missing one is ENOENT', () => {
    fs.writeFileSync(real('/f'), '');
    store.file_remove({ path: '/f' });
    expect(fs.existsSync(real('/f'))).toBe(false);
    expect(failure(() => store.file_remove({ path: '/f' })).errno).toBe(ENOENT);
  });
});

test.each(['', 'a', './a', '/a/../b', '/..', '/a\0b'])(
  'the path %j is EINVAL everywhere',
  (path) => {
    const content = bytes('x');
    const all = [
      () => store.dir_lock({ dir: path, create: 1, timeout_ms: 0 }),
      () => store.file_mtime({ path }),
      () => store.file_set_mtime({ path, mtime: '1.000000000' }),
      () => store.file_read({ path, limit_bytes: 1 }),
      () => store.file_create({ path, content, replace_empty: 0 }),
      () => store.file_write({ path, content }),
      () => store.file_rewrite({ path, content }),
      () => store.file_remove({ path }),
    ];
    for (const action of all) expect(failure(action).errno).toBe(EINVAL);
    expect(fs.readdirSync(root)).toEqual([]);
  },
);
