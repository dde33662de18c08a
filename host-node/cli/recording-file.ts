// SPDX-License-Identifier: Apache-2.0
// A recording from its file, and what it is a recording of in the words of a person. It refuses
// files that no call wrote before it reads them.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import {
  FILE_MAX_BYTES,
  parseRecording,
  type Recording,
  RecordingError,
} from '../recording/format.ts';
import { OPEN_TO_READ } from '../sys/libc.ts';

/** Reads a file. Throws RecordingError when it is no recording, or cannot be read. */
export function readRecording(path: string): Recording {
  let fd = -1;
  let text: string;
  try {
    fd = openSync(path, OPEN_TO_READ);
    const info = fstatSync(fd);
    if (!info.isFile()) throw new RecordingError('no file: name a recording');
    if (info.size > FILE_MAX_BYTES) {
      const [size, most] = [info.size, FILE_MAX_BYTES].map((bytes) => `${bytes >> 20} MiB`);
      throw new RecordingError(`${size}, and no recording has more than ${most}`);
    }
    text = readFileSync(fd, 'utf8');
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError((error as Error).message);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
  return parseRecording(text);
}

/** What was called, for what. */
export interface Subject {
  readonly command: string;
  readonly type: string;
  readonly network: string;
  readonly containerID: string;
  readonly ifname: string;
  readonly netns: string;
}

/** The network's name in the configuration, "" when it has none that can be read. */
function networkOf({ lines }: Recording): string {
  const stdin = lines.find(({ op }) => op === 'host.stdin_read')?.value;
  try {
    const { name } = JSON.parse(String(stdin)) as { name?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

/** What a recording is of. */
export function subjectOf(recording: Recording): Subject {
  const { head } = recording;
  const { task, type, env } = head;
  if (task === undefined) {
    return {
      command: env['CNI_COMMAND'] ?? '',
      type,
      network: networkOf(recording),
      containerID: env['CNI_CONTAINERID'] ?? '',
      ifname: env['CNI_IFNAME'] ?? '',
      netns: env['CNI_NETNS'] ?? '',
    };
  }
  const text = (key: string): string => {
    const value = task.request[key];
    return typeof value === 'string' ? value : '';
  };
  return {
    command: task.name,
    type: 'fairlead',
    network: text('network'),
    containerID: text('containerID'),
    ifname: text('ifname'),
    netns: text('netns'),
  };
}
