// SPDX-License-Identifier: Apache-2.0
// Two nodes by Geneve, in a kernel that has it: agents as they are installed, pods by hand,
// packets. What is asserted is what reaches whom at which size, what the kernel holds, and that a
// second look changes nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NODE } from '../support/hosts.ts';
import { needsUml, runInUml } from './uml.ts';

/** Forty seconds on a machine that has little else to do. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_S = 600;
const MODULES = ['net/ipv4/udp_tunnel', 'net/ipv6/ip6_udp_tunnel', 'drivers/net/geneve'];

const nodes = (addresses: readonly (readonly string[])[], mtu_bytes: number): string =>
  JSON.stringify({
    nodes: addresses.map((own, at) => ({
      ...{ name: 'ab'[at], addresses: own, mtu_bytes },
      subnets: [`10.244.${at + 1}.0/24`, `fd00:244:0:${at + 1}::/64`],
    })),
  });
const BOTH = nodes(
  [
    ['192.0.2.1', '2001:db8::1'],
    ['192.0.2.2', '2001:db8::2'],
  ],
  1500,
);
const IPV6_ALONE = nodes([['2001:db8::1'], ['2001:db8::2']], 1400);
const configOf = (node: string): string =>
  JSON.stringify({
    ...{ name: 'pods', node, listen: '127.0.0.1:9473' },
    'net-conf': {
      ...{ Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48' },
      Backend: { Type: 'geneve', VNI: 7 },
    },
    source: { type: 'file', path: '/tmp/nodes.json' },
  });

/** Lines for `ip -batch` in a node and in its pod: two nodes on one link. */
const wiringOf = (at: number) => {
  const [own, subnet, subnet6] = [at + 1, `10.244.${at + 1}`, `fd00:244:0:${at + 1}::`];
  const node = [
    ...[`addr add 192.0.2.${own}/24 dev eth0`, `addr add 2001:db8::${own}/64 dev eth0 nodad`],
    ...['link set eth0 up', 'link set lo up'],
    `link add pod mtu 1450 type veth peer name eth0 mtu 1450 netns pod-${'ab'[at]}`,
    ...[`addr add ${subnet}.1/32 dev pod`, `addr add ${subnet6}1/128 dev pod nodad`],
    ...['link set pod up', `route add ${subnet}.2 dev pod`, `route add ${subnet6}2 dev pod`],
  ];
  const pod = [
    ...[`addr add ${subnet}.2/32 dev eth0`, `addr add ${subnet6}2/128 dev eth0 nodad`],
    ...['link set eth0 up', `route add ${subnet}.1 dev eth0`, `route add ${subnet6}1 dev eth0`],
    ...[`route add default via ${subnet}.1`, `route add default via ${subnet6}1`],
  ];
  return { node: node.join('\n'), pod: pod.join('\n') };
};
const [WIRING_A, WIRING_B] = [wiringOf(0), wiringOf(1)];

const SCRIPT = `
wait_for() {
  tries=0
  until "$@"; do
    tries=$((tries + 1)); [ $tries -lt 300 ] || { echo "never: $*"; exit 1; }; sleep 0.1
  done
}
printf '%s' "$BOTH" >/tmp/nodes.json
for name in a b pod-a pod-b; do ip netns add $name; done
ip link add eth0 netns a type veth peer name eth0 netns b
for node in a b; do
  eval "printf '%s' \\"\\$NODE_$node\\"" | ip -n $node -batch -
  eval "printf '%s' \\"\\$POD_$node\\"" | ip -n pod-$node -batch -
  ip netns exec $node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  eval "printf '%s' \\"\\$CONFIG_$node\\"" >/tmp/$node.json
  ip netns exec $node "$PROGRAM" agent --config /tmp/$node.json --state-dir /tmp/$node.state \\
    --disk-dir /tmp/$node.disk >/tmp/$node.log 2>&1 &
done
for node in a b; do
  wait_for grep -qs '"ready":true' /tmp/$node.state/overlay/pods.json
done
ping_() { ip netns exec pod-a ping -q -c1 -W5 -M do -s $(($2 - $3)) $1 >/dev/null 2>&1; }
fits() { ping_ $1 $2 $3 && echo "$1 $2" || echo "$1 $2 no"; }
both() { fits 10.244.2.2 $1 28; fits fd00:244:0:2::2 $1 48; }
wait_for ping_ 10.244.2.2 100 28
wait_for ping_ fd00:244:0:2::2 100 48
both 1450; both 1451
ip -n a -d link show fl.7 | grep -o 'geneve external'; ip -n a route show proto 157 | grep via
ip -n a -6 route show proto 157 | grep -o 'fd00:244:0:2.*via'
ip -n a link del fl.7; sleep 1
wait_for ping_ 10.244.2.2 100 28
echo healed
counts() { ip netns exec a busybox wget -qO- http://127.0.0.1:9473/metrics |
  awk '/^fairlead_(resyncs|repairs|refused)_total/ { print $2 }' | tr '\\n' ' '; }
before=$(counts); touch /tmp/nodes.json
looked() { after=$(counts); [ "\${after%% *}" -gt "\${before%% *}" ]; }
wait_for looked
echo "$before/ $after" | awk '{ print ($5 > $1) " look, " ($6 - $2) " repairs, " $7 " refused" }'
printf '%s' "$IPV6_ALONE" >/tmp/next; mv /tmp/next /tmp/nodes.json
narrowed() { ip -n $1 route show root 10.244.0.0/16 | grep 'mtu 1330' | grep -o '.* csum'; }
wait_for narrowed b; wait_for narrowed a
# The first packet that is too large teaches the pod's kernel.
for pod in 10.244.2.2 fd00:244:0:2::2; do ping_ $pod 1450 48 || true; done
both 1330; both 1331
`;

const INSIDE = 'encap ip id 7 src 192.0.2.1 dst 192.0.2.2 ttl 64 tos 0';
const INSIDE_IPV6 = (from: number, to: number) =>
  `encap ip6 id 7 src 2001:db8::${from} dst 2001:db8::${to} hoplimit 64 tc 0 csum`;
const SAID = [
  ...['10.244.2.2 1450', 'fd00:244:0:2::2 1450', '10.244.2.2 1451 no', 'fd00:244:0:2::2 1451 no'],
  'geneve external',
  `10.244.2.0/24  ${INSIDE} via 10.244.2.0 dev fl.7 src 10.244.1.1 onlink`,
  `fd00:244:0:2::/64  ${INSIDE} via`,
  'healed',
  '1 look, 0 repairs, 0 refused',
  `10.244.1.0/24  ${INSIDE_IPV6(2, 1)}`,
  `10.244.2.0/24  ${INSIDE_IPV6(1, 2)}`,
  ...['10.244.2.2 1330', 'fd00:244:0:2::2 1330', '10.244.2.2 1331 no', 'fd00:244:0:2::2 1331 no'],
];

test.skipIf(needsUml !== '')(
  `two nodes by Geneve ${needsUml}`.trimEnd(),
  { timeout: (LIMIT_S + 10) * 1000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-uml-'));
    try {
      const { output } = await runInUml({
        argv: ['sh', '-ec', SCRIPT],
        env: {
          ...{ BOTH, IPV6_ALONE, CONFIG_a: configOf('a'), CONFIG_b: configOf('b') },
          ...{ NODE_a: WIRING_A.node, NODE_b: WIRING_B.node, PROGRAM: NODE.program },
          ...{ POD_a: WIRING_A.pod, POD_b: WIRING_B.pod },
        },
        cwd: ROOT,
        folder,
        limit_s: LIMIT_S,
        modules: MODULES,
      });
      expect(
        output
          .trimEnd()
          .split('\n')
          .map((line) => line.trim()),
      ).toEqual(SAID);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
