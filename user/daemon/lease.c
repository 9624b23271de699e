// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>

#include "daemon/lease.h"
#include "daemon/xsk.h"

static uint64_t word_of(const struct area *a, bool busy)
{
	return PORCH_LEASE(a->lease_owner, busy, a->lease_generation);
}

static uint64_t load(const struct area *a)
{
	return __atomic_load_n(&a->head->lease, __ATOMIC_ACQUIRE);
}

void lease_start(struct area *a, uint32_t generation)
{
	a->lease_owner = 0;
	a->lease_generation = generation;
	__atomic_store_n(&a->head->lease, word_of(a, false), __ATOMIC_RELEASE);
}

int lease_adopt(struct area *a, uint16_t greatest)
{
	uint64_t word = load(a);
	uint16_t owner = PORCH_LEASE_OWNER(word);

	if (word != PORCH_LEASE(owner, PORCH_LEASE_BUSY(word), PORCH_LEASE_GENERATION(word)))
		return -EPROTO;
	if (owner > greatest)
		return -EPROTO;
	a->lease_owner = owner;
	a->lease_generation = PORCH_LEASE_GENERATION(word);
	return 0;
}

int lease_busy(const struct area *a)
{
	uint64_t word = load(a);

	if (word == word_of(a, false))
		return 0;
	return a->lease_owner && word == word_of(a, true) ? 1 : -EPROTO;
}

static int move(struct area *a, uint16_t to, bool force)
{
	uint64_t was = word_of(a, false), next = PORCH_LEASE(to, 0, a->lease_generation + 1);
	int r;

	while (!__atomic_compare_exchange_n(&a->head->lease, &was, next, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE)) {
		r = lease_busy(a);
		if (r < 0)
			return r;
		if (r && !force)
			return -EBUSY;
		was = word_of(a, r);
	}
	a->lease_owner = to;
	a->lease_generation++;
	return 0;
}

int lease_take(struct area *a, bool force)
{
	int r;

	if (lease_ours(a))
		return 0;
	if (!a->fill.map || !a->completion.map)
		return -EINVAL;
	r = move(a, 0, force);
	if (r)
		return r;
	r = xsk_producer_join(&a->fill);
	return r ? r : xsk_consumer_join(&a->completion);
}

int lease_give(struct area *a, uint16_t worker)
{
	if (!lease_ours(a) || !a->fill.map)
		return -EINVAL;
	xsk_producer_publish(&a->fill);
	xsk_consumer_release(&a->completion);
	return move(a, worker, false);
}

int lease_check(const struct area *a)
{
	if (!lease_ours(a))
		return lease_busy(a) < 0 ? -EPROTO : 0;
	if (load(a) != word_of(a, false))
		return -EPROTO;
	if (a->fill.map && __atomic_load_n(a->fill.producer, __ATOMIC_RELAXED) != a->fill.own)
		return -EPROTO;
	if (a->completion.map &&
	    __atomic_load_n(a->completion.consumer, __ATOMIC_RELAXED) != a->completion.own)
		return -EPROTO;
	return 0;
}
