// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A connection leaves one stack and goes on in another: what an application has
 * closed and its peer has not yet acknowledged outlives the application. The
 * receiving side believes nothing: who hands over may lie.
 */
#include "tcp/internal.h"

static const struct {
	uint32_t conn, handback;
} flag[] = {
	{ TCP_CONN_FIN_QUEUED, TCP_HANDBACK_FIN_QUEUED },
	{ TCP_CONN_FIN_SENT, TCP_HANDBACK_FIN_SENT },
	{ TCP_CONN_FIN_TAKEN, TCP_HANDBACK_FIN_TAKEN },
	{ TCP_CONN_ORPHAN, TCP_HANDBACK_ORPHAN },
};
#define FLAGS (sizeof(flag) / sizeof(flag[0]))

/* Octets from snd_una to snd_end; a FIN that is acknowledged lies beyond. */
static uint32_t queued(uint32_t una, uint32_t end)
{
	return seq_before(una, end) ? end - una : 0;
}

static void export_start(const struct tcp_conn *conn, struct tcp_start *start)
{
	*start = (struct tcp_start){
		.remote_port = conn->remote_port,
		.local_port = conn->local_port,
		.ts_recent = conn->ts_recent,
		.mss = conn->peer_mss,
		.mtu = conn->mtu_link,
		.options = conn->options,
		.wscale_snd = conn->wscale_snd,
		.wscale_rcv = conn->wscale_rcv,
	};
	memcpy(start->remote, conn->remote, 16);
	memcpy(start->local, conn->local, 16);
	memcpy(start->remote_mac, conn->remote_mac, 6);
	memcpy(start->local_mac, conn->local_mac, 6);
	memcpy(start->tags, conn->tags, 4);
}

ssize_t tcp_export(const struct tcp_conn *conn, struct tcp_handback *ret, void *data, size_t size)
{
	uint32_t n = queued(conn->snd_una, conn->snd_end), done = 0, i;
	struct tcp_block *block;

	if (conn->flags & (TCP_CONN_DONE | TCP_CONN_RESET_OWED))
		return -ENOTCONN;
	if (receive_unread(conn) || conn->flags & TCP_CONN_LENT)
		return -EBUSY;
	if (n > size)
		return -EMSGSIZE;
	memset(ret, 0, sizeof(*ret));
	export_start(conn, &ret->start);
	ret->snd_una = conn->snd_una;
	ret->snd_nxt = conn->snd_nxt;
	ret->snd_end = conn->snd_end;
	ret->snd_wnd = conn->snd_wnd;
	ret->snd_max_wnd = conn->snd_max_wnd;
	ret->rcv_nxt = conn->rcv_nxt;
	ret->rcv_adv = conn->rcv_adv;
	ret->ts_offset = conn->ts_offset;
	ret->srtt_us = conn->srtt_us;
	ret->rttvar_us = conn->rttvar_us;
	ret->rto_us = conn->rto_us;
	ret->mtu = conn->mtu;
	ret->state = conn->state;
	for (i = 0; i < FLAGS; i++)
		if (conn->flags & flag[i].conn)
			ret->flags |= flag[i].handback;
	for (block = conn->snd_head; done < n; block = block->next) {
		uint32_t offset = conn->snd_una + done - block->base, part;

		if (offset >= block->used)
			continue;
		part = min_u32(block->used - offset, n - done);
		memcpy((uint8_t *)data + done, block->data + offset, part);
		done += part;
	}
	return n;
}

static bool state_possible(const struct tcp_handback *h)
{
	bool queued_fin = h->flags & TCP_HANDBACK_FIN_QUEUED, sent = h->flags & TCP_HANDBACK_FIN_SENT;
	bool taken = h->flags & TCP_HANDBACK_FIN_TAKEN;

	switch (h->state) {
	case TCP_STATE_ESTABLISHED:
		return !queued_fin && !taken;
	case TCP_STATE_CLOSE_WAIT:
		return !queued_fin && taken;
	case TCP_STATE_FIN_WAIT1:
		return queued_fin && !taken;
	case TCP_STATE_FIN_WAIT2:
		return sent && !taken && h->snd_una == h->snd_end + 1;
	case TCP_STATE_CLOSING:
	case TCP_STATE_LAST_ACK:
		return queued_fin && taken;
	}
	return false;
}

static bool believable(const struct tcp_handback *h, size_t octets)
{
	bool sent = h->flags & TCP_HANDBACK_FIN_SENT;

	if (h->flags & ~(TCP_HANDBACK_FIN_QUEUED | TCP_HANDBACK_FIN_SENT | TCP_HANDBACK_FIN_TAKEN |
			 TCP_HANDBACK_ORPHAN) ||
	    (sent && !(h->flags & TCP_HANDBACK_FIN_QUEUED)) || !state_possible(h))
		return false;
	if (octets > 1u << 30 || octets != queued(h->snd_una, h->snd_end))
		return false;
	/* una <= nxt <= end, or a FIN further */
	if (h->snd_nxt - h->snd_una > octets + sent || (sent && h->snd_nxt != h->snd_end + 1))
		return false;
	if (!octets && h->snd_una != h->snd_end && !(sent && h->snd_una == h->snd_end + 1))
		return false;
	return h->rcv_adv - h->rcv_nxt <= 1u << 30 && h->snd_wnd <= 1u << 30 && h->snd_max_wnd <= 1u << 30 &&
	       h->rto_us >= TCP_RTO_MIN_US && h->rto_us <= TCP_RTO_MAX_US && h->srtt_us <= TCP_RTO_MAX_US &&
	       h->rttvar_us <= TCP_RTO_MAX_US && h->mtu >= 68 && h->mtu <= h->start.mtu;
}

/* What is queued, into blocks; what is in flight, into records that give no samples. */
static bool refill(struct tcp_stack *stack, struct tcp_conn *conn, const uint8_t *data, uint32_t n,
		   uint32_t flight)
{
	uint32_t done, at, part;

	for (done = 0; done < n; done += part) {
		struct tcp_block *block = block_new(stack, conn->snd_una + done);

		if (!block)
			return false;
		part = min_u32(n - done, TCP_BLOCK_DATA);
		memcpy(block->data, data + done, part);
		block->used = part;
		if (conn->snd_tail)
			conn->snd_tail->next = block;
		else
			conn->snd_head = block;
		conn->snd_tail = block;
	}
	for (at = 0; at < flight; at += part) {
		struct tcp_record *r = record_add(stack, conn);

		if (!r)
			return false;
		part = min_u32(flight - at, conn->mss);
		*r = (struct tcp_record){
			.block = at < n ? send_block(conn, conn->snd_una + at) : NULL,
			.seq = conn->snd_una + at,
			.length = (uint16_t)part,
			.flags = TCP_RECORD_EVER | (at + part > n ? TCP_RECORD_FIN : 0),
		};
		record_sent(stack, conn, conn->rec_tail - 1);
	}
	return true;
}

int tcp_import(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_handback *h, const void *data,
	       size_t octets)
{
	struct tcp_start start = h->start;
	uint32_t i;

	if (!believable(h, octets))
		return -EINVAL;
	start.irs = h->rcv_nxt - 1;
	start.iss = h->snd_una - 1;
	start.proven = stack->now;
	tcp_open(stack, conn, &start);
	mtu_set(stack, conn, h->mtu);
	conn->state = h->state;
	conn->ts_offset = h->ts_offset;
	conn->rcv_adv = h->rcv_adv;
	conn->rcv_acked = conn->rcv_nxt;
	conn->snd_nxt = h->snd_nxt;
	conn->snd_end = h->snd_end;
	conn->snd_wnd = h->snd_wnd;
	conn->snd_max_wnd = h->snd_max_wnd;
	conn->snd_wl1 = conn->rcv_nxt;
	conn->srtt_us = h->srtt_us;
	conn->rttvar_us = h->rttvar_us;
	conn->rto_us = h->rto_us;
	conn->rto_base = conn->stalled = conn->last_sent = stack->now;
	for (i = 0; i < FLAGS; i++)
		if (h->flags & flag[i].handback)
			conn->flags |= flag[i].conn;
	if (conn->flags & TCP_CONN_FIN_TAKEN) {
		conn->flags |= TCP_CONN_FIN_SEEN;
		conn->rcv_fin = conn->rcv_nxt - 1;
		conn->rcv_read = conn->rcv_fin;
	}
	if (!refill(stack, conn, data, (uint32_t)octets, h->snd_nxt - h->snd_una)) {
		tcp_release(stack, conn);
		return -ENOMEM;
	}
	if (conn->state == TCP_STATE_FIN_WAIT2 && conn->flags & TCP_CONN_ORPHAN)
		deadline_set(stack, conn, TCP_DEADLINE_KEEP, stack->now + TCP_FIN_TIMEOUT);
	send_timer(stack, conn);
	conn->flags |= TCP_CONN_ACK_OWED; /* whatever was owed */
	output_later(stack, conn);
	return 0;
}
