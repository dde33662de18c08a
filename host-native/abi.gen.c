/* SPDX-License-Identifier: Apache-2.0 */
/* Generated from host-node/abi/ by `npm run generate`. Do not edit. */

#include "abi.gen.h"
#include "border.h"
#include "core.h"

u32 Z_hostZ_reply_len(struct Z_host_instance_t *instance)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = host_reply_len(host);
    return border_end(host, status);
}

u32 Z_hostZ_reply_read(struct Z_host_instance_t *instance, u32 into_ptr, u32 into_len)
{
    struct host *host = (struct host *)instance;
    struct room into;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_room(host, into_ptr, into_len, &into);
    if (status == 0) status = host_reply_read(host, into);
    return border_end(host, status);
}

u32 Z_hostZ_stdin_read(struct Z_host_instance_t *instance, u32 limit_bytes)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = host_stdin_read(host, (int32_t)limit_bytes);
    return border_end(host, status);
}

u32 Z_hostZ_log(struct Z_host_instance_t *instance, u32 text_ptr, u32 text_len)
{
    struct host *host = (struct host *)instance;
    struct span text;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, text_ptr, text_len, &text);
    if (status == 0) status = host_log(host, text);
    return border_end(host, status);
}

u32 Z_hostZ_sleep(struct Z_host_instance_t *instance, u32 duration_ms)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = host_sleep(host, (int32_t)duration_ms);
    return border_end(host, status);
}

u32 Z_hostZ_confine(struct Z_host_instance_t *instance, u32 folders_ptr, u32 folders_len,
    u32 programs_ptr, u32 programs_len, u32 make)
{
    struct host *host = (struct host *)instance;
    struct span folders;
    struct span programs;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, folders_ptr, folders_len, &folders);
    if (status == 0) status = border_text(host, programs_ptr, programs_len, &programs);
    if (status == 0) status = host_confine(host, folders, programs, (int32_t)make);
    return border_end(host, status);
}

u32 Z_hostZ_panic(struct Z_host_instance_t *instance, u32 msg_ptr, u32 msg_len, u32 file_ptr,
    u32 file_len, u32 line, u32 col)
{
    struct host *host = (struct host *)instance;
    struct span msg;
    struct span file;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, msg_ptr, msg_len, &msg);
    if (status == 0) status = border_text(host, file_ptr, file_len, &file);
    if (status == 0) status = host_panic(host, msg, file, (int32_t)line, (int32_t)col);
    return border_end(host, status);
}

u32 Z_kernelZ_netns_open(struct Z_kernel_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    struct span path;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = kernel_netns_open(host, path);
    return border_end(host, status);
}

u32 Z_kernelZ_netns_same(struct Z_kernel_instance_t *instance, u32 a, u32 b)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_netns_same(host, (int32_t)a, (int32_t)b);
    return border_end(host, status);
}

u32 Z_kernelZ_netns_id(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_netns_id(host, (int32_t)ns);
    return border_end(host, status);
}

u32 Z_kernelZ_netns_close(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_netns_close(host, (int32_t)ns);
    return border_end(host, status);
}

u32 Z_kernelZ_sysctl_read(struct Z_kernel_instance_t *instance, u32 ns, u32 key_ptr, u32 key_len)
{
    struct host *host = (struct host *)instance;
    struct span key;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, key_ptr, key_len, &key);
    if (status == 0) status = kernel_sysctl_read(host, (int32_t)ns, key);
    return border_end(host, status);
}

u32 Z_kernelZ_sysctl_write(struct Z_kernel_instance_t *instance, u32 ns, u32 key_ptr, u32 key_len,
    u32 value_ptr, u32 value_len)
{
    struct host *host = (struct host *)instance;
    struct span key;
    struct span value;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, key_ptr, key_len, &key);
    if (status == 0) status = border_text(host, value_ptr, value_len, &value);
    if (status == 0) status = kernel_sysctl_write(host, (int32_t)ns, key, value);
    return border_end(host, status);
}

u32 Z_kernelZ_link_get(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len)
{
    struct host *host = (struct host *)instance;
    struct span name;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = kernel_link_get(host, (int32_t)ns, name);
    return border_end(host, status);
}

u32 Z_kernelZ_link_get_index(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_link_get_index(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_link_list(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_link_list(host, (int32_t)ns);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_bridge(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr,
    u32 name_len, u32 mtu_bytes, u32 vlan_filtering)
{
    struct host *host = (struct host *)instance;
    struct span name;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = kernel_link_add_bridge(host, (int32_t)ns, name, (int32_t)mtu_bytes,
        (int32_t)vlan_filtering);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_veth(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr,
    u32 name_len, u32 address_ptr, u32 address_len, u32 mtu_bytes, u32 master, u32 peer_ns,
    u32 peer_name_ptr, u32 peer_name_len, u32 peer_address_ptr, u32 peer_address_len)
{
    struct host *host = (struct host *)instance;
    struct span name;
    struct span address;
    struct span peer_name;
    struct span peer_address;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = border_text(host, peer_name_ptr, peer_name_len, &peer_name);
    if (status == 0) status = border_text(host, peer_address_ptr, peer_address_len, &peer_address);
    if (status == 0) status = kernel_link_add_veth(host, (int32_t)ns, name, address,
        (int32_t)mtu_bytes, (int32_t)master, (int32_t)peer_ns, peer_name, peer_address);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_vrf(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len,
    u32 table)
{
    struct host *host = (struct host *)instance;
    struct span name;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = kernel_link_add_vrf(host, (int32_t)ns, name, (int32_t)table);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_dummy(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr,
    u32 name_len, u32 address_ptr, u32 address_len)
{
    struct host *host = (struct host *)instance;
    struct span name;
    struct span address;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = kernel_link_add_dummy(host, (int32_t)ns, name, address);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_macvlan(struct Z_kernel_instance_t *instance, u32 ns, u32 lower, u32 netns,
    u32 name_ptr, u32 name_len, u32 address_ptr, u32 address_len, u32 mtu_bytes, u32 mode_ptr,
    u32 mode_len, u32 bcqueuelen)
{
    struct host *host = (struct host *)instance;
    struct span name;
    struct span address;
    struct span mode;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = border_text(host, mode_ptr, mode_len, &mode);
    if (status == 0) status = kernel_link_add_macvlan(host, (int32_t)ns, (int32_t)lower,
        (int32_t)netns, name, address, (int32_t)mtu_bytes, mode, (int32_t)bcqueuelen);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_ipvlan(struct Z_kernel_instance_t *instance, u32 ns, u32 lower, u32 netns,
    u32 name_ptr, u32 name_len, u32 mtu_bytes, u32 mode_ptr, u32 mode_len)
{
    struct host *host = (struct host *)instance;
    struct span name;
    struct span mode;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = border_text(host, mode_ptr, mode_len, &mode);
    if (status == 0) status = kernel_link_add_ipvlan(host, (int32_t)ns, (int32_t)lower,
        (int32_t)netns, name, (int32_t)mtu_bytes, mode);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_vlan(struct Z_kernel_instance_t *instance, u32 ns, u32 lower, u32 netns,
    u32 name_ptr, u32 name_len, u32 mtu_bytes, u32 vid)
{
    struct host *host = (struct host *)instance;
    struct span name;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = kernel_link_add_vlan(host, (int32_t)ns, (int32_t)lower,
        (int32_t)netns, name, (int32_t)mtu_bytes, (int32_t)vid);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_tap(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len,
    u32 multi_queue, u32 owner, u32 group)
{
    struct host *host = (struct host *)instance;
    struct span name;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = kernel_link_add_tap(host, (int32_t)ns, name, (int32_t)multi_queue,
        (int32_t)owner, (int32_t)group);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_name(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 name_ptr,
    u32 name_len)
{
    struct host *host = (struct host *)instance;
    struct span name;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = kernel_link_set_name(host, (int32_t)ns, (int32_t)ifindex, name);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_netns(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 netns,
    u32 name_ptr, u32 name_len)
{
    struct host *host = (struct host *)instance;
    struct span name;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = kernel_link_set_netns(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)netns, name);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_alias(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 alias_ptr, u32 alias_len)
{
    struct host *host = (struct host *)instance;
    struct span alias;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, alias_ptr, alias_len, &alias);
    if (status == 0) status = kernel_link_set_alias(host, (int32_t)ns, (int32_t)ifindex, alias);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_up(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_up(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_down(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_down(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_promisc(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 on)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_promisc(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)on);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_allmulti(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 on)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_allmulti(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)on);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_mtu(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 mtu_bytes)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_mtu(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)mtu_bytes);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_txqlen(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 txqlen)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_txqlen(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)txqlen);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_address(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 address_ptr, u32 address_len)
{
    struct host *host = (struct host *)instance;
    struct span address;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = kernel_link_set_address(host, (int32_t)ns, (int32_t)ifindex, address);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_bridge_port(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 hairpin, u32 isolated)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_bridge_port(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)hairpin, (int32_t)isolated);
    return border_end(host, status);
}

u32 Z_kernelZ_link_set_master(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 master)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_set_master(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)master);
    return border_end(host, status);
}

u32 Z_kernelZ_link_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_link_del(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_link_add_ifb(struct Z_kernel_instance_t *instance, u32 ns, u32 name_ptr, u32 name_len,
    u32 address_ptr, u32 address_len, u32 mtu_bytes)
{
    struct host *host = (struct host *)instance;
    struct span name;
    struct span address;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, name_ptr, name_len, &name);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = kernel_link_add_ifb(host, (int32_t)ns, name, address,
        (int32_t)mtu_bytes);
    return border_end(host, status);
}

u32 Z_kernelZ_bridge_port_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_bridge_port_list(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_bridge_vlan_add(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 vid,
    u32 vid_end, u32 pvid, u32 untagged)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_bridge_vlan_add(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)vid, (int32_t)vid_end, (int32_t)pvid, (int32_t)untagged);
    return border_end(host, status);
}

u32 Z_kernelZ_bridge_vlan_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 vid,
    u32 vid_end)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_bridge_vlan_del(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)vid, (int32_t)vid_end);
    return border_end(host, status);
}

u32 Z_kernelZ_bridge_vlan_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_bridge_vlan_list(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_addr_add(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 address_ptr,
    u32 address_len, u32 nodad)
{
    struct host *host = (struct host *)instance;
    struct span address;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = kernel_addr_add(host, (int32_t)ns, (int32_t)ifindex, address,
        (int32_t)nodad);
    return border_end(host, status);
}

u32 Z_kernelZ_addr_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 address_ptr,
    u32 address_len)
{
    struct host *host = (struct host *)instance;
    struct span address;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = kernel_addr_del(host, (int32_t)ns, (int32_t)ifindex, address);
    return border_end(host, status);
}

u32 Z_kernelZ_addr_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_addr_list(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_route_add(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 dst_ptr,
    u32 dst_len, u32 gw_ptr, u32 gw_len, u32 src_ptr, u32 src_len, u32 scope, u32 table,
    u32 priority, u32 mtu_bytes, u32 advmss, u32 protocol)
{
    struct host *host = (struct host *)instance;
    struct span dst;
    struct span gw;
    struct span src;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, dst_ptr, dst_len, &dst);
    if (status == 0) status = border_text(host, gw_ptr, gw_len, &gw);
    if (status == 0) status = border_text(host, src_ptr, src_len, &src);
    if (status == 0) status = kernel_route_add(host, (int32_t)ns, (int32_t)ifindex, dst, gw, src,
        (int32_t)scope, (int32_t)table, (int32_t)priority, (int32_t)mtu_bytes, (int32_t)advmss,
        (int32_t)protocol);
    return border_end(host, status);
}

u32 Z_kernelZ_route_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 dst_ptr,
    u32 dst_len, u32 gw_ptr, u32 gw_len, u32 table)
{
    struct host *host = (struct host *)instance;
    struct span dst;
    struct span gw;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, dst_ptr, dst_len, &dst);
    if (status == 0) status = border_text(host, gw_ptr, gw_len, &gw);
    if (status == 0) status = kernel_route_del(host, (int32_t)ns, (int32_t)ifindex, dst, gw,
        (int32_t)table);
    return border_end(host, status);
}

u32 Z_kernelZ_route_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_route_list(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_route_table_list(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_route_table_list(host, (int32_t)ns);
    return border_end(host, status);
}

u32 Z_kernelZ_route_get(struct Z_kernel_instance_t *instance, u32 ns, u32 dst_ptr, u32 dst_len)
{
    struct host *host = (struct host *)instance;
    struct span dst;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, dst_ptr, dst_len, &dst);
    if (status == 0) status = kernel_route_get(host, (int32_t)ns, dst);
    return border_end(host, status);
}

u32 Z_kernelZ_fib_rule_add(struct Z_kernel_instance_t *instance, u32 ns, u32 src_ptr, u32 src_len,
    u32 table, u32 priority)
{
    struct host *host = (struct host *)instance;
    struct span src;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, src_ptr, src_len, &src);
    if (status == 0) status = kernel_fib_rule_add(host, (int32_t)ns, src, (int32_t)table,
        (int32_t)priority);
    return border_end(host, status);
}

u32 Z_kernelZ_fib_rule_del(struct Z_kernel_instance_t *instance, u32 ns, u32 src_ptr, u32 src_len,
    u32 table, u32 priority)
{
    struct host *host = (struct host *)instance;
    struct span src;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, src_ptr, src_len, &src);
    if (status == 0) status = kernel_fib_rule_del(host, (int32_t)ns, src, (int32_t)table,
        (int32_t)priority);
    return border_end(host, status);
}

u32 Z_kernelZ_fib_rule_list(struct Z_kernel_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_fib_rule_list(host, (int32_t)ns);
    return border_end(host, status);
}

u32 Z_kernelZ_qdisc_get(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 parent)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_qdisc_get(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)parent);
    return border_end(host, status);
}

u32 Z_kernelZ_qdisc_add_ingress(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_qdisc_add_ingress(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_qdisc_add_tbf(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 handle,
    u32 rate_low, u32 rate_high, u32 limit_bytes, u32 buffer_ticks)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_qdisc_add_tbf(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)handle, (int32_t)rate_low, (int32_t)rate_high, (int32_t)limit_bytes,
        (int32_t)buffer_ticks);
    return border_end(host, status);
}

u32 Z_kernelZ_qdisc_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 parent,
    u32 handle)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_qdisc_del(host, (int32_t)ns, (int32_t)ifindex, (int32_t)parent,
        (int32_t)handle);
    return border_end(host, status);
}

u32 Z_kernelZ_filter_list(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = kernel_filter_list(host, (int32_t)ns, (int32_t)ifindex);
    return border_end(host, status);
}

u32 Z_kernelZ_filter_add_redirect(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex,
    u32 pref, u32 to)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_filter_add_redirect(host, (int32_t)ns, (int32_t)ifindex,
        (int32_t)pref, (int32_t)to);
    return border_end(host, status);
}

u32 Z_kernelZ_filter_del(struct Z_kernel_instance_t *instance, u32 ns, u32 ifindex, u32 pref,
    u32 handle)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = kernel_filter_del(host, (int32_t)ns, (int32_t)ifindex, (int32_t)pref,
        (int32_t)handle);
    return border_end(host, status);
}

u32 Z_kernelZ_conntrack_del(struct Z_kernel_instance_t *instance, u32 ns, u32 family, u32 protocol,
    u32 dst_ptr, u32 dst_len, u32 dport, u32 dport_end, u32 reply_src_ptr, u32 reply_src_len)
{
    struct host *host = (struct host *)instance;
    struct span dst;
    struct span reply_src;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, dst_ptr, dst_len, &dst);
    if (status == 0) status = border_text(host, reply_src_ptr, reply_src_len, &reply_src);
    if (status == 0) status = kernel_conntrack_del(host, (int32_t)ns, (int32_t)family,
        (int32_t)protocol, dst, (int32_t)dport, (int32_t)dport_end, reply_src);
    return border_end(host, status);
}

u32 Z_kernelZ_socket_listens(struct Z_kernel_instance_t *instance, u32 ns, u32 protocol,
    u32 address_ptr, u32 address_len, u32 port)
{
    struct host *host = (struct host *)instance;
    struct span address;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, address_ptr, address_len, &address);
    if (status == 0) status = kernel_socket_listens(host, (int32_t)ns, (int32_t)protocol, address,
        (int32_t)port);
    return border_end(host, status);
}

u32 Z_nftZ_batch(struct Z_nft_instance_t *instance, u32 ns, u32 messages_ptr, u32 messages_len,
    u32 words_ptr, u32 words_len)
{
    struct host *host = (struct host *)instance;
    struct span messages;
    struct span words;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_bytes(host, messages_ptr, messages_len, &messages);
    if (status == 0) status = border_text(host, words_ptr, words_len, &words);
    if (status == 0) status = nft_batch(host, (int32_t)ns, messages, words);
    return border_end(host, status);
}

u32 Z_nftZ_generation(struct Z_nft_instance_t *instance, u32 ns)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = nft_generation(host, (int32_t)ns);
    return border_end(host, status);
}

u32 Z_nftZ_rule_list(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len)
{
    struct host *host = (struct host *)instance;
    struct span table;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, table_ptr, table_len, &table);
    if (status == 0) status = nft_rule_list(host, (int32_t)ns, (int32_t)family, table);
    return border_end(host, status);
}

u32 Z_nftZ_chain_get(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len, u32 chain_ptr, u32 chain_len)
{
    struct host *host = (struct host *)instance;
    struct span table;
    struct span chain;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, table_ptr, table_len, &table);
    if (status == 0) status = border_text(host, chain_ptr, chain_len, &chain);
    if (status == 0) status = nft_chain_get(host, (int32_t)ns, (int32_t)family, table, chain);
    return border_end(host, status);
}

u32 Z_nftZ_chain_list(struct Z_nft_instance_t *instance, u32 ns, u32 hooknum)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, true);
    if (status == 0) status = nft_chain_list(host, (int32_t)ns, (int32_t)hooknum);
    return border_end(host, status);
}

u32 Z_nftZ_element_list(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len, u32 set_ptr, u32 set_len)
{
    struct host *host = (struct host *)instance;
    struct span table;
    struct span set;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, table_ptr, table_len, &table);
    if (status == 0) status = border_text(host, set_ptr, set_len, &set);
    if (status == 0) status = nft_element_list(host, (int32_t)ns, (int32_t)family, table, set);
    return border_end(host, status);
}

u32 Z_nftZ_element_get(struct Z_nft_instance_t *instance, u32 ns, u32 family, u32 table_ptr,
    u32 table_len, u32 set_ptr, u32 set_len, u32 key_ptr, u32 key_len)
{
    struct host *host = (struct host *)instance;
    struct span table;
    struct span set;
    struct span key;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, table_ptr, table_len, &table);
    if (status == 0) status = border_text(host, set_ptr, set_len, &set);
    if (status == 0) status = border_bytes(host, key_ptr, key_len, &key);
    if (status == 0) status = nft_element_get(host, (int32_t)ns, (int32_t)family, table, set, key);
    return border_end(host, status);
}

u32 Z_storeZ_dir_lock(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len, u32 create,
    u32 timeout_ms)
{
    struct host *host = (struct host *)instance;
    struct span dir;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, dir_ptr, dir_len, &dir);
    if (status == 0) status = store_dir_lock(host, dir, (int32_t)create, (int32_t)timeout_ms);
    return border_end(host, status);
}

u32 Z_storeZ_dir_unlock(struct Z_store_instance_t *instance, u32 lock)
{
    struct host *host = (struct host *)instance;
    int32_t status = border_begin(host, false);
    if (status == 0) status = store_dir_unlock(host, (int32_t)lock);
    return border_end(host, status);
}

u32 Z_storeZ_dir_make(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    struct span dir;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, dir_ptr, dir_len, &dir);
    if (status == 0) status = store_dir_make(host, dir);
    return border_end(host, status);
}

u32 Z_storeZ_file_before_boot(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    struct span path;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = store_file_before_boot(host, path);
    return border_end(host, status);
}

u32 Z_storeZ_file_mtime(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    struct span path;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = store_file_mtime(host, path);
    return border_end(host, status);
}

u32 Z_storeZ_file_set_mtime(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 mtime_ptr, u32 mtime_len)
{
    struct host *host = (struct host *)instance;
    struct span path;
    struct span mtime;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = border_text(host, mtime_ptr, mtime_len, &mtime);
    if (status == 0) status = store_file_set_mtime(host, path, mtime);
    return border_end(host, status);
}

u32 Z_storeZ_dir_list(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    struct span dir;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, dir_ptr, dir_len, &dir);
    if (status == 0) status = store_dir_list(host, dir);
    return border_end(host, status);
}

u32 Z_storeZ_subdir_list(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    struct span dir;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, dir_ptr, dir_len, &dir);
    if (status == 0) status = store_subdir_list(host, dir);
    return border_end(host, status);
}

u32 Z_storeZ_file_list(struct Z_store_instance_t *instance, u32 dir_ptr, u32 dir_len)
{
    struct host *host = (struct host *)instance;
    struct span dir;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, dir_ptr, dir_len, &dir);
    if (status == 0) status = store_file_list(host, dir);
    return border_end(host, status);
}

u32 Z_storeZ_file_read(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 limit_bytes)
{
    struct host *host = (struct host *)instance;
    struct span path;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = store_file_read(host, path, (int32_t)limit_bytes);
    return border_end(host, status);
}

u32 Z_storeZ_file_create(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 content_ptr, u32 content_len, u32 replace_empty)
{
    struct host *host = (struct host *)instance;
    struct span path;
    struct span content;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = border_bytes(host, content_ptr, content_len, &content);
    if (status == 0) status = store_file_create(host, path, content, (int32_t)replace_empty);
    return border_end(host, status);
}

u32 Z_storeZ_file_write(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 content_ptr, u32 content_len)
{
    struct host *host = (struct host *)instance;
    struct span path;
    struct span content;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = border_bytes(host, content_ptr, content_len, &content);
    if (status == 0) status = store_file_write(host, path, content);
    return border_end(host, status);
}

u32 Z_storeZ_file_rewrite(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 content_ptr, u32 content_len)
{
    struct host *host = (struct host *)instance;
    struct span path;
    struct span content;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = border_bytes(host, content_ptr, content_len, &content);
    if (status == 0) status = store_file_rewrite(host, path, content);
    return border_end(host, status);
}

u32 Z_storeZ_file_remove(struct Z_store_instance_t *instance, u32 path_ptr, u32 path_len)
{
    struct host *host = (struct host *)instance;
    struct span path;
    int32_t status = border_begin(host, false);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = store_file_remove(host, path);
    return border_end(host, status);
}

u32 Z_pluginZ_exec(struct Z_plugin_instance_t *instance, u32 path_ptr, u32 path_len, u32 env_ptr,
    u32 env_len, u32 stdin_ptr, u32 stdin_len, u32 timeout_ms)
{
    struct host *host = (struct host *)instance;
    struct span path;
    struct span env;
    struct span stdin;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = border_bytes(host, env_ptr, env_len, &env);
    if (status == 0) status = border_bytes(host, stdin_ptr, stdin_len, &stdin);
    if (status == 0) status = plugin_exec(host, path, env, stdin, (int32_t)timeout_ms);
    return border_end(host, status);
}

u32 Z_pluginZ_socket_call(struct Z_plugin_instance_t *instance, u32 path_ptr, u32 path_len,
    u32 opening_ptr, u32 opening_len, u32 request_ptr, u32 request_len, u32 timeout_ms)
{
    struct host *host = (struct host *)instance;
    struct span path;
    struct span opening;
    struct span request;
    int32_t status = border_begin(host, true);
    if (status == 0) status = border_text(host, path_ptr, path_len, &path);
    if (status == 0) status = border_bytes(host, opening_ptr, opening_len, &opening);
    if (status == 0) status = border_bytes(host, request_ptr, request_len, &request);
    if (status == 0) status = plugin_socket_call(host, path, opening, request, (int32_t)timeout_ms);
    return border_end(host, status);
}
