/*
 * Operations that are still to be written: each says ENOSYS. The native host is not part of the
 * build before this file is gone.
 */
#include <errno.h>

#include "abi.h"

int32_t kernel_netns_open(struct host *host, struct span path)
{
    (void)host;
    (void)path;
    return -ENOSYS;
}

int32_t kernel_netns_same(struct host *host, int32_t a, int32_t b)
{
    (void)host;
    (void)a;
    (void)b;
    return -ENOSYS;
}

int32_t kernel_link_get(struct host *host, int32_t ns, struct span name)
{
    (void)host;
    (void)ns;
    (void)name;
    return -ENOSYS;
}

int32_t kernel_link_get_index(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_link_add_bridge(struct host *host, int32_t ns, struct span name, int32_t mtu_bytes,
    int32_t vlan_filtering)
{
    (void)host;
    (void)ns;
    (void)name;
    (void)mtu_bytes;
    (void)vlan_filtering;
    return -ENOSYS;
}

int32_t kernel_link_add_veth(struct host *host, int32_t ns, struct span name, struct span address,
    int32_t mtu_bytes, int32_t master, int32_t peer_ns, struct span peer_name,
    struct span peer_address)
{
    (void)host;
    (void)ns;
    (void)name;
    (void)address;
    (void)mtu_bytes;
    (void)master;
    (void)peer_ns;
    (void)peer_name;
    (void)peer_address;
    return -ENOSYS;
}

int32_t kernel_link_set_up(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_link_set_down(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_link_set_promisc(struct host *host, int32_t ns, int32_t ifindex, int32_t on)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)on;
    return -ENOSYS;
}

int32_t kernel_link_set_allmulti(struct host *host, int32_t ns, int32_t ifindex, int32_t on)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)on;
    return -ENOSYS;
}

int32_t kernel_link_set_mtu(struct host *host, int32_t ns, int32_t ifindex, int32_t mtu_bytes)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)mtu_bytes;
    return -ENOSYS;
}

int32_t kernel_link_set_txqlen(struct host *host, int32_t ns, int32_t ifindex, int32_t txqlen)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)txqlen;
    return -ENOSYS;
}

int32_t kernel_link_set_address(struct host *host, int32_t ns, int32_t ifindex,
    struct span address)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)address;
    return -ENOSYS;
}

int32_t kernel_link_set_bridge_port(struct host *host, int32_t ns, int32_t ifindex, int32_t hairpin,
    int32_t isolated)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)hairpin;
    (void)isolated;
    return -ENOSYS;
}

int32_t kernel_link_del(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_bridge_port_list(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_bridge_vlan_add(struct host *host, int32_t ns, int32_t ifindex, int32_t vid,
    int32_t vid_end, int32_t pvid, int32_t untagged)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)vid;
    (void)vid_end;
    (void)pvid;
    (void)untagged;
    return -ENOSYS;
}

int32_t kernel_bridge_vlan_del(struct host *host, int32_t ns, int32_t ifindex, int32_t vid,
    int32_t vid_end)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)vid;
    (void)vid_end;
    return -ENOSYS;
}

int32_t kernel_bridge_vlan_list(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_addr_add(struct host *host, int32_t ns, int32_t ifindex, struct span address,
    int32_t nodad)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)address;
    (void)nodad;
    return -ENOSYS;
}

int32_t kernel_addr_del(struct host *host, int32_t ns, int32_t ifindex, struct span address)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)address;
    return -ENOSYS;
}

int32_t kernel_addr_list(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_route_add(struct host *host, int32_t ns, int32_t ifindex, struct span dst,
    struct span gw, struct span src, int32_t scope, int32_t table, int32_t priority,
    int32_t mtu_bytes, int32_t advmss)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)dst;
    (void)gw;
    (void)src;
    (void)scope;
    (void)table;
    (void)priority;
    (void)mtu_bytes;
    (void)advmss;
    return -ENOSYS;
}

int32_t kernel_route_del(struct host *host, int32_t ns, int32_t ifindex, struct span dst,
    struct span gw, int32_t table)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    (void)dst;
    (void)gw;
    (void)table;
    return -ENOSYS;
}

int32_t kernel_route_list(struct host *host, int32_t ns, int32_t ifindex)
{
    (void)host;
    (void)ns;
    (void)ifindex;
    return -ENOSYS;
}

int32_t kernel_route_get(struct host *host, int32_t ns, struct span dst)
{
    (void)host;
    (void)ns;
    (void)dst;
    return -ENOSYS;
}

int32_t kernel_sysctl_read(struct host *host, int32_t ns, struct span key)
{
    (void)host;
    (void)ns;
    (void)key;
    return -ENOSYS;
}

int32_t kernel_sysctl_write(struct host *host, int32_t ns, struct span key, struct span value)
{
    (void)host;
    (void)ns;
    (void)key;
    (void)value;
    return -ENOSYS;
}

int32_t nft_batch(struct host *host, int32_t ns, struct span messages, struct span words)
{
    (void)host;
    (void)ns;
    (void)messages;
    (void)words;
    return -ENOSYS;
}

int32_t nft_rule_list(struct host *host, int32_t ns, int32_t family, struct span table)
{
    (void)host;
    (void)ns;
    (void)family;
    (void)table;
    return -ENOSYS;
}

int32_t nft_element_list(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span set)
{
    (void)host;
    (void)ns;
    (void)family;
    (void)table;
    (void)set;
    return -ENOSYS;
}

int32_t nft_element_get(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span set, struct span key)
{
    (void)host;
    (void)ns;
    (void)family;
    (void)table;
    (void)set;
    (void)key;
    return -ENOSYS;
}
