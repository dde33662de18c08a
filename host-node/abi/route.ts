// SPDX-License-Identifier: Apache-2.0
// Routes.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const ROUTE = {
  route_add: {
    params: {
      ns: 'ns',
      ifindex: 'i32',
      dst: 'str',
      gw: 'str',
      src: 'str',
      scope: 'i32',
      table: 'i32',
      priority: 'i32',
      mtu_bytes: 'i32',
      advmss: 'i32',
      protocol: 'i32',
    },
    errors: ['EEXIST', 'ENETUNREACH', 'ENODEV'],
    like:
      'ip route prepend $dst via $gw dev $ifindex src $src scope $scope table $table metric ' +
      '$priority mtu $mtu_bytes advmss $advmss proto $protocol',
    about:
      'Adds a route; an exact duplicate is EEXIST, another next hop for the same destination is ' +
      'added beside the first. Empty gw or src and 0 leave an attribute out; table 0 is main, ' +
      'protocol 0 is boot (rtnetlink(7)).',
  },
  route_del: {
    params: { ns: 'ns', ifindex: 'i32', dst: 'str', gw: 'str', table: 'i32' },
    errors: ['ESRCH'],
    like: 'ip route del $dst via $gw dev $ifindex table $table',
    about: 'Removes the first route that matches.',
  },
  route_list: {
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'Route[]',
    gives: "all tables but local, in the kernel's order; no multicast",
    errors: ['ENODEV'],
    like: 'ip route show table all dev $ifindex',
    about: 'Unicast routes that leave by a link, of both families.',
  },
  route_table_list: {
    params: { ns: 'ns' },
    reply: 'u32[]',
    gives: 'ascending',
    like: 'ip route show table all',
    about: 'Numbers of the routing tables of both families that hold a route of whatever type.',
  },
  route_get: {
    params: { ns: 'ns', dst: 'str' },
    reply: 'RouteTo',
    errors: ['ENETUNREACH'],
    like: 'ip route get fibmatch $dst',
    about:
      'The unicast route that a packet to an address would take, of several next hops one. ' +
      "ENETUNREACH: there is none, or the address is the namespace's own or a group's.",
  },
} as const satisfies Rows;
