// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * relay IF1 IF2 key=value...: carries frames between two interfaces of a namespace that
 * has no addresses, and mistreats some of them. The same seed and the same
 * frames give the same fate. What is asked for counts per thousand frames:
 *
 *   drop=N double=N reorder=N corrupt=N    of frames in either direction
 *   way=both|there|back                    IF1 to IF2 is `there`; only that way is mistreated
 *   delay=US jitter=US hold=US             of every frame; what reordered frames wait beside it
 *   from=N                                 mistreats nothing before that frame
 *   queue=N seed=N                         frames under way at most; the rest is dropped and counted
 *
 * SIGTERM ends it; one line of JSON sums up.
 */
#include "common.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif
#define FRAME_OCTETS 9216
#define QUEUE_MAX    65536

/* A frame under way; the heap is ordered by time, then by arrival. */
struct held {
	int64_t due;
	uint64_t number;
	int out;
	uint32_t length;
	uint8_t *frame;
};

static long drop, twice, reorder, corrupt, delay, jitter, hold = 3000, from, queue_max = 8192, seed = 1;
static const char *way = "both";
static struct held *heap;
static long n_held;
static uint64_t arrived, sent, dropped, doubled, reordered, corrupted, overflowed, unsent;
static uint64_t random_state;
static volatile sig_atomic_t over;

static void signalled(int number)
{
	over = 1;
}

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static bool befalls(long per_thousand)
{
	return (long)(draw() % 1000) < per_thousand;
}

static bool before(const struct held *a, const struct held *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void swap(long a, long b)
{
	struct held h = heap[a];

	heap[a] = heap[b];
	heap[b] = h;
}

static void push(const struct held *h)
{
	long i = n_held++;

	heap[i] = *h;
	for (; i && before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct held pop(void)
{
	struct held first = heap[0];
	long i = 0, child;

	heap[0] = heap[--n_held];
	while ((child = 2 * i + 1) < n_held) {
		if (child + 1 < n_held && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &heap[i]))
			break;
		swap(i, child);
		i = child;
	}
	return first;
}

static void keep(const uint8_t *frame, uint32_t length, int out, int64_t due)
{
	struct held h = { .due = due, .number = arrived, .out = out, .length = length };

	if (n_held == queue_max || !(h.frame = malloc(length))) {
		overflowed++;
		return;
	}
	memcpy(h.frame, frame, length);
	push(&h);
}

static void carry(uint8_t *frame, uint32_t length, int out, bool there)
{
	int64_t due = now_us() + delay + (jitter ? (long)(draw() % jitter) : 0);
	/* every frame draws the same numbers, whatever befalls it */
	bool lose = befalls(drop), again = befalls(twice), late = befalls(reorder), spoil = befalls(corrupt);
	uint64_t where = draw();
	bool mine = !strcmp(way, "both") || !strcmp(way, there ? "there" : "back");

	if ((long)arrived++ < from || !mine)
		lose = again = late = spoil = false;
	if (lose) {
		dropped++;
		return;
	}
	if (spoil && length > ETH_HLEN) {
		frame[ETH_HLEN + where % (length - ETH_HLEN)] ^= 1 << (where >> 32) % 8;
		corrupted++;
	}
	if (late) {
		due += hold;
		reordered++;
	}
	keep(frame, length, out, due);
	if (again) {
		keep(frame, length, out, due);
		doubled++;
	}
}

static void deliver(void)
{
	while (n_held && heap[0].due <= now_us()) {
		struct held h = pop();

		if (send(h.out, h.frame, h.length, 0) == (ssize_t)h.length)
			sent++;
		else
			unsent++;
		free(h.frame);
	}
}

static int open_interface(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex(name) };
	struct packet_mreq all = { .mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = 16 << 20, one = 1;

	if (fd < 0 || !at.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
	    bind(fd, (void *)&at, sizeof(at))) {
		fprintf(stderr, "relay: %s: %s\n", name, strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return fd;
}

static void run(const int fds[2])
{
	struct pollfd polled[2] = { { .fd = fds[0], .events = POLLIN }, { .fd = fds[1], .events = POLLIN } };
	uint8_t frame[FRAME_OCTETS];

	while (!over) {
		int64_t left = n_held ? heap[0].due - now_us() : 1000000;
		struct timespec wait = { .tv_sec = left > 0 ? left / 1000000 : 0,
					 .tv_nsec = left > 0 ? left % 1000000 * 1000 : 0 };

		if (ppoll(polled, 2, &wait, NULL) < 0 && errno != EINTR)
			break;
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			for (int budget = 64; budget && (n = recv(fds[i], frame, sizeof(frame), 0)) > 0;
			     budget--)
				carry(frame, n, fds[!i], !i);
		}
		deliver();
	}
}

int main(int argc, char **argv)
{
	const struct word words[] = {
		{ "drop", &drop, NULL },       { "double", &twice, NULL }, { "reorder", &reorder, NULL },
		{ "corrupt", &corrupt, NULL }, { "delay", &delay, NULL },  { "jitter", &jitter, NULL },
		{ "hold", &hold, NULL },       { "from", &from, NULL },	   { "queue", &queue_max, NULL },
		{ "seed", &seed, NULL },       { "way", NULL, &way },	   { NULL, NULL, NULL },
	};
	struct sigaction act = { .sa_handler = signalled };
	int fds[2];

	if (argc < 3 || words_parse("relay", words, argc - 3, argv + 3) || queue_max < 1 ||
	    queue_max > QUEUE_MAX || (strcmp(way, "both") && strcmp(way, "there") && strcmp(way, "back"))) {
		fprintf(stderr, "usage: relay IF1 IF2 [key=value]...\n");
		return 2;
	}
	random_state = seed;
	heap = calloc(queue_max, sizeof(*heap));
	fds[0] = open_interface(argv[1]);
	fds[1] = open_interface(argv[2]);
	if (!heap || fds[0] < 0 || fds[1] < 0)
		return 1;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	printf("{\"event\":\"relaying\"}\n");
	fflush(stdout);
	run(fds);
	printf("{\"arrived\":%llu,\"sent\":%llu,\"dropped\":%llu,\"doubled\":%llu,\"reordered\":%llu,"
	       "\"corrupted\":%llu,"
	       "\"overflowed\":%llu,\"unsent\":%llu}\n",
	       (unsigned long long)arrived, (unsigned long long)sent, (unsigned long long)dropped,
	       (unsigned long long)doubled, (unsigned long long)reordered, (unsigned long long)corrupted,
	       (unsigned long long)overflowed, (unsigned long long)unsent);
	while (n_held)
		free(pop().frame);
	free(heap);
	return 0;
}
