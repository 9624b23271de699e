/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the model's own files. */
#ifndef PORCH_TESTS_MODEL_INTERNAL_H
#define PORCH_TESTS_MODEL_INTERNAL_H

#include "model.h"

int model_refuse(struct model *m, int index, int reason);
/* A stamp of the last `seconds`; 0 is "never". */
bool model_within(__u32 stamp, __u32 tick, __u32 seconds);
int model_regime(const struct porch_listener *l);
void model_arm(struct model *m, struct porch_listener *l);
/* The SYN-ACK, and what is remembered of it. */
void model_answer(struct model *m, const struct frame *in, const struct model_segment *s, int index,
		  int regime, struct frame *out);
int model_segment_arrives(struct model *m, const struct frame *in, const struct model_segment *s, int index,
			  struct frame *out);

#endif /* PORCH_TESTS_MODEL_INTERNAL_H */
