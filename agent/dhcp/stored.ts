// SPDX-License-Identifier: Apache-2.0
// The leases of the DHCP daemon on disk: a file each, and a lock that one daemon at a time has. It
// refuses to read what they say.
import { createHash } from 'node:crypto';
import { OsError } from '../../host-node/abi/index.ts';
import { fileDriver } from '../../host-node/drivers/files.ts';
import { ENOENT } from '../../host-node/sys/libc.ts';

/** Letters of a hash that make a name: 128 bits. */
const NAME_LENGTH = 32;

function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, NAME_LENGTH);
}

export class Stored {
  readonly #files = fileDriver();
  readonly #dir: string;

  /** Takes the lock of the folder for a socket; OsError ETIMEDOUT while another daemon has it. */
  constructor(state_dir: string, socketpath: string) {
    this.#dir = `${state_dir}/dhcp/${nameOf(socketpath)}`;
    this.#files.dir_lock({ dir: this.#dir, create: 1, timeout_ms: 0 });
  }

  /** All that is there. */
  read(): string[] {
    const files = this.#files.file_list({ dir: this.#dir });
    return files.flatMap(({ content }) => (content === null || content === '' ? [] : [content]));
  }

  write(lease: string, text: string): void {
    const content = new TextEncoder().encode(text);
    this.#files.file_write({ path: this.#path(lease), content });
  }

  remove(lease: string): void {
    try {
      this.#files.file_remove({ path: this.#path(lease) });
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== ENOENT) throw error;
    }
  }

  /** Gives the lock back. */
  close(): void {
    this.#files.close();
  }

  #path(lease: string): string {
    return `${this.#dir}/${nameOf(lease)}`;
  }
}
