/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends one router advertisement (RFC 4861 section 4.2) from the interface that it is given, with a
 * lifetime of half an hour and no prefix. It does nothing else: a test needs a router.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    struct nd_router_advert advert = {.nd_ra_type = ND_ROUTER_ADVERT};
    struct sockaddr_in6 all = {.sin6_family = AF_INET6};
    int index = argc == 2 ? (int)if_nametoindex(argv[1]) : 0;
    int hops = 255;
    int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    advert.nd_ra_curhoplimit = 64;
    advert.nd_ra_router_lifetime = htons(1800);
    all.sin6_scope_id = (unsigned)index;
    if (inet_pton(AF_INET6, "ff02::1", &all.sin6_addr) != 1 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) != 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) != 0 ||
        sendto(fd, &advert, sizeof advert, 0, (struct sockaddr *)&all, sizeof all) < 0) {
        perror("advertise");
        return 1;
    }
    return 0;
}
