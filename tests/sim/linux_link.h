/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A link in real time between a TUN device and another, or the engine behind a plain handshake. */
#ifndef PORCH_TESTS_LINUX_LINK_H
#define PORCH_TESTS_LINUX_LINK_H

#include "tcp/internal.h"

struct link {
	uint32_t loss, reorder; /* in 100,000 */
	uint64_t delay, rate;
	uint32_t queue;
	uint64_t random;
	uint64_t free_at[2];
	uint32_t waiting[2];
};

struct link_end {
	struct tcp_stack stack;
	struct tcp_conn conn;
	bool open;
	void *free_block;
	uint8_t frame[2048];
	struct link *link;
};

/*
 * Frames go from `tun` through the link to `other` and back; `other` -1: to an
 * engine, whose application `serve` is. Until `done` is readable.
 */
void link_run(struct link *link, int tun, int other, int done, void (*serve)(struct link_end *, void *),
	      void *user);

#endif /* PORCH_TESTS_LINUX_LINK_H */
