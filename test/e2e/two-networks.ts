// SPDX-License-Identifier: Apache-2.0
// The host of the tests of traces, a namespace of their own: two networks, of a bridge and of ptp,
// and containers p1 (blue), p2 (green) and p3 (red) in them that serve. It refuses to judge.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE } from '../support/hosts.ts';

const ipam = (subnet: string) => ({ type: 'host-local', subnet, routes: [{ dst: '0.0.0.0/0' }] });
const MAINS = {
  bridged: { type: 'bridge', bridge: 'br0', isGateway: true, ipam: ipam('10.61.2.0/24') },
  routed: { type: 'ptp', ipam: ipam('10.61.3.0/24') },
};
const PORT = '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}';

/** Writes the lists of both networks into a folder; `more` comes after portmap. */
export function writeNetworks(folder: string, more: readonly object[] = []): void {
  for (const [name, main] of Object.entries(MAINS)) {
    const portmap = { type: 'portmap', capabilities: { portMappings: true } };
    const plugins = [{ ipMasq: true, ...main }, portmap, ...more];
    const list = { cniVersion: '1.0.0', name, plugins };
    writeFileSync(join(folder, `${name}.conflist`), JSON.stringify(list));
  }
}

/** Shell lines that make it; $SERVE is what the containers run. Theirs end with the shell. */
export const hostLines = (folder: string): string => `
  mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib
  ip link set lo up; for ns in p1 p2 p3; do ip netns add $ns; done
  add() { "${NODE.program}" add "$@" --conf-dir "${folder}" >/dev/null; }
  add bridged p1 --container-id blue --capabilities '${PORT}'
  add bridged p2 --container-id green; add routed p3 --container-id red
  pids=; trap 'kill $pids 2>/dev/null' EXIT
  for ns in p1 p2 p3; do
    ip netns exec $ns "${process.execPath}" -e "$SERVE" >/dev/null 2>&1 & pids="$pids $!"
  done
  for ns in p1 p2 p3; do
    until ip netns exec $ns ss -ltn | grep -q :80; do sleep 0.05; done
  done
`;
