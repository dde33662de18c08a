// SPDX-License-Identifier: Apache-2.0
// The index of a lease folder (core-as/plugins/ipam/host-local/lease-index.ts) read by other code
// than the core's, and held against the lease files: what the next call would believe must be so.
import { isIP } from 'node:net';
import { OsError } from '../../host-node/abi/index.ts';
import type { StoreDriver } from '../../host-node/drivers/files.ts';

export const INDEX_ROOT = '/run/fairlead/leases';
const BUCKETS = 256;
const LIMIT_BYTES = 1 << 22;

function hash64(text: string): bigint {
  const cut = (value: bigint): bigint => BigInt.asUintN(64, value);
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = cut((hash ^ BigInt(byte)) * 0x100000001b3n);
  hash = cut((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn);
  hash = cut((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n);
  return hash ^ (hash >> 33n);
}
const hex = (value: bigint | number, digits: number): string =>
  value.toString(16).padStart(digits, '0');

/** Where the index of a lease folder lies. */
export function indexDir(dir: string): string {
  return `${INDEX_ROOT}/${hex(hash64(dir), 16)}`;
}

/** The file of the index that the leases of a container stand in. */
export function bucketOf(dir: string, containerID: string): string {
  return `${indexDir(dir)}/${hex(Number(hash64(containerID) % BigInt(BUCKETS)), 2)}`;
}

/** The line of a lease in it. */
export function lineOf(content: string, name: string): string {
  return `${hex(hash64(content.trim()), 16)} ${name}`;
}

/** The file of the lines. */
export function bucketText(lines: readonly string[]): string {
  const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  let sum = BigInt(text.length);
  const step = (word: bigint): void => {
    const mixed = sum ^ word;
    const turned = (mixed << 23n) | (mixed >> 41n);
    sum = BigInt.asUintN(64, BigInt.asUintN(64, turned) * 0xff51afd7ed558ccdn);
  };
  let at = 0;
  for (; at + 8 <= text.length; at += 8) step(text.readBigUInt64LE(at));
  for (; at < text.length; at++) step(BigInt(text[at] ?? 0));
  return `${text}${hex(sum, 16)}\n`;
}

/** A file's text; undefined when there is none. */
export function textOf(store: StoreDriver, path: string): string | undefined {
  try {
    return Buffer.from(store.file_read({ path, limit_bytes: LIMIT_BYTES })).toString();
  } catch (error) {
    if (error instanceof OsError) return undefined;
    throw error;
  }
}

function namesOf(store: StoreDriver, dir: string): string[] {
  try {
    return store.dir_list({ dir }) as string[];
  } catch (error) {
    if (error instanceof OsError) return [];
    throw error;
  }
}

/** The lines that the buckets must have, by file name, sorted. */
function wantedBuckets(store: StoreDriver, dir: string): Map<string, string[]> {
  const wanted = new Map<string, string[]>();
  for (const name of namesOf(store, dir)) {
    const content = isIP(name) === 0 ? '' : (textOf(store, `${dir}/${name}`) ?? '');
    if (content === '') continue;
    const [id = ''] = content.trim().split('\r\n');
    const bucket = bucketOf(dir, id).slice(-2);
    wanted.set(bucket, [...(wanted.get(bucket) ?? []), lineOf(content, name)].sort());
  }
  return wanted;
}

/** Addresses that a map of the index has as taken. */
export function takenIn(first: string, text: string): string[] {
  const taken: string[] = [];
  for (let i = 0; i < text.length * 6; i++) {
    if ((((text.charCodeAt(Math.floor(i / 6)) - 48) >> (i % 6)) & 1) === 0) continue;
    const [, head = ''] = /^(.*[.:])\d*$/.exec(first) ?? [];
    if (first.includes(':')) taken.push(i === 0 ? first : `${head}${i.toString(16)}`);
    else taken.push(`${first.split('.').slice(0, 2).join('.')}.${i >> 8}.${i & 255}`);
  }
  return taken;
}

/**
 * `none`: there is no index of the folder; `stale`: there is one that the next call does not
 * believe; `right`: it does, and may; any other text is what is wrong in one that it believes.
 */
export function audit(store: StoreDriver, dir: string): string {
  const at = indexDir(dir);
  const head = textOf(store, `${at}/index`);
  if (head === undefined) return 'none';
  const [title, folder, mark, filled = ''] = head.split('\n');
  if (title !== 'fairlead leases 3' || folder !== dir) return 'stale';
  let mtime = '';
  try {
    mtime = Buffer.from(store.file_mtime({ path: dir })).toString();
  } catch {
    return 'stale';
  }
  if (mtime !== mark) return 'stale';
  const wanted = wantedBuckets(store, dir);
  const there = new Set(namesOf(store, at));
  for (let i = 0; i < BUCKETS; i++) {
    const name = hex(i, 2);
    const text = there.has(name) ? textOf(store, `${at}/${name}`) : undefined;
    const lines = (text ?? '').split('\n').slice(0, -2);
    const right = wanted.get(name) ?? [];
    if (text !== undefined && text !== bucketText(lines)) return `${name} is damaged: ${text}`;
    // Which lease is of this boot the files do not say.
    const undated = lines.map((line) => line.replace('+', ' '));
    if (undated.sort().join() !== right.join()) {
      return `${name} has ${lines.join()} for ${right.join()}`;
    }
    const flag = ((Number.parseInt(filled[i >> 2] ?? '', 16) >> (i & 3)) & 1) === 1;
    if (flag !== right.length > 0) return `${name} counts as ${flag ? 'filled' : 'empty'}`;
  }
  for (const name of [...there].filter((map) => map.startsWith('taken.'))) {
    const map = takenIn(name.slice('taken.'.length), textOf(store, `${at}/${name}`) ?? '');
    const free = map.filter((ip) => (textOf(store, `${dir}/${ip}`) ?? '') === '');
    if (free.length > 0) return `${name} has ${free.join()} as taken`;
  }
  return 'right';
}

/** The folders of a state text that have leases or hints in them. */
export function leaseFolders(state: string): string[] {
  const found = state.matchAll(/^file (\/\S+)\/(?:[0-9a-f.:]+|last_reserved_ip\.\d+) "/gm);
  return [...new Set([...found].map(([, folder = '']) => folder))];
}

/** What is wrong in an index of a folder that the state text shows; "" when nothing is. */
export function indexProblem(store: StoreDriver, state: string): string {
  for (const dir of leaseFolders(state)) {
    const found = audit(store, dir);
    if (!['none', 'stale', 'right'].includes(found)) return `the index of ${dir}: ${found}`;
  }
  return '';
}
