/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operation on sockets of processes of host-node/abi/socket.ts, over sock_diag: one is looked
 * up as a packet would find it. It refuses to list sockets.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

#include "abi.gen.h"
#include "ip.h"
#include "netns.h"

static void visit_socket(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    bool *found = context;
    if (message->type == SOCK_DIAG_BY_FAMILY) *found = true;
}

int32_t kernel_socket_listens(struct host *host, int32_t ns, int32_t protocol,
    struct span address, int32_t port)
{
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    struct ip ip;
    bool found = false;
    if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) return -EOPNOTSUPP;
    int32_t status = ip_parse(reply, address, &ip);
    if (status == 0) status = netns_socket(host, ns, NETLINK_SOCK_DIAG, &netlink);
    if (status < 0) return status;
    struct inet_diag_req_v2 body = {
        .sdiag_family = ip.length == IP4_BYTES ? AF_INET : AF_INET6,
        .sdiag_protocol = (uint8_t)protocol,
        .idiag_states = UINT32_MAX,
        .id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
    };
    // A listener is named by its own end; datagrams are looked up as if one came there.
    if (protocol == IPPROTO_TCP) {
        body.id.idiag_sport = htons((uint16_t)port);
        memcpy(body.id.idiag_src, ip.bytes, ip.length);
    } else {
        body.id.idiag_dport = htons((uint16_t)port);
        memcpy(body.id.idiag_dst, ip.bytes, ip.length);
    }
    struct request *get = request_command(SOCK_DIAG_BY_FAMILY, 0);
    request_append(get, &body, sizeof body);
    status = netlink_get(netlink, reply, get, visit_socket, &found);
    if (status == -ENOENT) return 0;
    return status < 0 ? status : found;
}
