/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The only place that counts. Per CPU, so plain additions do. */
#ifndef PORCH_BPF_COUNT_H
#define PORCH_BPF_COUNT_H


INLINE struct porch_counters *counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&porch_counters, &zero);
}

INLINE struct porch_scratch *scratch_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&porch_scratch, &zero);
}

INLINE struct porch_stats *stats_of(__u32 listener)
{
	return bpf_map_lookup_elem(&porch_stats, &listener);
}

/* An event that belongs to no listener. */
#define COUNT(event)                                                                                         \
	do {                                                                                                 \
		struct porch_counters *c_ = counters();                                                      \
		if (c_)                                                                                      \
			c_->event++;                                                                         \
	} while (0)

/* An event that status shows per listener as well. */
#define COUNT_BOTH(listener, event)                                                                          \
	do {                                                                                                 \
		struct porch_counters *c_ = counters();                                                      \
		struct porch_stats *s_ = stats_of(listener);                                                 \
		if (c_)                                                                                      \
			c_->event++;                                                                         \
		if (s_)                                                                                      \
			s_->event++;                                                                         \
	} while (0)

__noinline int count_refusal(__u32 listener, __u32 reason)
{
	struct porch_counters *c = counters();
	struct porch_stats *s = stats_of(listener);

	if (!c)
		return REFUSE;
	if (s)
		s->refused++;
	/* the refused_* fields stand in the order of their numbers */
	reason -= 1;
	if (reason < PORCH_REASON_END - 1)
		(&c->refused_bad_header)[reason]++;
	return REFUSE;
}

/* Count and refuse, in one word: `return refuse(listener, PORCH_REASON_X)`. */
#define refuse(listener, reason) ((enum verdict)count_refusal(listener, reason))

#endif /* PORCH_BPF_COUNT_H */
