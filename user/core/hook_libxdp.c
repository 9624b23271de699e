// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <xdp/libxdp.h>

#include "core/err.h"
#include "core/hook.h"
#include "core/hook_libxdp.h"
#include "core/object.h"
#include "core/pins.h"
#include "core/util.h"

static void close_multiprog(struct xdp_multiprog **all)
{
	if (!libxdp_get_error(*all))
		xdp_multiprog__close(*all);
}

#define _cleanup_multiprog_ __attribute__((cleanup(close_multiprog)))

bool porch_libxdp_usable(void)
{
	const char *no = getenv("PORCH_NO_LIBXDP");

	return (!no || !strcmp(no, "") || !strcmp(no, "0")) && porch_kernel_can_freplace();
}

bool porch_libxdp_has_dispatcher(int ifindex)
{
	_cleanup_multiprog_ struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(ifindex);

	return !libxdp_get_error(all) && !xdp_multiprog__is_legacy(all);
}

static enum xdp_attach_mode mode_of(const struct porch_hook *hook)
{
	return hook->mode == PORCH_MODE_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE;
}

static int attach(const struct porch_hook *hook, struct xdp_program *program, const char *dir)
{
	int r;

	r = xdp_program__set_run_prio(program, PORCH_LIBXDP_PRIORITY);
	if (!r)
		r = xdp_program__set_chain_call_enabled(program, XDP_PASS, true);
	if (!r)
		r = xdp_program__attach(program, hook->ifindex, mode_of(hook), 0);
	if (r)
		return r;
	/* libxdp may have attached it alone, as plain XDP and without a link: that is not what was meant */
	if (!porch_libxdp_has_dispatcher(hook->ifindex))
		r = -EOPNOTSUPP;
	else
		r = porch_pin(xdp_program__fd(program), dir, "xdp_prog");
	if (r)
		xdp_program__detach(program, hook->ifindex, mode_of(hook), 0);
	return r;
}

int porch_libxdp_attach(const struct porch_hook *hook, const char *programs, const char *dir,
			struct porch_err *err)
{
	struct handshake *object = NULL;
	struct xdp_program *program;
	int r;

	r = porch_object_open_xdp(programs, &object, err);
	if (r)
		return r;
	program = porch_object_xdp_program(object);
	r = libxdp_get_error(program);
	if (!r) {
		r = attach(hook, program, dir);
		xdp_program__close(program);
	}
	porch_object_free(object);
	return r;
}

int porch_libxdp_detach(const struct porch_hook *hook, int fd)
{
	_cleanup_multiprog_ struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(hook->ifindex);
	struct xdp_program *program = NULL;
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (libxdp_get_error(all) || xdp_multiprog__is_legacy(all))
		return 0;
	while ((program = xdp_multiprog__next_prog(program, all))) {
		if (xdp_program__id(program) == info.id)
			return xdp_program__detach(program, hook->ifindex, xdp_multiprog__attach_mode(all),
						   0);
	}
	return 0;
}
