// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* RFC 6298. srtt and rttvar in microseconds, the clock's granularity is nothing beside RTO's floor. */
#include "tcp/internal.h"

/* RFC 8985 6.2 step 1: the least of the last five minutes, for a path may become longer for good. */
static void least(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t r)
{
	uint32_t s = (uint32_t)(stack->now / TCP_SECOND);

	if (conn->min_rtt_us && r > conn->min_rtt_us && s - conn->min_rtt_s <= TCP_MIN_RTT_S)
		return;
	conn->min_rtt_us = r;
	conn->min_rtt_s = s;
}

void rtt_sample(struct tcp_stack *stack, struct tcp_conn *conn, uint64_t ns)
{
	uint32_t r = (uint32_t)min_u64(max_u64(ns / 1000, 1), 60000000), delta;

	least(stack, conn, r);
	if (!conn->srtt_us) {
		conn->srtt_us = r;
		conn->rttvar_us = r / 2;
	} else {
		delta = conn->srtt_us > r ? conn->srtt_us - r : r - conn->srtt_us;
		conn->rttvar_us += ((int32_t)delta - (int32_t)conn->rttvar_us) / 4;
		conn->srtt_us += ((int32_t)r - (int32_t)conn->srtt_us) / 8;
		if (!conn->srtt_us)
			conn->srtt_us = 1;
	}
	conn->rto_us = conn->srtt_us + max_u32(4 * conn->rttvar_us, TCP_RTO_MIN_US);
	if (conn->rto_us > TCP_RTO_MAX_US)
		conn->rto_us = TCP_RTO_MAX_US;
}
