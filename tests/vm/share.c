// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Somebody else who uses libxdp: `share IFACE on FILE PRIORITY` adds a program to
 * those of an interface, `share IFACE off NAME` takes it out again. Debian's xdp-loader
 * carries a libxdp, and a dispatcher, of its own; this one uses what is installed.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xdp/libxdp.h>

static int failed(const char *what, int r)
{
	fprintf(stderr, "share: %s: %s\n", what, strerror(-r));
	return 1;
}

static int on(int ifindex, const char *file, int priority)
{
	struct xdp_program *program = xdp_program__open_file(file, "xdp", NULL);
	int r = libxdp_get_error(program);

	if (r)
		return failed(file, r);
	r = xdp_program__set_run_prio(program, priority);
	if (!r)
		r = xdp_program__attach(program, ifindex, XDP_MODE_NATIVE, 0);
	xdp_program__close(program);
	return r ? failed("attach", r) : 0;
}

static int off(int ifindex, const char *name)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	int r = libxdp_get_error(all);

	if (r)
		return failed("what is there", r);
	r = -ENOENT;
	while (r == -ENOENT && (program = xdp_multiprog__next_prog(program, all))) {
		if (!strcmp(xdp_program__name(program), name))
			r = xdp_program__detach(program, ifindex, XDP_MODE_NATIVE, 0);
	}
	xdp_multiprog__close(all);
	return r ? failed(name, r) : 0;
}

int main(int argc, char **argv)
{
	int ifindex = argc > 3 ? if_nametoindex(argv[1]) : 0;

	if (ifindex && argc == 5 && !strcmp(argv[2], "on"))
		return on(ifindex, argv[3], atoi(argv[4]));
	if (ifindex && argc == 4 && !strcmp(argv[2], "off"))
		return off(ifindex, argv[3]);
	fprintf(stderr, "share IFACE on FILE PRIORITY | share IFACE off NAME\n");
	return 2;
}
