// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The deny list: a map, and a flag that spares BPF the lookup while it is empty. */
#include <errno.h>

#include <bpf/bpf.h>

#include "core/tables.h"

static void update_flag(const struct porch_tables *t)
{
	struct porch_prefix first;

	if (bpf_map_get_next_key(t->deny_fd, NULL, &first))
		t->host->flags &= ~PORCH_HOST_DENY;
	else
		t->host->flags |= PORCH_HOST_DENY;
}

int porch_deny_add(const struct porch_tables *t, const struct porch_prefix *prefix)
{
	__u32 value = 1;

	/* kernels before 6.13 ignore the flag in an LPM trie, and what was there counts as a change */
	if (bpf_map_update_elem(t->deny_fd, prefix, &value, BPF_NOEXIST))
		return errno == EEXIST ? 0 : -errno;
	update_flag(t);
	return 1;
}

int porch_deny_del(const struct porch_tables *t, const struct porch_prefix *prefix)
{
	if (bpf_map_delete_elem(t->deny_fd, prefix))
		return errno == ENOENT ? 0 : -errno;
	update_flag(t);
	return 1;
}

int porch_deny_each(const struct porch_tables *t, int (*fn)(const struct porch_prefix *prefix, void *arg),
		    void *arg)
{
	struct porch_prefix key, next;
	int r, stop = 0;

	for (r = bpf_map_get_next_key(t->deny_fd, NULL, &next); !r && !stop;
	     r = bpf_map_get_next_key(t->deny_fd, &key, &next)) {
		stop = fn(&next, arg);
		key = next;
	}
	return stop;
}
