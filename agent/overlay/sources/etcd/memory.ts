// SPDX-License-Identifier: Apache-2.0
// Which subnets a node had, on its disk: it claims them again, and none but them while pods of
// this boot may have addresses of them. It refuses to know etcd.
import { readFileSync } from 'node:fs';
import { replaceFile } from '../../publish.ts';

export interface Had {
  readonly subnets: readonly string[];
  /** Whether that was in this boot of the machine. */
  readonly bound: boolean;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export class Memory {
  readonly #path: string;
  readonly #boot_id: string;

  constructor(path: string, boot_id = readFileSync(BOOT_ID, 'utf8').trim()) {
    this.#path = path;
    this.#boot_id = boot_id;
  }

  /** Undefined when there is nothing, or nothing of use. */
  read(): Had | undefined {
    try {
      const said = JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, unknown> | null;
      const subnets = said?.['subnets'];
      if (!Array.isArray(subnets) || !subnets.every((one) => typeof one === 'string')) {
        return undefined;
      }
      return { subnets, bound: said?.['boot_id'] === this.#boot_id };
    } catch {
      return undefined;
    }
  }

  write(subnets: readonly string[]): void {
    replaceFile(this.#path, `${JSON.stringify({ subnets, boot_id: this.#boot_id })}\n`, 0o600);
  }
}
