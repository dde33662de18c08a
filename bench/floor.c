/* SPDX-License-Identifier: Apache-2.0 */
// The floor: what the kernel alone takes for a container on a bridge. ADD makes the veth pair with
// its peer in the container's namespace and the host's end up and in the bridge, then gives the
// peer its address, sets it up and adds the default route; DEL removes the pair and waits for it.
// It refuses to decide, to look and to remember: no lease, no record, no configuration, no answer.
//
//     floor ADD BRIDGE_IFINDEX NETNS ADDRESS PREFIX_LENGTH GATEWAY
//     floor DEL
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// net/if.h and linux/if.h do not go together.
#define UP 1u
#define HOST_END "floor0"
#define POD_END "eth0"

static struct {
  struct nlmsghdr header;
  char body[1000];
} message;
static char answer[16384];

static void die(const char *what, int error) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(error));
  exit(1);
}

static void *tail(void) { return (char *)&message + NLMSG_ALIGN(message.header.nlmsg_len); }

static void *begin(int type, int flags, size_t size) {
  memset(&message, 0, sizeof message);
  message.header.nlmsg_len = NLMSG_LENGTH(size);
  message.header.nlmsg_type = type;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
  return NLMSG_DATA(&message.header);
}

static struct rtattr *attribute(int type, const void *data, size_t size) {
  struct rtattr *made = tail();
  made->rta_type = type;
  made->rta_len = RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(made), data, size);
  message.header.nlmsg_len = NLMSG_ALIGN(message.header.nlmsg_len) + RTA_ALIGN(made->rta_len);
  return made;
}

static void text(int type, const char *value) { attribute(type, value, strlen(value) + 1); }

static void end(struct rtattr *nest) { nest->rta_len = (char *)tail() - (char *)nest; }

/** Sends the message and reads the kernel's verdict; gives the index of a link that was asked. */
static int talk(int netlink, const char *what) {
  int index = 0;
  if (send(netlink, &message, message.header.nlmsg_len, 0) < 0) die(what, errno);
  for (;;) {
    ssize_t length = recv(netlink, answer, sizeof answer, 0);
    if (length < 0) die(what, errno);
    struct nlmsghdr *at = (struct nlmsghdr *)answer;
    for (; NLMSG_OK(at, length); at = NLMSG_NEXT(at, length)) {
      if (at->nlmsg_type == RTM_NEWLINK) index = ((struct ifinfomsg *)NLMSG_DATA(at))->ifi_index;
      if (at->nlmsg_type != NLMSG_ERROR) continue;
      const int error = ((struct nlmsgerr *)NLMSG_DATA(at))->error;
      if (error != 0) die(what, -error);
      return index;
    }
  }
}

static int open_netlink(void) {
  const int made = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (made < 0) die("netlink", errno);
  return made;
}

static void add_pair(int netlink, int bridge, int netns) {
  const struct ifinfomsg peer_header = {0};
  struct ifinfomsg *link = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *link);
  link->ifi_flags = link->ifi_change = UP;
  text(IFLA_IFNAME, HOST_END);
  attribute(IFLA_MASTER, &bridge, sizeof bridge);
  struct rtattr *info = attribute(IFLA_LINKINFO, NULL, 0);
  text(IFLA_INFO_KIND, "veth");
  struct rtattr *data = attribute(IFLA_INFO_DATA, NULL, 0);
  struct rtattr *peer = attribute(VETH_INFO_PEER, &peer_header, sizeof peer_header);
  text(IFLA_IFNAME, POD_END);
  attribute(IFLA_NET_NS_FD, &netns, sizeof netns);
  end(peer);
  end(data);
  end(info);
  talk(netlink, "add the pair");
}

static int pod_index(int netlink) {
  begin(RTM_GETLINK, 0, sizeof(struct ifinfomsg));
  text(IFLA_IFNAME, POD_END);
  return talk(netlink, "find the pod's end");
}

static void set_up(int netlink, int index) {
  struct ifinfomsg *link = begin(RTM_NEWLINK, 0, sizeof *link);
  link->ifi_index = index;
  link->ifi_flags = link->ifi_change = UP;
  talk(netlink, "set up");
}

static void add_address(int netlink, int index, const char *address, int prefix_length) {
  struct in_addr bytes;
  struct ifaddrmsg *header = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *header);
  if (inet_pton(AF_INET, address, &bytes) != 1) die(address, EINVAL);
  header->ifa_family = AF_INET;
  header->ifa_prefixlen = prefix_length;
  header->ifa_index = index;
  attribute(IFA_LOCAL, &bytes, sizeof bytes);
  attribute(IFA_ADDRESS, &bytes, sizeof bytes);
  talk(netlink, "add the address");
}

static void add_route(int netlink, int index, const char *gateway) {
  struct in_addr bytes;
  struct rtmsg *route = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *route);
  if (inet_pton(AF_INET, gateway, &bytes) != 1) die(gateway, EINVAL);
  route->rtm_family = AF_INET;
  route->rtm_table = RT_TABLE_MAIN;
  route->rtm_protocol = RTPROT_BOOT;
  route->rtm_type = RTN_UNICAST;
  attribute(RTA_GATEWAY, &bytes, sizeof bytes);
  attribute(RTA_OIF, &index, sizeof index);
  talk(netlink, "add the route");
}

static void del(int host) {
  begin(RTM_DELLINK, 0, sizeof(struct ifinfomsg));
  text(IFLA_IFNAME, HOST_END);
  talk(host, "remove the pair");
}

static void add(int host, char **words) {
  const int netns = open(words[1], O_RDONLY | O_CLOEXEC);
  if (netns < 0) die(words[1], errno);
  add_pair(host, atoi(words[0]), netns);
  if (setns(netns, CLONE_NEWNET) < 0) die("enter the pod", errno);
  const int pod = open_netlink();
  const int index = pod_index(pod);
  add_address(pod, index, words[2], atoi(words[3]));
  set_up(pod, index);
  add_route(pod, index, words[4]);
}

int main(int argc, char **argv) {
  const int host = open_netlink();
  if (argc == 2 && strcmp(argv[1], "DEL") == 0) del(host);
  else if (argc == 7 && strcmp(argv[1], "ADD") == 0) add(host, argv + 2);
  else die("wants ADD and five words, or DEL", EINVAL);
  return 0;
}
