// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What an application may set and ask. */
#include "tcp/internal.h"

static int set_flag(struct tcp_conn *conn, uint32_t flag, uint32_t value)
{
	if (value > 1)
		return -EINVAL;
	if (value)
		conn->flags |= flag;
	else
		conn->flags &= ~flag;
	return 0;
}

int tcp_set(struct tcp_stack *stack, struct tcp_conn *conn, enum tcp_option option, uint32_t value)
{
	int error = 0;

	switch (option) {
	case TCP_OPTION_NODELAY:
		error = set_flag(conn, TCP_CONN_NODELAY, value);
		break;
	case TCP_OPTION_CORK:
		error = set_flag(conn, TCP_CONN_CORK, value);
		break;
	case TCP_OPTION_KEEPALIVE:
		if (value > 1u << 24)
			return -EINVAL;
		conn->keepalive_s = value;
		if (value && !(conn->flags & TCP_CONN_DONE))
			deadline_set(stack, conn, TCP_DEADLINE_KEEP, stack->now + value * TCP_SECOND);
		return 0;
	case TCP_OPTION_KEEPALIVE_INTERVAL:
		if (value > 32767)
			return -EINVAL;
		conn->keepalive_interval_s = (uint16_t)value;
		return 0;
	case TCP_OPTION_KEEPALIVE_PROBES:
		if (value > 127)
			return -EINVAL;
		conn->keepalive_probes = (uint8_t)value;
		return 0;
	case TCP_OPTION_CONGESTION:
		if (value > TCP_CONGESTION_NEWRENO)
			return -EINVAL;
		conn->cc = value == TCP_CONGESTION_NEWRENO ? &tcp_cc_newreno : &tcp_cc_cubic;
		conn->cc->init(conn);
		return 0;
	case TCP_OPTION_USER_TIMEOUT:
		conn->user_timeout_ms = value;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
	if (!error && !(conn->flags & TCP_CONN_DONE) && conn->snd_end != conn->snd_nxt)
		output_later(stack, conn); /* it may go now */
	return error;
}

void tcp_info_get(const struct tcp_conn *conn, struct tcp_info_out *ret)
{
	bool fin = conn->flags & TCP_CONN_FIN_SENT;

	*ret = (struct tcp_info_out){
		.mss = conn->mss,
		.srtt_us = conn->srtt_us,
		.rttvar_us = conn->rttvar_us,
		.rto_us = (uint32_t)(rtt_rto(conn) / 1000),
		.cwnd = conn->cwnd,
		.ssthresh = conn->ssthresh,
		.snd_wnd = conn->snd_wnd,
		.rcv_wnd = conn->rcv_adv - conn->rcv_nxt,
		.unsent = fin ? 0 : conn->snd_end - conn->snd_nxt,
		.unacked = conn->snd_nxt - conn->snd_una,
		.unread = receive_unread(conn),
		.retransmits = conn->retransmits,
		.segments_in = conn->segments_in,
		.segments_out = conn->segments_out,
		.octets_in = conn->octets_in,
		.octets_out = conn->octets_out,
	};
}
