// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/addrs.h"
#include "core/attach.h"
#include "core/err.h"
#include "core/keys.h"
#include "core/make.h"
#include "core/namespace.h"
#include "core/object.h"
#include "core/sysctl.h"
#include "core/tables.h"

#define HALF_OPEN_SECONDS 63 /* 1 + 2 + 4 + 8 + 16 + 32: as long as a SYN-ACK is repeated */

/* The timer keeps both from its first tick on; keys and listeners need them before. */
static void set_clock(struct porch_host *host)
{
	struct timespec boot, wall;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &wall);
	host->tick = boot.tv_sec * PORCH_TICKS_PER_SEC + boot.tv_nsec / (1000000000 / PORCH_TICKS_PER_SEC);
	host->epoch = wall.tv_sec / PORCH_EPOCH_SECONDS;
}

static int fill(const struct porch_attach_opts *opts, int ifindex, const struct porch_tables *tables,
		struct porch_err *err)
{
	struct porch_host *host = tables->host;
	int r;

	host->layout = PORCH_LAYOUT;
	host->reply_rate = opts->reply_rate;
	host->unknown_rate = opts->unknown_rate;
	host->half_open_seconds = HALF_OPEN_SECONDS;
	set_clock(host);
	r = porch_sysctl_host(host, err);
	if (!r)
		r = porch_keys_create(tables->keys_fd, host->epoch, err);
	if (!r)
		r = porch_addrs_add_interface(tables, ifindex, err);
	if (!r)
		r = porch_addrs_refresh(tables, err);
	return r;
}

int porch_make(const struct porch_attach_opts *opts, int ifindex, __u32 netns_inum, const char *dir,
	       struct porch_tables *tables, struct porch_err *err)
{
	struct porch_sizes sizes = { .half_open = opts->half_open };
	struct handshake *object = NULL;
	struct porch_rodata rodata;
	int r;

	r = porch_rodata_make(porch_flow_sets(opts->flows), netns_inum, &rodata);
	if (r)
		return porch_err_set(err, r, "getrandom: %s", strerror(-r));
	r = porch_object_load(&rodata, &sizes, &object, err);
	if (r)
		return r;
	r = porch_object_pin(object, dir, err);
	if (!r)
		r = porch_tables_open(tables, dir, true, err);
	if (!r)
		r = fill(opts, ifindex, tables, err);
	if (!r)
		r = porch_arm(dir, err);
	if (!r)
		r = porch_object_links(object, dir, err);
	porch_object_free(object);
	return r;
}
