/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * XDP through libxdp's dispatcher, beside other programs of the interface.
 *
 * The dispatcher calls each program as an extension (freplace) of itself, so
 * libxdp must load the program: every interface has its own copy of porch_xdp
 * over the same maps. What is pinned of it, xdp_prog, tells it apart later.
 */
#ifndef PORCH_CORE_HOOK_LIBXDP_H
#define PORCH_CORE_HOOK_LIBXDP_H

#include <stdbool.h>

struct porch_err;
struct porch_hook;

/* Lower runs first; filters take 10 and AF_XDP redirects 20 or more, 50 is the default. */
#define PORCH_LIBXDP_PRIORITY 30

/* The kernel takes extensions, and $PORCH_NO_LIBXDP does not forbid it. */
bool porch_libxdp_usable(void);
bool porch_libxdp_has_dispatcher(int ifindex);
/* -EOPNOTSUPP: libxdp found no way to use a dispatcher, and nothing is attached. */
int porch_libxdp_attach(const struct porch_hook *hook, const char *programs, const char *dir, struct porch_err *err);
/* Takes out of the dispatcher the program that `program` is an fd of; 0 also when it is not in there. */
int porch_libxdp_detach(const struct porch_hook *hook, int program);

#endif /* PORCH_CORE_HOOK_LIBXDP_H */
