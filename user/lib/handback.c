/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The worker goes, and its connections are closed as close() does; what their
 * peers have not acknowledged by then porchd finishes, if it is allowed so much.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/util.h"
#include "lib/lib.h"

/* Not over: the engine still has something to say or to hear. */
static bool goes_on(const struct porch_conn *c)
{
	return c->state == CONN_DETACHED && !c->over && !c->lost && c->known;
}

static void close_all(struct porch *p)
{
	for (uint32_t i = 0; i < p->conns_touched; i++)
		if (p->conns[i].state == CONN_OPEN)
			porch_conn_close(&p->conns[i]);
	porch_flush(p);
}

struct parcel {
	int fd;
	uint8_t *buffer;
	size_t buffer_size;
	uint64_t used, most;
	uint32_t connections, reset;
};

static bool room(struct parcel *x, uint64_t size)
{
	uint8_t *more;

	if (size > x->most - x->used)
		return false;
	if (size <= x->buffer_size)
		return true;
	more = realloc(x->buffer, size);
	if (!more)
		return false;
	x->buffer = more;
	x->buffer_size = size;
	return true;
}

/* One entry, with what follows it. False: it does not fit. */
static bool pack(struct parcel *x, const struct porch_conn *c)
{
	struct porch_handback_entry entry = { .flow = c->flow,
					      .serial = c->serial,
					      .state_size = sizeof(struct tcp_handback) };
	const size_t head = sizeof(entry) + sizeof(struct tcp_handback);
	struct tcp_handback state;
	struct tcp_info_out info;
	uint64_t size;
	ssize_t n;

	tcp_info_get(&c->tcp, &info);
	if (!room(x, head + info.unsent + info.unacked + 8))
		return false;
	n = tcp_export(&c->tcp, &state, x->buffer + head, x->buffer_size - head);
	if (n < 0)
		return false;
	entry.octets = n;
	size = porch_handback_size(&entry);
	if (size > x->buffer_size)
		return false;
	memcpy(x->buffer, &entry, sizeof(entry));
	memcpy(x->buffer + sizeof(entry), &state, sizeof(state));
	memset(x->buffer + head + n, 0, size - head - n);
	if (write(x->fd, x->buffer, size) != (ssize_t)size)
		return false;
	x->used += size;
	x->connections++;
	return true;
}

/* Until porchd has said how many; what else it says is of no interest any more. */
static void answer(struct porch *p)
{
	uint64_t now = poll_clock(), end = now + PORCH_STEP_MS * 1000000ull;
	struct pollfd pfd = { .fd = p->control, .events = POLLIN };
	struct porch_msg msg = {};
	unsigned int n;
	int fds[3], r;

	while (now < end && msg.type != PORCH_MSG_HANDBACK) {
		if (poll(&pfd, 1, (end - now) / 1000000 + 1) < 0 && errno != EINTR)
			return;
		r = control_receive(p->control, &msg, fds, &n);
		while (n)
			close(fds[--n]);
		if (r && r != -EAGAIN)
			return;
		now = poll_clock();
	}
}

static void send_parcel(struct porch *p, struct parcel *x)
{
	struct porch_msg msg = {
		.type = PORCH_MSG_HANDBACK,
		.version = PORCH_WIRE_VERSION,
		.handback = { .connections = x->connections, .reset = x->reset, .size = x->used },
	};

	if (!x->connections) { /* for its records: too much was to be said */
		control_send(p->control, &msg, NULL, 0);
		return;
	}
	if (fcntl(x->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ||
	    control_send(p->control, &msg, &x->fd, 1))
		return;
	answer(p);
}

void handback(struct porch *p)
{
	_cleanup_close_ int fd = -1;
	struct parcel x = { .most = p->handback };

	close_all(p);
	if (p->phase != PHASE_READY)
		return;
	if (x.most)
		fd = memfd_create("porch-handback", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	x.fd = fd;
	for (uint32_t i = 0; i < p->conns_touched; i++) {
		struct porch_conn *c = &p->conns[i];

		if (!goes_on(c) || (fd >= 0 && pack(&x, c)))
			continue;
		x.reset++;
		lib_conn_drop(c);
	}
	if (x.reset)
		porch_flush(p);
	if (x.connections || (x.reset && x.most))
		send_parcel(p, &x);
	free(x.buffer);
}
