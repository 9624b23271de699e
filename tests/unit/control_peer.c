// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control socket: each step of registering, each way of not keeping to it, and what is left afterwards.
 */
#include "tests/unit/control_world.h"

static void registered_in_the_order_of_the_header(void **state)
{
	struct world *x = world_tables();
	struct client c;
	uint32_t i;

	world_start(x);
	client_register(x, &c, 3);
	assert_int_equal(c.number, 1);
	assert_int_equal(c.areas, WORLD_QUEUES);
	assert_int_equal(c.session->magic, PORCH_SESSION_MAGIC);
	assert_int_equal(c.session->generation, c.generation);
	/* neither can be made smaller under the other's feet */
	assert_int_equal(fcntl(c.fds[0], F_GET_SEALS) & F_SEAL_SHRINK, F_SEAL_SHRINK);
	assert_int_equal(fcntl(c.area_fds[0][0], F_GET_SEALS) & F_SEAL_SHRINK, F_SEAL_SHRINK);
	for (i = 0; i < WORLD_QUEUES; i++) {
		struct area *a = area_of(x, i);

		assert_true(a->bound);
		assert_int_equal(a->workers, 1);
		assert_int_equal(c.area[i].area.queue, i);
		assert_int_equal(c.socket[i].socket.tx_first, 64);
		/* porchd's and the worker's, where XDP looks for them */
		assert_true(kernel.slots[slot_of(a, 0)] && kernel.slots[slot_of(a, 1)]);
		assert_int_equal(x->slots[slot_of(a, 1)].pid, 4242);
	}
	assert_int_equal(x->ifaces[WORLD_IFINDEX].xsk_queues, WORLD_QUEUES);
	client_say(&c,
		   (struct porch_msg){
			   .type = PORCH_MSG_LISTEN, .listen.port = WORLD_PORT, .listen.backlog = 16 },
		   NULL, 0);
	assert_int_equal(client_get(x, &c, PORCH_MSG_LISTENING, NULL).result, 0);
	assert_int_equal(x->queues[1].workers, 1);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_LISTEN, .listen.port = 9 }, NULL, 0);
	assert_int_equal(client_get(x, &c, PORCH_MSG_LISTENING, NULL).result, -EADDRNOTAVAIL);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_UNLISTEN, .listen.handle = 31 }, NULL, 0);
	assert_true(client_get(x, &c, PORCH_MSG_UNLISTENED, NULL).result < 0);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_GOODBYE }, NULL, 0);
	turn_until(x, !x->d.workers[1]);
	assert_int_equal(x->queues[1].workers, 0);
	for (i = 0; i < WORLD_QUEUES; i++)
		assert_int_equal(kernel.slots[slot_of(area_of(x, i), 1)], 0);
	client_end(&c);
	world_free(x);
}

static void who_is_not_listed_is_told_so(void **state)
{
	struct world *x = world_tables();
	struct client c, many[12];
	uint32_t i, n = 0;
	char byte;

	world_start(x);
	client_connect(x, &c, 1000);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_HELLO, .hello.queue = PORCH_QUEUE_ANY }, NULL,
		   0);
	assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EACCES);
	client_end(&c);
	/* they cannot keep others out */
	for (i = 0; i < 12; i++) {
		client_connect(x, &many[i], 1000);
		n += recv(many[i].fd, &byte, 1, MSG_PEEK) < 0;
	}
	assert_int_equal(n, CONTROL_STRANGERS);
	client_register(x, &c, 0);
	client_end(&c);
	for (i = 0; i < 12; i++)
		client_end(&many[i]);
	world_free(x);
}

/* Anything but the one message that may come now ends it. */
static void another_message_than_the_next_is_refused(void **state)
{
	static const uint32_t first[] = { 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 18, 19, 0xffffffff };
	struct world *x = world_tables();
	struct client c;
	size_t i;

	world_start(x);
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		client_connect(x, &c, 0);
		client_say(&c, (struct porch_msg){ .type = first[i] }, NULL, 0);
		assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EPROTO);
		client_end(&c);
	}
	client_connect(x, &c, 0);
	client_hello(x, &c);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_LISTEN, .listen.port = WORLD_PORT }, NULL, 0);
	assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EPROTO);
	client_end(&c);
	turn_until(x, !x->d.workers[1]);
	world_free(x);
}

static void lengths_versions_and_descriptors(void **state)
{
	struct world *x = world_tables();
	struct porch_msg m = { .type = PORCH_MSG_HELLO, .version = PORCH_WIRE_VERSION };
	char longer[sizeof(m) + 1] = {};
	struct client c;
	uint32_t before;
	int fds[4], i;

	world_start(x);
	turn_for(x, NS_PER_MS);
	before = open_fds();
	for (i = 0; i < 4; i++) {
		client_connect(x, &c, 0);
		if (i == 0)
			assert_int_equal(send(c.fd, &m, sizeof(m) - 1, 0), sizeof(m) - 1);
		else if (i == 1)
			assert_int_equal(send(c.fd, longer, sizeof(longer), 0), sizeof(longer));
		else if (i == 2)
			assert_int_equal(send(c.fd, &m, 1, 0), 1);
		else
			assert_int_equal(send(c.fd,
					      &(struct porch_msg){ .type = PORCH_MSG_HELLO, .version = 99 },
					      sizeof(m), 0),
					 sizeof(m));
		assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EPROTO);
		client_end(&c);
	}
	/* descriptors that nobody asked for are closed */
	for (i = 0; i < 4; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	client_connect(x, &c, 0);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_LISTEN }, fds, 4);
	client_get(x, &c, PORCH_MSG_REFUSED, NULL);
	client_end(&c);
	for (i = 0; i < 4; i++)
		close(fds[i]);
	turn_for(x, 2 * NS_PER_MS);
	assert_int_equal(open_fds(), before);
	world_free(x);
}

static void each_step_has_its_time(void **state)
{
	struct world *x = world_tables();
	struct client silent, slow;

	world_start(x);
	client_connect(x, &silent, 0);
	client_connect(x, &slow, 0);
	client_hello(x, &slow);
	assert_int_equal(client_get(x, &silent, PORCH_MSG_REFUSED, NULL).result, -ETIMEDOUT);
	assert_int_equal(client_get(x, &slow, PORCH_MSG_REFUSED, NULL).result, -ETIMEDOUT);
	turn_until(x, !x->d.workers[1]);
	assert_int_equal(area_of(x, 0)->slices_used, 0);
	client_end(&silent);
	client_end(&slow);
	world_free(x);
}

static void there_is_room_for_so_many(void **state)
{
	struct world *x = world_tables();
	struct client many[64], c;
	uint32_t i, n = 0;
	char byte;

	world_start(x);
	/* slices of a queue: four */
	for (i = 0; i < 4; i++)
		client_register(x, &many[i], 0);
	client_connect(x, &c, 0);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_HELLO, .hello.queue = PORCH_QUEUE_ANY }, NULL,
		   0);
	assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EUSERS);
	client_end(&c);
	client_connect(x, &c, 0);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_HELLO, .hello.queue = 99 }, NULL, 0);
	assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -ENODEV);
	client_end(&c);
	for (i = 0; i < 4; i++)
		client_end(&many[i]);
	turn_until(x, !x->d.workers[1] && !x->d.workers[4]);
	/* connections that say nothing */
	for (i = 0; i < 64; i++) {
		client_connect(x, &many[i], 0);
		n += recv(many[i].fd, &byte, 1, MSG_PEEK) < 0; /* -1: still open */
	}
	assert_int_equal(n, control_peers_max(&x->d));
	for (i = 0; i < 64; i++)
		client_end(&many[i]);
	turn_for(x, 2 * NS_PER_MS);
	client_register(x, &c, 0);
	client_end(&c);
	world_free(x);
}

static void a_queue_that_is_busy_is_tried_again(void **state)
{
	struct world *x = world_tables();
	struct client c;

	world_start(x);
	kernel.busy = 3;
	client_register(x, &c, 0);
	client_end(&c);
	turn_until(x, !x->d.workers[1]);
	world_free(x);
	x = world_tables();
	world_start(x);
	kernel.busy = 1000000;
	client_connect(x, &c, 0);
	client_hello(x, &c);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_MAPPED }, NULL, 0);
	assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EBUSY);
	client_end(&c);
	world_free(x);
}

static void a_mode_asked_for_and_not_obtained_is_refused(void **state)
{
	struct world *x = world_tables();
	struct porch_msg m;
	struct client c;

	world_start(x);
	x->d.config.zero_copy = true;
	client_connect(x, &c, 0);
	client_hello(x, &c);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_MAPPED }, NULL, 0);
	m = client_get(x, &c, PORCH_MSG_REFUSED, NULL);
	assert_int_equal(m.result, -EOPNOTSUPP);
	assert_non_null(strstr(m.text, "zero-copy"));
	client_end(&c);
	world_free(x);
}

/* Requests in front of frames: where they are asked for, and the kernel or the driver knows them. */
static void who_makes_the_sums(void **state)
{
	static const struct {
		uint8_t asked;
		bool before_6_11;
		uint32_t wanted;
	} rows[] = {
		{ PORCH_TX_CHECKSUM_AUTO, false, 0 },
		{ PORCH_TX_CHECKSUM_NO, false, 0 },
		{ PORCH_TX_CHECKSUM_YES, false, PORCH_TX_METADATA },
		{ PORCH_TX_CHECKSUM_YES, true, 0 },
	};
	uint32_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *x = world_tables();
		struct client c;

		world_start(x);
		x->d.config.tx_checksum = rows[i].asked;
		kernel.before_6_11 = rows[i].before_6_11;
		client_register(x, &c, 0);
		assert_int_equal(c.area[0].area.tx_metadata, rows[i].wanted);
		assert_int_equal(c.area[1].area.tx_metadata, rows[i].wanted);
		assert_int_equal(x->slots[slot_of(area_of(x, 0), 1)].tx_checksum, rows[i].wanted != 0);
		assert_int_equal(x->slots[slot_of(area_of(x, 0), 0)].tx_checksum, rows[i].wanted != 0);
		client_end(&c);
		world_free(x);
	}
}

static void capture_goes_to_every_worker(void **state)
{
	struct world *x = world_tables();
	struct client a, b, c;
	int pipe_fds[2], got[4];

	world_start(x);
	client_register(x, &a, 0);
	client_register(x, &b, 0);
	assert_int_equal(pipe(pipe_fds), 0);
	client_connect(x, &c, 0);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_CAPTURE, .capture.snaplen = 96 }, &pipe_fds[1],
		   1);
	assert_int_equal(client_get(x, &c, PORCH_MSG_CAPTURE, NULL).result, 0);
	assert_int_equal(client_get(x, &a, PORCH_MSG_CAPTURE, got).capture.snaplen, 96);
	assert_int_equal(write(got[0], "x", 1), 1);
	close(got[0]);
	client_get(x, &b, PORCH_MSG_CAPTURE, NULL);
	client_end(&c);
	client_connect(x, &c, 0);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_CAPTURE }, &a.fds[0], 1); /* no pipe */
	assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EINVAL);
	client_end(&c);
	client_connect(x, &c, 1000);
	client_say(&c, (struct porch_msg){ .type = PORCH_MSG_CAPTURE }, &pipe_fds[1], 1);
	assert_int_equal(client_get(x, &c, PORCH_MSG_REFUSED, NULL).result, -EACCES);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	client_end(&a);
	client_end(&b);
	client_end(&c);
	turn_until(x, !x->d.workers[1] && !x->d.workers[2]);
	world_free(x);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(registered_in_the_order_of_the_header),
		cmocka_unit_test(who_is_not_listed_is_told_so),
		cmocka_unit_test(another_message_than_the_next_is_refused),
		cmocka_unit_test(lengths_versions_and_descriptors),
		cmocka_unit_test(each_step_has_its_time),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(a_queue_that_is_busy_is_tried_again),
		cmocka_unit_test(a_mode_asked_for_and_not_obtained_is_refused),
		cmocka_unit_test(who_makes_the_sums),
		cmocka_unit_test(capture_goes_to_every_worker),
	};

	return unit_run("control_peer", tests);
}
