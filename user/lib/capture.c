/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames as pcap records (the classic format of libpcap, microseconds), because
 * no tool of the kernel sees this traffic. Records are collected and written
 * PIPE_BUF octets at most at a time: several workers may share one pipe. What
 * the reader has no room for is left out.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#include "core/util.h"
#include "lib/lib.h"

struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	int32_t zone;
	uint32_t figures;
	uint32_t snaplen;
	uint32_t link;
};

struct pcap_record {
	uint32_t sec, usec;
	uint32_t included, length;
};

static uint64_t clock_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int start(struct porch *p, int fd, bool owned, uint32_t ifindex, uint32_t snaplen)
{
	uint8_t *buffer = p->capture.buffer ? p->capture.buffer : malloc(PIPE_BUF);

	if (!buffer)
		return -ENOMEM;
	capture_stop(p);
	if (!snaplen || snaplen > PIPE_BUF - sizeof(struct pcap_record))
		snaplen = PIPE_BUF - sizeof(struct pcap_record);
	p->capture = (struct capture){
		.fd = fd,
		.owned = owned,
		.ifindex = ifindex,
		.snaplen = snaplen,
		.wall = clock_of(CLOCK_REALTIME) - clock_of(CLOCK_MONOTONIC),
		.buffer = buffer,
	};
	return 0;
}

void capture_stop(struct porch *p)
{
	if (p->capture.owned)
		porch_closep(&p->capture.fd);
	p->capture.fd = -1;
	p->capture.owned = false;
	p->capture.used = 0;
}

/* A reader that is gone must not end the application: SIGPIPE is taken back. */
static ssize_t write_quietly(int fd, const void *data, size_t n)
{
	static const struct timespec now = {};
	sigset_t pipe, before, pending;
	ssize_t r;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	if (pthread_sigmask(SIG_BLOCK, &pipe, &before))
		return -1;
	r = write(fd, data, n);
	if (r < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE)) {
		while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
			;
		errno = EPIPE;
	}
	n = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = n;
	return r;
}

void capture_flush(struct porch *p)
{
	struct capture *c = &p->capture;
	uint32_t n = c->used;

	if (c->fd < 0 || !n)
		return;
	c->used = 0;
	if (write_quietly(c->fd, c->buffer, n) < 0 && errno != EAGAIN && errno != EINTR)
		capture_stop(p);
}

void capture_frame(struct porch *p, uint32_t ifindex, const void *frame, uint32_t length)
{
	struct capture *c = &p->capture;
	uint64_t now = p->stack.now + c->wall;
	struct pcap_record r = {
		.sec = now / 1000000000u,
		.usec = now % 1000000000u / 1000,
		.included = length < c->snaplen ? length : c->snaplen,
		.length = length,
	};

	if (c->ifindex && ifindex && ifindex != c->ifindex)
		return;
	if (c->used + sizeof(r) + r.included > PIPE_BUF)
		capture_flush(p);
	if (c->fd < 0)
		return;
	memcpy(c->buffer + c->used, &r, sizeof(r));
	memcpy(c->buffer + c->used + sizeof(r), frame, r.included);
	c->used += sizeof(r) + r.included;
}

/* CAPTURE: a pipe from `porch capture`, who writes the file's header itself. */
int capture_start(struct porch *p, const struct porch_msg *msg, int *fd)
{
	int flags = *fd < 0 ? -1 : fcntl(*fd, F_GETFL);

	if (flags < 0 || fcntl(*fd, F_SETFL, flags | O_NONBLOCK))
		return -EPROTO;
	/* What the application captures itself is not interrupted. */
	if (p->capture.fd >= 0 && !p->capture.owned)
		return 0;
	if (!start(p, *fd, true, msg->capture.ifindex, msg->capture.snaplen))
		*fd = -1;
	return 0;
}

int porch_capture(struct porch *p, int fd, uint32_t snaplen)
{
	struct pcap_file header = { 0xa1b2c3d4, 2, 4, 0, 0, PIPE_BUF, 1 };
	int r;

	if (!porch_is_ours(p))
		return p ? -ECHILD : -EINVAL;
	capture_flush(p);
	if (fd < 0) {
		capture_stop(p);
		return 0;
	}
	r = start(p, fd, false, 0, snaplen);
	if (r)
		return r;
	header.snaplen = p->capture.snaplen;
	if (write_quietly(fd, &header, sizeof(header)) != sizeof(header)) {
		r = -errno;
		capture_stop(p);
	}
	return r;
}
