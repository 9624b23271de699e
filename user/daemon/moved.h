/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Next hops whose MAC has changed lately. A connection in an accept queue has the MAC its
 * proof came with; when it is handed over, this says what that has become. Those that wait
 * outside, and those that applications hold, are told at the moment of the change.
 */
#ifndef PORCH_DAEMON_MOVED_H
#define PORCH_DAEMON_MOVED_H

#include <stdint.h>

#define MOVED_MAX 16 /* the latest; a queue waits for minutes, routers fail over once in a while */

struct moved_row {
	uint64_t at; /* CLOCK_MONOTONIC ns */
	uint32_t ifindex;
	uint8_t was[6], is[6];
};

struct moved {
	struct moved_row rows[MOVED_MAX]; /* the n-th is at n % MOVED_MAX */
	uint32_t n;
};

void moved_note(struct moved *m, uint64_t now, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6]);
/* `mac`, heard at `since`, becomes what it is now. */
void moved_follow(const struct moved *m, uint64_t since, uint32_t ifindex, uint8_t mac[6]);

#endif /* PORCH_DAEMON_MOVED_H */
