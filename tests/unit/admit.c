// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames at porchd's own sockets, by phase: admitted once, kept, challenged, forwarded, answered, refused. */
#include "tests/unit/connections.h"
#include "daemon/accept_queue.h"
#include "daemon/admit.h"
#include "daemon/answer.h"
#include "daemon/closing.h"
#include "daemon/early.h"

#define LISTENER 2

static struct world *x;
static struct app *a;
static int handle;

static void start(uint8_t overflow, uint32_t backlog)
{
	x = world_new(1024);
	world_listener(x, LISTENER, NULL, PORT, overflow, 0);
	a = app_new(x, 1, 15, 64, 16);
	handle = app_listen(x, a, NULL, backlog);
}

static void end(void)
{
	if (a)
		app_dies(x, a);
	world_free(x);
}

/* However often the proof comes, and whatever its record says, one connection. */
static void admitted_once(void **state)
{
	struct xdp_frame f;
	int i;

	start(PORCH_OVERFLOW_DROP, 10);
	proof(x, 5, LISTENER);
	assert_int_equal(phase_of(x, 5), PORCH_PHASE_PENDING);
	assert_int_equal(PORCH_STEER_SERIAL(x->steer[5].word), x->steer[5].serial);
	for (i = 0; i < 10; i++)
		segment(x, 5, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	assert_int_equal(x->d.count.admitted, 1);
	/* handed: a proof that was on its way on another queue goes to the worker as a segment */
	app_grant(a, handle, 1);
	handover_all(&x->d);
	segment(x, 5, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(x->d.count.admitted, 1);
	assert_int_equal(x->d.count.forwarded, 1);
	/* a serial of before, or of never */
	xdp_segment(x, &f, 5, PORCH_RECORD_PROOF, ACK, 1, 0);
	f.record.serial--;
	xdp_send(x, &f);
	f.record.serial = 77;
	xdp_send(x, &f);
	assert_int_equal(x->d.count.unknown_record, 2);
	assert_int_equal(x->d.count.admitted, 1);
	end();
}

/* Every field of record and frame, wrong. */
static void records_that_lie(void **state)
{
	struct xdp_frame good, f;
	uint64_t random = 7, bad;
	uint32_t i;

	start(PORCH_OVERFLOW_DROP, 1000);
	xdp_claim(x, 9, LISTENER);
	xdp_segment(x, &good, 9, PORCH_RECORD_PROOF, ACK, 1, 20);
#define LIES(change, counter)                                                                                \
	do {                                                                                                 \
		f = good;                                                                                    \
		change;                                                                                      \
		bad = x->d.count.counter;                                                                    \
		xdp_send(x, &f);                                                                             \
		assert_int_equal(x->d.count.counter, bad + 1);                                               \
		assert_int_equal(x->d.count.admitted, 0);                                                    \
	} while (0)
	LIES(f.record.magic ^= 1, bad_frame);
	LIES(f.record.kind = 0, bad_frame);
	LIES(f.record.kind = 4, bad_frame);
	LIES(f.record.l3 = 0, bad_frame);
	LIES(f.record.l4 = 20, bad_frame);
	LIES(f.record.l4 = 0xffff, bad_frame);
	LIES(f.record.length = 0xffff, bad_frame);
	LIES(f.record.length = 19, bad_frame);
	LIES(f.length = 60, bad_frame);
	LIES(f.frame[34 + 12] = 0x40, bad_frame);
	LIES(f.frame[34 + 12] = 0xf0, bad_frame);
	LIES(f.frame[34] ^= 1, bad_frame);
	LIES(f.frame[34 + 3] ^= 1, bad_frame);
	LIES(f.record.flow = 1024, unknown_record);
	LIES(f.record.flow = PORCH_NO_FLOW, unknown_record);
	LIES(f.record.flow = 10, unknown_record);
	LIES(f.record.serial = 0, unknown_record);
#undef LIES
	/* and garbage of any kind: nothing crashes, no more than one connection comes of it */
	for (i = 0; i < 200000; i++) {
		uint8_t *at = (uint8_t *)&f;

		f = good;
		do
			at[unit_random(&random) % (sizeof(f.record) + 80)] = unit_random(&random);
		while (unit_random(&random) & 3);
		f.length = good.length;
		f.record.rx_queue %= QUEUES;
		xdp_send(x, &f);
	}
	assert_true(x->queues[LISTENER].depth <= 1);
	end();
}

/* SEGMENT of a HANDED flow porchd has never heard of: the proof was lost, or is behind it on another queue.
 */
static void proof_lost(void **state)
{
	start(PORCH_OVERFLOW_DROP, 10);
	xdp_claim(x, 3, LISTENER);
	segment(x, 3, PORCH_RECORD_SEGMENT, ACK, 101, 10);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	assert_int_equal(early_count(&x->d.rows[3]), 1);
	segment(x, 3, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(x->d.count.admitted, 1);
	/* and when nothing comes at all, the server might speak first: found by the sweep, within a second
	 * here */
	xdp_claim(x, 700, LISTENER);
	pass(x, 0.1);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	pass(x, 0.2);
	assert_int_equal(x->queues[LISTENER].depth, 2);
	/* one that was proven long ago is forgotten instead */
	xdp_claim(x, 800, LISTENER);
	x->steer[800].proven_ns = x->d.now - 31 * SECOND;
	pass(x, 0.1);
	assert_int_equal(x->queues[LISTENER].depth, 2);
	assert_int_equal(phase_of(x, 800), PORCH_PHASE_FORGOTTEN);
	end();
}

static void full_and_reset(void **state)
{
	start(PORCH_OVERFLOW_RESET, 0);
	proof(x, 1, LISTENER);
	proof(x, 2, LISTENER);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(sent_flags(), RST | ACK);
	assert_int_equal(x->queues[LISTENER].depth, 1);
	assert_int_equal(x->queues[LISTENER].overflowed, 1);
	assert_int_equal(x->queues[LISTENER].reset, 1);
	assert_int_equal(seen.parked_added, 0);
	pass(x, 4.1);
	assert_int_equal(phase_of(x, 2), PORCH_PHASE_TOMBSTONE);
	end();
}

/* Full of connections that a worker is ready to take is not full. */
static void full_with_credit(void **state)
{
	int i;

	start(PORCH_OVERFLOW_RESET, 1);
	app_grant(a, handle, 50);
	for (i = 0; i < 50; i++)
		proof(x, i, LISTENER);
	assert_int_equal(x->queues[LISTENER].overflowed, 0);
	assert_int_equal(x->queues[LISTENER].handed, 48); /* the last two wait for the end of the turn */
	handover_all(&x->d);
	assert_int_equal(x->queues[LISTENER].handed, 50);
	end();
}

/* RFC 5961 3.2: exact ends it, in the window is challenged, outside is ignored. */
static void reset_while_queued(void **state)
{
	struct xdp_frame f;
	uint32_t i;

	start(PORCH_OVERFLOW_DROP, 10);
	for (i = 0; i < 5; i++)
		proof(x, i, LISTENER);
	segment(x, 2, PORCH_RECORD_SEGMENT, RST, 1, 0);
	assert_int_equal(x->queues[LISTENER].depth, 4);
	assert_int_equal(x->queues[LISTENER].aborted, 1);
	assert_int_equal(phase_of(x, 2), PORCH_PHASE_TOMBSTONE);
	segment(x, 2, PORCH_RECORD_PROOF, ACK, 1, 0); /* was on its way: nothing comes of it */
	assert_int_equal(x->queues[LISTENER].depth, 4);

	segment(x, 1, PORCH_RECORD_SEGMENT, RST, 2, 0);
	assert_int_equal(x->queues[LISTENER].depth, 4);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(sent_flags(), ACK);
	assert_int_equal(sent_at(4), x->flows[1].iss + 1);
	assert_int_equal(sent_at(8), x->flows[1].irs + 1);
	assert_int_equal(sent_at(24),
			 88 + (x->d.now - x->steer[1].proven_ns) / 1000000); /* TSval behind NOP, NOP */
	segment(x, 1, PORCH_RECORD_SEGMENT, RST, 2, 0);
	assert_int_equal(seen.sent, 1); /* not twice in half a second */
	segment(x, 3, PORCH_RECORD_SEGMENT, RST, 70000, 0);
	segment(x, 3, PORCH_RECORD_SEGMENT, RST, 0, 0);
	assert_int_equal(seen.sent, 1);
	pass(x, 0.6);
	segment(x, 1, PORCH_RECORD_SEGMENT, SYN, 1, 0);
	assert_int_equal(seen.sent, 2); /* RFC 5961 4.2 */
	assert_int_equal(sent_flags(), ACK);
	/* a reset whose sum is wrong is none */
	xdp_segment(x, &f, 1, PORCH_RECORD_SEGMENT, RST, 1, 0);
	f.frame[34 + 16] ^= 1;
	xdp_send(x, &f);
	assert_int_equal(x->queues[LISTENER].depth, 4);
	/* after data that was kept, a reset behind it is exact as well */
	segment(x, 4, PORCH_RECORD_SEGMENT, ACK, 1, 100);
	segment(x, 4, PORCH_RECORD_SEGMENT, RST, 101, 0);
	assert_int_equal(x->queues[LISTENER].depth, 3);
	assert_int_equal(x->d.connections->early_memory, 0);
	/* order is kept around the hole */
	app_grant(a, handle, 5);
	handover_all(&x->d);
	assert_int_equal(app_take(a)->flow, 0);
	assert_int_equal(app_take(a)->flow, 1);
	assert_int_equal(app_take(a)->flow, 3);
	assert_null(app_take(a));
	end();
}

/* RFC 5961 5.2: nobody has got more of us than the SYN-ACK, so there is one right ACK. */
static void acks_of_the_unsent(void **state)
{
	static const uint32_t wrong[] = { 0, 2, 100000, 0x80000001u };
	struct xdp_frame f;
	size_t i;

	start(PORCH_OVERFLOW_DROP, 10);
	proof(x, 0, LISTENER);
	proof(x, 1, LISTENER);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		xdp_segment(x, &f, 0, PORCH_RECORD_SEGMENT, ACK, 1, 10);
		be(f.frame + 34 + 8, x->flows[0].iss + wrong[i], 4);
		pass(x, 0.6);
		xdp_send(x, &f);
		assert_int_equal(seen.sent, i + 1);
		assert_int_equal(sent_flags(), ACK);
		assert_int_equal(sent_at(4), x->flows[0].iss + 1);
		assert_int_equal(sent_at(8), x->flows[0].irs + 1);
		xdp_send(x, &f);
		assert_int_equal(seen.sent, i + 1);
	}
	assert_int_equal(early_count(&x->d.rows[0]), 0);
	/* a flow whose proof was lost is not admitted by one */
	xdp_claim(x, 2, LISTENER);
	xdp_segment(x, &f, 2, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	be(f.frame + 34 + 8, x->flows[2].iss + 5, 4);
	xdp_send(x, &f);
	assert_int_equal(x->queues[LISTENER].depth, 2);
	segment(x, 2, PORCH_RECORD_SEGMENT, ACK, 1, 10);
	assert_int_equal(x->queues[LISTENER].depth, 3);
	/* what is kept is not acknowledged: should its worker go, the client has to send it again */
	segment(x, 1, PORCH_RECORD_SEGMENT, ACK, 1, 100);
	assert_int_equal(early_count(&x->d.rows[1]), 1);
	seen.sent = 0;
	segment(x, 1, PORCH_RECORD_SEGMENT, RST, 50, 0);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(sent_at(8), x->flows[1].irs + 1);
	/* and the reset that answers such an ACK is exact */
	segment(x, 1, PORCH_RECORD_SEGMENT, RST, 1, 0);
	assert_int_equal(phase_of(x, 1), PORCH_PHASE_TOMBSTONE);
	end();
}

/* Kept in order, bounded per connection and altogether, given back with the connection. */
static void early_frames(void **state)
{
	uint32_t i;

	start(PORCH_OVERFLOW_DROP, 500);
	proof(x, 0, LISTENER);
	for (i = 0; i < 20; i++)
		segment(x, 0, PORCH_RECORD_SEGMENT, ACK, 1 + i * 10, 10);
	assert_int_equal(early_count(&x->d.rows[0]), 8);
	assert_int_equal(x->d.count.early_dropped, 12);
	segment(x, 0, PORCH_RECORD_SEGMENT, ACK, 1, 0); /* a bare ACK tells nothing */
	assert_int_equal(x->d.count.early_dropped, 12);
	proof(x, 1, LISTENER);
	segment(x, 1, PORCH_RECORD_SEGMENT, ACK | FIN, 1, 0);
	assert_int_equal(early_count(&x->d.rows[1]), 1);
	assert_int_equal(early_rcv_nxt(&x->d, 1), x->flows[1].irs + 2);
	segment(x, 1, PORCH_RECORD_SEGMENT, ACK, 100000, 10); /* beyond the window */
	assert_int_equal(early_count(&x->d.rows[1]), 1);
	/* the proof carries data itself */
	xdp_claim(x, 2, LISTENER);
	segment(x, 2, PORCH_RECORD_PROOF, ACK, 1, 300);
	assert_int_equal(early_count(&x->d.rows[2]), 1);
	x->d.config.early_memory = x->d.connections->early_memory + 1000;
	for (i = 3; i < 100; i++) {
		proof(x, i, LISTENER);
		segment(x, i, PORCH_RECORD_SEGMENT, ACK, 1, 100);
		assert_true(x->d.connections->early_memory <= x->d.config.early_memory);
	}
	assert_true(x->d.count.early_dropped > 12 + 80);
	app_dies(x, a);
	a = NULL;
	assert_int_equal(x->d.connections->early_memory, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admitted_once),    cmocka_unit_test(records_that_lie),
		cmocka_unit_test(proof_lost),	    cmocka_unit_test(full_and_reset),
		cmocka_unit_test(full_with_credit), cmocka_unit_test(reset_while_queued),
		cmocka_unit_test(early_frames),	    cmocka_unit_test(acks_of_the_unsent),
	};

	return unit_run("admit", tests);
}
