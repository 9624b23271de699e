// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/config.h"
#include "core/err.h"
#include "core/util.h"
#include "daemon/reload.h"

#define DEFAULT_FILE "/etc/porch.conf"

static int copy(char *to, size_t size, const char *from, const char *what, struct porch_err *err)
{
	if (!*from || strlen(from) >= size)
		return porch_err_set(err, -EINVAL, "%s: 1 to %zu octets", what, size - 1);
	memset(to, 0, size);
	memcpy(to, from, strlen(from));
	return 0;
}

int reload_read(const struct arguments *a, struct porch_daemon_config *ret, struct porch_err *err)
{
	_cleanup_config_ struct porch_config *config = NULL;
	struct porch_daemon_config c;
	int r = 0;

	if (a->config || !access(DEFAULT_FILE, F_OK)) {
		r = porch_config_read(a->config ? a->config : DEFAULT_FILE, &config, err);
		if (r)
			return r;
		c = config->daemon;
	} else {
		porch_daemon_config_default(&c);
	}
	if (a->socket)
		r = copy(c.socket, sizeof(c.socket), a->socket, "--socket", err);
	if (!r && a->user)
		r = copy(c.user, sizeof(c.user), a->user, "--user", err);
	if (!r)
		*ret = c;
	return r;
}

const char *reload_apply(struct porch_daemon_config *config, const struct porch_daemon_config *fresh,
			 char *buf, unsigned int size)
{
	const struct {
		const char *name;
		bool differs;
	} fixed[] = {
		{ "socket", strcmp(config->socket, fresh->socket) },
		{ "user", strcmp(config->user, fresh->user) },
		{ "workers", config->workers != fresh->workers },
		{ "workers-per-queue", config->workers_per_queue != fresh->workers_per_queue },
		{ "rx-frames", config->rx_frames != fresh->rx_frames },
		{ "tx-frames", config->tx_frames != fresh->tx_frames },
		{ "early-frames", config->early_frames != fresh->early_frames },
		{ "early-memory", config->early_memory != fresh->early_memory },
		{ "zero-copy", config->zero_copy != fresh->zero_copy },
		{ "tx-checksum", config->tx_checksum != fresh->tx_checksum },
	};
	unsigned int at = 0;
	size_t i;

	*buf = '\0';
	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (fixed[i].differs && at < size)
			at += snprintf(buf + at, size - at, "%s%s", at ? ", " : "", fixed[i].name);
	}
	memcpy(config->allow_uid, fresh->allow_uid, sizeof(config->allow_uid));
	config->n_allow_uid = fresh->n_allow_uid;
	config->backlog = fresh->backlog;
	config->accept_timeout = fresh->accept_timeout;
	config->fallback = fresh->fallback;
	config->synack_retries = fresh->synack_retries;
	config->handback_memory = fresh->handback_memory;
	return buf;
}
