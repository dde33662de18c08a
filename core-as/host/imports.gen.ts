// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Only core-as/host/*.ts call these.

/** Length of what the last operation left in the reply slot. */
@external("host", "reply_len")
export declare function host_reply_len(): i32;

/** Copies the reply slot into the core's own buffer, as much as fits. */
@external("host", "reply_read")
export declare function host_reply_read(into: usize, into_len: i32): i32;

/** Reads standard input to its end; EFBIG when there is more than the limit. */
@external("host", "stdin_read")
export declare function host_stdin_read(limit_bytes: i32): i32;

/** Writes one line for a human to standard error. */
@external("host", "log")
export declare function host_log(text: usize, text_len: i32): i32;

/** Waits, for the bounded polls of a link or an address becoming ready. */
@external("host", "sleep")
export declare function host_sleep(duration_ms: i32): i32;

/**
 * Says how far the call reaches, before it changes anything but its locks: it writes below these
 * folders, a line each, and executes these programs, a line each: a name is that of a file in a
 * folder of CNI_PATH, all else a path, of a socket to call too. The folder / is all of them. With
 * `make` those that are missing are made. A host may hold the call to it, or do nothing; that of a
 * second call in one process may count for nothing.
 */
@external("host", "confine")
export declare function host_confine(
  folders: usize,
  folders_len: i32,
  programs: usize,
  programs_len: i32,
  make: i32,
): i32;

/** A failed assertion of the core: a bug. The core traps right after. */
@external("host", "panic")
export declare function host_panic(
  msg: usize,
  msg_len: i32,
  file: usize,
  file_len: i32,
  line: i32,
  col: i32,
): i32;

/** Opens a network namespace; EINVAL when the path is there but is not one. */
@external("kernel", "netns_open")
export declare function kernel_netns_open(path: usize, path_len: i32): i32;

/** Compares two namespaces. */
@external("kernel", "netns_same")
export declare function kernel_netns_same(a: i32, b: i32): i32;

/**
 * Tells a namespace from every other of this boot, also from a later one at the same path. A number
 * of an inode may be given again.
 */
@external("kernel", "netns_id")
export declare function kernel_netns_id(ns: i32): i32;

/**
 * Gives a namespace back, with the sockets in it; netns_open may give its handle again. The host's
 * own stays.
 */
@external("kernel", "netns_close")
export declare function kernel_netns_close(ns: i32): i32;

/** Reads a sysctl of the namespace; the key is the path below /proc/sys/ and starts net/. */
@external("kernel", "sysctl_read")
export declare function kernel_sysctl_read(ns: i32, key: usize, key_len: i32): i32;

/** Writes a sysctl of the namespace; same keys as sysctl_read. */
@external("kernel", "sysctl_write")
export declare function kernel_sysctl_write(
  ns: i32,
  key: usize,
  key_len: i32,
  value: usize,
  value_len: i32,
): i32;

/**
 * One link by name. `peer` is the ifindex of a veth's other end, `kind` "" for lo and NICs, `table`
 * the routing table of a VRF, `lower` is of links that lie on another, `mode` of macvlans and
 * ipvlans, `vid` of VLANs; 0 and "" of any other link.
 */
@external("kernel", "link_get")
export declare function kernel_link_get(ns: i32, name: usize, name_len: i32): i32;

/** One link by ifindex. */
@external("kernel", "link_get_index")
export declare function kernel_link_get_index(ns: i32, ifindex: i32): i32;

/** All links of a namespace. */
@external("kernel", "link_list")
export declare function kernel_link_list(ns: i32): i32;

/**
 * Makes a bridge, down. mtu_bytes 0 leaves it to the kernel. EOPNOTSUPP: a kernel without VLAN
 * filtering.
 */
@external("kernel", "link_add_bridge")
export declare function kernel_link_add_bridge(
  ns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  vlan_filtering: i32,
): i32;

/**
 * Makes a veth pair in one message: this end up and in `master` (ifindex, 0 for none), the peer
 * down in its own namespace. Empty addresses and mtu_bytes 0 are left to the kernel.
 */
@external("kernel", "link_add_veth")
export declare function kernel_link_add_veth(
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
): i32;

/**
 * Makes a VRF over a routing table, down. EOPNOTSUPP: a kernel without VRF, told before EINVAL,
 * which table 0 is.
 */
@external("kernel", "link_add_vrf")
export declare function kernel_link_add_vrf(ns: i32, name: usize, name_len: i32, table: i32): i32;

/**
 * Makes a dummy, down. An empty address is left to the kernel. EADDRNOTAVAIL: no unicast address,
 * told before anything is made; EOPNOTSUPP: a kernel without dummy.
 */
@external("kernel", "link_add_dummy")
export declare function kernel_link_add_dummy(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
): i32;

/**
 * Makes a macvlan on the link `lower` of `ns`, down and in `netns`; `mode` is a word of ip(8).
 * Empty address and 0 are left to the kernel; in mode passthru it has the address of `lower`.
 * EEXIST: the name is taken in `netns`, before Linux 6.15 also when it is in `ns`. EBUSY: `lower`
 * is a port of a bridge, or its frames go elsewhere. EINVAL: it is no Ethernet link, carries less
 * than the MTU, or one of mode passthru would not have it alone.
 */
@external("kernel", "link_add_macvlan")
export declare function kernel_link_add_macvlan(
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
): i32;

/**
 * Makes an ipvlan on the link `lower` of `ns`, down and in `netns`, with the address of `lower`;
 * `mode` is a word of ip(8), and becomes that of all ipvlans on `lower`. mtu_bytes 0 is that of
 * `lower`. EEXIST: as of link_add_macvlan. EBUSY: `lower` is a port of a bridge, or carries
 * macvlans. EINVAL: it is no Ethernet link.
 */
@external("kernel", "link_add_ipvlan")
export declare function kernel_link_add_ipvlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  mode: usize,
  mode_len: i32,
): i32;

/**
 * Makes an interface in an 802.1Q VLAN of the link `lower` of `ns`, down and in `netns`, with the
 * address of `lower`. mtu_bytes 0 is that of `lower`. EEXIST: as of link_add_macvlan, and when any
 * namespace has that VLAN of `lower`. EINVAL: `lower` carries less than the MTU. EOPNOTSUPP: it
 * carries no VLANs, or the kernel has none. ERANGE: no VLAN.
 */
@external("kernel", "link_add_vlan")
export declare function kernel_link_add_vlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  vid: i32,
): i32;

/**
 * Makes a tap that stays when nobody has it open, down. `owner` and `group` are the bits of the
 * numbers of who may open it, -1 for nobody. ENOENT, ENODEV: no /dev/net/tun, or none behind it,
 * told before EINVAL, which a name is that the kernel does not take.
 */
@external("kernel", "link_add_tap")
export declare function kernel_link_add_tap(
  ns: i32,
  name: usize,
  name_len: i32,
  multi_queue: i32,
  owner: i32,
  group: i32,
): i32;

/** Renames a link that is down. EEXIST: the name is taken. */
@external("kernel", "link_set_name")
export declare function kernel_link_set_name(
  ns: i32,
  ifindex: i32,
  name: usize,
  name_len: i32,
): i32;

/**
 * Moves a link into another namespace, under a name: it is down there, without addresses, routes
 * and sysctls of its own, and its ifindex may be another. EEXIST: the name is taken there; a link
 * whose former name is free has moved all the same, under that. EINVAL: links of its kind stay
 * where they are.
 */
@external("kernel", "link_set_netns")
export declare function kernel_link_set_netns(
  ns: i32,
  ifindex: i32,
  netns: i32,
  name: usize,
  name_len: i32,
): i32;

/** Sets what a link is called beside its name, up to 255 bytes; "" takes it away. */
@external("kernel", "link_set_alias")
export declare function kernel_link_set_alias(
  ns: i32,
  ifindex: i32,
  alias: usize,
  alias_len: i32,
): i32;

/**
 * Brings a link up. EADDRINUSE: of two macvlans on one link, or of one and that link, only one can
 * be up with an address. ENETDOWN: what a VLAN lies on is down.
 */
@external("kernel", "link_set_up")
export declare function kernel_link_set_up(ns: i32, ifindex: i32): i32;

/** Takes a link down. */
@external("kernel", "link_set_down")
export declare function kernel_link_set_down(ns: i32, ifindex: i32): i32;

/** Switches promiscuous mode. */
@external("kernel", "link_set_promisc")
export declare function kernel_link_set_promisc(ns: i32, ifindex: i32, on: i32): i32;

/** Switches the reception of all multicast frames. */
@external("kernel", "link_set_allmulti")
export declare function kernel_link_set_allmulti(ns: i32, ifindex: i32, on: i32): i32;

/** Sets the MTU; below 1280 the link loses IPv6. EINVAL: more or less than it can carry. */
@external("kernel", "link_set_mtu")
export declare function kernel_link_set_mtu(ns: i32, ifindex: i32, mtu_bytes: i32): i32;

/** Sets the length of the transmit queue, in packets. */
@external("kernel", "link_set_txqlen")
export declare function kernel_link_set_txqlen(ns: i32, ifindex: i32, txqlen: i32): i32;

/** Sets the hardware address; a bridge then stops following its lowest port. */
@external("kernel", "link_set_address")
export declare function kernel_link_set_address(
  ns: i32,
  ifindex: i32,
  address: usize,
  address_len: i32,
): i32;

/** Sets the flags of a bridge port. */
@external("kernel", "link_set_bridge_port")
export declare function kernel_link_set_bridge_port(
  ns: i32,
  ifindex: i32,
  hairpin: i32,
  isolated: i32,
): i32;

/**
 * Puts a link into a bridge or VRF, instead of one that it is in; master 0 takes it out. By way of
 * a VRF the link goes down and up: it loses its routes, and IPv6 addresses unless
 * net/ipv6/conf/…/keep_addr_on_down says otherwise.
 */
@external("kernel", "link_set_master")
export declare function kernel_link_set_master(ns: i32, ifindex: i32, master: i32): i32;

/**
 * Removes a link; of a veth pair both ends go. When it answers nobody finds the link any more, and
 * its name is free; the kernel may still be busy freeing it.
 */
@external("kernel", "link_del")
export declare function kernel_link_del(ns: i32, ifindex: i32): i32;

/**
 * Makes an ifb, up, its transmit queue of length 0. Empty address and mtu_bytes 0 are left to the
 * kernel. EADDRNOTAVAIL: no unicast address, told before anything is made; EOPNOTSUPP: a kernel
 * without ifb.
 */
@external("kernel", "link_add_ifb")
export declare function kernel_link_add_ifb(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
): i32;

/** Ports of a bridge, up or not. */
@external("kernel", "bridge_port_list")
export declare function kernel_bridge_port_list(ns: i32, ifindex: i32): i32;

/** Lets VLANs vid..vid_end pass a bridge port. */
@external("kernel", "bridge_vlan_add")
export declare function kernel_bridge_vlan_add(
  ns: i32,
  ifindex: i32,
  vid: i32,
  vid_end: i32,
  pvid: i32,
  untagged: i32,
): i32;

/** Takes VLANs vid..vid_end off a bridge port; one that is not there is no error. */
@external("kernel", "bridge_vlan_del")
export declare function kernel_bridge_vlan_del(ns: i32, ifindex: i32, vid: i32, vid_end: i32): i32;

/** VLANs of a bridge port. */
@external("kernel", "bridge_vlan_list")
export declare function kernel_bridge_vlan_list(ns: i32, ifindex: i32): i32;

/**
 * Adds an address with its prefix length, global scope; IPv4 with prefix < 31 gets the broadcast
 * address. nodad (IPv6) skips duplicate address detection.
 */
@external("kernel", "addr_add")
export declare function kernel_addr_add(
  ns: i32,
  ifindex: i32,
  address: usize,
  address_len: i32,
  nodad: i32,
): i32;

/** Removes an address. */
@external("kernel", "addr_del")
export declare function kernel_addr_del(
  ns: i32,
  ifindex: i32,
  address: usize,
  address_len: i32,
): i32;

/** Addresses of a link, link-local ones included. */
@external("kernel", "addr_list")
export declare function kernel_addr_list(ns: i32, ifindex: i32): i32;

/**
 * Adds a route; an exact duplicate is EEXIST, another next hop for the same destination is added
 * beside the first. Empty gw or src and 0 leave an attribute out; table 0 is main, protocol 0 is
 * boot (rtnetlink(7)).
 */
@external("kernel", "route_add")
export declare function kernel_route_add(
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
): i32;

/** Removes the first route that matches. */
@external("kernel", "route_del")
export declare function kernel_route_del(
  ns: i32,
  ifindex: i32,
  dst: usize,
  dst_len: i32,
  gw: usize,
  gw_len: i32,
  table: i32,
): i32;

/** Unicast routes that leave by a link, of both families. */
@external("kernel", "route_list")
export declare function kernel_route_list(ns: i32, ifindex: i32): i32;

/** Numbers of the routing tables of both families that hold a route of whatever type. */
@external("kernel", "route_table_list")
export declare function kernel_route_table_list(ns: i32): i32;

/**
 * The unicast route that a packet to an address would take, of several next hops one. ENETUNREACH:
 * there is none, or the address is the namespace's own or a group's.
 */
@external("kernel", "route_get")
export declare function kernel_route_get(ns: i32, dst: usize, dst_len: i32): i32;

/**
 * Has packets from a prefix, at least one bit long, looked up in a table. priority 0 puts the rule
 * before all but the first. EOPNOTSUPP: a kernel without policy routing.
 */
@external("kernel", "fib_rule_add")
export declare function kernel_fib_rule_add(
  ns: i32,
  src: usize,
  src_len: i32,
  table: i32,
  priority: i32,
): i32;

/** Removes the first rule that matches, of whatever priority when it is 0. */
@external("kernel", "fib_rule_del")
export declare function kernel_fib_rule_del(
  ns: i32,
  src: usize,
  src_len: i32,
  table: i32,
  priority: i32,
): i32;

/**
 * Policy routing rules of both families; src "" is any, table 0 none. more: the rule asks for more
 * than the source, or does something else than look into its table.
 */
@external("kernel", "fib_rule_list")
export declare function kernel_fib_rule_list(ns: i32): i32;

/**
 * The qdisc at a place of linux/pkt_sched.h: TC_H_ROOT (-1), TC_H_INGRESS (-15). handle 0: the
 * kernel's own default. ENOENT: none, as of a link that was never up.
 */
@external("kernel", "qdisc_get")
export declare function kernel_qdisc_get(ns: i32, ifindex: i32, parent: i32): i32;

/** Adds the qdisc that filters of incoming packets hang on. EEXIST: it or a clsact is there. */
@external("kernel", "qdisc_add_ingress")
export declare function kernel_qdisc_add_ingress(ns: i32, ifindex: i32): i32;

/**
 * Puts a token bucket filter (struct tc_tbf_qopt) at the root. The rate is in bytes a second, in
 * two halves of 32 bits; from 2^32 on it goes into TCA_TBF_RATE64. buffer_ticks: the time of a
 * burst, 64 ns each. All are unsigned; no peak rate, no rate table. EEXIST: a root other than the
 * kernel's default; EINVAL: a burst below one byte; ENOENT: a kernel without tbf.
 */
@external("kernel", "qdisc_add_tbf")
export declare function kernel_qdisc_add_tbf(
  ns: i32,
  ifindex: i32,
  handle: i32,
  rate_low: i32,
  rate_high: i32,
  limit_bytes: i32,
  buffer_ticks: i32,
): i32;

/**
 * Removes the qdisc at a place, as qdisc_get has it, with what hangs on it. ENOENT, EINVAL: there
 * is none of this handle.
 */
@external("kernel", "qdisc_del")
export declare function kernel_qdisc_del(ns: i32, ifindex: i32, parent: i32, handle: i32): i32;

/**
 * Filters of incoming packets, heads and hash tables included. `to` is the ifindex of the link that
 * a u32 filter redirects to.
 */
@external("kernel", "filter_list")
export declare function kernel_filter_list(ns: i32, ifindex: i32): i32;

/**
 * Sends all incoming packets out of another link (an ifb gives them back). EINVAL: no qdisc to hang
 * it on, or a filter of another kind has the pref; ENOENT: a kernel without u32 or mirred.
 */
@external("kernel", "filter_add_redirect")
export declare function kernel_filter_add_redirect(ns: i32, ifindex: i32, pref: i32, to: i32): i32;

/**
 * Removes one u32 filter of incoming packets, with handle 0 all of that pref. ENOENT: there is
 * none; EINVAL: nor a qdisc that it could hang on.
 */
@external("kernel", "filter_del")
export declare function kernel_filter_del(ns: i32, ifindex: i32, pref: i32, handle: i32): i32;

/**
 * Forgets tracked flows: of a family (linux/netfilter.h: 2 IPv4, 10 IPv6) and a protocol
 * (IPPROTO_*), whose first packet went to a port in dport..dport_end and, unless empty, the address
 * dst, and whose answers come, unless empty, from the address reply_src. EINVAL: a kernel without
 * ctnetlink.
 */
@external("kernel", "conntrack_del")
export declare function kernel_conntrack_del(
  ns: i32,
  family: i32,
  protocol: i32,
  dst: usize,
  dst_len: i32,
  dport: i32,
  dport_end: i32,
  reply_src: usize,
  reply_src_len: i32,
): i32;

/**
 * Looks for a socket that takes new flows (IPPROTO_* 6: listening, 17: bound) to an address and
 * port, as the kernel does for a packet; 0.0.0.0 and :: find those for any address. EOPNOTSUPP: a
 * kernel without sock_diag, or another protocol.
 */
@external("kernel", "socket_listens")
export declare function kernel_socket_listens(
  ns: i32,
  protocol: i32,
  address: usize,
  address_len: i32,
  port: i32,
): i32;

/**
 * Sends one nftables transaction; all of it happens or nothing. `messages` are nfnetlink messages
 * from begin to end, numbered from 0, the last before the end asking for an acknowledgement;
 * `words` say the same, a command a line. The error is that of the first message that failed. The
 * begin may name a generation, in the words "# generation N": ERESTART when it is not that of now.
 * What was deleted is out of sight when it answers; the kernel may still be busy freeing it.
 */
@external("nft", "batch")
export declare function nft_batch(
  ns: i32,
  messages: usize,
  messages_len: i32,
  words: usize,
  words_len: i32,
): i32;

/** The generation of all tables: each transaction of anybody that changes them ends one. */
@external("nft", "generation")
export declare function nft_generation(ns: i32): i32;

/**
 * The comment of every rule of a table, "" for none. A table that is not there has no rules. family
 * is a number of linux/netfilter.h: 1 inet, 7 bridge.
 */
@external("nft", "rule_list")
export declare function nft_rule_list(ns: i32, family: i32, table: usize, table_len: i32): i32;

/**
 * One chain: how many rules it has and rules and elements lead to it, in sum (`use`), and the
 * handle and comment of its rules, and what their expressions are called in the kernel
 * (linux/netfilter/nf_tables.h), a verdict in the words of nft, a match or a target of xtables with
 * its name.
 */
@external("nft", "chain_get")
export declare function nft_chain_get(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  chain: usize,
  chain_len: i32,
): i32;

/** Base chains of all tables and families at a hook, a number of linux/netfilter.h: 2 forward. */
@external("nft", "chain_list")
export declare function nft_chain_list(ns: i32, hooknum: i32): i32;

/** All elements of a set or map: bytes in hex, a verdict in nft's words. */
@external("nft", "element_list")
export declare function nft_element_list(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  set: usize,
  set_len: i32,
): i32;

/** The element of a key; ENOENT when it, its set or its table is not there. */
@external("nft", "element_get")
export declare function nft_element_get(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  set: usize,
  set_len: i32,
  key: usize,
  key_len: i32,
): i32;

/**
 * Takes the exclusive flock on $dir/lock, host-local's own. create 0: ENOENT when the folder is
 * missing. After ETIMEDOUT the reply text says which process holds it.
 */
@external("store", "dir_lock")
export declare function store_dir_lock(dir: usize, dir_len: i32, create: i32, timeout_ms: i32): i32;

/** Gives the lock back. */
@external("store", "dir_unlock")
export declare function store_dir_unlock(lock: i32): i32;

/** Makes a folder (mode 0755) and those above it; one that is there is fine. */
@external("store", "dir_make")
export declare function store_dir_make(dir: usize, dir_len: i32): i32;

/** Compares the time a file was last written with the boot time (btime of proc_stat(5)). */
@external("store", "file_before_boot")
export declare function store_file_before_boot(path: usize, path_len: i32): i32;

/**
 * The time a file was last written, or a name in a folder last made or removed, as the file system
 * keeps it; links are followed.
 */
@external("store", "file_mtime")
export declare function store_file_mtime(path: usize, path_len: i32): i32;

/**
 * Sets the time that file_mtime gives, of a file or folder, to the nanosecond if the file system
 * can; the time of the last access stays. EINVAL: another form of text.
 */
@external("store", "file_set_mtime")
export declare function store_file_set_mtime(
  path: usize,
  path_len: i32,
  mtime: usize,
  mtime_len: i32,
): i32;

/** Names of the regular files of a folder, links followed. */
@external("store", "dir_list")
export declare function store_dir_list(dir: usize, dir_len: i32): i32;

/** Names of the folders of a folder, links followed: sysfs says by them what there is. */
@external("store", "subdir_list")
export declare function store_subdir_list(dir: usize, dir_len: i32): i32;

/**
 * Regular files of a folder with their text; the content of one that is longer than 64 KiB or no
 * UTF-8 is null.
 */
@external("store", "file_list")
export declare function store_file_list(dir: usize, dir_len: i32): i32;

/** Reads a file; EFBIG when it is larger than the limit. */
@external("store", "file_read")
export declare function store_file_read(path: usize, path_len: i32, limit_bytes: i32): i32;

/**
 * Makes a file (mode 0600) with its content at once: a reader sees all of it or no file.
 * replace_empty 1 takes the place of a zero-byte file, the trace of a crashed writer.
 */
@external("store", "file_create")
export declare function store_file_create(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
  replace_empty: i32,
): i32;

/** Replaces a file (mode 0600) at once. */
@external("store", "file_write")
export declare function store_file_write(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
): i32;

/**
 * Gives a regular file another content in place, which is much cheaper on a disk; else as
 * file_write. Who is killed meanwhile leaves a mixture, so it is for hints and caches that are read
 * under the lock they are written under.
 */
@external("store", "file_rewrite")
export declare function store_file_rewrite(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
): i32;

/** Removes a file. */
@external("store", "file_remove")
export declare function store_file_remove(path: usize, path_len: i32): i32;

/**
 * Runs a program to its end: the host's environment with $env (NAME=value, each ended by a NUL
 * byte) over it, at most 1 MiB of output. What it says on standard error is passed on.
 */
@external("plugin", "exec")
export declare function plugin_exec(
  path: usize,
  path_len: i32,
  env: usize,
  env_len: i32,
  stdin: usize,
  stdin_len: i32,
  timeout_ms: i32,
): i32;

/**
 * Calls a process that listens on a socket of the file system: says $opening, waits for a first
 * word, says $request and no more, and hears the other out, at most 1 MiB. An empty $opening only
 * finds out whether somebody listens.
 */
@external("plugin", "socket_call")
export declare function plugin_socket_call(
  path: usize,
  path_len: i32,
  opening: usize,
  opening_len: i32,
  request: usize,
  request_len: i32,
  timeout_ms: i32,
): i32;
