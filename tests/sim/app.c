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
	static uint8_t buf[100000];
	uint32_t want = 1 + (uint32_t)(sim_random(&w->random) >> 16) % p->read_max[e->index], k, n = 0;
	ssize_t got;

	if (p->pieces[e->index]) {
		got = tcp_recv_pieces(&e->stack, &e->conn, piece, 3);
		for (k = 0; got > 0 && k < (uint32_t)got; k++) {
			memcpy(buf + n, piece[k].data, piece[k].length);
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
		if (memcmp(buf, sim_stream(!e->index, e->received), (size_t)got))
			sim_fail(w, "end %d: a wrong octet from %u on", e->index, e->received);
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
	uint32_t left = p->octets[e->index] - e->sent, n;
	struct tcp_piece piece;
	ssize_t done = 0;

	n = min_u32(left, 1 + (uint32_t)(sim_random(&w->random) >> 16) % p->write_max[e->index]);
	e->write_at = TCP_NEVER;
	if (n && p->pieces[e->index]) {
		n = min_u32(n, min_u32(TCP_BLOCK_DATA, p->send_buffer[e->index]));
		done = tcp_send_piece(&e->stack, &e->conn, n, &piece);
		if (done > 0) {
			memcpy(piece.data, sim_stream(e->index, e->sent), n);
			done = tcp_send_commit(&e->stack, &e->conn, n);
		}
	} else if (n) {
		done = tcp_send(&e->stack, &e->conn, sim_stream(e->index, e->sent), n);
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
	if (e->peer) {
		peer_free(e);
		e->released = true;
	}
	if (e->released)
		return;
	watch_free(e);
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
	watch_again(e);
	laws_open(e);
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
