/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Letting cookies that are under way come home before nobody can check them any more. */
#ifndef PORCH_CORE_DRAIN_H
#define PORCH_CORE_DRAIN_H

#include <stdbool.h>

#include <porch/maps.h>

struct porch_tables;

/*
 * Lets the kernel answer the SYNs of listener `index` (0: of every one), then
 * waits until proofs have stopped coming in, three seconds at most; not at all
 * when no cookie was given out within its lifetime.
 */
void porch_drain(const struct porch_tables *tables, __u32 index);
/* Takes it back; also for a process that was killed while it drained. */
void porch_drain_undo(const struct porch_tables *tables);
/* Ends the draining of one listener with another `protect`. */
void porch_drain_end(const struct porch_tables *tables, __u32 index, __u8 protect);

/* Sets `protect`, and the regime that goes with it in quiet times. */
void porch_listener_protect(struct porch_listener_entry *listener, __u8 protect);

/* Pure: may a cookie of this listener still be under way? */
bool porch_listener_owes(const struct porch_listener_entry *listener, __u32 tick, __u32 half_open_seconds);

#endif /* PORCH_CORE_DRAIN_H */
