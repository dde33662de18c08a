// SPDX-License-Identifier: Apache-2.0
// Files and folders, and the lock of a folder.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const STORE = {
  dir_lock: {
    waits: true,
    params: { dir: 'str', create: 'bool', timeout_ms: 'i32' },
    reply: 'value',
    gives: 'a lock handle, >= 1',
    errors: ['ENOENT', 'ETIMEDOUT'],
    like: 'mkdir -p $dir; flock -x -w $timeout_ms $dir/lock',
    about:
      "Takes the exclusive flock on $dir/lock, host-local's own. create 0: ENOENT when the " +
      'folder is missing. After ETIMEDOUT the reply text says which process holds it.',
  },
  dir_unlock: {
    params: { lock: 'i32' },
    like: 'exec {lock}>&-',
    about: 'Gives the lock back.',
  },
  dir_make: {
    params: { dir: 'str' },
    like: 'mkdir -p $dir',
    about: 'Makes a folder (mode 0755) and those above it; one that is there is fine.',
  },
  file_before_boot: {
    params: { path: 'str' },
    reply: 'value',
    gives: '1 when the file was written before this machine was started, else 0',
    errors: ['ENOENT'],
    like: '[ $path -ot /proc/1 ]',
    about: 'Compares the time a file was last written with the boot time (btime of proc_stat(5)).',
  },
  file_mtime: {
    params: { path: 'str' },
    reply: 'text',
    gives: '1764248932.123456789: seconds since 1970, a point, nine digits',
    errors: ['ENOENT'],
    like: 'stat -L -c %.9Y $path',
    about:
      'The time a file was last written, or a name in a folder last made or removed, as the file ' +
      'system keeps it; links are followed.',
  },
  file_set_mtime: {
    params: { path: 'str', mtime: 'str' },
    errors: ['ENOENT', 'EINVAL', 'EPERM'],
    like: 'touch -c -m -d @$mtime $path',
    about:
      'Sets the time that file_mtime gives, of a file or folder, to the nanosecond if the file ' +
      'system can; the time of the last access stays. EINVAL: another form of text.',
  },
  dir_list: {
    params: { dir: 'str' },
    reply: 'str[]',
    gives: 'names, sorted bytewise',
    errors: ['ENOENT', 'ENOTDIR'],
    like: 'find -L $dir -maxdepth 1 -type f -printf "%f\\n"',
    about: 'Names of the regular files of a folder, links followed.',
  },
  subdir_list: {
    params: { dir: 'str' },
    reply: 'str[]',
    gives: 'names, sorted bytewise',
    errors: ['ENOENT', 'ENOTDIR'],
    like: 'find -L $dir -mindepth 1 -maxdepth 1 -type d -printf "%f\\n"',
    about: 'Names of the folders of a folder, links followed: sysfs says by them what there is.',
  },
  file_list: {
    params: { dir: 'str' },
    reply: 'NamedText[]',
    gives: 'by name',
    errors: ['ENOENT'],
    like: 'tail -n +1 $dir/*',
    about:
      'Regular files of a folder with their text; the content of one that is longer than 64 KiB ' +
      'or no UTF-8 is null.',
  },
  file_read: {
    params: { path: 'str', limit_bytes: 'i32' },
    reply: 'bytes',
    gives: 'the content',
    errors: ['ENOENT', 'EISDIR', 'EFBIG'],
    like: 'cat $path',
    about: 'Reads a file; EFBIG when it is larger than the limit.',
  },
  file_create: {
    params: { path: 'str', content: 'bytes', replace_empty: 'bool' },
    errors: ['EEXIST', 'ENOENT', 'ENOSPC'],
    like: 'set -C; cat > $path',
    about:
      'Makes a file (mode 0600) with its content at once: a reader sees all of it or no file. ' +
      'replace_empty 1 takes the place of a zero-byte file, the trace of a crashed writer.',
  },
  file_write: {
    params: { path: 'str', content: 'bytes' },
    errors: ['ENOENT', 'ENOSPC'],
    like: 'cat > $path.new; mv $path.new $path',
    about: 'Replaces a file (mode 0600) at once.',
  },
  file_rewrite: {
    params: { path: 'str', content: 'bytes' },
    errors: ['ENOENT', 'ENOSPC'],
    like: 'cat > $path',
    about:
      'Gives a regular file another content in place, which is much cheaper on a disk; else as ' +
      'file_write. Who is killed meanwhile leaves a mixture, so it is for hints and caches that ' +
      'are read under the lock they are written under.',
  },
  file_remove: {
    params: { path: 'str' },
    errors: ['ENOENT'],
    like: 'rm $path',
    about: 'Removes a file.',
  },
} as const satisfies Rows;
