// SPDX-License-Identifier: Apache-2.0
// The key of this node's WireGuard device: made here, kept in a file that root alone reads, and
// told to nobody but the kernel; others get its public half. It refuses to go on with a file that
// holds no key: to make another would cut the node off without a word.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { replaceFile } from './publish.ts';

const KEY_BYTES = 32;
const MODE = 0o600;
const OTHERS = 0o077;
/** What is before the 32 bytes of a private key of X25519 in PKCS #8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** Both halves in base64, as wg(8) writes them. */
export interface KeyPair {
  readonly private_key: string;
  readonly public_key: string;
}

export function keyPairOf(private_key: string): KeyPair {
  const bytes = Buffer.from(private_key, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== private_key) {
    throw new Error('it holds no private key of WireGuard');
  }
  const key = Buffer.concat([PKCS8_HEAD, bytes]);
  const whole = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
  const public_key = whole.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES);
  return { private_key, public_key: public_key.toString('base64') };
}

function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync('x25519');
  const bytes = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-KEY_BYTES);
  return bytes.toString('base64');
}

/** Whose key an agent has; an Error says why there is none. */
export interface KeySource {
  read(): KeyPair;
}

/**
 * For what takes a node's part away: the key of the file, by which a device may be known, or one
 * for the moment. No file is made, and none keeps a node from leaving.
 */
export function leavingKey(path: string): KeySource {
  let pair: KeyPair;
  try {
    pair = keyPairOf(readFileSync(path, 'utf8').trim());
  } catch {
    pair = keyPairOf(newPrivateKey());
  }
  return { read: () => pair };
}

export class KeyFile implements KeySource {
  readonly path: string;
  readonly #log: (msg: string) => void;
  /** Which file was read, to see that another is there. */
  #version = '';
  #pair: KeyPair | undefined;

  constructor(path: string, log: (msg: string) => void = () => {}) {
    this.path = path;
    this.#log = log;
  }

  /** Makes a key in the place of the one that is there, if any. */
  make(): KeyPair {
    replaceFile(this.path, `${newPrivateKey()}\n`, MODE);
    return this.read();
  }

  /**
   * The key of the file, which is made when there never was one; an Error says what is wrong with
   * it, and so when it is gone, as another key would cut the node off.
   */
  read(): KeyPair {
    let version: string;
    try {
      const { ino, mtimeNs, mode } = statSync(this.path, { bigint: true });
      if ((Number(mode) & OTHERS) !== 0) throw new Error('others may read it: chmod 600');
      version = `${ino} ${mtimeNs}`;
      if (version === this.#version && this.#pair !== undefined) return this.#pair;
      this.#pair = keyPairOf(readFileSync(this.path, 'utf8').trim());
      this.#version = version;
      return this.#pair;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.#absent();
      throw new Error(`${this.path}: ${(error as Error).message}`);
    }
  }

  #absent(): KeyPair {
    if (this.#pair !== undefined) {
      throw new Error(`${this.path} is gone: put it back, or make another key with rotate-key`);
    }
    const made = this.make();
    this.#log(`made a key of WireGuard, ${this.path}: its public half is ${made.public_key}`);
    return made;
  }
}
