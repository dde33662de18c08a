// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Stands where core-as/host/imports.gen.ts stands when the core is built onto
// the simulated kernel.
import * as at from "../sim/operations.gen";
import * as trace from "../sim/trace";

export function host_reply_len(): i32 {
  return at.host_reply_len();
}

export function host_reply_read(into: usize, into_len: i32): i32 {
  return at.host_reply_read(into, into_len);
}

export function host_stdin_read(limit_bytes: i32): i32 {
  return at.host_stdin_read(limit_bytes);
}

export function host_log(text: usize, text_len: i32): i32 {
  return at.host_log(text, text_len);
}

export function host_sleep(duration_ms: i32): i32 {
  return at.host_sleep(duration_ms);
}

export function host_confine(
  folders: usize,
  folders_len: i32,
  programs: usize,
  programs_len: i32,
  make: i32,
): i32 {
  return at.host_confine(folders, folders_len, programs, programs_len, make);
}

export function host_panic(
  msg: usize,
  msg_len: i32,
  file: usize,
  file_len: i32,
  line: i32,
  col: i32,
): i32 {
  return at.host_panic(msg, msg_len, file, file_len, line, col);
}

export function kernel_netns_open(path: usize, path_len: i32): i32 {
  trace.begin("kernel.netns_open");
  trace.text("path", path, path_len);
  return trace.end(at.kernel_netns_open(path, path_len));
}

export function kernel_netns_same(a: i32, b: i32): i32 {
  trace.begin("kernel.netns_same");
  trace.int("a", a);
  trace.int("b", b);
  return trace.end(at.kernel_netns_same(a, b));
}

export function kernel_netns_id(ns: i32): i32 {
  trace.begin("kernel.netns_id");
  trace.int("ns", ns);
  return trace.end(at.kernel_netns_id(ns));
}

export function kernel_netns_close(ns: i32): i32 {
  trace.begin("kernel.netns_close");
  trace.int("ns", ns);
  return trace.end(at.kernel_netns_close(ns));
}

export function kernel_sysctl_read(ns: i32, key: usize, key_len: i32): i32 {
  trace.begin("kernel.sysctl_read");
  trace.int("ns", ns);
  trace.text("key", key, key_len);
  return trace.end(at.kernel_sysctl_read(ns, key, key_len));
}

export function kernel_sysctl_write(
  ns: i32,
  key: usize,
  key_len: i32,
  value: usize,
  value_len: i32,
): i32 {
  trace.begin("kernel.sysctl_write");
  trace.int("ns", ns);
  trace.text("key", key, key_len);
  trace.text("value", value, value_len);
  return trace.end(at.kernel_sysctl_write(ns, key, key_len, value, value_len));
}

export function kernel_link_get(ns: i32, name: usize, name_len: i32): i32 {
  trace.begin("kernel.link_get");
  trace.int("ns", ns);
  trace.text("name", name, name_len);
  return trace.end(at.kernel_link_get(ns, name, name_len));
}

export function kernel_link_get_index(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.link_get_index");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_link_get_index(ns, ifindex));
}

export function kernel_link_list(ns: i32): i32 {
  trace.begin("kernel.link_list");
  trace.int("ns", ns);
  return trace.end(at.kernel_link_list(ns));
}

export function kernel_link_add_bridge(
  ns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  vlan_filtering: i32,
): i32 {
  trace.begin("kernel.link_add_bridge");
  trace.int("ns", ns);
  trace.text("name", name, name_len);
  trace.int("mtu_bytes", mtu_bytes);
  trace.int("vlan_filtering", vlan_filtering);
  return trace.end(at.kernel_link_add_bridge(ns, name, name_len, mtu_bytes, vlan_filtering));
}

export function kernel_link_add_veth(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
  master: i32,
  peer_ns: i32,
  peer_name: usize,
  peer_name_len: i32,
  peer_address: usize,
  peer_address_len: i32,
): i32 {
  trace.begin("kernel.link_add_veth");
  trace.int("ns", ns);
  trace.text("name", name, name_len);
  trace.text("address", address, address_len);
  trace.int("mtu_bytes", mtu_bytes);
  trace.int("master", master);
  trace.int("peer_ns", peer_ns);
  trace.text("peer_name", peer_name, peer_name_len);
  trace.text("peer_address", peer_address, peer_address_len);
  return trace.end(at.kernel_link_add_veth(
    ns,
    name,
    name_len,
    address,
    address_len,
    mtu_bytes,
    master,
    peer_ns,
    peer_name,
    peer_name_len,
    peer_address,
    peer_address_len,
  ));
}

export function kernel_link_add_vrf(ns: i32, name: usize, name_len: i32, table: i32): i32 {
  trace.begin("kernel.link_add_vrf");
  trace.int("ns", ns);
  trace.text("name", name, name_len);
  trace.int("table", table);
  return trace.end(at.kernel_link_add_vrf(ns, name, name_len, table));
}

export function kernel_link_add_dummy(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
): i32 {
  trace.begin("kernel.link_add_dummy");
  trace.int("ns", ns);
  trace.text("name", name, name_len);
  trace.text("address", address, address_len);
  return trace.end(at.kernel_link_add_dummy(ns, name, name_len, address, address_len));
}

export function kernel_link_add_macvlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
  mode: usize,
  mode_len: i32,
  bcqueuelen: i32,
): i32 {
  trace.begin("kernel.link_add_macvlan");
  trace.int("ns", ns);
  trace.int("lower", lower);
  trace.int("netns", netns);
  trace.text("name", name, name_len);
  trace.text("address", address, address_len);
  trace.int("mtu_bytes", mtu_bytes);
  trace.text("mode", mode, mode_len);
  trace.int("bcqueuelen", bcqueuelen);
  return trace.end(at.kernel_link_add_macvlan(
    ns,
    lower,
    netns,
    name,
    name_len,
    address,
    address_len,
    mtu_bytes,
    mode,
    mode_len,
    bcqueuelen,
  ));
}

export function kernel_link_add_ipvlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  mode: usize,
  mode_len: i32,
): i32 {
  trace.begin("kernel.link_add_ipvlan");
  trace.int("ns", ns);
  trace.int("lower", lower);
  trace.int("netns", netns);
  trace.text("name", name, name_len);
  trace.int("mtu_bytes", mtu_bytes);
  trace.text("mode", mode, mode_len);
  return trace.end(at.kernel_link_add_ipvlan(
    ns,
    lower,
    netns,
    name,
    name_len,
    mtu_bytes,
    mode,
    mode_len,
  ));
}

export function kernel_link_add_vlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  vid: i32,
): i32 {
  trace.begin("kernel.link_add_vlan");
  trace.int("ns", ns);
  trace.int("lower", lower);
  trace.int("netns", netns);
  trace.text("name", name, name_len);
  trace.int("mtu_bytes", mtu_bytes);
  trace.int("vid", vid);
  return trace.end(at.kernel_link_add_vlan(ns, lower, netns, name, name_len, mtu_bytes, vid));
}

export function kernel_link_add_tap(
  ns: i32,
  name: usize,
  name_len: i32,
  multi_queue: i32,
  owner: i32,
  group: i32,
): i32 {
  trace.begin("kernel.link_add_tap");
  trace.int("ns", ns);
  trace.text("name", name, name_len);
  trace.int("multi_queue", multi_queue);
  trace.int("owner", owner);
  trace.int("group", group);
  return trace.end(at.kernel_link_add_tap(ns, name, name_len, multi_queue, owner, group));
}

export function kernel_link_set_name(ns: i32, ifindex: i32, name: usize, name_len: i32): i32 {
  trace.begin("kernel.link_set_name");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.text("name", name, name_len);
  return trace.end(at.kernel_link_set_name(ns, ifindex, name, name_len));
}

export function kernel_link_set_netns(
  ns: i32,
  ifindex: i32,
  netns: i32,
  name: usize,
  name_len: i32,
): i32 {
  trace.begin("kernel.link_set_netns");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("netns", netns);
  trace.text("name", name, name_len);
  return trace.end(at.kernel_link_set_netns(ns, ifindex, netns, name, name_len));
}

export function kernel_link_set_alias(ns: i32, ifindex: i32, alias: usize, alias_len: i32): i32 {
  trace.begin("kernel.link_set_alias");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.text("alias", alias, alias_len);
  return trace.end(at.kernel_link_set_alias(ns, ifindex, alias, alias_len));
}

export function kernel_link_set_up(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.link_set_up");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_link_set_up(ns, ifindex));
}

export function kernel_link_set_down(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.link_set_down");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_link_set_down(ns, ifindex));
}

export function kernel_link_set_promisc(ns: i32, ifindex: i32, on: i32): i32 {
  trace.begin("kernel.link_set_promisc");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("on", on);
  return trace.end(at.kernel_link_set_promisc(ns, ifindex, on));
}

export function kernel_link_set_allmulti(ns: i32, ifindex: i32, on: i32): i32 {
  trace.begin("kernel.link_set_allmulti");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("on", on);
  return trace.end(at.kernel_link_set_allmulti(ns, ifindex, on));
}

export function kernel_link_set_mtu(ns: i32, ifindex: i32, mtu_bytes: i32): i32 {
  trace.begin("kernel.link_set_mtu");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("mtu_bytes", mtu_bytes);
  return trace.end(at.kernel_link_set_mtu(ns, ifindex, mtu_bytes));
}

export function kernel_link_set_txqlen(ns: i32, ifindex: i32, txqlen: i32): i32 {
  trace.begin("kernel.link_set_txqlen");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("txqlen", txqlen);
  return trace.end(at.kernel_link_set_txqlen(ns, ifindex, txqlen));
}

export function kernel_link_set_address(
  ns: i32,
  ifindex: i32,
  address: usize,
  address_len: i32,
): i32 {
  trace.begin("kernel.link_set_address");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.text("address", address, address_len);
  return trace.end(at.kernel_link_set_address(ns, ifindex, address, address_len));
}

export function kernel_link_set_bridge_port(
  ns: i32,
  ifindex: i32,
  hairpin: i32,
  isolated: i32,
): i32 {
  trace.begin("kernel.link_set_bridge_port");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("hairpin", hairpin);
  trace.int("isolated", isolated);
  return trace.end(at.kernel_link_set_bridge_port(ns, ifindex, hairpin, isolated));
}

export function kernel_link_set_master(ns: i32, ifindex: i32, master: i32): i32 {
  trace.begin("kernel.link_set_master");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("master", master);
  return trace.end(at.kernel_link_set_master(ns, ifindex, master));
}

export function kernel_link_del(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.link_del");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_link_del(ns, ifindex));
}

export function kernel_link_add_ifb(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
): i32 {
  trace.begin("kernel.link_add_ifb");
  trace.int("ns", ns);
  trace.text("name", name, name_len);
  trace.text("address", address, address_len);
  trace.int("mtu_bytes", mtu_bytes);
  return trace.end(at.kernel_link_add_ifb(ns, name, name_len, address, address_len, mtu_bytes));
}

export function kernel_bridge_port_list(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.bridge_port_list");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_bridge_port_list(ns, ifindex));
}

export function kernel_bridge_vlan_add(
  ns: i32,
  ifindex: i32,
  vid: i32,
  vid_end: i32,
  pvid: i32,
  untagged: i32,
): i32 {
  trace.begin("kernel.bridge_vlan_add");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("vid", vid);
  trace.int("vid_end", vid_end);
  trace.int("pvid", pvid);
  trace.int("untagged", untagged);
  return trace.end(at.kernel_bridge_vlan_add(ns, ifindex, vid, vid_end, pvid, untagged));
}

export function kernel_bridge_vlan_del(ns: i32, ifindex: i32, vid: i32, vid_end: i32): i32 {
  trace.begin("kernel.bridge_vlan_del");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("vid", vid);
  trace.int("vid_end", vid_end);
  return trace.end(at.kernel_bridge_vlan_del(ns, ifindex, vid, vid_end));
}

export function kernel_bridge_vlan_list(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.bridge_vlan_list");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_bridge_vlan_list(ns, ifindex));
}

export function kernel_addr_add(
  ns: i32,
  ifindex: i32,
  address: usize,
  address_len: i32,
  nodad: i32,
): i32 {
  trace.begin("kernel.addr_add");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.text("address", address, address_len);
  trace.int("nodad", nodad);
  return trace.end(at.kernel_addr_add(ns, ifindex, address, address_len, nodad));
}

export function kernel_addr_del(ns: i32, ifindex: i32, address: usize, address_len: i32): i32 {
  trace.begin("kernel.addr_del");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.text("address", address, address_len);
  return trace.end(at.kernel_addr_del(ns, ifindex, address, address_len));
}

export function kernel_addr_list(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.addr_list");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_addr_list(ns, ifindex));
}

export function kernel_route_add(
  ns: i32,
  ifindex: i32,
  dst: usize,
  dst_len: i32,
  gw: usize,
  gw_len: i32,
  src: usize,
  src_len: i32,
  scope: i32,
  table: i32,
  priority: i32,
  mtu_bytes: i32,
  advmss: i32,
  protocol: i32,
): i32 {
  trace.begin("kernel.route_add");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.text("dst", dst, dst_len);
  trace.text("gw", gw, gw_len);
  trace.text("src", src, src_len);
  trace.int("scope", scope);
  trace.int("table", table);
  trace.int("priority", priority);
  trace.int("mtu_bytes", mtu_bytes);
  trace.int("advmss", advmss);
  trace.int("protocol", protocol);
  return trace.end(at.kernel_route_add(
    ns,
    ifindex,
    dst,
    dst_len,
    gw,
    gw_len,
    src,
    src_len,
    scope,
    table,
    priority,
    mtu_bytes,
    advmss,
    protocol,
  ));
}

export function kernel_route_del(
  ns: i32,
  ifindex: i32,
  dst: usize,
  dst_len: i32,
  gw: usize,
  gw_len: i32,
  table: i32,
): i32 {
  trace.begin("kernel.route_del");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.text("dst", dst, dst_len);
  trace.text("gw", gw, gw_len);
  trace.int("table", table);
  return trace.end(at.kernel_route_del(ns, ifindex, dst, dst_len, gw, gw_len, table));
}

export function kernel_route_list(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.route_list");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_route_list(ns, ifindex));
}

export function kernel_route_table_list(ns: i32): i32 {
  trace.begin("kernel.route_table_list");
  trace.int("ns", ns);
  return trace.end(at.kernel_route_table_list(ns));
}

export function kernel_route_get(ns: i32, dst: usize, dst_len: i32): i32 {
  trace.begin("kernel.route_get");
  trace.int("ns", ns);
  trace.text("dst", dst, dst_len);
  return trace.end(at.kernel_route_get(ns, dst, dst_len));
}

export function kernel_fib_rule_add(
  ns: i32,
  src: usize,
  src_len: i32,
  table: i32,
  priority: i32,
): i32 {
  trace.begin("kernel.fib_rule_add");
  trace.int("ns", ns);
  trace.text("src", src, src_len);
  trace.int("table", table);
  trace.int("priority", priority);
  return trace.end(at.kernel_fib_rule_add(ns, src, src_len, table, priority));
}

export function kernel_fib_rule_del(
  ns: i32,
  src: usize,
  src_len: i32,
  table: i32,
  priority: i32,
): i32 {
  trace.begin("kernel.fib_rule_del");
  trace.int("ns", ns);
  trace.text("src", src, src_len);
  trace.int("table", table);
  trace.int("priority", priority);
  return trace.end(at.kernel_fib_rule_del(ns, src, src_len, table, priority));
}

export function kernel_fib_rule_list(ns: i32): i32 {
  trace.begin("kernel.fib_rule_list");
  trace.int("ns", ns);
  return trace.end(at.kernel_fib_rule_list(ns));
}

export function kernel_qdisc_get(ns: i32, ifindex: i32, parent: i32): i32 {
  trace.begin("kernel.qdisc_get");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("parent", parent);
  return trace.end(at.kernel_qdisc_get(ns, ifindex, parent));
}

export function kernel_qdisc_add_ingress(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.qdisc_add_ingress");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_qdisc_add_ingress(ns, ifindex));
}

export function kernel_qdisc_add_tbf(
  ns: i32,
  ifindex: i32,
  handle: i32,
  rate_low: i32,
  rate_high: i32,
  limit_bytes: i32,
  buffer_ticks: i32,
): i32 {
  trace.begin("kernel.qdisc_add_tbf");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("handle", handle);
  trace.int("rate_low", rate_low);
  trace.int("rate_high", rate_high);
  trace.int("limit_bytes", limit_bytes);
  trace.int("buffer_ticks", buffer_ticks);
  return trace.end(at.kernel_qdisc_add_tbf(
    ns,
    ifindex,
    handle,
    rate_low,
    rate_high,
    limit_bytes,
    buffer_ticks,
  ));
}

export function kernel_qdisc_del(ns: i32, ifindex: i32, parent: i32, handle: i32): i32 {
  trace.begin("kernel.qdisc_del");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("parent", parent);
  trace.int("handle", handle);
  return trace.end(at.kernel_qdisc_del(ns, ifindex, parent, handle));
}

export function kernel_filter_list(ns: i32, ifindex: i32): i32 {
  trace.begin("kernel.filter_list");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  return trace.end(at.kernel_filter_list(ns, ifindex));
}

export function kernel_filter_add_redirect(ns: i32, ifindex: i32, pref: i32, to: i32): i32 {
  trace.begin("kernel.filter_add_redirect");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("pref", pref);
  trace.int("to", to);
  return trace.end(at.kernel_filter_add_redirect(ns, ifindex, pref, to));
}

export function kernel_filter_del(ns: i32, ifindex: i32, pref: i32, handle: i32): i32 {
  trace.begin("kernel.filter_del");
  trace.int("ns", ns);
  trace.int("ifindex", ifindex);
  trace.int("pref", pref);
  trace.int("handle", handle);
  return trace.end(at.kernel_filter_del(ns, ifindex, pref, handle));
}

export function kernel_conntrack_del(
  ns: i32,
  family: i32,
  protocol: i32,
  dst: usize,
  dst_len: i32,
  dport: i32,
  dport_end: i32,
  reply_src: usize,
  reply_src_len: i32,
): i32 {
  trace.begin("kernel.conntrack_del");
  trace.int("ns", ns);
  trace.int("family", family);
  trace.int("protocol", protocol);
  trace.text("dst", dst, dst_len);
  trace.int("dport", dport);
  trace.int("dport_end", dport_end);
  trace.text("reply_src", reply_src, reply_src_len);
  return trace.end(at.kernel_conntrack_del(
    ns,
    family,
    protocol,
    dst,
    dst_len,
    dport,
    dport_end,
    reply_src,
    reply_src_len,
  ));
}

export function kernel_socket_listens(
  ns: i32,
  protocol: i32,
  address: usize,
  address_len: i32,
  port: i32,
): i32 {
  trace.begin("kernel.socket_listens");
  trace.int("ns", ns);
  trace.int("protocol", protocol);
  trace.text("address", address, address_len);
  trace.int("port", port);
  return trace.end(at.kernel_socket_listens(ns, protocol, address, address_len, port));
}

export function nft_batch(
  ns: i32,
  messages: usize,
  messages_len: i32,
  words: usize,
  words_len: i32,
): i32 {
  trace.begin("nft.batch");
  trace.int("ns", ns);
  trace.text("messages", messages, messages_len);
  trace.text("words", words, words_len);
  return trace.end(at.nft_batch(ns, messages, messages_len, words, words_len));
}

export function nft_generation(ns: i32): i32 {
  trace.begin("nft.generation");
  trace.int("ns", ns);
  return trace.end(at.nft_generation(ns));
}

export function nft_rule_list(ns: i32, family: i32, table: usize, table_len: i32): i32 {
  trace.begin("nft.rule_list");
  trace.int("ns", ns);
  trace.int("family", family);
  trace.text("table", table, table_len);
  return trace.end(at.nft_rule_list(ns, family, table, table_len));
}

export function nft_chain_get(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  chain: usize,
  chain_len: i32,
): i32 {
  trace.begin("nft.chain_get");
  trace.int("ns", ns);
  trace.int("family", family);
  trace.text("table", table, table_len);
  trace.text("chain", chain, chain_len);
  return trace.end(at.nft_chain_get(ns, family, table, table_len, chain, chain_len));
}

export function nft_chain_list(ns: i32, hooknum: i32): i32 {
  trace.begin("nft.chain_list");
  trace.int("ns", ns);
  trace.int("hooknum", hooknum);
  return trace.end(at.nft_chain_list(ns, hooknum));
}

export function nft_element_list(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  set: usize,
  set_len: i32,
): i32 {
  trace.begin("nft.element_list");
  trace.int("ns", ns);
  trace.int("family", family);
  trace.text("table", table, table_len);
  trace.text("set", set, set_len);
  return trace.end(at.nft_element_list(ns, family, table, table_len, set, set_len));
}

export function nft_element_get(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  set: usize,
  set_len: i32,
  key: usize,
  key_len: i32,
): i32 {
  trace.begin("nft.element_get");
  trace.int("ns", ns);
  trace.int("family", family);
  trace.text("table", table, table_len);
  trace.text("set", set, set_len);
  trace.text("key", key, key_len);
  return trace.end(at.nft_element_get(ns, family, table, table_len, set, set_len, key, key_len));
}

export function store_dir_lock(dir: usize, dir_len: i32, create: i32, timeout_ms: i32): i32 {
  trace.begin("store.dir_lock");
  trace.text("dir", dir, dir_len);
  trace.int("create", create);
  trace.int("timeout_ms", timeout_ms);
  return trace.end(at.store_dir_lock(dir, dir_len, create, timeout_ms));
}

export function store_dir_unlock(lock: i32): i32 {
  trace.begin("store.dir_unlock");
  trace.int("lock", lock);
  return trace.end(at.store_dir_unlock(lock));
}

export function store_dir_make(dir: usize, dir_len: i32): i32 {
  trace.begin("store.dir_make");
  trace.text("dir", dir, dir_len);
  return trace.end(at.store_dir_make(dir, dir_len));
}

export function store_file_before_boot(path: usize, path_len: i32): i32 {
  trace.begin("store.file_before_boot");
  trace.text("path", path, path_len);
  return trace.end(at.store_file_before_boot(path, path_len));
}

export function store_file_mtime(path: usize, path_len: i32): i32 {
  trace.begin("store.file_mtime");
  trace.text("path", path, path_len);
  return trace.end(at.store_file_mtime(path, path_len));
}

export function store_file_set_mtime(
  path: usize,
  path_len: i32,
  mtime: usize,
  mtime_len: i32,
): i32 {
  trace.begin("store.file_set_mtime");
  trace.text("path", path, path_len);
  trace.text("mtime", mtime, mtime_len);
  return trace.end(at.store_file_set_mtime(path, path_len, mtime, mtime_len));
}

export function store_dir_list(dir: usize, dir_len: i32): i32 {
  trace.begin("store.dir_list");
  trace.text("dir", dir, dir_len);
  return trace.end(at.store_dir_list(dir, dir_len));
}

export function store_subdir_list(dir: usize, dir_len: i32): i32 {
  trace.begin("store.subdir_list");
  trace.text("dir", dir, dir_len);
  return trace.end(at.store_subdir_list(dir, dir_len));
}

export function store_file_list(dir: usize, dir_len: i32): i32 {
  trace.begin("store.file_list");
  trace.text("dir", dir, dir_len);
  return trace.end(at.store_file_list(dir, dir_len));
}

export function store_file_read(path: usize, path_len: i32, limit_bytes: i32): i32 {
  trace.begin("store.file_read");
  trace.text("path", path, path_len);
  trace.int("limit_bytes", limit_bytes);
  return trace.end(at.store_file_read(path, path_len, limit_bytes));
}

export function store_file_create(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
  replace_empty: i32,
): i32 {
  trace.begin("store.file_create");
  trace.text("path", path, path_len);
  trace.text("content", content, content_len);
  trace.int("replace_empty", replace_empty);
  return trace.end(at.store_file_create(path, path_len, content, content_len, replace_empty));
}

export function store_file_write(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
): i32 {
  trace.begin("store.file_write");
  trace.text("path", path, path_len);
  trace.text("content", content, content_len);
  return trace.end(at.store_file_write(path, path_len, content, content_len));
}

export function store_file_rewrite(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
): i32 {
  trace.begin("store.file_rewrite");
  trace.text("path", path, path_len);
  trace.text("content", content, content_len);
  return trace.end(at.store_file_rewrite(path, path_len, content, content_len));
}

export function store_file_remove(path: usize, path_len: i32): i32 {
  trace.begin("store.file_remove");
  trace.text("path", path, path_len);
  return trace.end(at.store_file_remove(path, path_len));
}

export function plugin_exec(
  path: usize,
  path_len: i32,
  env: usize,
  env_len: i32,
  stdin: usize,
  stdin_len: i32,
  timeout_ms: i32,
): i32 {
  trace.begin("plugin.exec");
  trace.text("path", path, path_len);
  trace.text("env", env, env_len);
  trace.text("stdin", stdin, stdin_len);
  trace.int("timeout_ms", timeout_ms);
  return trace.end(at.plugin_exec(path, path_len, env, env_len, stdin, stdin_len, timeout_ms));
}

export function plugin_socket_call(
  path: usize,
  path_len: i32,
  opening: usize,
  opening_len: i32,
  request: usize,
  request_len: i32,
  timeout_ms: i32,
): i32 {
  trace.begin("plugin.socket_call");
  trace.text("path", path, path_len);
  trace.text("opening", opening, opening_len);
  trace.text("request", request, request_len);
  trace.int("timeout_ms", timeout_ms);
  return trace.end(at.plugin_socket_call(
    path,
    path_len,
    opening,
    opening_len,
    request,
    request_len,
    timeout_ms,
  ));
}
