// SPDX-License-Identifier: Apache-2.0
// Calls of a chain of plugins as a runtime makes them: one after the other, each with the result of
// the one before, or all in one call of the type `fairlead`. It knows no plugin's keys.
import type { Step } from './fixture.ts';
import type { World } from './world.ts';

export type Plugin = Readonly<Record<string, unknown>> & { readonly type: string };

/** How a chain is run. */
export type Style = 'one by one' | 'fused';

export interface Attached {
  readonly pod: string;
  readonly ifname: string;
  readonly plugins: readonly Plugin[];
}

function call(world: World, command: string, at: Attached, config: Plugin): string {
  const text = JSON.stringify({ cniVersion: '1.0.0', name: 'net', ...config });
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: at.pod,
    CNI_NETNS: `/run/netns/${at.pod}`,
    CNI_IFNAME: at.ifname,
    CNI_PATH: '/opt/cni/bin',
  };
  const step: Step = { number: 1, command, type: config.type, stdin: text, env, prev: 0 };
  const { exit_code, stdout } = world.run(step, text);
  if (exit_code !== 0) throw new Error(`${command} ${config.type}: ${stdout}`);
  return stdout;
}

/** The result of the chain as a runtime caches it. */
export function addChain(world: World, style: Style, at: Attached): unknown {
  let prevResult: unknown;
  const plugins = style === 'fused' ? [{ type: 'fairlead', plugins: at.plugins }] : at.plugins;
  for (const plugin of plugins) {
    const given = prevResult === undefined ? plugin : { ...plugin, prevResult };
    prevResult = JSON.parse(call(world, 'ADD', at, given));
  }
  return prevResult;
}

/** CHECK or DEL of a chain: CHECK in its order, DEL against it. */
export function chain(
  world: World,
  command: 'CHECK' | 'DEL',
  style: Style,
  at: Attached,
  prevResult: unknown,
): void {
  const plugins = style === 'fused' ? [{ type: 'fairlead', plugins: at.plugins }] : at.plugins;
  for (const plugin of command === 'DEL' ? plugins.toReversed() : plugins) {
    call(world, command, at, { ...plugin, prevResult });
  }
}
