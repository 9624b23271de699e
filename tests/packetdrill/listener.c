// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The listeners of this host, as porch.conf would name them: each address and
 * port that was ever listened on is one, deliver=afxdp and protect=always, and
 * stays one when its socket is closed. Connections live on then, SYNs are refused.
 */
#include "drill.h"

static bool address_any(const uint8_t a[16])
{
	static const uint8_t any6[16], any4[16] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a, any6, 16) || !memcmp(a, any4, 16);
}

/* One that has the address itself goes before one that has all of them. */
uint32_t listener_find(struct drill *d, const uint8_t local[16], uint16_t port)
{
	uint32_t any = 0;

	for (uint32_t i = 1; i <= d->listeners_used; i++) {
		struct listener *l = &d->listeners[i];

		if (l->port != port)
			continue;
		if (!l->any && !memcmp(l->address, local, 16))
			return i;
		if (l->any)
			any = i;
	}
	return any;
}

struct sock *listener_of(struct drill *d, const uint8_t local[16], uint16_t port)
{
	return d->listeners[listener_find(d, local, port)].sock;
}

int listener_add(struct drill *d, struct sock *s)
{
	struct listener l = { .sock = s };
	uint32_t i;

	address_of((const struct sockaddr *)&s->local, l.address, &l.port);
	l.any = address_any(l.address);
	for (i = 1; i <= d->listeners_used; i++) {
		const struct listener *old = &d->listeners[i];

		if (old->port != l.port || old->any != l.any ||
		    (!l.any && memcmp(old->address, l.address, 16)))
			continue;
		if (old->sock)
			return -EADDRINUSE;
		break;
	}
	if (i == DRILL_LISTENERS)
		return -ENOMEM;
	d->listeners_used = max_u32(d->listeners_used, i);
	d->listeners[i] = l;
	s->listener = i;
	if (d->xdp)
		xdp_listeners(d);
	return 0;
}

void listener_gone(struct drill *d, struct sock *s)
{
	d->listeners[s->listener].sock = NULL;
	s->listener = 0;
}
