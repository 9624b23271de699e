// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every frame is somewhere: in whatever way a worker ends, stops, hoards or scribbles, all of them receive again. */
#include "tests/unit/control_world.h"

/* A worker's rings, as wire.h has them. */
static struct porch_ring_end end_of(struct client *c, const struct porch_ring_place *p, int producer)
{
	struct porch_ring_end e;

	assert_int_equal(porch_ring_join(&e, (struct porch_ring *)((uint8_t *)c->session + p->offset), p->entries,
					 p->entry_size, producer),
			 0);
	return e;
}

static struct xsk_ring rx_of(struct client *c, uint32_t queue)
{
	struct xsk_ring rx;

	assert_int_equal(xsk_ring_map(c->xsk[queue], XSK_RX, c->socket[queue].socket.rx_entries, &rx), 0);
	return rx;
}

/* Takes up to n frames out of the RX ring and keeps them. */
static uint32_t read_frames(struct client *c, uint32_t queue, uint32_t n, uint64_t *frames)
{
	struct xsk_ring rx = rx_of(c, queue);
	uint32_t i = 0;

	for (; i < n && *rx.consumer != *rx.producer; i++)
		frames[i] = xsk_desc(&rx, (*rx.consumer)++).addr;
	return i;
}

static bool all_there(struct world *x, uint32_t queue)
{
	struct umem_account n;

	assert_int_equal(umem_account(area_of(x, queue), &n), 0);
	return !n.missing && !n.twice;
}

static bool settled(struct world *x)
{
	return !area_of(x, 0)->departed && !area_of(x, 1)->departed;
}

static uint16_t holder(struct world *x, uint32_t queue)
{
	return area_of(x, queue)->lease_owner;
}

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
	assert_false(deliver(x, 0, slot_of(area_of(x, 0), 1), 1, 2) && deliver(x, 0, slot_of(area_of(x, 0), 1), 1, 2) &&
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
	client_say(c, (struct porch_msg){ .type = PORCH_MSG_MAPPED, .mapped.area = queue, .mapped.can_lease = 1ull << queue },
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

/* porchd ends and starts; `c` comes back. */
static void rejoin(struct world *x, struct client *c, bool lie)
{
	struct porch_msg m = { .type = PORCH_MSG_REJOIN, .hello.worker = c->number, .hello.generation = c->generation,
			       .hello.queue = PORCH_QUEUE_ANY };
	int fd = c->fd, pair[2];
	uint32_t i;

	close(fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	c->fd = pair[1];
	assert_int_equal(control_take(&x->d, pair[0], 4242, 0), 0);
	client_say(c, m, c->fds, 3);
	for (i = 0; i < WORLD_QUEUES; i++) {
		m = c->area[i];
		if (lie)
			m.area.queue = 1 - m.area.queue;
		client_say(c, m, c->area_fds[i], 2);
		client_say(c, c->socket[i], &c->xsk[i], 1);
	}
	client_say(c, (struct porch_msg){ .type = PORCH_MSG_MAPPED, .mapped.can_lease = 3 }, NULL, 0);
}

static void back_after_a_restart(void **state)
{
	struct world *x = world_tables();
	uint64_t word, frames[8];
	struct client c, late;

	world_start(x);
	client_register(x, &c, 3);
	c.socket[0].socket.can_lease = c.socket[1].socket.can_lease = 1;
	turn_until(x, holder(x, 0) == 1);
	word = area_of(x, 0)->head->lease;
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_LISTEN, .listen.port = WORLD_PORT, .listen.backlog = 16 }, NULL, 0);
	client_get(x, &c, PORCH_MSG_LISTENING, NULL);
	world_stop(x);
	world_start(x);
	rejoin(x, &c, false);
	client_get(x, &c, PORCH_MSG_READY, NULL);
	assert_int_equal(client_get(x, &c, PORCH_MSG_LISTENING, NULL).listen.handle, 0);
	assert_int_equal(c.session->generation, x->d.generation);
	/* it has never stopped holding what it held */
	assert_int_equal(area_of(x, 0)->head->lease, word);
	assert_int_equal(holder(x, 0), 1);
	assert_true(deliver(x, 0, slot_of(area_of(x, 0), 1), 1, PORCH_RECORD_SEGMENT));
	assert_int_equal(read_frames(&c, 0, 8, frames), 1);
	assert_true(deliver(x, 0, slot_of(area_of(x, 0), 0), 1, PORCH_RECORD_SEGMENT));
	turn_until(x, area_of(x, 0)->frames_in == 1);
	/* another one beside it shares the memory it brought */
	client_register(x, &late, 3);
	turn_until(x, !holder(x, 0));
	client_end(&c);
	client_end(&late);
	turn_until(x, settled(x) && !x->d.workers[1] && !x->d.workers[2]);
	assert_true(all_there(x, 0));
	world_free(x);
}

static void what_it_brings_is_not_believed(void **state)
{
	int lie;

	for (lie = 0; lie < 7; lie++) {
		struct world *x = world_tables();
		struct client c, other;

		world_start(x);
		client_register(x, &c, 3);
		turn_until(x, holder(x, 0) == 1);
		world_stop(x);
		world_start(x);
		if (lie == 0)
			c.session->accept.offset += 64;
		else if (lie == 1)
			c.session->magic++;
		else if (lie == 2)
			c.socket[1].socket.tx_first += 3;
		else if (lie == 3)
			c.area[0].area.umem += 4096;
		else if (lie == 4)
			c.area[1].area.rx_frames = 1 << 30;
		else if (lie == 5)
			area_of(x, 0)->queue = 0, c.area[0].area.head = 1ull << 60;
		rejoin(x, &c, lie == 6);
		client_get(x, &c, PORCH_MSG_REFUSED, NULL);
		client_end(&c);
		turn_for(x, 40 * NS_PER_MS);
		assert_null(x->d.workers[1]);
		assert_int_equal(area_of(x, 0)->workers, 0);
		/* and the next one is served */
		client_register(x, &other, 3);
		client_end(&other);
		world_free(x);
	}
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
		cmocka_unit_test(back_after_a_restart),
		cmocka_unit_test(what_it_brings_is_not_believed),
	};

	return unit_run("control_frames", tests);
}
