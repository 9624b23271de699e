/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What config.c, config_resolve.c and listen_spec.c share and nobody else needs. */
#ifndef PORCH_CORE_CONFIG_INTERNAL_H
#define PORCH_CORE_CONFIG_INTERNAL_H

#include <stdbool.h>
#include <linux/types.h>

struct porch_config;
struct porch_daemon_config;
struct porch_err;

#define PORCH_CONFIG_LINE_MAX 512 /* octets */

/* A decimal number without sign, blank or leading zero; -EINVAL, -ERANGE; `*ret` untouched then. */
int porch_config_number(const char *text, __u32 min, __u32 max, __u32 *ret);
/* What the kernel's dev_valid_name() takes. */
bool porch_config_ifname_valid(const char *name);
/* One `key = value` of [porchd]; `given` remembers which were there. */
int porch_config_set_daemon(struct porch_daemon_config *c, __u32 *given, const char *key, const char *value,
			    unsigned int line, struct porch_err *err);
/* Defaults, [listener] sections into each interface, and what only the whole file shows. */
int porch_config_resolve(struct porch_config *config, struct porch_err *err);

#endif /* PORCH_CORE_CONFIG_INTERNAL_H */
