// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/drain.h"
#include "core/listeners.h"
#include "core/object.h"
#include "core/sysctl.h"

/* What BPF may read meanwhile is stored once, and after what it leads to. */
#define PUBLISH(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELEASE)

const char *porch_address_format(const __u8 address[16], char buf[PORCH_ADDRESS_TEXT])
{
	static const __u8 v4[12] = { [10] = 0xff, [11] = 0xff };
	bool is_v4 = !memcmp(address, v4, sizeof(v4));

	inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? address + 12 : address, buf, PORCH_ADDRESS_TEXT);
	return buf;
}

const char *porch_listener_address(const struct porch_listener_entry *listener, char buf[PORCH_ADDRESS_TEXT])
{
	if (listener->any_address)
		return strcpy(buf, "*");
	return porch_address_format(listener->address, buf);
}

const char *porch_listen_spec_format(const struct porch_listen_spec *spec, char buf[PORCH_LISTEN_TEXT])
{
	char address[PORCH_ADDRESS_TEXT] = "*";

	if (!spec->any)
		porch_address_format(spec->address, address);
	snprintf(buf, PORCH_LISTEN_TEXT, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, spec->port);
	return buf;
}

static bool is(const struct porch_listener_entry *l, const struct porch_listen_spec *spec)
{
	return l->used && l->port == spec->port && !l->any_address == !spec->any &&
	       !memcmp(l->address, spec->address, sizeof(l->address));
}

__u32 porch_listener_find(const struct porch_tables *tables, const struct porch_listen_spec *spec)
{
	__u32 i;

	for_each_listener (tables, i) {
		if (is(&tables->listeners[i], spec))
			return i;
	}
	return 0;
}

__u32 porch_listener_covering(const struct porch_tables *tables, const __u8 address[16], __u16 port)
{
	__u32 i = tables->ports->listener[port];
	int steps;

	for (steps = 0; i && steps < PORCH_CHAIN_MAX; steps++, i = tables->listeners[i].next) {
		const struct porch_listener_entry *l = &tables->listeners[i];

		if (l->used && (l->any_address || !memcmp(l->address, address, sizeof(l->address))))
			return i;
	}
	return 0;
}

static bool wants_delivery(__u8 protect)
{
	return protect == PORCH_PROTECT_ON_ATTACK || protect == PORCH_PROTECT_ALWAYS;
}

int porch_listeners_check(const struct porch_listen_spec *specs, size_t n, struct porch_err *err)
{
	char text[PORCH_LISTEN_TEXT];
	bool asked = false;
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		if (specs[i].deliver == PORCH_DELIVER_AFXDP || !wants_delivery(specs[i].protect) || asked)
			continue;
		if (!porch_kernel_can_deliver())
			return porch_err_set(
				err, -EOPNOTSUPP,
				"%s: this kernel has no bpf_sk_assign_tcp_reqsk(), so nothing can "
				"be delivered to a service of it; run Linux 6.9 or newer, or use "
				"deliver=afxdp, or protect=monitor or off",
				porch_listen_spec_format(&specs[i], text));
		r = porch_sysctl_can_deliver(err);
		if (r)
			return r;
		asked = true;
	}
	return 0;
}

/* Makes `l` say what `spec` says where it was given. true: something changed. */
static bool apply(struct porch_listener_entry *l, const struct porch_listen_spec *spec, __u32 given, __u32 tick)
{
	bool changed = false;

#define APPLY(flag, field)                                                                                   \
	do {                                                                                                 \
		if ((given & (flag)) && l->field != spec->field) {                                           \
			PUBLISH(l->field, spec->field);                                                      \
			changed = true;                                                                      \
		}                                                                                            \
	} while (0)
	if ((given & PORCH_GIVEN_DELIVER) && l->deliver != spec->deliver) {
		bool afxdp = spec->deliver == PORCH_DELIVER_AFXDP;

		/* 0: whatever the kernel's listening socket announces */
		PUBLISH(l->rcv_wscale, afxdp ? PORCH_AFXDP_WSCALE : 0);
		PUBLISH(l->rcv_space, afxdp ? PORCH_AFXDP_WINDOW : 0);
		PUBLISH(l->user_mss, 0);
		PUBLISH(l->health[0], PORCH_HEALTH_UNPROBED);
		PUBLISH(l->health[1], PORCH_HEALTH_UNPROBED);
		PUBLISH(l->deliver, spec->deliver);
		changed = true;
	}
	APPLY(PORCH_GIVEN_OVERFLOW, overflow);
	APPLY(PORCH_GIVEN_BACKLOG, backlog);
	APPLY(PORCH_GIVEN_MSS, mss);
	APPLY(PORCH_GIVEN_SYN_RATE, syn_rate);
	/* handshakes that the kernel has begun until now are the kernel's to finish */
	if ((given & PORCH_GIVEN_PROTECT) && !wants_delivery(l->protect) && wants_delivery(spec->protect))
		PUBLISH(l->left_kernel, tick);
#undef APPLY
	if (!(given & PORCH_GIVEN_PROTECT) || l->protect == spec->protect)
		return changed;
	porch_listener_protect(l, spec->protect);
	return true;
}

/* porch_host.afxdp spares tc a look at each packet where nobody needs its guard. */
static void note_afxdp(const struct porch_tables *tables)
{
	__u32 i;

	for_each_listener (tables, i) {
		if (tables->listeners[i].deliver == PORCH_DELIVER_AFXDP) {
			PUBLISH(tables->host->afxdp, 1);
			return;
		}
	}
	PUBLISH(tables->host->afxdp, 0);
}

static __u32 free_index(const struct porch_tables *tables)
{
	__u32 i, last = 0;

	for_each_listener (tables, i)
		last = i;
	/* behind the last one first: flows of one that was removed may still name its index */
	for (i = last + 1; i < PORCH_LISTENERS_MAX; i++) {
		if (!tables->listeners[i].used)
			return i;
	}
	for (i = 1; i < last; i++) {
		if (!tables->listeners[i].used)
			return i;
	}
	return 0;
}

/* The byte that will lead to the new listener: in front for an address, at the end for `*`. */
static __u8 *place_for(const struct porch_tables *tables, const struct porch_listen_spec *spec, __u8 *next)
{
	__u8 *place = &tables->ports->listener[spec->port];
	int steps = 0;
	__u8 i;

	for (i = *place; i && steps < PORCH_CHAIN_MAX; i = tables->listeners[i].next)
		steps++;
	if (steps >= PORCH_CHAIN_MAX)
		return NULL;
	while (spec->any && *place)
		place = &tables->listeners[*place].next;
	*next = *place;
	return place;
}

int porch_listener_add(const struct porch_tables *tables, const struct porch_listen_spec *spec,
		       struct porch_err *err)
{
	__u32 index = porch_listener_find(tables, spec);
	struct porch_listener_entry *l, fresh = {};
	char text[PORCH_LISTEN_TEXT];
	__u8 *place, next = 0;
	int r;

	porch_listen_spec_format(spec, text);
	if (index) {
		struct porch_listener_entry copy = tables->listeners[index];

		if (apply(&copy, spec, spec->given, 0))
			return porch_err_set(
				err, -EEXIST,
				"%s: listens already, with other options; use porch listen IFACE "
				"set %s to change them",
				text, text);
		return 0;
	}
	index = free_index(tables);
	place = place_for(tables, spec, &next);
	if (!index)
		return porch_err_set(err, -ENOSPC, "%s: %d listeners are there already; delete one first",
				     text, PORCH_LISTENERS_MAX - 1);
	if (!place)
		return porch_err_set(err, -ENOSPC,
				     "%s: a port has at most %d listeners; use '*:%u' for all addresses",
				     text, PORCH_CHAIN_MAX, spec->port);
	r = porch_tables_stats_clear(tables, index);
	if (r)
		return porch_err_set(err, r, "porch_stats: %s", strerror(-r));
	memcpy(fresh.address, spec->address, sizeof(fresh.address));
	fresh.port = spec->port;
	fresh.any_address = spec->any;
	fresh.next = next;
	apply(&fresh, spec, ~0u, tables->host->tick);
	l = &tables->listeners[index];
	*l = fresh;
	PUBLISH(l->used, 1);
	note_afxdp(tables);
	PUBLISH(*place, index);
	return 1;
}

int porch_listener_set(const struct porch_tables *tables, const struct porch_listen_spec *spec,
		       struct porch_err *err)
{
	__u32 index = porch_listener_find(tables, spec), given = spec->given;
	char text[PORCH_LISTEN_TEXT];
	int r;

	/* protect has another default there */
	if ((given & PORCH_GIVEN_DELIVER) && spec->deliver == PORCH_DELIVER_AFXDP)
		given |= PORCH_GIVEN_PROTECT | PORCH_GIVEN_BACKLOG;
	porch_listen_spec_format(spec, text);
	if (!index)
		return porch_err_set(err, -ENOENT, "%s: no such listener; use porch listen IFACE add %s",
				     text, text);
	if ((given & PORCH_GIVEN_PROTECT) && spec->protect == PORCH_PROTECT_ON_ATTACK &&
	    !(given & PORCH_GIVEN_DELIVER) && tables->listeners[index].deliver == PORCH_DELIVER_AFXDP)
		return porch_err_set(err, -EINVAL, "%s: deliver=afxdp takes protect=always, monitor or off", text);
	if ((given & PORCH_GIVEN_PROTECT) && wants_delivery(tables->listeners[index].protect) &&
	    !wants_delivery(spec->protect)) {
		/* monitor and off look at no cookie */
		porch_drain(tables, index);
		porch_drain_end(tables, index, spec->protect);
		apply(&tables->listeners[index], spec, given, 0);
		return 1;
	}
	r = apply(&tables->listeners[index], spec, given, tables->host->tick);
	note_afxdp(tables);
	return r;
}

/* Ways of connections that nobody listens for any more: no state change would ever free them. */
static void forget_flows(const struct porch_tables *tables, __u16 port)
{
	__u32 i;

	for (i = 0; i < tables->n_flows; i++) {
		__u64 *word = &tables->flow_tags[i / PORCH_SET_WAYS];
		__u64 way = 0xffffull << i % PORCH_SET_WAYS * 16;
		struct porch_flow *flow = &tables->flows[i];

		/* what porchd holds goes on, and porchd ends it */
		if (!(*word & way) || flow->local_port != port || flow->state == PORCH_FLOW_HANDED ||
		    porch_listener_covering(tables, flow->local, port))
			continue;
		PUBLISH(flow->state, PORCH_FLOW_FREE);
		__atomic_fetch_and(word, ~way, __ATOMIC_RELEASE);
	}
}

int porch_listener_del(const struct porch_tables *tables, const struct porch_listen_spec *spec,
		       struct porch_err *err)
{
	__u32 index = porch_listener_find(tables, spec);
	__u8 *place = &tables->ports->listener[spec->port];

	if (!index)
		return 0;
	porch_drain(tables, index);
	while (*place && *place != index)
		place = &tables->listeners[*place].next;
	if (*place)
		PUBLISH(*place, tables->listeners[index].next);
	PUBLISH(tables->listeners[index].used, 0);
	note_afxdp(tables);
	forget_flows(tables, spec->port);
	return 1;
}
