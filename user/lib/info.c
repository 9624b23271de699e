/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of one connection. */
#include <netinet/in.h>
#include <string.h>

#include "lib/lib.h"

static void address(const uint8_t a[16], uint16_t port, struct sockaddr_storage *ret)
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };

	if (!memcmp(a, v4, sizeof(v4))) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

		memcpy(&in.sin_addr, a + 12, 4);
		memcpy(ret, &in, sizeof(in));
	} else {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

		memcpy(&in6.sin6_addr, a, 16);
		memcpy(ret, &in6, sizeof(in6));
	}
}

int porch_conn_info(const struct porch_conn *c, struct porch_conn_info *ret)
{
	struct porch_conn_info info = {};
	struct tcp_info_out tcp;
	size_t size;
	int r = lib_conn_check(c);

	if (r)
		return r;
	if (!ret || ret->size < sizeof(ret->size))
		return -EINVAL;
	tcp_info_get(&c->tcp, &tcp);
	address(c->tcp.remote, c->tcp.remote_port, &info.remote);
	address(c->tcp.local, c->tcp.local_port, &info.local);
	info.error = c->lost ? -ECONNRESET : tcp_error(&c->tcp);
	info.state = tcp_state(&c->tcp);
	info.queued_ns = c->queued * 16ull;
	info.handover_ns = c->handover_ns;
	info.rx_queue = c->rx_queue;
	info.mss = tcp.mss;
	info.srtt_us = tcp.srtt_us;
	info.rttvar_us = tcp.rttvar_us;
	info.rto_us = tcp.rto_us;
	info.cwnd = tcp.cwnd;
	info.ssthresh = tcp.ssthresh;
	info.snd_wnd = tcp.snd_wnd;
	info.rcv_wnd = tcp.rcv_wnd;
	info.unsent = tcp.unsent;
	info.unacked = tcp.unacked;
	info.unread = tcp.unread;
	info.retransmits = tcp.retransmits;
	info.segments_in = tcp.segments_in;
	info.segments_out = tcp.segments_out;
	info.octets_in = tcp.octets_in;
	info.octets_out = tcp.octets_out;
	info.timestamps = !!(c->tcp.options & PORCH_OPT_TIMESTAMPS);
	info.sack = !!(c->tcp.options & PORCH_OPT_SACK);
	info.wscale_snd = c->tcp.wscale_snd;
	info.wscale_rcv = c->tcp.wscale_rcv;
	size = ret->size < sizeof(info) ? ret->size : sizeof(info);
	info.size = size;
	memcpy(ret, &info, size);
	return 0;
}
