// SPDX-License-Identifier: Apache-2.0
// A session as the fragment of a URL, and back: #1. and the base64url of deflated JSON. A fragment
// is not sent to any server. What comes in is taken for hostile: it is short, unfolds to little,
// has the one shape, and is shown before anything of it is run.
import { PODS } from './session.ts';

/** What is shared: the text and what was clicked, from which all else follows. */
export interface Shared {
  readonly conf: string;
  readonly calls: readonly SharedCall[];
}

export interface SharedCall {
  readonly command: 'add' | 'check' | 'del';
  readonly pod: string;
  /** Of an ADD: values by capability, as JSON. */
  readonly capabilities?: string;
  readonly fault?: { readonly n: number; readonly errno: number };
}

/** A configuration on the page is no longer; in bytes. */
export const CONF_LIMIT = 256 * 1024;
const FRAGMENT_LIMIT = 128 * 1024;
const JSON_LIMIT = CONF_LIMIT * 2;
const CALLS_LIMIT = 50;
const START = '#1.';

/** Why a fragment is not taken. */
export class ShareError extends Error {}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(transform).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > limit) {
      await reader.cancel();
      throw new ShareError('this link unfolds to more than the page takes');
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** The fragment of a session. */
export async function fragmentOf(shared: Shared): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  const packed = await through(bytes, new CompressionStream('deflate-raw'), FRAGMENT_LIMIT);
  let binary = '';
  for (const byte of packed) binary += String.fromCharCode(byte);
  const text = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  if (text.length > FRAGMENT_LIMIT) throw new ShareError('this is too much for a link');
  return START + text;
}

function callOf(value: unknown): SharedCall {
  const { command, pod, fault, capabilities } = (value ?? {}) as Record<string, unknown>;
  if (command !== 'add' && command !== 'check' && command !== 'del') {
    throw new ShareError('this link asks for a command that there is not');
  }
  if (typeof pod !== 'string' || !PODS.includes(pod)) {
    throw new ShareError('this link names a pod that there is not');
  }
  if (capabilities !== undefined && typeof capabilities !== 'string') {
    throw new ShareError('this link has capabilities that are no text');
  }
  const call = { command, pod, ...(capabilities === undefined ? {} : { capabilities }) } as const;
  if (fault === undefined) return call;
  const { n, errno } = (fault ?? {}) as Record<string, unknown>;
  if (!Number.isInteger(n) || !Number.isInteger(errno)) {
    throw new ShareError('this link has a fault that is none');
  }
  return { ...call, fault: { n: Number(n), errno: Number(errno) } };
}

function sharedOf(value: unknown): Shared {
  const { conf, calls } = (value ?? {}) as Record<string, unknown>;
  if (typeof conf !== 'string' || conf.length > CONF_LIMIT) {
    throw new ShareError('this link has no configuration, or too large a one');
  }
  if (!Array.isArray(calls) || calls.length > CALLS_LIMIT) {
    throw new ShareError('this link has no calls, or too many');
  }
  return { conf, calls: calls.map(callOf) };
}

/** What a fragment says; undefined when there is none. Throws ShareError. */
export async function readFragment(fragment: string): Promise<Shared | undefined> {
  if (fragment === '' || fragment === '#') return undefined;
  const text = fragment.slice(START.length);
  if (!fragment.startsWith(START) || !/^[\w-]*$/.test(text)) {
    throw new ShareError('this link is not one of this page, or of another version of it');
  }
  if (text.length > FRAGMENT_LIMIT) throw new ShareError('this link is too long');
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const packed = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const bytes = await through(packed, new DecompressionStream('deflate-raw'), JSON_LIMIT);
    return sharedOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    if (error instanceof ShareError) throw error;
    throw new ShareError('this link is damaged: it was cut off or changed on its way');
  }
}
