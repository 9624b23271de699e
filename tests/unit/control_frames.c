// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every frame is somewhere: in whatever way a worker ends, stops, hoards or scribbles, all of them receive
 * again. */
#include "tests/unit/control_frames.h"

static void one_worker_has_the_lease_two_have_not(void **state)
{
	struct world *x = world_tables();
	struct client a, b;

	world_start(x);
	client_register(x, &a, 3);
	turn_until(x, holder(x, 0) == 1 && holder(x, 1) == 1);
	assert_int_equal(x->slots[slot_of(area_of(x, 0), 1)].lease, 1);
	client_register(x, &b, 3);
	turn_until(x, !holder(x, 0) && !holder(x, 1));
	assert_int_equal(x->slots[slot_of(area_of(x, 0), 1)].lease, 0);
	client_end(&b);
	turn_until(x, holder(x, 0) == 1 && settled(x));
	client_end(&a);
	turn_until(x, !holder(x, 0) && settled(x));
	client_register(x, &b, 0); /* could not map FILL: never has it */
	turn_for(x, 60 * NS_PER_MS);
	assert_int_equal(holder(x, 0), 0);
	client_end(&b);
	world_free(x);
}

/* Wherever its frames were: in its RX ring, in its hands, in `back`, in `give`. */
static void frames_of_a_dead_worker_come_back(void **state)
{
	struct world *x = world_tables();
	struct porch_ring_end back;
	uint64_t frames[32], *entry;
	struct client c;
	int error, i;

	world_start(x);
	client_register(x, &c, 0);
	for (i = 0; i < 30; i++)
		assert_true(deliver(x, 0, slot_of(area_of(x, 0), 1), 1, PORCH_RECORD_SEGMENT));
	assert_false(deliver(x, 0, slot_of(area_of(x, 0), 1), 1, 2) &&
		     deliver(x, 0, slot_of(area_of(x, 0), 1), 1, 2) &&
		     deliver(x, 0, slot_of(area_of(x, 0), 1), 1, 2)); /* its quota: half of all */
	assert_int_equal(read_frames(&c, 0, 20, frames), 20);
	assert_false(all_there(x, 0));
	back = end_of(&c, &c.session->area[0].back, 1);
	for (i = 0; i < 5; i++) {
		entry = porch_ring_fill(&back, &error);
		*entry = frames[i];
	}
	porch_ring_publish(&back);
	for (i = 0; i < 3; i++)
		assert_true(deliver(x, 0, slot_of(area_of(x, 0), 0), 1, PORCH_RECORD_SEGMENT));
	turn_until(x, area_of(x, 0)->given_back == 8);
	client_end(&c);
	turn_until(x, !x->d.workers[1] && settled(x));
	assert_true(all_there(x, 0));
	assert_true(all_there(x, 1));
	assert_int_equal(*area_of(x, 0)->fill.producer - *area_of(x, 0)->fill.consumer, 64);
	world_free(x);
}

/* What porchd reads while a worker holds the lease goes round by that worker's `give`. */
static void frames_go_round_by_the_holder(void **state)
{
	struct world *x = world_tables();
	struct porch_ring_end give;
	const uint64_t *entry;
	struct client c;
	int error, i, n = 0;

	world_start(x);
	client_register(x, &c, 3);
	turn_until(x, holder(x, 0) == 1);
	give = end_of(&c, &c.session->area[0].give, 0);
	c.session->worker_sleeps = 1;
	for (i = 0; i < 10; i++)
		assert_true(deliver(x, 0, slot_of(area_of(x, 0), 0), 1, PORCH_RECORD_SEGMENT));
	turn_until(x, area_of(x, 0)->frames_in == 10);
	turn(x);
	assert_int_equal(c.session->worker_sleeps, 0); /* it was woken for so many */
	while ((entry = porch_ring_take(&give, &error))) {
		assert_true(*entry < 64 * 2048ull);
		n++;
	}
	assert_int_equal(n, 10);
	client_end(&c); /* `give` was read and not released: they lie there still */
	turn_until(x, settled(x) && !x->d.workers[1]);
	assert_true(all_there(x, 0));
	world_free(x);
}

/* With another worker alive, what the dead one had in its hands and the living one never saw comes back. */
static void of_two_workers_one_dies(void **state)
{
	struct world *x = world_tables();
	uint64_t frames[32];
	struct client a, b;
	int i;

	world_start(x);
	client_register(x, &a, 0);
	client_register(x, &b, 0);
	for (i = 0; i < 8; i++) {
		assert_true(deliver(x, 0, slot_of(area_of(x, 0), 1), 1, PORCH_RECORD_SEGMENT));
		assert_true(deliver(x, 0, slot_of(area_of(x, 0), 2), 1, PORCH_RECORD_SEGMENT));
	}
	assert_int_equal(read_frames(&a, 0, 8, frames), 8);
	assert_int_equal(read_frames(&b, 0, 4, frames), 4);
	client_end(&a);
	turn_until(x, settled(x) && !x->d.workers[1]);
	/* only the living one's four are out */
	{
		struct umem_account n;

		assert_int_equal(umem_account(area_of(x, 0), &n), 0);
		assert_int_equal(n.missing, 4);
		assert_int_equal(n.twice, 0);
	}
	client_end(&b);
	turn_until(x, settled(x) && !x->d.workers[2]);
	assert_true(all_there(x, 0));
	world_free(x);
}

static void a_stopped_holder_loses_the_lease(void **state)
{
	struct world *x = world_tables();
	struct client c;
	struct area *a;
	uint64_t word;

	world_start(x);
	a = area_of(x, 0);
	client_register(x, &c, 3);
	turn_until(x, holder(x, 0) == 1);
	/* idle, and FILL full: it keeps it */
	turn_for(x, 200 * NS_PER_MS);
	assert_int_equal(holder(x, 0), 1);
	/* FILL runs dry: to porchd's socket, so that nothing but `give` holds the frames */
	while (deliver(x, 0, slot_of(a, 0), 1, PORCH_RECORD_SEGMENT))
		;
	turn_until(x, holder(x, 0) == 0);
	assert_true(x->d.workers[1] && x->d.workers[1]->ready);
	turn_for(x, 60 * NS_PER_MS);
	assert_int_equal(holder(x, 0), 0);
	c.session->beat++;
	turn_until(x, holder(x, 0) == 1);
	/* stopped in the middle of its work: taken by force, and it sees so when it goes on */
	word = a->head->lease;
	a->head->lease = PORCH_LEASE(1, 1, PORCH_LEASE_GENERATION(word));
	turn_until(x, holder(x, 0) == 0);
	assert_int_not_equal(a->head->lease, PORCH_LEASE(1, 1, PORCH_LEASE_GENERATION(word)));
	client_end(&c);
	turn_until(x, settled(x) && !x->d.workers[1]);
	assert_true(all_there(x, 0));
	world_free(x);
}

/* Down, and up again, with the member that keeps to the protocol. */
static void again(struct world *x, struct client *c, uint32_t queue)
{
	struct porch_msg m = client_get(x, c, PORCH_MSG_AREA_DOWN, NULL);

	assert_int_equal(m.down.area, queue);
	close_if(&c->area_fds[queue][0]);
	close_if(&c->area_fds[queue][1]);
	close_if(&c->xsk[queue]);
	assert_int_equal(client_get(x, c, PORCH_MSG_AREA_NEW, NULL).down.area, queue);
	c->area[queue] = client_get(x, c, PORCH_MSG_AREA, c->area_fds[queue]);
	c->socket[queue] = client_get(x, c, PORCH_MSG_SOCKET, &c->xsk[queue]);
	client_say(c,
		   (struct porch_msg){ .type = PORCH_MSG_MAPPED,
				       .mapped.area = queue,
				       .mapped.can_lease = 1ull << queue },
		   NULL, 0);
	assert_int_equal(client_get(x, c, PORCH_MSG_BOUND, NULL).mapped.area, queue);
}

static void garbage_in_what_all_share_makes_it_anew(void **state)
{
	struct world *x = world_tables();
	struct client c;
	uint64_t began;
	int what;

	world_start(x);
	client_register(x, &c, 3);
	for (what = 0; what < 5; what++) {
		struct area *a = area_of(x, 0);

		turn_until(x, holder(x, 0) == 1);
		began = loop_clock();
		if (what == 0)
			*a->fill.producer += 1000;
		else if (what == 1)
			*a->completion.consumer += 1;
		else if (what == 2)
			a->head->lease ^= 1ull << 40;
		else if (what == 3)
			*a->rx.producer += 100000;
		else
			*a->fill.producer -= 65;
		again(x, &c, 0);
		assert_true(loop_clock() - began < 2 * NS_PER_SEC);
		assert_true(all_there(x, 0));
	}
	assert_int_equal(x->d.count.areas_rebuilt, 5);
	assert_true(area_of(x, 1)->bound); /* the other queue noticed nothing */
	client_end(&c);
	turn_until(x, settled(x) && !x->d.workers[1]);
	assert_true(all_there(x, 0));
	world_free(x);
}

static void frames_that_are_kept_are_missed(void **state)
{
	struct world *x = world_tables();
	uint64_t frames[64];
	struct client c;

	world_start(x);
	client_register(x, &c, 3);
	turn_until(x, holder(x, 0) == 1);
	while (deliver(x, 0, slot_of(area_of(x, 0), 1), 1, PORCH_RECORD_SEGMENT))
		read_frames(&c, 0, 64, frames);
	while (!x->d.count.areas_rebuilt) {
		c.session->beat++; /* it is alive all the time */
		turn(x);
	}
	again(x, &c, 0);
	assert_true(all_there(x, 0));
	/* and again: it is shown the door */
	turn_until(x, holder(x, 0) == 1);
	while (deliver(x, 0, slot_of(area_of(x, 0), 1), 1, PORCH_RECORD_SEGMENT))
		read_frames(&c, 0, 64, frames);
	while (x->d.workers[1]) {
		c.session->beat++;
		turn(x);
	}
	client_end(&c);
	turn_until(x, settled(x));
	assert_true(all_there(x, 0));
	world_free(x);
}

static void offered_anew_and_not_mapped(void **state)
{
	struct world *x = world_tables();
	struct client c;

	world_start(x);
	client_register(x, &c, 3);
	turn_until(x, holder(x, 0) == 1);
	*area_of(x, 0)->fill.producer += 1000;
	turn_until(x, !x->d.workers[1]);
	client_end(&c);
	client_register(x, &c, 3);
	client_end(&c);
	world_free(x);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_worker_has_the_lease_two_have_not),
		cmocka_unit_test(frames_of_a_dead_worker_come_back),
		cmocka_unit_test(frames_go_round_by_the_holder),
		cmocka_unit_test(of_two_workers_one_dies),
		cmocka_unit_test(a_stopped_holder_loses_the_lease),
		cmocka_unit_test(garbage_in_what_all_share_makes_it_anew),
		cmocka_unit_test(frames_that_are_kept_are_missed),
		cmocka_unit_test(offered_anew_and_not_mapped),
	};

	return unit_run("control_frames", tests);
}
