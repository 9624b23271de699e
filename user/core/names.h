/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vocabulary of maps.h as text. The words are JSON values and arguments,
 * so they never change; a number without a word reads "unknown".
 */
#ifndef PORCH_CORE_NAMES_H
#define PORCH_CORE_NAMES_H

#include <stddef.h>

#include <porch/maps.h>

const char *porch_deliver_name(unsigned int deliver);
const char *porch_protect_name(unsigned int protect);
const char *porch_regime_name(unsigned int regime);
const char *porch_overflow_name(unsigned int overflow);
const char *porch_flow_state_name(unsigned int state);
const char *porch_phase_name(unsigned int phase);	/* of a flow that is handed */
const char *porch_health_name(unsigned int health);
const char *porch_health_text(unsigned int health);	/* one sentence */
const char *porch_reason_name(unsigned int reason);
const char *porch_reason_text(unsigned int reason);

/* The number of a word, or -EINVAL. */
int porch_deliver_parse(const char *word);
int porch_protect_parse(const char *word);
int porch_overflow_parse(const char *word);

/* Every counter of struct porch_counters in its order: name and place. Refusals come last. */
struct porch_counter_name {
	const char *name;	/* the field's; a refusal's without "refused_" */
	size_t offset;		/* of a __u64 in struct porch_counters */
	unsigned int reason;	/* enum porch_reason; 0: not a refusal */
};

extern const struct porch_counter_name porch_counter_names[];
extern const size_t porch_n_counter_names;

#endif /* PORCH_CORE_NAMES_H */
