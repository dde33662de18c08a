// SPDX-License-Identifier: Apache-2.0
// Which operations change nothing: for those who tell what a call does. It refuses to know what
// the others change.

/** Operations that change nothing, whatever they give. */
export const READS: ReadonlySet<string> = new Set([
  'netns_open',
  'netns_same',
  'netns_id',
  'netns_close',
  'link_get',
  'link_get_index',
  'bridge_port_list',
  'bridge_vlan_list',
  'addr_list',
  'route_list',
  'sysctl_read',
  'socket_listens',
  'dir_unlock',
  'dir_list',
  'subdir_list',
  'file_before_boot',
  'file_list',
  'file_mtime',
  'file_read',
  // The text of a state has no times.
  'file_set_mtime',
  'link_list',
  'qdisc_get',
  'filter_list',
  'fib_rule_list',
  'route_table_list',
  'route_get',
  'generation',
  'rule_list',
  'chain_get',
  'chain_list',
  'element_list',
  'element_get',
]);
