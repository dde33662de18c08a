/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine behind a tap, as small as one can be: `tapper TAP ADDRESS [UID]` opens the tap, as that
 * user when one is given, says "ready", and answers ARP requests and ICMP echo requests for the
 * address. It does nothing else: a test needs somebody to talk to.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FRAME_MAX = 2048 };

static const uint8_t OWN[ETH_ALEN] = {0x02, 0, 0, 0, 0x07, 0x01};

static void turn(struct ether_header *ether)
{
    memcpy(ether->ether_dhost, ether->ether_shost, ETH_ALEN);
    memcpy(ether->ether_shost, OWN, ETH_ALEN);
}

/** Makes the answer of a frame in place: whether there is one. */
static int answer(uint8_t *frame, ssize_t length, struct in_addr own)
{
    struct ether_header *ether = (void *)frame;
    uint8_t *body = frame + sizeof *ether;
    if (ntohs(ether->ether_type) == ETHERTYPE_ARP) {
        struct ether_arp *arp = (void *)body;
        if (length < (ssize_t)(sizeof *ether + sizeof *arp)) return 0;
        if (ntohs(arp->arp_op) != ARPOP_REQUEST || memcmp(arp->arp_tpa, &own, 4) != 0) return 0;
        turn(ether);
        arp->arp_op = htons(ARPOP_REPLY);
        memcpy(arp->arp_tha, arp->arp_sha, ETH_ALEN);
        memcpy(arp->arp_tpa, arp->arp_spa, 4);
        memcpy(arp->arp_sha, OWN, ETH_ALEN);
        memcpy(arp->arp_spa, &own, 4);
        return 1;
    }
    struct iphdr *ip = (void *)body;
    struct icmphdr *icmp = (void *)(body + sizeof *ip);
    if (ntohs(ether->ether_type) != ETHERTYPE_IP || ip->ihl != 5) return 0;
    if (length < (ssize_t)(sizeof *ether + sizeof *ip + sizeof *icmp)) return 0;
    if (ip->protocol != IPPROTO_ICMP || ip->daddr != own.s_addr) return 0;
    if (icmp->type != ICMP_ECHO) return 0;
    turn(ether);
    ip->daddr = ip->saddr;
    ip->saddr = own.s_addr;
    icmp->type = ICMP_ECHOREPLY;
    // Eight less in the first octet: RFC 1624, with the carry added at the end.
    uint32_t sum = icmp->checksum + htons(ICMP_ECHO << 8);
    icmp->checksum = (uint16_t)((sum & 0xffff) + (sum >> 16));
    return 1;
}

int main(int argc, char **argv)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    struct in_addr own;
    uint8_t frame[FRAME_MAX];
    if (argc < 3 || inet_pton(AF_INET, argv[2], &own) != 1) return 2;
    strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
    // A queue of several is asked for as such, else the kernel refuses.
    if (argc > 4) request.ifr_flags |= IFF_MULTI_QUEUE;
    int fd = open("/dev/net/tun", O_RDWR);
    uid_t user = argc > 3 ? (uid_t)atoi(argv[3]) : 0;
    if (fd < 0 || setresuid(user, user, user) != 0 || ioctl(fd, TUNSETIFF, &request) != 0) {
        perror("tapper");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        ssize_t length = read(fd, frame, sizeof frame);
        if (length < (ssize_t)sizeof(struct ether_header)) return 1;
        if (answer(frame, length, own) && write(fd, frame, (size_t)length) != length) return 1;
    }
}
