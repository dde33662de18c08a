// Packets for the bench: a server that answers each datagram, and clients that count and time. UDP
// with a socket of its own for each flow, since only a flow's first packet goes through nat rules.
// It refuses to judge.
//
//     probe serve PORT                 answers until it is killed
//     probe first ADDRESS PORT         ends when a datagram is answered, asking every millisecond
//     probe flows ADDRESS PORT COUNT   prints nanoseconds of each of COUNT first answers, by line
//     probe packets ADDRESS PORT COUNT the same of COUNT answers in one flow
#include <arpa/inet.h>
#include <errno.h>
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

static void die(const char *what) {
  fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
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

static int timed(const struct sockaddr_in *to, int count, int one_flow) {
  int flow = one_flow ? open_flow(to, PATIENCE_US) : -1;
  for (int i = 0; i < count; i++) {
    if (!one_flow) flow = open_flow(to, PATIENCE_US);
    const int64_t start = now_ns();
    if (!ask(flow)) die("no answer");
    printf("%lld\n", (long long)(now_ns() - start));
    if (!one_flow) close(flow);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(argv[2]);
  if (argc < 4) return 2;
  const struct sockaddr_in to = address_of(argv[2], argv[3]);
  if (strcmp(argv[1], "first") == 0) return first(&to);
  if (argc < 5) return 2;
  return timed(&to, atoi(argv[4]), strcmp(argv[1], "packets") == 0);
}
