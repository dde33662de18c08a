// SPDX-License-Identifier: Apache-2.0
// What an agent knows, on a screen for people. It owns the words and refuses to ask anybody.
import type { AgentState } from './plan.ts';

/** Problems on one screen; the rest is counted. */
const PROBLEMS_SHOWN = 10;

export function screenOf(state: AgentState): string {
  const rows: [string, string][] = [
    ['ready', state.ready ? 'yes' : 'no'],
    ['source', state.source_trouble === '' ? 'answers' : state.source_trouble],
    ['subnets', state.subnets.join(', ') || 'none yet'],
    ['networks', state.networks.join(', ')],
    ['nodes', `${state.served} of ${state.wanted} reached`],
    ['pod MTU', String(state.mtu_bytes)],
    ...state.underlay.map(({ dev, address, mtu_bytes }): [string, string] => [
      'underlay',
      `${dev} ${address} mtu ${mtu_bytes}`,
    ]),
    ...(state.public_key === '' ? [] : [['public key', state.public_key] as [string, string]]),
    ['repairs', `${state.repairs} in ${state.resyncs} looks, ${state.refused} refused`],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
  const problems = state.problems.map(
    ({ node, msg }) => `  ${node === '' ? 'here' : node}: ${msg}`,
  );
  if (problems.length > 0) lines.push('', 'problems', ...problems.slice(0, PROBLEMS_SHOWN));
  if (problems.length > PROBLEMS_SHOWN)
    lines.push(`  and ${problems.length - PROBLEMS_SHOWN} more`);
  return `${lines.join('\n')}\n`;
}
