// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whatever lies in shared memory or comes by the control socket, by seed: no
 * access outside its bounds (this runs under sanitizers too), nothing kept
 * that was not there, and a worker that lives on.
 */
#include <sys/resource.h>

#include "tests/unit/lib_client.h"

static struct fake fake;
static struct porch *p;
static struct porch_listener *l;
static uint64_t seed;

static void begin(void)
{
	memset(&fake, 0, sizeof(fake));
	fake_start(&fake);
	assert_int_equal(fake_open(&fake, &p, NULL), 0);
	assert_int_equal(test_listen(p, &l), 0);
}

static void end(void)
{
	porch_close(p);
	fake_end(&fake);
}

static void serve(void)
{
	struct porch_event events[8];
	struct porch_conn *c;
	int n = porch_poll(p, events, 8, 0);
	char data[512];

	for (int i = 0; i < n; i++) {
		if (events[i].events & PORCH_ACCEPT) {
			while (!porch_accept(events[i].listener, &c))
				;
			continue;
		}
		if (porch_recv(events[i].conn, data, sizeof(data)) != -EAGAIN && unit_random(&seed) % 3 == 0)
			porch_conn_close(events[i].conn);
	}
}

static struct porch_stats_info stats(void)
{
	struct porch_stats_info s = { .size = sizeof(s) };

	assert_int_equal(porch_stats_get(p, &s), 0);
	return s;
}

static void scramble(void *data, size_t n, int flips)
{
	for (int i = 0; i < flips; i++)
		((uint8_t *)data)[unit_random(&seed) % n] ^= 1 << unit_random(&seed) % 8;
}

/* Records and frames: broken, cut, of others, of nobody. Every frame comes back. */
static void frames(void **state)
{
	struct client clients[8];

	seed = 1;
	begin();
	for (uint32_t i = 0; i < 8; i++)
		clients[i] = client_new(&fake, 50 + i, 0);
	serve();
	for (int turn = 0; turn < 20000; turn++) {
		struct client *me = &clients[unit_random(&seed) % 8];
		uint32_t n = unit_random(&seed) % 300, length;
		struct porch_record r = client_record(me, n);
		uint8_t frame[FAKE_FRAME], data[300] = {};

		length = client_build(me, frame, unit_random(&seed) % 4 ? SEG_ACK : unit_random(&seed), data, n);
		switch (unit_random(&seed) % 6) {
		case 0: scramble(&r, sizeof(r), 1 + unit_random(&seed) % 8); break;
		case 1: scramble(frame, 54, 1 + unit_random(&seed) % 4); break;
		case 2: length = unit_random(&seed) % (length + 1); break;
		case 3: r.kind = unit_random(&seed) % 5; break;
		case 4: r.l4 = unit_random(&seed); r.l3 = unit_random(&seed); r.length = unit_random(&seed); break;
		case 5: me->seq += n; break;
		}
		fake_receive(&fake, unit_random(&seed) % FAKE_AREAS, &r, frame, length);
		if (turn % 16 == 0) {
			serve();
			fake_forget(&fake);
			fake_account(&fake);
		}
	}
	serve();
	fake_account(&fake);
	assert_true(stats().refused_frame > 100);
	assert_true(stats().refused_unknown > 100);
	assert_true(stats().refused_checksum > 0);
	assert_int_equal(stats().refused_ring, 0);
	end();
}

/* Descriptors that point anywhere, from whoever could write them. */
static void descriptors(void **state)
{
	seed = 2;
	begin();
	client_new(&fake, 60, 0);
	serve();
	for (int turn = 0; turn < 5000; turn++) {
		struct fake_area *a = &fake.area[turn % FAKE_AREAS];
		struct fake_ring *rx = &a->ring[XSK_RX];
		uint64_t address = unit_random(&seed);

		if (turn % 3)
			address %= FAKE_UMEM * 2;
		rx->desc[rx->producer++ % FAKE_ENTRIES] = (struct xdp_desc){
			.addr = address,
			.len = turn % 2 ? unit_random(&seed) : unit_random(&seed) % FAKE_FRAME,
			.options = turn % 5 ? 0 : unit_random(&seed),
		};
		a->ring[XSK_FILL].consumer = a->ring[XSK_FILL].producer;
		serve();
	}
	assert_true(stats().refused_ring > 1000);
	assert_true(stats().refused_frame > 100);
	assert_int_equal(porch_state(p), PORCH_ATTACHED);
	end();
}

/* COMPLETION and `give`: frames that are not ours, twice, or none at all. */
static void returned(void **state)
{
	seed = 3;
	begin();
	for (int turn = 0; turn < 3000; turn++) {
		struct fake_area *a = &fake.area[turn % FAKE_AREAS];
		struct fake_ring *done = &a->ring[XSK_COMPLETION];
		uint64_t *g;
		int error;

		done->address[done->producer++ % FAKE_ENTRIES] = turn % 2 ? unit_random(&seed) : unit_random(&seed) % FAKE_UMEM;
		g = porch_ring_fill(&a->give, &error);
		if (g)
			*g = turn % 2 ? unit_random(&seed) : unit_random(&seed) % FAKE_UMEM;
		porch_ring_publish(&a->give);
		p->areas[turn % FAKE_AREAS]->n_tx_free = turn % 8 ? FAKE_TX_FRAMES : 0;
		a->ring[XSK_FILL].consumer = a->ring[XSK_FILL].producer;
		p->starved = 1;
		serve();
		assert_true(p->areas[turn % FAKE_AREAS]->n_tx_free <= FAKE_TX_FRAMES);
	}
	assert_true(stats().refused_ring > 100);
	/* a count that no ring can hold */
	fake.area[0].ring[XSK_COMPLETION].producer += 100000;
	fake.area[0].ring[XSK_FILL].consumer -= 100000;
	p->starved = 1;
	serve();
	assert_int_equal(porch_state(p), PORCH_ATTACHED);
	end();
}

/* Accept and inject entries of any content. */
static void entries(void **state)
{
	seed = 4;
	begin();
	for (int turn = 0; turn < 5000; turn++) {
		struct client me = { .fake = &fake, .flow = unit_random(&seed) % 40, .serial = 1 + unit_random(&seed) % 3, .port = 99, .window = 1000 };
		struct porch_accept_entry e = client_entry(&me, 0);
		struct porch_inject_entry *in;
		int error;

		if (turn % 2)
			scramble(&e, sizeof(e), unit_random(&seed) % 20);
		fake_hand(&fake, &e);
		in = porch_ring_fill(&fake.inject, &error);
		if (in) {
			memset(in, 0, fake.inject_size);
			*in = (struct porch_inject_entry){ .flow = me.flow, .serial = me.serial, .l3 = 14, .l4 = 34, .segment = 20, .kind = 2 };
			in->length = client_build(&me, in->frame, SEG_ACK, "", 0);
			scramble(in, sizeof(*in) + 54, unit_random(&seed) % 10);
			porch_ring_publish(&fake.inject);
		}
		serve();
		fake_forget(&fake);
		fake.finish.own = fake.finish.peer = fake.finish.ring->produced;
		porch_ring_release(&fake.finish);
		assert_true(stats().conns <= 400);
	}
	assert_true(stats().refused_ring > 0);
	end();
}

/* An index that cannot be: whoever wrote it is no porchd of ours. Everything is dropped, and said. */
static void indices(void **state)
{
	for (int i = 0; i < 5; i++) {
		begin();
		client_new(&fake, 70, 0);
		serve();
		switch (i) {
		case 0: fake.accept.ring->produced += 100000; break;
		case 1: fake.inject.ring->produced -= 5; break;
		case 2: fake.area[1].give.ring->produced += 4096; break;
		case 3: fake.area[0].ring[XSK_RX].producer += 12345; break;
		case 4:
			fake.finish.ring->consumed += 77;
			for (int k = 0; k < 3 * (int)FAKE_FINISH && porch_state(p) != PORCH_LOST; k++) {
				client_new(&fake, 500 + k, 0);
				serve();
				for (uint32_t c = 0; c < p->conns_touched; c++)
					porch_conn_abort(&p->conns[c]);
			}
			break;
		}
		fake.refuse_hello = -EBUSY;
		for (int k = 0; k < 10 && porch_state(p) != PORCH_LOST; k++)
			serve();
		assert_int_equal(porch_state(p), PORCH_LOST);
		assert_true(stats().refused_ring > 0);
		serve();
		assert_int_equal(stats().areas, 0);
		end();
	}
}

/* Messages of any content, with any files. */
static void messages(void **state)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	seed = 6;
	for (int round = 0; round < 60; round++) {
		begin();
		for (int i = 0; i < 10; i++) {
			struct porch_msg msg;
			int fds[3] = { null, null, null };
			uint64_t *words = (uint64_t *)&msg;

			for (size_t k = 0; k < sizeof(msg) / 8; k++)
				words[k] = unit_random(&seed) % 4 ? unit_random(&seed) % 100 : unit_random(&seed);
			msg.type = unit_random(&seed) % 20;
			msg.version = PORCH_WIRE_VERSION;
			/* not READY's answer to a HELLO that it was not asked for */
			if (fake.control >= 0)
				control_send(fake.control, &msg, fds, unit_random(&seed) % 4);
			serve();
			p->looked = 0;
			serve();
		}
		end();
	}
	close(null);
}

/* The files that come with nonsense are closed. */
static void files(void **state)
{
	struct rlimit before, few;
	struct porch_msg msg = { .type = PORCH_MSG_NEIGHBOUR, .version = PORCH_WIRE_VERSION };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[3] = { null, null, null };

	begin();
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &few);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(control_send(fake.control, &msg, fds, 3), 0);
		p->looked = 0;
		serve();
		porch_poll(p, &(struct porch_event){ 0 }, 1, 1);
	}
	assert_int_equal(porch_state(p), PORCH_ATTACHED);
	setrlimit(RLIMIT_NOFILE, &before);
	close(null);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames), cmocka_unit_test(descriptors), cmocka_unit_test(returned), cmocka_unit_test(entries),
		cmocka_unit_test(indices), cmocka_unit_test(messages), cmocka_unit_test(files),
	};

	return unit_run("lib_garbage", tests);
}
