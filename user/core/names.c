// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "core/names.h"
#include "core/util.h"

static const char *const delivers[] = {
	[PORCH_DELIVER_KERNEL] = "kernel",
	[PORCH_DELIVER_AFXDP] = "afxdp",
};

static const char *const protects[] = {
	[PORCH_PROTECT_OFF] = "off",
	[PORCH_PROTECT_MONITOR] = "monitor",
	[PORCH_PROTECT_ON_ATTACK] = "on-attack",
	[PORCH_PROTECT_ALWAYS] = "always",
};

static const char *const regimes[] = {
	[PORCH_REGIME_KERNEL] = "kernel",
	[PORCH_REGIME_TRACKED] = "tracked",
	[PORCH_REGIME_STATELESS] = "stateless",
};

static const char *const overflows[] = {
	[PORCH_OVERFLOW_DROP] = "drop",
	[PORCH_OVERFLOW_RESET] = "reset",
};

static const char *const flow_states[] = {
	[PORCH_FLOW_FREE] = "free",	  [PORCH_FLOW_BUSY] = "busy",
	[PORCH_FLOW_PROVEN] = "proven",	  [PORCH_FLOW_DELIVERED] = "delivered",
	[PORCH_FLOW_CLOSING] = "closing", [PORCH_FLOW_TOMBSTONE] = "tombstone",
	[PORCH_FLOW_HANDED] = "handed",
};

static const char *const phases[] = {
	[PORCH_PHASE_PENDING] = "pending",     [PORCH_PHASE_STEERED] = "steered",
	[PORCH_PHASE_CLOSING] = "closing",     [PORCH_PHASE_TIME_WAIT] = "time_wait",
	[PORCH_PHASE_TOMBSTONE] = "tombstone", [PORCH_PHASE_FORGOTTEN] = "forgotten",
};

static const char *const healths[] = {
#define X(number, name, text, why) [number] = text,
	PORCH_HEALTH_LIST(X)
#undef X
};

static const char *const health_texts[] = {
#define X(number, name, text, why) [number] = why,
	PORCH_HEALTH_LIST(X)
#undef X
};

static const char *const reasons[] = { [PORCH_REASON_NONE] = "none",
#define X(number, name, field, text) [number] = #field,
				       PORCH_REASON_LIST(X)
#undef X
};

static const char *const reason_texts[] = { [PORCH_REASON_NONE] = "not refused",
#define X(number, name, field, text) [number] = text,
					    PORCH_REASON_LIST(X)
#undef X
};

#define OF(table, number) ((number) < ARRAY_SIZE(table) && (table)[number] ? (table)[number] : "unknown")

const char *porch_deliver_name(unsigned int deliver)
{
	return OF(delivers, deliver);
}

const char *porch_protect_name(unsigned int protect)
{
	return OF(protects, protect);
}

const char *porch_regime_name(unsigned int regime)
{
	return OF(regimes, regime);
}

const char *porch_overflow_name(unsigned int overflow)
{
	return OF(overflows, overflow);
}

const char *porch_flow_state_name(unsigned int state)
{
	return OF(flow_states, state);
}

const char *porch_phase_name(unsigned int phase)
{
	return OF(phases, phase);
}

const char *porch_health_name(unsigned int health)
{
	return OF(healths, health);
}

const char *porch_health_text(unsigned int health)
{
	return OF(health_texts, health);
}

const char *porch_reason_name(unsigned int reason)
{
	return OF(reasons, reason);
}

const char *porch_reason_text(unsigned int reason)
{
	return OF(reason_texts, reason);
}

static int find(const char *const *table, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (table[i] && !strcmp(table[i], word))
			return i;
	}
	return -EINVAL;
}

int porch_deliver_parse(const char *word)
{
	return find(delivers, ARRAY_SIZE(delivers), word);
}

int porch_protect_parse(const char *word)
{
	return find(protects, ARRAY_SIZE(protects), word);
}

int porch_overflow_parse(const char *word)
{
	return find(overflows, ARRAY_SIZE(overflows), word);
}

#define COUNTER(field)                                                                                       \
	{                                                                                                    \
#field, offsetof(struct porch_counters, field), 0                                            \
	}

const struct porch_counter_name porch_counter_names[] = {
	COUNTER(syn_received),	 COUNTER(syn_passed),	   COUNTER(synack_sent),
	COUNTER(synack_slow),	 COUNTER(proven),	   COUNTER(proven_by_entry),
	COUNTER(delivered),	 COUNTER(flow_table_full), COUNTER(flows_lost),
	COUNTER(unknown_passed), COUNTER(half_open_full),  COUNTER(half_open_expired),
	COUNTER(flows_expired),	 COUNTER(flows_reused),
	COUNTER(regime_up),	   COUNTER(regime_down),
	COUNTER(probes),	 COUNTER(deferred),	   COUNTER(addresses_learned),
	COUNTER(rtt_samples),	 COUNTER(rtt_us_sum),
#define X(number, name, field, text) { #field, offsetof(struct porch_counters, refused_##field), number },
	PORCH_REASON_LIST(X)
#undef X
};

const size_t porch_n_counter_names = ARRAY_SIZE(porch_counter_names);

/* A counter added to the struct and forgotten here would never be shown. */
_Static_assert(sizeof(porch_counter_names) / sizeof(porch_counter_names[0]) ==
		       sizeof(struct porch_counters) / sizeof(__u64),
	       "every counter has a name");
