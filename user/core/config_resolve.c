// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch.conf(5) as a whole: files, what sections say together, lookups. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/config_internal.h"
#include "core/err.h"

int porch_config_number(const char *text, __u32 min, __u32 max, __u32 *ret)
{
	__u64 number = 0;
	const char *c;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (c = text; *c; c++) {
		if (*c < '0' || *c > '9')
			return -EINVAL;
		number = 10 * number + (*c - '0');
		if (number > max)
			return -ERANGE;
	}
	if (number < min)
		return -ERANGE;
	*ret = number;
	return 0;
}

bool porch_config_ifname_valid(const char *name)
{
	size_t n = strlen(name);

	if (!n || n >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++) {
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name))
			return false;
	}
	return true;
}

#define KEY(flag, field)                                                                                     \
	{                                                                                                    \
		flag, offsetof(struct porch_listen_spec, field),                                             \
			sizeof(((struct porch_listen_spec *)0)->field)                                       \
	}
static const struct {
	__u32 flag;
	size_t offset, size;
} spec_keys[] = {
	KEY(PORCH_GIVEN_DELIVER, deliver),   KEY(PORCH_GIVEN_PROTECT, protect),
	KEY(PORCH_GIVEN_BACKLOG, backlog),   KEY(PORCH_GIVEN_MSS, mss),
	KEY(PORCH_GIVEN_OVERFLOW, overflow), KEY(PORCH_GIVEN_SYN_RATE, syn_rate),
};
#undef KEY

/*
 * Both speak of one listener. Keys that only `from` gives come over; a key
 * that both give must be the same, or the outcome would depend on the order.
 */
static int merge(struct porch_listen_spec *into, const struct porch_listen_spec *from, struct porch_err *err)
{
	size_t i;

	for (i = 0; i < sizeof(spec_keys) / sizeof(spec_keys[0]); i++) {
		char *to = (char *)into + spec_keys[i].offset;
		const char *value = (const char *)from + spec_keys[i].offset;

		if (!(from->given & spec_keys[i].flag))
			continue;
		if (!(into->given & spec_keys[i].flag)) {
			memcpy(to, value, spec_keys[i].size);
			into->given |= spec_keys[i].flag;
		} else if (memcmp(to, value, spec_keys[i].size)) {
			return porch_err_set(
				err, -EINVAL,
				"%u: says otherwise about a listener of line %u; a listener belongs to the "
				"network namespace, not to one interface",
				into->line > from->line ? into->line : from->line,
				into->line > from->line ? from->line : into->line);
		}
	}
	return 0;
}

static int add_sections(struct porch_config *config, struct porch_config_interface *iface,
			struct porch_err *err)
{
	struct porch_listen_spec *grown;
	size_t i, j;
	int r;

	grown = reallocarray(iface->listeners, iface->n_listeners + config->n_listeners + 1, sizeof(*grown));
	if (!grown)
		return porch_err_set(err, -ENOMEM, "%u: out of memory", iface->line);
	iface->listeners = grown;
	for (i = 0; i < config->n_listeners; i++) {
		for (j = 0; j < iface->n_listeners; j++) {
			if (porch_listen_spec_same(&grown[j], &config->listeners[i]))
				break;
		}
		if (j == iface->n_listeners) {
			grown[iface->n_listeners++] = config->listeners[i];
			continue;
		}
		r = merge(&grown[j], &config->listeners[i], err);
		if (r)
			return r;
	}
	return 0;
}

static void apply_syn_rate(struct porch_listen_spec *specs, size_t n, __u32 syn_rate)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!(specs[i].given & PORCH_GIVEN_SYN_RATE))
			specs[i].syn_rate = syn_rate;
	}
}

/* Every listener of the file once, as `*ret`; 0 or -errno. */
static int collect(const struct porch_config *config, struct porch_listen_spec **ret, size_t *n,
		   struct porch_err *err)
{
	size_t total = config->n_listeners, i, j, k, used = 0;
	struct porch_listen_spec *all;
	int r = 0;

	for (i = 0; i < config->n_interfaces; i++)
		total += config->interfaces[i].n_listeners;
	all = calloc(total + 1, sizeof(*all));
	if (!all)
		return porch_err_set(err, -ENOMEM, "1: out of memory");
	for (i = 0; i <= config->n_interfaces && !r; i++) {
		bool sections = i == config->n_interfaces;
		const struct porch_listen_spec *from =
			sections ? config->listeners : config->interfaces[i].listeners;
		size_t n_from = sections ? config->n_listeners : config->interfaces[i].n_listeners;

		for (j = 0; j < n_from && !r; j++) {
			for (k = 0; k < used && !porch_listen_spec_same(&all[k], &from[j]); k++)
				;
			if (k == used)
				all[used++] = from[j];
			else
				r = merge(&all[k], &from[j], err);
		}
	}
	if (r) {
		free(all);
		return r;
	}
	*ret = all;
	*n = used;
	return 0;
}

/* Limits of the maps that all interfaces share. */
static int check_limits(const struct porch_listen_spec *all, size_t n, struct porch_err *err)
{
	size_t i, j, chain;

	if (n > PORCH_CONFIG_LISTENERS_MAX)
		return porch_err_set(err, -EINVAL, "%u: more than %d listeners in all", all[n - 1].line,
				     PORCH_CONFIG_LISTENERS_MAX);
	for (i = 0; i < n; i++) {
		for (chain = 1, j = 0; j < i; j++)
			chain += all[j].port == all[i].port;
		if (chain > PORCH_CHAIN_MAX)
			return porch_err_set(
				err, -EINVAL,
				"%u: more than %d addresses with port %u; '*' stands for all of them",
				all[i].line, PORCH_CHAIN_MAX, all[i].port);
	}
	return 0;
}

static int complete(struct porch_listen_spec *specs, size_t n, struct porch_err *err)
{
	struct porch_err inner = {};
	size_t i;

	for (i = 0; i < n; i++) {
		if (porch_listen_spec_complete(&specs[i], &inner))
			return porch_err_set(err, -EINVAL, "%u: %s", specs[i].line, inner.text);
	}
	return 0;
}

int porch_config_resolve(struct porch_config *config, struct porch_err *err)
{
	struct porch_listen_spec *all;
	size_t i, n;
	int r;

	r = complete(config->listeners, config->n_listeners, err);
	if (r)
		return r;
	for (i = 0; i < config->n_interfaces; i++) {
		r = add_sections(config, &config->interfaces[i], err);
		if (!r)
			r = complete(config->interfaces[i].listeners, config->interfaces[i].n_listeners, err);
		if (r)
			return r;
		apply_syn_rate(config->interfaces[i].listeners, config->interfaces[i].n_listeners,
			       config->syn_rate);
	}
	apply_syn_rate(config->listeners, config->n_listeners, config->syn_rate);
	r = collect(config, &all, &n, err);
	if (r)
		return r;
	r = check_limits(all, n, err);
	free(all);
	return r;
}

size_t porch_config_count_listeners(const struct porch_config *config)
{
	struct porch_listen_spec *all;
	struct porch_err ignored;
	size_t n;

	/* parse() has merged them once already: only memory can lack */
	if (collect(config, &all, &n, &ignored))
		return 0;
	free(all);
	return n;
}

const struct porch_config_interface *porch_config_interface(const struct porch_config *config,
							    const char *name)
{
	size_t i;

	for (i = 0; i < config->n_interfaces; i++) {
		if (!strcmp(config->interfaces[i].name, name))
			return &config->interfaces[i];
	}
	return NULL;
}

void porch_config_free(struct porch_config *config)
{
	size_t i;

	if (!config)
		return;
	for (i = 0; i < config->n_interfaces; i++)
		free(config->interfaces[i].listeners);
	free(config->interfaces);
	free(config->listeners);
	free(config->deny);
	free(config);
}

int porch_config_read(const char *path, struct porch_config **ret, struct porch_err *err)
{
	struct porch_err inner = {};
	char *text;
	FILE *file;
	size_t n;
	int r;

	file = fopen(path, "re");
	if (!file) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	text = malloc(PORCH_CONFIG_SIZE_MAX + 1);
	if (!text) {
		fclose(file);
		return porch_err_set(err, -ENOMEM, "%s: out of memory", path);
	}
	n = fread(text, 1, PORCH_CONFIG_SIZE_MAX + 1, file);
	r = ferror(file) ? -EIO : 0;
	fclose(file);
	if (r) {
		/* a directory opens, but does not read */
		r = porch_err_set(err, r, "%s: cannot be read; is it a file?", path);
	} else {
		r = porch_config_parse(text, n, ret, &inner);
		if (r)
			porch_err_set(err, r, "%s:%s", path, inner.text);
	}
	free(text);
	return r;
}
