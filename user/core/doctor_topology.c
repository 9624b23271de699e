// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks of the place: is this the interface to attach to, and can its driver do it? */
#include <string.h>
#include <net/if_arp.h>

#include "core/doctor.h"
#include "core/doctor_link.h"
#include "core/util.h"

/* Devices that only forward what a lower one received: say where to attach instead. */
static const struct {
	const char *kind;
	enum porch_doctor_result result;
	const char *text, *advice;
} stacked[] = {
	{ "vlan", PORCH_DOCTOR_FAIL,
	  "is a VLAN device: it has no driver hook, and its frames pass the lower device first",
	  "attach to the lower device: porch answers tagged SYNs there, with their tags" },
	{ "bridge", PORCH_DOCTOR_WARN, "is a bridge: it has no driver hook",
	  "attach with --mode skb; native mode needs the address on an interface of its own" },
	{ "team", PORCH_DOCTOR_WARN, "is a team device: it has no driver hook",
	  "attach with --mode skb, or use a bond, which runs XDP in its ports' drivers" },
	{ "bond", PORCH_DOCTOR_WARN,
	  "is a bond: native XDP runs in each port's driver, for balance-rr, active-backup, "
	  "802.3ad and balance-xor without vlan+srcmac only",
	  "attach to the bond, not to its ports; if that is refused, --mode skb" },
	{ "macvlan", PORCH_DOCTOR_WARN, "is a macvlan device: it has no driver hook",
	  "attach with --mode skb" },
	{ "macvtap", PORCH_DOCTOR_FAIL,
	  "is a macvtap device: its frames go to a guest, not to this host's sockets",
	  "attach inside the guest" },
	{ "ipvlan", PORCH_DOCTOR_WARN,
	  "is an ipvlan device: it has no driver hook, and shares its MAC with the lower one",
	  "attach to the lower device in its own namespace, or use --mode skb" },
	{ "vrf", PORCH_DOCTOR_FAIL, "is a VRF device: frames arrive on its members",
	  "attach to the members" },
};

static void check_driver(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_link link;
	char driver[32] = "unknown";
	__u64 features;
	size_t i;
	int r;

	r = porch_link_get(target->ifindex, PORCH_NSID_HERE, &link);
	if (r) {
		porch_find(report, PORCH_DOCTOR_FAIL, "%s: %s", target->ifname, strerror(-r));
		return;
	}
	if (link.flags & IFF_LOOPBACK) {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "%s is the loopback device: local clients need no protection, and "
			   "their SYNs never meet XDP",
			   link.name);
		porch_advise(report, "attach to the interface that strangers come in by");
		return;
	}
	if (link.type != ARPHRD_ETHER) {
		porch_find(report, PORCH_DOCTOR_FAIL, "%s carries no Ethernet frames (type %u)", link.name,
			   link.type);
		porch_advise(report,
			     "attach to the Ethernet interface below it, if the TCP is visible there");
		return;
	}
	for (i = 0; i < sizeof(stacked) / sizeof(stacked[0]); i++) {
		if (strcmp(link.kind, stacked[i].kind))
			continue;
		porch_find(report, stacked[i].result, "%s %s", link.name, stacked[i].text);
		porch_advise(report, "%s", stacked[i].advice);
		return;
	}
	(void)porch_link_driver(link.name, driver, sizeof(driver));
	r = porch_link_xdp_features(link.ifindex, &features);
	if (r) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "driver %s: this kernel does not tell whether it has native XDP", driver);
		porch_advise(report,
			     "attach says so at once; --mode skb works with every driver, but slower");
	} else if (!(features & PORCH_XDP_FEATURE_BASIC)) {
		porch_find(report, target->skb_mode ? PORCH_DOCTOR_OK : PORCH_DOCTOR_WARN,
			   "driver %s has no native XDP", driver);
		porch_advise(report, "attach with --mode skb: it works, at the price of an skb per SYN");
	} else {
		porch_find(report, PORCH_DOCTOR_OK, "driver %s has native XDP", driver);
	}
	if (!(link.flags & IFF_UP)) {
		porch_find(report, PORCH_DOCTOR_WARN, "%s is down", link.name);
		porch_advise(report, "ip link set %s up", link.name);
	}
}

static void check_master(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_link link, master;

	if (porch_link_get(target->ifindex, PORCH_NSID_HERE, &link))
		return;
	if (!link.master || porch_link_get(link.master, PORCH_NSID_HERE, &master)) {
		porch_find(report, PORCH_DOCTOR_OK, "%s is not part of a bond, bridge, team or VRF",
			   link.name);
		return;
	}
	if (!strcmp(link.slave_kind, "vrf")) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "%s belongs to VRF %s: listeners outside the VRF are not found", link.name,
			   master.name);
		porch_advise(report, "bind the service to the VRF, or set net.ipv4.tcp_l3mdev_accept=1");
		return;
	}
	porch_find(report, PORCH_DOCTOR_FAIL, "%s is a port of %s (%s): the host's addresses are there",
		   link.name, master.name, *master.kind ? master.kind : "a stacked device");
	porch_advise(report, "porch doctor %s", master.name);
}

const struct porch_doctor_check porch_doctor_topology_checks[] = {
	{ "driver", check_driver },
	{ "master", check_master },
	{},
};
