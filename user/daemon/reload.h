/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The [porchd] section of porch.conf(5): read at start, and again on SIGHUP. */
#ifndef PORCH_DAEMON_RELOAD_H
#define PORCH_DAEMON_RELOAD_H

struct daemon;
struct porch_daemon_config;
struct porch_err;

struct arguments {
	const char *config;	   /* NULL: the default file, if there is one */
	const char *socket, *user; /* NULL: as configured */
};

int reload_read(const struct arguments *arguments, struct porch_daemon_config *ret, struct porch_err *err);

/* Takes from `fresh` what can change while running; returns the names of what differs and cannot, in `buf`,
 * or an empty string. */
const char *reload_apply(struct porch_daemon_config *config, const struct porch_daemon_config *fresh,
			 char *buf, unsigned int size);

#endif /* PORCH_DAEMON_RELOAD_H */
