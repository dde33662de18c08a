/* SPDX-License-Identifier: Apache-2.0 */
/* Generated from host-node/abi/ by `npm run generate`. Do not edit. */

#include "abi.gen.h"
#include "border.h"
#include "core.h"

static const char host_reply_len_row[] =
    "u-vhreply_len\0";

u32 Z_hostZ_reply_len(struct Z_host_instance_t *instance)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, host_reply_len_row, NULL, NULL);
    if (status == 0) status = host_reply_len(host);
    return border_end(host, host_reply_len_row, NULL, status);
}

static const char host_reply_read_row[] =
    "u-vhreply_read\0ointo\0";

u32 Z_hostZ_reply_read(struct Z_host_instance_t *instance, u32 into_ptr, u32 into_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {into_ptr, into_len};
    struct span wide[1];
    int32_t status = border_begin(host, host_reply_read_row, raw, wide);
    if (status == 0) status = host_reply_read(host, border_room(wide[0]));
    return border_end(host, host_reply_read_row, raw, status);
}

static const char host_stdin_read_row[] =
    "s-thstdin_read\0ilimit_bytes\0";

u32 Z_hostZ_stdin_read(struct Z_host_instance_t *instance, u32 limit_bytes)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {limit_bytes};
    int32_t status = border_begin(host, host_stdin_read_row, raw, NULL);
    if (status == 0) status = host_stdin_read(host, (int32_t)raw[0]);
    return border_end(host, host_stdin_read_row, raw, status);
}

static const char host_log_row[] =
    "s-nhlog\0stext\0";

u32 Z_hostZ_log(struct Z_host_instance_t *instance, u32 text_ptr, u32 text_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {text_ptr, text_len};
    struct span wide[1];
    int32_t status = border_begin(host, host_log_row, raw, wide);
    if (status == 0) status = host_log(host, wide[0]);
    return border_end(host, host_log_row, raw, status);
}

static const char host_sleep_row[] =
    "swnhsleep\0iduration_ms\0";

u32 Z_hostZ_sleep(struct Z_host_instance_t *instance, u32 duration_ms)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {duration_ms};
    int32_t status = border_begin(host, host_sleep_row, raw, NULL);
    if (status == 0) status = host_sleep(host, (int32_t)raw[0]);
    return border_end(host, host_sleep_row, raw, status);
}

static const char host_confine_row[] =
    "s-nhconfine\0sfolders\0sprograms\0imake\0";

u32 Z_hostZ_confine(struct Z_host_instance_t *instance, u32 folders_ptr, u32 folders_len,
    u32 programs_ptr, u32 programs_len, u32 make)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {folders_ptr, folders_len, programs_ptr, programs_len, make};
    struct span wide[2];
    int32_t status = border_begin(host, host_confine_row, raw, wide);
    if (status == 0) status = host_confine(host, wide[0], wide[1], (int32_t)raw[4]);
    return border_end(host, host_confine_row, raw, status);
}

static const char host_panic_row[] =
    "u-nhpanic\0smsg\0sfile\0iline\0icol\0";

u32 Z_hostZ_panic(struct Z_host_instance_t *instance, u32 msg_ptr, u32 msg_len, u32 file_ptr,
    u32 file_len, u32 line, u32 col)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {msg_ptr, msg_len, file_ptr, file_len, line, col};
    struct span wide[2];
    int32_t status = border_begin(host, host_panic_row, raw, wide);
    if (status == 0) status = host_panic(host, wide[0], wide[1], (int32_t)raw[4], (int32_t)raw[5]);
    return border_end(host, host_panic_row, raw, status);
}

static const char kernel_netns_open_row[] =
    "--vknetns_open\0spath\0";

u32 Z_kernelZ_netns_open(struct Z_kernel_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_netns_open_row, raw, wide);
    if (status == 0) status = kernel_netns_open(host, wide[0]);
    return border_end(host, kernel_netns_open_row, raw, status);
}

static const char kernel_netns_same_row[] =
    "--vknetns_same\0ia\0ib\0";

u32 Z_kernelZ_netns_same(struct Z_kernel_instance_t *instance, u32 a, u32 b)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {a, b};
    int32_t status = border_begin(host, kernel_netns_same_row, raw, NULL);
    if (status == 0) status = kernel_netns_same(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_netns_same_row, raw, status);
}

static const char kernel_netns_id_row[] =
    "--bknetns_id\0ins\0";

u32 Z_kernelZ_netns_id(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns};
    int32_t status = border_begin(host, kernel_netns_id_row, raw, NULL);
    if (status == 0) status = kernel_netns_id(host, (int32_t)raw[0]);
    return border_end(host, kernel_netns_id_row, raw, status);
}

static const char kernel_netns_close_row[] =
    "--nknetns_close\0ins\0";

u32 Z_kernelZ_netns_close(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns};
    int32_t status = border_begin(host, kernel_netns_close_row, raw, NULL);
    if (status == 0) status = kernel_netns_close(host, (int32_t)raw[0]);
    return border_end(host, kernel_netns_close_row, raw, status);
}

static const char kernel_sysctl_read_row[] =
    "--bksysctl_read\0ins\0skey\0";

u32 Z_kernelZ_sysctl_read(struct Z_kernel_instance_t *instance, u32 ns, u32 key_ptr, u32 key_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, key_ptr, key_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_sysctl_read_row, raw, wide);
    if (status == 0) status = kernel_sysctl_read(host, (int32_t)raw[0], wide[0]);
    return border_end(host, kernel_sysctl_read_row, raw, status);
}

static const char kernel_sysctl_write_row[] =
    "--nksysctl_write\0ins\0skey\0svalue\0";

u32 Z_kernelZ_sysctl_write(struct Z_kernel_instance_t *instance, u32 ns, u32 key_ptr, u32 key_len,
    u32 value_ptr, u32 value_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, key_ptr, key_len, value_ptr, value_len};
    struct span wide[2];
    int32_t status = border_begin(host, kernel_sysctl_write_row, raw, wide);
    if (status == 0) status = kernel_sysctl_write(host, (int32_t)raw[0], wide[0], wide[1]);
    return border_end(host, kernel_sysctl_write_row, raw, status);
}

static const char kernel_link_get_row[] =
    "--jklink_get\0ins\0sname\0";

u32 Z_kernelZ_link_get(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, name_ptr, name_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_get_row, raw, wide);
    if (status == 0) status = kernel_link_get(host, (int32_t)raw[0], wide[0]);
    return border_end(host, kernel_link_get_row, raw, status);
}

static const char kernel_link_get_index_row[] =
    "--jklink_get_index\0ins\0iifindex\0";

u32 Z_kernelZ_link_get_index(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_link_get_index_row, raw, NULL);
    if (status == 0) status = kernel_link_get_index(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_link_get_index_row, raw, status);
}

static const char kernel_link_list_row[] =
    "--jklink_list\0ins\0";

u32 Z_kernelZ_link_list(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns};
    int32_t status = border_begin(host, kernel_link_list_row, raw, NULL);
    if (status == 0) status = kernel_link_list(host, (int32_t)raw[0]);
    return border_end(host, kernel_link_list_row, raw, status);
}

static const char kernel_link_add_bridge_row[] =
    "--nklink_add_bridge\0ins\0sname\0imtu_bytes\0ivlan_filtering\0";

u32 Z_kernelZ_link_add_bridge(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr,
    u32 name_len, u32 mtu_bytes, u32 vlan_filtering)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, name_ptr, name_len, mtu_bytes, vlan_filtering};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_add_bridge_row, raw, wide);
    if (status == 0) status = kernel_link_add_bridge(host, (int32_t)raw[0], wide[0],
        (int32_t)raw[3], (int32_t)raw[4]);
    return border_end(host, kernel_link_add_bridge_row, raw, status);
}

static const char kernel_link_add_veth_row[] =
    "--nklink_add_veth\0ins\0sname\0saddress\0imtu_bytes\0imaster\0ipeer_ns\0"
    "speer_name\0speer_address\0";

u32 Z_kernelZ_link_add_veth(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr,
    u32 name_len, u32 address_ptr, u32 address_len, u32 mtu_bytes, u32 master, u32 peer_ns,
    u32 peer_name_ptr, u32 peer_name_len, u32 peer_address_ptr, u32 peer_address_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, name_ptr, name_len, address_ptr, address_len, mtu_bytes, master, peer_ns,
        peer_name_ptr, peer_name_len, peer_address_ptr, peer_address_len};
    struct span wide[4];
    int32_t status = border_begin(host, kernel_link_add_veth_row, raw, wide);
    if (status == 0) status = kernel_link_add_veth(host, (int32_t)raw[0], wide[0], wide[1],
        (int32_t)raw[5], (int32_t)raw[6], (int32_t)raw[7], wide[2], wide[3]);
    return border_end(host, kernel_link_add_veth_row, raw, status);
}

static const char kernel_link_add_vrf_row[] =
    "--nklink_add_vrf\0ins\0sname\0itable\0";

u32 Z_kernelZ_link_add_vrf(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len,
    u32 table)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, name_ptr, name_len, table};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_add_vrf_row, raw, wide);
    if (status == 0) status = kernel_link_add_vrf(host, (int32_t)raw[0], wide[0], (int32_t)raw[3]);
    return border_end(host, kernel_link_add_vrf_row, raw, status);
}

static const char kernel_link_add_dummy_row[] =
    "--nklink_add_dummy\0ins\0sname\0saddress\0";

u32 Z_kernelZ_link_add_dummy(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr,
    u32 name_len, u32 address_ptr, u32 address_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, name_ptr, name_len, address_ptr, address_len};
    struct span wide[2];
    int32_t status = border_begin(host, kernel_link_add_dummy_row, raw, wide);
    if (status == 0) status = kernel_link_add_dummy(host, (int32_t)raw[0], wide[0], wide[1]);
    return border_end(host, kernel_link_add_dummy_row, raw, status);
}

static const char kernel_link_add_macvlan_row[] =
    "--nklink_add_macvlan\0ins\0ilower\0inetns\0sname\0saddress\0imtu_bytes\0smode\0"
    "ibcqueuelen\0";

u32 Z_kernelZ_link_add_macvlan(struct Z_kernel_instance_t *instance, u32 ns, u32 lower, u32 netns,
    u32 name_ptr, u32 name_len, u32 address_ptr, u32 address_len, u32 mtu_bytes, u32 mode_ptr,
    u32 mode_len, u32 bcqueuelen)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, lower, netns, name_ptr, name_len, address_ptr, address_len, mtu_bytes,
        mode_ptr, mode_len, bcqueuelen};
    struct span wide[3];
    int32_t status = border_begin(host, kernel_link_add_macvlan_row, raw, wide);
    if (status == 0) status = kernel_link_add_macvlan(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], wide[0], wide[1], (int32_t)raw[7], wide[2], (int32_t)raw[10]);
    return border_end(host, kernel_link_add_macvlan_row, raw, status);
}

static const char kernel_link_add_ipvlan_row[] =
    "--nklink_add_ipvlan\0ins\0ilower\0inetns\0sname\0imtu_bytes\0smode\0";

u32 Z_kernelZ_link_add_ipvlan(struct Z_kernel_instance_t *instance, u32 ns, u32 lower, u32 netns,
    u32 name_ptr, u32 name_len, u32 mtu_bytes, u32 mode_ptr, u32 mode_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, lower, netns, name_ptr, name_len, mtu_bytes, mode_ptr, mode_len};
    struct span wide[2];
    int32_t status = border_begin(host, kernel_link_add_ipvlan_row, raw, wide);
    if (status == 0) status = kernel_link_add_ipvlan(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], wide[0], (int32_t)raw[5], wide[1]);
    return border_end(host, kernel_link_add_ipvlan_row, raw, status);
}

static const char kernel_link_add_vlan_row[] =
    "--nklink_add_vlan\0ins\0ilower\0inetns\0sname\0imtu_bytes\0ivid\0";

u32 Z_kernelZ_link_add_vlan(struct Z_kernel_instance_t *instance, u32 ns, u32 lower, u32 netns,
    u32 name_ptr, u32 name_len, u32 mtu_bytes, u32 vid)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, lower, netns, name_ptr, name_len, mtu_bytes, vid};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_add_vlan_row, raw, wide);
    if (status == 0) status = kernel_link_add_vlan(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], wide[0], (int32_t)raw[5], (int32_t)raw[6]);
    return border_end(host, kernel_link_add_vlan_row, raw, status);
}

static const char kernel_link_add_tap_row[] =
    "--nklink_add_tap\0ins\0sname\0imulti_queue\0iowner\0igroup\0";

u32 Z_kernelZ_link_add_tap(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len,
    u32 multi_queue, u32 owner, u32 group)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, name_ptr, name_len, multi_queue, owner, group};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_add_tap_row, raw, wide);
    if (status == 0) status = kernel_link_add_tap(host, (int32_t)raw[0], wide[0], (int32_t)raw[3],
        (int32_t)raw[4], (int32_t)raw[5]);
    return border_end(host, kernel_link_add_tap_row, raw, status);
}

static const char kernel_link_set_name_row[] =
    "--nklink_set_name\0ins\0iifindex\0sname\0";

u32 Z_kernelZ_link_set_name(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 name_ptr,
    u32 name_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, name_ptr, name_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_set_name_row, raw, wide);
    if (status == 0) status = kernel_link_set_name(host, (int32_t)raw[0], (int32_t)raw[1], wide[0]);
    return border_end(host, kernel_link_set_name_row, raw, status);
}

static const char kernel_link_set_netns_row[] =
    "--nklink_set_netns\0ins\0iifindex\0inetns\0sname\0";

u32 Z_kernelZ_link_set_netns(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 netns,
    u32 name_ptr, u32 name_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, netns, name_ptr, name_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_set_netns_row, raw, wide);
    if (status == 0) status = kernel_link_set_netns(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], wide[0]);
    return border_end(host, kernel_link_set_netns_row, raw, status);
}

static const char kernel_link_set_alias_row[] =
    "--nklink_set_alias\0ins\0iifindex\0salias\0";

u32 Z_kernelZ_link_set_alias(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 alias_ptr, u32 alias_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, alias_ptr, alias_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_set_alias_row, raw, wide);
    if (status == 0) status = kernel_link_set_alias(host, (int32_t)raw[0], (int32_t)raw[1],
        wide[0]);
    return border_end(host, kernel_link_set_alias_row, raw, status);
}

static const char kernel_link_set_up_row[] =
    "--nklink_set_up\0ins\0iifindex\0";

u32 Z_kernelZ_link_set_up(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_link_set_up_row, raw, NULL);
    if (status == 0) status = kernel_link_set_up(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_link_set_up_row, raw, status);
}

static const char kernel_link_set_down_row[] =
    "--nklink_set_down\0ins\0iifindex\0";

u32 Z_kernelZ_link_set_down(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_link_set_down_row, raw, NULL);
    if (status == 0) status = kernel_link_set_down(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_link_set_down_row, raw, status);
}

static const char kernel_link_set_promisc_row[] =
    "--nklink_set_promisc\0ins\0iifindex\0ion\0";

u32 Z_kernelZ_link_set_promisc(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 on)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, on};
    int32_t status = border_begin(host, kernel_link_set_promisc_row, raw, NULL);
    if (status == 0) status = kernel_link_set_promisc(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2]);
    return border_end(host, kernel_link_set_promisc_row, raw, status);
}

static const char kernel_link_set_allmulti_row[] =
    "--nklink_set_allmulti\0ins\0iifindex\0ion\0";

u32 Z_kernelZ_link_set_allmulti(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 on)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, on};
    int32_t status = border_begin(host, kernel_link_set_allmulti_row, raw, NULL);
    if (status == 0) status = kernel_link_set_allmulti(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2]);
    return border_end(host, kernel_link_set_allmulti_row, raw, status);
}

static const char kernel_link_set_mtu_row[] =
    "--nklink_set_mtu\0ins\0iifindex\0imtu_bytes\0";

u32 Z_kernelZ_link_set_mtu(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 mtu_bytes)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, mtu_bytes};
    int32_t status = border_begin(host, kernel_link_set_mtu_row, raw, NULL);
    if (status == 0) status = kernel_link_set_mtu(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2]);
    return border_end(host, kernel_link_set_mtu_row, raw, status);
}

static const char kernel_link_set_txqlen_row[] =
    "--nklink_set_txqlen\0ins\0iifindex\0itxqlen\0";

u32 Z_kernelZ_link_set_txqlen(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 txqlen)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, txqlen};
    int32_t status = border_begin(host, kernel_link_set_txqlen_row, raw, NULL);
    if (status == 0) status = kernel_link_set_txqlen(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2]);
    return border_end(host, kernel_link_set_txqlen_row, raw, status);
}

static const char kernel_link_set_address_row[] =
    "--nklink_set_address\0ins\0iifindex\0saddress\0";

u32 Z_kernelZ_link_set_address(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 address_ptr, u32 address_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, address_ptr, address_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_link_set_address_row, raw, wide);
    if (status == 0) status = kernel_link_set_address(host, (int32_t)raw[0], (int32_t)raw[1],
        wide[0]);
    return border_end(host, kernel_link_set_address_row, raw, status);
}

static const char kernel_link_set_bridge_port_row[] =
    "--nklink_set_bridge_port\0ins\0iifindex\0ihairpin\0iisolated\0";

u32 Z_kernelZ_link_set_bridge_port(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 hairpin, u32 isolated)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, hairpin, isolated};
    int32_t status = border_begin(host, kernel_link_set_bridge_port_row, raw, NULL);
    if (status == 0) status = kernel_link_set_bridge_port(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], (int32_t)raw[3]);
    return border_end(host, kernel_link_set_bridge_port_row, raw, status);
}

static const char kernel_link_set_master_row[] =
    "--nklink_set_master\0ins\0iifindex\0imaster\0";

u32 Z_kernelZ_link_set_master(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 master)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, master};
    int32_t status = border_begin(host, kernel_link_set_master_row, raw, NULL);
    if (status == 0) status = kernel_link_set_master(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2]);
    return border_end(host, kernel_link_set_master_row, raw, status);
}

static const char kernel_link_del_row[] =
    "-wnklink_del\0ins\0iifindex\0";

u32 Z_kernelZ_link_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_link_del_row, raw, NULL);
    if (status == 0) status = kernel_link_del(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_link_del_row, raw, status);
}

static const char kernel_link_add_ifb_row[] =
    "--nklink_add_ifb\0ins\0sname\0saddress\0imtu_bytes\0";

u32 Z_kernelZ_link_add_ifb(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len,
    u32 address_ptr, u32 address_len, u32 mtu_bytes)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, name_ptr, name_len, address_ptr, address_len, mtu_bytes};
    struct span wide[2];
    int32_t status = border_begin(host, kernel_link_add_ifb_row, raw, wide);
    if (status == 0) status = kernel_link_add_ifb(host, (int32_t)raw[0], wide[0], wide[1],
        (int32_t)raw[5]);
    return border_end(host, kernel_link_add_ifb_row, raw, status);
}

static const char kernel_bridge_port_list_row[] =
    "--jkbridge_port_list\0ins\0iifindex\0";

u32 Z_kernelZ_bridge_port_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_bridge_port_list_row, raw, NULL);
    if (status == 0) status = kernel_bridge_port_list(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_bridge_port_list_row, raw, status);
}

static const char kernel_bridge_vlan_add_row[] =
    "--nkbridge_vlan_add\0ins\0iifindex\0ivid\0ivid_end\0ipvid\0iuntagged\0";

u32 Z_kernelZ_bridge_vlan_add(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 vid,
    u32 vid_end, u32 pvid, u32 untagged)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, vid, vid_end, pvid, untagged};
    int32_t status = border_begin(host, kernel_bridge_vlan_add_row, raw, NULL);
    if (status == 0) status = kernel_bridge_vlan_add(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], (int32_t)raw[3], (int32_t)raw[4], (int32_t)raw[5]);
    return border_end(host, kernel_bridge_vlan_add_row, raw, status);
}

static const char kernel_bridge_vlan_del_row[] =
    "--nkbridge_vlan_del\0ins\0iifindex\0ivid\0ivid_end\0";

u32 Z_kernelZ_bridge_vlan_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 vid,
    u32 vid_end)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, vid, vid_end};
    int32_t status = border_begin(host, kernel_bridge_vlan_del_row, raw, NULL);
    if (status == 0) status = kernel_bridge_vlan_del(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], (int32_t)raw[3]);
    return border_end(host, kernel_bridge_vlan_del_row, raw, status);
}

static const char kernel_bridge_vlan_list_row[] =
    "--jkbridge_vlan_list\0ins\0iifindex\0";

u32 Z_kernelZ_bridge_vlan_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_bridge_vlan_list_row, raw, NULL);
    if (status == 0) status = kernel_bridge_vlan_list(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_bridge_vlan_list_row, raw, status);
}

static const char kernel_addr_add_row[] =
    "--nkaddr_add\0ins\0iifindex\0saddress\0inodad\0";

u32 Z_kernelZ_addr_add(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 address_ptr,
    u32 address_len, u32 nodad)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, address_ptr, address_len, nodad};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_addr_add_row, raw, wide);
    if (status == 0) status = kernel_addr_add(host, (int32_t)raw[0], (int32_t)raw[1], wide[0],
        (int32_t)raw[4]);
    return border_end(host, kernel_addr_add_row, raw, status);
}

static const char kernel_addr_del_row[] =
    "--nkaddr_del\0ins\0iifindex\0saddress\0";

u32 Z_kernelZ_addr_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 address_ptr,
    u32 address_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, address_ptr, address_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_addr_del_row, raw, wide);
    if (status == 0) status = kernel_addr_del(host, (int32_t)raw[0], (int32_t)raw[1], wide[0]);
    return border_end(host, kernel_addr_del_row, raw, status);
}

static const char kernel_addr_list_row[] =
    "--jkaddr_list\0ins\0iifindex\0";

u32 Z_kernelZ_addr_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_addr_list_row, raw, NULL);
    if (status == 0) status = kernel_addr_list(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_addr_list_row, raw, status);
}

static const char kernel_route_add_row[] =
    "--nkroute_add\0ins\0iifindex\0sdst\0sgw\0ssrc\0iscope\0itable\0ipriority\0"
    "imtu_bytes\0iadvmss\0iprotocol\0";

u32 Z_kernelZ_route_add(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 dst_ptr,
    u32 dst_len, u32 gw_ptr, u32 gw_len, u32 src_ptr, u32 src_len, u32 scope, u32 table,
    u32 priority, u32 mtu_bytes, u32 advmss, u32 protocol)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, dst_ptr, dst_len, gw_ptr, gw_len, src_ptr, src_len, scope,
        table, priority, mtu_bytes, advmss, protocol};
    struct span wide[3];
    int32_t status = border_begin(host, kernel_route_add_row, raw, wide);
    if (status == 0) status = kernel_route_add(host, (int32_t)raw[0], (int32_t)raw[1], wide[0],
        wide[1], wide[2], (int32_t)raw[8], (int32_t)raw[9], (int32_t)raw[10], (int32_t)raw[11],
        (int32_t)raw[12], (int32_t)raw[13]);
    return border_end(host, kernel_route_add_row, raw, status);
}

static const char kernel_route_del_row[] =
    "--nkroute_del\0ins\0iifindex\0sdst\0sgw\0itable\0";

u32 Z_kernelZ_route_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 dst_ptr,
    u32 dst_len, u32 gw_ptr, u32 gw_len, u32 table)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, dst_ptr, dst_len, gw_ptr, gw_len, table};
    struct span wide[2];
    int32_t status = border_begin(host, kernel_route_del_row, raw, wide);
    if (status == 0) status = kernel_route_del(host, (int32_t)raw[0], (int32_t)raw[1], wide[0],
        wide[1], (int32_t)raw[6]);
    return border_end(host, kernel_route_del_row, raw, status);
}

static const char kernel_route_list_row[] =
    "--jkroute_list\0ins\0iifindex\0";

u32 Z_kernelZ_route_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_route_list_row, raw, NULL);
    if (status == 0) status = kernel_route_list(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_route_list_row, raw, status);
}

static const char kernel_route_table_list_row[] =
    "--jkroute_table_list\0ins\0";

u32 Z_kernelZ_route_table_list(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns};
    int32_t status = border_begin(host, kernel_route_table_list_row, raw, NULL);
    if (status == 0) status = kernel_route_table_list(host, (int32_t)raw[0]);
    return border_end(host, kernel_route_table_list_row, raw, status);
}

static const char kernel_route_get_row[] =
    "--jkroute_get\0ins\0sdst\0";

u32 Z_kernelZ_route_get(struct Z_kernel_instance_t *instance, u32 ns, u32 dst_ptr, u32 dst_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, dst_ptr, dst_len};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_route_get_row, raw, wide);
    if (status == 0) status = kernel_route_get(host, (int32_t)raw[0], wide[0]);
    return border_end(host, kernel_route_get_row, raw, status);
}

static const char kernel_fib_rule_add_row[] =
    "--nkfib_rule_add\0ins\0ssrc\0itable\0ipriority\0";

u32 Z_kernelZ_fib_rule_add(struct Z_kernel_instance_t *instance, u32 ns, u32 src_ptr, u32 src_len,
    u32 table, u32 priority)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, src_ptr, src_len, table, priority};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_fib_rule_add_row, raw, wide);
    if (status == 0) status = kernel_fib_rule_add(host, (int32_t)raw[0], wide[0], (int32_t)raw[3],
        (int32_t)raw[4]);
    return border_end(host, kernel_fib_rule_add_row, raw, status);
}

static const char kernel_fib_rule_del_row[] =
    "--nkfib_rule_del\0ins\0ssrc\0itable\0ipriority\0";

u32 Z_kernelZ_fib_rule_del(struct Z_kernel_instance_t *instance, u32 ns, u32 src_ptr, u32 src_len,
    u32 table, u32 priority)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, src_ptr, src_len, table, priority};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_fib_rule_del_row, raw, wide);
    if (status == 0) status = kernel_fib_rule_del(host, (int32_t)raw[0], wide[0], (int32_t)raw[3],
        (int32_t)raw[4]);
    return border_end(host, kernel_fib_rule_del_row, raw, status);
}

static const char kernel_fib_rule_list_row[] =
    "--jkfib_rule_list\0ins\0";

u32 Z_kernelZ_fib_rule_list(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns};
    int32_t status = border_begin(host, kernel_fib_rule_list_row, raw, NULL);
    if (status == 0) status = kernel_fib_rule_list(host, (int32_t)raw[0]);
    return border_end(host, kernel_fib_rule_list_row, raw, status);
}

static const char kernel_qdisc_get_row[] =
    "--jkqdisc_get\0ins\0iifindex\0iparent\0";

u32 Z_kernelZ_qdisc_get(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 parent)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, parent};
    int32_t status = border_begin(host, kernel_qdisc_get_row, raw, NULL);
    if (status == 0) status = kernel_qdisc_get(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2]);
    return border_end(host, kernel_qdisc_get_row, raw, status);
}

static const char kernel_qdisc_add_ingress_row[] =
    "--nkqdisc_add_ingress\0ins\0iifindex\0";

u32 Z_kernelZ_qdisc_add_ingress(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_qdisc_add_ingress_row, raw, NULL);
    if (status == 0) status = kernel_qdisc_add_ingress(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_qdisc_add_ingress_row, raw, status);
}

static const char kernel_qdisc_add_tbf_row[] =
    "--nkqdisc_add_tbf\0ins\0iifindex\0ihandle\0irate_low\0irate_high\0ilimit_bytes\0"
    "ibuffer_ticks\0";

u32 Z_kernelZ_qdisc_add_tbf(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 handle,
    u32 rate_low, u32 rate_high, u32 limit_bytes, u32 buffer_ticks)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, handle, rate_low, rate_high, limit_bytes, buffer_ticks};
    int32_t status = border_begin(host, kernel_qdisc_add_tbf_row, raw, NULL);
    if (status == 0) status = kernel_qdisc_add_tbf(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], (int32_t)raw[3], (int32_t)raw[4], (int32_t)raw[5], (int32_t)raw[6]);
    return border_end(host, kernel_qdisc_add_tbf_row, raw, status);
}

static const char kernel_qdisc_del_row[] =
    "--nkqdisc_del\0ins\0iifindex\0iparent\0ihandle\0";

u32 Z_kernelZ_qdisc_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 parent,
    u32 handle)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, parent, handle};
    int32_t status = border_begin(host, kernel_qdisc_del_row, raw, NULL);
    if (status == 0) status = kernel_qdisc_del(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], (int32_t)raw[3]);
    return border_end(host, kernel_qdisc_del_row, raw, status);
}

static const char kernel_filter_list_row[] =
    "--jkfilter_list\0ins\0iifindex\0";

u32 Z_kernelZ_filter_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex};
    int32_t status = border_begin(host, kernel_filter_list_row, raw, NULL);
    if (status == 0) status = kernel_filter_list(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, kernel_filter_list_row, raw, status);
}

static const char kernel_filter_add_redirect_row[] =
    "--nkfilter_add_redirect\0ins\0iifindex\0ipref\0ito\0";

u32 Z_kernelZ_filter_add_redirect(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 pref, u32 to)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, pref, to};
    int32_t status = border_begin(host, kernel_filter_add_redirect_row, raw, NULL);
    if (status == 0) status = kernel_filter_add_redirect(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], (int32_t)raw[3]);
    return border_end(host, kernel_filter_add_redirect_row, raw, status);
}

static const char kernel_filter_del_row[] =
    "--nkfilter_del\0ins\0iifindex\0ipref\0ihandle\0";

u32 Z_kernelZ_filter_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 pref,
    u32 handle)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, ifindex, pref, handle};
    int32_t status = border_begin(host, kernel_filter_del_row, raw, NULL);
    if (status == 0) status = kernel_filter_del(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], (int32_t)raw[3]);
    return border_end(host, kernel_filter_del_row, raw, status);
}

static const char kernel_conntrack_del_row[] =
    "--vkconntrack_del\0ins\0ifamily\0iprotocol\0sdst\0idport\0idport_end\0"
    "sreply_src\0";

u32 Z_kernelZ_conntrack_del(struct Z_kernel_instance_t *instance, u32 ns, u32 family, u32 protocol,
    u32 dst_ptr, u32 dst_len, u32 dport, u32 dport_end, u32 reply_src_ptr, u32 reply_src_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, family, protocol, dst_ptr, dst_len, dport, dport_end, reply_src_ptr,
        reply_src_len};
    struct span wide[2];
    int32_t status = border_begin(host, kernel_conntrack_del_row, raw, wide);
    if (status == 0) status = kernel_conntrack_del(host, (int32_t)raw[0], (int32_t)raw[1],
        (int32_t)raw[2], wide[0], (int32_t)raw[5], (int32_t)raw[6], wide[1]);
    return border_end(host, kernel_conntrack_del_row, raw, status);
}

static const char kernel_socket_listens_row[] =
    "--vksocket_listens\0ins\0iprotocol\0saddress\0iport\0";

u32 Z_kernelZ_socket_listens(struct Z_kernel_instance_t *instance, u32 ns, u32 protocol,
    u32 address_ptr, u32 address_len, u32 port)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, protocol, address_ptr, address_len, port};
    struct span wide[1];
    int32_t status = border_begin(host, kernel_socket_listens_row, raw, wide);
    if (status == 0) status = kernel_socket_listens(host, (int32_t)raw[0], (int32_t)raw[1], wide[0],
        (int32_t)raw[4]);
    return border_end(host, kernel_socket_listens_row, raw, status);
}

static const char nft_batch_row[] =
    "-wnnbatch\0ins\0bmessages\0swords\0";

u32 Z_nftZ_batch(struct Z_nft_instance_t *instance, u32 ns, u32 messages_ptr, u32 messages_len,
    u32 words_ptr, u32 words_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, messages_ptr, messages_len, words_ptr, words_len};
    struct span wide[2];
    int32_t status = border_begin(host, nft_batch_row, raw, wide);
    if (status == 0) status = nft_batch(host, (int32_t)raw[0], wide[0], wide[1]);
    return border_end(host, nft_batch_row, raw, status);
}

static const char nft_generation_row[] =
    "--jngeneration\0ins\0";

u32 Z_nftZ_generation(struct Z_nft_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns};
    int32_t status = border_begin(host, nft_generation_row, raw, NULL);
    if (status == 0) status = nft_generation(host, (int32_t)raw[0]);
    return border_end(host, nft_generation_row, raw, status);
}

static const char nft_rule_list_row[] =
    "--jnrule_list\0ins\0ifamily\0stable\0";

u32 Z_nftZ_rule_list(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, family, table_ptr, table_len};
    struct span wide[1];
    int32_t status = border_begin(host, nft_rule_list_row, raw, wide);
    if (status == 0) status = nft_rule_list(host, (int32_t)raw[0], (int32_t)raw[1], wide[0]);
    return border_end(host, nft_rule_list_row, raw, status);
}

static const char nft_chain_get_row[] =
    "--jnchain_get\0ins\0ifamily\0stable\0schain\0";

u32 Z_nftZ_chain_get(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len, u32 chain_ptr, u32 chain_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, family, table_ptr, table_len, chain_ptr, chain_len};
    struct span wide[2];
    int32_t status = border_begin(host, nft_chain_get_row, raw, wide);
    if (status == 0) status = nft_chain_get(host, (int32_t)raw[0], (int32_t)raw[1], wide[0],
        wide[1]);
    return border_end(host, nft_chain_get_row, raw, status);
}

static const char nft_chain_list_row[] =
    "--jnchain_list\0ins\0ihooknum\0";

u32 Z_nftZ_chain_list(struct Z_nft_instance_t *instance, u32 ns, u32 hooknum)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, hooknum};
    int32_t status = border_begin(host, nft_chain_list_row, raw, NULL);
    if (status == 0) status = nft_chain_list(host, (int32_t)raw[0], (int32_t)raw[1]);
    return border_end(host, nft_chain_list_row, raw, status);
}

static const char nft_element_list_row[] =
    "--jnelement_list\0ins\0ifamily\0stable\0sset\0";

u32 Z_nftZ_element_list(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len, u32 set_ptr, u32 set_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, family, table_ptr, table_len, set_ptr, set_len};
    struct span wide[2];
    int32_t status = border_begin(host, nft_element_list_row, raw, wide);
    if (status == 0) status = nft_element_list(host, (int32_t)raw[0], (int32_t)raw[1], wide[0],
        wide[1]);
    return border_end(host, nft_element_list_row, raw, status);
}

static const char nft_element_get_row[] =
    "--jnelement_get\0ins\0ifamily\0stable\0sset\0bkey\0";

u32 Z_nftZ_element_get(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len, u32 set_ptr, u32 set_len, u32 key_ptr, u32 key_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {ns, family, table_ptr, table_len, set_ptr, set_len, key_ptr, key_len};
    struct span wide[3];
    int32_t status = border_begin(host, nft_element_get_row, raw, wide);
    if (status == 0) status = nft_element_get(host, (int32_t)raw[0], (int32_t)raw[1], wide[0],
        wide[1], wide[2]);
    return border_end(host, nft_element_get_row, raw, status);
}

static const char store_dir_lock_row[] =
    "swvsdir_lock\0sdir\0icreate\0itimeout_ms\0";

u32 Z_storeZ_dir_lock(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len, u32 create,
    u32 timeout_ms)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {dir_ptr, dir_len, create, timeout_ms};
    struct span wide[1];
    int32_t status = border_begin(host, store_dir_lock_row, raw, wide);
    if (status == 0) status = store_dir_lock(host, wide[0], (int32_t)raw[2], (int32_t)raw[3]);
    return border_end(host, store_dir_lock_row, raw, status);
}

static const char store_dir_unlock_row[] =
    "s-nsdir_unlock\0ilock\0";

u32 Z_storeZ_dir_unlock(struct Z_store_instance_t *instance, u32 lock)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {lock};
    int32_t status = border_begin(host, store_dir_unlock_row, raw, NULL);
    if (status == 0) status = store_dir_unlock(host, (int32_t)raw[0]);
    return border_end(host, store_dir_unlock_row, raw, status);
}

static const char store_dir_make_row[] =
    "s-nsdir_make\0sdir\0";

u32 Z_storeZ_dir_make(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {dir_ptr, dir_len};
    struct span wide[1];
    int32_t status = border_begin(host, store_dir_make_row, raw, wide);
    if (status == 0) status = store_dir_make(host, wide[0]);
    return border_end(host, store_dir_make_row, raw, status);
}

static const char store_file_before_boot_row[] =
    "s-vsfile_before_boot\0spath\0";

u32 Z_storeZ_file_before_boot(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len};
    struct span wide[1];
    int32_t status = border_begin(host, store_file_before_boot_row, raw, wide);
    if (status == 0) status = store_file_before_boot(host, wide[0]);
    return border_end(host, store_file_before_boot_row, raw, status);
}

static const char store_file_mtime_row[] =
    "s-bsfile_mtime\0spath\0";

u32 Z_storeZ_file_mtime(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len};
    struct span wide[1];
    int32_t status = border_begin(host, store_file_mtime_row, raw, wide);
    if (status == 0) status = store_file_mtime(host, wide[0]);
    return border_end(host, store_file_mtime_row, raw, status);
}

static const char store_file_set_mtime_row[] =
    "s-nsfile_set_mtime\0spath\0smtime\0";

u32 Z_storeZ_file_set_mtime(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 mtime_ptr, u32 mtime_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len, mtime_ptr, mtime_len};
    struct span wide[2];
    int32_t status = border_begin(host, store_file_set_mtime_row, raw, wide);
    if (status == 0) status = store_file_set_mtime(host, wide[0], wide[1]);
    return border_end(host, store_file_set_mtime_row, raw, status);
}

static const char store_dir_list_row[] =
    "s-jsdir_list\0sdir\0";

u32 Z_storeZ_dir_list(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {dir_ptr, dir_len};
    struct span wide[1];
    int32_t status = border_begin(host, store_dir_list_row, raw, wide);
    if (status == 0) status = store_dir_list(host, wide[0]);
    return border_end(host, store_dir_list_row, raw, status);
}

static const char store_subdir_list_row[] =
    "s-jssubdir_list\0sdir\0";

u32 Z_storeZ_subdir_list(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {dir_ptr, dir_len};
    struct span wide[1];
    int32_t status = border_begin(host, store_subdir_list_row, raw, wide);
    if (status == 0) status = store_subdir_list(host, wide[0]);
    return border_end(host, store_subdir_list_row, raw, status);
}

static const char store_file_list_row[] =
    "s-jsfile_list\0sdir\0";

u32 Z_storeZ_file_list(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {dir_ptr, dir_len};
    struct span wide[1];
    int32_t status = border_begin(host, store_file_list_row, raw, wide);
    if (status == 0) status = store_file_list(host, wide[0]);
    return border_end(host, store_file_list_row, raw, status);
}

static const char store_file_read_row[] =
    "s-bsfile_read\0spath\0ilimit_bytes\0";

u32 Z_storeZ_file_read(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 limit_bytes)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len, limit_bytes};
    struct span wide[1];
    int32_t status = border_begin(host, store_file_read_row, raw, wide);
    if (status == 0) status = store_file_read(host, wide[0], (int32_t)raw[2]);
    return border_end(host, store_file_read_row, raw, status);
}

static const char store_file_create_row[] =
    "s-nsfile_create\0spath\0bcontent\0ireplace_empty\0";

u32 Z_storeZ_file_create(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 content_ptr, u32 content_len, u32 replace_empty)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len, content_ptr, content_len, replace_empty};
    struct span wide[2];
    int32_t status = border_begin(host, store_file_create_row, raw, wide);
    if (status == 0) status = store_file_create(host, wide[0], wide[1], (int32_t)raw[4]);
    return border_end(host, store_file_create_row, raw, status);
}

static const char store_file_write_row[] =
    "s-nsfile_write\0spath\0bcontent\0";

u32 Z_storeZ_file_write(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 content_ptr, u32 content_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len, content_ptr, content_len};
    struct span wide[2];
    int32_t status = border_begin(host, store_file_write_row, raw, wide);
    if (status == 0) status = store_file_write(host, wide[0], wide[1]);
    return border_end(host, store_file_write_row, raw, status);
}

static const char store_file_rewrite_row[] =
    "s-nsfile_rewrite\0spath\0bcontent\0";

u32 Z_storeZ_file_rewrite(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 content_ptr, u32 content_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len, content_ptr, content_len};
    struct span wide[2];
    int32_t status = border_begin(host, store_file_rewrite_row, raw, wide);
    if (status == 0) status = store_file_rewrite(host, wide[0], wide[1]);
    return border_end(host, store_file_rewrite_row, raw, status);
}

static const char store_file_remove_row[] =
    "s-nsfile_remove\0spath\0";

u32 Z_storeZ_file_remove(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len};
    struct span wide[1];
    int32_t status = border_begin(host, store_file_remove_row, raw, wide);
    if (status == 0) status = store_file_remove(host, wide[0]);
    return border_end(host, store_file_remove_row, raw, status);
}

static const char plugin_exec_row[] =
    "swjpexec\0spath\0benv\0bstdin\0itimeout_ms\0";

u32 Z_pluginZ_exec(struct Z_plugin_instance_t *instance, u32 path_ptr, u32 path_len, u32 env_ptr,
    u32 env_len, u32 stdin_ptr, u32 stdin_len, u32 timeout_ms)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len, env_ptr, env_len, stdin_ptr, stdin_len, timeout_ms};
    struct span wide[3];
    int32_t status = border_begin(host, plugin_exec_row, raw, wide);
    if (status == 0) status = plugin_exec(host, wide[0], wide[1], wide[2], (int32_t)raw[6]);
    return border_end(host, plugin_exec_row, raw, status);
}

static const char plugin_socket_call_row[] =
    "swbpsocket_call\0spath\0bopening\0brequest\0itimeout_ms\0";

u32 Z_pluginZ_socket_call(struct Z_plugin_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 opening_ptr, u32 opening_len, u32 request_ptr, u32 request_len, u32 timeout_ms)
{
    struct host *host = (struct host *)instance;
    const u32 raw[] = {path_ptr, path_len, opening_ptr, opening_len, request_ptr, request_len,
        timeout_ms};
    struct span wide[3];
    int32_t status = border_begin(host, plugin_socket_call_row, raw, wide);
    if (status == 0) status = plugin_socket_call(host, wide[0], wide[1], wide[2], (int32_t)raw[6]);
    return border_end(host, plugin_socket_call_row, raw, status);
}
