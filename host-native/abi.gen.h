/* SPDX-License-Identifier: Apache-2.0 */
/* Generated from host-node/abi/ by `npm run generate`. Do not edit. */

#ifndef FAIRLEAD_ABI_GEN_H
#define FAIRLEAD_ABI_GEN_H

#include "host.h"

/** The name of the core's marker export. */
#define ABI_MARKER "fairlead_abi_1"

/** store.file_list gives the content of files up to this length. */
#define LISTED_MAX_BYTES 65536

/** Of folders that a host makes. */
#define DIR_MODE 0755

/** Of lock files, as host-local's own. */
#define LOCK_MODE 0750

/** Of other files that a host makes. */
#define FILE_MODE 0600

/** A program may say as much on either output; more is EFBIG. */
#define OUTPUT_MAX_BYTES 1048576

/** So often a program is tried that cannot be executed because it is being written (ETXTBSY). */
#define BUSY_TRIES 20

/** Between these tries, in ms. */
#define BUSY_PAUSE_MS 50

/** So often a list of the kernel is read that changed meanwhile; then it is EINTR. */
#define DUMP_TRIES 5

/** A core that panics or traps in this command may have made something. */
#define BROKEN_COMMAND "ADD"

/** The command that takes it away, in a fresh instance with the same input. */
#define BROKEN_CLEANUP "DEL"

/** In the details, between what broke and what that command answered, if anything. */
#define BROKEN_SAID "; the cleaning up said: "

/** The answer when a core broke: this, the details as a JSON string, BROKEN_END. */
#define BROKEN_BEGIN \
    "{\n    \"cniVersion\": \"1.1.0\",\n    \"code\": 999,\n    \"msg\": " \
    "\"internal error in the Fairlead core: please report it with " \
    "these details\",\n    \"details\": "

/** The end of that answer. */
#define BROKEN_END "\n}"

/** Of the form of recordings (docs/recording.md). */
#define RECORDING_VERSION 1

/** Of the operations of one call a recording has no more than this. */
#define RECORDING_MAX_BYTES 16777216

/** All recordings of a ring together; each of its calls has an equal part. */
#define RING_MAX_BYTES 67108864

/** A ring keeps no more calls. */
#define RING_MAX_CALLS 1000

/**
 * A name, in small letters and without "-", "_" and ".", that holds one of these words is that of a
 * secret, and a recording has stars in the secret's place.
 */
#define SECRET_WORDS \
    "password passwd passphrase secret token credential " \
    "privatekey presharedkey psk apikey authkey"

/** So is one that is one of these. */
#define SECRET_NAMES "auth authorization key"

/** Length of what the last operation left in the reply slot. */
int32_t host_reply_len(struct host *host);

/** Copies the reply slot into the core's own buffer, as much as fits. */
int32_t host_reply_read(struct host *host, struct room into);

/** Reads standard input to its end; EFBIG when there is more than the limit. */
int32_t host_stdin_read(struct host *host, int32_t limit_bytes);

/** Writes one line for a human to standard error. */
int32_t host_log(struct host *host, struct span text);

/** Waits, for the bounded polls of a link or an address becoming ready. */
int32_t host_sleep(struct host *host, int32_t duration_ms);

/**
 * Says how far the call reaches, before it changes anything but its locks: it writes below these
 * folders, a line each, and executes these programs, a line each: a name is that of a file in a
 * folder of CNI_PATH, all else a path, of a socket to call too. The folder / is all of them. With
 * `make` those that are missing are made. A host may hold the call to it, or do nothing; that of a
 * second call in one process may count for nothing.
 */
int32_t host_confine(struct host *host, struct span folders, struct span programs, int32_t make);

/** A failed assertion of the core: a bug. The core traps right after. */
int32_t host_panic(struct host *host, struct span msg, struct span file, int32_t line, int32_t col);

/** Opens a network namespace; EINVAL when the path is there but is not one. */
int32_t kernel_netns_open(struct host *host, struct span path);

/** Compares two namespaces. */
int32_t kernel_netns_same(struct host *host, int32_t a, int32_t b);

/**
 * Tells a namespace from every other of this boot, also from a later one at the same path. A number
 * of an inode may be given again.
 */
int32_t kernel_netns_id(struct host *host, int32_t ns);

/**
 * Gives a namespace back, with the sockets in it; netns_open may give its handle again. The host's
 * own stays.
 */
int32_t kernel_netns_close(struct host *host, int32_t ns);

/** Reads a sysctl of the namespace; the key is the path below /proc/sys/ and starts net/. */
int32_t kernel_sysctl_read(struct host *host, int32_t ns, struct span key);

/** Writes a sysctl of the namespace; same keys as sysctl_read. */
int32_t kernel_sysctl_write(struct host *host, int32_t ns, struct span key, struct span value);

/**
 * One link by name. `peer` is the ifindex of a veth's other end, `kind` "" for lo and NICs, `table`
 * the routing table of a VRF, `lower` is of links that lie on another, `mode` of macvlans and
 * ipvlans, `vid` of VLANs; 0 and "" of any other link.
 */
int32_t kernel_link_get(struct host *host, int32_t ns, struct span name);

/** One link by ifindex. */
int32_t kernel_link_get_index(struct host *host, int32_t ns, int32_t ifindex);

/** All links of a namespace. */
int32_t kernel_link_list(struct host *host, int32_t ns);

/**
 * Makes a bridge, down. mtu_bytes 0 leaves it to the kernel. EOPNOTSUPP: a kernel without VLAN
 * filtering.
 */
int32_t kernel_link_add_bridge(struct host *host, int32_t ns, struct span name, int32_t mtu_bytes,
    int32_t vlan_filtering);

/**
 * Makes a veth pair in one message: this end up and in `master` (ifindex, 0 for none), the peer
 * down in its own namespace. Empty addresses and mtu_bytes 0 are left to the kernel.
 */
int32_t kernel_link_add_veth(struct host *host, int32_t ns, struct span name, struct span address,
    int32_t mtu_bytes, int32_t master, int32_t peer_ns, struct span peer_name,
    struct span peer_address);

/**
 * Makes a VRF over a routing table, down. EOPNOTSUPP: a kernel without VRF, told before EINVAL,
 * which table 0 is.
 */
int32_t kernel_link_add_vrf(struct host *host, int32_t ns, struct span name, int32_t table);

/**
 * Makes a dummy, down. An empty address is left to the kernel. EADDRNOTAVAIL: no unicast address,
 * told before anything is made; EOPNOTSUPP: a kernel without dummy.
 */
int32_t kernel_link_add_dummy(struct host *host, int32_t ns, struct span name, struct span address);

/**
 * Makes a macvlan on the link `lower` of `ns`, down and in `netns`; `mode` is a word of ip(8).
 * Empty address and 0 are left to the kernel; in mode passthru it has the address of `lower`.
 * EEXIST: the name is taken in `netns`, before Linux 6.15 also when it is in `ns`. EBUSY: `lower`
 * is a port of a bridge, or its frames go elsewhere. EINVAL: it is no Ethernet link, carries less
 * than the MTU, or one of mode passthru would not have it alone.
 */
int32_t kernel_link_add_macvlan(struct host *host, int32_t ns, int32_t lower, int32_t netns,
    struct span name, struct span address, int32_t mtu_bytes, struct span mode, int32_t bcqueuelen);

/**
 * Makes an ipvlan on the link `lower` of `ns`, down and in `netns`, with the address of `lower`;
 * `mode` is a word of ip(8), and becomes that of all ipvlans on `lower`. mtu_bytes 0 is that of
 * `lower`. EEXIST: as of link_add_macvlan. EBUSY: `lower` is a port of a bridge, or carries
 * macvlans. EINVAL: it is no Ethernet link.
 */
int32_t kernel_link_add_ipvlan(struct host *host, int32_t ns, int32_t lower, int32_t netns,
    struct span name, int32_t mtu_bytes, struct span mode);

/**
 * Makes an interface in an 802.1Q VLAN of the link `lower` of `ns`, down and in `netns`, with the
 * address of `lower`. mtu_bytes 0 is that of `lower`. EEXIST: as of link_add_macvlan, and when any
 * namespace has that VLAN of `lower`. EINVAL: `lower` carries less than the MTU. EOPNOTSUPP: it
 * carries no VLANs, or the kernel has none. ERANGE: no VLAN.
 */
int32_t kernel_link_add_vlan(struct host *host, int32_t ns, int32_t lower, int32_t netns,
    struct span name, int32_t mtu_bytes, int32_t vid);

/**
 * Makes a tap that stays when nobody has it open, down. `owner` and `group` are the bits of the
 * numbers of who may open it, -1 for nobody. ENOENT, ENODEV: no /dev/net/tun, or none behind it,
 * told before EINVAL, which a name is that the kernel does not take.
 */
int32_t kernel_link_add_tap(struct host *host, int32_t ns, struct span name, int32_t multi_queue,
    int32_t owner, int32_t group);

/** Renames a link that is down. EEXIST: the name is taken. */
int32_t kernel_link_set_name(struct host *host, int32_t ns, int32_t ifindex, struct span name);

/**
 * Moves a link into another namespace, under a name: it is down there, without addresses, routes
 * and sysctls of its own, and its ifindex may be another. EEXIST: the name is taken there; a link
 * whose former name is free has moved all the same, under that. EINVAL: links of its kind stay
 * where they are.
 */
int32_t kernel_link_set_netns(struct host *host, int32_t ns, int32_t ifindex, int32_t netns,
    struct span name);

/** Sets what a link is called beside its name, up to 255 bytes; "" takes it away. */
int32_t kernel_link_set_alias(struct host *host, int32_t ns, int32_t ifindex, struct span alias);

/**
 * Brings a link up. EADDRINUSE: of two macvlans on one link, or of one and that link, only one can
 * be up with an address. ENETDOWN: what a VLAN lies on is down.
 */
int32_t kernel_link_set_up(struct host *host, int32_t ns, int32_t ifindex);

/** Takes a link down. */
int32_t kernel_link_set_down(struct host *host, int32_t ns, int32_t ifindex);

/** Switches promiscuous mode. */
int32_t kernel_link_set_promisc(struct host *host, int32_t ns, int32_t ifindex, int32_t on);

/** Switches the reception of all multicast frames. */
int32_t kernel_link_set_allmulti(struct host *host, int32_t ns, int32_t ifindex, int32_t on);

/** Sets the MTU; below 1280 the link loses IPv6. EINVAL: more or less than it can carry. */
int32_t kernel_link_set_mtu(struct host *host, int32_t ns, int32_t ifindex, int32_t mtu_bytes);

/** Sets the length of the transmit queue, in packets. */
int32_t kernel_link_set_txqlen(struct host *host, int32_t ns, int32_t ifindex, int32_t txqlen);

/** Sets the hardware address; a bridge then stops following its lowest port. */
int32_t kernel_link_set_address(struct host *host, int32_t ns, int32_t ifindex,
    struct span address);

/** Sets the flags of a bridge port. */
int32_t kernel_link_set_bridge_port(struct host *host, int32_t ns, int32_t ifindex, int32_t hairpin,
    int32_t isolated);

/**
 * Puts a link into a bridge or VRF, instead of one that it is in; master 0 takes it out. By way of
 * a VRF the link goes down and up: it loses its routes, and IPv6 addresses unless
 * net/ipv6/conf/…/keep_addr_on_down says otherwise.
 */
int32_t kernel_link_set_master(struct host *host, int32_t ns, int32_t ifindex, int32_t master);

/**
 * Removes a link; of a veth pair both ends go. When it answers nobody finds the link any more, and
 * its name is free; the kernel may still be busy freeing it.
 */
int32_t kernel_link_del(struct host *host, int32_t ns, int32_t ifindex);

/**
 * Makes an ifb, up, its transmit queue of length 0. Empty address and mtu_bytes 0 are left to the
 * kernel. EADDRNOTAVAIL: no unicast address, told before anything is made; EOPNOTSUPP: a kernel
 * without ifb.
 */
int32_t kernel_link_add_ifb(struct host *host, int32_t ns, struct span name, struct span address,
    int32_t mtu_bytes);

/** Ports of a bridge, up or not. */
int32_t kernel_bridge_port_list(struct host *host, int32_t ns, int32_t ifindex);

/** Lets VLANs vid..vid_end pass a bridge port. */
int32_t kernel_bridge_vlan_add(struct host *host, int32_t ns, int32_t ifindex, int32_t vid,
    int32_t vid_end, int32_t pvid, int32_t untagged);

/** Takes VLANs vid..vid_end off a bridge port; one that is not there is no error. */
int32_t kernel_bridge_vlan_del(struct host *host, int32_t ns, int32_t ifindex, int32_t vid,
    int32_t vid_end);

/** VLANs of a bridge port. */
int32_t kernel_bridge_vlan_list(struct host *host, int32_t ns, int32_t ifindex);

/**
 * Adds an address with its prefix length, global scope; IPv4 with prefix < 31 gets the broadcast
 * address. nodad (IPv6) skips duplicate address detection.
 */
int32_t kernel_addr_add(struct host *host, int32_t ns, int32_t ifindex, struct span address,
    int32_t nodad);

/** Removes an address. */
int32_t kernel_addr_del(struct host *host, int32_t ns, int32_t ifindex, struct span address);

/** Addresses of a link, link-local ones included. */
int32_t kernel_addr_list(struct host *host, int32_t ns, int32_t ifindex);

/**
 * Adds a route; an exact duplicate is EEXIST, another next hop for the same destination is added
 * beside the first. Empty gw or src and 0 leave an attribute out; table 0 is main, protocol 0 is
 * boot (rtnetlink(7)).
 */
int32_t kernel_route_add(struct host *host, int32_t ns, int32_t ifindex, struct span dst,
    struct span gw, struct span src, int32_t scope, int32_t table, int32_t priority,
    int32_t mtu_bytes, int32_t advmss, int32_t protocol);

/** Removes the first route that matches. */
int32_t kernel_route_del(struct host *host, int32_t ns, int32_t ifindex, struct span dst,
    struct span gw, int32_t table);

/** Unicast routes that leave by a link, of both families. */
int32_t kernel_route_list(struct host *host, int32_t ns, int32_t ifindex);

/** Numbers of the routing tables of both families that hold a route of whatever type. */
int32_t kernel_route_table_list(struct host *host, int32_t ns);

/**
 * The unicast route that a packet to an address would take, of several next hops one. ENETUNREACH:
 * there is none, or the address is the namespace's own or a group's.
 */
int32_t kernel_route_get(struct host *host, int32_t ns, struct span dst);

/**
 * Has packets from a prefix, at least one bit long, looked up in a table. priority 0 puts the rule
 * before all but the first. EOPNOTSUPP: a kernel without policy routing.
 */
int32_t kernel_fib_rule_add(struct host *host, int32_t ns, struct span src, int32_t table,
    int32_t priority);

/** Removes the first rule that matches, of whatever priority when it is 0. */
int32_t kernel_fib_rule_del(struct host *host, int32_t ns, struct span src, int32_t table,
    int32_t priority);

/**
 * Policy routing rules of both families; src "" is any, table 0 none. more: the rule asks for more
 * than the source, or does something else than look into its table.
 */
int32_t kernel_fib_rule_list(struct host *host, int32_t ns);

/**
 * The qdisc at a place of linux/pkt_sched.h: TC_H_ROOT (-1), TC_H_INGRESS (-15). handle 0: the
 * kernel's own default. ENOENT: none, as of a link that was never up.
 */
int32_t kernel_qdisc_get(struct host *host, int32_t ns, int32_t ifindex, int32_t parent);

/** Adds the qdisc that filters of incoming packets hang on. EEXIST: it or a clsact is there. */
int32_t kernel_qdisc_add_ingress(struct host *host, int32_t ns, int32_t ifindex);

/**
 * Puts a token bucket filter (struct tc_tbf_qopt) at the root. The rate is in bytes a second, in
 * two halves of 32 bits; from 2^32 on it goes into TCA_TBF_RATE64. buffer_ticks: the time of a
 * burst, 64 ns each. All are unsigned; no peak rate, no rate table. EEXIST: a root other than the
 * kernel's default; EINVAL: a burst below one byte; ENOENT: a kernel without tbf.
 */
int32_t kernel_qdisc_add_tbf(struct host *host, int32_t ns, int32_t ifindex, int32_t handle,
    int32_t rate_low, int32_t rate_high, int32_t limit_bytes, int32_t buffer_ticks);

/**
 * Removes the qdisc at a place, as qdisc_get has it, with what hangs on it. ENOENT, EINVAL: there
 * is none of this handle.
 */
int32_t kernel_qdisc_del(struct host *host, int32_t ns, int32_t ifindex, int32_t parent,
    int32_t handle);

/**
 * Filters of incoming packets, heads and hash tables included. `to` is the ifindex of the link that
 * a u32 filter redirects to.
 */
int32_t kernel_filter_list(struct host *host, int32_t ns, int32_t ifindex);

/**
 * Sends all incoming packets out of another link (an ifb gives them back). EINVAL: no qdisc to hang
 * it on, or a filter of another kind has the pref; ENOENT: a kernel without u32 or mirred.
 */
int32_t kernel_filter_add_redirect(struct host *host, int32_t ns, int32_t ifindex, int32_t pref,
    int32_t to);

/**
 * Removes one u32 filter of incoming packets, with handle 0 all of that pref. ENOENT: there is
 * none; EINVAL: nor a qdisc that it could hang on.
 */
int32_t kernel_filter_del(struct host *host, int32_t ns, int32_t ifindex, int32_t pref,
    int32_t handle);

/**
 * Forgets tracked flows: of a family (linux/netfilter.h: 2 IPv4, 10 IPv6) and a protocol
 * (IPPROTO_*), whose first packet went to a port in dport..dport_end and, unless empty, the address
 * dst, and whose answers come, unless empty, from the address reply_src. EINVAL: a kernel without
 * ctnetlink.
 */
int32_t kernel_conntrack_del(struct host *host, int32_t ns, int32_t family, int32_t protocol,
    struct span dst, int32_t dport, int32_t dport_end, struct span reply_src);

/**
 * Looks for a socket that takes new flows (IPPROTO_* 6: listening, 17: bound) to an address and
 * port, as the kernel does for a packet; 0.0.0.0 and :: find those for any address. EOPNOTSUPP: a
 * kernel without sock_diag, or another protocol.
 */
int32_t kernel_socket_listens(struct host *host, int32_t ns, int32_t protocol, struct span address,
    int32_t port);

/**
 * Sends one nftables transaction; all of it happens or nothing. `messages` are nfnetlink messages
 * from begin to end, numbered from 0, the last before the end asking for an acknowledgement;
 * `words` say the same, a command a line. The error is that of the first message that failed. The
 * begin may name a generation, in the words "# generation N": ERESTART when it is not that of now.
 * What was deleted is out of sight when it answers; the kernel may still be busy freeing it.
 */
int32_t nft_batch(struct host *host, int32_t ns, struct span messages, struct span words);

/** The generation of all tables: each transaction of anybody that changes them ends one. */
int32_t nft_generation(struct host *host, int32_t ns);

/**
 * The comment of every rule of a table, "" for none. A table that is not there has no rules. family
 * is a number of linux/netfilter.h: 1 inet, 7 bridge.
 */
int32_t nft_rule_list(struct host *host, int32_t ns, int32_t family, struct span table);

/**
 * One chain: how many rules it has and rules and elements lead to it, in sum (`use`), and the
 * handle and comment of its rules, and what their expressions are called in the kernel
 * (linux/netfilter/nf_tables.h), a verdict in the words of nft, a match or a target of xtables with
 * its name.
 */
int32_t nft_chain_get(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span chain);

/** Base chains of all tables and families at a hook, a number of linux/netfilter.h: 2 forward. */
int32_t nft_chain_list(struct host *host, int32_t ns, int32_t hooknum);

/** All elements of a set or map: bytes in hex, a verdict in nft's words. */
int32_t nft_element_list(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span set);

/** The element of a key; ENOENT when it, its set or its table is not there. */
int32_t nft_element_get(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span set, struct span key);

/**
 * Takes the exclusive flock on $dir/lock, host-local's own. create 0: ENOENT when the folder is
 * missing. After ETIMEDOUT the reply text says which process holds it.
 */
int32_t store_dir_lock(struct host *host, struct span dir, int32_t create, int32_t timeout_ms);

/** Gives the lock back. */
int32_t store_dir_unlock(struct host *host, int32_t lock);

/** Makes a folder (mode 0755) and those above it; one that is there is fine. */
int32_t store_dir_make(struct host *host, struct span dir);

/** Compares the time a file was last written with the boot time (btime of proc_stat(5)). */
int32_t store_file_before_boot(struct host *host, struct span path);

/**
 * The time a file was last written, or a name in a folder last made or removed, as the file system
 * keeps it; links are followed.
 */
int32_t store_file_mtime(struct host *host, struct span path);

/**
 * Sets the time that file_mtime gives, of a file or folder, to the nanosecond if the file system
 * can; the time of the last access stays. EINVAL: another form of text.
 */
int32_t store_file_set_mtime(struct host *host, struct span path, struct span mtime);

/** Names of the regular files of a folder, links followed. */
int32_t store_dir_list(struct host *host, struct span dir);

/** Names of the folders of a folder, links followed: sysfs says by them what there is. */
int32_t store_subdir_list(struct host *host, struct span dir);

/**
 * Regular files of a folder with their text; the content of one that is longer than 64 KiB or no
 * UTF-8 is null.
 */
int32_t store_file_list(struct host *host, struct span dir);

/** Reads a file; EFBIG when it is larger than the limit. */
int32_t store_file_read(struct host *host, struct span path, int32_t limit_bytes);

/**
 * Makes a file (mode 0600) with its content at once: a reader sees all of it or no file.
 * replace_empty 1 takes the place of a zero-byte file, the trace of a crashed writer.
 */
int32_t store_file_create(struct host *host, struct span path, struct span content,
    int32_t replace_empty);

/** Replaces a file (mode 0600) at once. */
int32_t store_file_write(struct host *host, struct span path, struct span content);

/**
 * Gives a regular file another content in place, which is much cheaper on a disk; else as
 * file_write. Who is killed meanwhile leaves a mixture, so it is for hints and caches that are read
 * under the lock they are written under.
 */
int32_t store_file_rewrite(struct host *host, struct span path, struct span content);

/** Removes a file. */
int32_t store_file_remove(struct host *host, struct span path);

/**
 * Runs a program to its end: the host's environment with $env (NAME=value, each ended by a NUL
 * byte) over it, at most 1 MiB of output. What it says on standard error is passed on.
 */
int32_t plugin_exec(struct host *host, struct span path, struct span env, struct span stdin,
    int32_t timeout_ms);

/**
 * Calls a process that listens on a socket of the file system: says $opening, waits for a first
 * word, says $request and no more, and hears the other out, at most 1 MiB. An empty $opening only
 * finds out whether somebody listens.
 */
int32_t plugin_socket_call(struct host *host, struct span path, struct span opening,
    struct span request, int32_t timeout_ms);

#endif
