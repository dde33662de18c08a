// SPDX-License-Identifier: Apache-2.0
// flanneld as far as other nodes and its own kernel see it (its vxlan backend with Kubernetes, in
// both families): devices, a neighbour, a forwarding entry and a route for each node that has its
// annotations, subnet.env. It asks the API again and again, where flanneld watches. It is a program
// of its own, and leaves all as it is when it ends.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const PREFIX = 'flannel.alpha.coreos.com';
const EVERY_MS = 100;

export interface FlanneldOptions {
  readonly api: string;
  readonly node: string;
  readonly dev: string;
  /** Its own addresses, IPv4 and IPv6. */
  readonly addresses: readonly [string, string];
  readonly mtu_bytes: number;
  readonly subnetEnv: string;
}

interface NodeObject {
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: { readonly podCIDRs: readonly [string, string] };
}

const run = (program: string, words: string): string =>
  execFileSync(program, words.split(' '), { encoding: 'utf8', stdio: 'pipe' });
const FAMILIES = [
  { at: 0, flag: '-4', device: 'flannel.1', data: 'backend-data', ip: 'public-ip', bits: 32 },
  {
    ...{ at: 1, flag: '-6', device: 'flannel-v6.1', data: 'backend-v6-data' },
    ...{ ip: 'public-ipv6', bits: 128 },
  },
] as const;
const macOf = (node: NodeObject, data: string): string | undefined => {
  const said = node.metadata.annotations?.[`${PREFIX}/${data}`];
  return said === undefined ? undefined : (JSON.parse(said) as { VtepMAC: string }).VtepMAC;
};
/** The first address of a subnet. */
const firstOf = (subnet: string): string => subnet.replace(/\/.*/, '');

async function nodes(api: string): Promise<NodeObject[]> {
  const answer = await fetch(`${api}/api/v1/nodes`);
  return ((await answer.json()) as { items: NodeObject[] }).items;
}

async function acquire(options: FlanneldOptions, own: NodeObject): Promise<void> {
  const annotations: Record<string, string> = {
    [`${PREFIX}/kube-subnet-manager`]: 'true',
    [`${PREFIX}/backend-type`]: 'vxlan',
  };
  for (const { at, flag, device, data, ip, bits } of FAMILIES) {
    const address = options.addresses[at]!;
    // That of before, so that what others know stays right.
    const random = [0x02, ...randomBytes(5)].map((one) => one.toString(16).padStart(2, '0'));
    const mac = macOf(own, data) ?? random.join(':');
    if (!existsSync(`/sys/class/net/${device}`)) {
      const ends = `local ${address} dev ${options.dev} dstport 8472 nolearning`;
      run('ip', `link add ${device} address ${mac} type vxlan id 1 ${ends}`);
    }
    const subnet = own.spec.podCIDRs[at]!;
    run('ip', `${flag} addr replace ${firstOf(subnet)}/${bits} dev ${device}`);
    run('ip', `link set ${device} up`);
    const read = readFileSync(`/sys/class/net/${device}/address`, 'utf8').trim();
    annotations[`${PREFIX}/${data}`] = JSON.stringify({ VNI: 1, VtepMAC: read });
    annotations[`${PREFIX}/${ip}`] = address;
  }
  await fetch(`${options.api}/api/v1/nodes/${options.node}/status`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
    body: JSON.stringify({ metadata: { annotations } }),
  });
}

function subnetEnv({ mtu_bytes }: FlanneldOptions, own: NodeObject): string {
  const [v4, v6] = own.spec.podCIDRs;
  return [
    ...['FLANNEL_NETWORK=10.244.0.0/16', `FLANNEL_SUBNET=${v4.replace('.0/', '.1/')}`],
    ...['FLANNEL_IPV6_NETWORK=fd00:244::/48', `FLANNEL_IPV6_SUBNET=${v6.replace('::/', '::1/')}`],
    ...[`FLANNEL_MTU=${mtu_bytes - 50}`, 'FLANNEL_IPMASQ=true', ''],
  ].join('\n');
}

/** The three entries of a node and family, the route last. */
function program(node: NodeObject): void {
  for (const { at, flag, device, data, ip } of FAMILIES) {
    const mac = macOf(node, data);
    const subnet = node.spec.podCIDRs[at]!;
    const gateway = firstOf(subnet);
    const address = node.metadata.annotations?.[`${PREFIX}/${ip}`];
    if (mac === undefined || address === undefined) continue;
    run('ip', `${flag} neigh replace ${gateway} lladdr ${mac} dev ${device} nud permanent`);
    run('bridge', `fdb replace ${mac} dst ${address} dev ${device} self permanent`);
    run('ip', `${flag} route replace ${subnet} via ${gateway} dev ${device} onlink`);
  }
}

async function serve(options: FlanneldOptions): Promise<void> {
  const own = (await nodes(options.api)).find(({ metadata }) => metadata.name === options.node);
  if (own === undefined) throw new Error(`there is no Node "${options.node}"`);
  await acquire(options, own);
  writeFileSync(options.subnetEnv, subnetEnv(options, own));
  const known = new Map<string, string>();
  for (;;) {
    for (const node of await nodes(options.api)) {
      const { name, annotations = {} } = node.metadata;
      const managed = annotations[`${PREFIX}/kube-subnet-manager`] === 'true';
      if (name === options.node || !managed) continue;
      if (annotations[`${PREFIX}/backend-type`] !== 'vxlan') continue;
      const text = JSON.stringify([annotations, node.spec]);
      if (known.get(name) !== text) program(node);
      known.set(name, text);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

// Node names its first thread after itself.
writeFileSync('/proc/self/comm', 'flanneld');
await serve(JSON.parse(process.argv[2] ?? '{}') as FlanneldOptions);
