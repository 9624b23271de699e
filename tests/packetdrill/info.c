// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TCP_INFO, in the kernel's units: packets where it counts packets. */
#include <linux/tcp.h>
#undef TCP_MSS_DEFAULT /* the engine has its own */

#include "drill.h"

#define CA_OPEN	    0
#define CA_DISORDER 1
#define CA_CWR	    2
#define CA_RECOVERY 3
#define CA_LOSS	    4

static uint8_t ca_state(const struct tcp_conn *c)
{
	switch (c->recovery) {
	case TCP_RECOVERY_CWR:
		return CA_CWR;
	case TCP_RECOVERY_FAST:
		return CA_RECOVERY;
	case TCP_RECOVERY_TIMEOUT:
		return CA_LOSS;
	default:
		return c->sacked || c->duplicates ? CA_DISORDER : CA_OPEN;
	}
}

static uint32_t ms_since(const struct drill *d, uint64_t when)
{
	return when && when <= d->now ? (uint32_t)((d->now - when) / TCP_MS) : 0;
}

static void count_records(const struct tcp_conn *c, struct tcp_info *i)
{
	if (c->flags & TCP_CONN_DONE)
		return;
	for (uint32_t r = c->rec_head; r != c->rec_tail; r++) {
		const struct tcp_record *record = record_at(c, r);

		i->tcpi_unacked++;
		i->tcpi_sacked += !!(record->flags & TCP_RECORD_SACKED);
		i->tcpi_lost += !!(record->flags & TCP_RECORD_LOST);
		i->tcpi_retrans += !!(record->flags & TCP_RECORD_RESENT);
	}
}

static void fill(const struct drill *d, const struct flow *f, struct tcp_info *i)
{
	const struct tcp_conn *c = &f->conn;
	uint32_t mss = c->mss ? c->mss : 1;
	uint64_t rate = cc_pace_rate(c);

	i->tcpi_state = c->state;
	i->tcpi_ca_state = ca_state(c);
	i->tcpi_retransmits = c->backoff;
	i->tcpi_backoff = c->backoff;
	i->tcpi_probes = c->probes;
	i->tcpi_options = (c->options & PORCH_OPT_TIMESTAMPS ? TCPI_OPT_TIMESTAMPS : 0) |
			  (c->options & PORCH_OPT_SACK ? TCPI_OPT_SACK : 0) |
			  (c->options & PORCH_OPT_WSCALE ? TCPI_OPT_WSCALE : 0) |
			  (c->options & PORCH_OPT_ECN ? TCPI_OPT_ECN : 0);
	i->tcpi_snd_wscale = c->wscale_snd;
	i->tcpi_rcv_wscale = c->wscale_rcv;
	i->tcpi_rto = (uint32_t)(rtt_rto(c) / 1000);
	i->tcpi_ato = TCP_DELAYED_ACK / 1000;
	i->tcpi_snd_mss = c->mss;
	i->tcpi_rcv_mss = c->rcv_mss;
	count_records(c, i);
	i->tcpi_last_data_sent = ms_since(d, c->last_sent);
	i->tcpi_last_data_recv = i->tcpi_last_ack_recv = ms_since(d, c->last_heard);
	i->tcpi_pmtu = c->mtu;
	i->tcpi_rcv_ssthresh = c->rcv_limit;
	i->tcpi_rtt = c->srtt_us;
	i->tcpi_rttvar = c->rttvar_us;
	i->tcpi_snd_ssthresh =
		c->ssthresh >= TCP_SSTHRESH_INFINITE ? TCP_SSTHRESH_INFINITE : c->ssthresh / mss;
	i->tcpi_snd_cwnd = c->cwnd / mss;
	i->tcpi_advmss = f->announced;
	i->tcpi_reordering = 3;
	i->tcpi_rcv_rtt = c->tune.rtt_us;
	i->tcpi_rcv_space = c->tune.space;
	i->tcpi_total_retrans = c->retransmits;
	i->tcpi_pacing_rate = rate ? rate : ~0ull;
	i->tcpi_max_pacing_rate = ~0ull;
	i->tcpi_bytes_acked = c->snd_una - f->start.iss - 1;
	i->tcpi_bytes_received = receive_unread(c) + c->rcv_read - f->start.irs - 1;
	i->tcpi_segs_out = c->segments_out;
	i->tcpi_segs_in = c->segments_in;
	i->tcpi_notsent_bytes = seq_after(c->snd_end, c->snd_nxt) ? c->snd_end - c->snd_nxt : 0;
	i->tcpi_min_rtt = c->min_rtt_us;
	i->tcpi_bytes_sent = c->octets_out;
	i->tcpi_reord_seen = c->rack_reordered;
}

int info_get(struct drill *d, struct sock *s, void *value, socklen_t *n)
{
	struct tcp_info i = { .tcpi_state = s->kind == SOCK_LISTEN ? 10 : 7 };

	if (s->kind == SOCK_CONN && s->flow)
		fill(d, s->flow, &i);
	/* who asks may know a longer one than this machine's headers: zeros */
	memset(value, 0, *n);
	memcpy(value, &i, *n < sizeof(i) ? *n : sizeof(i));
	return 0;
}
