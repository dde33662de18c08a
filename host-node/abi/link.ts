// SPDX-License-Identifier: Apache-2.0
// Links of any kind.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const LINK = {
  link_get: {
    params: { ns: 'ns', name: 'str' },
    reply: 'Link',
    errors: ['ENODEV'],
    like: 'ip -d link show dev $name',
    about:
      'One link by name. `peer` is the ifindex of a veth\'s other end, `kind` "" for lo and ' +
      'NICs, `table` the routing table of a VRF, `lower` is of links that lie on another, `mode` ' +
      'of macvlans and ipvlans, `vid` of VLANs; 0 and "" of any other link.',
  },
  link_get_index: {
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'Link',
    errors: ['ENODEV'],
    like: 'ip -d link show',
    about: 'One link by ifindex.',
  },
  link_list: {
    params: { ns: 'ns' },
    reply: 'Link[]',
    gives: 'by ifindex',
    like: 'ip -d link show',
    about: 'All links of a namespace.',
  },
  link_add_bridge: {
    params: { ns: 'ns', name: 'str', mtu_bytes: 'i32', vlan_filtering: 'bool' },
    errors: ['EEXIST', 'EOPNOTSUPP'],
    like: 'ip link add $name mtu $mtu_bytes type bridge vlan_filtering $vlan_filtering',
    about:
      'Makes a bridge, down. mtu_bytes 0 leaves it to the kernel. EOPNOTSUPP: a kernel without ' +
      'VLAN filtering.',
  },
  link_add_veth: {
    params: {
      ns: 'ns',
      name: 'str',
      address: 'str',
      mtu_bytes: 'i32',
      master: 'i32',
      peer_ns: 'ns',
      peer_name: 'str',
      peer_address: 'str',
    },
    errors: ['EEXIST'],
    like:
      'ip link add $name address $address mtu $mtu_bytes master $master up type veth peer name ' +
      '$peer_name address $peer_address mtu $mtu_bytes netns $peer_ns',
    about:
      'Makes a veth pair in one message: this end up and in `master` (ifindex, 0 for none), the ' +
      'peer down in its own namespace. Empty addresses and mtu_bytes 0 are left to the kernel.',
  },
  link_add_vrf: {
    params: { ns: 'ns', name: 'str', table: 'i32' },
    errors: ['EEXIST', 'EINVAL', 'EOPNOTSUPP'],
    like: 'ip link add $name type vrf table $table',
    about:
      'Makes a VRF over a routing table, down. EOPNOTSUPP: a kernel without VRF, told before ' +
      'EINVAL, which table 0 is.',
  },
  link_add_dummy: {
    params: { ns: 'ns', name: 'str', address: 'str' },
    errors: ['EEXIST', 'EADDRNOTAVAIL', 'EOPNOTSUPP'],
    like: 'ip link add $name address $address type dummy',
    about:
      'Makes a dummy, down. An empty address is left to the kernel. EADDRNOTAVAIL: no unicast ' +
      'address, told before anything is made; EOPNOTSUPP: a kernel without dummy.',
  },
  link_add_macvlan: {
    params: {
      ns: 'ns',
      lower: 'i32',
      netns: 'ns',
      name: 'str',
      address: 'str',
      mtu_bytes: 'i32',
      mode: 'str',
      bcqueuelen: 'i32',
    },
    errors: ['EEXIST', 'EADDRNOTAVAIL', 'EBUSY', 'EINVAL', 'ENODEV', 'EOPNOTSUPP'],
    like:
      'ip link add link $lower name $name netns $netns address $address mtu $mtu_bytes ' +
      'type macvlan mode $mode bcqueuelen $bcqueuelen',
    about:
      'Makes a macvlan on the link `lower` of `ns`, down and in `netns`; `mode` is a word of ' +
      'ip(8). Empty address and 0 are left to the kernel; in mode passthru it has the address of ' +
      '`lower`. EEXIST: the name is taken in `netns`, before Linux 6.15 also when it is in `ns`. ' +
      'EBUSY: `lower` is a port of a bridge, or its frames go elsewhere. EINVAL: it is no ' +
      'Ethernet link, carries less than the MTU, or one of mode passthru would not have it alone.',
  },
  link_add_ipvlan: {
    params: {
      ns: 'ns',
      lower: 'i32',
      netns: 'ns',
      name: 'str',
      mtu_bytes: 'i32',
      mode: 'str',
    },
    errors: ['EEXIST', 'EBUSY', 'EINVAL', 'ENODEV', 'EOPNOTSUPP'],
    like: 'ip link add link $lower name $name netns $netns mtu $mtu_bytes type ipvlan mode $mode',
    about:
      'Makes an ipvlan on the link `lower` of `ns`, down and in `netns`, with the address of ' +
      '`lower`; `mode` is a word of ip(8), and becomes that of all ipvlans on `lower`. mtu_bytes ' +
      '0 is that of `lower`. EEXIST: as of link_add_macvlan. EBUSY: `lower` is a port of a ' +
      'bridge, or carries macvlans. EINVAL: it is no Ethernet link.',
  },
  link_add_vlan: {
    params: {
      ns: 'ns',
      lower: 'i32',
      netns: 'ns',
      name: 'str',
      mtu_bytes: 'i32',
      vid: 'i32',
    },
    errors: ['EEXIST', 'EINVAL', 'ENODEV', 'EOPNOTSUPP', 'ERANGE'],
    like: 'ip link add link $lower name $name netns $netns mtu $mtu_bytes type vlan id $vid',
    about:
      'Makes an interface in an 802.1Q VLAN of the link `lower` of `ns`, down and in `netns`, ' +
      'with the address of `lower`. mtu_bytes 0 is that of `lower`. EEXIST: as of ' +
      'link_add_macvlan, and when any namespace has that VLAN of `lower`. EINVAL: `lower` ' +
      'carries less than the MTU. EOPNOTSUPP: it carries no VLANs, or the kernel has none. ' +
      'ERANGE: no VLAN.',
  },
  link_add_tap: {
    params: {
      ns: 'ns',
      name: 'str',
      multi_queue: 'bool',
      owner: 'i32',
      group: 'i32',
    },
    errors: ['EEXIST', 'EINVAL', 'ENOENT', 'ENODEV', 'EACCES', 'EPERM'],
    like: 'ip tuntap add dev $name mode tap vnet_hdr multi_queue user $owner group $group',
    about:
      'Makes a tap that stays when nobody has it open, down. `owner` and `group` are the bits of ' +
      'the numbers of who may open it, -1 for nobody. ENOENT, ENODEV: no /dev/net/tun, or none ' +
      'behind it, told before EINVAL, which a name is that the kernel does not take.',
  },
  link_set_name: {
    params: { ns: 'ns', ifindex: 'i32', name: 'str' },
    errors: ['ENODEV', 'EEXIST', 'EBUSY'],
    like: 'ip link set dev $ifindex name $name',
    about: 'Renames a link that is down. EEXIST: the name is taken.',
  },
  link_set_netns: {
    params: { ns: 'ns', ifindex: 'i32', netns: 'ns', name: 'str' },
    errors: ['ENODEV', 'EEXIST', 'EINVAL'],
    like: 'ip link set dev $ifindex netns $netns name $name',
    about:
      'Moves a link into another namespace, under a name: it is down there, without addresses, ' +
      'routes and sysctls of its own, and its ifindex may be another. EEXIST: the name is taken ' +
      'there; a link whose former name is free has moved all the same, under that. EINVAL: links ' +
      'of its kind stay where they are.',
  },
  link_set_alias: {
    params: { ns: 'ns', ifindex: 'i32', alias: 'str' },
    errors: ['ENODEV', 'EINVAL'],
    like: 'ip link set dev $ifindex alias "$alias"',
    about: 'Sets what a link is called beside its name, up to 255 bytes; "" takes it away.',
  },
  link_set_up: {
    params: { ns: 'ns', ifindex: 'i32' },
    errors: ['ENODEV', 'EADDRINUSE', 'ENETDOWN'],
    like: 'ip link set dev $ifindex up',
    about:
      'Brings a link up. EADDRINUSE: of two macvlans on one link, or of one and that link, only ' +
      'one can be up with an address. ENETDOWN: what a VLAN lies on is down.',
  },
  link_set_down: {
    params: { ns: 'ns', ifindex: 'i32' },
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex down',
    about: 'Takes a link down.',
  },
  link_set_promisc: {
    params: { ns: 'ns', ifindex: 'i32', on: 'bool' },
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex promisc on',
    about: 'Switches promiscuous mode.',
  },
  link_set_allmulti: {
    params: { ns: 'ns', ifindex: 'i32', on: 'bool' },
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex allmulticast on',
    about: 'Switches the reception of all multicast frames.',
  },
  link_set_mtu: {
    params: { ns: 'ns', ifindex: 'i32', mtu_bytes: 'i32' },
    errors: ['ENODEV', 'EINVAL'],
    like: 'ip link set dev $ifindex mtu $mtu_bytes',
    about: 'Sets the MTU; below 1280 the link loses IPv6. EINVAL: more or less than it can carry.',
  },
  link_set_txqlen: {
    params: { ns: 'ns', ifindex: 'i32', txqlen: 'i32' },
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex txqueuelen $txqlen',
    about: 'Sets the length of the transmit queue, in packets.',
  },
  link_set_address: {
    params: { ns: 'ns', ifindex: 'i32', address: 'str' },
    errors: ['ENODEV', 'EADDRNOTAVAIL'],
    like: 'ip link set dev $ifindex address $address',
    about: 'Sets the hardware address; a bridge then stops following its lowest port.',
  },
  link_set_bridge_port: {
    params: { ns: 'ns', ifindex: 'i32', hairpin: 'bool', isolated: 'bool' },
    errors: ['ENODEV', 'EOPNOTSUPP'],
    like: 'bridge link set dev $ifindex hairpin $hairpin isolated $isolated',
    about: 'Sets the flags of a bridge port.',
  },
  link_set_master: {
    params: { ns: 'ns', ifindex: 'i32', master: 'i32' },
    errors: ['ENODEV', 'EINVAL', 'EOPNOTSUPP'],
    like: 'ip link set dev $ifindex master $master',
    about:
      'Puts a link into a bridge or VRF, instead of one that it is in; master 0 takes it out. By ' +
      'way of a VRF the link goes down and up: it loses its routes, and IPv6 addresses unless ' +
      'net/ipv6/conf/…/keep_addr_on_down says otherwise.',
  },
  link_del: {
    waits: true,
    params: { ns: 'ns', ifindex: 'i32' },
    errors: ['ENODEV'],
    like: 'ip link del dev $ifindex',
    about:
      'Removes a link; of a veth pair both ends go. When it answers nobody finds the link any ' +
      'more, and its name is free; the kernel may still be busy freeing it.',
  },
  link_add_ifb: {
    params: { ns: 'ns', name: 'str', address: 'str', mtu_bytes: 'i32' },
    errors: ['EEXIST', 'EADDRNOTAVAIL', 'EOPNOTSUPP'],
    like: 'ip link add $name address $address mtu $mtu_bytes txqueuelen 0 up type ifb',
    about:
      'Makes an ifb, up, its transmit queue of length 0. Empty address and mtu_bytes 0 are left ' +
      'to the kernel. EADDRNOTAVAIL: no unicast address, told before anything is made; ' +
      'EOPNOTSUPP: a kernel without ifb.',
  },
} as const satisfies Rows;
