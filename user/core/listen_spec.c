// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `ADDR:PORT[,key=value]*`, as in argv, in listen= and in [listener ADDR:PORT]. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/config.h"
#include "core/config_internal.h"
#include "core/err.h"
#include "core/names.h"

/* The longest: [IPv6]:PORT and every key once. */
#define SPEC_TEXT_MAX 256

static const __u8 v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool all_zero(const __u8 *bytes, size_t n)
{
	while (n--) {
		if (*bytes++)
			return false;
	}
	return true;
}

/* Addresses no listener can have, although they are well formed. */
static int refuse_address(const char *text, const __u8 address[16], struct porch_err *err)
{
	bool v4 = !memcmp(address, v4_mapped, sizeof(v4_mapped));

	if (all_zero(address, 16) || (v4 && all_zero(address + 12, 4)))
		return porch_err_set(err, -EINVAL, "'%.80s': write '*' for every address of this host", text);
	if (v4 ? address[12] >= 224 : address[0] == 0xff)
		return porch_err_set(err, -EINVAL, "'%.80s': TCP has no multicast or broadcast listener",
				     text);
	return 0;
}

static int parse_address(char *host, const char *text, struct porch_listen_spec *spec, struct porch_err *err)
{
	size_t n = strlen(host);

	if (!strcmp(host, "*")) {
		spec->any = true;
		return 0;
	}
	if (*host == '[') {
		if (n < 3 || host[n - 1] != ']')
			return porch_err_set(err, -EINVAL,
					     "'%.80s': an IPv6 address stands in brackets, as in [::1]:80",
					     text);
		host[n - 1] = '\0';
		if (strchr(host, '%'))
			return porch_err_set(err, -EINVAL,
					     "'%.80s': an address has no %%scope here; leave it out", text);
		if (inet_pton(AF_INET6, host + 1, spec->address) != 1)
			return porch_err_set(err, -EINVAL, "'%.80s': no IPv6 address between the brackets",
					     text);
		return refuse_address(text, spec->address, err);
	}
	if (strchr(host, ':'))
		return porch_err_set(err, -EINVAL,
				     "'%.80s': an IPv6 address stands in brackets, as in [::1]:80", text);
	if (inet_pton(AF_INET, host, spec->address + 12) != 1)
		return porch_err_set(err, -EINVAL,
				     "'%.80s': want ADDR:PORT with ADDR an IPv4 address, [IPv6] or *", text);
	memcpy(spec->address, v4_mapped, sizeof(v4_mapped));
	return refuse_address(text, spec->address, err);
}

static int want_number(const char *key, const char *value, __u32 min, __u32 max, __u32 *ret,
		       struct porch_err *err)
{
	if (porch_config_number(value, min, max, ret))
		return porch_err_set(err, -EINVAL, "%s wants a number from %u to %u, not '%.32s'", key, min,
				     max, value);
	return 0;
}

static int set_deliver(struct porch_listen_spec *spec, const char *key, const char *value,
		       struct porch_err *err)
{
	int number = porch_deliver_parse(value);

	if (number < 0)
		return porch_err_set(err, -EINVAL, "%s is kernel or afxdp, not '%.32s'", key, value);
	spec->deliver = number;
	return 0;
}

static int set_protect(struct porch_listen_spec *spec, const char *key, const char *value,
		       struct porch_err *err)
{
	int number = porch_protect_parse(value);

	if (number < 0)
		return porch_err_set(err, -EINVAL, "%s is on-attack, always, monitor or off, not '%.32s'",
				     key, value);
	spec->protect = number;
	return 0;
}

static int set_overflow(struct porch_listen_spec *spec, const char *key, const char *value,
			struct porch_err *err)
{
	int number = porch_overflow_parse(value);

	if (number < 0)
		return porch_err_set(err, -EINVAL, "%s is drop or reset, not '%.32s'", key, value);
	spec->overflow = number;
	return 0;
}

static int set_backlog(struct porch_listen_spec *spec, const char *key, const char *value,
		       struct porch_err *err)
{
	return want_number(key, value, 0, PORCH_BACKLOG_MAX, &spec->backlog, err);
}

static int set_mss(struct porch_listen_spec *spec, const char *key, const char *value, struct porch_err *err)
{
	__u32 number = 0;

	/* 0 takes back what an earlier `porch listen set` said */
	if (strcmp(value, "0") && want_number(key, value, PORCH_MSS_MIN, PORCH_MSS_MAX, &number, err))
		return -EINVAL;
	spec->mss = number;
	return 0;
}

static int set_syn_rate(struct porch_listen_spec *spec, const char *key, const char *value,
			struct porch_err *err)
{
	return want_number(key, value, PORCH_SYN_RATE_MIN, PORCH_SYN_RATE_MAX, &spec->syn_rate, err);
}

static const struct {
	const char *key;
	__u32 given;
	int (*set)(struct porch_listen_spec *spec, const char *key, const char *value, struct porch_err *err);
} keys[] = {
	{ "deliver", PORCH_GIVEN_DELIVER, set_deliver },
	{ "protect", PORCH_GIVEN_PROTECT, set_protect },
	{ "backlog", PORCH_GIVEN_BACKLOG, set_backlog },
	{ "mss", PORCH_GIVEN_MSS, set_mss },
	{ "overflow", PORCH_GIVEN_OVERFLOW, set_overflow },
	{ "syn-rate", PORCH_GIVEN_SYN_RATE, set_syn_rate },
};

int porch_listen_spec_set(struct porch_listen_spec *spec, const char *assignment, struct porch_err *err)
{
	const char *value = strchr(assignment, '=');
	struct porch_listen_spec next = *spec;
	size_t i, n;
	int r;

	if (!value || value == assignment)
		return porch_err_set(err, -EINVAL, "'%.48s': want key=value", assignment);
	n = value++ - assignment;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].key) != n || strncmp(keys[i].key, assignment, n))
			continue;
		if (spec->given & keys[i].given)
			return porch_err_set(err, -EINVAL, "%s is given twice", keys[i].key);
		r = keys[i].set(&next, keys[i].key, value, err);
		if (r)
			return r;
		next.given |= keys[i].given;
		*spec = next;
		return 0;
	}
	return porch_err_set(err, -EINVAL,
			     "unknown key '%.*s'; known: deliver, protect, backlog, mss, overflow, syn-rate",
			     n > 32 ? 32 : (int)n, assignment);
}

/* What only the whole of it shows; keys may come in any order. */
int porch_listen_spec_complete(struct porch_listen_spec *spec, struct porch_err *err)
{
	if (spec->deliver != PORCH_DELIVER_AFXDP)
		return 0;
	if (!(spec->given & PORCH_GIVEN_PROTECT))
		spec->protect = PORCH_PROTECT_ALWAYS;
	if (spec->protect == PORCH_PROTECT_ON_ATTACK)
		return porch_err_set(err, -EINVAL,
				     "deliver=afxdp has no kernel to answer in quiet times: it takes protect=always "
				     "(the default there), monitor or off");
	if (!(spec->given & PORCH_GIVEN_BACKLOG))
		spec->backlog = PORCH_BACKLOG_DEFAULT;
	return 0;
}

int porch_listen_spec_parse(const char *text, struct porch_listen_spec *ret, struct porch_err *err)
{
	struct porch_listen_spec spec = {
		.deliver = PORCH_DELIVER_KERNEL,
		.protect = PORCH_PROTECT_ON_ATTACK,
		.overflow = PORCH_OVERFLOW_DROP,
		.syn_rate = PORCH_SYN_RATE_DEFAULT,
	};
	char copy[SPEC_TEXT_MAX + 1], *rest, *word, *colon;
	__u32 port;
	int r;

	if (strlen(text) > SPEC_TEXT_MAX)
		return porch_err_set(err, -EINVAL, "'%.40s...': a listener takes at most %d octets", text,
				     SPEC_TEXT_MAX);
	strcpy(copy, text);
	rest = copy;
	word = strsep(&rest, ",");
	colon = strrchr(word, ':');
	if (!colon || colon == word)
		return porch_err_set(err, -EINVAL, "'%.80s': want ADDR:PORT, as in *:80 or [2001:db8::1]:443",
				     text);
	*colon++ = '\0';
	r = parse_address(word, text, &spec, err);
	if (r)
		return r;
	if (porch_config_number(colon, 1, 65535, &port))
		return porch_err_set(err, -EINVAL, "'%.80s': the port is a number from 1 to 65535", text);
	spec.port = port;
	while ((word = strsep(&rest, ","))) {
		r = porch_listen_spec_set(&spec, word, err);
		if (r)
			return r;
	}
	r = porch_listen_spec_complete(&spec, err);
	if (r)
		return r;
	*ret = spec;
	return 0;
}

bool porch_listen_spec_same(const struct porch_listen_spec *a, const struct porch_listen_spec *b)
{
	return a->port == b->port && a->any == b->any && !memcmp(a->address, b->address, sizeof(a->address));
}
