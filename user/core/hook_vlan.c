// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "core/doctor_link.h"
#include "core/err.h"
#include "core/hook.h"
#include "core/hook_vlan.h"
#include "core/pins.h"
#include "core/util.h"

#define PREFIX "tc-"

struct vlan {
	int ifindex, lower;
	bool above; /* the interface, however many VLAN devices lie between */
};

struct vlans {
	struct vlan *all;
	size_t n;
	int r;
};

static void take_vlan(const struct porch_link *link, void *arg)
{
	struct vlans *vlans = arg;
	struct vlan *all;

	if (vlans->r || strcmp(link->kind, "vlan") || link->lower_nsid != PORCH_NSID_HERE)
		return;
	all = reallocarray(vlans->all, vlans->n + 1, sizeof(*all));
	if (!all) {
		vlans->r = -ENOMEM;
		return;
	}
	vlans->all = all;
	all[vlans->n++] = (struct vlan){ link->ifindex, link->lower, false };
}

static bool is_above(const struct vlans *vlans, int ifindex)
{
	size_t i;

	for (i = 0; i < vlans->n; i++) {
		if (vlans->all[i].ifindex == ifindex)
			return vlans->all[i].above;
	}
	return false;
}

static int list_above(int ifindex, struct vlans *ret)
{
	struct vlans vlans = {};
	bool more = true;
	size_t i;
	int r;

	r = porch_link_each(take_vlan, &vlans);
	if (!r)
		r = vlans.r;
	if (r) {
		free(vlans.all);
		return r;
	}
	while (more) {
		more = false;
		for (i = 0; i < vlans.n; i++) {
			struct vlan *vlan = &vlans.all[i];

			if (vlan->above || (vlan->lower != ifindex && !is_above(&vlans, vlan->lower)))
				continue;
			vlan->above = more = true;
		}
	}
	*ret = vlans;
	return 0;
}

static void pin_path(const char *dir, const char *name, char buf[PORCH_PIN_PATH])
{
	snprintf(buf, PORCH_PIN_PATH, "%.*s/%.32s", PORCH_PIN_PATH - 40, dir, name);
}

/* The device that the link pinned at `name` is on; 0: on none, or there is no link. */
static int link_ifindex(const char *dir, const char *name)
{
	_cleanup_close_ int link = -1;
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	char path[PORCH_PIN_PATH];

	pin_path(dir, name, path);
	link = bpf_obj_get(path);
	/* ifindex stands at the same place for XDP and TCX */
	return link < 0 || bpf_obj_get_info_by_fd(link, &info, &size) ? 0 : (int)info.xdp.ifindex;
}

static void remove_link(const char *dir, const char *name)
{
	_cleanup_close_ int link = -1;
	char path[PORCH_PIN_PATH];

	pin_path(dir, name, path);
	link = bpf_obj_get(path);
	if (link >= 0)
		bpf_link_detach(link);
	unlink(path);
}

/* Removes the links on devices that are gone, or all. Returns how many. */
static int remove_links(const char *dir_path, bool all)
{
	DIR *dir = opendir(dir_path);
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) ||
		    (!all && link_ifindex(dir_path, entry->d_name)))
			continue;
		remove_link(dir_path, entry->d_name);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

int porch_hook_vlan(const struct porch_hook *hook, const char *programs, const char *dir, bool *changed,
		    struct porch_err *err)
{
	struct vlans vlans = {};
	char name[32];
	size_t i;
	int r;

	r = list_above(hook->ifindex, &vlans);
	if (r)
		return porch_err_set(err, r, "%s: its VLAN devices: %s", hook->ifname, strerror(-r));
	if (remove_links(dir, false))
		*changed = true;
	for (i = 0; i < vlans.n && !r; i++) {
		struct porch_hook above = { hook->ifname, vlans.all[i].ifindex, hook->mode };

		snprintf(name, sizeof(name), PREFIX "%d", above.ifindex);
		if (!vlans.all[i].above || link_ifindex(dir, name) == above.ifindex)
			continue;
		r = porch_hook_tc_as(&above, programs, dir, name, err);
		if (!r)
			*changed = true;
		else if (r == -ENODEV)
			r = 0; /* gone meanwhile */
	}
	free(vlans.all);
	return r;
}

void porch_hook_vlan_off(const char *dir)
{
	remove_links(dir, true);
}
