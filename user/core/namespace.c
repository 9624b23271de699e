// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "core/addrs.h"
#include "core/drain.h"
#include "core/err.h"
#include "core/namespace.h"
#include "core/sysctl.h"
#include "core/util.h"

static int open_tables(struct porch_namespace *ns, struct porch_err *err)
{
	bool writable = ns->pins.access != PORCH_READ;
	int r;

	r = porch_tables_open(&ns->tables, ns->pins.dir, writable, err);
	if (r || !writable)
		return r;
	porch_drain_undo(&ns->tables);
	/* nobody runs in between: every command that may write follows what has changed */
	r = porch_sysctl_host(ns->tables.host, err);
	return r ? r : porch_addrs_refresh(&ns->tables, err);
}

static int open_any(enum porch_access access, bool tables, struct porch_namespace **ret,
		    struct porch_err *err)
{
	_cleanup_namespace_ struct porch_namespace *ns = calloc(1, sizeof(*ns));
	int r;

	if (!ns)
		return porch_err_set(err, -ENOMEM, "out of memory");
	ns->pins = (struct porch_pins)PORCH_PINS_INIT;
	ns->tables = (struct porch_tables)PORCH_TABLES_INIT;
	r = porch_pins_open(&ns->pins, access, err);
	if (!r && tables && porch_pins_exist(&ns->pins))
		r = open_tables(ns, err);
	if (r)
		return r;
	*ret = TAKE_PTR(ns);
	return 0;
}

int porch_namespace_open(enum porch_access access, struct porch_namespace **ret, struct porch_err *err)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	int r = open_any(access, true, &ns, err);

	if (r)
		return r;
	if (!porch_pins_exist(&ns->pins))
		return porch_err_set(
			err, -ENOENT,
			"porch is attached to no interface of this network namespace; see porch attach");
	*ret = TAKE_PTR(ns);
	return 0;
}

int porch_namespace_open_or_new(struct porch_namespace **ret, struct porch_err *err)
{
	return open_any(PORCH_CREATE, true, ret, err);
}

int porch_namespace_open_pins(struct porch_namespace **ret, struct porch_err *err)
{
	return open_any(PORCH_WRITE, false, ret, err);
}

void porch_namespace_free(struct porch_namespace *ns)
{
	if (!ns)
		return;
	porch_tables_close(&ns->tables);
	porch_pins_close(&ns->pins);
	free(ns);
}

int porch_arm(const char *dir, struct porch_err *err)
{
	char path[2 * PORCH_PIN_PATH];
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	_cleanup_close_ int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/porch_arm", dir);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_prog_test_run_opts(fd, &opts)) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	r = (int)opts.retval;
	return r < 0 ? porch_err_set(err, r, "%s: the timer did not start: %s", path, strerror(-r)) : 0;
}

int porch_namespace_arm(const struct porch_namespace *ns, struct porch_err *err)
{
	return porch_arm(ns->pins.dir, err);
}
