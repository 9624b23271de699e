/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * deliver=afxdp: is there anybody to admit a client, and the proof that goes to
 * porchd. No flow, no service: there is nobody else who would hold it.
 */
#ifndef PORCH_BPF_ADMIT_H
#define PORCH_BPF_ADMIT_H

/* Why this listener takes nobody now: an enum porch_reason, or 0. Asked before
 * a cookie is spent, be it made or checked. */
__noinline int door_closed(__u32 listener)
{
	struct porch_host *h = host_settings();
	const volatile struct porch_queue *q = bpf_map_lookup_elem(&porch_queues, &listener);
	__u32 sign;

	if (!h || !q)
		return PORCH_REASON_NO_DAEMON;
	/* porchd reads the clock itself: it may be ahead of the timer */
	sign = *(volatile __u32 *)&h->daemon_tick;
	if (!sign || (__s32)(h->tick - sign) > PORCH_HEARTBEAT_TICKS)
		return PORCH_REASON_NO_DAEMON;
	if (!q->workers)
		return PORCH_REASON_NO_APPLICATION;
	return q->depth > q->limit ? PORCH_REASON_ACCEPT_QUEUE_FULL : 0;
}

/* May the SYN be answered? No kernel socket is involved. A keyed one is answered
 * without, as RFC 5925 7.3 has it where no key is known. */
INLINE enum verdict syn_admit_afxdp(const struct segment *seg, __u32 index, const struct porch_host *h)
{
	int reason = door_closed(index);

	if (reason == PORCH_REASON_NO_DAEMON && h->fallback == PORCH_FALLBACK_KERNEL)
		return PASS;
	if (reason)
		return refuse(index, reason);
	if (unlikely(!budget_reply(seg, h)))
		return refuse(index, PORCH_REASON_REPLY_BUDGET);
	return GO_ON;
}

#define ADMIT_NO_ROOM (-PORCH_REASON_END)

/* Claim a way for a proof, or take it from who is done with the tuple. The way's
 * index, BUSY; ADMIT_NO_ROOM; or an enum porch_reason, negative. */
__noinline long admit_claim(const struct flow_key *k, __u32 irs, __u32 tick)
{
	struct porch_steer *s;
	struct porch_flow *f;
	__u8 state, phase;
	__u32 serial;
	long way;

	if (!k)
		return -PORCH_REASON_DUPLICATE_ACK;
	way = flow_claim(k, tick);
	if (way >= 0)
		return way;
	if (way == FLOW_NO_ROOM)
		return ADMIT_NO_ROOM;
	if (way != FLOW_UNKNOWN)
		return -PORCH_REASON_DUPLICATE_ACK;
	way = flow_find(k);
	f = way >= 0 ? flow_at(way) : 0;
	s = way >= 0 ? steer_at(way) : 0;
	if (!f || !s)
		return -PORCH_REASON_DUPLICATE_ACK;
	state = f->state;
	serial = steer_serial(s);
	if (state == PORCH_FLOW_HANDED) {
		phase = steer_phase(s);
		if (phase_is_alive(phase))
			return -PORCH_REASON_DUPLICATE_ACK;
		if (f->irs == irs && phase != PORCH_PHASE_FORGOTTEN)
			return phase == PORCH_PHASE_TIME_WAIT ? -PORCH_REASON_TIME_WAIT
							      : -PORCH_REASON_REPLAYED;
	} else if (state == PORCH_FLOW_TOMBSTONE) {
		if (f->irs == irs)
			return -PORCH_REASON_REPLAYED;
	} else if (state != PORCH_FLOW_PROVEN) {
		return -PORCH_REASON_DUPLICATE_ACK;
	}
	if (!flow_seize(f, state))
		return -PORCH_REASON_DUPLICATE_ACK;
	/* HANDED again, but to the next life: another CPU has proven it meanwhile */
	if (steer_serial(s) != serial) {
		flow_yield(f, state);
		return -PORCH_REASON_DUPLICATE_ACK;
	}
	return way;
}

/* Fill the way's steer entry: link, window, time, and a serial nobody has had. */
__noinline int admit_steer(struct xdp_md *ctx, __u32 way, __u32 l4)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_steer *s = steer_at(way);
	const __be16 *frame;
	__u32 serial;
	__be16 window;

	if (!s || !scratch)
		return 0;
	frame = (void *)scratch->frame;
	if (bpf_xdp_load_bytes(ctx, 0, scratch->frame, ETH_HLEN + 2 * VLAN_HLEN) ||
	    bpf_xdp_load_bytes(ctx, l4 + 14, &window, 2))
		return 0;
	__builtin_memcpy(s->local_mac, scratch->frame, 6);
	__builtin_memcpy(s->remote_mac, scratch->frame + 6, 6);
	s->tags[0] = s->tags[1] = NO_TAG;
#pragma unroll
	for (int i = 0; i < 2; i++) {
		__be16 type = frame[6 + 2 * i];

		if (type != CONST_HTONS(ETH_P_8021Q) && type != CONST_HTONS(ETH_P_8021AD))
			break;
		s->tags[i] = vlan_tag(type, frame[7 + 2 * i]);
	}
	s->window = ntohs(window);
	s->ifindex = ctx->ingress_ifindex;
	s->rx_queue = ctx->rx_queue_index;
	s->proven_ns = clock_ns();
	serial = s->serial + 1;
	serial += !serial;
	*(volatile __u32 *)&s->serial = serial;
	return serial;
}

INLINE void steer_rtt(__u32 way, __u32 us)
{
	struct porch_steer *s = steer_at(way);

	if (s)
		s->rtt_us = us;
}

/* A final ACK of nobody we know. STEER: it proves, and *to says where it goes. */
INLINE enum verdict admit(struct xdp_md *ctx, struct porch_scratch *scratch, const struct porch_listener_entry *l,
			  const struct porch_host *h, struct steering *to)
{
	const struct segment *seg = &scratch->segment;
	const struct general *g = &scratch->general;
	int entry, reason = door_closed(g->listener);
	__u32 index = g->listener;
	enum verdict v;
	long way;

	/* Nobody admits it, so nothing is spent: the client's next segment proves as well. */
	if (reason == PORCH_REASON_ACCEPT_QUEUE_FULL)
		reason = l->overflow == PORCH_OVERFLOW_DROP ? PORCH_REASON_PARKED : 0;
	if (reason == PORCH_REASON_NO_DAEMON && h->fallback == PORCH_FALLBACK_KERNEL)
		return PASS;
	if (reason)
		return refuse(index, reason);
	v = final_ack(seg, 0, 0, index, l, h, scratch, &entry);
	if (v != GO_ON)
		return v;
	to->slot = steer_slot(ctx, 0);
	if (to->slot == NO_SLOT)
		return refuse(index, PORCH_REASON_NO_SLOT);
	way = admit_claim(&scratch->key, seg->seq - 1, h->tick);
	if (way == ADMIT_NO_ROOM) {
		COUNT(flow_table_full);
		return REFUSE;
	}
	if (way < 0)
		return refuse(index, -way);
	to->flow = way;
	to->serial = admit_steer(ctx, way, g->l4);
	to->kind = PORCH_RECORD_PROOF;
	steer_rtt(way, entry > 0 ? entry_done(&scratch->key) : 0);
	flow_publish(way, &scratch->key, &scratch->flow, PORCH_FLOW_HANDED);
	COUNT_BOTH(index, proven);
	return STEER;
}

/*
 * A segment of a tuple that is CLOSING or in TIME-WAIT: is it worth asking
 * whether it proves the next life? Only a final ACK of another handshake, while
 * there is somebody to admit it.
 */
INLINE int next_life_is_possible(const struct porch_scratch *scratch)
{
	const struct porch_listener_entry *l = listener_at(scratch->general.listener);
	const struct porch_flow *f = flow_at(scratch->proof.flow);
	const struct segment *seg = &scratch->segment;

	return f && l && l->deliver == PORCH_DELIVER_AFXDP && l->protect == PORCH_PROTECT_ALWAYS &&
	       is_final_ack(seg->flags & FLAGS_OF_STATE) && f->irs != seg->seq - 1 &&
	       !door_closed(scratch->general.listener);
}

#endif /* PORCH_BPF_ADMIT_H */
