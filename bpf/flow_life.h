/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How flows begin and end in the table.
 *
 * Life of a way: claimed by cmpxchg on its set's word (so that two CPUs that
 * prove one tuple at once cannot claim it twice: the loser sees the winner's
 * fingerprint); state BUSY while the fields are written; then its state, last.
 * Freed: state FREE, then the fingerprint goes.
 */
#ifndef PORCH_BPF_FLOW_LIFE_H
#define PORCH_BPF_FLOW_LIFE_H

INLINE __u64 *flow_word(__u32 index)
{
	__u32 set = index / PORCH_SET_WAYS;

	return bpf_map_lookup_elem(&porch_flow_tags, &set);
}

INLINE void flow_hold(__u32 index, int held)
{
	__u64 *w = flow_word(index);
	__u64 bit = (__u64)PORCH_TAG_HELD << (index % PORCH_SET_WAYS) * 16;

	if (!w)
		return;
	if (held)
		__sync_fetch_and_or(w, bit);
	else
		__sync_fetch_and_and(w, ~bit);
}

__noinline int flow_free(__u32 index)
{
	struct porch_flow *f = flow_at(index);
	__u64 *w = flow_word(index);

	if (!f || !w)
		return 0;
	*(volatile __u8 *)&f->state = PORCH_FLOW_FREE;
	__sync_fetch_and_and(w, ~(0xffffull << (index % PORCH_SET_WAYS) * 16));
	return 0;
}

/* `state`, as the first octet of a word that can be compared and swapped. */
_Static_assert(__builtin_offsetof(struct porch_flow, state) % 4 == 0, "a word of its own");

/* From `state` to BUSY. 0: somebody was faster, or it is of another state. */
INLINE int flow_seize(struct porch_flow *f, __u8 state)
{
	__u32 *word = (void *)&f->state, was = *(volatile __u32 *)word;

	return (was & 0xff) == state &&
	       __sync_val_compare_and_swap(word, was, (was & ~0xffu) | PORCH_FLOW_BUSY) == was;
}

/* The opposite, if it was not meant to be. */
INLINE void flow_yield(struct porch_flow *f, __u8 state)
{
	barrier();
	*(volatile __u8 *)&f->state = state;
}

/* Parked clients keep their place this long after their last segment. */
#define PROVEN_TICKS (240 * PORCH_TICKS_PER_SEC)

/*
 * A flow that porchd was given. One that it never took note of (the record was
 * lost, or it died) ends like a parked one; TIME-WAIT begins anew with every
 * repeated FIN, which moves `expires`.
 */
INLINE int handed_expired(const struct porch_flow *f, const struct porch_steer *s, __u32 tick)
{
	__s32 over = tick - f->expires;

	switch (steer_phase(s)) {
	case PORCH_PHASE_PENDING:
		return !steer_is_noted(s) && over >= PROVEN_TICKS;
	case PORCH_PHASE_TIME_WAIT:
		return over >= 0 && (__s32)(tick - s->until) >= 0;
	case PORCH_PHASE_TOMBSTONE:
		return (__s32)(tick - s->until) >= 0;
	case PORCH_PHASE_FORGOTTEN:
		return 1;
	default:
		return 0;
	}
}

INLINE int flow_expired(const struct porch_flow *f, __u32 index, __u32 tick)
{
	__s32 over = tick - f->expires;
	struct porch_steer *s;

	switch (f->state) {
	case PORCH_FLOW_CLOSING:
	case PORCH_FLOW_TOMBSTONE:
		return over >= 0;
	case PORCH_FLOW_PROVEN:
		return over >= PROVEN_TICKS;
	case PORCH_FLOW_HANDED:
		s = steer_at(index);
		return s && handed_expired(f, s, tick);
	default:
		return 0;
	}
}

/* Top bit of every lane of `word` that is free. Without branches: of those the
 * verifier would follow each combination. */
INLINE __u64 free_lanes(__u64 word)
{
	return ~(((word & ~LANE_TOPS) + ~LANE_TOPS) | word) & LANE_TOPS;
}

INLINE __u32 free_ways(__u64 word)
{
	return (free_lanes(word) >> 15) * LANES >> 48;
}

/* There is one. */
INLINE __u32 first_free(__u64 word)
{
	__u64 low = free_lanes(word);

	low &= -low;
	return (low >> 31 & 1) + (low >> 47 & 1) * 2 + (low >> 63) * 3;
}

/* 1: nobody has it any more; *until: the tick at which it is over. */
INLINE int flow_is_closed(const struct porch_flow *f, __u32 index, __u32 *until)
{
	struct porch_steer *s;

	*until = f->expires;
	if (f->state == PORCH_FLOW_CLOSING || f->state == PORCH_FLOW_TOMBSTONE)
		return 1;
	if (f->state != PORCH_FLOW_HANDED)
		return 0;
	s = steer_at(index);
	if (!s || !phase_is_over(steer_phase(s)))
		return 0;
	*until = s->until;
	return 1;
}

/*
 * Both sets are full: the way of a closed flow gives place, the one that is, or
 * will be, over first of the first two found. Of all eight would be sixteen cold
 * cache lines for each connection of a busy server, whose tombstones fill any
 * table; two choices keep nearly the same order.
 */
__noinline __u32 flow_oldest(const struct flow_key *k, __u32 tick)
{
	__u32 best = PORCH_NO_FLOW;
	__s32 least = 0;

	if (!k)
		return PORCH_NO_FLOW;
#pragma nounroll
	for (int i = 0; i < 2 * PORCH_SET_WAYS; i++) {
		__u32 turn = i + k->fingerprint;
		__u32 at = (turn & PORCH_SET_WAYS ? k->set1 : k->set2) * PORCH_SET_WAYS + turn % PORCH_SET_WAYS;
		struct porch_flow *f = flow_at(at);
		__u32 until;

		if (!f || !flow_is_closed(f, at, &until))
			continue;
		if (best != PORCH_NO_FLOW)
			return (__s32)(until - tick) < least ? at : best;
		least = until - tick;
		best = at;
	}
	return best;
}

/*
 * BUSY, if its flow is closed still. A new life of its tuple may begin on another
 * CPU at this moment, and that leaves the set's word as it is. *state: what it was.
 */
INLINE int flow_seize_closed(struct porch_flow *f, __u32 at, __u8 *state)
{
	struct porch_steer *s = steer_at(at);
	__u32 serial, until;

	*state = *(volatile __u8 *)&f->state;
	serial = s ? steer_serial(s) : 0;
	if (!flow_is_closed(f, at, &until) || !flow_seize(f, *state))
		return 0;
	if (*state != PORCH_FLOW_HANDED || (s && steer_serial(s) == serial))
		return 1;
	flow_yield(f, *state);
	return 0;
}

/*
 * Claim a way for the tuple, in the emptier of its sets. The way is BUSY when
 * this returns its index. FLOW_UNKNOWN: the tuple has a way already.
 */
__noinline long flow_claim(const struct flow_key *k, __u32 tick)
{
	if (!k)
		return FLOW_NO_ROOM;
#pragma nounroll
	for (int try = 0; try < 4; try++) {
		__u32 set1 = k->set1, set2 = k->set2; /* before 6.3 a key must lie on the stack */
		__u64 *w1 = bpf_map_lookup_elem(&porch_flow_tags, &set1);
		__u64 *w2 = bpf_map_lookup_elem(&porch_flow_tags, &set2);
		__u64 a, b, *w, old;
		struct porch_flow *f;
		__u32 at, shift;
		int reused;
		__u8 state;

		if (!w1 || !w2)
			return FLOW_NO_ROOM;
		a = *(volatile __u64 *)w1;
		b = *(volatile __u64 *)w2;
		if (flow_match(a, k->fingerprint) | flow_match(b, k->fingerprint)) {
			long found = flow_find(k);

			if (found != FLOW_UNKNOWN)
				return found == FLOW_BUSY_NOW ? FLOW_BUSY_NOW : FLOW_UNKNOWN;
		}
		if (free_ways(a) | free_ways(b))
			at = free_ways(a) >= free_ways(b) ? k->set1 * PORCH_SET_WAYS + first_free(a)
							  : k->set2 * PORCH_SET_WAYS + first_free(b);
		else
			at = flow_oldest(k, tick);
		f = at == PORCH_NO_FLOW ? 0 : flow_at(at);
		if (!f)
			return FLOW_NO_ROOM;
		w = at / PORCH_SET_WAYS == k->set1 ? w1 : w2;
		old = at / PORCH_SET_WAYS == k->set1 ? a : b;
		shift = (at % PORCH_SET_WAYS) * 16;
		reused = old >> shift & 0xffff;
		if (reused && !flow_seize_closed(f, at, &state))
			continue;
		if (__sync_val_compare_and_swap(
			    w, old, (old & ~(0xffffull << shift)) | (__u64)k->fingerprint << shift) != old) {
			if (reused)
				flow_yield(f, state);
			continue;
		}
		*(volatile __u8 *)&f->state = PORCH_FLOW_BUSY;
		if (reused)
			COUNT(flows_reused);
		return at;
	}
	return FLOW_BUSY_NOW;
}

/* Write a claimed flow; `like` carries everything but tuple and state. */
INLINE void flow_publish(__u32 index, const struct flow_key *k, const struct porch_flow *like, __u8 state)
{
	struct porch_flow *f = flow_at(index);
	__u64 *a, *b;

	if (!f)
		return;
	a = (void *)f->remote;
	b = (void *)f->local;
	a[0] = k->s[0];
	a[1] = k->s[1];
	b[0] = k->d[0];
	b[1] = k->d[1];
	f->remote_port = ntohs(k->ports & 0xffff);
	f->local_port = ntohs(k->ports >> 16);
	f->listener = like->listener;
	f->options = like->options;
	f->wscale = like->wscale;
	f->mss = like->mss;
	f->assigned = 0;
	f->by_cookie = like->by_cookie;
	f->irs = like->irs;
	f->iss = like->iss;
	f->ts_recent = like->ts_recent;
	f->ts_ecr = like->ts_ecr;
	f->expires = like->expires;
	barrier();
	*(volatile __u8 *)&f->state = state;
	if (state == PORCH_FLOW_DELIVERED || state == PORCH_FLOW_CLOSING)
		flow_hold(index, 1);
}

#endif /* PORCH_BPF_FLOW_LIFE_H */
