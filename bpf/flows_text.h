/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `cat <pin>/flows`: a raw dump of a set-associative table is mostly empty. */
#ifndef PORCH_BPF_FLOWS_TEXT_H
#define PORCH_BPF_FLOWS_TEXT_H

static const char flow_state_names[][12] = { "free", "busy", "proven", "delivered", "closing", "tombstone" };

INLINE int flows_text(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	const struct porch_flow *f = ctx->value;
	__u32 state;

	if (!f)
		return 0;
	state = f->state;
	if (state <= PORCH_FLOW_BUSY || state > PORCH_FLOW_TOMBSTONE)
		return 0;
	if (IS_MAPPED(((const __u64 *)f->remote)[0], ((const __u64 *)f->remote)[1]))
		BPF_SEQ_PRINTF(seq, "%s %pI4:%d %pI4:%d listener %d\n", flow_state_names[state],
			       f->remote + 12, f->remote_port, f->local + 12, f->local_port, f->listener);
	else
		BPF_SEQ_PRINTF(seq, "%s [%pI6]:%d [%pI6]:%d listener %d\n", flow_state_names[state], f->remote,
			       f->remote_port, f->local, f->local_port, f->listener);
	return 0;
}

#endif /* PORCH_BPF_FLOWS_TEXT_H */
