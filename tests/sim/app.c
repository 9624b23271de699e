// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The application of one end: reads, writes, closes, and moves house. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <sys/socket.h>

static void reads(struct end *e)
{
	struct world *w = e->world;
	struct plan *p = &w->plan;
	struct tcp_piece piece[3];
	uint8_t buf[100000];
	uint32_t want = 1 + (uint32_t)(sim_random(&w->random) >> 16) % p->read_max[e->index], i, k, n = 0;
	ssize_t got;

	if (p->pieces[e->index]) {
		got = tcp_recv_pieces(&e->stack, &e->conn, piece, 3);
		for (k = 0; got > 0 && k < (uint32_t)got; k++) {
			for (i = 0; i < piece[k].length; i++)
				buf[n + i] = ((uint8_t *)piece[k].data)[i];
			n += (uint32_t)piece[k].length;
		}
		if (got > 0) {
			got = min_u32(n, want);
			tcp_recv_done(&e->stack, &e->conn, (size_t)got);
		}
	} else {
		got = tcp_recv(&e->stack, &e->conn, buf, want);
	}
	e->read_at = TCP_NEVER;
	if (got > 0) {
		for (i = 0; i < (uint32_t)got; i++)
			if (buf[i] != sim_octet(!e->index, e->received + i)) {
				sim_fail(w, "end %d: octet %u is wrong", e->index, e->received + i);
				return;
			}
		e->received += (uint32_t)got;
		if (e->received > p->octets[!e->index])
			sim_fail(w, "end %d: more than was sent", e->index);
		e->read_at = w->now + p->read_pause[e->index];
	} else if (got == 0) {
		if (!e->saw_end && e->received != w->end[!e->index].sent)
			sim_fail(w, "end %d: the end after %u of %u", e->index, e->received,
				 w->end[!e->index].sent);
		e->saw_end = true;
	} else if (got != -EAGAIN && !tcp_error(&e->conn)) {
		sim_fail(w, "end %d: recv says %zd", e->index, got);
	}
}

static void writes(struct end *e)
{
	struct world *w = e->world;
	struct plan *p = &w->plan;
	uint32_t left = p->octets[e->index] - e->sent, n, i;
	uint8_t buf[100000];
	struct tcp_piece piece;
	ssize_t done = 0;

	n = min_u32(left, 1 + (uint32_t)(sim_random(&w->random) >> 16) % p->write_max[e->index]);
	e->write_at = TCP_NEVER;
	if (n && p->pieces[e->index]) {
		n = min_u32(n, min_u32(TCP_BLOCK_DATA, p->send_buffer[e->index]));
		done = tcp_send_piece(&e->stack, &e->conn, n, &piece);
		if (done > 0) {
			for (i = 0; i < n; i++)
				((uint8_t *)piece.data)[i] = sim_octet(e->index, e->sent + i);
			done = tcp_send_commit(&e->stack, &e->conn, n);
		}
	} else if (n) {
		for (i = 0; i < n; i++)
			buf[i] = sim_octet(e->index, e->sent + i);
		done = tcp_send(&e->stack, &e->conn, buf, n);
	}
	if (done < 0) {
		if (done != -EAGAIN)
			e->write_done = true;
		else if (tcp_events(&e->conn) & TCP_EVENT_OUT) /* no block: try again soon */
			e->write_at = w->now + 10 * TCP_MS;
		return;
	}
	e->sent += (uint32_t)done;
	if (e->sent < p->octets[e->index]) {
		e->write_at = w->now + p->write_pause[e->index];
		return;
	}
	e->write_done = true;
	if (p->shut_early[e->index])
		tcp_shutdown(&e->stack, &e->conn, SHUT_WR);
}

void end_release(struct end *e)
{
	if (e->released)
		return;
	e->time_wait = tcp_finish(&e->conn, &e->finish);
	tcp_release(&e->stack, &e->conn);
	e->released = true;
	if (e->blocks_used)
		sim_fail(e->world, "end %d: %u blocks were not given back", e->index, e->blocks_used);
	while (e->free_block) {
		void *block = e->free_block;

		memcpy(&e->free_block, block, sizeof(void *));
		free(block);
	}
}

/* Somebody else goes on with it, from what tcp_export() says. */
static void moves(struct end *e)
{
	static uint8_t data[2 << 20];
	struct tcp_handback h;
	struct tcp_conn was = e->conn;
	ssize_t n = tcp_export(&e->conn, &h, data, sizeof(data));
	int error;

	if (n < 0)
		return;
	tcp_release(&e->stack, &e->conn);
	if (e->blocks_used)
		sim_fail(e->world, "end %d: %u blocks left behind", e->index, e->blocks_used);
	memset(&e->conn, 0x77, sizeof(e->conn));
	error = tcp_import(&e->stack, &e->conn, &h, data, (size_t)n);
	if (error == -ENOMEM) { /* as if the process had been killed */
		e->closed = true;
		return;
	}
	if (error)
		sim_fail(e->world, "end %d: state %u, what was exported is refused", e->index, was.state);
	tcp_set(&e->stack, &e->conn, TCP_OPTION_NODELAY, e->world->plan.nodelay[e->index]);
	tcp_set(&e->stack, &e->conn, TCP_OPTION_KEEPALIVE, e->world->plan.keepalive[e->index]);
	e->conn.rcv_mss = was.rcv_mss;
	if (e->read_at == TCP_NEVER)
		e->read_at = e->world->now;
	if (e->write_at == TCP_NEVER)
		e->write_at = e->world->now;
}

/* The application's turn, timers, and what goes out in the end. */
void end_turn(struct end *e)
{
	struct world *w = e->world;
	struct plan *p = &w->plan;

	if (e->released)
		return;
	e->stack.now = w->now;
	tcp_stack_run(&e->stack);
	if (p->handback[e->index] && sim_random(&w->random) % 64 == 0)
		moves(e);
	if (!e->closed) {
		if (e->conn.notified) {
			e->conn.notified = false;
			end_notify(&e->stack, &e->conn);
		}
		if (e->received >= p->abort_at[e->index]) {
			tcp_abort(&e->stack, &e->conn);
			e->closed = true;
		}
		if (!e->closed && e->write_at <= w->now && !e->write_done)
			writes(e);
		if (!e->closed && e->read_at <= w->now)
			reads(e);
		if (!e->closed && ((e->saw_end && e->write_done) || tcp_error(&e->conn))) {
			tcp_close(&e->stack, &e->conn);
			e->closed = true;
		} else if (!e->closed && e->write_done && !p->shut_early[e->index] && !p->octets[!e->index]) {
			tcp_close(&e->stack, &e->conn);
			e->closed = true;
		}
	}
	tcp_stack_flush(&e->stack);
	if (e->closed && tcp_events(&e->conn) & TCP_EVENT_DONE)
		end_release(e);
}

uint64_t end_next(const struct end *e)
{
	uint64_t next;

	if (e->released)
		return TCP_NEVER;
	next = tcp_stack_next(&e->stack);
	if (e->stack.flush_head)
		next = min_u64(next, e->world->now + 50000); /* frames were wanting */
	if (!e->closed)
		next = min_u64(next, min_u64(e->write_done ? TCP_NEVER : e->write_at, e->read_at));
	return next;
}

bool end_over(const struct end *e)
{
	return e->released;
}
