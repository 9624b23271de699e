// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/hook.h"
#include "core/hook_clsact.h"
#include "core/pins.h"

/* In front: a filter that accepts the segment would end its way to us. */
#define PRIORITY	   1
#define HANDLE		   0x706f

#define HOOK(name, device) LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (device), .attach_point = BPF_TC_INGRESS)

static __u32 program_id(int program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &size) ? 0 : info.id;
}

bool porch_clsact_runs(int ifindex, int program)
{
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = HANDLE, .priority = PRIORITY);
	__u32 id = program_id(program);
	HOOK(hook, ifindex);

	return id && !bpf_tc_query(&hook, &filter) && filter.prog_id == id;
}

void porch_clsact_detach(int ifindex, int program)
{
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = HANDLE, .priority = PRIORITY);
	HOOK(hook, ifindex);

	if (porch_clsact_runs(ifindex, program))
		bpf_tc_detach(&hook, &filter);
}

int porch_clsact_attach(const struct porch_hook *porch, int program, const char *dir)
{
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = HANDLE, .priority = PRIORITY, .prog_fd = program,
		    .flags = BPF_TC_F_REPLACE);
	HOOK(hook, porch->ifindex);
	int r;

	r = bpf_tc_hook_create(&hook);
	if (!r || r == -EEXIST)
		r = bpf_tc_attach(&hook, &filter);
	if (r)
		return r;
	r = porch_pin(program, dir, "tc_prog");
	if (r)
		porch_clsact_detach(porch->ifindex, program);
	return r;
}
