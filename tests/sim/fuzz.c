// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libFuzzer on one end of a connection: its octets are segments, calls of the
 * application, ICMP errors and time, in any order. What must hold after every
 * event of the simulator must hold here. Also a plain program that runs files.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <sys/socket.h>

struct reader {
	const uint8_t *p;
	size_t left;
};

static uint32_t take(struct reader *r, uint32_t octets)
{
	uint32_t v = 0;

	while (octets--) {
		v = v << 8 | (r->left ? *r->p : 0);
		if (r->left) {
			r->p++;
			r->left--;
		}
	}
	return v;
}

/* Nobody is there. */
void link_send(struct world *w, int from, const void *frame, uint32_t length)
{
}

static uint32_t near(struct reader *r, uint32_t base)
{
	uint32_t kind = take(r, 1);

	if (kind < 128)
		return base;
	if (kind < 200)
		return base + (uint32_t)(int16_t)take(r, 2);
	if (kind < 250)
		return base + (uint32_t)(int8_t)take(r, 1);
	return take(r, 4);
}

static void segment(struct end *e, struct reader *r)
{
	static const uint8_t mac[12] = { 2 };
	static uint8_t payload[65536];
	struct tcp_conn *c = &e->conn;
	struct tcp_segment s = { .mac = mac, .tags = { TCP_TAG_NONE, TCP_TAG_NONE }, .checked = 1 };
	uint32_t kind = take(r, 1), i;

	s.flags = kind & 0x80 ? take(r, 2) & 0x1ff : TCP_FLAG_ACK | (kind & 1 ? TCP_FLAG_FIN : 0);
	s.seq = near(r, c->rcv_nxt);
	s.ack = kind & 2 ? c->snd_nxt : near(r, c->snd_una);
	s.window = kind & 4 ? (uint16_t)take(r, 2) : 65535;
	s.length = kind & 8 ? take(r, 2) % 9000 : kind & 16 ? 1448 : 0;
	s.payload = payload;
	s.ecn = kind & 32 ? 3 : 0;
	/* the other's stream, so that what is read can be compared */
	for (i = 0; i < s.length; i++)
		payload[i] = sim_octet(!e->index, s.seq + i - e->world->plan.iss[!e->index] - 1);
	s.options = TCP_HAS_TIMESTAMPS;
	s.tsval = c->ts_recent + (kind & 64 ? (uint32_t)(int8_t)take(r, 1) : 1);
	s.tsecr = clock_ms(&e->stack) + c->ts_offset - take(r, 1);
	s.sack_blocks = take(r, 1) % 8;
	if (s.sack_blocks > 4)
		s.sack_blocks = 0;
	if (s.sack_blocks)
		s.options |= TCP_HAS_SACK;
	for (i = 0; i < s.sack_blocks; i++) {
		s.sack[i][0] = c->snd_una + (uint32_t)(int16_t)take(r, 2);
		s.sack[i][1] = kind & 1 ? c->snd_nxt : s.sack[i][0] + take(r, 2);
	}
	tcp_input(&e->stack, c, &s);
	e->permitted = seq_max(e->permitted, c->snd_una + c->snd_wnd);
}

static void reads(struct end *e, uint32_t n)
{
	static uint8_t buf[65536];
	ssize_t got = tcp_recv(&e->stack, &e->conn, buf, n);

	for (ssize_t i = 0; i < got; i++)
		if (buf[i] != sim_octet(!e->index, e->received++))
			abort();
}

static void writes(struct end *e, uint32_t n)
{
	static uint8_t buf[65536];
	ssize_t done;

	for (uint32_t i = 0; i < n; i++)
		buf[i] = sim_octet(e->index, e->sent + i);
	done = tcp_send(&e->stack, &e->conn, buf, n);
	if (done > 0)
		e->sent += (uint32_t)done;
}

static void piece(struct end *e, uint32_t want, uint32_t used)
{
	struct tcp_piece ret;
	ssize_t got = tcp_send_piece(&e->stack, &e->conn, want, &ret);

	if (got <= 0)
		return;
	used %= (uint32_t)got + 1;
	for (uint32_t i = 0; i < used; i++)
		((uint8_t *)ret.data)[i] = sim_octet(e->index, e->sent + i);
	if (tcp_send_commit(&e->stack, &e->conn, used) > 0)
		e->sent += used;
}

static void raw(struct end *e, struct reader *r)
{
	uint8_t frame[256] = { 0 };
	struct tcp_segment s;
	uint32_t i, n = take(r, 1), l3 = 14 + 4 * (take(r, 1) % 3), l4 = l3 + (take(r, 1) & 1 ? 20 : 40);

	for (i = 0; i < n && r->left; i++)
		frame[i] = (uint8_t)take(r, 1);
	if (!tcp_parse(frame, n, l3, l4, n - l4, &s) && s.length < 200)
		tcp_input(&e->stack, &e->conn, &s);
	tcp_reset_for(frame, n, l3, l4, n - l4, e->frame, sizeof(e->frame));
	tcp_icmp(&e->stack, &e->conn, frame, n, l3, l4);
}

static void event(struct end *e, struct reader *r)
{
	uint32_t kind = take(r, 1), n;

	switch (kind % 16) {
	case 0 ... 6:
		segment(e, r);
		break;
	case 7:
		writes(e, take(r, 2) % 60000);
		break;
	case 8:
		reads(e, take(r, 2) + 1);
		break;
	case 9:
		n = take(r, 2);
		e->stack.now += (uint64_t)n * n * 1000;
		tcp_stack_run(&e->stack);
		break;
	case 10:
		e->world->plan.frame_refusals = take(r, 1) & 1 ? 0 : 30000;
		break;
	case 11:
		tcp_set(&e->stack, &e->conn, (enum tcp_option)(take(r, 1) % 7), take(r, 1));
		break;
	case 12:
		raw(e, r);
		break;
	case 13:
		piece(e, take(r, 2) % 5000, take(r, 2));
		break;
	case 14:
		n = take(r, 1);
		if (n < 30)
			tcp_shutdown(&e->stack, &e->conn, n % 3);
		else if (n < 40)
			tcp_close(&e->stack, &e->conn);
		else if (n < 42)
			tcp_abort(&e->stack, &e->conn);
		else if (n < 60)
			e->world->plan.blocks[0] = n;
		break;
	default:
		tcp_stack_flush(&e->stack);
	}
	e->conn.notified = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct reader r = { data, size };
	struct end *e = &w.end[0];
	uint32_t mode = take(&r, 1);
	int i;

	memset(&w, 0, offsetof(struct world, heap));
	w.failure = NULL;
	plan_make(&w.plan, 1);
	w.plan.clean = false;
	w.plan.tagged = false;
	w.plan.six = mode & 1;
	w.plan.options = mode >> 4;
	w.plan.mtu = 1500;
	w.plan.frame_refusals = 0;
	w.random = 7;
	w.now = SIM_START;
	for (i = 0; i < 2; i++) {
		w.plan.recv_buffer[i] = mode & 2 ? 1 << 18 : 4096;
		w.plan.send_buffer[i] = mode & 4 ? 1 << 18 : 4096;
		w.plan.mss[i] = mode & 8 ? 1460 : 100;
		w.plan.wscale[i] = 4;
		w.plan.blocks[i] = UINT32_MAX;
		w.plan.pieces[i] = true;
		w.plan.keepalive[i] = 0;
		w.plan.cork[i] = false;
	}
	end_open(&w, 0);
	while (r.left && !w.failure) {
		event(e, &r);
		w.now = e->stack.now;
		w.plan.frame_refusals |= 1; /* what is left over is not an error here */
		check_end(e);
	}
	end_release(e);
	if (w.failure) {
		fprintf(stderr, "%s\n", w.failure);
		abort();
	}
	return 0;
}

#ifndef FUZZER
/* Without libFuzzer: random inputs by seed, or the files named. */
int main(int argc, char **argv)
{
	static uint8_t data[1 << 16];
	uint64_t random = 99;
	uint32_t runs = argc > 1 ? (uint32_t)atoi(argv[1]) : 20000, i, k, n;

	for (i = 0; i < runs; i++) {
		n = 50 + (uint32_t)(sim_random(&random) >> 20) % 3000;
		for (k = 0; k < n; k++)
			data[k] = (uint8_t)(sim_random(&random) >> 32);
		LLVMFuzzerTestOneInput(data, n);
	}
	printf("# %u inputs hold\n1 passed, 0 failed\n", runs);
	return 0;
}
#endif
