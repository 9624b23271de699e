// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "core/addrs.h"
#include "core/attach.h"
#include "core/drain.h"
#include "core/hook.h"
#include "core/hook_vlan.h"
#include "core/listeners.h"
#include "core/make.h"
#include "core/namespace.h"
#include "core/object.h"
#include "core/seed.h"
#include "core/util.h"

/* An attachment under way. `ns` has the tables of `dir`, which may be a staging directory. */
struct site {
	const struct porch_attach_opts *opts;
	struct porch_namespace *ns;
	struct porch_hook hook;
	char dir[PORCH_PIN_PATH];
	bool changed;
};

static int apply_listeners(struct site *site, struct porch_err *err)
{
	const struct porch_tables *tables = &site->ns->tables;
	bool added = false;
	size_t i;
	int r;

	for (i = 0; i < site->opts->n_listeners; i++) {
		const struct porch_listen_spec *spec = &site->opts->listeners[i];

		if (porch_listener_find(tables, spec)) {
			r = porch_listener_set(tables, spec, err);
		} else {
			r = porch_listener_add(tables, spec, err);
			added |= r > 0;
		}
		if (r < 0)
			return r;
		site->changed |= r > 0;
	}
	return added ? porch_seed_connections(tables, site->dir, err) : 0;
}

static int apply_deny(struct site *site, struct porch_err *err)
{
	size_t i;
	int r;

	for (i = 0; i < site->opts->n_deny; i++) {
		r = porch_deny_add(&site->ns->tables, &site->opts->deny[i]);
		if (r < 0)
			return porch_err_set(err, r, "deny list: %s",
					     r == -ENOSPC ? "it is full" : strerror(-r));
		site->changed |= r > 0;
	}
	return 0;
}

static void apply_rates(struct site *site)
{
	struct porch_host *host = site->ns->tables.host;
	const struct porch_attach_opts *opts = site->opts;

	if ((opts->given & PORCH_GIVEN_REPLY_RATE) && host->reply_rate != opts->reply_rate) {
		host->reply_rate = opts->reply_rate;
		site->changed = true;
	}
	if ((opts->given & PORCH_GIVEN_UNKNOWN_RATE) && host->unknown_rate != opts->unknown_rate) {
		host->unknown_rate = opts->unknown_rate;
		site->changed = true;
	}
}

/*
 * tc before XDP: nothing may be proven that nobody would deliver, and no
 * segment for deliver=afxdp may find the guard missing. Of VLAN devices only a
 * kernel that takes connections needs tc.
 */
static int attach_hooks(const struct site *site, bool tc, const char *dir, struct porch_err *err)
{
	bool changed;
	int r = 0;

	if (tc)
		r = porch_hook_tc(&site->hook, site->dir, dir, err);
	if (!r && porch_kernel_can_deliver())
		r = porch_hook_vlan(&site->hook, site->dir, dir, &changed, err);
	if (!r)
		r = porch_hook_xdp(&site->hook, site->dir, dir, err);
	if (r && tc)
		porch_hook_tc_undo(&site->hook, dir);
	return r;
}

static int attach_interface(struct site *site, struct porch_err *err)
{
	char dir[PORCH_PIN_PATH];
	int r;

	site->changed = true;
	r = porch_pins_stage(&site->ns->pins, site->hook.ifindex, dir, err);
	if (r)
		return r;
	return attach_hooks(site, true, dir, err);
}

/* The first interface of the namespace: everything at once, or nothing. */
static int attach_first(struct site *site, struct porch_err *err)
{
	struct porch_pins *pins = &site->ns->pins;
	int r;

	porch_pins_sweep_dead(pins);
	r = porch_pins_stage(pins, 0, site->dir, err);
	if (r)
		return r;
	r = porch_make(site->opts, site->hook.ifindex, pins->netns_inum, site->dir, &site->ns->tables, err);
	if (!r)
		r = apply_listeners(site, err);
	if (!r)
		r = apply_deny(site, err);
	if (!r)
		r = attach_interface(site, err);
	if (!r)
		r = porch_pins_commit(pins, 0, err);
	if (r)
		porch_pins_drop(pins, 0);
	return r;
}

static int attach_further(struct site *site, struct porch_err *err)
{
	struct porch_pins *pins = &site->ns->pins;
	int ifindex = site->hook.ifindex, r;

	r = porch_addrs_add_interface(&site->ns->tables, ifindex, err);
	if (!r)
		r = attach_interface(site, err);
	if (!r)
		r = porch_pins_commit(pins, ifindex, err);
	if (r) {
		porch_pins_drop(pins, ifindex);
		porch_addrs_del_interface(&site->ns->tables, ifindex);
	}
	return r;
}

/*
 * The kernel has no native and generic program on one interface, not even for
 * a moment, so the old one goes first; if the new one does not take, it comes back.
 */
static int change_mode(struct site *site, struct porch_err *err)
{
	struct porch_hook old = site->hook;
	char dir[PORCH_PIN_PATH];
	int r;

	old.mode = site->hook.mode == PORCH_MODE_SKB ? PORCH_MODE_NATIVE : PORCH_MODE_SKB;
	snprintf(dir, sizeof(dir), "%.*s/%d", PORCH_PIN_PATH - 16, site->dir, old.ifindex);
	site->changed = true;
	porch_drain(&site->ns->tables, 0);
	r = porch_hook_xdp_off(&old, &site->ns->pins, err);
	if (!r) {
		r = porch_hook_xdp(&site->hook, site->dir, dir, err);
		if (r && porch_hook_xdp(&old, site->dir, dir, NULL)) {
			struct porch_err first = err ? *err : (struct porch_err){};

			porch_err_set(err, r,
				      "%.500s; the old mode does not attach again either, so porch is off",
				      first.text);
		}
	}
	porch_drain_undo(&site->ns->tables);
	return r;
}

/* Somebody took our program off, or a change of mode was cut short. */
static int restore(struct site *site, const struct porch_interface *found, struct porch_err *err)
{
	struct porch_pins *pins = &site->ns->pins;
	int ifindex = found->ifindex;
	char dir[PORCH_PIN_PATH];
	int r;

	site->changed = true;
	r = porch_hook_check_foreign(&site->hook, err);
	if (r)
		return r;
	porch_pins_remove(pins, ifindex, "xdp");
	porch_pins_remove(pins, ifindex, "xdp_prog");
	if (!found->tc) {
		porch_pins_remove(pins, ifindex, "tc");
		porch_pins_remove(pins, ifindex, "tc_prog");
	}
	snprintf(dir, sizeof(dir), "%.*s/%d", PORCH_PIN_PATH - 16, site->dir, ifindex);
	return attach_hooks(site, !found->tc, dir, err);
}

static int check_sizes(const struct site *site, struct porch_err *err)
{
	const struct porch_tables *tables = &site->ns->tables;
	const struct porch_attach_opts *opts = site->opts;
	const char *what = NULL;

	if ((opts->given & PORCH_GIVEN_FLOWS) &&
	    porch_flow_sets(opts->flows) * PORCH_SET_WAYS != tables->n_flows)
		what = "flows";
	if ((opts->given & PORCH_GIVEN_HALF_OPEN) && opts->half_open != tables->n_half_open)
		what = "half_open";
	if (!what)
		return 0;
	return porch_err_set(err, -EBUSY,
			     "%s: %s is set at the first attach of a namespace; detach all interfaces, then "
			     "attach again",
			     opts->ifname, what);
}

/* Somebody took tc off, which is easy with a filter, and left XDP. */
static int restore_tc(struct site *site, struct porch_err *err)
{
	struct porch_pins *pins = &site->ns->pins;
	char dir[PORCH_PIN_PATH];

	site->changed = true;
	porch_pins_remove(pins, site->hook.ifindex, "tc");
	porch_pins_remove(pins, site->hook.ifindex, "tc_prog");
	snprintf(dir, sizeof(dir), "%.*s/%d", PORCH_PIN_PATH - 16, site->dir, site->hook.ifindex);
	return porch_hook_tc(&site->hook, site->dir, dir, err);
}

/* VLAN devices that came after the last attach. */
static int attach_vlans(struct site *site, struct porch_err *err)
{
	char dir[PORCH_PIN_PATH];

	if (!porch_kernel_can_deliver())
		return 0;
	snprintf(dir, sizeof(dir), "%.*s/%d", PORCH_PIN_PATH - 16, site->dir, site->hook.ifindex);
	return porch_hook_vlan(&site->hook, site->dir, dir, &site->changed, err);
}

/* The interface as it should be, in a namespace that is there already. `fresh`: it was not attached before.
 */
static int attach_existing(struct site *site, bool *fresh, struct porch_err *err)
{
	struct porch_interface found;
	int r;

	r = porch_interface_get(site->ns, site->opts->ifname, &found, NULL);
	*fresh = r == -ENOENT;
	if (*fresh) {
		r = porch_hook_check_foreign(&site->hook, err);
		return r ? r : attach_further(site, err);
	}
	if (r)
		return porch_err_set(err, r, "%s: %s", site->opts->ifname, strerror(-r));
	if (!site->opts->mode_given)
		site->hook.mode = found.skb_mode ? PORCH_MODE_SKB : PORCH_MODE_NATIVE;
	if (found.lost)
		return restore(site, &found, err);
	if (!found.tc)
		r = restore_tc(site, err);
	if (!r)
		r = attach_vlans(site, err);
	if (r)
		return r;
	return found.skb_mode == (site->hook.mode == PORCH_MODE_SKB) ? 0 : change_mode(site, err);
}

static int attach_again(struct site *site, struct porch_err *err)
{
	struct porch_pins *pins = &site->ns->pins;
	bool fresh = false;
	int r;

	memcpy(site->dir, pins->dir, sizeof(site->dir));
	r = check_sizes(site, err);
	if (!r)
		r = attach_existing(site, &fresh, err);
	if (r)
		return r;
	r = apply_listeners(site, err);
	if (!r)
		r = apply_deny(site, err);
	if (!r)
		apply_rates(site);
	if (!r || !fresh)
		return r;
	porch_hook_xdp_off(&site->hook, pins, NULL);
	porch_hook_tc_off(&site->hook, pins);
	porch_pins_remove_interface(pins, site->hook.ifindex);
	return r;
}

static bool any_listener(const struct porch_tables *tables)
{
	__u32 i;

	for_each_listener (tables, i)
		return true;
	return false;
}

int porch_attach(const struct porch_attach_opts *opts, struct porch_attach_result *ret, struct porch_err *err)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	struct porch_attach_result result = {};
	struct site site = { .opts = opts };
	int r;

	site.hook = (struct porch_hook){ opts->ifname, if_nametoindex(opts->ifname), opts->mode };
	if (!site.hook.ifindex)
		return porch_err_set(err, -ENODEV,
				     "%s: no such interface; 'ip link' lists those of this namespace",
				     opts->ifname);
	r = porch_listeners_check(opts->listeners, opts->n_listeners, err);
	if (!r)
		r = porch_namespace_open_or_new(&ns, err);
	if (r)
		return r;
	site.ns = ns;
	if (porch_pins_exist(&ns->pins)) {
		r = attach_again(&site, err);
	} else {
		r = porch_hook_check_foreign(&site.hook, err);
		if (!r)
			r = attach_first(&site, err);
	}
	if (r)
		return r;
	result.changed = site.changed;
	if (!any_listener(&ns->tables))
		snprintf(result.note, sizeof(result.note),
			 "%s: no listener yet, so nothing is protected; see porch listen %s add",
			 opts->ifname, opts->ifname);
	else if (site.changed && !porch_kernel_can_deliver())
		snprintf(result.note, sizeof(result.note),
			 "%s: this kernel takes no proven connections (Linux 6.9 is the first that does): of "
			 "deliver=kernel there is protect=monitor and off only",
			 opts->ifname);
	*ret = result;
	return 0;
}
