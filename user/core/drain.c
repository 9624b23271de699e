// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <time.h>

#include "core/drain.h"
#include "core/tables.h"

#define MAX_MS	 3000
#define QUIET_MS 500 /* longer than most round trips; each proof starts it anew */
#define STEP_MS	 20

/*
 * A listener drains by being on-attack with a rate that no attack reaches: SYNs
 * pass, cookies are still looked at. What it was is kept in the map (protect
 * plus 1, and the rate), so that the next command puts it right if this one
 * does not live to do it.
 */
#define SAVED_PROTECT(listener) ((listener)->reserved1[0])
#define SAVED_RATE(listener)	((listener)->reserved1[1])
#define NO_RATE			0xffffffffu

static bool within(__u32 stamp, __u32 tick, __u32 seconds)
{
	return stamp && tick - stamp <= seconds * PORCH_TICKS_PER_SEC;
}

bool porch_listener_owes(const struct porch_listener_entry *l, __u32 tick, __u32 half_open_seconds)
{
	return within(l->issued_ts, tick, PORCH_FORM_SECONDS) ||
	       within(l->issued_plain, tick, PORCH_FORM_SECONDS) ||
	       within(l->issued_tracked, tick, half_open_seconds);
}

/* Changes whenever a final ACK proves something or a proven flow is delivered. */
static __u64 progress(const struct porch_tables *tables)
{
	struct porch_counters counters = {};

	porch_tables_counters(tables, &counters);
	return counters.proven + counters.delivered;
}

static bool any_undelivered(const struct porch_tables *tables)
{
	__u32 i;

	for (i = 0; i < tables->n_flows; i++) {
		if (tables->flow_tags[i / PORCH_SET_WAYS] && tables->flows[i].state == PORCH_FLOW_PROVEN)
			return true;
	}
	return false;
}

static void stop_answering(struct porch_listener_entry *l)
{
	if (!SAVED_PROTECT(l)) {
		SAVED_RATE(l) = l->syn_rate;
		__atomic_store_n(&SAVED_PROTECT(l), 1 + l->protect, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&l->syn_rate, NO_RATE, __ATOMIC_RELEASE);
	__atomic_store_n(&l->protect, PORCH_PROTECT_ON_ATTACK, __ATOMIC_RELEASE);
	__atomic_store_n(&l->regime, PORCH_REGIME_KERNEL, __ATOMIC_SEQ_CST);
}

void porch_listener_protect(struct porch_listener_entry *l, __u8 protect)
{
	/* BPF knows only of changes under load: the quiet regime of each is ours to say */
	if (protect == PORCH_PROTECT_ALWAYS && l->regime == PORCH_REGIME_KERNEL)
		__atomic_store_n(&l->regime, PORCH_REGIME_TRACKED, __ATOMIC_RELEASE);
	__atomic_store_n(&l->protect, protect, __ATOMIC_RELEASE);
	if (protect == PORCH_PROTECT_OFF ||
	    (protect != PORCH_PROTECT_ALWAYS && l->regime == PORCH_REGIME_TRACKED))
		__atomic_store_n(&l->regime, PORCH_REGIME_KERNEL, __ATOMIC_RELEASE);
}

/* Another CPU may have been about to arm as the rate changed. */
static void keep_stopped(const struct porch_tables *tables)
{
	__u32 i;

	for_each_listener (tables, i) {
		if (SAVED_PROTECT(&tables->listeners[i]))
			stop_answering(&tables->listeners[i]);
	}
}

static void wait_for_proofs(const struct porch_tables *tables)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	__u64 before = progress(tables), now;
	int elapsed, quiet = 0;

	for (elapsed = 0; elapsed < MAX_MS && (quiet < QUIET_MS || any_undelivered(tables));
	     elapsed += STEP_MS) {
		nanosleep(&step, NULL);
		keep_stopped(tables);
		now = progress(tables);
		quiet = now == before ? quiet + STEP_MS : 0;
		before = now;
	}
}

void porch_drain(const struct porch_tables *tables, __u32 index)
{
	const struct porch_host *host = tables->host;
	bool owes = false;
	__u32 i;

	for_each_listener (tables, i) {
		struct porch_listener_entry *l = &tables->listeners[i];

		if ((index && i != index) ||
		    (l->protect != PORCH_PROTECT_ON_ATTACK && l->protect != PORCH_PROTECT_ALWAYS))
			continue;
		stop_answering(l);
		owes |= porch_listener_owes(l, host->tick, host->half_open_seconds);
	}
	if (owes)
		wait_for_proofs(tables);
}

void porch_drain_end(const struct porch_tables *tables, __u32 index, __u8 protect)
{
	struct porch_listener_entry *l = &tables->listeners[index];

	if (SAVED_PROTECT(l)) {
		l->left_kernel = tables->host->tick;
		__atomic_store_n(&l->syn_rate, SAVED_RATE(l), __ATOMIC_RELEASE);
	}
	porch_listener_protect(l, protect);
	SAVED_PROTECT(l) = 0;
}

void porch_drain_undo(const struct porch_tables *tables)
{
	__u32 i;

	for_each_listener (tables, i) {
		if (SAVED_PROTECT(&tables->listeners[i]))
			porch_drain_end(tables, i, SAVED_PROTECT(&tables->listeners[i]) - 1);
	}
}
