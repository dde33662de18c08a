// SPDX-License-Identifier: Apache-2.0
// A node to try a configuration on: an uplink with an address and a default route, pods without
// interfaces, the configuration where a runtime looks for it. It knows nothing of Node, and reads
// of a configuration only its name.

export const CONF_DIR = '/etc/cni/net.d';
export const CACHE_DIR = '/var/lib/cni';
export const BIN_DIR = '/opt/cni/bin';

const UPLINK = `netns host
link eth0 up address 02:00:5e:10:00:01 mtu 1500 operstate up
addr 192.0.2.10/24 dev eth0
addr 2001:db8::10/64 dev eth0
route 0.0.0.0/0 via 192.0.2.1 dev eth0 proto static
route ::/0 via 2001:db8::1 dev eth0 proto static
`;

/** The state of such a node, with these namespaces, in the text of core-as/sim/text.ts. */
export function plainNode(pods: readonly string[]): string {
  return UPLINK + pods.map((pod) => `netns ${pod}\n`).join('');
}

/** What a text holds: a list, unless it is the configuration of a single plugin. */
export function suffixOf(text: string): '.conf' | '.conflist' {
  try {
    const { type, plugins } = JSON.parse(text) as { type?: unknown; plugins?: unknown };
    return type !== undefined || plugins === undefined ? '.conf' : '.conflist';
  } catch {
    return '.conflist';
  }
}

/** The name of the network of a configuration, "" when it has none that can be read. */
export function networkOf(text: string): string {
  try {
    const { name } = JSON.parse(text) as { name?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

/** Where a configuration is put that has no file of its own. */
export const configPath = (text: string): string => `${CONF_DIR}/10-this${suffixOf(text)}`;

/** A state with this configuration in place of the one that it had. */
export function withConfig(state: string, text: string): string {
  const others = state.split('\n').filter((line) => !line.startsWith(`file ${CONF_DIR}/10-this.`));
  while (others.at(-1) === '') others.pop();
  return `${others.join('\n')}\nfile ${configPath(text)} ${JSON.stringify(text)}\n`;
}
