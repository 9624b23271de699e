// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <syslog.h>

#include "core/util.h"
#include "daemon/area.h"
#include "daemon/group.h"
#include "daemon/log.h"
#include "daemon/mend.h"
#include "daemon/peer.h"
#include "daemon/slots.h"
#include "daemon/umem.h"
#include "daemon/watch.h"
#include "daemon/worker.h"

static int look(uint32_t ifindex, char name[16], uint32_t *mtu, uint32_t *queues)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {};

	if (fd < 0)
		return -errno;
	if (!if_indextoname(ifindex, ifr.ifr_name))
		return -ENODEV;
	memcpy(name, ifr.ifr_name, 16);
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		return -errno;
	*mtu = ifr.ifr_mtu;
	*queues = watch_rx_queues(name);
	return *queues ? 0 : -ENODEV;
}

/* Areas and slots; memory and sockets come with the first worker. */
static int set_up(struct daemon *d, struct trust_group *g)
{
	struct umem_geometry geometry;
	uint32_t i;
	int r = umem_geometry(&d->config, g->mtu, g->queues, &geometry);

	if (r == -EMSGSIZE)
		log_limited(
			d->now, LOG_ERR,
			"%s: MTU %u is more than the %u that AF_XDP frames hold; set it lower with ip link",
			g->name, g->mtu, UMEM_MTU_MAX);
	if (r)
		return r;
	r = slots_assign(d, g);
	if (r) {
		log_limited(d->now, LOG_ERR, "%s: %u queues of %u workers do not fit %u AF_XDP slots: %s",
			    g->name, g->queues, d->config.workers, PORCH_SLOTS, strerror(-r));
		return r;
	}
	g->areas = calloc(g->queues, sizeof(*g->areas));
	if (!g->areas) {
		slots_unassign(d, g);
		return -ENOMEM;
	}
	g->frame_size = geometry.frame_size;
	for (i = 0; i < g->queues; i++) {
		struct area *a = &g->areas[i];

		a->group = g;
		a->queue = i;
		a->xsk = -1;
		a->frame_size = geometry.frame_size;
		a->rx_frames = geometry.rx_frames;
		a->tx_frames = geometry.tx_frames;
		a->slices = geometry.slices;
	}
	return 0;
}

/* For good: workers lose the areas under their numbers. */
static void take_down(struct daemon *d, struct trust_group *g)
{
	uint32_t i, n;

	for (i = 0; g->areas && i < g->queues; i++) {
		area_tear(d, &g->areas[i]);
		for (n = 1; n < PORCH_WORKERS_MAX; n++) {
			struct worker_area *wa =
				d->workers[n] ? worker_area_of(d->workers[n], &g->areas[i]) : NULL;

			if (!wa)
				continue;
			wa->area = NULL;
			wa->down = false;
		}
	}
	free(g->areas);
	g->areas = NULL;
	umem_release(g);
	slots_unassign(d, g);
}

void group_offer(struct daemon *d, struct trust_group *g)
{
	uint32_t n, q, number;

	for (n = 1; n < PORCH_WORKERS_MAX; n++) {
		struct worker *w = d->workers[n];

		for (q = 0; g->up && g->areas && w && w->ready && q < g->queues; q++) {
			if (g->areas[q].down_ns || g->areas[q].broken ||
			    (w->queue != PORCH_QUEUE_ANY && w->queue != q))
				continue;
			for (number = 0; number < PORCH_AREAS_MAX && w->areas[number].area; number++)
				;
			if (number == PORCH_AREAS_MAX || worker_area_of(w, &g->areas[q]))
				continue;
			if (area_offer(d, &g->areas[q], w, number))
				log_line(LOG_WARNING, "%s queue %u: cannot be offered to worker %u", g->name,
					 q, n);
		}
	}
}

static struct trust_group *free_group(struct daemon *d)
{
	uint32_t i;

	for (i = 0; i < d->n_groups; i++) {
		if (!d->groups[i].ifindex)
			return &d->groups[i];
	}
	return d->n_groups < DAEMON_INTERFACES_MAX ? &d->groups[d->n_groups++] : NULL;
}

static struct trust_group *known(struct daemon *d, uint32_t ifindex)
{
	for_each_group(d, g)
	{
		if (g->ifindex == ifindex)
			return g;
	}
	return NULL;
}

static void forget(struct daemon *d, struct trust_group *g)
{
	take_down(d, g);
	log_line(LOG_NOTICE, "%s: porch is no longer attached", g->name);
	memset(g, 0, sizeof(*g));
	g->memfd = -1;
}

/* Of a group that is down: other queues, or another frame size, mean other areas. */
static int renew(struct daemon *d, struct trust_group *g)
{
	struct umem_geometry geometry;
	uint32_t mtu, queues;
	int r = look(g->ifindex, g->name, &mtu, &queues);

	if (!r)
		r = umem_geometry(&d->config, mtu, queues, &geometry);
	if (r)
		return r;
	if (g->areas && queues == g->queues && geometry.frame_size == g->frame_size) {
		g->mtu = mtu;
		return 0;
	}
	take_down(d, g);
	g->mtu = mtu;
	g->queues = queues;
	r = set_up(d, g);
	if (!r)
		log_line(LOG_NOTICE, "%s: %u RX queues, frames of %u octets from now on", g->name, queues,
			 g->frame_size);
	return r;
}

/* An MTU for which the frames are too small, or need not be so large, any more. */
static bool other_frames(struct daemon *d, struct trust_group *g)
{
	struct umem_geometry geometry;
	uint32_t mtu, queues;

	if (look(g->ifindex, g->name, &mtu, &queues))
		return false;
	if (umem_geometry(&d->config, mtu, g->queues, &geometry)) {
		group_down(d, g, "its MTU is more than AF_XDP frames hold");
		return false;
	}
	if (geometry.frame_size == g->frame_size) {
		g->mtu = mtu;
		return false;
	}
	group_down(d, g, "its MTU asks for other frames");
	return true;
}

static int add(struct daemon *d, uint32_t ifindex)
{
	struct trust_group *g, fresh = { .ifindex = ifindex, .memfd = -1, .base = UINT32_MAX };
	int r = look(ifindex, fresh.name, &fresh.mtu, &fresh.queues);

	if (r)
		return r;
	g = free_group(d);
	if (!g) {
		log_limited(d->now, LOG_ERR, "%s: more than %d interfaces", fresh.name,
			    DAEMON_INTERFACES_MAX);
		return -ENOSPC;
	}
	*g = fresh;
	r = set_up(d, g);
	if (r) {
		memset(g, 0, sizeof(*g));
		g->memfd = -1;
		return r;
	}
	g->up = true;
	group_offer(d, g);
	log_line(LOG_INFO, "%s: %u RX queues, slots from %u, frames of %u octets", g->name, g->queues,
		 g->base, g->frame_size);
	return 0;
}

int groups_refresh(struct daemon *d)
{
	uint32_t i, ifindex;
	int r = 0, e;

	for_each_group(d, g)
	{
		char name[IF_NAMESIZE];

		if (d->tables.ifaces[g->ifindex & (PORCH_IFACE_SLOTS - 1)].ifindex != g->ifindex ||
		    !if_indextoname(g->ifindex, name))
			forget(d, g);
		else if (!g->up || other_frames(d, g))
			renew(d, g);
	}
	for (i = 0; i < PORCH_IFACE_SLOTS; i++) {
		ifindex = d->tables.ifaces[i].ifindex;
		if (!ifindex || known(d, ifindex))
			continue;
		e = add(d, ifindex);
		if (e && !r)
			r = e;
	}
	return r;
}

void group_down(struct daemon *d, struct trust_group *g, const char *why)
{
	if (!g->up)
		return;
	g->up = false;
	log_line(LOG_WARNING, "%s: %s; connections on it wait", g->name, why);
}

/* Only when it was down can sockets or slots have been lost without a word. */
static void reinstall(struct daemon *d, struct trust_group *g)
{
	uint32_t i, n;

	for (i = 0; i < g->queues; i++) {
		struct area *a = &g->areas[i];

		if (!a->bound)
			continue;
		if (slot_install(d, a, NULL, a->xsk))
			area_break(d, a, "its socket is of no use any more");
		for (n = 0; n < a->slices && !a->broken; n++) {
			if (a->holders[n] && a->holders[n]->bound &&
			    slot_install(d, a, a->holders[n]->worker, a->holders[n]->xsk))
				area_break(d, a, "a worker's socket is of no use any more");
		}
	}
}

void group_up(struct daemon *d, struct trust_group *g)
{
	if (g->up || renew(d, g))
		return;
	g->up = true;
	reinstall(d, g);
	group_offer(d, g);
	log_line(LOG_NOTICE, "%s: all well again", g->name);
}
