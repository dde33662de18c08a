// SPDX-License-Identifier: Apache-2.0
// What doctor finds, and how it is printed. It looks at nothing.
import { paint } from '../io.ts';

export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  /** A name that stays: for scripts, and for docs/troubleshooting.md. */
  readonly id: string;
  readonly severity: Severity;
  /** What shows it, with names and values. */
  readonly evidence: string;
  /** What cures it: a command where there is one. */
  readonly cure: string;
  /** The task of the core that cures it and harms nobody. */
  readonly fix?: 'repair' | 'drain';
}

/** What was found, and what could not be looked at. */
export interface Looked {
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
}

export const joined = (parts: readonly Looked[]): Looked => ({
  findings: parts.flatMap(({ findings }) => findings),
  unseen: [...new Set(parts.flatMap(({ unseen }) => unseen))],
});

const COLOURS = { error: 'red', warning: 'yellow', info: 'bold' } as const;
const ORDER: readonly Severity[] = ['error', 'warning', 'info'];
const COLUMN = 9;

/** Findings for a person, the worst first: two lines each. */
export function printFindings({ findings, unseen }: Looked): string {
  const sorted = ORDER.flatMap((severity) => findings.filter((one) => one.severity === severity));
  const lines = sorted.flatMap(({ id, severity, evidence, cure }) => [
    `${paint(COLOURS[severity], severity.padEnd(COLUMN))}${paint('bold', id)}: ${evidence}`,
    `${' '.repeat(COLUMN)}${cure}`,
  ]);
  const missed = unseen.map((what) => `${'unseen'.padEnd(COLUMN)}${what}`);
  return [...lines, ...missed].map((line) => `${line}\n`).join('');
}
