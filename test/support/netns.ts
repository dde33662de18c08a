// SPDX-License-Identifier: Apache-2.0
// Network namespaces for tests, as new as they can be: IPv4 forwarding, which one inherits from a
// machine that forwards, is off in them. It refuses to know what they are for.
import { readFileSync } from 'node:fs';
import { outputOf } from './shell.ts';

const forwards = (): boolean => readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8') === '1\n';

/** Makes namespaces by their `ip netns` names. */
export function netnsAdd(...names: readonly string[]): void {
  const off = forwards();
  const lines = names.flatMap((name) => {
    const sysctl = `netns exec ${name} sysctl -qw net.ipv4.ip_forward=0`;
    return off ? [`netns add ${name}`, sysctl] : [`netns add ${name}`];
  });
  outputOf(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Takes them away; of one that is gone already it throws once the others are. */
export function netnsDel(...names: readonly string[]): void {
  const input = names.map((name) => `netns del ${name}\n`).join('');
  outputOf(['ip', '-force', '-batch', '-'], { input });
}
