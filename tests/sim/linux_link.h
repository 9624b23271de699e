/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A link in real time between a TUN device and another, or the engine behind a plain handshake. */
#ifndef PORCH_TESTS_LINUX_LINK_H
#define PORCH_TESTS_LINUX_LINK_H

#include "tcp/internal.h"

#define LINK_L3 14 /* room for Ethernet in front of what a TUN device carries */

struct link {
	uint32_t loss, reorder, mark; /* in 100,000; mark: Congestion Experienced, where it may be said */
	uint64_t delay, rate;	      /* ns one way; octets a second */
	uint32_t queue;		      /* packets */
	uint64_t random[2]; /* of each direction, so that its n-th packet has the same fate every time */
	uint64_t free_at[2];
	uint32_t waiting[2];
};

uint64_t link_clock(void);
/* linux_link.c: `frame` has its IP header at LINK_L3. To 0: the TUN device; 1: the other or the engine. */
void link_carry(struct link *l, int to, const uint8_t *frame, uint32_t length, uint64_t now);

struct link_end;
/*
 * Frames go from `tun` through the link to `other` and back; `other` -1: to the
 * engine `end`. Until `done` is readable.
 */
void link_run(struct link *link, int tun, int other, int done, struct link_end *end);

/* linux_engine.c */
struct link_end *link_end_new(struct link *link, uint32_t congestion,
			      void (*serve)(struct tcp_stack *, struct tcp_conn *, void *), void *user);
void link_end_free(struct link_end *e);
void link_end_arrive(struct link_end *e, const uint8_t *frame, uint32_t length, uint64_t now);
void link_end_turn(struct link_end *e, uint64_t now);
uint64_t link_end_next(const struct link_end *e);

#endif /* PORCH_TESTS_LINUX_LINK_H */
