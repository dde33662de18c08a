// SPDX-License-Identifier: Apache-2.0
// Ports of bridges and their VLANs.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const BRIDGE = {
  bridge_port_list: {
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'i32[]',
    gives: 'ifindexes, ascending',
    errors: ['ENODEV'],
    like: 'ip link show master $ifindex',
    about: 'Ports of a bridge, up or not.',
  },
  bridge_vlan_add: {
    params: {
      ns: 'ns',
      ifindex: 'i32',
      vid: 'i32',
      vid_end: 'i32',
      pvid: 'bool',
      untagged: 'bool',
    },
    errors: ['ENODEV', 'EOPNOTSUPP'],
    like: 'bridge vlan add dev $ifindex vid $vid-$vid_end pvid untagged',
    about: 'Lets VLANs vid..vid_end pass a bridge port.',
  },
  bridge_vlan_del: {
    params: { ns: 'ns', ifindex: 'i32', vid: 'i32', vid_end: 'i32' },
    errors: ['ENODEV', 'EOPNOTSUPP'],
    like: 'bridge vlan del dev $ifindex vid $vid-$vid_end',
    about: 'Takes VLANs vid..vid_end off a bridge port; one that is not there is no error.',
  },
  bridge_vlan_list: {
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'PortVlan[]',
    gives: 'by vid, ranges spread out',
    errors: ['ENODEV'],
    like: 'bridge vlan show dev $ifindex',
    about: 'VLANs of a bridge port.',
  },
} as const satisfies Rows;
