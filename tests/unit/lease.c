// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who may touch FILL and COMPLETION: the lease word, between porchd and workers that keep to it, or do not.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>

#include "daemon/lease.h"
#include "daemon/xsk.h"

#define ENTRIES 16u

struct world {
	struct area area;
	struct porch_area_head head;
	uint32_t fill_p, fill_c, fill_flags, done_p, done_c, done_flags;
	uint64_t fill[ENTRIES], done[ENTRIES];
};

static struct xsk_ring ring(uint32_t *p, uint32_t *c, uint32_t *flags, void *descs)
{
	return (struct xsk_ring){ .producer = p,
				  .consumer = c,
				  .flags = flags,
				  .descs = descs,
				  .mask = ENTRIES - 1,
				  .map = descs };
}

static void make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->area.head = &w->head;
	w->area.fill = ring(&w->fill_p, &w->fill_c, &w->fill_flags, w->fill);
	w->area.completion = ring(&w->done_p, &w->done_c, &w->done_flags, w->done);
	lease_start(&w->area, 7);
}

/* A worker that keeps to wire.h. */
static bool worker_begin(struct world *w, uint16_t me, uint64_t *busy)
{
	uint64_t word = __atomic_load_n(&w->head.lease, __ATOMIC_ACQUIRE);

	if (PORCH_LEASE_OWNER(word) != me || PORCH_LEASE_BUSY(word))
		return false;
	*busy = PORCH_LEASE(me, 1, PORCH_LEASE_GENERATION(word));
	return __atomic_compare_exchange_n(&w->head.lease, &word, *busy, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static bool worker_end(struct world *w, uint64_t busy)
{
	uint64_t idle = PORCH_LEASE(PORCH_LEASE_OWNER(busy), 0, PORCH_LEASE_GENERATION(busy));

	return __atomic_compare_exchange_n(&w->head.lease, &busy, idle, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static void given_and_taken(void **state)
{
	struct world w;
	uint64_t busy = 0;

	make(&w);
	assert_true(lease_ours(&w.area));
	assert_false(worker_begin(&w, 3, &busy));
	w.area.fill.own = 5;
	assert_int_equal(lease_give(&w.area, 3), 0);
	assert_int_equal(w.fill_p, 5); /* what porchd had written is seen by the new owner */
	assert_false(lease_ours(&w.area));
	assert_int_equal(lease_give(&w.area, 4), -EINVAL);
	assert_false(worker_begin(&w, 4, &busy));
	assert_true(worker_begin(&w, 3, &busy));
	assert_int_equal(lease_busy(&w.area), 1);
	w.fill_p = 9;
	w.fill_c = 2;
	w.done_p = 4;
	w.done_c = 4;
	assert_int_equal(lease_take(&w.area, false), -EBUSY);
	assert_true(worker_end(&w, busy));
	assert_int_equal(lease_busy(&w.area), 0);
	assert_int_equal(lease_take(&w.area, false), 0);
	assert_int_equal(lease_take(&w.area, false), 0); /* twice is once */
	assert_int_equal(w.area.fill.own, 9);
	assert_int_equal(w.area.fill.peer, 2);
	assert_int_equal(w.area.completion.own, 4);
	assert_false(worker_begin(&w, 3, &busy));
	assert_int_equal(PORCH_LEASE_GENERATION(w.head.lease), 9);
}

static void taken_by_force(void **state)
{
	struct world w;
	uint64_t busy = 0;

	make(&w);
	assert_int_equal(lease_give(&w.area, 3), 0);
	assert_true(worker_begin(&w, 3, &busy));
	assert_int_equal(lease_take(&w.area, true), 0);
	/* it goes on, gives back what it no longer has, and sees so */
	assert_false(worker_end(&w, busy));
	assert_int_equal(lease_check(&w.area), 0);
	/* an index that it was about to write arrives late */
	w.fill_p = 3;
	assert_int_equal(lease_check(&w.area), -EPROTO);
}

static void nonsense_is_told(void **state)
{
	static const uint64_t words[] = {
		0,
		~0ull,
		PORCH_LEASE(3, 0, 7),
		PORCH_LEASE(4, 0, 8),
		PORCH_LEASE(3, 0, 9),
		PORCH_LEASE(3, 1, 7),
		PORCH_LEASE(3, 0, 8) | 1ull << 17,
	};
	struct world w;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		make(&w);
		assert_int_equal(lease_give(&w.area, 3), 0);
		w.head.lease = words[i];
		assert_int_equal(lease_busy(&w.area), -EPROTO);
		assert_int_equal(lease_take(&w.area, false), -EPROTO);
		assert_int_equal(lease_take(&w.area, true), -EPROTO);
		assert_int_equal(lease_check(&w.area), -EPROTO);
		assert_int_equal(w.area.lease_owner, 3);
	}
	make(&w);
	w.head.lease = PORCH_LEASE(0, 1, 7); /* porchd never is busy in there */
	assert_int_equal(lease_check(&w.area), -EPROTO);
}

static void impossible_rings_are_told(void **state)
{
	struct world w;

	make(&w);
	assert_int_equal(lease_give(&w.area, 3), 0);
	w.fill_p = ENTRIES + 1;
	assert_int_equal(lease_take(&w.area, false), -EPROTO);
	make(&w);
	assert_int_equal(lease_give(&w.area, 3), 0);
	w.done_c = 1;
	assert_int_equal(lease_take(&w.area, false), -EPROTO);
	make(&w);
	w.area.fill.map = NULL; /* cannot be ours: nor given away */
	assert_int_equal(lease_give(&w.area, 3), -EINVAL);
}

static void adopted_after_a_restart(void **state)
{
	struct world w;

	make(&w);
	w.head.lease = PORCH_LEASE(5, 0, 100);
	assert_int_equal(lease_adopt(&w.area, 16), 0);
	assert_int_equal(w.area.lease_owner, 5);
	assert_int_equal(lease_take(&w.area, false), 0);
	w.head.lease = PORCH_LEASE(17, 0, 100);
	assert_int_equal(lease_adopt(&w.area, 16), -EPROTO);
	w.head.lease = PORCH_LEASE(5, 0, 100) | 1ull << 20;
	assert_int_equal(lease_adopt(&w.area, 16), -EPROTO);
	w.head.lease = PORCH_LEASE(5, 1, 100); /* killed, or stopped, at work */
	assert_int_equal(lease_adopt(&w.area, 16), 0);
	assert_int_equal(lease_take(&w.area, false), -EBUSY);
	assert_int_equal(lease_take(&w.area, true), 0);
}

#define ROUNDS 20000u

struct race {
	struct world w;
	uint64_t worked;
	bool end;
	uint32_t inside; /* parties at work on the rings: 0 or 1 */
};

static void *work(void *arg)
{
	struct race *r = arg;
	uint64_t busy = 0;

	while (!__atomic_load_n(&r->end, __ATOMIC_ACQUIRE)) {
		if (!worker_begin(&r->w, 3, &busy)) {
			sched_yield();
			continue;
		}
		if (__atomic_add_fetch(&r->inside, 1, __ATOMIC_ACQ_REL) != 1)
			abort();
		__atomic_add_fetch(&r->worked, 1, __ATOMIC_RELAXED);
		/* not atomic on purpose: the lease alone must order it */
		r->w.fill_p++;
		r->w.fill_c++;
		__atomic_sub_fetch(&r->inside, 1, __ATOMIC_ACQ_REL);
		worker_end(&r->w, busy);
	}
	return NULL;
}

static void two_threads_are_never_both_in(void **state)
{
	static struct race r;
	pthread_t thread;
	uint32_t i, taken = 0;

	make(&r.w);
	assert_int_equal(pthread_create(&thread, NULL, work, &r), 0);
	for (i = 0; i < ROUNDS || !taken || !__atomic_load_n(&r.worked, __ATOMIC_RELAXED); i++) {
		if (lease_ours(&r.w.area)) {
			assert_int_equal(__atomic_add_fetch(&r.inside, 1, __ATOMIC_ACQ_REL), 1);
			r.w.area.fill.own++;
			__atomic_store_n(&r.w.fill_c, r.w.fill_c + 1, __ATOMIC_RELAXED);
			__atomic_sub_fetch(&r.inside, 1, __ATOMIC_ACQ_REL);
			assert_int_equal(lease_give(&r.w.area, 3), 0);
			sched_yield();
		} else {
			int e = lease_take(&r.w.area, false);

			assert_true(e == 0 || e == -EBUSY);
			taken += !e;
		}
	}
	__atomic_store_n(&r.end, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	while (!lease_ours(&r.w.area))
		assert_int_equal(lease_take(&r.w.area, false), 0);
	assert_int_equal(r.w.fill_p, r.w.fill_c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_and_taken),	   cmocka_unit_test(taken_by_force),
		cmocka_unit_test(nonsense_is_told),	   cmocka_unit_test(impossible_rings_are_told),
		cmocka_unit_test(adopted_after_a_restart), cmocka_unit_test(two_threads_are_never_both_in),
	};

	return unit_run("lease", tests);
}
