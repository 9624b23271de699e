// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch/ring.h: order, fullness, indices that wrap, indices that lie; two threads (also under TSan). */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>

#include <porch/ring.h>

#define ENTRIES 8u

struct pair {
	struct porch_ring *ring;
	struct porch_ring_end producer, consumer;
};

/* Both ends, with the indices where the test wants them. */
static struct pair make(uint32_t entries, uint32_t start)
{
	struct pair p = { .ring = aligned_alloc(64, (porch_ring_size(entries, 8) + 63) & ~63ul) };

	assert_non_null(p.ring);
	memset(p.ring, 0, porch_ring_size(entries, 8));
	p.ring->produced = p.ring->consumed = start;
	assert_int_equal(porch_ring_join(&p.producer, p.ring, entries, 8, 1), 0);
	assert_int_equal(porch_ring_join(&p.consumer, p.ring, entries, 8, 0), 0);
	return p;
}

static int put(struct pair *p, uint64_t value)
{
	int error;
	uint64_t *entry = porch_ring_fill(&p->producer, &error);

	if (!entry)
		return error ? error : -EAGAIN;
	*entry = value;
	return 0;
}

static int get(struct pair *p, uint64_t *value)
{
	int error;
	const uint64_t *entry = porch_ring_take(&p->consumer, &error);

	if (!entry)
		return error ? error : -EAGAIN;
	*value = *entry;
	return 0;
}

static void entries_come_in_order(void **state)
{
	static const uint32_t starts[] = { 0, 5, UINT32_MAX - 3, 0x7ffffffe };
	uint64_t next_in = 0, next_out = 0, value, seed = 1;
	size_t s, i;

	for (s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		struct pair p = make(ENTRIES, starts[s]);

		for (i = 0; i < 10000; i++) {
			if (unit_random(&seed) & 1) {
				if (!put(&p, next_in))
					next_in++;
				else
					assert_int_equal(next_in - next_out, ENTRIES);
				porch_ring_publish(&p.producer);
			} else {
				if (!get(&p, &value))
					assert_int_equal(value, next_out++);
				else
					assert_int_equal(next_in, next_out);
				porch_ring_release(&p.consumer);
			}
		}
		next_out = next_in = 0;
		free(p.ring);
	}
}

static void unpublished_is_unseen(void **state)
{
	struct pair p = make(ENTRIES, 0);
	uint64_t value;

	assert_int_equal(put(&p, 1), 0);
	assert_false(porch_ring_pending(&p.consumer));
	assert_int_equal(get(&p, &value), -EAGAIN);
	porch_ring_publish(&p.producer);
	assert_true(porch_ring_pending(&p.consumer));
	assert_int_equal(get(&p, &value), 0);
	assert_false(porch_ring_pending(&p.consumer));
	free(p.ring);
}

static void a_full_ring_takes_no_more(void **state)
{
	struct pair p = make(ENTRIES, UINT32_MAX - 2);
	uint64_t value;
	uint32_t i;

	for (i = 0; i < ENTRIES; i++)
		assert_int_equal(put(&p, i), 0);
	assert_int_equal(put(&p, 99), -EAGAIN);
	porch_ring_publish(&p.producer);
	assert_int_equal(get(&p, &value), 0);
	/* taken, and not yet released */
	assert_int_equal(put(&p, 99), -EAGAIN);
	porch_ring_release(&p.consumer);
	assert_int_equal(put(&p, 99), 0);
	assert_int_equal(put(&p, 99), -EAGAIN);
	free(p.ring);
}

static void joining_refuses_contradictions(void **state)
{
	struct pair p = make(ENTRIES, 0);
	struct porch_ring_end e;

	assert_int_equal(porch_ring_join(&e, p.ring, 0, 8, 1), -EPROTO);
	assert_int_equal(porch_ring_join(&e, p.ring, 6, 8, 1), -EPROTO);
	p.ring->produced = ENTRIES + 1;
	assert_int_equal(porch_ring_join(&e, p.ring, ENTRIES, 8, 1), -EPROTO);
	p.ring->produced = 0;
	p.ring->consumed = 1;
	assert_int_equal(porch_ring_join(&e, p.ring, ENTRIES, 8, 0), -EPROTO);
	p.ring->produced = 3;
	assert_int_equal(porch_ring_join(&e, p.ring, ENTRIES, 8, 0), 0);
	assert_int_equal(e.own, 1);
	assert_int_equal(e.peer, 3);
	free(p.ring);
}

/* Whatever the other side writes: an entry inside the ring, nothing, or -EPROTO. */
static void indices_may_lie(void **state)
{
	uint64_t seed = 7;
	uint32_t i, j;
	int error;

	for (i = 0; i < 20000; i++) {
		struct pair p = make(ENTRIES, (uint32_t)unit_random(&seed));
		uint8_t *first = p.ring->entries, *last = first + (ENTRIES - 1) * 8, *at;

		for (j = 0; j < 20; j++) {
			if (unit_random(&seed) % 3 == 0)
				p.ring->consumed = p.producer.own - (uint32_t)(unit_random(&seed) % 20);
			if (unit_random(&seed) % 16 == 0)
				p.ring->consumed = (uint32_t)unit_random(&seed);
			at = porch_ring_fill(&p.producer, &error);
			assert_true(at ? at >= first && at <= last : error == 0 || error == -EPROTO);
			/* never more in it than there is room */
			assert_true(p.producer.own - p.producer.peer <= ENTRIES);
			if (unit_random(&seed) % 3 == 0)
				p.ring->produced = (uint32_t)unit_random(&seed);
			at = (uint8_t *)porch_ring_take(&p.consumer, &error);
			assert_true(at ? at >= first && at <= last : error == 0 || error == -EPROTO);
			assert_true(p.consumer.peer - p.consumer.own <= ENTRIES);
		}
		free(p.ring);
	}
}

#define MANY 300000u

static void *produce(void *arg)
{
	struct pair *p = arg;
	uint64_t i;

	for (i = 0; i < MANY; i++) {
		while (put(p, i)) {
			porch_ring_publish(&p->producer);
			sched_yield();
		}
		if (i % 5 == 0)
			porch_ring_publish(&p->producer);
	}
	porch_ring_publish(&p->producer);
	return NULL;
}

static void two_threads(void **state)
{
	struct pair p = make(64, UINT32_MAX - 1000);
	uint64_t value, i;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
	for (i = 0; i < MANY; i++) {
		while (get(&p, &value)) {
			porch_ring_release(&p.consumer);
			sched_yield();
		}
		if (value != i)
			fail_msg("entry %llu holds %llu", (unsigned long long)i, (unsigned long long)value);
		if (i % 7 == 0)
			porch_ring_release(&p.consumer);
	}
	pthread_join(thread, NULL);
	assert_int_equal(get(&p, &value), -EAGAIN);
	free(p.ring);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_in_order),     cmocka_unit_test(unpublished_is_unseen),
		cmocka_unit_test(a_full_ring_takes_no_more), cmocka_unit_test(joining_refuses_contradictions),
		cmocka_unit_test(indices_may_lie),	     cmocka_unit_test(two_threads),
	};

	return unit_run("ring", tests);
}
