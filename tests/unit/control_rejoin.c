// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porchd has died and is there again: who comes back with the truth goes on, who lies does not. */
#include "tests/unit/control_frames.h"

/* porchd ends and starts; `c` comes back. */
static void rejoin(struct world *x, struct client *c, bool lie)
{
	struct porch_msg m = { .type = PORCH_MSG_REJOIN,
			       .hello.worker = c->number,
			       .hello.generation = c->generation,
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
	client_say(&c,
		   (struct porch_msg){
			   .type = PORCH_MSG_LISTEN, .listen.port = WORLD_PORT, .listen.backlog = 16 },
		   NULL, 0);
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

/* Its memory was registered in one way, porchd is configured for another by now. */
static void requests_in_front_of_frames_stay(void **state)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		struct world *x = world_tables();
		struct client c, late;

		world_start(x);
		x->d.config.tx_checksum = i ? PORCH_TX_CHECKSUM_YES : PORCH_TX_CHECKSUM_NO;
		client_register(x, &c, 3);
		assert_int_equal(c.area[0].area.tx_metadata, i ? PORCH_TX_METADATA : 0);
		world_stop(x);
		world_start(x);
		x->d.config.tx_checksum = i ? PORCH_TX_CHECKSUM_NO : PORCH_TX_CHECKSUM_YES;
		rejoin(x, &c, false);
		client_get(x, &c, PORCH_MSG_READY, NULL);
		assert_int_equal(x->slots[slot_of(area_of(x, 0), 1)].tx_checksum, i);
		client_register(x, &late, 3);
		assert_int_equal(late.area[0].area.tx_metadata, c.area[0].area.tx_metadata);
		client_end(&c);
		client_end(&late);
		turn_until(x, settled(x) && !x->d.workers[1] && !x->d.workers[2]);
		world_free(x);
	}
}

static void what_it_brings_is_not_believed(void **state)
{
	int lie;

	for (lie = 0; lie < 8; lie++) {
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
		else if (lie == 7)
			c.area[0].area.tx_metadata = 24;
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
		cmocka_unit_test(back_after_a_restart),
		cmocka_unit_test(requests_in_front_of_frames_stay),
		cmocka_unit_test(what_it_brings_is_not_believed),
	};

	return unit_run("control_rejoin", tests);
}
