// SPDX-License-Identifier: Apache-2.0
// A call of a plugin for a container that is named as its namespace, where no fixture says more. It
// judges no answer.
import type { Step } from './fixture.ts';

export const podEnv = (command: string, pod: string) => ({
  CNI_COMMAND: command,
  CNI_CONTAINERID: pod,
  CNI_NETNS: `/run/netns/${pod}`,
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
});

/** Makes the call in a world. */
export function callFor<T>(
  world: { run(step: Step, stdin: string): T },
  command: string,
  pod: string,
  config: { readonly type: string },
): T {
  const stdin = JSON.stringify(config);
  const { type } = config;
  return world.run({ number: 1, command, type, stdin, env: podEnv(command, pod), prev: 0 }, stdin);
}
