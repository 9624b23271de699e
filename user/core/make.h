/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a namespace gets at its first attach. */
#ifndef PORCH_CORE_MAKE_H
#define PORCH_CORE_MAKE_H

#include <linux/types.h>

struct porch_attach_opts;
struct porch_err;
struct porch_tables;

/*
 * Loads the object, pins it in `dir`, opens its tables and fills them: settings,
 * keys, addresses, the interface's MSS. At the end the timer and the tracepoint
 * run; listeners are the caller's. On failure the caller removes `dir`.
 */
int porch_make(const struct porch_attach_opts *opts, int ifindex, __u32 netns_inum, const char *dir,
	       struct porch_tables *tables, struct porch_err *err);

#endif /* PORCH_CORE_MAKE_H */
