/*
 * tapper PORT RATE SECONDS TARGETS LEDGER [ADDRESSES]: students who tap, RATE of them a second,
 * whether the answers keep up or not, each on a connection of their own.
 *
 * TARGETS   a file of request targets, one a line, taken in turn
 * LEDGER    written at the end, a line a tap: number, microseconds since 1970 when it was tapped
 *           and answered, status (0: none came; -1: nobody got it, for too many were waiting
 *           here or for a connection), 1 if the answer told when to come again
 * ADDRESSES of how many machines (127.0.1.1 and on) the taps come, 1 by default
 *
 * The User-Agent of tap N is "tapper N", by which the database knows it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <linux/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OPEN_MAX_TAPS 15000 /* what descriptors allow */
#define ANSWER_BYTES  2048
#define PATIENCE_US   INT64_C(15000000)

struct tap {
	int fd; /* -1: not begun, or done */
	int status, retry;
	int64_t began_us, ended_us;
	char *answer;
	size_t len;
};

static struct {
	int port, addresses;
	double rate;
	size_t n, n_targets, first_open;
	char **targets;
	struct tap *taps;
	int open, epoll;
} all;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void read_targets(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!f)
		die(path);
	while ((len = getline(&line, &size, f)) > 1) {
		line[len - 1] = '\0';
		all.targets = realloc(all.targets, (all.n_targets + 1) * sizeof *all.targets);
		all.targets[all.n_targets++] = strdup(line);
	}
	free(line);
	fclose(f);
	if (!all.n_targets)
		die("no targets");
}

static void done(struct tap *t)
{
	t->ended_us = now_us();
	if (t->answer) {
		t->answer[t->len] = '\0';
		if (!strncmp(t->answer, "HTTP/1.1 ", 9))
			t->status = (int)strtol(t->answer + 9, NULL, 10);
		t->retry = strcasestr(t->answer, "\r\nRetry-After: ") != NULL;
	}
	close(t->fd);
	free(t->answer);
	t->answer = NULL;
	t->fd = -1;
	all.open--;
}

static void begin(size_t i)
{
	const int yes = 1;
	struct tap *t = &all.taps[i];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)all.port) };
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLOUT, .data.u64 = i };

	t->began_us = now_us();
	t->status = -1;
	if (all.open >= OPEN_MAX_TAPS)
		return;
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return;
	t->status = 0;
	all.open++;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(0x7f000101 + (uint32_t)(i % (size_t)all.addresses));
	setsockopt(t->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
	if (bind(t->fd, (struct sockaddr *)&from, sizeof from) ||
	    (connect(t->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) ||
	    epoll_ctl(all.epoll, EPOLL_CTL_ADD, t->fd, &event))
		done(t);
}

static void ask(size_t i)
{
	struct tap *t = &all.taps[i];
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };
	char text[4096];
	int len = snprintf(text, sizeof text,
			   "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: tapper %zu\r\n"
			   "Connection: close\r\n\r\n",
			   all.targets[i % all.n_targets], all.port, i);

	t->answer = malloc(ANSWER_BYTES + 1);
	if (send(t->fd, text, (size_t)len, MSG_NOSIGNAL) != len ||
	    epoll_ctl(all.epoll, EPOLL_CTL_MOD, t->fd, &event))
		done(t);
}

/*
 * Whether the peer's kernel has not taken one byte of it. It may have answered the connection all
 * the same: where its queue is full it forgets that, and the client hears of it by silence or by a
 * reset.
 */
static bool nobody_has(const struct tap *t)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	return !getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_bytes_acked <= 1; /* the connection's own */
}

static void hear(size_t i)
{
	struct tap *t = &all.taps[i];
	char rest[4096];
	size_t room = ANSWER_BYTES - t->len;
	ssize_t n = recv(t->fd, room ? t->answer + t->len : rest, room ? room : sizeof rest, 0);

	if (n > 0 && room)
		t->len += (size_t)n;
	if (n < 0 && errno == ECONNRESET && nobody_has(t))
		t->status = -1;
	if (n == 0 || (n < 0 && errno != EAGAIN))
		done(t);
}

static void look(int ms)
{
	struct epoll_event events[256];
	int n = epoll_wait(all.epoll, events, 256, ms);

	for (int e = 0; e < n; e++) {
		size_t i = events[e].data.u64;

		if (all.taps[i].fd < 0)
			continue;
		if (!all.taps[i].answer)
			ask(i);
		else
			hear(i);
	}
}

/* Whether somebody has had it for so long, or nobody after so long. */
static bool is_lost(const struct tap *t, int64_t now)
{
	int64_t waited = now - t->began_us;

	return waited > 2 * PATIENCE_US || (waited > PATIENCE_US && nobody_has(t));
}

/* Those who have waited for too long go away, and what was not taken of theirs with them. */
static void lose_patience(size_t begun)
{
	const struct linger at_once = { .l_onoff = 1 };
	int64_t now = now_us();

	for (; all.first_open < begun; all.first_open++) {
		struct tap *t = &all.taps[all.first_open];

		if (t->fd < 0)
			continue;
		if (!is_lost(t, now))
			break;
		if (nobody_has(t))
			t->status = -1;
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		done(t);
	}
}

static void run(void)
{
	int64_t start = now_us();
	size_t begun = 0;

	while (begun < all.n || all.open) {
		double due = (double)(now_us() - start) / 1e6 * all.rate;

		for (int burst = 0; begun < all.n && (double)begun <= due && burst < 64; burst++)
			begin(begun++);
		look(begun < all.n && (double)begun <= due ? 0 : 1);
		lose_patience(begun);
	}
}

int main(int argc, char **argv)
{
	FILE *ledger;

	if (argc < 6) {
		fprintf(stderr, "usage: tapper PORT RATE SECONDS TARGETS LEDGER [ADDRESSES]\n");
		return EXIT_FAILURE;
	}
	all.port = (int)strtol(argv[1], NULL, 10);
	all.rate = strtod(argv[2], NULL);
	all.n = (size_t)(all.rate * strtod(argv[3], NULL));
	all.addresses = argc > 6 ? (int)strtol(argv[6], NULL, 10) : 1;
	all.taps = calloc(all.n, sizeof *all.taps);
	all.epoll = epoll_create1(EPOLL_CLOEXEC);
	ledger = fopen(argv[5], "we");
	if (!all.taps || all.epoll < 0 || !ledger)
		die("tapper");
	for (size_t i = 0; i < all.n; i++)
		all.taps[i].fd = -1;
	read_targets(argv[4]);
	run();
	for (size_t i = 0; i < all.n; i++)
		fprintf(ledger, "%zu %lld %lld %d %d\n", i, (long long)all.taps[i].began_us,
			(long long)all.taps[i].ended_us, all.taps[i].status, all.taps[i].retry);
	return fclose(ledger) ? EXIT_FAILURE : EXIT_SUCCESS;
}
