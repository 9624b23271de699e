// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A pipe of this process alone, for splice() from and to a connection. */
#include <fcntl.h>
#include <stdlib.h>

#include "drill.h"

int do_pipe(struct drill *d, int fds[2])
{
	struct pipe_buffer *buffer = calloc(1, sizeof(*buffer));
	struct sock *in, *out;

	if (!buffer)
		return -ENOMEM;
	in = sock_new(d, SOCK_PIPE);
	out = in ? sock_new(d, SOCK_PIPE) : NULL;
	if (!out) {
		if (in)
			in->kind = SOCK_FREE;
		free(buffer);
		return -EMFILE;
	}
	buffer->users = 2;
	in->pipe = out->pipe = buffer;
	out->pipe_writes = true;
	fds[0] = in->fd;
	fds[1] = out->fd;
	return 0;
}

int do_splice(struct drill *d, struct sock *in, struct sock *out, size_t n, unsigned int flags)
{
	bool from_pipe = in->kind == SOCK_PIPE && !in->pipe_writes;
	struct pipe_buffer *p = from_pipe ? in->pipe : out->pipe;
	int more = flags & SPLICE_F_MORE ? MSG_MORE : 0;
	int dont_wait = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
	struct iovec iov;
	ssize_t done;

	if (!(from_pipe && out->kind == SOCK_CONN) &&
	    !(in->kind == SOCK_CONN && out->kind == SOCK_PIPE && out->pipe_writes))
		return -EINVAL;
	if (from_pipe) {
		if (!p->used)
			return p->users == 1 ? 0 : -EAGAIN;
		iov = (struct iovec){ p->data, n < p->used ? n : p->used };
		done = do_send(d, out, &iov, 1, more | dont_wait);
		if (done > 0) {
			p->used -= (uint32_t)done;
			memmove(p->data, p->data + done, p->used);
		}
		return (int)done;
	}
	if (p->used == sizeof(p->data))
		return -EAGAIN;
	iov = (struct iovec){ p->data + p->used,
			      n < sizeof(p->data) - p->used ? n : sizeof(p->data) - p->used };
	done = do_recv(d, in, &iov, 1, dont_wait);
	if (done > 0)
		p->used += (uint32_t)done;
	return (int)done;
}
