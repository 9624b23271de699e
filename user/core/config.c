// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * porch.conf(5): sections of `key = value` lines.
 *
 * The scanner is our own and strict. The usual small INI libraries cut section
 * names and long lines silently, say nothing about a section without keys, and
 * an IPv6 listener is longer than what they cut at; here a line is either
 * understood whole or refused with its number.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/config_internal.h"
#include "core/err.h"
#include "core/prefix.h"

enum section {
	SECTION_NONE,
	SECTION_PORCH,
	SECTION_PORCHD,
	SECTION_INTERFACE,
	SECTION_LISTENER,
	SECTION_DENY,
};

struct parser {
	struct porch_config *config;
	struct porch_err *err;
	enum section section;
	unsigned int line;
	__u32 daemon_given;
	bool seen_porch;
};

/* Room for one more element of `size` octets at the end of `*array`. */
static void *grow(void *array, size_t n, size_t size)
{
	/* doubled at each power of two, so that appending stays linear */
	if (n && (n & (n - 1)))
		return array;
	return reallocarray(array, n ? 2 * n : 1, size);
}

static int no_memory(struct parser *p)
{
	return porch_err_set(p->err, -ENOMEM, "%u: out of memory", p->line);
}

static int append_listener(struct parser *p, struct porch_listen_spec **array, size_t *n,
			   const struct porch_listen_spec *spec)
{
	struct porch_listen_spec *grown;
	size_t i;

	for (i = 0; i < *n; i++) {
		if (porch_listen_spec_same(&(*array)[i], spec))
			return porch_err_set(p->err, -EINVAL, "%u: this listener is already in line %u",
					     p->line, (*array)[i].line);
	}
	if (*n >= PORCH_CONFIG_LISTENERS_MAX)
		return porch_err_set(p->err, -EINVAL, "%u: more than %d listeners", p->line,
				     PORCH_CONFIG_LISTENERS_MAX);
	grown = grow(*array, *n, sizeof(*grown));
	if (!grown)
		return no_memory(p);
	grown[*n] = *spec;
	grown[*n].line = p->line;
	*array = grown;
	(*n)++;
	return 0;
}

static struct porch_config_interface *current_interface(struct parser *p)
{
	return &p->config->interfaces[p->config->n_interfaces - 1];
}

static int begin_interface(struct parser *p, const char *name)
{
	struct porch_config_interface *grown, *iface;
	struct porch_config *c = p->config;
	size_t i;

	if (!porch_config_ifname_valid(name))
		return porch_err_set(p->err, -EINVAL, "%u: '%.32s' cannot be the name of an interface",
				     p->line, name);
	for (i = 0; i < c->n_interfaces; i++) {
		if (!strcmp(c->interfaces[i].name, name))
			return porch_err_set(p->err, -EINVAL, "%u: [interface %s] is already in line %u",
					     p->line, name, c->interfaces[i].line);
	}
	if (c->n_interfaces >= PORCH_CONFIG_INTERFACES_MAX)
		return porch_err_set(p->err, -EINVAL, "%u: more than %d interfaces", p->line,
				     PORCH_CONFIG_INTERFACES_MAX);
	grown = grow(c->interfaces, c->n_interfaces, sizeof(*grown));
	if (!grown)
		return no_memory(p);
	c->interfaces = grown;
	iface = &grown[c->n_interfaces++];
	memset(iface, 0, sizeof(*iface));
	strncpy(iface->name, name, sizeof(iface->name) - 1);
	iface->line = p->line;
	return 0;
}

static int begin_listener(struct parser *p, const char *address)
{
	struct porch_listen_spec spec;
	struct porch_err inner = {};

	/* keys have lines of their own here */
	if (strchr(address, ','))
		return porch_err_set(p->err, -EINVAL, "%u: keys of a [listener] go on lines of their own",
				     p->line);
	if (porch_listen_spec_parse(address, &spec, &inner))
		return porch_err_set(p->err, -EINVAL, "%u: %s", p->line, inner.text);
	return append_listener(p, &p->config->listeners, &p->config->n_listeners, &spec);
}

/* `[word argument]`, brackets already gone. */
static int begin_section(struct parser *p, char *text)
{
	char *argument = text + strcspn(text, " \t");

	if (*argument) {
		*argument++ = '\0';
		argument += strspn(argument, " \t");
	}
	p->section = SECTION_NONE;
	if (!strcmp(text, "porch") || !strcmp(text, "porchd") || !strcmp(text, "deny")) {
		if (*argument)
			return porch_err_set(p->err, -EINVAL, "%u: [%s] takes no argument", p->line, text);
		p->section = *text == 'd' ? SECTION_DENY : text[5] ? SECTION_PORCHD : SECTION_PORCH;
		return 0;
	}
	if (!strcmp(text, "interface") || !strcmp(text, "listener")) {
		if (!*argument)
			return porch_err_set(p->err, -EINVAL, "%u: [%s ...] wants %s", p->line, text,
					     *text == 'i' ? "the name of an interface" : "an ADDR:PORT");
		p->section = *text == 'i' ? SECTION_INTERFACE : SECTION_LISTENER;
		return *text == 'i' ? begin_interface(p, argument) : begin_listener(p, argument);
	}
	return porch_err_set(
		p->err, -EINVAL,
		"%u: unknown section [%.32s]; known: porch, porchd, interface NAME, listener ADDR:PORT, deny",
		p->line, text);
}

static int set_porch(struct parser *p, const char *key, const char *value)
{
	struct porch_config *c = p->config;
	const struct {
		const char *key;
		__u32 *where;
		__u32 min, max, given;
	} known[] = {
		{ "flows", &c->flows, PORCH_FLOWS_MIN, PORCH_FLOWS_MAX, PORCH_GIVEN_FLOWS },
		{ "half-open", &c->half_open, PORCH_HALF_OPEN_MIN, PORCH_HALF_OPEN_MAX,
		  PORCH_GIVEN_HALF_OPEN },
		{ "reply-rate", &c->reply_rate, 0, PORCH_REPLY_RATE_MAX, PORCH_GIVEN_REPLY_RATE },
		{ "unknown-rate", &c->unknown_rate, 0, PORCH_UNKNOWN_RATE_MAX, PORCH_GIVEN_UNKNOWN_RATE },
		{ "syn-rate", &c->syn_rate, PORCH_SYN_RATE_MIN, PORCH_SYN_RATE_MAX,
		  PORCH_GIVEN_SYN_RATE_ALL },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(key, known[i].key))
			continue;
		if (c->given & known[i].given)
			return porch_err_set(p->err, -EINVAL, "%u: %s is given twice", p->line, key);
		if (porch_config_number(value, known[i].min, known[i].max, known[i].where))
			return porch_err_set(p->err, -EINVAL,
					     "%u: %s wants a number from %u to %u, not '%.32s'", p->line, key,
					     known[i].min, known[i].max, value);
		c->given |= known[i].given;
		return 0;
	}
	return porch_err_set(p->err, -EINVAL, "%u: unknown key '%.32s' in [porch]", p->line, key);
}

static int set_interface(struct parser *p, const char *key, const char *value)
{
	struct porch_config_interface *iface = current_interface(p);
	struct porch_listen_spec spec;
	struct porch_err inner = {};

	if (!strcmp(key, "mode")) {
		if (iface->mode_given)
			return porch_err_set(p->err, -EINVAL, "%u: mode is given twice", p->line);
		if (strcmp(value, "native") && strcmp(value, "skb"))
			return porch_err_set(p->err, -EINVAL, "%u: mode is native or skb, not '%.32s'",
					     p->line, value);
		iface->mode = *value == 's' ? PORCH_MODE_SKB : PORCH_MODE_NATIVE;
		iface->mode_given = true;
		return 0;
	}
	if (strcmp(key, "listen"))
		return porch_err_set(p->err, -EINVAL,
				     "%u: unknown key '%.32s' in [interface]; known: mode, listen", p->line,
				     key);
	if (porch_listen_spec_parse(value, &spec, &inner))
		return porch_err_set(p->err, -EINVAL, "%u: %s", p->line, inner.text);
	return append_listener(p, &iface->listeners, &iface->n_listeners, &spec);
}

static int set_listener(struct parser *p, const char *key, const char *value)
{
	struct porch_listen_spec *spec = &p->config->listeners[p->config->n_listeners - 1];
	char assignment[PORCH_CONFIG_LINE_MAX + 1];
	struct porch_err inner = {};

	snprintf(assignment, sizeof(assignment), "%s=%s", key, value);
	if (porch_listen_spec_set(spec, assignment, &inner))
		return porch_err_set(p->err, -EINVAL, "%u: %s", p->line, inner.text);
	return 0;
}

static int set_deny(struct parser *p, const char *key, const char *value)
{
	struct porch_config *c = p->config;
	struct porch_prefix prefix, *grown;
	struct porch_err inner = {};
	size_t i;

	if (strcmp(key, "prefix"))
		return porch_err_set(p->err, -EINVAL, "%u: unknown key '%.32s' in [deny]; known: prefix",
				     p->line, key);
	if (porch_prefix_parse(value, &prefix, &inner))
		return porch_err_set(p->err, -EINVAL, "%u: %s", p->line, inner.text);
	for (i = 0; i < c->n_deny; i++) {
		if (!memcmp(&c->deny[i], &prefix, sizeof(prefix)))
			return 0;
	}
	if (c->n_deny >= PORCH_CONFIG_DENY_MAX)
		return porch_err_set(p->err, -EINVAL,
				     "%u: more than %d prefixes; add the others with 'porch deny'", p->line,
				     PORCH_CONFIG_DENY_MAX);
	grown = grow(c->deny, c->n_deny, sizeof(*grown));
	if (!grown)
		return no_memory(p);
	c->deny = grown;
	c->deny[c->n_deny++] = prefix;
	return 0;
}

static char *strip(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	text[len] = '\0';
	return text;
}

static int parse_line(struct parser *p, char *text)
{
	char *value;

	text = strip(text);
	if (!*text || *text == '#' || *text == ';')
		return 0;
	if (*text == '[') {
		size_t len = strlen(text);

		if (text[len - 1] != ']')
			return porch_err_set(p->err, -EINVAL, "%u: a section ends with ']'", p->line);
		text[len - 1] = '\0';
		return begin_section(p, strip(text + 1));
	}
	value = strchr(text, '=');
	if (!value || value == text)
		return porch_err_set(p->err, -EINVAL, "%u: neither [section] nor key = value", p->line);
	*value++ = '\0';
	text = strip(text);
	value = strip(value);
	if (!*value)
		return porch_err_set(p->err, -EINVAL, "%u: %.32s has no value", p->line, text);
	switch (p->section) {
	case SECTION_PORCH:
		return set_porch(p, text, value);
	case SECTION_PORCHD:
		return porch_config_set_daemon(&p->config->daemon, &p->daemon_given, text, value, p->line, p->err);
	case SECTION_INTERFACE:
		return set_interface(p, text, value);
	case SECTION_LISTENER:
		return set_listener(p, text, value);
	case SECTION_DENY:
		return set_deny(p, text, value);
	case SECTION_NONE:
		break;
	}
	return porch_err_set(p->err, -EINVAL, "%u: '%.32s' stands before the first section", p->line, text);
}

static int parse_lines(struct parser *p, const char *text, size_t len)
{
	char line[PORCH_CONFIG_LINE_MAX + 1];
	const char *end = text + len;
	int r;

	while (text < end) {
		const char *newline = memchr(text, '\n', end - text);
		size_t n = (newline ? newline : end) - text;

		p->line++;
		if (n && text[n - 1] == '\r')
			n--;
		if (n > PORCH_CONFIG_LINE_MAX)
			return porch_err_set(p->err, -EINVAL, "%u: longer than %d octets", p->line,
					     PORCH_CONFIG_LINE_MAX);
		if (memchr(text, '\0', n))
			return porch_err_set(p->err, -EINVAL, "%u: contains a NUL; is this a text file?",
					     p->line);
		memcpy(line, text, n);
		line[n] = '\0';
		r = parse_line(p, line);
		if (r)
			return r;
		text = newline ? newline + 1 : end;
	}
	return 0;
}

int porch_config_parse(const char *text, size_t len, struct porch_config **ret, struct porch_err *err)
{
	_cleanup_config_ struct porch_config *config = NULL;
	struct parser p = { .err = err };
	int r;

	if (len > PORCH_CONFIG_SIZE_MAX)
		return porch_err_set(err, -E2BIG, "1: the file is larger than %d octets",
				     PORCH_CONFIG_SIZE_MAX);
	config = calloc(1, sizeof(*config));
	if (!config)
		return porch_err_set(err, -ENOMEM, "1: out of memory");
	porch_daemon_config_default(&config->daemon);
	config->flows = PORCH_FLOWS_DEFAULT;
	config->half_open = PORCH_HALF_OPEN_DEFAULT;
	config->reply_rate = PORCH_REPLY_RATE_DEFAULT;
	config->unknown_rate = PORCH_UNKNOWN_RATE_DEFAULT;
	config->syn_rate = PORCH_SYN_RATE_DEFAULT;
	p.config = config;
	r = parse_lines(&p, text, len);
	if (!r)
		r = porch_config_resolve(config, err);
	if (r)
		return r;
	*ret = config;
	config = NULL;
	return 0;
}
