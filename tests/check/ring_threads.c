// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two threads on one porch_ring, and two on the sleeping protocol of porch/wire.h, to be
 * built with -fsanitize=thread. Every entry must arrive once, whole and in order,
 * and nobody may sleep while there is work. (ThreadSanitizer knows no fences: a
 * sleeper forgotten for want of one shows as the timeout.)
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <porch/ring.h>

#define ENTRIES 64
#define ROUNDS	200000

struct entry {
	uint64_t number, twice;
};

static struct porch_ring *ring;
static uint32_t sleeps;
static int wake;

static void *produce(void *unused)
{
	struct porch_ring_end end;
	int error;

	if (porch_ring_join(&end, ring, ENTRIES, sizeof(struct entry), 1))
		exit(1);
	for (uint64_t i = 0; i < ROUNDS;) {
		struct entry *e = porch_ring_fill(&end, &error);

		if (error)
			exit(1);
		if (e) {
			*e = (struct entry){ i, 2 * i };
			i++;
			if (i % 7 && i < ROUNDS)
				continue;
		}
		porch_ring_publish(&end);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_exchange_n(&sleeps, 0, __ATOMIC_SEQ_CST) &&
		    write(wake, &(uint64_t){ 1 }, 8) != 8)
			exit(1);
	}
	return unused;
}

static void *consume(void *unused)
{
	struct porch_ring_end end;
	uint64_t next = 0, woken;
	int error;

	if (porch_ring_join(&end, ring, ENTRIES, sizeof(struct entry), 0))
		exit(1);
	while (next < ROUNDS) {
		const struct entry *e = porch_ring_take(&end, &error);
		struct pollfd p = { .fd = wake, .events = POLLIN };

		if (error)
			exit(1);
		if (e) {
			if (e->number != next || e->twice != 2 * next) {
				fprintf(stderr, "entry %llu is %llu\n", (unsigned long long)next,
					(unsigned long long)e->number);
				exit(1);
			}
			next++;
			if (next % 5 == 0)
				porch_ring_release(&end);
			continue;
		}
		porch_ring_release(&end);
		__atomic_store_n(&sleeps, 1, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (porch_ring_pending(&end)) {
			__atomic_store_n(&sleeps, 0, __ATOMIC_SEQ_CST);
			continue;
		}
		if (poll(&p, 1, 5000) != 1 || read(wake, &woken, 8) != 8) {
			fprintf(stderr, "slept for five seconds at entry %llu\n", (unsigned long long)next);
			exit(1);
		}
	}
	return unused;
}

int main(void)
{
	pthread_t a, b;

	ring = aligned_alloc(64, (porch_ring_size(ENTRIES, sizeof(struct entry)) + 63) & ~63ul);
	wake = eventfd(0, EFD_CLOEXEC);
	if (!ring || wake < 0)
		return 1;
	ring->produced = ring->consumed = 0xffffff00u; /* past the end of 32 bits on the way */
	if (pthread_create(&a, NULL, produce, NULL) || pthread_create(&b, NULL, consume, NULL) ||
	    pthread_join(a, NULL) || pthread_join(b, NULL))
		return 1;
	printf("%d entries\n", ROUNDS);
	return 0;
}
