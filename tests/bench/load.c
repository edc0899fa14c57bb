/*
 * Clients that ask a server on this machine over kept connections, counted one by one: a client
 * that is never served reports nothing, so its waiting is what is measured, not its answers.
 *
 *   load PORT CLIENTS SECONDS RATE FILE [HEADER...]
 *
 * Asks for the targets in FILE, a line each, in order, until they or the time run out; RATE is in
 * requests a second, 0 as fast as answers come; with a SECONDS below 0 the targets are gone through
 * again and again for so long. At a rate, a request counts from when it was due. Prints one line of
 * JSON; times in microseconds.
 */
#define _GNU_SOURCE /* strcasestr */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 4096
#define HEAD_MAX    16384
#define EVENTS	    256

struct client {
	int fd; /* -1: none */
	bool busy;
	int64_t since_us; /* the request in hand was due */
	int64_t longest_us;
	size_t answers;
	size_t got, body_left; /* of the answer in hand */
	bool in_body, chunked, closes;
	char in[HEAD_MAX + 1];
	char out[REQUEST_MAX];
};

static struct {
	uint16_t port;
	char **targets;
	size_t n_targets, next_target;
	bool again;
	char headers[REQUEST_MAX / 2];
	int epoll, n_clients;
	struct client *clients;
	uint32_t *latency;
	size_t n, room;
	size_t by_status[6];
	size_t broken;
	uint32_t addresses;
} run;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* Each connection comes from an address of its own, as students do: a server may limit them. */
static void dial(struct client *c)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	const int on = 1;

	from.sin_addr.s_addr = htonl(0x7f010001U + run.addresses++ % 0xf00000U);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(run.port);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&from, sizeof from) ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof to))
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);

	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, c->fd, &e))
		die("epoll_ctl");
}

static void hang_up(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	c->busy = false;
	c->got = 0;
	c->in_body = false;
}

static bool targets_left(void)
{
	return run.again || run.next_target < run.n_targets;
}

static void ask(struct client *c, int64_t due_us)
{
	const char *target = run.targets[run.next_target++ % run.n_targets];
	int len;

	if (c->fd < 0)
		dial(c);
	len = snprintf(c->out, sizeof c->out, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
		       target, run.headers);
	c->busy = true;
	c->since_us = due_us;
	c->got = 0;
	c->in_body = false;
	if (send(c->fd, c->out, (size_t)len, MSG_NOSIGNAL) != len)
		die("send");
}

static void answered(struct client *c)
{
	int64_t took = now_us() - c->since_us;
	long status = strtol(c->in + strlen("HTTP/1.1 "), NULL, 10);

	if (took > c->longest_us)
		c->longest_us = took;
	if (run.n == run.room) {
		run.room = run.room ? 2 * run.room : 1 << 16;
		run.latency = realloc(run.latency, run.room * sizeof *run.latency);
		if (!run.latency)
			die("realloc");
	}
	run.latency[run.n++] = (uint32_t)took;
	run.by_status[status / 100 % 6]++;
	c->answers++;
	c->busy = false;
	if (c->closes)
		hang_up(c);
}

/* The head is whole: what follows it, and how far it has come. */
static void read_head(struct client *c, char *end)
{
	size_t rest = c->got - (size_t)(end + 4 - c->in);
	const char *length;

	*end = '\0';
	length = strcasestr(c->in, "\r\nContent-Length:");
	c->closes = strcasestr(c->in, "\r\nConnection: close") != NULL;
	c->chunked = strcasestr(c->in, "\r\nTransfer-Encoding: chunked") != NULL;
	c->body_left = length ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
	c->in_body = true;
	if (!c->chunked)
		c->body_left -= rest < c->body_left ? rest : c->body_left;
	else /* keep the last bytes of what has come, to see its end */
		c->body_left = !(rest >= 5 && !memcmp(c->in + c->got - 5, "0\r\n\r\n", 5));
}

static void receive(struct client *c)
{
	char sink[65536];
	ssize_t n;

	if (c->in_body) {
		n = recv(c->fd, sink, sizeof sink, 0);
		if (n > 0 && !c->chunked)
			c->body_left -= (size_t)n < c->body_left ? (size_t)n : c->body_left;
		if (n > 0 && c->chunked && n >= 5 && !memcmp(sink + n - 5, "0\r\n\r\n", 5))
			c->body_left = 0;
	} else {
		char *end;

		n = recv(c->fd, c->in + c->got, HEAD_MAX - c->got, 0);
		if (n > 0) {
			c->got += (size_t)n;
			c->in[c->got] = '\0';
			end = strstr(c->in, "\r\n\r\n");
			if (end)
				read_head(c, end);
		}
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		run.broken += c->busy;
		hang_up(c);
		return;
	}
	if (c->busy && c->in_body && !c->body_left)
		answered(c);
}

static void give_out(int64_t began, int64_t now, double rate, size_t *given)
{
	for (int i = 0; i < run.n_clients && targets_left(); i++) {
		struct client *c = &run.clients[i];
		int64_t due = rate > 0 ? began + (int64_t)((double)*given * 1e6 / rate) : now;

		if (c->busy)
			continue;
		if (due > now)
			return;
		ask(c, due);
		++*given;
	}
}

static void serve_all(double seconds, double rate)
{
	struct epoll_event events[EVENTS];
	int64_t began = now_us(), until = began + (int64_t)(seconds * 1e6), now = began;
	size_t given = 0;

	while (now < until) {
		give_out(began, now, rate, &given);
		if (!targets_left()) {
			int busy = 0;

			for (int i = 0; i < run.n_clients; i++)
				busy += run.clients[i].busy;
			if (!busy)
				break;
		}
		int n = epoll_wait(run.epoll, events, EVENTS, rate > 0 ? 1 : 100);

		for (int i = 0; i < n; i++)
			receive(events[i].data.ptr);
		now = now_us();
	}
	/* Whoever still waits has waited until now at least. */
	for (int i = 0; i < run.n_clients; i++) {
		struct client *c = &run.clients[i];

		if (c->busy && now - c->since_us > c->longest_us)
			c->longest_us = now - c->since_us;
	}
	printf("{\"seconds\": %.6f, ", (double)(now - began) / 1e6);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t at_share(double share)
{
	return run.n ? run.latency[(size_t)(share * (double)(run.n - 1))] : 0;
}

static void report(void)
{
	uint32_t *longest = calloc((size_t)run.n_clients, sizeof *longest);
	size_t unserved = 0, busy = 0;

	if (!longest)
		die("calloc");
	for (int i = 0; i < run.n_clients; i++) {
		longest[i] = (uint32_t)run.clients[i].longest_us;
		unserved += run.clients[i].answers == 0;
		busy += run.clients[i].busy;
	}
	qsort(longest, (size_t)run.n_clients, sizeof *longest, by_number);
	qsort(run.latency, run.n, sizeof *run.latency, by_number);
	printf("\"answers\": %zu, \"asked\": %zu, \"status\": [%zu, %zu, %zu, %zu], \"broken\": "
	       "%zu, "
	       "\"waiting\": %zu, \"p50\": %u, \"p99\": %u, \"max\": %u, \"unserved\": %zu, "
	       "\"longest_median\": %u, \"longest_max\": %u}\n",
	       run.n, run.next_target, run.by_status[2], run.by_status[3], run.by_status[4],
	       run.by_status[5], run.broken, busy, at_share(0.5), at_share(0.99), at_share(1),
	       unserved, longest[run.n_clients / 2], longest[run.n_clients - 1]);
	free(longest);
}

static void read_targets(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0, room = 0;

	if (!f)
		die(path);
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (run.n_targets == room) {
			room = room ? 2 * room : 1024;
			run.targets = realloc(run.targets, room * sizeof *run.targets);
			if (!run.targets)
				die("realloc");
		}
		run.targets[run.n_targets++] = strdup(line);
	}
	free(line);
	fclose(f);
}

int main(int argc, char **argv)
{
	double seconds;

	if (argc < 6) {
		fputs("usage: load PORT CLIENTS SECONDS RATE FILE [HEADER...]\n", stderr);
		return EXIT_FAILURE;
	}
	run.port = (uint16_t)strtol(argv[1], NULL, 10);
	run.n_clients = (int)strtol(argv[2], NULL, 10);
	seconds = strtod(argv[3], NULL);
	run.again = seconds < 0;
	read_targets(argv[5]);
	for (int i = 6; i < argc; i++)
		snprintf(run.headers + strlen(run.headers),
			 sizeof run.headers - strlen(run.headers), "%s\r\n", argv[i]);
	run.epoll = epoll_create1(0);
	run.clients = calloc((size_t)run.n_clients, sizeof *run.clients);
	if (run.epoll < 0 || !run.clients || !run.n_targets)
		die("start");
	for (int i = 0; i < run.n_clients; i++) {
		run.clients[i].fd = -1;
		dial(&run.clients[i]);
	}
	serve_all(seconds < 0 ? -seconds : seconds, strtod(argv[4], NULL));
	report();
	return EXIT_SUCCESS;
}
