// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The [porchd] section of porch.conf(5). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <porch/wire.h>

#include "core/config.h"
#include "core/config_internal.h"
#include "core/err.h"
#include "core/util.h"

void porch_daemon_config_default(struct porch_daemon_config *ret)
{
	*ret = (struct porch_daemon_config){
		.socket = PORCH_SOCKET_DEFAULT,
		.user = "nobody",
		.n_allow_uid = 1, /* root */
		.backlog = 4096,
		.accept_timeout = 30,
		.workers = 16,
		.workers_per_queue = 8,
		.rx_frames = 4096,
		.tx_frames = 1024,
		.early_frames = 8,
		.early_memory = 16 * 1024 * 1024,
		.handback_memory = 16 * 1024 * 1024,
		.synack_retries = 5,
		.fallback = PORCH_FALLBACK_DROP,
	};
}

static int set_text(const char *key, const char *value, char *where, size_t size, unsigned int line,
		    struct porch_err *err)
{
	if (strlen(value) >= size)
		return porch_err_set(err, -EINVAL, "%u: %s is longer than %zu octets", line, key, size - 1);
	memcpy(where, value, strlen(value) + 1);
	return 0;
}

static int set_choice(const char *key, const char *value, const char *zero, const char *one, __u8 *where,
		      unsigned int line, struct porch_err *err)
{
	if (strcmp(value, zero) && strcmp(value, one))
		return porch_err_set(err, -EINVAL, "%u: %s wants %s or %s, not '%.32s'", line, key, zero, one,
				     value);
	*where = !strcmp(value, one);
	return 0;
}

static int set_tx_checksum(struct porch_daemon_config *c, const char *value, unsigned int line,
			   struct porch_err *err)
{
	static const char *const words[] = {
		[PORCH_TX_CHECKSUM_AUTO] = "auto",
		[PORCH_TX_CHECKSUM_NO] = "no",
		[PORCH_TX_CHECKSUM_YES] = "yes",
	};

	for (__u8 i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(value, words[i]))
			continue;
		c->tx_checksum = i;
		return 0;
	}
	return porch_err_set(err, -EINVAL, "%u: tx-checksum wants auto, no or yes, not '%.32s'", line, value);
}

/* May be given several times, and once with several numbers between blanks or commas. */
static int add_uids(struct porch_daemon_config *c, const char *value, bool first, unsigned int line,
		    struct porch_err *err)
{
	char text[PORCH_CONFIG_LINE_MAX + 1], *word, *rest;
	__u32 n = first ? 0 : c->n_allow_uid, uid;
	__u32 uids[PORCH_ALLOW_UIDS_MAX];

	memcpy(uids, c->allow_uid, sizeof(uids));
	snprintf(text, sizeof(text), "%s", value);
	for (word = strtok_r(text, ", \t", &rest); word; word = strtok_r(NULL, ", \t", &rest)) {
		if (porch_config_number(word, 0, 0xfffffffeu, &uid))
			return porch_err_set(err, -EINVAL,
					     "%u: allow-uid wants numbers of users, not '%.32s'", line, word);
		if (n >= PORCH_ALLOW_UIDS_MAX)
			return porch_err_set(err, -EINVAL, "%u: more than %d users", line,
					     PORCH_ALLOW_UIDS_MAX);
		uids[n++] = uid;
	}
	if (!n)
		return porch_err_set(err, -EINVAL, "%u: allow-uid names nobody", line);
	memcpy(c->allow_uid, uids, sizeof(uids));
	c->n_allow_uid = n;
	return 0;
}

int porch_config_set_daemon(struct porch_daemon_config *c, __u32 *given, const char *key, const char *value,
			    unsigned int line, struct porch_err *err)
{
	static const char *const words[] = { "socket",	  "user",     "allow-uid",
					     "zero-copy", "fallback", "tx-checksum" };
	const struct {
		const char *key;
		__u32 *where;
		__u32 min, max;
		bool power_of_two;
	} numbers[] = {
		{ "backlog", &c->backlog, 1, PORCH_BACKLOG_MAX, false },
		{ "accept-timeout", &c->accept_timeout, 1, 3600, false },
		{ "workers", &c->workers, 1, PORCH_WORKERS_MAX - 1, false },
		{ "workers-per-queue", &c->workers_per_queue, 1, 63, false },
		{ "rx-frames", &c->rx_frames, 256, 65536, true },
		{ "tx-frames", &c->tx_frames, 64, 65536, true },
		{ "early-frames", &c->early_frames, 0, 64, false },
		{ "early-memory", &c->early_memory, 0, 1u << 30, false },
		{ "handback-memory", &c->handback_memory, 0, 1u << 30, false },
		{ "synack-retries", &c->synack_retries, 0, 10, false },
	};
	__u32 bit, number;
	bool again;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(key, words[i]))
			continue;
		bit = 1u << i;
		again = *given & bit;
		if (again && strcmp(key, "allow-uid"))
			return porch_err_set(err, -EINVAL, "%u: %s is given twice", line, key);
		*given |= bit;
		if (!strcmp(key, "allow-uid"))
			return add_uids(c, value, !again, line, err);
		if (!strcmp(key, "socket") && *value != '/')
			return porch_err_set(err, -EINVAL, "%u: socket wants a path from /", line);
		if (!strcmp(key, "tx-checksum"))
			return set_tx_checksum(c, value, line, err);
		if (!strcmp(key, "socket") || !strcmp(key, "user"))
			return !strcmp(key, "user")
				       ? set_text(key, value, c->user, sizeof(c->user), line, err)
				       : set_text(key, value, c->socket, sizeof(c->socket), line, err);
		return !strcmp(key, "fallback")
			       ? set_choice(key, value, "drop", "kernel", &c->fallback, line, err)
			       : set_choice(key, value, "no", "yes", &c->zero_copy, line, err);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(key, numbers[i].key))
			continue;
		bit = 1u << (ARRAY_SIZE(words) + i);
		if (*given & bit)
			return porch_err_set(err, -EINVAL, "%u: %s is given twice", line, key);
		*given |= bit;
		if (porch_config_number(value, numbers[i].min, numbers[i].max, &number))
			return porch_err_set(err, -EINVAL, "%u: %s wants a number from %u to %u, not '%.32s'",
					     line, key, numbers[i].min, numbers[i].max, value);
		if (numbers[i].power_of_two && (number & (number - 1)))
			return porch_err_set(err, -EINVAL, "%u: %s wants a power of two, not %u", line, key,
					     number);
		*numbers[i].where = number;
		return 0;
	}
	return porch_err_set(err, -EINVAL, "%u: unknown key '%.32s' in [porchd]", line, key);
}
