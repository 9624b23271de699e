// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What runs on an interface, as the kernel says, compared with what porch pinned for it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

#include "core/err.h"
#include "core/hook_clsact.h"
#include "core/interface.h"
#include "core/namespace.h"
#include "core/util.h"

int porch_xdp_query(int ifindex, struct porch_xdp_state *ret)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int r = bpf_xdp_query(ifindex, 0, &query);

	if (r)
		return r;
	ret->skb_mode = query.attach_mode == XDP_ATTACHED_SKB;
	ret->id = query.attach_mode == XDP_ATTACHED_NONE ? 0
		  : query.drv_prog_id			 ? query.drv_prog_id
		  : query.skb_prog_id			 ? query.skb_prog_id
		  : query.hw_prog_id			 ? query.hw_prog_id
							 : query.prog_id;
	return 0;
}

/* Is program `id` among those of the dispatcher on the interface? */
static bool in_dispatcher(int ifindex, __u32 id)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	bool found = false;

	if (libxdp_get_error(all))
		return false;
	if (!xdp_multiprog__is_legacy(all)) {
		while (!found && (program = xdp_multiprog__next_prog(program, all)))
			found = xdp_program__id(program) == id;
	}
	xdp_multiprog__close(all);
	return found;
}

static bool link_on(int fd, int ifindex, __u32 *program)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	*program = info.prog_id;
	return (int)info.xdp.ifindex == ifindex;
}

static int look(const struct porch_namespace *ns, int ifindex, struct porch_interface *ret)
{
	struct porch_interface i = { .ifindex = ifindex };
	_cleanup_close_ int link = -1, program = -1, tc = -1;
	struct porch_xdp_state state = {};
	__u32 id = 0;
	int r;

	if (!if_indextoname(ifindex, i.name))
		return -ENODEV;
	r = porch_xdp_query(ifindex, &state);
	if (r)
		return r;
	link = porch_pins_get(&ns->pins, ifindex, "xdp");
	if (link >= 0) {
		i.by = PORCH_BY_BPF_LINK;
		i.lost = !link_on(link, ifindex, &id);
		i.foreign_id = i.lost ? state.id : 0;
	} else {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		i.by = PORCH_BY_LIBXDP;
		program = porch_pins_get(&ns->pins, ifindex, "xdp_prog");
		i.lost = program < 0 || bpf_obj_get_info_by_fd(program, &info, &size) ||
			 !in_dispatcher(ifindex, info.id);
		i.foreign_id = i.lost ? state.id : 0;
	}
	i.skb_mode = state.skb_mode;
	tc = porch_pins_get(&ns->pins, ifindex, "tc");
	i.tc = tc >= 0 && link_on(tc, ifindex, &id);
	if (tc < 0) {
		tc = porch_pins_get(&ns->pins, ifindex, "tc_prog");
		i.tc = tc >= 0 && porch_clsact_runs(ifindex, tc);
	}
	*ret = i;
	return 0;
}

int porch_interface_get(const struct porch_namespace *ns, const char *name, struct porch_interface *ret,
			struct porch_err *err)
{
	int ifindex = if_nametoindex(name), r;
	char path[PORCH_PIN_PATH], number[16];

	if (!ifindex)
		return porch_err_set(err, -ENODEV,
				     "%s: no such interface; 'ip link' lists those of this namespace", name);
	snprintf(number, sizeof(number), "%d", ifindex);
	if (access(porch_pins_path(&ns->pins, 0, number, path), F_OK))
		return porch_err_set(err, -ENOENT, "%s: porch is not attached; see porch attach", name);
	r = look(ns, ifindex, ret);
	return r ? porch_err_set(err, r, "%s: %s", name, strerror(-r)) : 0;
}

struct list {
	const struct porch_namespace *ns;
	struct porch_interface *all;
	size_t n;
};

static int add(int ifindex, void *arg)
{
	struct list *list = arg;
	struct porch_interface *all, one;

	if (look(list->ns, ifindex, &one))
		return 0; /* gone meanwhile */
	all = reallocarray(list->all, list->n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	list->all = all;
	all[list->n++] = one;
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	return ((const struct porch_interface *)a)->ifindex - ((const struct porch_interface *)b)->ifindex;
}

int porch_interface_list(const struct porch_namespace *ns, struct porch_interface **ret, size_t *n)
{
	struct list list = { .ns = ns };
	int r = porch_pins_each_interface(&ns->pins, add, &list);

	if (r) {
		free(list.all);
		return r;
	}
	if (list.n)
		qsort(list.all, list.n, sizeof(*list.all), by_ifindex);
	*ret = list.all;
	*n = list.n;
	return 0;
}

const char *porch_interface_lost_text(const struct porch_interface *i, char *buf, size_t size)
{
	if (i->foreign_id)
		snprintf(buf, size,
			 "%s: another XDP program (id %u) runs in place of porch's; "
			 "take it off, then run porch attach %s again",
			 i->name, i->foreign_id, i->name);
	else
		snprintf(buf, size, "%s: porch's XDP program was taken off; run porch attach %s again",
			 i->name, i->name);
	return buf;
}
