// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* user/daemon/retransmit.c: which SYN-ACKs of half-open entries are sent again, and when. */
#include "tests/unit/retransmit_world.h"

static void is_repeated_as_the_kernel_would(void **state)
{
	uint64_t born = d.now;

	syn(1000, 1);
	run_for(90000);
	expect(1000, born, usual, 5);
	assert_int_equal(d.count.synacks_again, 5);
	assert_int_equal(sent[0].ifindex, 7);
}

static void each_has_its_own_time(void **state)
{
	uint64_t born[3];
	int i;

	for (i = 0; i < 3; i++) {
		born[i] = d.now;
		syn(1000 + i, i);
		run_for(1700);
	}
	run_for(90000);
	for (i = 0; i < 3; i++)
		expect(1000 + i, born[i], usual, 5);
}

static void ends_with_the_entry(void **state)
{
	uint64_t born = d.now;

	syn(1000, 1);
	run_for(4000);
	entries[0].gone = true;
	run_for(90000);
	expect(1000, born, usual, 2);
}

static void another_attempt_begins_anew(void **state)
{
	uint64_t born = d.now;

	syn(1000, 1);
	run_for(8000);
	expect(1000, born, usual, 3);
	entries[0].gone = true;
	n_sent = 0;
	born = d.now;
	syn(1000, 2);
	run_for(90000);
	expect(1000, born, usual, 5);
}

static void retries_are_configured(void **state)
{
	uint64_t born = d.now;

	d.config.synack_retries = 2;
	retransmit_reload(&d);
	syn(1000, 1);
	run_for(90000);
	expect(1000, born, usual, 2);
	d.config.synack_retries = 0;
	retransmit_reload(&d);
	n_sent = 0;
	syn(1001, 1);
	run_for(90000);
	assert_int_equal(n_sent, 0);
}

static void a_late_start_sends_one(void **state)
{
	static const unsigned int after[] = { 20, 31 };
	uint64_t born = d.now;

	syn(1000, 1);
	teardown(NULL);
	d.now += 20 * NS_PER_SEC;
	assert_int_equal(retransmit_start(&d, &hash), 0);
	run_for(60000);
	expect(1000, born, after, 2);
}

static void nobody_waits_there(void **state)
{
	syn(1000, 1);
	listeners[1].used = 0;
	run_for(10000);
	assert_int_equal(n_sent, 0);
	listeners[1].used = 1;
	listeners[1].port = 81; /* the index is another listener's by now */
	run_for(10000);
	assert_int_equal(n_sent, 0);
	listeners[1].port = 80;
	listeners[1].protect = PORCH_PROTECT_OFF;
	run_for(5000);
	assert_int_equal(n_sent, 0);
	listeners[1].protect = PORCH_PROTECT_ALWAYS;
	listeners[1].deliver = PORCH_DELIVER_AFXDP; /* and no application */
	run_for(5000);
	assert_int_equal(n_sent, 0);
	queues[1].workers = 1;
	run_for(700);
	assert_int_equal(n_sent, 1);
	entries[0].value.expires = host.tick;
	n_sent = 0;
	run_for(60000);
	assert_int_equal(n_sent, 0);
}

static void a_proven_connection_is_left_alone(void **state)
{
	struct porch_tuple t = tuple(1000);
	uint32_t at;

	at = put_flow(&t, 1, PORCH_FLOW_PROVEN);
	syn(1000, 1);
	run_for(2000);
	assert_int_equal(n_sent, 0);
	flows[at].state = PORCH_FLOW_DELIVERED;
	flows[at].irs = 5; /* the kernel's: not known */
	run_for(2000);
	assert_int_equal(n_sent, 0);
	flows[at].state = PORCH_FLOW_HANDED;
	steer[at].serial = 9;
	steer[at].word = PORCH_STEER(9, PORCH_PHASE_STEERED, 1);
	run_for(4000);
	assert_int_equal(n_sent, 0);
	steer[at].word = PORCH_STEER(8, PORCH_PHASE_TIME_WAIT, 0); /* another serial: PENDING */
	run_for(1000);
	assert_int_equal(n_sent, 0);
	steer[at].word = PORCH_STEER(9, PORCH_PHASE_TIME_WAIT, 0); /* reused by this SYN */
	run_for(1000);
	assert_int_equal(n_sent, 1);
	flows[at].state = PORCH_FLOW_TOMBSTONE;
	run_for(8000);
	assert_int_equal(n_sent, 2);
}

static void many_are_met_batch_by_batch(void **state)
{
	uint64_t born = d.now;
	uint16_t i;

	for (i = 0; i < 9000; i++)
		syn(1000 + i, i);
	run_for(90000);
	for (i = 0; i < 9000; i += 100)
		expect(1000 + i, born, usual, 5);
	assert_int_equal(n_sent, 45000);
}

static void a_flood_has_its_limit(void **state)
{
	uint32_t i, per_second[64] = {}, first;

	for (i = 0; i < ENTRIES_MAX; i++)
		syn(1000 + i, i);
	d.config.synack_retries = 1;
	retransmit_reload(&d);
	first = d.now / NS_PER_SEC;
	run_for(20000);
	assert_int_equal(n_sent, ENTRIES_MAX);
	for (i = 0; i < n_sent; i++)
		per_second[sent[i].at / NS_PER_SEC - first]++;
	for (i = 0; i < 64; i++)
		assert_true(per_second[i] <= RETRANSMIT_PER_SECOND);
}

static void a_table_over_half_full(void **state)
{
	uint32_t i;

	d.tables.n_half_open = 100;
	for (i = 0; i < 60; i++)
		syn(1000 + i, i);
	run_for(90000);
	assert_int_equal(n_sent, 120);
}

static void errors_do_not_stop_it(void **state)
{
	uint64_t born = d.now;

	syn(1000, 1);
	wire_error = -ENOBUFS;
	run_for(2000);
	assert_int_equal(d.count.synacks_again, 0);
	wire_error = 0;
	run_for(90000);
	expect(1000, born, usual + 1, 4);
}

/* ---- room in a queue that was full ---- */

static void herd(uint16_t from, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		syn(from + i, i);
	queues[1].workers = 1;
	queues[1].limit = 16;
	queues[1].depth = 17;
	refused_parked += n;
	run_for(300);
	assert_int_equal(n_sent, 0);
}

/* They have all proven themselves. */
static void answer(uint32_t from)
{
	uint32_t i, j;

	for (i = from; i < n_sent; i++) {
		for (j = 0; j < n_entries; j++) {
			if (entries[j].key.remote_port == sent[i].port) {
				assert_false(entries[j].gone);
				entries[j].gone = true;
			}
		}
	}
}

static void room_is_offered_at_once(void **state)
{
	uint32_t rounds = 0, before;

	herd(1000, 100);
	while (n_sent < 100 && rounds++ < 10) {
		before = n_sent;
		queues[1].depth = 0;
		queues[1].credit = 4;
		retransmit_room(&d, 1);
		run_for(30);
		assert_int_equal(n_sent - before, before < 84 ? 21 : 100 - before);
		answer(before);
		queues[1].depth = 17; /* and is taken */
		run_for(60);
	}
	assert_int_equal(n_sent, 100);
	assert_int_equal(rounds, 5);
	run_for(3000);
	assert_int_equal(n_sent, 100);
}

static void room_that_nobody_was_refused(void **state)
{
	herd(1000, 100);
	teardown(NULL);
	refused_parked = 0;
	assert_int_equal(retransmit_start(&d, &hash), 0);
	queues[1].depth = 0;
	retransmit_room(&d, 1);
	run_for(300);
	assert_int_equal(n_sent, 0);
}

static void room_for_all_of_them(void **state)
{
	herd(1000, 5);
	queues[1].depth = 0;
	retransmit_room(&d, 1);
	run_for(100);
	assert_int_equal(n_sent, 5);
	/* the answers are lost: not asked again at once, but soon */
	run_for(400);
	assert_int_equal(n_sent, 5);
	run_for(500);
	assert_true(n_sent >= 10);
}

static void room_of_another_listener(void **state)
{
	herd(1000, 5);
	queues[2].limit = 16;
	retransmit_room(&d, 2);
	run_for(300);
	assert_int_equal(n_sent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(is_repeated_as_the_kernel_would),
		test(each_has_its_own_time),
		test(ends_with_the_entry),
		test(another_attempt_begins_anew),
		test(retries_are_configured),
		test(a_late_start_sends_one),
		test(nobody_waits_there),
		test(a_proven_connection_is_left_alone),
		test(many_are_met_batch_by_batch),
		test(a_flood_has_its_limit),
		test(a_table_over_half_full),
		test(errors_do_not_stop_it),
		test(room_is_offered_at_once),
		test(room_that_nobody_was_refused),
		test(room_for_all_of_them),
		test(room_of_another_listener),
	};

	return unit_run("retransmit", tests);
}
