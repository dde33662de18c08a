/* SPDX-License-Identifier: Apache-2.0 */
// Packets for the bench: a server that answers each datagram, and clients that count and time. UDP
// with a socket of its own for each flow, since only a flow's first packet goes through nat rules.
// It refuses to judge.
//
//     probe serve PORT                 answers until it is killed
//     probe first ADDRESS PORT         ends when a datagram is answered, asking every millisecond
//     probe flows ADDRESS PORT COUNT   prints nanoseconds of each of COUNT first answers, by line
//     probe turns FROM AT ADDRESS PORT ANSWER COUNT
//                                      prints nanoseconds of CPU of one round trip of a flow, the
//                                      mean of COUNT
//     probe stream FROM AT ADDRESS PORT MEGABYTES
//                                      prints nanoseconds of CPU of one megabyte by TCP, the mean
//
// `turns` and `stream` hold both sockets in one process on one CPU: FROM and AT are the files of
// their network namespaces. What it prints is the packet's way and two system calls for each end,
// and no waking of a process. The server listens on port ANSWER, which is another than PORT behind
// a host port.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FIRST_TRIES 10000
#define RETRY_US 1000
#define PATIENCE_US 2000000
#define STREAM_BYTES (256 * 1024)

static void die(const char *what) {
  fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static struct sockaddr_in address_of(const char *address, const char *port) {
  struct sockaddr_in made = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  if (inet_pton(AF_INET, address, &made.sin_addr) != 1) die(address);
  return made;
}

static _Noreturn void serve(const char *port) {
  char bytes[64];
  struct sockaddr_in self = address_of("0.0.0.0", port), from;
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  // It must not outlive the bench.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (made < 0 || bind(made, (struct sockaddr *)&self, sizeof self) < 0) die("bind");
  for (;;) {
    socklen_t size = sizeof from;
    const ssize_t length = recvfrom(made, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
    if (length >= 0) sendto(made, bytes, length, 0, (struct sockaddr *)&from, size);
  }
}

static int open_flow(const struct sockaddr_in *to, int wait_us) {
  const struct timeval limit = {.tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000};
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  if (made < 0) die("socket");
  setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(made, (const struct sockaddr *)to, sizeof *to) < 0) die("connect");
  return made;
}

/** Whether a datagram was answered in time. */
static int ask(int flow) {
  char byte = 'a';
  return send(flow, &byte, 1, 0) == 1 && recv(flow, &byte, 1, 0) == 1;
}

static int first(const struct sockaddr_in *to) {
  for (int i = 0; i < FIRST_TRIES; i++) {
    const int flow = open_flow(to, RETRY_US);
    if (ask(flow)) return 0;
    // A refusal comes at once.
    if (errno != EAGAIN) usleep(RETRY_US);
    close(flow);
  }
  fprintf(stderr, "probe: nobody answers\n");
  return 1;
}

static int each_flow(const struct sockaddr_in *to, int count) {
  for (int i = 0; i < count; i++) {
    const int flow = open_flow(to, PATIENCE_US);
    const int64_t start = now_ns(CLOCK_MONOTONIC);
    if (!ask(flow)) die("no answer");
    printf("%lld\n", (long long)(now_ns(CLOCK_MONOTONIC) - start));
    close(flow);
  }
  return 0;
}

static void enter(const char *netns) {
  const int file = open(netns, O_RDONLY | O_CLOEXEC);
  if (file < 0 || setns(file, CLONE_NEWNET) < 0) die(netns);
  close(file);
}

/** One datagram there and one back; what the other end sees as the sender may be another's. */
static void turn(int flow, int server) {
  char byte = 'a';
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  if (send(flow, &byte, 1, 0) != 1) die("send");
  if (recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &size) != 1) die("nothing came");
  if (sendto(server, &byte, 1, 0, (struct sockaddr *)&from, size) != 1) die("answer");
  if (recv(flow, &byte, 1, 0) != 1) die("no answer");
}

/** All that follows is done on one CPU. */
static void stay(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  if (sched_setaffinity(0, sizeof one, &one) < 0) die("sched_setaffinity");
}

/** Writes what there is room for and reads what has come, until all of it has. */
static int stream(const char *from, const char *at, const struct sockaddr_in *to, int megabytes) {
  static char bytes[STREAM_BYTES];
  struct sockaddr_in self = *to;
  const int64_t all = (int64_t)megabytes << 20, warm = all / 10;
  int64_t sent = 0, come = 0, start = 0;
  self.sin_addr.s_addr = INADDR_ANY;
  stay();
  enter(at);
  const int server = socket(AF_INET, SOCK_STREAM, 0), again = 1;
  // The run before may have left its end of the stream waiting.
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
  if (server < 0 || bind(server, (struct sockaddr *)&self, sizeof self) < 0) die("bind");
  if (listen(server, 1) < 0) die("listen");
  enter(from);
  const int writer = socket(AF_INET, SOCK_STREAM, 0);
  if (writer < 0 || connect(writer, (const struct sockaddr *)to, sizeof *to) < 0) die("connect");
  const int reader = accept(server, NULL, NULL);
  if (reader < 0) die("accept");
  while (come < all + warm) {
    if (start == 0 && come >= warm) start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    const ssize_t out = sent < all + warm ? send(writer, bytes, sizeof bytes, MSG_DONTWAIT) : 0;
    if (out < 0 && errno != EAGAIN) die("send");
    if (out > 0) sent += out;
    const ssize_t in = recv(reader, bytes, sizeof bytes, MSG_DONTWAIT);
    if (in == 0 || (in < 0 && errno != EAGAIN)) die("recv");
    if (in > 0) come += in;
  }
  printf("%lld\n", (long long)((now_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / megabytes));
  return 0;
}

static int turns(const char *from, const char *at, const struct sockaddr_in *to, const char *port,
                 int count) {
  const struct timeval limit = {.tv_sec = PATIENCE_US / 1000000};
  struct sockaddr_in self = address_of("0.0.0.0", port);
  stay();
  enter(at);
  const int server = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (server < 0 || bind(server, (struct sockaddr *)&self, sizeof self) < 0) die("bind");
  enter(from);
  const int flow = open_flow(to, PATIENCE_US);
  for (int i = 0; i < count / 10 + 1; i++) turn(flow, server);
  const int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < count; i++) turn(flow, server);
  printf("%lld\n", (long long)((now_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / count));
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(argv[2]);
  if (argc == 8 && strcmp(argv[1], "turns") == 0) {
    const struct sockaddr_in there = address_of(argv[4], argv[5]);
    return turns(argv[2], argv[3], &there, argv[6], atoi(argv[7]));
  }
  if (argc == 7 && strcmp(argv[1], "stream") == 0) {
    const struct sockaddr_in there = address_of(argv[4], argv[5]);
    return stream(argv[2], argv[3], &there, atoi(argv[6]));
  }
  if (argc < 4) return 2;
  const struct sockaddr_in to = address_of(argv[2], argv[3]);
  if (strcmp(argv[1], "first") == 0) return first(&to);
  return argc < 5 ? 2 : each_flow(&to, atoi(argv[4]));
}
