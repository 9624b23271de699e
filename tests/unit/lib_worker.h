/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One worker at a fake porchd, and what every test does with it. */
#ifndef PORCH_TESTS_LIB_WORKER_H
#define PORCH_TESTS_LIB_WORKER_H

#include "tests/unit/lib_client.h"

static struct fake fake;
static struct porch *p;
static struct porch_listener *l;

static inline void begin(bool no_lease, const struct porch_open_opts *opts)
{
	memset(&fake, 0, sizeof(fake));
	fake.no_lease = no_lease;
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, opts), 0);
	assert_int_equal(test_listen(p, &l), 0);
}

static inline void end(void)
{
	porch_close(p);
	fake_end(&fake);
}

/* One poll; how many events, and the first of them. */
static inline int poll_once(struct porch_event *first)
{
	struct porch_event events[8] = {};
	int n = porch_poll(p, events, 8, 0);

	*first = events[0];
	return n;
}

static inline struct porch_conn *take(void)
{
	struct porch_event e;
	struct porch_conn *c;

	assert_int_equal(poll_once(&e), 1);
	assert_int_equal(e.events, PORCH_ACCEPT);
	assert_ptr_equal(e.listener, l);
	assert_int_equal(porch_accept(l, &c), 0);
	assert_int_equal(porch_accept(l, &c), -EAGAIN);
	return c;
}

static inline struct porch_finish_entry finished(void)
{
	struct porch_finish_entry none = {};
	int error;
	const struct porch_finish_entry *e = porch_ring_take(&fake.finish, &error);

	assert_int_equal(error, 0);
	if (!e)
		return none;
	none = *e;
	porch_ring_release(&fake.finish);
	return none;
}

static inline struct porch_stats_info stats(void)
{
	struct porch_stats_info s = { .size = sizeof(s) };

	assert_int_equal(porch_stats_get(p, &s), 0);
	return s;
}

#endif /* PORCH_TESTS_LIB_WORKER_H */
