/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One thread, turning: what is polled, then file descriptors, then timers.
 *
 * A turn calls every poller. When none of them finds work, what follows depends on how
 * long ago the last was:
 *   spin  for `spin` nanoseconds (none, unless asked for): the CPU is given away and the
 *         next turn begins at once. The lowest latency, and all of a CPU nobody else wants
 *   nap   LOOP_NAPS times: a short sleep that nothing ends. Work that comes every few
 *         microseconds is found in batches, and costs whoever brings it no wake-up
 *   sleep in epoll_wait(), until a file descriptor or a timer has something. Rings have
 *         no file descriptor, so before it sleeps the loop says so in every session
 *         (struct loop_sleep): whoever publishes after that writes an eventfd
 *
 * Callbacks may add and remove anything, themselves included.
 */
#ifndef PORCH_DAEMON_LOOP_H
#define PORCH_DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "daemon/daemon.h"

#define LOOP_NAP_NS	 200000ull
#define LOOP_NAPS	 1
#define LOOP_POLLERS_MAX 8
#define LOOP_FDS_MAX	 65536 /* descriptors from here on are refused, -ENFILE */

#define NS_PER_MS	 1000000ull
#define NS_PER_SEC	 1000000000ull

typedef void (*loop_fd_fn)(struct daemon *d, uint32_t events, void *arg);
typedef int (*loop_poll_fn)(struct daemon *d); /* returns work done, 0: none */
typedef void (*loop_timer_fn)(struct daemon *d, void *arg);

/* The caller's memory; zeroed before first use, stopped before it is freed. */
struct loop_timer {
	uint64_t at; /* CLOCK_MONOTONIC ns; valid while armed */
	loop_timer_fn fn;
	void *arg;
	struct loop_timer *next, *previous;
	bool armed;
};

/* How sessions learn that this thread sleeps. Defaults: session.h; a test has its own. */
struct loop_sleep {
	void (*sleep)(struct daemon *d, bool asleep);
	bool (*pending)(struct daemon *d);
};

int loop_new(struct daemon *d, const struct loop_sleep *sleep, struct loop **ret);
void loop_free(struct loop *loop);

/*
 * Level-triggered. fn NULL: the descriptor wakes the loop, a poller empties it
 * (an AF_XDP socket). Remove before close(). 0 or -errno.
 */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *arg);
int loop_change(struct loop *loop, int fd, uint32_t events);
void loop_remove(struct loop *loop, int fd);

int loop_add_poller(struct loop *loop, loop_poll_fn fn);

/* Runs fn once, not before `at` (d->now + something). Arming anew moves it. */
void loop_timer_arm(struct loop *loop, struct loop_timer *timer, uint64_t at, loop_timer_fn fn, void *arg);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* How long it spins after work; 0 at first. */
void loop_spin(struct loop *loop, uint64_t ns);

/* Until loop_stop(); then its argument. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int status);

/* One turn; `wait`: may sleep. For tests and loop_run(). */
void loop_turn(struct loop *loop, bool wait);

uint64_t loop_clock(void); /* CLOCK_MONOTONIC, ns */

#endif /* PORCH_DAEMON_LOOP_H */
