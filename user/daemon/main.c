// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * porchd: how it starts, in this order, and how it ends.
 *
 *   as root     configuration, the namespace's tables, the lock against a second one,
 *               what root alone can learn of the interfaces, the control socket,
 *               limits, the opener; then no privileges any more
 *   as nobody   interfaces, flow table, what an earlier run left, heartbeat, READY
 *
 * It ends without undoing anything but its own presence: flows and workers stay.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "core/err.h"
#include "core/namespace.h"
#include "core/object.h"
#include "core/util.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "daemon/flowtab.h"
#include "daemon/heartbeat.h"
#include "daemon/known.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/neighbour.h"
#include "daemon/opener.h"
#include "daemon/privileges.h"
#include "daemon/raw.h"
#include "daemon/reload.h"
#include "daemon/retransmit.h"
#include "daemon/session.h"
#include "daemon/watch.h"

const char *argp_program_version = "porchd " PORCH_VERSION;

static struct daemon daemon_;
static struct arguments arguments;
static struct known_hash hash;

#define SPIN_MAX_US 1000000

enum { OPTION_SOCKET = 256, OPTION_USER, OPTION_SPIN };

static uint64_t spin_ns;

static bool take_spin(const char *text)
{
	unsigned long us;
	char *end;

	errno = 0;
	us = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || us > SPIN_MAX_US)
		return false;
	spin_ns = us * 1000;
	return true;
}

static error_t option(int key, char *value, struct argp_state *state)
{
	switch (key) {
	case 'c':
		arguments.config = value;
		return 0;
	case OPTION_SOCKET:
		arguments.socket = value;
		return 0;
	case OPTION_USER:
		arguments.user = value;
		return 0;
	case OPTION_SPIN:
		if (take_spin(value))
			return 0;
		argp_error(state, "%s: --spin takes 0 to %d microseconds", value, SPIN_MAX_US);
		return EINVAL;
	case 'v':
		log_level(LOG_DEBUG);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: takes no argument; see porchd(8)", value);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "config", 'c', "FILE", 0, "configuration, /etc/porch.conf if it is there", 0 },
	{ "socket", OPTION_SOCKET, "PATH", 0, "control socket", 0 },
	{ "user", OPTION_USER, "USER", 0, "whom to become", 0 },
	{ "spin", OPTION_SPIN, "USEC", 0, "look for work so long before sleeping, for latency", 0 },
	{ "verbose", 'v', NULL, 0, "say more", 0 },
	{},
};

static const struct argp argp = {
	.options = options,
	.parser = option,
	.doc = "Accept queues for applications that take TCP connections over AF_XDP, and SYN-ACKs sent "
	       "again, for the "
	       "network namespace it is started in. Runs in the foreground.\v"
	       "Exit status: 0 told to end, 1 failed, 2 usage.",
};

/* Nobody else's porchd in this namespace: a lock on a file that each namespace has but one of, and
 * that is gone when porch is taken off. Kept until the process ends. */
static int lock_namespace(const struct porch_namespace *ns, struct porch_err *err)
{
	char path[PORCH_PIN_PATH];
	int fd = open(porch_pins_path(&ns->pins, 0, "porch_host", path), O_RDONLY | O_CLOEXEC), r;

	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	r = -errno;
	porch_closep(&fd);
	if (r == -EWOULDBLOCK)
		return porch_err_set(err, -EBUSY, "porchd runs already in this network namespace");
	return porch_err_set(err, r, "%s: %s", path, strerror(-r));
}

static int open_namespace(struct daemon *d, struct porch_err *err)
{
	struct porch_namespace ns = { .pins = PORCH_PINS_INIT, .tables = PORCH_TABLES_INIT };
	int r = porch_pins_open(&ns.pins, PORCH_READ, err);

	if (r)
		return r;
	if (!porch_pins_exist(&ns.pins))
		r = porch_err_set(
			err, -ENOENT,
			"nothing is attached in this network namespace; run porch attach IFACE first");
	if (!r)
		r = porch_tables_open(&d->tables, ns.pins.dir, true, err);
	if (!r && !d->tables.host->layout)
		r = porch_err_set(err, -EAGAIN, "porch is being attached; try again");
	if (!r)
		r = lock_namespace(&ns, err);
	if (!r)
		r = known_read(ns.pins.dir, d->tables.n_flows, &hash, err);
	if (!r)
		r = watch_prepare(d, &ns, err);
	porch_pins_close(&ns.pins);
	return r;
}

static int confine_opener(void *arg)
{
	struct privileges to = *(const struct privileges *)arg;
	struct porch_err err;
	int r;

	to.keep = PRIVILEGES_NET_RAW;
	r = privileges_drop(&to, &err);
	if (r)
		log_line(LOG_ERR, "opener: %s", err.text);
	return r;
}

static int as_root(struct daemon *d, struct privileges *to, struct porch_err *err)
{
	int r;

	if (geteuid())
		return porch_err_set(err, -EPERM, "run as root; porchd drops what it does not need");
	r = privileges_find(d->config.user, to, err);
	if (r)
		return r;
	/* first: it shall inherit none of the maps */
	r = opener_start(&d->opener, confine_opener, to);
	if (r)
		return porch_err_set(err, r, "opener: %s", strerror(-r));
	r = open_namespace(d, err);
	if (r)
		return r;
	if (!privileges_may_write_map(to, d->tables.xsks_fd)) {
		log_line(LOG_NOTICE, "this kernel lets nobody write maps without CAP_BPF: it is kept");
		to->keep |= PRIVILEGES_BPF;
	}
	if (privileges_limits(to, err))
		log_line(LOG_WARNING, "%s", err->text);
	r = control_open(d);
	if (r == -EADDRINUSE)
		return porch_err_set(err, r,
				     "%s: somebody answers there already; see socket= in porch.conf(5)",
				     d->config.socket);
	return r ? porch_err_set(err, r, "%s: %s", d->config.socket, strerror(-r)) : 0;
}

static void from_library(const char *line)
{
	log_line(LOG_DEBUG, "%s", line);
}

static void reload(struct daemon *d)
{
	struct porch_daemon_config fresh;
	struct porch_err err;
	char differs[256];

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(loop_clock() / 1000));
	if (reload_read(&arguments, &fresh, &err)) {
		log_line(LOG_ERR, "not reloaded: %s", err.text);
	} else {
		reload_apply(&d->config, &fresh, differs, sizeof(differs));
		retransmit_reload(d);
		listen_refresh(d);
		if (*differs)
			log_line(LOG_WARNING, "reloaded; of these the change counts after a restart: %s",
				 differs);
		else
			log_line(LOG_INFO, "reloaded");
	}
	sd_notify(0, "READY=1");
}

static void on_signal(struct daemon *d, uint32_t events, void *arg)
{
	struct signalfd_siginfo info;
	int fd = *(const int *)arg;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			reload(d);
			continue;
		}
		d->stopping = true;
		loop_stop(d->loop, 0);
	}
}

static void on_opener(struct daemon *d, uint32_t events, void *arg)
{
	log_line(LOG_ERR,
		 "the opener is gone, and no socket can be had without: porchd ends, to be started again");
	loop_remove(d->loop, opener_fd(d->opener));
	loop_stop(d->loop, 1);
}

static int watch_signals(struct daemon *d)
{
	static int fd;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* before any thread or child, which all are to inherit it */
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : loop_add(d->loop, fd, EPOLLIN, on_signal, &fd);
}

/* Each step by its name, for the line that says why porchd does not run. */
static int start(struct daemon *d, struct porch_err *err)
{
	int r;

#define STEP(what, call)                                                                                     \
	do {                                                                                                 \
		r = (call);                                                                                  \
		if (r)                                                                                       \
			return porch_err_set(err, r, what ": %s", strerror(-r));                             \
	} while (0)

	d->now = loop_clock();
	STEP("opener", loop_add(d->loop, opener_fd(d->opener), 0, on_opener, NULL));
	STEP("packet sockets", raw_start(d));
	STEP("interfaces", groups_refresh(d));
	STEP("flow table", flowtab_open(d));
	rebuild(d);
	STEP("retransmission", retransmit_start(d, &hash));
	STEP("control socket", control_start(d));
	STEP("neighbours", neighbour_start(d));
	STEP("links", watch_start(d));
#undef STEP
	loop_spin(d->loop, spin_ns);
	heartbeat_start(d);
	return 0;
}

static void stop(struct daemon *d)
{
	d->stopping = true;
	heartbeat_stop(d);
	if (d->loop) {
		watch_stop(d);
		neighbour_stop(d);
		control_stop(d);
		retransmit_stop(d);
		flowtab_close(d);
		raw_stop(d);
		loop_free(d->loop);
		d->loop = NULL;
	}
	opener_stop(d->opener);
	porch_tables_close(&d->tables);
}

static int fail(const struct porch_err *err)
{
	log_line(LOG_ERR, "%s", err->text);
	sd_notifyf(0, "STATUS=%s", err->text);
	stop(&daemon_);
	return 1;
}

int main(int argc, char **argv)
{
	static const struct loop_sleep sleeps = { sessions_sleep, sessions_pending };
	struct daemon *d = &daemon_;
	struct privileges to = {};
	struct porch_err err = {};
	int r;

	argp_err_exit_status = 2;
	/* naps are short; the usual slack is as long as they are */
	(void)prctl(PR_SET_TIMERSLACK, 1000);
	log_start("porchd");
	porch_object_set_log(from_library);
	d->control_fd = -1;
	d->tables = (struct porch_tables)PORCH_TABLES_INIT;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	r = reload_read(&arguments, &d->config, &err);
	if (r) {
		log_line(LOG_ERR, "%s", err.text);
		return r == -EINVAL ? 2 : 1;
	}
	r = loop_new(d, &sleeps, &d->loop);
	if (!r)
		r = watch_signals(d);
	if (!r && getrandom(&d->generation, sizeof(d->generation), 0) != sizeof(d->generation))
		r = -EIO;
	if (r)
		porch_err_set(&err, r, "%s", strerror(-r));
	if (!r)
		r = as_root(d, &to, &err);
	if (!r)
		r = privileges_drop(&to, &err);
	if (!r)
		r = start(d, &err);
	if (r)
		return fail(&err);
	sd_notifyf(0, "READY=1\nSTATUS=%u interfaces", d->n_groups);
	log_line(LOG_INFO, "porchd " PORCH_VERSION " runs: %u interfaces, user %s, socket %s", d->n_groups,
		 d->config.user, d->config.socket);
	r = loop_run(d->loop);
	sd_notify(0, "STOPPING=1");
	log_line(LOG_INFO, "porchd ends; connections stay with their workers");
	stop(d);
	return r;
}
