// SPDX-License-Identifier: Apache-2.0
// The corpus: inputs that were wrong once, or that a random change hardly finds, by target. One
// file is one input, byte for byte, but for netlink replies, which stand as hexadecimal digits.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('corpus', import.meta.url));

/** Names and contents of a target's inputs. */
export function corpusOf(target: string): [name: string, content: Uint8Array][] {
  const folder = join(ROOT, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => [name, contentOf(readFileSync(join(folder, name)), name)]);
}

function contentOf(file: Buffer, name: string): Uint8Array {
  if (!name.endsWith('.hex')) return new Uint8Array(file);
  return new Uint8Array(Buffer.from(file.toString().replace(/\s+/g, ''), 'hex'));
}

/** Folders that there are. */
export const corpora = (): string[] => readdirSync(ROOT).sort();
