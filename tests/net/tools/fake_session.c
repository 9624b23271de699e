// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control socket from a worker's side. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/net/tools/fake_app.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

static void die(const char *what)
{
	fprintf(stderr, "fake_app: %s: %s\n", what, strerror(errno));
	exit(1);
}

void fake_send(struct fake *f, struct porch_msg *m)
{
	m->version = PORCH_WIRE_VERSION;
	if (send(f->control, m, sizeof(*m), MSG_NOSIGNAL) != sizeof(*m))
		die("control socket");
}

void fake_send_fd(struct fake *f, struct porch_msg *m, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec data = { m, sizeof(*m) };
	struct msghdr h = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	m->version = PORCH_WIRE_VERSION;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	sendmsg(f->control, &h, MSG_NOSIGNAL);
}

/* 0: nothing is there, with MSG_DONTWAIT. */
static int receive(struct fake *f, struct porch_msg *m, int *fds, int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec data = { m, sizeof(*m) };
	struct msghdr h = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	ssize_t n = recvmsg(f->control, &h, flags | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n == 0) {
		printf("closed\n");
		exit(3);
	}
	if (n != sizeof(*m))
		die("control socket");
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	if (m->type == PORCH_MSG_REFUSED) {
		printf("refused %d %s\n", m->result, m->text);
		exit(2);
	}
	return 1;
}

static void expect(struct fake *f, struct porch_msg *m, int *fds, uint32_t type)
{
	receive(f, m, fds, 0);
	if (m->type != type) {
		fprintf(stderr, "fake_app: message %u, wanted %u\n", m->type, type);
		exit(1);
	}
}

static bool map_ring(int fd, uint64_t page, const struct xdp_ring_offset *at, uint32_t entries, size_t entry,
		     struct fake_ring *r)
{
	r->size = at->desc + entries * entry;
	r->map = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return false;
	}
	r->producer = (uint32_t *)((uint8_t *)r->map + at->producer);
	r->consumer = (uint32_t *)((uint8_t *)r->map + at->consumer);
	r->descs = (uint8_t *)r->map + at->desc;
	r->mask = entries - 1;
	return true;
}

static void join(struct fake *f, struct porch_ring_end *e, const struct porch_ring_place *p, int producer)
{
	if (porch_ring_join(e, (struct porch_ring *)((uint8_t *)f->session + p->offset), p->entries,
			    p->entry_size, producer))
		die("ring");
}

/* AREA has been received into a->area. Returns whether it can hold the lease. */
static bool take_area(struct fake *f, struct fake_area *a)
{
	const struct porch_session_area *rings;
	struct xdp_mmap_offsets o;
	socklen_t size = sizeof(o);
	uint32_t i;

	expect(f, &a->socket, &a->xsk, PORCH_MSG_SOCKET);
	a->memory = mmap(NULL, a->area.area.group_size, PROT_READ | PROT_WRITE, MAP_SHARED, a->memfd, 0);
	if (a->memory == MAP_FAILED || getsockopt(a->xsk, SOL_XDP, XDP_MMAP_OFFSETS, &o, &size))
		die("frames");
	a->umem = a->memory + a->area.area.umem;
	a->head = (struct porch_area_head *)(a->memory + a->area.area.head);
	if (!map_ring(a->xsk, XDP_PGOFF_RX_RING, &o.rx, a->socket.socket.rx_entries, sizeof(struct xdp_desc),
		      &a->rx) ||
	    !map_ring(a->xsk, XDP_PGOFF_TX_RING, &o.tx, a->socket.socket.tx_entries, sizeof(struct xdp_desc),
		      &a->tx))
		die("rings");
	a->used = true;
	a->n_free_tx = 0;
	for (i = 0; i < a->socket.socket.tx_frames; i++)
		a->free_tx[a->n_free_tx++] =
			(uint64_t)(a->socket.socket.tx_first + i) * a->area.area.frame_size;
	rings = &f->session->area[a->area.area.area];
	join(f, &a->give, &rings->give, 0);
	join(f, &a->back, &rings->back, 1);
	a->give.own = a->give.peer = __atomic_load_n(&a->give.ring->produced, __ATOMIC_ACQUIRE);
	porch_ring_release(&a->give);
	return map_ring(a->owner, XDP_UMEM_PGOFF_FILL_RING, &o.fr, a->area.area.fill_entries, 8, &a->fill) &&
	       map_ring(a->owner, XDP_UMEM_PGOFF_COMPLETION_RING, &o.cr, a->area.area.completion_entries, 8,
			&a->completion);
}

void fake_register(struct fake *f, const char *path, uint32_t queue)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct porch_msg m = { .type = PORCH_MSG_HELLO, .hello.queue = queue, .hello.name = "fake_app" };
	struct porch_msg mapped = { .type = PORCH_MSG_MAPPED };
	int fds[4];
	uint32_t i, n;

	f->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (connect(f->control, (struct sockaddr *)&to, sizeof(to)))
		die(path);
	fake_send(f, &m);
	expect(f, &m, fds, PORCH_MSG_WELCOME);
	f->session_fd = fds[0];
	f->wake_worker = fds[1];
	f->wake_daemon = fds[2];
	f->number = m.welcome.worker;
	n = m.welcome.areas;
	f->session = mmap(NULL, m.welcome.session_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	if (f->session == MAP_FAILED)
		die("session");
	join(f, &f->accept, &f->session->accept, 0);
	join(f, &f->inject, &f->session->inject, 0);
	join(f, &f->finish, &f->session->finish, 1);
	for (i = 0; i < n; i++) {
		struct fake_area *a;

		expect(f, &m, fds, PORCH_MSG_AREA);
		a = &f->areas[m.area.area];
		a->area = m;
		a->memfd = fds[0];
		a->owner = fds[1];
		if (take_area(f, a))
			mapped.mapped.can_lease |= 1ull << m.area.area;
	}
	fake_send(f, &mapped);
	for (i = 0; i < n; i++)
		expect(f, &m, fds, PORCH_MSG_BOUND);
	expect(f, &m, fds, PORCH_MSG_READY);
	printf("ready worker=%u areas=%u can_lease=%llx\n", f->number, n,
	       (unsigned long long)mapped.mapped.can_lease);
}

uint32_t fake_listen(struct fake *f, uint16_t port, uint32_t backlog)
{
	struct porch_msg m = { .type = PORCH_MSG_LISTEN, .listen.port = port, .listen.backlog = backlog };
	int fds[4];

	fake_send(f, &m);
	expect(f, &m, fds, PORCH_MSG_LISTENING);
	printf("listening port=%u result=%d handle=%u limit=%u\n", port, m.result, m.listen.handle,
	       m.listen.limit);
	if (m.result)
		exit(2);
	return m.listen.handle;
}

static void drop_ring(struct fake_ring *r)
{
	if (r->map)
		munmap(r->map, r->size);
	memset(r, 0, sizeof(*r));
}

static void drop_area(struct fake_area *a)
{
	if (!a->used)
		return;
	drop_ring(&a->rx);
	drop_ring(&a->tx);
	drop_ring(&a->fill);
	drop_ring(&a->completion);
	munmap(a->memory, a->area.area.group_size);
	close(a->memfd);
	close(a->owner);
	close(a->xsk);
	memset(a, 0, sizeof(*a));
}

void fake_control(struct fake *f)
{
	struct porch_msg m;
	int fds[4] = { -1, -1, -1, -1 };

	while (receive(f, &m, fds, MSG_DONTWAIT)) {
		switch (m.type) {
		case PORCH_MSG_AREA_DOWN:
			printf("area_down %u\n", m.down.area);
			drop_area(&f->areas[m.down.area]);
			break;
		case PORCH_MSG_AREA_NEW: {
			struct fake_area *a = &f->areas[m.down.area];
			struct porch_msg mapped = { .type = PORCH_MSG_MAPPED, .mapped.area = m.down.area };

			expect(f, &a->area, fds, PORCH_MSG_AREA);
			a->memfd = fds[0];
			a->owner = fds[1];
			mapped.mapped.can_lease = (uint64_t)take_area(f, a) << m.down.area;
			fake_send(f, &mapped);
			printf("area_new %u\n", m.down.area);
			break;
		}
		case PORCH_MSG_BOUND:
			printf("bound %u\n", m.mapped.area);
			break;
		case PORCH_MSG_LISTENING:
			printf("listening again handle=%u\n", m.listen.handle);
			break;
		default:
			printf("message %u\n", m.type);
		}
	}
}

void fake_kick(struct fake *f)
{
	uint64_t one = 1;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&f->session->daemon_sleeps, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&f->session->daemon_sleeps, 0, __ATOMIC_RELAXED);
	if (write(f->wake_daemon, &one, sizeof(one)) < 0)
		die("eventfd");
}
