// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include <bpf/bpf.h>

#include "core/err.h"
#include "core/interface.h"
#include "core/namespace.h"
#include "core/util.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/netlink_watch.h"
#include "daemon/raw.h"
#include "daemon/watch.h"

#define LOOK_NS NS_PER_SEC
#define WHY_MAX 160

/* A dispatcher that runs our program has another id, which only root can look behind. */
struct expected {
	uint32_t ifindex;
	uint32_t program;
};

struct watch {
	struct netlink_watch netlink;
	struct loop_timer timer;
	int dir_fd; /* of the pins */
	int ioctl_fd;
	uint32_t program; /* porch_xdp */
	struct expected expected[DAEMON_INTERFACES_MAX];
	uint32_t n_expected;
	struct {
		uint32_t ifindex;
		char why[WHY_MAX];
	} said[DAEMON_INTERFACES_MAX]; /* by group: what was last said of it, while it is down */
};

static int prepare(struct watch *w, const struct porch_namespace *ns, struct porch_err *err)
{
	_cleanup_free_ struct porch_interface *all = NULL;
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int program = porch_pins_get(&ns->pins, 0, "porch_xdp");
	size_t n = 0, i;
	int r;

	if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &size)) {
		r = program < 0 ? program : -errno;
		return porch_err_set(err, r, "%s/porch_xdp: %s", ns->pins.dir, strerror(-r));
	}
	w->program = info.id;
	r = porch_interface_list(ns, &all, &n);
	if (r)
		return porch_err_set(err, r, "%s: %s", ns->pins.dir, strerror(-r));
	for (i = 0; i < n && w->n_expected < DAEMON_INTERFACES_MAX; i++) {
		struct porch_xdp_state state;

		if (all[i].by != PORCH_BY_LIBXDP || all[i].lost || porch_xdp_query(all[i].ifindex, &state))
			continue;
		w->expected[w->n_expected++] = (struct expected){ all[i].ifindex, state.id };
	}
	w->dir_fd = fcntl(ns->pins.dir_fd, F_DUPFD_CLOEXEC, 0);
	w->ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->dir_fd < 0 || w->ioctl_fd < 0) {
		r = -errno;
		return porch_err_set(err, r, "%s", strerror(-r));
	}
	return 0;
}

int watch_prepare(struct daemon *d, const struct porch_namespace *ns, struct porch_err *err)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return porch_err_set(err, -ENOMEM, "out of memory");
	w->dir_fd = w->ioctl_fd = w->netlink.fd = -1;
	d->watch = w;
	r = prepare(w, ns, err);
	if (r)
		watch_stop(d);
	return r;
}

/* What a driver without channels has. */
static uint32_t queues_in_sysfs(const char *name)
{
	char path[64 + IFNAMSIZ];
	struct dirent *entry;
	uint32_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/net/%s/queues", name);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += !strncmp(entry->d_name, "rx-", 3);
	if (dir)
		closedir(dir);
	return n ? n : 1;
}

static uint32_t rx_queues(int fd, const char *name)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq request = { .ifr_data = (void *)&channels };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (!ioctl(fd, SIOCETHTOOL, &request))
		return channels.rx_count + channels.combined_count;
	return errno == ENODEV ? 0 : queues_in_sysfs(name);
}

uint32_t watch_rx_queues(const char *name)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? 0 : rx_queues(fd, name);
}

static uint32_t program_of(const struct watch *w, uint32_t ifindex)
{
	uint32_t i;

	for (i = 0; i < w->n_expected; i++) {
		if (w->expected[i].ifindex == ifindex)
			return w->expected[i].program;
	}
	return w->program;
}

/* NULL: all is well. */
static const char *wrong(const struct watch *w, struct trust_group *g, char why[WHY_MAX])
{
	struct porch_xdp_state state;
	struct ifreq request = {};
	char name[IF_NAMESIZE];
	uint32_t queues;

	if (!if_indextoname(g->ifindex, name))
		return "the interface is gone";
	snprintf(g->name, sizeof(g->name), "%s", name); /* it may have been renamed */
	memcpy(request.ifr_name, name, sizeof(request.ifr_name));
	if (ioctl(w->ioctl_fd, SIOCGIFFLAGS, &request))
		return "the interface is gone";
	if (!(request.ifr_flags & IFF_UP))
		return "the interface is down";
	if (porch_xdp_query(g->ifindex, &state))
		return "the kernel does not say which XDP program runs there";
	if (!state.id)
		return "porch's XDP program was taken off; attach porch again";
	if (state.id != program_of(w, g->ifindex)) {
		snprintf(why, WHY_MAX,
			 "XDP program %u runs in place of porch's; take it off, then attach porch again",
			 state.id);
		return why;
	}
	queues = rx_queues(w->ioctl_fd, name);
	if (queues != g->queues) {
		snprintf(why, WHY_MAX, "it had %u RX queues and has %u", g->queues, queues);
		return why;
	}
	return NULL;
}

static void look_at(struct daemon *d, uint32_t i)
{
	struct trust_group *g = &d->groups[i];
	__typeof__(d->watch->said[0]) *said = &d->watch->said[i];
	char buffer[WHY_MAX];
	const char *why = wrong(d->watch, g, buffer);

	if (why) {
		if (said->ifindex != g->ifindex || strcmp(said->why, why))
			log_line(LOG_WARNING, "%s: no connections for applications: %s", g->name, why);
		said->ifindex = g->ifindex;
		snprintf(said->why, sizeof(said->why), "%s", why);
		if (g->up)
			group_down(d, g, why);
	}
	if (why || g->up)
		return;
	group_up(d, g);
	if (g->up && said->ifindex == g->ifindex) {
		log_line(LOG_NOTICE, "%s: is as it should be again", g->name);
		said->ifindex = 0;
	}
}

/* The directory's last link goes when porch is taken off the last interface. What we
 * have mapped then is nobody's any more, and new tables would have to be opened by root. */
static bool detached(const struct watch *w)
{
	struct stat st;

	return !fstat(w->dir_fd, &st) && !st.st_nlink;
}

void watch_look(struct daemon *d)
{
	uint32_t i;
	int r;

	if (detached(d->watch)) {
		log_line(LOG_ERR, "porch was taken off this network namespace, or attached anew: porchd "
				  "ends, to be started again");
		loop_stop(d->loop, 1);
		return;
	}
	r = groups_refresh(d);
	if (r)
		log_limited(d->now, LOG_WARNING, "interfaces: %s", strerror(-r));
	for (i = 0; i < DAEMON_INTERFACES_MAX; i++) {
		if (d->groups[i].ifindex)
			look_at(d, i);
	}
}

static void every_second(struct daemon *d, void *arg)
{
	watch_look(d);
	loop_timer_arm(d->loop, &d->watch->timer, d->now + LOOK_NS, every_second, NULL);
}

/* Links report each change of their counters too, some of them often. */
static void soon(struct daemon *d)
{
	if (d->watch->timer.at > d->now + 10 * NS_PER_MS)
		loop_timer_arm(d->loop, &d->watch->timer, d->now + 10 * NS_PER_MS, every_second, NULL);
}

static void link_message(struct daemon *d, const struct nlmsghdr *m)
{
	const struct ifinfomsg *link = NLMSG_DATA(m);

	if ((m->nlmsg_type != RTM_NEWLINK && m->nlmsg_type != RTM_DELLINK) ||
	    m->nlmsg_len < NLMSG_LENGTH(sizeof(*link)))
		return;
	raw_forget(d, link->ifi_index); /* its MAC may be the change */
	soon(d);
}

int watch_start(struct daemon *d)
{
	struct watch *w = d->watch;

	w->netlink.message = link_message;
	w->netlink.lost = soon;
	loop_timer_arm(d->loop, &w->timer, d->now, every_second, NULL);
	return netlink_watch_start(d, &w->netlink, RTMGRP_LINK);
}

void watch_stop(struct daemon *d)
{
	struct watch *w = d->watch;

	if (!w)
		return;
	if (d->loop) {
		loop_timer_stop(d->loop, &w->timer);
		netlink_watch_stop(d, &w->netlink);
	}
	porch_closep(&w->dir_fd);
	porch_closep(&w->ioctl_fd);
	free(TAKE_PTR(d->watch));
}
