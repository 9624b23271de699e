// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/opener.h"
#include "daemon/raw.h"

#define SOCKETS_MAX 64
#define AGAIN_NS    NS_PER_SEC /* after a failure */

struct raw_socket {
	uint32_t ifindex; /* 0: unused */
	int fd;		  /* -1: could not be had */
	int error;
	uint64_t again; /* until then `error` is the answer */
	uint8_t mac[6];
};

struct raw {
	struct raw_socket sockets[SOCKETS_MAX];
};

int raw_start(struct daemon *d)
{
	d->raw = calloc(1, sizeof(*d->raw));
	return d->raw ? 0 : -ENOMEM;
}

static void forget(struct raw_socket *s)
{
	if (s->ifindex)
		porch_closep(&s->fd);
	memset(s, 0, sizeof(*s));
}

void raw_stop(struct daemon *d)
{
	int i;

	if (!d->raw)
		return;
	for (i = 0; i < SOCKETS_MAX; i++)
		forget(&d->raw->sockets[i]);
	free(TAKE_PTR(d->raw));
}

void raw_forget(struct daemon *d, uint32_t ifindex)
{
	int i;

	for (i = 0; i < SOCKETS_MAX; i++) {
		if (d->raw->sockets[i].ifindex == ifindex)
			forget(&d->raw->sockets[i]);
	}
}

static int ask_mac(int fd, uint32_t ifindex, uint8_t mac[6])
{
	struct ifreq request = {};

	if (!if_indextoname(ifindex, request.ifr_name) || ioctl(fd, SIOCGIFHWADDR, &request))
		return -errno;
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	return 0;
}

static void open_socket(struct daemon *d, struct raw_socket *s)
{
	int fd = opener_packet(d, s->ifindex), r;

	s->fd = fd < 0 ? -1 : fd;
	r = fd < 0 ? fd : ask_mac(fd, s->ifindex, s->mac);
	if (!r)
		return;
	porch_closep(&s->fd);
	s->fd = -1;
	s->error = r;
	s->again = d->now + AGAIN_NS;
	log_limited(d->now, LOG_WARNING, "interface %u: no packet socket: %s", s->ifindex, strerror(-r));
}

/* NULL: too many interfaces. */
static struct raw_socket *find(struct daemon *d, uint32_t ifindex)
{
	struct raw_socket *s, *free_one = NULL;
	int i;

	for (i = 0; i < SOCKETS_MAX; i++) {
		s = &d->raw->sockets[i];
		if (!s->ifindex && !free_one)
			free_one = s;
		if (s->ifindex != ifindex)
			continue;
		if (s->fd < 0 && d->now >= s->again)
			open_socket(d, s);
		return s;
	}
	if (!free_one)
		return NULL;
	*free_one = (struct raw_socket){ .ifindex = ifindex, .fd = -1 };
	open_socket(d, free_one);
	return free_one;
}

int raw_mac(struct daemon *d, uint32_t ifindex, uint8_t mac[6])
{
	struct raw_socket *s = ifindex ? find(d, ifindex) : NULL;

	if (!s)
		return ifindex ? -EMFILE : -ENODEV;
	if (s->fd < 0)
		return s->error;
	memcpy(mac, s->mac, 6);
	return 0;
}

int raw_send(struct daemon *d, uint32_t ifindex, const void *frame, uint32_t length)
{
	struct raw_socket *s = ifindex ? find(d, ifindex) : NULL;
	int r;

	if (!s)
		return ifindex ? -EMFILE : -ENODEV;
	if (s->fd < 0)
		return s->error;
	if (send(s->fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length)
		return 0;
	r = -errno;
	/* The socket of an interface that is gone says so for ever, also when another
	 * has its index: ask for a new one next time. Down may become up. */
	if (r == -ENXIO || r == -ENODEV)
		forget(s);
	return r;
}
