/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Prefixes of the deny list: text to map key and back, one canonical form each. */
#ifndef PORCH_CORE_PREFIX_H
#define PORCH_CORE_PREFIX_H

#include <stddef.h>

#include <porch/maps.h>

struct porch_err;

#define PORCH_PREFIX_TEXT 64 /* of porch_prefix_format(), with the NUL */

/*
 * `192.0.2.0/24`, `192.0.2.1` (a /32), `2001:db8::/32`, `::ffff:192.0.2.0/120`
 * (the IPv4 prefix). Bits behind the prefix must be zero: whoever writes
 * 192.0.2.7/24 may mean the host or the net, and a ban must not guess.
 */
int porch_prefix_parse(const char *text, struct porch_prefix *ret, struct porch_err *err);
/* Hosts without a length. `buf` holds PORCH_PREFIX_TEXT octets; returns `buf`. */
const char *porch_prefix_format(const struct porch_prefix *prefix, char *buf);
/* By address, IPv4 first, then by length: the order people read lists in. */
int porch_prefix_compare(const void *a, const void *b);

#endif /* PORCH_CORE_PREFIX_H */
