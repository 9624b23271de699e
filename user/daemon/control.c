// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/area.h"
#include "daemon/control.h"
#include "daemon/group.h"
#include "daemon/log.h"
#include "daemon/peer.h"
#include "daemon/reap.h"
#include "daemon/session.h"
#include "daemon/slots.h"

#define ACCEPT_BATCH 16
#define BACKLOG	     64
#define SWEEP_NS     (4 * NS_PER_SEC) /* rebuild.c waits 3 s for workers of an earlier run */

static void tick(struct daemon *d, void *arg);

static int socket_at(const char *path, struct sockaddr_un *address)
{
	int fd;

	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strcpy(address->sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

/* Whatever lies there: nothing, or a socket that nobody answers at. */
static int clear_path(const char *path)
{
	struct sockaddr_un address;
	struct stat st;
	_cleanup_close_ int fd = -1;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket_at(path, &address);
	if (fd < 0)
		return fd;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlink(path) ? -errno : 0;
}

/* One level: /run/porch. It stays root's, so that nobody else can put a socket there. */
static int make_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	strcpy(dir, path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	return mkdir(dir, 0755) && errno != EEXIST ? -errno : 0;
}

int control_open(struct daemon *d)
{
	struct sockaddr_un address;
	_cleanup_close_ int fd = -1;
	int r = make_directory(d->config.socket);

	if (!r)
		r = clear_path(d->config.socket);
	if (r)
		return r;
	fd = socket_at(d->config.socket, &address);
	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(d->config.socket, 0666) ||
	    listen(fd, BACKLOG))
		return -errno;
	d->control_fd = TAKE_FD(fd);
	return 0;
}

static bool listed(const struct daemon *d, uint32_t uid)
{
	uint32_t i;

	for (i = 0; i < d->config.n_allow_uid; i++) {
		if (d->config.allow_uid[i] == uid)
			return true;
	}
	return false;
}

static uint32_t strangers(const struct daemon *d)
{
	const struct peer *p;
	uint32_t n = 0;

	for (p = d->control->peers; p; p = p->next)
		n += p->stranger && p->state != PEER_DEAD;
	return n;
}

int control_take(struct daemon *d, int fd, uint32_t pid, uint32_t uid)
{
	bool stranger = !listed(d, uid);
	struct peer *p;
	int r;

	control_sweep(d);
	if (d->control->n_peers >= control_peers_max(d) || (stranger && strangers(d) >= CONTROL_STRANGERS)) {
		log_limited(d->now, LOG_WARNING,
			    "pid %u (uid %u): too many connections on the control socket", pid, uid);
		close(fd);
		return -EUSERS;
	}
	r = peer_new(d, fd, pid, uid, &p);
	if (r)
		return r;
	p->stranger = stranger;
	p->next = d->control->peers;
	d->control->peers = p;
	d->control->n_peers++;
	control_wake(d);
	return 0;
}

void control_sweep(struct daemon *d)
{
	struct peer **at = &d->control->peers, *p;

	while ((p = *at)) {
		if (p->state != PEER_DEAD) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
		d->control->n_peers--;
	}
}

static void incoming(struct daemon *d, uint32_t events, void *arg)
{
	int i, fd;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		struct ucred who = {};
		socklen_t size = sizeof(who);

		fd = accept4(d->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
				log_limited(d->now, LOG_ERR, "control socket: %s", strerror(errno));
				d->control->paused = !loop_change(d->loop, d->control_fd, 0);
			}
			return;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size)) {
			close(fd);
			continue;
		}
		control_take(d, fd, who.pid, who.uid);
	}
}

static bool expected(const struct daemon *d)
{
	uint32_t n;

	for (n = 1; n < PORCH_WORKERS_MAX; n++) {
		if (rebuild_expects(d, n))
			return true;
	}
	return false;
}

/* Nobody there, nothing going on: porchd sleeps as long as nobody comes. */
static bool idle(const struct daemon *d)
{
	if (d->control->n_peers || !d->control->swept || d->control->orphans || d->control->paused)
		return false;
	for_each_area(d, a, g, q)
	{
		if (a->broken || a->down_ns || a->bind_since || a->departed || a->unsettled || a->workers)
			return false;
	}
	return true;
}

void control_wake(struct daemon *d)
{
	struct control *c = d->control;

	if (c && !c->tick.armed)
		loop_timer_arm(d->loop, &c->tick, d->now + AREA_TICK_NS, tick, NULL);
}

static void tick(struct daemon *d, void *arg)
{
	struct control *c = d->control;

	areas_tick(d);
	control_sweep(d);
	if (c->paused && !loop_change(d->loop, d->control_fd, EPOLLIN))
		c->paused = false;
	if (!c->swept && d->now - c->started > SWEEP_NS && !expected(d)) {
		c->swept = true;
		slots_sweep(d);
	}
	if (c->orphans && !expected(d)) {
		c->orphans = false;
		areas_answer(d);
	}
	if (!idle(d))
		control_wake(d);
}

int control_start(struct daemon *d)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	d->control = c;
	c->started = d->now;
	c->orphans = expected(d);
	r = reap_start();
	if (!r)
		r = loop_add(d->loop, d->control_fd, EPOLLIN, incoming, NULL);
	if (!r)
		r = loop_add_poller(d->loop, areas_poll);
	if (!r)
		r = loop_add_poller(d->loop, sessions_poll);
	if (r) {
		reap_stop();
		d->control = NULL;
		free(c);
		return r;
	}
	control_wake(d);
	return 0;
}

void control_stop(struct daemon *d)
{
	struct control *c = d->control;
	struct peer *p;

	if (d->control_fd >= 0) {
		if (c)
			loop_remove(d->loop, d->control_fd);
		close(d->control_fd);
		d->control_fd = -1;
		/* Whoever starts next replaces it, if this may not. */
		unlink(d->config.socket);
	}
	if (!c)
		return;
	loop_timer_stop(d->loop, &c->tick);
	for (p = c->peers; p; p = p->next)
		peer_close(p, "porchd ends");
	control_sweep(d);
	reap_stop();
	d->control = NULL;
	free(c);
}
