// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A connection begins, proven: what the handshake agreed on becomes state. */
#include "tcp/internal.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* Addresses, ports and protocol, once for all segments to come. */
static uint32_t pseudo_sum(const struct tcp_conn *conn)
{
	uint32_t sum = __builtin_bswap16(6);

	if (conn->family == 4)
		return csum_add(sum,
				csum_add(csum_words(conn->local + 12, 1), csum_words(conn->remote + 12, 1)));
	return csum_add(sum, csum_add(csum_words(conn->local, 4), csum_words(conn->remote, 4)));
}

void tcp_open(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_start *start)
{
	/* all but the caller's fields in front, and records, which are written before they are read */
	memset(&conn->state, 0, offsetof(struct tcp_conn, rec_inline) - offsetof(struct tcp_conn, state));
	memset(&conn->sacked, 0, sizeof(*conn) - offsetof(struct tcp_conn, sacked));
	conn->notified = false;
	conn->state = TCP_STATE_ESTABLISHED;
	memcpy(conn->remote, start->remote, 16);
	memcpy(conn->local, start->local, 16);
	conn->family = memcmp(start->local, mapped, 12) ? 6 : 4;
	conn->remote_port = start->remote_port;
	conn->local_port = start->local_port;
	memcpy(conn->local_mac, start->local_mac, 6);
	memcpy(conn->remote_mac, start->remote_mac, 6);
	memcpy(conn->tags, start->tags, 4);
	conn->options = start->options;
	conn->pseudo = pseudo_sum(conn);
	conn->ts_offset = start->ts_ecr + start->rtt_us / 1000 - (uint32_t)(start->proven / TCP_MS);
	conn->ts_recent = start->ts_recent;
	conn->ts_recent_ms = clock_ms(stack);
	if (start->options & TCP_OPT_WSCALE) {
		conn->wscale_snd = start->wscale_snd > 14 ? 14 : start->wscale_snd;
		conn->wscale_rcv = start->wscale_rcv > 14 ? 14 : start->wscale_rcv;
	}

	conn->rcv_nxt = conn->rcv_read = conn->rcv_acked = start->irs + 1;
	conn->rcv_adv = conn->rcv_nxt + start->rcv_wnd;
	conn->rcv_limit = min_u32(stack->recv_buffer, 65535);
	conn->quick = TCP_QUICK_ACKS;

	conn->snd_una = conn->snd_nxt = conn->snd_end = conn->snd_small = start->iss + 1;
	conn->rack_fack = conn->rack_round = conn->cwnd_mark = conn->snd_una;
	conn->recover = conn->snd_una - 1;
	conn->snd_wl1 = conn->rcv_nxt;
	conn->snd_wnd = conn->snd_max_wnd = (uint32_t)start->window << conn->wscale_snd;
	conn->peer_mss = start->mss ? start->mss : TCP_MSS_DEFAULT;
	conn->mtu_link = start->mtu;
	mtu_set(stack, conn, start->mtu);
	conn->rcv_mss = (uint16_t)min_u32(conn->mss, TCP_MSS_DEFAULT);

	if (start->options & TCP_OPT_ECN)
		conn->flags |= TCP_CONN_ECN_OK;
	conn->cc = stack->cc;
	conn->cwnd = cc_initial(conn);
	conn->ssthresh = TCP_SSTHRESH_INFINITE;
	conn->rto_us = TCP_RTO_INITIAL_US;
	if (start->rtt_us)
		rtt_sample(stack, conn,
			   start->rtt_us * 1000ull); /* RFC 6298 2.2: the SYN-ACK's is the first */
	conn->undo_resent = -1;
	hystart_init(conn);
	for (int i = 0; i < TCP_DEADLINES; i++)
		conn->deadline[i] = TCP_NEVER;
	conn->last_heard = conn->tune.since = stack->now;
}
