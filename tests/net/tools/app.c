// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * app ADDR:PORT key=value...: a server by libporch, well-behaved or not, that tells as
 * JSON lines what it saw.
 *
 *   work=echo|ignore|lend          ignore: never reads; lend: porch_recv_zc() and never porch_recv_done()
 *   accept=at-once|never|usr1|one  usr1: nothing before SIGUSR1; one: one connection per signal
 *   speak=first                    greets before it has heard anything
 *   close=first|abort              closes, or aborts, once it has answered
 *   end=N|ready                    once N are accepted; when the first is ready, before it is accepted
 *   how=exit|kill|close|return     exit: _exit(), without a word; kill: SIGKILL to itself;
 *                                  close: porch_close() first; return: exit()
 *   gift=N                         says N octets to whoever is accepted, and closes
 *   poll=block|yield               how it waits
 *   backlog=N credit=N queue=N memory=N recvbuf=N sndbuf=N keepalive=N uid=N
 *
 * SIGUSR2 prints what porch_stats_get() says. ADDR `*` is every address.
 */
#include "common.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <porch/porch.h>

#define EVENTS 64

struct peer {
	uint16_t port;
	long long bytes;
	bool said;
	size_t rest, at; /* of `buffer`: to be sent when there is room */
	char *buffer;
};

static long backlog = 1024, credit, queue = -1, memory, recvbuf, sndbuf, keepalive, uid = -1, end_after, gift;
static const char *work = "echo", *accepting = "at-once", *speak = "last", *close_by = "peer", *end,
		  *how = "exit", *waiting = "block";
static struct porch *worker;
static struct porch_listener *listener;
static long accepted, open_now;
static volatile sig_atomic_t may_accept, over, tell;

static void signalled(int number)
{
	if (number == SIGUSR1)
		may_accept++;
	else if (number == SIGUSR2)
		tell = 1;
	else
		over = 1;
}

static void say_stats(void)
{
	struct porch_stats_info s = { .size = sizeof(s) };

	tell = 0;
	if (porch_stats_get(worker, &s))
		return;
	printf("{\"event\":\"stats\",\"conns\":%u,\"accepted\":%llu,\"frames_in\":%llu,\"frames_out\":%llu,"
	       "\"areas\":%u"
	       ",\"leased\":%u,\"leases_lost\":%llu,\"leases_taken\":%llu,\"checksum\":%llu,\"unknown\":%llu,"
	       "\"frame\":%llu"
	       ",\"ring\":%llu,\"no_memory\":%llu,\"tx_full\":%llu,\"memory\":%llu}\n",
	       s.conns, (unsigned long long)s.accepted, (unsigned long long)s.frames_in,
	       (unsigned long long)s.frames_out, s.areas, s.leased, (unsigned long long)s.leases_lost,
	       (unsigned long long)s.leases_taken, (unsigned long long)s.refused_checksum,
	       (unsigned long long)s.refused_unknown, (unsigned long long)s.refused_frame,
	       (unsigned long long)s.refused_ring, (unsigned long long)s.no_memory,
	       (unsigned long long)s.tx_full, (unsigned long long)s.memory);
}

static void say_state(void)
{
	static const char *const names[] = { "attached", "detached", "reattached", "lost" };
	static int last = PORCH_ATTACHED;
	int state = porch_state(worker);

	if (state == last || state < 0 || state > PORCH_LOST)
		return;
	last = state;
	printf("{\"event\":\"state\",\"state\":\"%s\"}\n", names[state]);
}

static void leave(void)
{
	printf("{\"event\":\"leaving\",\"accepted\":%ld}\n", accepted);
	fflush(stdout);
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (!strcmp(how, "close"))
		porch_close(worker);
	if (!strcmp(how, "return"))
		exit(0);
	_exit(0);
}

static void finish(struct porch_conn *c, struct peer *peer, const char *why)
{
	printf("{\"event\":\"end\",\"port\":%u,\"how\":\"%s\",\"bytes\":%lld}\n", peer->port, why,
	       peer->bytes);
	if (!strcmp(why, "aborted"))
		porch_conn_abort(c);
	else
		porch_conn_close(c);
	open_now--;
	free(peer->buffer);
	free(peer);
}

/* The send buffer takes all of it (sndbuf=), or it is said that it does not. */
static void give(struct porch_conn *c, struct peer *peer)
{
	char *octets = malloc(gift);
	ssize_t n;

	if (!octets)
		abort();
	for (long i = 0; i < gift; i++)
		octets[i] = i * 7 + i / 253;
	n = porch_send(c, octets, gift);
	if (n != gift)
		fprintf(stderr, "app: of the gift %zd octets were taken\n", n);
	free(octets);
	finish(c, peer, "closed");
}

static void accept_one(void)
{
	struct porch_conn_info info = { .size = sizeof(info) };
	struct peer *peer;
	struct porch_conn *c;
	struct address remote = { .len = sizeof(remote.in6) };
	char text[64];

	if (porch_accept(listener, &c))
		return;
	accepted++;
	open_now++;
	peer = calloc(1, sizeof(*peer));
	if (!peer || porch_conn_info(c, &info))
		abort();
	memcpy(&remote.in6, &info.remote, sizeof(remote.in6));
	peer->port = address_port(&remote);
	porch_conn_set_user(c, peer);
	if (keepalive)
		porch_conn_set(c, PORCH_KEEPALIVE, keepalive);
	printf("{\"event\":\"accept\",\"peer\":\"%s\",\"port\":%u,\"queued_us\":%llu,\"handover_us\":%llu,"
	       "\"rx_queue\":%u"
	       ",\"mss\":%u,\"timestamps\":%u,\"sack\":%u,\"wscale\":%u}\n",
	       address_text(&remote, text, sizeof(text)), peer->port,
	       (unsigned long long)info.queued_ns / 1000, (unsigned long long)info.handover_ns / 1000,
	       info.rx_queue, info.mss, info.timestamps, info.sack, info.wscale_snd);
	if (!strcmp(speak, "first") && porch_send(c, "porch\n", 6) != 6)
		fprintf(stderr, "app: the greeting was not taken\n");
	if (gift)
		give(c, peer);
	if (end_after && accepted >= end_after)
		leave();
}

static void echo(struct porch_conn *c, struct peer *peer)
{
	static char buffer[65536];
	ssize_t n, sent;

	n = porch_recv(c, buffer, sizeof(buffer));
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		finish(c, peer, !n ? "fin" : n == -ECONNRESET ? "reset" : strerror(-n));
		return;
	}
	if (!peer->said) {
		printf("{\"event\":\"data\",\"port\":%u,\"text\":", peer->port);
		print_text(buffer, n, 32);
		printf("}\n");
		peer->said = true;
	}
	peer->bytes += n;
	sent = porch_send(c, buffer, n);
	if (sent < 0 && sent != -EAGAIN) {
		finish(c, peer, "unwritable");
		return;
	}
	sent = sent < 0 ? 0 : sent;
	if (sent < n) {
		peer->buffer = malloc(n - sent);
		if (!peer->buffer)
			abort();
		memcpy(peer->buffer, buffer + sent, n - sent);
		peer->rest = n - sent;
		peer->at = 0;
	} else if (strcmp(close_by, "peer")) {
		finish(c, peer, !strcmp(close_by, "abort") ? "aborted" : "closed");
	}
}

static void send_rest(struct porch_conn *c, struct peer *peer)
{
	ssize_t n = porch_send(c, peer->buffer + peer->at, peer->rest);

	if (n < 0 && n != -EAGAIN) {
		finish(c, peer, "unwritable");
		return;
	}
	peer->at += n < 0 ? 0 : n;
	peer->rest -= n < 0 ? 0 : n;
	if (!peer->rest) {
		free(peer->buffer);
		peer->buffer = NULL;
	}
}

static void serve(struct porch_conn *c, uint32_t events)
{
	struct peer *peer = porch_conn_user(c);

	if (!peer)
		return;
	if (!strcmp(work, "lend")) {
		struct porch_piece pieces[16];

		/* what is lent once is lent for ever */
		if (events & (PORCH_ERR | PORCH_HUP))
			finish(c, peer, "ended");
		else if (!peer->said && porch_recv_zc(c, pieces, 16) > 0)
			peer->said = true;
		return;
	}
	if (!strcmp(work, "ignore")) {
		if (events & (PORCH_ERR | PORCH_HUP))
			finish(c, peer, "ended");
		return;
	}
	if (peer->rest)
		send_rest(c, peer);
	else
		echo(c, peer);
}

static int run(void)
{
	struct porch_event events[EVENTS];
	bool stale = false; /* level-triggered events nobody means to take */

	while (!over) {
		bool now = !strcmp(accepting, "at-once") || may_accept;
		int n = porch_poll(worker, events, EVENTS, !strcmp(waiting, "yield") ? 0 : stale ? 20 : 100);

		if (tell)
			say_stats();
		say_state();
		if (n < 0 && n != -EINTR) {
			fprintf(stderr, "app: porch_poll: %s\n", strerror(-n));
			return 1;
		}
		stale = false;
		for (int i = 0; i < n; i++) {
			if (events[i].events & PORCH_ACCEPT && end && !strcmp(end, "ready"))
				leave();
			if (!(events[i].events & PORCH_ACCEPT)) {
				serve(events[i].conn, events[i].events);
				stale |= strcmp(work, "echo") != 0;
			} else if (now && strcmp(accepting, "never")) {
				accept_one();
				if (!strcmp(accepting, "one"))
					may_accept--;
			} else {
				stale = true;
			}
		}
		if (stale)
			usleep(5000);
		else if (!n && !strcmp(waiting, "yield"))
			sched_yield();
		fflush(stdout);
	}
	return 0;
}

static int open_worker(const char *where)
{
	struct porch_open_opts opts = { .size = sizeof(opts),
					.credit = credit,
					.memory = memory,
					.recv_buffer = recvbuf,
					.send_buffer = sndbuf };
	struct address at = { .in6 = { .sin6_family = AF_INET6 }, .len = sizeof(at.in6) };
	int r;

	if (!strncmp(where, "*:", 2))
		at.in6.sin6_port = htons(atoi(where + 2));
	else if (address_parse(where, &at))
		return -EINVAL;
	if (queue >= 0) {
		opts.flags = PORCH_OPEN_QUEUE;
		opts.queue = queue;
	}
	if (uid >= 0 && (setgid(uid) || setuid(uid)))
		return -errno;
	r = porch_open(&worker, &opts);
	if (r) {
		fprintf(stderr, "app: porch_open: %s\n", strerror(-r));
		return r;
	}
	r = porch_listen(worker, &at.sa, at.len, backlog, &listener);
	if (r) {
		fprintf(stderr, "app: porch_listen: %s\n", strerror(-r));
		porch_close(worker);
	}
	return r;
}

int main(int argc, char **argv)
{
	const struct word words[] = {
		{ "backlog", &backlog, NULL },
		{ "credit", &credit, NULL },
		{ "queue", &queue, NULL },
		{ "memory", &memory, NULL },
		{ "recvbuf", &recvbuf, NULL },
		{ "sndbuf", &sndbuf, NULL },
		{ "keepalive", &keepalive, NULL },
		{ "uid", &uid, NULL },
		{ "gift", &gift, NULL },
		{ "work", NULL, &work },
		{ "accept", NULL, &accepting },
		{ "speak", NULL, &speak },
		{ "close", NULL, &close_by },
		{ "end", NULL, &end },
		{ "how", NULL, &how },
		{ "poll", NULL, &waiting },
		{ NULL, NULL, NULL },
	};
	struct sigaction act = { .sa_handler = signalled };
	int r;

	if (argc < 2 || words_parse("app", words, argc - 2, argv + 2)) {
		fprintf(stderr, "usage: app ADDR:PORT [key=value]...\n");
		return 2;
	}
	if (end && strcmp(end, "ready"))
		end_after = atol(end);
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGUSR2, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	if (open_worker(argv[1]))
		return 1;
	printf("{\"event\":\"listening\"}\n");
	fflush(stdout);
	r = run();
	say_stats();
	printf("{\"event\":\"total\",\"accepted\":%ld,\"open\":%ld}\n", accepted, open_now);
	porch_close(worker);
	return r;
}
