// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>

#include "core/err.h"
#include "core/hook.h"
#include "core/hook_clsact.h"
#include "core/hook_libxdp.h"
#include "core/hook_vlan.h"
#include "core/interface.h"
#include "core/pins.h"
#include "core/util.h"

/* include/uapi/linux/bpf.h of 6.6; Debian 12 has that of 6.1 */
#define TCX_INGRESS 46
#define F_BEFORE    (1u << 3)

static int get_program(const char *dir, const char *name, struct porch_err *err)
{
	char path[2 * PORCH_PIN_PATH];
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	if (fd >= 0)
		return fd;
	r = -errno;
	return porch_err_set(err, r, "%s: %s", path, strerror(-r));
}

static int pin_link(int fd, const char *dir, const char *name, struct porch_err *err)
{
	int r = porch_pin(fd, dir, name);

	return r ? porch_err_set(err, r, "%s/%s: %s", dir, name, strerror(-r)) : 0;
}

int porch_hook_tc_as(const struct porch_hook *hook, const char *programs, const char *dir, const char *name,
		     struct porch_err *err)
{
	/* at the head: a program in front that accepts the segment would end its way to us */
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = F_BEFORE);
	_cleanup_close_ int program = get_program(programs, "porch_tc", err), link = -1;
	int r;

	if (program < 0)
		return program;
	link = bpf_link_create(program, hook->ifindex, TCX_INGRESS, &opts);
	if (link < 0) {
		r = -errno;
		return porch_err_set(err, r, "%s: tc ingress: %s; porch doctor %s may know more",
				     hook->ifname, strerror(-r), hook->ifname);
	}
	return pin_link(link, dir, name, err);
}

static bool tcx_forbidden(void)
{
	const char *no = getenv("PORCH_NO_TCX");

	return no && *no && strcmp(no, "0");
}

int porch_hook_tc(const struct porch_hook *hook, const char *programs, const char *dir, struct porch_err *err)
{
	_cleanup_close_ int program = -1;
	int r = -EINVAL;

	if (!tcx_forbidden())
		r = porch_hook_tc_as(hook, programs, dir, "tc", err);
	/* what a kernel says that knows no such attachment */
	if (r != -EINVAL)
		return r;
	program = get_program(programs, "porch_tc", err);
	if (program < 0)
		return program;
	r = porch_clsact_attach(hook, program, dir);
	return r ? porch_err_set(
			   err, r,
			   "%s: tc ingress: %s; the kernel has neither TCX nor clsact (CONFIG_NET_CLS_BPF, "
			   "CONFIG_NET_SCH_INGRESS)",
			   hook->ifname, strerror(-r))
		 : 0;
}

static int foreign(const struct porch_hook *hook, __u32 id, struct porch_err *err)
{
	return porch_err_set(
		err, -EBUSY,
		"%s: another XDP program (id %u) is attached; take it off with 'ip link set dev %s "
		"xdp off' or by whoever put it there, then try again",
		hook->ifname, id, hook->ifname);
}

int porch_hook_check_foreign(const struct porch_hook *hook, struct porch_err *err)
{
	struct porch_xdp_state state;
	int r = porch_xdp_query(hook->ifindex, &state);

	if (r)
		return porch_err_set(err, r, "%s: %s", hook->ifname, strerror(-r));
	if (!state.id || (porch_libxdp_usable() && porch_libxdp_has_dispatcher(hook->ifindex)))
		return 0;
	return foreign(hook, state.id, err);
}

/* The kernel's answer in the words of whoever has to act on it. */
static int explain(const struct porch_hook *hook, int r, struct porch_err *err)
{
	const char *name = hook->ifname;
	struct porch_xdp_state state = {};

	if (hook->mode == PORCH_MODE_NATIVE) {
		switch (r) {
		case -EOPNOTSUPP:
			return porch_err_set(
				err, -ENOTSUP,
				"%s: its driver has no native XDP, or not with the offloads that are "
				"on; use --mode skb, or see porch doctor %s",
				name, name);
		case -ENOSPC:
			return porch_err_set(
				err, -ENOTSUP,
				"%s: has fewer RX queues than its peer has TX queues, which native "
				"XDP on veth refuses; run 'ethtool -L PEER tx 1' for the peer, or use --mode "
				"skb",
				name);
		case -ERANGE:
			return porch_err_set(
				err, -ENOTSUP,
				"%s: the MTU, or its peer's, is too large for native XDP; lower it to "
				"3506 or less, or use --mode skb",
				name);
		case -EINVAL:
			return porch_err_set(
				err, -ENOTSUP,
				"%s: its driver refuses native XDP as the interface is set (often an "
				"MTU beyond a page, LRO, or too few queues); see porch doctor %s, or use "
				"--mode skb",
				name, name);
		}
	}
	switch (r) {
	case -EBUSY:
	case -EEXIST:
		if (!porch_xdp_query(hook->ifindex, &state) && state.id)
			return foreign(hook, state.id, err);
		break;
	case -EPERM:
		return porch_err_set(err, r, "%s: XDP: %s; run as root with CAP_BPF and CAP_NET_ADMIN", name,
				     strerror(-r));
	}
	return porch_err_set(err, r, "%s: XDP: %s; see porch doctor %s", name, strerror(-r), name);
}

static int refused_by_dispatcher(const struct porch_hook *hook, int r, struct porch_err *err)
{
	return porch_err_set(err, -EBUSY,
			     "%s: the libxdp dispatcher that another XDP program has put there does not take "
			     "porch (%s), which "
			     "changes packets: on Linux 6.12.6 and newer that wants the dispatcher of libxdp "
			     "1.5.5 or newer; take "
			     "the other program off, or update xdp-tools",
			     hook->ifname, strerror(-r));
}

static int attach_by_link(const struct porch_hook *hook, const char *programs, const char *dir,
			  struct porch_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = hook->mode == PORCH_MODE_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	_cleanup_close_ int program = get_program(programs, "porch_xdp", err), link = -1;

	if (program < 0)
		return program;
	link = bpf_link_create(program, hook->ifindex, BPF_XDP, &opts);
	return link < 0 ? explain(hook, -errno, err) : pin_link(link, dir, "xdp", err);
}

int porch_hook_xdp(const struct porch_hook *hook, const char *programs, const char *dir,
		   struct porch_err *err)
{
	int r;

	if (porch_libxdp_usable()) {
		r = porch_libxdp_attach(hook, programs, dir, NULL);
		if (!r)
			return 0;
		if (porch_libxdp_has_dispatcher(hook->ifindex))
			return refused_by_dispatcher(hook, r, err);
	}
	/* no dispatcher, or none that takes porch: alone */
	return attach_by_link(hook, programs, dir, err);
}

/* At once: the kernel lets go of a link whose pin is removed, but in its own time. */
static void detach_link(struct porch_pins *pins, int ifindex, const char *name)
{
	_cleanup_close_ int link = porch_pins_get(pins, ifindex, name);

	if (link >= 0)
		bpf_link_detach(link);
}

int porch_hook_xdp_off(const struct porch_hook *hook, struct porch_pins *pins, struct porch_err *err)
{
	_cleanup_close_ int program = porch_pins_get(pins, hook->ifindex, "xdp_prog");
	int r = 0;

	if (program >= 0)
		r = porch_libxdp_detach(hook, program);
	detach_link(pins, hook->ifindex, "xdp");
	if (!r)
		r = porch_pins_remove(pins, hook->ifindex, "xdp");
	if (!r)
		r = porch_pins_remove(pins, hook->ifindex, "xdp_prog");
	return r ? porch_err_set(err, r, "%s: taking XDP off: %s", hook->ifname, strerror(-r)) : 0;
}

void porch_hook_tc_off(const struct porch_hook *hook, struct porch_pins *pins)
{
	_cleanup_close_ int program = porch_pins_get(pins, hook->ifindex, "tc_prog");
	char dir[PORCH_PIN_PATH];

	snprintf(dir, sizeof(dir), "%.*s/%d", PORCH_PIN_PATH - 16, pins->dir, hook->ifindex);
	porch_hook_vlan_off(dir);
	detach_link(pins, hook->ifindex, "tc");
	if (program >= 0)
		porch_clsact_detach(hook->ifindex, program);
	porch_pins_remove(pins, hook->ifindex, "tc");
	porch_pins_remove(pins, hook->ifindex, "tc_prog");
}

void porch_hook_tc_undo(const struct porch_hook *hook, const char *dir)
{
	_cleanup_close_ int program = get_program(dir, "tc_prog", NULL);

	/* a link goes with its pin, a filter does not */
	if (program >= 0)
		porch_clsact_detach(hook->ifindex, program);
}
