// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Every operation on the simulated kernel, under the names that the core imports.

export { kernel_link_add_ipvlan, kernel_link_add_macvlan, kernel_link_add_vlan } from "./add-upper";
export { kernel_addr_add, kernel_addr_del, kernel_addr_list } from "./addresses";
export { kernel_bridge_port_list, kernel_link_set_bridge_port } from "./bridges";
export { kernel_conntrack_del } from "./conntrack";
export { plugin_socket_call } from "./daemons";
export {
  store_dir_list,
  store_dir_lock,
  store_dir_make,
  store_dir_unlock,
  store_file_before_boot,
  store_file_create,
  store_file_list,
  store_file_mtime,
  store_file_read,
  store_file_remove,
  store_file_rewrite,
  store_file_set_mtime,
  store_file_write,
  store_subdir_list,
} from "./files";
export {
  host_confine,
  host_log,
  host_panic,
  host_reply_len,
  host_reply_read,
  host_sleep,
  host_stdin_read,
} from "./host";
export {
  kernel_link_add_bridge,
  kernel_link_add_dummy,
  kernel_link_add_ifb,
  kernel_link_add_veth,
  kernel_link_add_vrf,
  kernel_link_del,
  kernel_link_get,
  kernel_link_get_index,
  kernel_link_list,
  kernel_link_set_address,
  kernel_link_set_allmulti,
  kernel_link_set_down,
  kernel_link_set_mtu,
  kernel_link_set_name,
  kernel_link_set_promisc,
  kernel_link_set_txqlen,
  kernel_link_set_up,
} from "./links";
export { kernel_link_set_master } from "./masters";
export { kernel_link_set_netns } from "./move";
export { kernel_netns_close, kernel_netns_id, kernel_netns_open, kernel_netns_same } from "./netns";
export {
  nft_batch,
  nft_chain_get,
  nft_chain_list,
  nft_element_get,
  nft_element_list,
  nft_generation,
  nft_rule_list,
} from "./nft";
export { plugin_exec } from "./programs";
export {
  kernel_route_add,
  kernel_route_del,
  kernel_route_get,
  kernel_route_list,
  kernel_route_table_list,
} from "./routes";
export { kernel_fib_rule_add, kernel_fib_rule_del, kernel_fib_rule_list } from "./rules";
export { kernel_socket_listens } from "./sockets";
export { kernel_sysctl_read, kernel_sysctl_write } from "./sysctls";
export { kernel_link_add_tap, kernel_link_set_alias } from "./taps";
export {
  kernel_filter_add_redirect,
  kernel_filter_del,
  kernel_filter_list,
  kernel_qdisc_add_ingress,
  kernel_qdisc_add_tbf,
  kernel_qdisc_del,
  kernel_qdisc_get,
} from "./tc";
export { kernel_bridge_vlan_add, kernel_bridge_vlan_del, kernel_bridge_vlan_list } from "./vlans";
