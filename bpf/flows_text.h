/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `cat <pin>/flows`: a raw dump of a set-associative table is mostly empty. */
#ifndef PORCH_BPF_FLOWS_TEXT_H
#define PORCH_BPF_FLOWS_TEXT_H

static const char flow_state_names[][12] = { "free",	"busy",	     "proven", "delivered",
					     "closing", "tombstone", "handed" };
static const char phase_names[][12] = { "pending",   "steered",	  "closing", "time_wait",
					"tombstone", "forgotten", "?",	     "?" };

/* Phase and worker of a HANDED flow. */
INLINE void handed_text(struct seq_file *seq, __u32 index)
{
	struct porch_steer *s = steer_at(index);
	__u64 word;

	if (!s)
		return;
	word = steer_word(s, steer_serial(s));
	BPF_SEQ_PRINTF(seq, " %s worker %d", phase_names[PORCH_STEER_PHASE(word) & 7],
		       PORCH_STEER_WORKER(word));
}

INLINE int flows_text(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	const struct porch_flow *f = ctx->value;
	const __u32 *index = ctx->key;
	__u32 state;

	if (!f || !index)
		return 0;
	state = f->state;
	if (state <= PORCH_FLOW_BUSY || state > PORCH_FLOW_HANDED)
		return 0;
	if (IS_MAPPED(((const __u64 *)f->remote)[0], ((const __u64 *)f->remote)[1]))
		BPF_SEQ_PRINTF(seq, "%s %pI4:%d %pI4:%d listener %d", flow_state_names[state], f->remote + 12,
			       f->remote_port, f->local + 12, f->local_port, f->listener);
	else
		BPF_SEQ_PRINTF(seq, "%s [%pI6]:%d [%pI6]:%d listener %d", flow_state_names[state], f->remote,
			       f->remote_port, f->local, f->local_port, f->listener);
	if (state == PORCH_FLOW_HANDED)
		handed_text(seq, *index);
	BPF_SEQ_PRINTF(seq, "\n");
	return 0;
}

#endif /* PORCH_BPF_FLOWS_TEXT_H */
