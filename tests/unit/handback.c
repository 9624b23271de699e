// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a worker leaves behind: believed only of its own connections, and finished by porchd. */
#include "tests/unit/connections.h"
#include "daemon/finishing.h"
#include "daemon/handback.h"
#include "daemon/log.h"

#define OCTETS 150
#define ENTRY  (sizeof(struct porch_handback_entry) + sizeof(struct tcp_handback))

static struct world *x;
static struct app *a, *b;
static _Alignas(8) uint8_t memory[8 * 1024];
static uint64_t used;
static uint32_t entries, bad;

/* handback_message() is for a real peer */
int peer_send(struct peer *p, struct porch_msg *m, const int *fds, int n_fds)
{
	return 0;
}

void peer_refuse(struct peer *p, int result, const char *format, ...)
{
}

static void start(void)
{
	int h, i;

	x = world_new(64);
	x->group.mtu = 1500;
	x->d.groups[0] = x->group;
	x->d.n_groups = 1;
	world_listener(x, 1, NULL, PORT, PORCH_OVERFLOW_DROP, 100);
	a = app_new(x, 1, 15, 64, 8);
	h = app_listen(x, a, NULL, 100);
	app_grant(a, h, 10);
	for (i = 0; i < 10; i++) {
		proof(x, i, 1);
		x->flows[i].options = 0;
	}
	handover_all(&x->d);
	b = app_new(x, 2, 15, 64, 8);
	used = entries = 0;
	seen.sent = 0;
}

static void end(void)
{
	app_dies(x, a);
	app_dies(x, b);
	world_free(x);
}

static struct porch_handback_entry *entry_of(void *at)
{
	return at;
}

/* Closed by its application with OCTETS unsent. Returns where its state lies. */
static struct tcp_handback *entry(uint32_t flow)
{
	const struct porch_flow *f = &x->flows[flow];
	struct porch_handback_entry *e = entry_of(memory + used);
	struct tcp_handback *h = (void *)(e + 1);
	uint32_t i;

	*e = (struct porch_handback_entry){
		.flow = flow, .serial = x->steer[flow].serial, .state_size = sizeof(*h), .octets = OCTETS
	};
	*h = (struct tcp_handback){
		.start = { .remote_port = f->remote_port,
			   .local_port = f->local_port,
			   .tags = { TAG_NONE, TAG_NONE },
			   .mss = 1460,
			   .mtu = 1500,
			   .wscale_snd = 2,
			   .wscale_rcv = PORCH_AFXDP_WSCALE },
		.snd_una = f->iss + 1,
		.snd_nxt = f->iss + 1,
		.snd_end = f->iss + 1 + OCTETS,
		.snd_wnd = 30000,
		.snd_max_wnd = 30000,
		.rcv_nxt = f->irs + 1,
		.rcv_adv = f->irs + 1 + 60000,
		.rto_us = 1000000,
		.mtu = 1500,
		.state = 4, /* FIN-WAIT-1 of netinet/tcp.h */
		.flags = TCP_HANDBACK_FIN_QUEUED | TCP_HANDBACK_ORPHAN,
	};
	memcpy(h->start.remote, f->remote, 16);
	memcpy(h->start.local, f->local, 16);
	for (i = 0; i < OCTETS; i++)
		((uint8_t *)(h + 1))[i] = i;
	used += porch_handback_size(e);
	entries++;
	return h;
}

static uint32_t take(void)
{
	uint32_t n = handback_take(&x->d, &a->w, memory, used, entries, &bad);

	used = entries = 0;
	finishing_poll(&x->d);
	return n;
}

/* The client's answer: `ack` beyond iss. */
static void client_says(uint32_t flow, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t window)
{
	struct xdp_frame f;
	uint32_t sum = 6 + 20, i;
	uint8_t *ip = f.frame + 14;

	xdp_segment(x, &f, flow, PORCH_RECORD_SEGMENT, flags, seq, 0);
	be(ip + 28, x->flows[flow].iss + ack, 4);
	be(ip + 34, window, 2);
	be(ip + 36, 0, 2);
	for (i = 12; i < 40; i++)
		sum += i & 1 ? ip[i] : ip[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	be(ip + 36, ~sum, 2);
	xdp_send(x, &f);
	finishing_poll(&x->d);
}

static void client(uint32_t flow, uint8_t flags, uint32_t seq, uint32_t ack)
{
	client_says(flow, flags, seq, ack, 500);
}

static void it_is_finished(void **state)
{
	uint32_t i;

	start();
	entry(3);
	entry(4);
	assert_int_equal(take(), 2);
	assert_int_equal(bad, 0);
	assert_int_equal(x->steer[3].word, PORCH_STEER(x->steer[3].serial, PORCH_PHASE_STEERED, 0));
	assert_int_equal(a->w.flows, 8);
	assert_int_equal(x->queues[1].finishing, 2);
	assert_int_equal(x->queues[1].handed_back, 2);
	assert_int_equal(seen.sent, 2);
	assert_int_equal(seen.ifindex, IFINDEX);
	assert_int_equal(seen.length, 54 + OCTETS);
	assert_int_equal(sent_flags() & (FIN | SYN | RST | ACK), FIN | ACK);
	assert_int_equal(sent_at(4), x->flows[4].iss + 1);
	assert_int_equal(sent_at(8), x->flows[4].irs + 1);
	for (i = 0; i < OCTETS; i++)
		assert_int_equal(seen.frame[54 + i], i);
	/* the worker goes; these stay */
	app_dies(x, a);
	a = app_new(x, 1, 15, 64, 8);
	assert_int_equal(phase_of(x, 3), PORCH_PHASE_STEERED);
	assert_int_equal(phase_of(x, 5), PORCH_PHASE_CLOSING);
	/* everything acknowledged, then the client's FIN */
	client(3, ACK, 1, 2 + OCTETS);
	assert_int_equal(phase_of(x, 3), PORCH_PHASE_STEERED);
	client(3, FIN | ACK, 1, 2 + OCTETS);
	assert_int_equal(sent_flags(), ACK);
	assert_int_equal(sent_at(8), x->flows[3].irs + 2);
	assert_int_equal(phase_of(x, 3), PORCH_PHASE_TIME_WAIT);
	assert_int_equal(x->steer[3].snd_nxt, x->flows[3].iss + 2 + OCTETS);
	assert_int_equal(x->steer[3].rcv_nxt, x->flows[3].irs + 2);
	assert_int_equal(x->d.rows[3].state, ROW_NONE);
	assert_int_equal(x->queues[1].finishing, 1);
	/* RFC 5961: a reset beside the number is asked about, the right one ends it */
	seen.sent = 0;
	client(4, RST, 5, 0);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(sent_flags(), ACK);
	assert_int_equal(phase_of(x, 4), PORCH_PHASE_STEERED);
	client(4, RST, 1, 0);
	assert_int_equal(phase_of(x, 4), PORCH_PHASE_TOMBSTONE);
	assert_int_equal(x->queues[1].finishing, 0);
	assert_int_equal(x->queues[1].handed_back, 2);
	end();
}

static void it_is_sent_again_and_given_up(void **state)
{
	uint32_t seconds;

	start();
	entry(0);
	assert_int_equal(take(), 1);
	assert_int_equal(seen.sent, 1);
	for (seconds = 0; seconds < 1200 && x->queues[1].finishing; seconds++) {
		x->d.now += SECOND;
		finishing_poll(&x->d);
	}
	assert_in_range(seen.sent, 4, 40);
	assert_in_range(seconds, 10, 1000);
	assert_int_equal(phase_of(x, 0), PORCH_PHASE_TOMBSTONE);
	end();
}

/* A peer that answers and takes nothing is not waited for, as an application would; one that
 * takes an octet now and then has ten minutes. */
static void a_window_that_stays_closed(void **state)
{
	uint32_t seconds, taken, sent, round, next;

	for (round = 0; round < 2; round++) {
		start();
		entry(0);
		assert_int_equal(take(), 1);
		client_says(0, ACK, 1, 1, 0);
		taken = 1;
		next = 0;
		for (seconds = 0; seconds < 3000 && x->queues[1].finishing; seconds++) {
			sent = seen.sent;
			x->d.now += SECOND;
			finishing_poll(&x->d);
			if (seen.sent == sent || !x->queues[1].finishing)
				continue;
			if (round && seconds >= next) {
				taken++;
				next = seconds + 8;
			}
			client_says(0, ACK, 1, taken, 0);
		}
		if (round)
			assert_in_range(seconds, 599, 602);
		else
			assert_in_range(seconds, 10, 599);
		assert_true(taken < OCTETS);
		assert_true(sent_flags() & RST);
		assert_int_equal(phase_of(x, 0), PORCH_PHASE_TOMBSTONE);
		end();
	}
}

static void nothing_of_others(void **state)
{
	struct tcp_handback *h;

	start();
	entry(0);
	entry_of(memory)->serial++;
	assert_int_equal(take(), 0);
	entry(0);
	entry_of(memory)->flow = 64;
	assert_int_equal(take(), 0);
	assert_int_equal(bad, 1);
	entry(0);
	entry_of(memory)->flow = 20; /* nobody's */
	assert_int_equal(take(), 0);
	entry(0);
	assert_int_equal(handback_take(&x->d, &b->w, memory, used, entries, &bad), 0);
	used = entries = 0;
	h = entry(0);
	h->start.remote[15]++;
	assert_int_equal(take(), 0);
	assert_int_equal(bad, 1);
	h = entry(0);
	h->start.local_port++;
	assert_int_equal(take(), 0);
	h = entry(0);
	h->start.mtu = h->mtu = 9000; /* longer frames than there are */
	assert_int_equal(take(), 0);
	h = entry(0);
	h->state = 1; /* established, with its FIN queued */
	assert_int_equal(take(), 0);
	assert_int_equal(bad, 1);
	/* twice: the second time it is not the worker's any more */
	entry(0);
	entry(0);
	assert_int_equal(take(), 1);
	assert_int_equal(x->queues[1].finishing, 1);
	assert_int_equal(a->w.flows, 9);
	end();
}

static void the_memory_is_cut_short(void **state)
{
	start();
	entry(0);
	entry(1);
	used -= 8;
	assert_int_equal(take(), 1);
	assert_int_equal(bad, 1);
	entry(2);
	entry_of(memory)->state_size--;
	assert_int_equal(take(), 0);
	assert_int_equal(bad, 1);
	entry(2);
	entry_of(memory)->octets = UINT32_MAX;
	assert_int_equal(take(), 0);
	assert_int_equal(bad, 1);
	entry(2);
	entries = UINT32_MAX; /* said, not there */
	assert_int_equal(take(), 1);
	assert_int_equal(bad, UINT32_MAX - 1);
	entry(3);
	used = 8;
	assert_int_equal(take(), 0);
	assert_int_equal(phase_of(x, 3), PORCH_PHASE_STEERED);
	assert_int_equal(worker_of(x, 3), 1);
	end();
}

static void no_more_memory_than_allowed(void **state)
{
	start();
	x->d.config.handback_memory = 2 * (TCP_BLOCK + 1024);
	entry(0);
	entry(1);
	entry(2);
	assert_int_equal(take(), 2);
	assert_int_equal(bad, 0);
	assert_int_equal(worker_of(x, 2), 1);
	client(0, RST, 1, 0);
	entry(2);
	assert_int_equal(take(), 1);
	x->d.config.handback_memory = 0;
	client(1, RST, 1, 0);
	client(2, RST, 1, 0);
	entry(3);
	assert_int_equal(take(), 0);
	end();
}

/* The entry of the table gets another owner, or its listener goes. */
static void the_flow_is_taken_away(void **state)
{
	start();
	entry(0);
	entry(1);
	assert_int_equal(take(), 2);
	x->flows[0].state = PORCH_FLOW_FREE;
	for (int i = 0; i < 5; i++)
		pass(x, 0.1);
	assert_int_equal(x->queues[1].finishing, 1);
	xdp_claim(x, 1, 1);
	segment(x, 1, PORCH_RECORD_PROOF, ACK, 1, 0);
	assert_int_equal(x->queues[1].finishing, 0);
	assert_int_equal(phase_of(x, 1), PORCH_PHASE_PENDING);
	finishing_poll(&x->d);
	/* what comes for a connection of a run before */
	x->steer[5].word = PORCH_STEER(x->steer[5].serial, PORCH_PHASE_STEERED, 0);
	client(5, ACK, 1, 1);
	assert_int_equal(x->d.count.unknown_record, 1);
	end();
}

static void a_next_hop_moves(void **state)
{
	start();
	entry(0);
	memcpy(((struct tcp_handback *)(entry_of(memory) + 1))->start.remote_mac, "\x02\0\0\0\0\x02", 6);
	assert_int_equal(take(), 1);
	finishing_neighbour(&x->d, IFINDEX + 1, (uint8_t *)"\x02\0\0\0\0\x02", (uint8_t *)"\x02\0\0\0\0\x08");
	finishing_neighbour(&x->d, IFINDEX, (uint8_t *)"\x02\0\0\0\0\x02", (uint8_t *)"\x02\0\0\0\0\x09");
	x->d.now += 2 * SECOND;
	finishing_poll(&x->d);
	assert_int_equal(seen.frame[5], 9);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_finished),
		cmocka_unit_test(it_is_sent_again_and_given_up),
		cmocka_unit_test(a_window_that_stays_closed),
		cmocka_unit_test(nothing_of_others),
		cmocka_unit_test(the_memory_is_cut_short),
		cmocka_unit_test(no_more_memory_than_allowed),
		cmocka_unit_test(the_flow_is_taken_away),
		cmocka_unit_test(a_next_hop_moves),
	};

	return unit_run("handback", tests);
}
