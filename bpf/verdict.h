/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The only place that turns verdicts into XDP actions. */
#ifndef PORCH_BPF_VERDICT_H
#define PORCH_BPF_VERDICT_H

INLINE int xdp_action(enum verdict v, const struct porch_listener_entry *l)
{
	/* monitor decides and counts, and changes nothing */
	if (unlikely(l->protect == PORCH_PROTECT_MONITOR))
		return XDP_PASS;
	switch (v) {
	case REFUSE:
		return XDP_DROP;
	case ANSWER:
		return XDP_TX;
	default:
		return XDP_PASS;
	}
}

#endif /* PORCH_BPF_VERDICT_H */
