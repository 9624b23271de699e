/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * porchd is there again: it gets back what its predecessor had given us, and
 * with that the connections go on as if nothing had been. Messages that the
 * socket has no room for wait for the next turn.
 */
#include <string.h>

#include "lib/lib.h"

int rejoin_start(struct porch *p)
{
	int r = session_connect(p);

	if (r)
		return r;
	p->phase = PHASE_REJOIN;
	p->rejoin_sent = 0;
	session_expect(p);
	return rejoin_send(p);
}

static int send_hello(struct porch *p)
{
	struct porch_msg msg = { .type = PORCH_MSG_REJOIN, .version = PORCH_WIRE_VERSION };
	int fds[3] = { p->session_fd, p->wake_worker, p->wake_daemon };

	msg.hello.queue = p->want_queue;
	msg.hello.worker = p->worker;
	msg.hello.generation = p->generation;
	memcpy(msg.hello.name, p->name, sizeof(msg.hello.name));
	return control_send(p->control, &msg, fds, 3);
}

static int send_area(struct porch *p, const struct area *a)
{
	struct porch_msg msg = { .type = PORCH_MSG_AREA, .version = PORCH_WIRE_VERSION };
	int fds[2] = { a->group, a->owner };

	msg.area.area = a->number;
	msg.area.ifindex = a->ifindex;
	msg.area.queue = a->queue;
	msg.area.mtu = a->told_mtu;
	msg.area.group_size = a->place.group_size;
	msg.area.head = a->place.head;
	msg.area.umem = a->place.umem;
	msg.area.umem_size = a->place.umem_size;
	msg.area.frame_size = a->frame_size;
	msg.area.rx_frames = a->rx_frames;
	msg.area.fill_entries = a->fill_entries;
	msg.area.completion_entries = a->completion_entries;
	msg.area.tx_metadata = a->tx_metadata;
	return control_send(p->control, &msg, fds, 2);
}

static int send_socket(struct porch *p, const struct area *a)
{
	struct porch_msg msg = { .type = PORCH_MSG_SOCKET, .version = PORCH_WIRE_VERSION };

	msg.socket.area = a->number;
	msg.socket.rx_entries = a->rx_entries;
	msg.socket.tx_entries = a->tx_entries;
	msg.socket.tx_first = a->tx_first;
	msg.socket.tx_frames = a->tx_frames;
	msg.socket.can_lease = a->can_lease;
	msg.socket.zero_copy = a->zero_copy;
	return control_send(p->control, &msg, &a->xsk, 1);
}

/* The end of it, as at the beginning: which areas we can hold the lease of. */
static int send_mapped(struct porch *p)
{
	struct porch_msg msg = { .type = PORCH_MSG_MAPPED, .version = PORCH_WIRE_VERSION };

	for (uint32_t i = 0; i < p->n_areas; i++)
		if (p->areas[i] && p->areas[i]->can_lease)
			msg.mapped.can_lease |= 1ull << i;
	return control_send(p->control, &msg, NULL, 0);
}

/* Message n of the sequence; 1: there is none, it is complete. */
static int send_number(struct porch *p, uint32_t n)
{
	const struct area *a;

	if (!n)
		return send_hello(p);
	n--;
	if (n == 2 * p->n_areas)
		return send_mapped(p);
	if (n > 2 * p->n_areas)
		return 1;
	a = p->areas[n / 2];
	if (!a)
		return 0;
	return n % 2 ? send_socket(p, a) : send_area(p, a);
}

int rejoin_send(struct porch *p)
{
	for (;;) {
		int r = send_number(p, p->rejoin_sent);

		if (r == 1 || r == -EAGAIN)
			return 0;
		if (r)
			return r;
		p->rejoin_sent++;
	}
}
