// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/if_packet.h>

#include "core/util.h"
#include "daemon/daemon.h"
#include "daemon/opener.h"

/* It needs microseconds. One that is late will not be waited for again: its
 * answer would be taken for that of the next request. */
#define PATIENCE_MS 500

struct opener {
	int fd;
	bool gone;
	pid_t pid;
};

static int open_xsk(void)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Bound to no protocol, it receives nothing; the filter, which stays whatever is done
 * to the socket, keeps it so when it is bound again. */
static int open_packet(uint32_t ifindex)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &nothing };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };
	char name[IF_NAMESIZE];
	int fd, r;

	if (!ifindex || !if_indextoname(ifindex, name))
		return -ENODEV;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* The answer: 0 and a descriptor, or -errno and none. */
static int answer(int fd, int32_t result)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	int32_t said = result < 0 ? result : 0;
	struct iovec data = { &said, sizeof(said) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (result >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &result, sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == sizeof(said) ? 0 : -errno;
}

int opener_serve(int fd)
{
	struct opener_request request;
	ssize_t n;
	int r;

	for (;;) {
		n = recv(fd, &request, sizeof(request), MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (n != sizeof(request))
			r = -EPROTO;
		else if (request.type == OPENER_XSK)
			r = request.ifindex ? -EINVAL : open_xsk();
		else if (request.type == OPENER_PACKET)
			r = open_packet(request.ifindex);
		else
			r = -EINVAL;
		n = answer(fd, r);
		if (r >= 0)
			close(r);
		if (n < 0)
			return n;
	}
}

/* Signals meant for porchd reach its whole process group, or unit: this one ends
 * with its socket, when porchd has no more use for it, or with porchd. */
static void run(int fd, pid_t parent, opener_confine_fn confine, void *arg)
{
	int i;

	for (i = 1; i < NSIG; i++)
		signal(i, i == SIGTERM || i == SIGINT || i == SIGHUP || i == SIGPIPE ? SIG_IGN : SIG_DFL);
	prctl(PR_SET_NAME, "porchd-opener");
	if (dup2(fd, 3) != 3 || close_range(4, ~0u, 0) || confine(arg))
		_exit(1);
	/* after the user was changed, which clears it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	_exit(opener_serve(3) ? 1 : 0);
}

int opener_start(struct opener **ret, opener_confine_fn confine, void *arg)
{
	_cleanup_free_ struct opener *opener = calloc(1, sizeof(*opener));
	pid_t parent = getpid();
	int pair[2], r;

	if (!opener)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	opener->pid = fork();
	if (opener->pid < 0) {
		r = -errno;
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (!opener->pid)
		run(pair[1], parent, confine, arg);
	close(pair[1]);
	opener->fd = pair[0];
	*ret = TAKE_PTR(opener);
	return 0;
}

void opener_stop(struct opener *opener)
{
	if (!opener)
		return;
	porch_closep(&opener->fd);
	while (waitpid(opener->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(opener);
}

/* Whoever watches the descriptor is told as well. */
static int gone(struct opener *opener)
{
	opener->gone = true;
	(void)shutdown(opener->fd, SHUT_RDWR);
	return -EPIPE;
}

int opener_ask(struct opener *opener, struct opener_request request)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	int32_t said = -EPROTO;
	struct iovec data = { &said, sizeof(said) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.room) };
	struct pollfd wait;
	struct cmsghdr *c;
	int fd = -1, r;

	if (!opener || opener->gone)
		return -EPIPE;
	if (send(opener->fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return gone(opener);
	wait = (struct pollfd){ .fd = opener->fd, .events = POLLIN };
	do
		r = poll(&wait, 1, PATIENCE_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0 || recvmsg(opener->fd, &message, MSG_CMSG_CLOEXEC) != sizeof(said))
		return gone(opener);
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	if (said < 0 && fd < 0)
		return said;
	return fd < 0 ? gone(opener) : fd;
}

int opener_xsk(struct daemon *d)
{
	return opener_ask(d->opener, (struct opener_request){ .type = OPENER_XSK });
}

int opener_packet(struct daemon *d, uint32_t ifindex)
{
	return opener_ask(d->opener, (struct opener_request){ .type = OPENER_PACKET, .ifindex = ifindex });
}

int opener_fd(const struct opener *opener)
{
	return opener->fd;
}

pid_t opener_pid(const struct opener *opener)
{
	return opener->pid;
}
