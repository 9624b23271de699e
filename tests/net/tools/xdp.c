// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xdp IFACE pass|drop|sink|off [native|skb]: attaches a program of pass.bpf.c, the
 * plain netlink way (no pin, no link: it stays until the interface goes).
 * xdp IFACE id: prints the id of what is attached, 0 for nothing.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "pass.skel.h"

static int attach(int ifindex, const char *name, __u32 flags)
{
	struct pass_bpf *skel = pass_bpf__open_and_load();
	struct bpf_program *prog;
	int r;

	if (!skel)
		return -errno;
	prog = bpf_object__find_program_by_name(skel->obj, name);
	r = prog ? bpf_xdp_attach(ifindex, bpf_program__fd(prog), flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL) : -ENOENT;
	pass_bpf__destroy(skel);
	return r;
}

int main(int argc, char **argv)
{
	unsigned int ifindex = argc > 2 ? if_nametoindex(argv[1]) : 0;
	__u32 flags = argc > 3 && !strcmp(argv[3], "skb") ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	__u32 id = 0;
	int r;

	if (!ifindex) {
		fprintf(stderr, "usage: xdp IFACE pass|drop|sink|off|id [native|skb]\n");
		return 2;
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (!strcmp(argv[2], "id")) {
		r = bpf_xdp_query_id(ifindex, 0, &id);
		if (!r)
			printf("%u\n", id);
	} else if (!strcmp(argv[2], "off")) {
		r = bpf_xdp_detach(ifindex, flags, NULL);
	} else {
		r = attach(ifindex, argv[2], flags);
	}
	if (r)
		fprintf(stderr, "xdp: %s: %s\n", argv[1], strerror(-r));
	return !!r;
}
