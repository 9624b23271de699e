// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Messages of any content, length and number of file descriptors on the control
 * socket, to the daemon's own parts in a kernel of the tests'. After each input
 * nobody is left, every descriptor is closed and every frame is accounted for.
 */
#include "tests/unit/control_world.h"

#include "tests/fuzz/fuzz.h"

#define CLIENTS 3

static struct world *x;
static struct client clients[CLIENTS];
static bool there[CLIENTS];

static void connects(struct input *in, uint32_t n)
{
	if (there[n]) {
		client_end(&clients[n]);
		there[n] = false;
		return;
	}
	client_connect(x, &clients[n], take(in, 1) & 7 ? 0 : 1000);
	there[n] = true;
}

/* What porchd says, with what comes along kept as a library keeps it. */
static void listens(struct client *c)
{
	struct message m;
	const char *what;

	while (!message_receive(c->fd, &m, &what)) {
		uint32_t area = m.body.type == PORCH_MSG_SOCKET ? m.body.socket.area : m.body.area.area;

		if (m.body.type == PORCH_MSG_WELCOME) {
			memcpy(c->fds, m.fds, sizeof(c->fds));
			c->number = m.body.welcome.worker;
			c->generation = m.body.welcome.generation;
			m.n_fds = 0;
		} else if (m.body.type == PORCH_MSG_AREA && area < WORLD_QUEUES) {
			close_if(&c->area_fds[area][0]);
			close_if(&c->area_fds[area][1]);
			memcpy(c->area_fds[area], m.fds, sizeof(c->area_fds[area]));
			c->area[area] = m.body;
			m.n_fds = 0;
		} else if (m.body.type == PORCH_MSG_SOCKET && area < WORLD_QUEUES) {
			close_if(&c->xsk[area]);
			c->xsk[area] = m.fds[0];
			c->socket[area] = m.body;
			m.n_fds = 0;
		}
		message_done(&m);
	}
}

static void says(struct input *in, struct client *c)
{
	static const uint8_t types[] = { PORCH_MSG_HELLO,    PORCH_MSG_MAPPED, PORCH_MSG_LISTEN,
					 PORCH_MSG_UNLISTEN, PORCH_MSG_REJOIN, PORCH_MSG_AREA,
					 PORCH_MSG_SOCKET,   PORCH_MSG_GOODBYE };
	uint32_t kind = take(in, 1), n_fds = kind >> 3 & 3, i, change, q = kind >> 5 & 1;
	struct porch_msg m = { .type = types[kind & 7], .version = PORCH_WIRE_VERSION };
	int fds[MESSAGE_FDS], sources[] = { c->fds[0],	       c->fds[1],	  c->fds[2],
					    c->area_fds[q][0], c->area_fds[q][1], c->xsk[q] };

	change = take(in, 1);
	if (m.type == PORCH_MSG_HELLO || m.type == PORCH_MSG_REJOIN) {
		m.hello.queue = PORCH_QUEUE_ANY;
		m.hello.worker = c->number;
		m.hello.generation = c->generation;
	} else if (m.type == PORCH_MSG_LISTEN) {
		m.listen.port = WORLD_PORT;
	} else if (m.type == PORCH_MSG_AREA || m.type == PORCH_MSG_SOCKET) {
		m = m.type == PORCH_MSG_AREA ? c->area[q] : c->socket[q];
	}
	for (i = change & 15; i > 0; i--)
		((uint8_t *)&m)[take(in, 1) % sizeof(m)] ^= (uint8_t)take(in, 1);
	for (i = 0; i < n_fds; i++) {
		int from = sources[(change >> 4 & 7) % 6 + i < 6 ? (change >> 4 & 7) % 6 + i : i];

		fds[i] = from >= 0 && !(change & 0x80) ? dup(from) : eventfd(0, EFD_CLOEXEC);
	}
	if (change == 255)
		(void)!send(c->fd, &m, take(in, 1) % sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (m.version == PORCH_WIRE_VERSION)
		message_send(c->fd, &m, fds, (int)n_fds);
	else
		(void)!send(c->fd, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
	for (i = 0; i < n_fds; i++)
		close(fds[i]);
}

static bool quiet(void)
{
	uint32_t i;

	for (i = 1; i < PORCH_WORKERS_MAX; i++)
		if (x->d.workers[i])
			return false;
	return !reap_left();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t i, turns;
	static bool warm;
	uint32_t before = open_fds();

	if (size > 1000)
		return 0;
	x = world_tables();
	world_start(x);
	memset(there, 0, sizeof(there));
	while (in.left) {
		uint32_t kind = take(&in, 1), n = kind % CLIENTS;

		if (kind < 40 || !there[n])
			connects(&in, n);
		else
			says(&in, &clients[n]);
		if (kind & 0x40)
			loop_turn(x->d.loop, false);
		if (there[n] && kind & 0x80)
			listens(&clients[n]);
	}
	for (i = 0; i < CLIENTS; i++)
		if (there[i])
			client_end(&clients[i]);
	for (turns = 0; turns < 3000 && !quiet(); turns++)
		turn(x);
	check(quiet(), "a worker is left of peers that are gone");
	world_free(x);
	check(!warm || open_fds() <= before, "%u descriptors, %u before", open_fds(), before);
	warm = true;
	return 0;
}
