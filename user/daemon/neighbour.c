// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "core/netlink.h"
#include "core/util.h"
#include "daemon/daemon.h"
#include "daemon/finishing.h"
#include "daemon/log.h"
#include "daemon/neighbour.h"
#include "daemon/netlink_watch.h"
#include "daemon/parked.h"
#include "daemon/peer.h"

struct neighbour {
	struct netlink_watch netlink;
	struct neighbour_table table;
};

/* Hosts have a handful of routers; a whole /20 on the link fills it. Rows are few
 * enough, and changes rare enough, to be walked. */
static struct neighbour_row *find(struct neighbour_table *t, uint32_t ifindex, const uint8_t address[16])
{
	uint32_t i;

	for (i = 0; i < t->used; i++) {
		if (t->rows[i].ifindex == ifindex && !memcmp(t->rows[i].address, address, 16))
			return &t->rows[i];
	}
	return NULL;
}

static bool anybody_has(const struct neighbour_table *t, uint32_t ifindex, const uint8_t mac[6])
{
	uint32_t i;

	for (i = 0; i < t->used; i++) {
		if (t->rows[i].ifindex == ifindex && !t->rows[i].gone && !memcmp(t->rows[i].mac, mac, 6))
			return true;
	}
	return false;
}

/* Full: in place of one that the kernel has dropped too. */
static struct neighbour_row *room(struct neighbour_table *t)
{
	uint32_t i;

	if (t->used < NEIGHBOURS_MAX)
		return &t->rows[t->used++];
	for (i = 0; i < t->used; i++) {
		if (t->rows[i].gone)
			return &t->rows[i];
	}
	return NULL;
}

bool neighbour_note(struct neighbour_table *t, uint32_t ifindex, const uint8_t address[16],
		    const uint8_t mac[6], uint8_t was[6])
{
	struct neighbour_row *row = find(t, ifindex, address);

	if (!row) {
		row = room(t);
		if (!row)
			return false;
		*row = (struct neighbour_row){ .ifindex = ifindex };
		memcpy(row->address, address, 16);
		memcpy(row->mac, mac, 6);
		return false;
	}
	row->gone = false;
	if (!memcmp(row->mac, mac, 6))
		return false;
	memcpy(was, row->mac, 6);
	memcpy(row->mac, mac, 6);
	return !anybody_has(t, ifindex, was);
}

void neighbour_drop(struct neighbour_table *t, uint32_t ifindex, const uint8_t address[16])
{
	struct neighbour_row *row = find(t, ifindex, address);

	if (row)
		row->gone = true;
}

static bool is_ours(const struct daemon *d, uint32_t ifindex)
{
	return ifindex && d->tables.ifaces[ifindex % PORCH_IFACE_SLOTS].ifindex == ifindex;
}

static bool address_of(const struct ndmsg *n, const struct rtattr *a, uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!a)
		return false;
	if (n->ndm_family == AF_INET && RTA_PAYLOAD(a) == 4) {
		memcpy(address, mapped, 12);
		memcpy(address + 12, RTA_DATA(a), 4);
		return true;
	}
	if (n->ndm_family == AF_INET6 && RTA_PAYLOAD(a) == 16) {
		memcpy(address, RTA_DATA(a), 16);
		return true;
	}
	return false;
}

static void changed(struct daemon *d, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6])
{
	log_limited(
		d->now, LOG_NOTICE,
		"interface %u: next hop %02x:%02x:%02x:%02x:%02x:%02x is now %02x:%02x:%02x:%02x:%02x:%02x",
		ifindex, was[0], was[1], was[2], was[3], was[4], was[5], is[0], is[1], is[2], is[3], is[4],
		is[5]);
	moved_note(&d->moved, d->now, ifindex, was, is);
	parked_neighbour(d, ifindex, was, is);
	peers_broadcast_neighbour(d, ifindex, was, is);
	finishing_neighbour(d, ifindex, was, is);
}

static void message(struct daemon *d, const struct nlmsghdr *m)
{
	const struct rtattr *a[NDA_MAX + 1];
	const struct ndmsg *n = NLMSG_DATA(m);
	uint8_t address[16], was[6];

	if ((m->nlmsg_type != RTM_NEWNEIGH && m->nlmsg_type != RTM_DELNEIGH) ||
	    m->nlmsg_len < NLMSG_LENGTH(sizeof(*n)) || !is_ours(d, n->ndm_ifindex))
		return;
	porch_nl_attrs(m, sizeof(*n), a, NDA_MAX);
	if (!address_of(n, a[NDA_DST], address))
		return;
	if (m->nlmsg_type == RTM_DELNEIGH) {
		neighbour_drop(&d->neighbour->table, n->ndm_ifindex, address);
		return;
	}
	/* One that fails, or is being asked for, keeps the MAC it had: it may be the
	 * failing over itself. */
	if (!(n->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)) ||
	    !a[NDA_LLADDR] || RTA_PAYLOAD(a[NDA_LLADDR]) != 6)
		return;
	if (neighbour_note(&d->neighbour->table, n->ndm_ifindex, address, RTA_DATA(a[NDA_LLADDR]), was))
		changed(d, n->ndm_ifindex, was, RTA_DATA(a[NDA_LLADDR]));
}

static int dumped(const struct nlmsghdr *m, void *arg)
{
	message(arg, m);
	return 0;
}

static void dump(struct daemon *d)
{
	struct porch_nl_request request;
	int r;

	porch_nl_request(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	r = porch_nl_ask(NETLINK_ROUTE, &request, dumped, d);
	if (r)
		log_limited(d->now, LOG_WARNING, "neighbours could not be read: %s", strerror(-r));
}

int neighbour_start(struct daemon *d)
{
	struct neighbour *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->netlink = (struct netlink_watch){ .fd = -1, .message = message, .lost = dump };
	d->neighbour = n;
	r = netlink_watch_start(d, &n->netlink, RTMGRP_NEIGH);
	if (r) {
		neighbour_stop(d);
		return r;
	}
	dump(d);
	return 0;
}

void neighbour_stop(struct daemon *d)
{
	if (!d->neighbour)
		return;
	netlink_watch_stop(d, &d->neighbour->netlink);
	free(TAKE_PTR(d->neighbour));
}
