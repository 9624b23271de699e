/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is a tuple in the flow table? The lookup of bpf/flows.h, from outside. */
#ifndef PORCH_DAEMON_KNOWN_H
#define PORCH_DAEMON_KNOWN_H

#include <stdint.h>

#include <porch/maps.h>

struct porch_err;
struct porch_tables;

/* The constants that the XDP program hashes with: .rodata of the object, as pinned. */
struct known_hash {
	uint32_t set_mask;
	uint32_t key[16];
	uint64_t mix;
};

/* `dir` holds the pinned maps. -EPROTO: they are of another build. */
int known_read(const char *dir, uint32_t n_flows, struct known_hash *ret, struct porch_err *err);
/* Index into porch_flows of a flow that is published, or PORCH_NO_FLOW. */
uint32_t known_find(const struct porch_tables *tables, const struct known_hash *hash,
		    const struct porch_tuple *tuple);

#endif /* PORCH_DAEMON_KNOWN_H */
