/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TIME-WAIT of deliver=afxdp (RFC 9293 3.10.7.4): the connection is over and
 * both ends know it, except that our last ACK may have been lost. XDP sends it
 * again, with the numbers that porchd has left, to whoever repeats his FIN or
 * sends old data. A bare ACK is never answered: two who do that never end. A
 * RST does not end TIME-WAIT (RFC 1337).
 */
#ifndef PORCH_BPF_TIME_WAIT_H
#define PORCH_BPF_TIME_WAIT_H

#define TIME_WAIT_TICKS	      (60 * PORCH_TICKS_PER_SEC) /* 2 MSL, as Linux has it */
#define OPT_NOP_NOP_TS_LENGTH 12

/* 0: nothing that asks for an answer. */
INLINE int time_wait_answers(const struct segment *seg, __u32 payload)
{
	__u32 flags = seg->flags & FLAGS_OF_STATE;

	if (flags == TCP_SYN) /* one that may not reuse it: RFC 5961 4 */
		return 1;
	return flags == (TCP_ACK | TCP_FIN) || (flags == TCP_ACK && payload);
}

/* The ACK's header and options, `th` having room for them. */
INLINE void time_wait_write(void *th, void *end, const struct segment *seg, const struct porch_flow *f,
			    const struct porch_steer *s, __u32 header)
{
	__u32 window =
		f->options & PORCH_OPT_WSCALE ? PORCH_AFXDP_WINDOW >> PORCH_AFXDP_WSCALE : PORCH_AFXDP_WINDOW;
	__u32 *w = th;
	__u64 sum = csum_pseudo(seg, header);

	if (th + TCP_HLEN > end)
		return;
	w[0] = seg->ports >> 16 | seg->ports << 16;
	w[1] = htonl(s->snd_nxt);
	w[2] = htonl(s->rcv_nxt);
	w[3] = htonl((header / 4) << 28 | TCP_ACK << 16 | window);
	w[4] = 0;
	sum += csum_5(w);
	if (header > TCP_HLEN && th + TCP_HLEN + OPT_NOP_NOP_TS_LENGTH <= end) {
		w[5] = OPT_NOP_NOP_TS;
		w[6] = htonl((__u32)(clock_ns() / 1000000) + s->ts_offset);
		w[7] = htonl(seg->options & PORCH_OPT_TIMESTAMPS ? seg->tsval : f->ts_recent);
		sum += (__u64)w[5] + w[6] + w[7];
	}
	((struct tcphdr *)th)->check = csum_fold(sum);
}

/* An XDP action for a segment of scratch->proof.flow. */
INLINE int time_wait(struct xdp_md *ctx, struct porch_scratch *scratch, const struct porch_host *h)
{
	const struct segment *seg = &scratch->segment;
	const struct general *g = &scratch->general;
	struct porch_steer *s = steer_at(scratch->proof.flow);
	struct porch_flow *f = flow_at(scratch->proof.flow);
	__u32 header = TCP_HLEN, payload = g->length - g->header;
	void *th;

	if (!f || !s)
		return XDP_DROP;
	if (!time_wait_answers(seg, payload)) {
		count_refusal(g->listener, PORCH_REASON_TIME_WAIT);
		return XDP_DROP;
	}
	/* His FIN again: the 2 MSL begin anew. */
	if ((seg->flags & TCP_FIN) && seg->seq + payload + 1 == s->rcv_nxt)
		f->expires = h->tick + TIME_WAIT_TICKS;
	if (f->options & PORCH_OPT_TIMESTAMPS)
		header += OPT_NOP_NOP_TS_LENGTH;
	th = reply_begin(ctx, seg, h, scratch, g, header);
	if (!th) {
		count_refusal(g->listener, PORCH_REASON_NO_ROOM);
		return XDP_DROP;
	}
	time_wait_write(th, (void *)(long)ctx->data_end, seg, f, s, header);
	return XDP_TX;
}

#endif /* PORCH_BPF_TIME_WAIT_H */
