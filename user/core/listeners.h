/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Adding, changing and removing listeners while BPF reads them.
 *
 * A listener is found from its port through `next`; exact addresses stand
 * before `*`. One that is being written has `used` 0 and nobody points to it;
 * one that goes is first unlinked.
 */
#ifndef PORCH_CORE_LISTENERS_H
#define PORCH_CORE_LISTENERS_H

#include <stddef.h>

#include "core/config.h"
#include "core/err.h"
#include "core/tables.h"

#define PORCH_ADDRESS_TEXT 48	/* of porch_address_format() */
#define PORCH_LISTEN_TEXT 64	/* of porch_listen_spec_format() */

/* Index of the listener with exactly this address and port, or 0. */
__u32 porch_listener_find(const struct porch_tables *tables, const struct porch_listen_spec *spec);
/* Index of the listener that serves this local address and port, or 0. */
__u32 porch_listener_covering(const struct porch_tables *tables, const __u8 address[16], __u16 port);
/* Can these be served here? Kernel features and sysctls; nothing is changed. */
int porch_listeners_check(const struct porch_listen_spec *specs, size_t n, struct porch_err *err);

/*
 * 1 changed, 0 already so, -errno. Add refuses with -EEXIST a listener that is
 * there with other options than those given; set changes those given, -ENOENT
 * without a listener; del of none is 0. After add, seed the connections.
 */
int porch_listener_add(const struct porch_tables *tables, const struct porch_listen_spec *spec, struct porch_err *err);
int porch_listener_set(const struct porch_tables *tables, const struct porch_listen_spec *spec, struct porch_err *err);
int porch_listener_del(const struct porch_tables *tables, const struct porch_listen_spec *spec, struct porch_err *err);

/* 16 octets as in maps.h: "192.0.2.1", "2001:db8::1". Returns `buf`. */
const char *porch_address_format(const __u8 address[16], char buf[PORCH_ADDRESS_TEXT]);
/* The same, and "*" for every address. */
const char *porch_listener_address(const struct porch_listener_entry *listener, char buf[PORCH_ADDRESS_TEXT]);
/* "ADDR:PORT", IPv6 in brackets. */
const char *porch_listen_spec_format(const struct porch_listen_spec *spec, char buf[PORCH_LISTEN_TEXT]);

#endif /* PORCH_CORE_LISTENERS_H */
