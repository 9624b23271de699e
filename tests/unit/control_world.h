/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A porchd with one interface of two RX queues in a kernel of ours: AF_XDP sockets
 * are known by their inodes, their rings are memory of this process. All of the daemon's parts are the real
 * ones, but xsk.c; workers sit at the other ends of socketpairs.
 */
#ifndef PORCH_TESTS_CONTROL_WORLD_H
#define PORCH_TESTS_CONTROL_WORLD_H

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/area.h"
#include "daemon/control.h"
#include "daemon/flowtab.h"
#include "daemon/frames.h"
#include "daemon/lease.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/peer.h"
#include "daemon/reap.h"
#include "daemon/retransmit.h"
#include "daemon/session.h"
#include "daemon/slots.h"
#include "daemon/umem.h"
#include "daemon/watch.h"
#include "daemon/worker.h"
#include "tests/unit/control_kernel.h"

#define WORLD_FLOWS 256
#define WORLD_PORT 7

/* ---- what the rest of porchd would be asked ---- */

int raw_send(struct daemon *d, uint32_t ifindex, const void *frame, uint32_t length)
{
	return 0;
}

void parked_add(struct daemon *d, uint32_t flow, uint32_t serial)
{
}

void parked_del(struct daemon *d, uint32_t flow, uint32_t serial)
{
}

void retransmit_room(struct daemon *d, uint32_t listener)
{
}

uint32_t watch_rx_queues(const char *name)
{
	return WORLD_QUEUES;
}

/* ---- porchd ---- */

struct world {
	struct daemon d;
	struct porch_flow flows[WORLD_FLOWS];
	struct porch_steer steer[WORLD_FLOWS];
	struct porch_queue queues[PORCH_LISTENERS_MAX];
	struct porch_listener_entry listeners[PORCH_LISTENERS_MAX];
	struct porch_slot slots[PORCH_SLOTS];
	struct porch_iface ifaces[PORCH_IFACE_SLOTS];
	struct porch_ports ports;
	struct porch_host host;
};

/* Tables as `porch attach` leaves them; they outlive a porchd. */
static inline struct world *world_tables(void)
{
	struct world *x = calloc(1, sizeof(*x));

	memset(&kernel, 0, sizeof(kernel));
	x->host = (struct porch_host){ .tick = 1000 };
	x->listeners[1] = (struct porch_listener_entry){ .port = WORLD_PORT, .used = 1, .any_address = 1,
						   .deliver = PORCH_DELIVER_AFXDP };
	x->ports.listener[WORLD_PORT] = 1;
	x->ifaces[WORLD_IFINDEX].ifindex = WORLD_IFINDEX;
	return x;
}

static inline void world_start(struct world *x)
{
	static const struct loop_sleep sleep = { .sleep = sessions_sleep, .pending = sessions_pending };
	struct daemon *d = &x->d;
	struct trust_group *g = &d->groups[0];
	uint32_t i;

	memset(d, 0, sizeof(*d));
	log_level(getenv("PORCH_TEST_LOG") ? LOG_DEBUG : -1);
	d->config = (struct porch_daemon_config){ .n_allow_uid = 1, .backlog = 128, .accept_timeout = 30, .workers = 8,
						  .workers_per_queue = 4, .rx_frames = 64, .tx_frames = 16,
						  .early_frames = 8, .early_memory = 1 << 20 };
	d->tables.flows = x->flows;
	d->tables.steer = x->steer;
	d->tables.queues = x->queues;
	d->tables.listeners = x->listeners;
	d->tables.slots = x->slots;
	d->tables.ifaces = x->ifaces;
	d->tables.ports = &x->ports;
	d->tables.host = &x->host;
	d->tables.n_flows = WORLD_FLOWS;
	d->tables.xsks_fd = -1;
	d->generation = 0x1234567800000001ull + x->host.tick++;
	assert_int_equal(loop_new(d, &sleep, &d->loop), 0);
	*g = (struct trust_group){ .ifindex = WORLD_IFINDEX, .name = "t0", .queues = WORLD_QUEUES, .mtu = 1500,
				   .frame_size = 2048, .memfd = -1, .up = true };
	d->n_groups = 1;
	g->areas = calloc(WORLD_QUEUES, sizeof(*g->areas));
	for (i = 0; i < WORLD_QUEUES; i++)
		g->areas[i] = (struct area){ .group = g, .queue = i, .xsk = -1, .frame_size = 2048, .rx_frames = 64,
					     .tx_frames = 16, .slices = 4 };
	assert_int_equal(slots_assign(d, g), 0);
	assert_int_equal(flowtab_open(d), 0);
	rebuild(d);
	d->control_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(control_start(d), 0);
}

/* As after a crash: workers keep what they have. */
static inline void world_stop(struct world *x)
{
	struct daemon *d = &x->d;
	uint32_t i;

	control_stop(d);
	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		if (!d->workers[i])
			continue;
		for (uint32_t j = 0; j < PORCH_AREAS_MAX; j++) {
			xsk_ring_unmap(&d->workers[i]->areas[j].rx);
			if (d->workers[i]->areas[j].xsk >= 0)
				close(d->workers[i]->areas[j].xsk);
		}
		session_destroy(d, d->workers[i]);
		free(d->workers[i]);
	}
	for (i = 0; i < WORLD_QUEUES; i++)
		area_unbind(d, &d->groups[0].areas[i]);
	free(d->groups[0].areas);
	umem_release(&d->groups[0]);
	flowtab_close(d);
	loop_free(d->loop);
}

static inline void world_free(struct world *x)
{
	uint32_t i;

	world_stop(x);
	for (i = 0; i < kernel.n; i++)
		free(kernel.sockets[i].pages);
	kernel.n = 0;
	free(x);
}

static inline void turn(struct world *x)
{
	usleep(150);
	loop_turn(x->d.loop, false);
}

/* Turns until `condition`, at most three seconds. */
#define turn_until(x, condition)                                                                             \
	do {                                                                                                 \
		uint64_t end_ = loop_clock() + 3 * NS_PER_SEC;                                               \
		while (!(condition)) {                                                                       \
			if (loop_clock() > end_)                                                             \
				fail_msg("not within 3 s: %s", #condition);                                  \
			turn(x);                                                                             \
		}                                                                                            \
	} while (0)

static inline void turn_for(struct world *x, uint64_t ns)
{
	uint64_t end = loop_clock() + ns;

	while (loop_clock() < end)
		turn(x);
}

static inline struct area *area_of(struct world *x, uint32_t queue)
{
	return &x->d.groups[0].areas[queue];
}

/* XDP redirects a segment to a slot. False: no frame, no room. */
static inline bool deliver(struct world *x, uint32_t queue, uint32_t slot, uint32_t flow, uint8_t kind)
{
	struct fake_socket *owner = fake_by_inode(kernel.owner[queue]), *to = fake_by_inode(kernel.slots[slot]);
	struct xsk_ring fill, rx;
	struct porch_record record = { .magic = PORCH_RECORD_MAGIC, .flow = flow, .serial = x->steer[flow].serial,
				       .kind = kind, .listener = 1, .l3 = 14, .l4 = 34, .length = 20 };
	uint64_t address;

	if (!owner || !to)
		return false;
	fill = ring_in(owner->pages + XSK_FILL * FAKE_RING, owner->fill_entries);
	rx = ring_in(to->pages + XSK_RX * FAKE_RING, to->rx_entries);
	if (*fill.producer == *fill.consumer || *rx.producer - *rx.consumer > rx.mask)
		return false;
	address = *xsk_address(&fill, (*fill.consumer)++);
	if (umem_rx_frame(area_of(x, queue), address) == UMEM_NONE)
		return true; /* the kernel skips it */
	address += 256;
	memset(area_of(x, queue)->umem + address, 0, 60);
	memcpy(area_of(x, queue)->umem + address - sizeof(record), &record, sizeof(record));
	((struct xdp_desc *)rx.descs)[(*rx.producer)++ & rx.mask] = (struct xdp_desc){ .addr = address, .len = 60 };
	return true;
}

/* ---- a worker's end ---- */

struct client {
	int fd;
	uint32_t number, areas;
	uint64_t generation;
	int fds[3], area_fds[WORLD_QUEUES][2], xsk[WORLD_QUEUES];
	struct porch_msg area[WORLD_QUEUES], socket[WORLD_QUEUES];
	struct porch_session *session;
	size_t size;
};

static inline void client_connect(struct world *x, struct client *c, uint32_t uid)
{
	int pair[2], i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < WORLD_QUEUES; i++)
		c->area_fds[i][0] = c->area_fds[i][1] = c->xsk[i] = -1;
	c->fds[0] = c->fds[1] = c->fds[2] = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	c->fd = pair[1];
	assert_true(control_take(&x->d, pair[0], 4242, uid) >= -EUSERS);
}

static inline void close_if(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A process that ends. */
static inline void client_end(struct client *c)
{
	int i;

	for (i = 0; i < 3; i++)
		close_if(&c->fds[i]);
	for (i = 0; i < WORLD_QUEUES; i++) {
		close_if(&c->area_fds[i][0]);
		close_if(&c->area_fds[i][1]);
		close_if(&c->xsk[i]);
	}
	if (c->session)
		munmap(c->session, c->size);
	c->session = NULL;
	close_if(&c->fd);
}

/* The next message, which must be of this type; its descriptors go to `fds`. */
static inline struct porch_msg client_get(struct world *x, struct client *c, uint32_t type, int *fds)
{
	uint64_t end = loop_clock() + 4 * NS_PER_SEC;
	struct message m;
	const char *what;
	int r, i;

	while ((r = message_receive(c->fd, &m, &what)) == -EAGAIN && loop_clock() < end)
		turn(x);
	if (r || m.body.type != type)
		fail_msg("wanted message %u, got %d, message %u: %s", type, r, m.body.type,
			 m.body.type == PORCH_MSG_REFUSED ? m.body.text : "");
	for (i = 0; i < m.n_fds; i++) {
		if (fds)
			fds[i] = m.fds[i];
		else
			close(m.fds[i]);
	}
	return m.body;
}

static inline void client_say(struct client *c, struct porch_msg m, const int *fds, int n)
{
	assert_int_equal(message_send(c->fd, &m, fds, n), 0);
}

static inline void client_hello(struct world *x, struct client *c)
{
	struct porch_msg m = { .type = PORCH_MSG_HELLO, .hello.queue = PORCH_QUEUE_ANY, .hello.name = "test" };
	uint32_t i, n;

	client_say(c, m, NULL, 0);
	m = client_get(x, c, PORCH_MSG_WELCOME, c->fds);
	c->number = m.welcome.worker;
	c->generation = m.welcome.generation;
	c->size = m.welcome.session_size;
	c->areas = m.welcome.areas;
	assert_in_range(c->areas, 1, WORLD_QUEUES); /* fewer while one is made anew */
	c->session = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fds[0], 0);
	assert_true(c->session != MAP_FAILED);
	for (i = 0; i < c->areas; i++) {
		m = client_get(x, c, PORCH_MSG_AREA, c->area_fds[i]);
		n = m.area.area;
		assert_int_equal(n, i);
		c->area[n] = m;
		c->socket[n] = client_get(x, c, PORCH_MSG_SOCKET, &c->xsk[n]);
	}
}

static inline void client_register(struct world *x, struct client *c, uint64_t can_lease)
{
	uint32_t i;

	client_connect(x, c, 0);
	client_hello(x, c);
	client_say(c, (struct porch_msg){ .type = PORCH_MSG_MAPPED, .mapped.can_lease = can_lease }, NULL, 0);
	for (i = 0; i < c->areas; i++)
		client_get(x, c, PORCH_MSG_BOUND, NULL);
	client_get(x, c, PORCH_MSG_READY, NULL);
}

static inline uint32_t open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#endif /* PORCH_TESTS_CONTROL_WORLD_H */
