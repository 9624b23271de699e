// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/addrs.h"
#include "core/attach.h"
#include "core/drain.h"
#include "core/hook.h"
#include "core/namespace.h"
#include "core/util.h"

static int detach(struct porch_namespace *ns, const struct porch_interface *found, bool last,
		  struct porch_err *err)
{
	struct porch_hook hook = { found->name, found->ifindex,
				   found->skb_mode ? PORCH_MODE_SKB : PORCH_MODE_NATIVE };
	bool known = ns->tables.host; /* else another version's, which is only taken off */
	int r;

	/* with others left, their listeners keep their protection: only cookies under way on this one are
	 * lost */
	if (last && known)
		porch_drain(&ns->tables, 0);
	if (!found->lost) {
		r = porch_hook_xdp_off(&hook, &ns->pins, err);
		if (r && known)
			porch_drain_undo(&ns->tables);
		if (r)
			return r;
	}
	porch_hook_tc_off(&hook, &ns->pins);
	if (known)
		porch_addrs_del_interface(&ns->tables, found->ifindex);
	r = last ? porch_pins_remove_all(&ns->pins) : porch_pins_remove_interface(&ns->pins, found->ifindex);
	return r ? porch_err_set(err, r, "%s: removing it: %s", ns->pins.dir, strerror(-r)) : 0;
}

int porch_detach(const char *ifname, struct porch_attach_result *ret, struct porch_err *err)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	struct porch_attach_result result = {};
	struct porch_interface *all = NULL, found;
	size_t n = 0;
	int r;

	if (!if_nametoindex(ifname))
		return porch_err_set(err, -ENODEV,
				     "%s: no such interface; 'ip link' lists those of this namespace",
				     ifname);
	r = porch_namespace_open(PORCH_WRITE, &ns, err);
	if (r == -EPROTO)
		r = porch_namespace_open_pins(&ns, err);
	if (!r)
		r = porch_interface_get(ns, ifname, &found, err);
	if (!r)
		r = porch_interface_list(ns, &all, &n);
	if (!r) {
		r = detach(ns, &found, n <= 1, err);
		result.changed = true;
		if (!r && found.foreign_id)
			snprintf(result.note, sizeof(result.note),
				 "%s: the XDP program that is there (id %u) is not porch's and stays", ifname,
				 found.foreign_id);
	} else if (r == -ENOENT) {
		r = 0; /* it is as it should be */
	}
	free(all);
	if (!r)
		*ret = result;
	return r;
}
