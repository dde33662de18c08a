// SPDX-License-Identifier: Apache-2.0
// Configurations to begin with. A test sees to it that each attaches a pod on the page's node.

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export interface Example {
  readonly name: string;
  readonly text: string;
  /** Values by capability, for the ADD. */
  readonly capabilities?: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: 'Bridge, two families, a port',
    capabilities: '{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}',
    text: pretty({
      cniVersion: '1.1.0',
      name: 'pods',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          ipMasq: true,
          hairpinMode: true,
          mtu: 1450,
          ipam: {
            type: 'host-local',
            ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00:1:2::/64' }]],
            routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
        { type: 'firewall' },
      ],
    }),
  },
  {
    name: 'Point to point, routed',
    text: pretty({
      cniVersion: '1.1.0',
      name: 'routed',
      plugins: [
        {
          type: 'ptp',
          ipMasq: true,
          ipam: {
            type: 'host-local',
            subnet: '10.2.0.0/24',
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'bandwidth', ingressRate: 8000000, ingressBurst: 800000 },
      ],
    }),
  },
  {
    name: 'Macvlan on the uplink',
    text: pretty({
      cniVersion: '1.1.0',
      name: 'outside',
      plugins: [
        {
          type: 'macvlan',
          master: 'eth0',
          mode: 'bridge',
          ipam: {
            type: 'static',
            addresses: [{ address: '192.0.2.40/24', gateway: '192.0.2.1' }],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'tuning', sysctl: { 'net.ipv4.conf.IFNAME.arp_notify': '1' } },
      ],
    }),
  },
  {
    name: 'Bridge with VLANs',
    text: pretty({
      cniVersion: '1.1.0',
      name: 'tagged',
      plugins: [
        {
          type: 'bridge',
          bridge: 'br0',
          vlan: 100,
          ipam: { type: 'host-local', subnet: '10.3.0.0/24' },
        },
      ],
    }),
  },
];
