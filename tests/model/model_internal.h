/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the model's own files. */
#ifndef PORCH_TESTS_MODEL_INTERNAL_H
#define PORCH_TESTS_MODEL_INTERNAL_H

#include "model.h"

int model_refuse(struct model *m, int index, int reason);
/* A stamp of the last `seconds`; 0 is "never". */
bool model_within(__u32 stamp, __u32 tick, __u32 seconds);
int model_regime(const struct porch_listener_entry *l);
void model_arm(struct model *m, struct porch_listener_entry *l);
/* The SYN-ACK, and what is remembered of it. */
void model_answer(struct model *m, const struct frame *in, const struct model_segment *s, int index,
		  int regime, struct frame *out);
bool model_afxdp(const struct porch_listener_entry *l);
/* Why nobody is admitted now; 0: somebody may be. */
int model_door(const struct model *m, int index);
/* A SYN of a HANDED flow: a verdict, or -1: as any other. */
int model_syn_of_handed(struct model *m, const struct frame *in, const struct model_segment *s, struct model_flow *f,
			int index, struct frame *out);
/* Of a HANDED flow that somebody has: to him. */
int model_steer(struct model *m, const struct frame *in, const struct model_segment *s, struct model_flow *f,
		int index, struct frame *out);
/* What is not a SYN, for deliver=afxdp. */
int model_afxdp_arrives(struct model *m, const struct frame *in, const struct model_segment *s, int index,
			struct frame *out);
int model_unknown(struct model *m, int index, int reason);
/* A segment without ACK, of nobody. */
int model_stray(struct model *m, const struct model_segment *s, int index);
/* 1: the entry proves, 0: none, -1: it is of other numbers. */
int model_entry_proves(struct model *m, const struct model_segment *s, struct porch_flow *f, bool spend);
bool model_cookie_proves(struct model *m, const struct model_segment *s, struct porch_flow *f);
/* A TCP segment of ours, whole; `options` of `n` octets. */
struct model_out {
	__u32 seq, ack;
	__u16 flags, window;
};
void model_write(const struct model *m, const struct frame *in, const struct model_segment *s,
		 const struct model_out *o, const __u8 *options, __u32 n, struct frame *out);
int model_segment_arrives(struct model *m, const struct frame *in, const struct model_segment *s, int index,
			  struct frame *out);

#endif /* PORCH_TESTS_MODEL_INTERNAL_H */
