// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config_internal.h"
#include "core/err.h"
#include "core/prefix.h"

static const __u8 v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* IPv4 keys are the mapped addresses, so everything of ::ffff:0:0/96 is IPv4. */
static bool is_v4(const struct porch_prefix *prefix)
{
	return prefix->length >= 96 && !memcmp(prefix->address, v4_mapped, sizeof(v4_mapped));
}

static bool host_bits_set(const struct porch_prefix *prefix)
{
	__u32 bit;

	for (bit = prefix->length; bit < 128; bit++) {
		if (prefix->address[bit / 8] & (0x80 >> (bit % 8)))
			return true;
	}
	return false;
}

/* Shorter than ::ffff:0:0/96 and in front of it. */
static bool covers_v4(const struct porch_prefix *prefix)
{
	__u8 net[16] = {};
	__u32 bit;

	if (prefix->length >= 96)
		return false;
	for (bit = 0; bit < prefix->length; bit++)
		net[bit / 8] |= (bit < 80 ? 0 : 0xff) & (0x80 >> (bit % 8));
	return !memcmp(net, prefix->address, sizeof(net));
}

int porch_prefix_parse(const char *text, struct porch_prefix *ret, struct porch_err *err)
{
	const char *slash = strchr(text, '/');
	struct porch_prefix prefix = {};
	char address[INET6_ADDRSTRLEN];
	char shown[PORCH_PREFIX_TEXT];
	__u32 length, bits;
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	bool v4;

	if (!n || n >= sizeof(address))
		return porch_err_set(err, -EINVAL,
				     "'%.48s' is not a prefix; write 192.0.2.0/24 or 2001:db8::/32", text);
	memcpy(address, text, n);
	address[n] = '\0';
	v4 = !strchr(address, ':');
	if (inet_pton(v4 ? AF_INET : AF_INET6, address, prefix.address + (v4 ? 12 : 0)) != 1)
		return porch_err_set(err, -EINVAL,
				     "'%.48s' is not a prefix; write 192.0.2.0/24 or 2001:db8::/32", text);
	if (v4)
		memcpy(prefix.address, v4_mapped, sizeof(v4_mapped));
	bits = v4 ? 32 : 128;
	length = bits;
	if (slash && porch_config_number(slash + 1, 0, bits, &length))
		return porch_err_set(err, -EINVAL, "'%.48s': the length of %s prefix is 0 to %u", text,
				     v4 ? "an IPv4" : "an IPv6", bits);
	prefix.length = length + (v4 ? 96 : 0);
	if (host_bits_set(&prefix)) {
		struct porch_prefix net = prefix;
		__u32 bit;

		for (bit = net.length; bit < 128; bit++)
			net.address[bit / 8] &= ~(0x80 >> (bit % 8));
		return porch_err_set(err, -EINVAL, "'%.48s' has bits behind its length; the prefix is %s",
				     text, porch_prefix_format(&net, shown));
	}
	/* nobody who writes ::/0 means IPv4 */
	if (covers_v4(&prefix))
		return porch_err_set(err, -EINVAL,
				     "'%.48s' covers every IPv4 address too (they are ::ffff:0:0/96); "
				     "write 2000::/3 for the IPv6 Internet",
				     text);
	*ret = prefix;
	return 0;
}

const char *porch_prefix_format(const struct porch_prefix *prefix, char *buf)
{
	bool v4 = is_v4(prefix);
	__u32 length = prefix->length - (v4 ? 96 : 0);
	size_t n;

	inet_ntop(v4 ? AF_INET : AF_INET6, prefix->address + (v4 ? 12 : 0), buf, PORCH_PREFIX_TEXT);
	n = strlen(buf);
	if (length != (v4 ? 32u : 128u))
		snprintf(buf + n, PORCH_PREFIX_TEXT - n, "/%u", length);
	return buf;
}

int porch_prefix_compare(const void *a, const void *b)
{
	const struct porch_prefix *x = a, *y = b;
	int r = is_v4(y) - is_v4(x);

	if (!r)
		r = memcmp(x->address, y->address, sizeof(x->address));
	if (!r)
		r = x->length < y->length ? -1 : x->length > y->length;
	return r;
}
