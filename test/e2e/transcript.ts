// SPDX-License-Identifier: Apache-2.0
// What a client was recorded to do: its calls of plugins, in order, with their answers. It owns the
// format of fixtures/clients/transcripts and refuses what is of no call. It runs nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../fixtures/clients/transcripts', import.meta.url));

export interface RecordedCall {
  readonly number: number;
  readonly plugin: string;
  readonly exit_code: number;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly stdout: string;
}

export interface Transcript {
  /** The client and its version. */
  readonly name: string;
  /** What the client called. */
  readonly calls: readonly RecordedCall[];
  /** What one of these plugins called in turn: its IPAM plugin. */
  readonly delegated: readonly RecordedCall[];
}

type Growing = { -readonly [key in keyof RecordedCall]?: RecordedCall[key] };

/**
 * Calls at the same time interleave: a line of input or output is that of the first call which has
 * none yet.
 */
export function parseTranscript(text: string): RecordedCall[] {
  const calls: Growing[] = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const [, mark, rest = ''] = /^(#|IN |OUT) (.*)$/.exec(line) ?? [];
    if (mark === '#') {
      const { t: _, plugin, rc, ...env } = JSON.parse(rest);
      calls.push({ number: calls.length + 1, plugin, exit_code: rc, env });
      continue;
    }
    const key = mark === 'OUT' ? 'stdout' : 'stdin';
    const call = calls.find((one) => one[key] === undefined);
    if (call === undefined || mark === undefined) throw new Error(`of which call is ${line}?`);
    call[key] = rest;
  }
  const half = calls.find((call) => call.stdin === undefined || call.stdout === undefined);
  if (half) throw new Error(`call ${half.number} has no input or no output`);
  return calls as RecordedCall[];
}

/** A delegate reads the configuration of its caller, so the type in it is another's. */
function isDelegated(call: RecordedCall): boolean {
  const { type } = JSON.parse(call.stdin) as { type?: string };
  return type !== undefined && type !== call.plugin;
}

export function allTranscripts(): Transcript[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.txt'));
  return files.sort().map((file) => {
    const calls = parseTranscript(readFileSync(join(FOLDER, file), 'utf8'));
    return {
      name: file.replace(/\.txt$/, '').replace('-', ' '),
      calls: calls.filter((call) => !isDelegated(call)),
      delegated: calls.filter(isDelegated),
    };
  });
}
