/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The beginning and the end of a worker. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/util.h"
#include "lib/lib.h"

static const struct tcp_ops ops = {
	.frame_get = tx_get,
	.frame_send = tx_send,
	.notify = lib_conn_notify,
	.block_get = memory_block,
	.block_put = memory_block_put,
};

static uint64_t pick(uint64_t asked, uint64_t fallback)
{
	return asked ? asked : fallback;
}

static bool within(uint64_t n, uint64_t least, uint64_t most)
{
	return n >= least && n <= most;
}

/* Options of a caller built against an older header are shorter; what is missing is default. */
static int options(struct porch *p, const struct porch_open_opts *opts, struct porch_open_opts *o)
{
	const char *path;

	*o = (struct porch_open_opts){};
	if (opts) {
		if (opts->size < sizeof(opts->size))
			return -EINVAL;
		memcpy(o, opts, opts->size < sizeof(*o) ? opts->size : sizeof(*o));
	}
	if (o->flags & ~(uint32_t)(PORCH_OPEN_QUEUE | PORCH_OPEN_TELL))
		return -EINVAL;
	o->credit = pick(o->credit, LIB_CREDIT_DEFAULT);
	o->max_conns = pick(o->max_conns, LIB_MAX_CONNS_DEFAULT);
	o->memory = pick(o->memory, LIB_MEMORY_DEFAULT);
	o->recv_buffer = pick(o->recv_buffer, LIB_BUFFER_DEFAULT);
	o->send_buffer = pick(o->send_buffer, LIB_BUFFER_DEFAULT);
	if (!within(o->credit, 1, LIB_CREDIT_MAX) || !within(o->max_conns, 1, LIB_MAX_CONNS_MAX) ||
	    !within(o->memory, 16 * TCP_BLOCK, (uint64_t)UINT32_MAX * TCP_BLOCK) ||
	    !within(o->recv_buffer, LIB_BUFFER_MIN, LIB_BUFFER_MAX) ||
	    !within(o->send_buffer, LIB_BUFFER_MIN, LIB_BUFFER_MAX))
		return -EINVAL;
	path = o->socket ? o->socket : secure_getenv("PORCH_SOCKET");
	if (!path || !*path)
		path = PORCH_SOCKET_DEFAULT;
	if (strlen(path) >= sizeof(p->path))
		return -ENAMETOOLONG;
	strcpy(p->path, path);
	snprintf(p->name, sizeof(p->name), "%s", o->name ? o->name : program_invocation_short_name);
	p->flags = o->flags;
	p->want_queue = o->flags & PORCH_OPEN_QUEUE ? o->queue : PORCH_QUEUE_ANY;
	p->credit = o->credit;
	p->max_conns = o->max_conns;
	return 0;
}

static int mark(struct porch *p)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *m = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return -errno;
	p->mark = m;
	if (madvise(m, page, MADV_WIPEONFORK))
		return -errno;
	p->mark->ours = 1;
	return 0;
}

static int files(struct porch *p)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = LIB_TAG_TIMER };

	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (p->epoll < 0 || p->timer < 0 || epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->timer, &event))
		return -errno;
	return 0;
}

/* Step by step, each with its deadline. */
static int registration(struct porch *p)
{
	int r = session_start(p);

	while (!r && p->phase != PHASE_READY) {
		struct pollfd pfd = { .fd = p->control, .events = POLLIN };
		uint64_t now = p->stack.now = poll_clock();

		if (p->phase == PHASE_NONE)
			return p->failure;
		if (now >= p->step_deadline)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (p->step_deadline - now) / 1000000 + 1) < 0 && errno != EINTR)
			return -errno;
		session_input(p);
	}
	return r;
}

static void free_all(struct porch *p)
{
	capture_stop(p);
	free(p->capture.buffer);
	for (unsigned int i = 0; i < PORCH_WORKER_LISTENERS; i++)
		if (p->listeners[i])
			listen_free(p->listeners[i]);
	memory_close(p);
	porch_closep(&p->control);
	porch_closep(&p->timer);
	porch_closep(&p->epoll);
	if (p->mark)
		munmap(p->mark, sysconf(_SC_PAGESIZE));
	free(p);
}

/* In a child the shared mappings are not there (MADV_DONTFORK), and the epoll set is the parent's. */
static void close_in_child(struct porch *p)
{
	for (uint32_t i = 0; i < PORCH_AREAS_MAX; i++) {
		struct area *a = p->areas[i];

		if (!a)
			continue;
		porch_closep(&a->xsk);
		porch_closep(&a->owner);
		porch_closep(&a->group);
		free(a->tx_free);
		free(a->tx_out);
		free(a->spent);
		free(a);
	}
	porch_closep(&p->session_fd);
	porch_closep(&p->wake_worker);
	porch_closep(&p->wake_daemon);
	free_all(p);
}

int porch_open(struct porch **ret, const struct porch_open_opts *opts)
{
	struct tcp_settings settings = { .frame_size = LIB_FRAME };
	struct porch_open_opts o;
	struct porch *p;
	int r;

	if (!ret)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->control = p->epoll = p->timer = p->wake_worker = p->wake_daemon = p->session_fd = -1;
	p->capture.fd = -1;
	p->kick_at = p->step_deadline = LIB_NEVER;
	r = options(p, opts, &o);
	if (!r)
		r = mark(p);
	if (!r)
		r = files(p);
	if (r) {
		free_all(p);
		return r;
	}
	if (getrandom(&settings.seed, sizeof(settings.seed), 0) < 0)
		settings.seed = poll_clock();
	settings.recv_buffer = o.recv_buffer;
	settings.send_buffer = o.send_buffer;
	tcp_stack_init(&p->stack, &ops, &settings, poll_clock());
	r = memory_open(p, o.memory);
	if (!r)
		r = registration(p);
	if (r) {
		session_drop(p);
		free_all(p);
		return r;
	}
	exit_add(p);
	*ret = p;
	return 0;
}

void porch_close(struct porch *p)
{
	struct porch_msg msg = { .type = PORCH_MSG_GOODBYE, .version = PORCH_WIRE_VERSION };

	if (!p)
		return;
	exit_remove(p);
	if (!porch_is_ours(p)) {
		close_in_child(p);
		return;
	}
	handback(p);
	if (p->phase == PHASE_READY)
		control_send(p->control, &msg, NULL, 0);
	session_drop(p);
	free_all(p);
}

int porch_state(const struct porch *p)
{
	if (!porch_is_ours(p))
		return p ? -ECHILD : -EINVAL;
	return p->state;
}
