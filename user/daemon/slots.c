// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/slots.h"
#include "daemon/xsk.h"

uint32_t slot_of(const struct area *a, uint32_t worker)
{
	return a->group->base + worker * a->group->queues + a->queue;
}

int slot_install(struct daemon *d, const struct area *a, const struct worker *w, int fd)
{
	uint32_t slot = slot_of(a, w ? w->number : 0);
	struct porch_slot *row;
	int r;

	if (slot >= PORCH_SLOTS)
		return -ENOSPC;
	r = xsk_slot_install(d->tables.xsks_fd, slot, fd);
	if (r)
		return r;
	row = &d->tables.slots[slot];
	*row = (struct porch_slot){
		.queue = a->queue,
		.worker = w ? w->number : 0,
		.pid = w ? w->pid : (uint32_t)getpid(),
		.uid = w ? w->uid : geteuid(),
		.zero_copy = a->zero_copy,
		.tx_checksum = a->tx_metadata != 0,
		.lease = a->lease_owner == (w ? w->number : 0),
		.since_ns = d->now,
	};
	__atomic_store_n(&row->ifindex, a->group->ifindex, __ATOMIC_RELEASE);
	return 0;
}

void slot_remove(struct daemon *d, uint32_t slot)
{
	if (slot >= PORCH_SLOTS)
		return;
	memset(&d->tables.slots[slot], 0, sizeof(d->tables.slots[slot]));
	xsk_slot_remove(d->tables.xsks_fd, slot);
}

void slots_show_lease(struct daemon *d, const struct area *a)
{
	uint32_t worker, slot;

	for (worker = 0; worker <= d->config.workers && worker < PORCH_WORKERS_MAX; worker++) {
		slot = slot_of(a, worker);
		if (slot < PORCH_SLOTS && d->tables.slots[slot].ifindex)
			d->tables.slots[slot].lease = a->lease_owner == worker;
	}
}

static uint32_t needed(const struct daemon *d, uint32_t queues)
{
	return (d->config.workers + 1) * queues;
}

/* Is [base, base + n) inside the map and free of every group but `g`? If not, *next may be. */
static bool fits(const struct daemon *d, const struct trust_group *g, uint32_t base, uint32_t n,
		 uint32_t *next)
{
	uint32_t i;

	if (base > PORCH_SLOTS || n > PORCH_SLOTS - base) {
		*next = PORCH_SLOTS;
		return false;
	}
	for (i = 0; i < d->n_groups; i++) {
		const struct trust_group *o = &d->groups[i];
		uint32_t end = o->base + needed(d, o->queues);

		if (o == g || !o->queues || o->base == UINT32_MAX || end <= base || o->base >= base + n)
			continue;
		*next = end;
		return false;
	}
	return true;
}

static struct porch_iface *iface_of(struct daemon *d, uint32_t ifindex)
{
	struct porch_iface *iface = &d->tables.ifaces[ifindex & (PORCH_IFACE_SLOTS - 1)];

	return iface->ifindex == ifindex ? iface : NULL;
}

int slots_assign(struct daemon *d, struct trust_group *g)
{
	struct porch_iface *iface = iface_of(d, g->ifindex);
	uint32_t n = needed(d, g->queues), base, next;

	if (!iface)
		return -ENODEV;
	g->base = UINT32_MAX;
	base = iface->xsk_base;
	if (iface->xsk_queues != g->queues || !fits(d, g, base, n, &next)) {
		for (base = 0; !fits(d, g, base, n, &next); base = next) {
			if (next >= PORCH_SLOTS)
				return -ENOSPC;
		}
	}
	g->base = base;
	if (iface->xsk_queues != g->queues || iface->xsk_base != base) {
		__atomic_store_n(&iface->xsk_queues, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&iface->xsk_base, base, __ATOMIC_RELEASE);
		__atomic_store_n(&iface->xsk_queues, g->queues, __ATOMIC_RELEASE);
	}
	return 0;
}

void slots_unassign(struct daemon *d, struct trust_group *g)
{
	struct porch_iface *iface = iface_of(d, g->ifindex);

	if (iface)
		__atomic_store_n(&iface->xsk_queues, 0, __ATOMIC_RELEASE);
	g->base = UINT32_MAX;
}

static bool taken(const struct daemon *d, uint32_t slot)
{
	uint32_t i, j, n;

	for (i = 0; i < d->n_groups; i++) {
		for (j = 0; d->groups[i].areas && j < d->groups[i].queues; j++) {
			if (d->groups[i].areas[j].bound && slot_of(&d->groups[i].areas[j], 0) == slot)
				return true;
		}
	}
	for (n = 1; n < PORCH_WORKERS_MAX; n++) {
		for (i = 0; d->workers[n] && i < PORCH_AREAS_MAX; i++) {
			if (d->workers[n]->areas[i].area && d->workers[n]->areas[i].slot == slot)
				return true;
		}
	}
	return false;
}

void slots_sweep(struct daemon *d)
{
	uint32_t slot, swept = 0;

	for (slot = 0; slot < PORCH_SLOTS; slot++) {
		if (!d->tables.slots[slot].ifindex || taken(d, slot))
			continue;
		slot_remove(d, slot);
		swept++;
	}
	if (swept)
		log_line(LOG_INFO, "%u slots of workers that have not come back were cleared", swept);
}
