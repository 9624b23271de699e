/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Does a segment prove a handshake? By its cookie, by its half-open entry, or
 * not. What becomes of one that does: ack.h for the kernel, admit.h for porchd.
 */
#ifndef PORCH_BPF_PROOF_H
#define PORCH_BPF_PROOF_H

/* Of a segment's flags those that a connection's state asks for. */
#define FLAGS_OF_STATE (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)

INLINE int is_final_ack(__u32 flags)
{
	return flags == TCP_ACK || flags == (TCP_ACK | TCP_FIN);
}

INLINE enum verdict unknown(struct porch_scratch *scratch, __u32 index, __u32 reason)
{
	scratch->general.listener = index;
	scratch->general.reason = reason;
	return UNKNOWN;
}

/* Does the cookie prove the segment? One SipHash. 1: right; fills `p`. */
INLINE int cookie_proves(const struct segment *seg, const struct porch_keys *keys, const struct porch_host *h,
			 struct proof *p)
{
	__u32 isn = seg->ack - 1, ts = seg->options & PORCH_OPT_TIMESTAMPS, fields, epoch, class;
	__u64 mac;

	if (ts) {
		fields = seg->tsecr >> COOKIE_TS_BITS;
		epoch = cookie_ts_epoch(seg->tsecr, h->epoch);
	} else {
		fields = isn & COOKIE_PLAIN_OPTIONS;
		epoch = cookie_plain_epoch(isn, h->epoch);
	}
	mac = cookie_mac(&keys->epoch_key[epoch & 3], seg->v6, seg->s, seg->d, seg->ports, seg->seq - 1,
			 ts ? fields | COOKIE_FORM_TS : fields, epoch);
	if (ts) {
		if ((__u32)mac != isn || ((mac >> 32 ^ seg->tsecr) & COOKIE_TS_MAC))
			return 0;
		p->mss = fields >> 6 & COOKIE_MSS_MAX;
		p->wscale = fields >> 2 & 15;
		p->options = PORCH_OPT_TIMESTAMPS | (fields & 2 ? PORCH_OPT_SACK : 0) |
			     (fields & 1 ? PORCH_OPT_ECN : 0);
		if (p->wscale == COOKIE_NO_WSCALE)
			p->wscale = 0;
		else
			p->options |= PORCH_OPT_WSCALE;
		return 1;
	}
	if (((__u32)mac ^ isn) >> COOKIE_PLAIN_BITS)
		return 0;
	class = fields >> 1 & 7;
	p->mss = cookie_class_mss(seg->v6, fields >> 4);
	p->options = (fields & 1 ? PORCH_OPT_SACK : 0) | (class ? PORCH_OPT_WSCALE : 0);
	p->wscale = class ? cookie_class_wscale(class) : 0;
	return 1;
}

/* porchd sends the SYN-ACK again after a second: from then on it is not known
 * which of them the ACK answers (Karn's rule). */
#define RTT_SAMPLE_US 1000000

/* It has done its work. The round trip it saw, in microseconds; 0: it cannot be known. */
INLINE __u32 entry_spend(const struct flow_key *k, const struct porch_half_open *e)
{
	__u32 us = (__u32)(clock_ns() / 1000) - e->born_us;
	struct porch_counters *c = counters();
	int known = !e->retransmits && us < RTT_SAMPLE_US;

	if (c) {
		c->proven_by_entry++;
		if (known) {
			c->rtt_samples++;
			c->rtt_us_sum += us;
		}
	}
	half_open_remove(k);
	return known ? us + !us : 0;
}

/* The entry, if there is one, is exact where a cookie rounds, and it outlives
 * the epoch. 1: proven; 0: no entry; -1: the entry is of other numbers. `spend`:
 * remove one that proves. */
__noinline int entry_proves(const struct flow_key *k, __u32 seq, __u32 ack, struct proof *p, int spend)
{
	struct porch_host *h = host_settings();
	struct porch_half_open *e;

	if (!k || !p || !h)
		return 0;
	e = half_open_find(k);
	if (!e || (__s32)(h->tick - e->expires) >= 0)
		return 0;
	if (ack != e->iss + 1 || seq != e->irs + 1)
		return -1;
	p->mss = e->mss;
	p->options = e->options;
	p->wscale = e->wscale & 15;
	if (spend)
		entry_spend(k, e);
	return 1;
}

/* What entry_proves() left, now that the flow has its way: entry_spend()'s round trip. */
__noinline int entry_done(const struct flow_key *k)
{
	struct porch_half_open *e = k ? half_open_find(k) : 0;

	return k && e ? entry_spend(k, e) : 0;
}

/*
 * Is it a final ACK that counts? GO_ON: it is, and scratch->proof and
 * scratch->flow say what was agreed.
 *
 * `undelivered`: the tuple has a proven flow already, which this segment does
 * not prove again. It may prove a new attempt of the client; if not, it is a
 * later segment of that flow, as scratch->proof says.
 * `spend`: a half-open entry that proves is removed; *entry says if one did.
 */
INLINE enum verdict final_ack(const struct segment *seg, int undelivered, int spend, __u32 index,
			      const struct porch_listener_entry *l, const struct porch_host *h,
			      struct porch_scratch *scratch, int *entry)
{
	int ts = seg->options & PORCH_OPT_TIMESTAMPS, tracked, right;
	struct porch_flow *like = &scratch->flow;
	struct proof *p = &scratch->proof;
	struct porch_keys *keys;
	__u32 zero = 0;

	*entry = 0;
	keys = bpf_map_lookup_elem(&porch_keys, &zero);
	if (!keys)
		return PASS;
	right = cookie_proves(seg, keys, h, p);
	/* A cookie with timestamps is exact: under attack its entry, if any, is left
	 * to the sweep, for a lookup costs more than all the rest of the proof. */
	tracked = issued_within(l->issued_tracked, h->tick, h->half_open_seconds);
	if (tracked && (regime_of(l) == PORCH_REGIME_TRACKED || (right && !ts)))
		*entry = entry_proves(&scratch->key, seg->seq, seg->ack, p, spend);
	if (undelivered && *entry <= 0 &&
	    (!right || !issued_within(ts ? l->issued_ts : l->issued_plain, h->tick, PORCH_FORM_SECONDS)))
		return DELIVER;
	if (!right && *entry <= 0)
		return unknown(scratch, index, *entry ? PORCH_REASON_BAD_ACK : PORCH_REASON_BAD_COOKIE);
	if (*entry <= 0 && !issued_within(ts ? l->issued_ts : l->issued_plain, h->tick, PORCH_FORM_SECONDS))
		return unknown(scratch, index, PORCH_REASON_NOT_ISSUED);

	p->wscale |= our_wscale(l, h) << 4;
	p->kind = PORCH_META_PROOF;
	p->ts_recent = seg->tsval;
	p->ts_ecr = seg->tsecr;
	like->listener = index;
	like->options = p->options;
	like->wscale = p->wscale;
	like->mss = p->mss;
	like->by_cookie = 1;
	like->irs = seg->seq - 1;
	like->iss = seg->ack - 1;
	like->ts_recent = seg->tsval;
	like->ts_ecr = seg->tsecr;
	like->expires = h->tick + PORCH_COOKIE_LIFE_SECONDS * PORCH_TICKS_PER_SEC;
	return GO_ON;
}

#endif /* PORCH_BPF_PROOF_H */
