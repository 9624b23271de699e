// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/heartbeat.h"
#include "daemon/loop.h"

#define BEAT_NS	    (500 * NS_PER_MS)
#define NS_PER_TICK (NS_PER_SEC / PORCH_TICKS_PER_SEC)

static struct loop_timer timer;
static uint64_t watchdog_ns, watchdog_at;
static unsigned int beats;

/* As the timer in XDP counts; 0 would say goodbye. */
static uint32_t tick(void)
{
	struct timespec t;
	uint32_t now;

	clock_gettime(CLOCK_BOOTTIME, &t);
	now = (t.tv_sec * NS_PER_SEC + t.tv_nsec) / NS_PER_TICK;
	return now ? now : 1;
}

static void beat(struct daemon *d, void *arg)
{
	struct porch_host *h = d->tables.host;

	h->fallback = d->config.fallback;
	h->daemon_pid = getpid();
	__atomic_store_n(&h->daemon_tick, tick(), __ATOMIC_RELEASE);
	if (watchdog_ns && d->now >= watchdog_at) {
		sd_notify(0, "WATCHDOG=1");
		watchdog_at = d->now + watchdog_ns;
	}
	if (beats++ % 2 == 0) {
		listen_refresh(d);
		rebuild_expire(d);
	}
	loop_timer_arm(d->loop, &timer, d->now + BEAT_NS, beat, NULL);
}

void heartbeat_start(struct daemon *d)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) > 0)
		watchdog_ns = usec * 1000 / 3;
	beat(d, NULL);
}

void heartbeat_stop(struct daemon *d)
{
	struct porch_host *h = d->tables.host;

	if (d->loop)
		loop_timer_stop(d->loop, &timer);
	/* another porchd's by now? */
	if (h && h->daemon_pid == (uint32_t)getpid()) {
		__atomic_store_n(&h->daemon_tick, 0, __ATOMIC_RELEASE);
		h->daemon_pid = 0;
	}
}
