// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks of the interface itself: peer, offloads, queues, who else is on the hook. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>

#include <bpf/bpf.h>

#include "core/doctor.h"
#include "core/doctor_link.h"

/* A page, less XDP's headroom, the skb's tail and the Ethernet header. */
#define XDP_MTU_MAX 3506

static bool is_veth(const struct porch_link *link)
{
	return !strcmp(link->kind, "veth");
}

/* The peer of a veth: 0 found, 1 not a veth, -errno not visible. */
static int find_peer(const struct porch_doctor_target *target, struct porch_link *link,
		     struct porch_link *peer)
{
	int r = porch_link_get(target->ifindex, PORCH_NSID_HERE, link);

	if (r)
		return r;
	if (!is_veth(link))
		return 1;
	return porch_link_get(link->lower, link->lower_nsid, peer);
}

static void check_peer(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_link link, peer;
	int r = find_peer(target, &link, &peer);

	if (r == 1)
		return;
	if (r) {
		porch_find(report, PORCH_DOCTOR_WARN, "%s is a veth whose peer cannot be seen from here (%s)",
			   target->ifname, strerror(-r));
		porch_advise(report, "the peer needs an XDP program of its own, XDP_PASS is enough, or no "
				     "SYN-ACK arrives");
		return;
	}
	if (peer.xdp_driver_id) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "the veth's peer %s has an XDP program (id %u): SYN-ACKs arrive", peer.name,
			   peer.xdp_driver_id);
		return;
	}
	if (target->skb_mode) {
		porch_find(report, PORCH_DOCTOR_OK, "the veth's peer %s needs no XDP program in skb mode",
			   peer.name);
		return;
	}
	porch_find(report, PORCH_DOCTOR_FAIL,
		   "the veth's peer %s has no native XDP program: frames sent back by XDP wake nobody there",
		   peer.name);
	porch_advise(report,
		     "load any XDP program on %s%s, one that returns XDP_PASS is enough; or attach with "
		     "--mode skb",
		     peer.name, link.lower_nsid == PORCH_NSID_HERE ? "" : " in its namespace");
}

static void check_checksums(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_link link, peer;
	int on;

	if (find_peer(target, &link, &peer))
		return;
	if (link.lower_nsid != PORCH_NSID_HERE) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "whether %s, in another namespace, leaves checksums to be filled in cannot be "
			   "seen from here; "
			   "porch computes its own",
			   peer.name);
		return;
	}
	on = porch_link_feature(peer.name, "tx-checksum-ip-generic");
	if (on <= 0) {
		porch_find(report, PORCH_DOCTOR_OK, "the veth's peer %s sends full checksums", peer.name);
	} else if (target->skb_mode) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "the veth's peer %s leaves checksums to be filled in: in skb mode a SYN-ACK keeps "
			   "that mark",
			   peer.name);
		porch_advise(report, "ethtool -K %s tx off", peer.name);
	} else {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "the veth's peer %s leaves checksums to be filled in; porch computes its own, "
			   "captures show wrong ones",
			   peer.name);
		porch_advise(report, "nothing for porch; for other XDP programs here: ethtool -K %s tx off",
			     peer.name);
	}
}

struct vlans {
	int ifindex;
	char name[IFNAMSIZ];
};

static void find_vlan(const struct porch_link *link, void *arg)
{
	struct vlans *vlans = arg;

	if (!strcmp(link->kind, "vlan") && link->lower == vlans->ifindex &&
	    link->lower_nsid == PORCH_NSID_HERE)
		memcpy(vlans->name, link->name, sizeof(vlans->name));
}

/* What a veth delivers is what its peer puts into the frame; 1: not a veth. */
static int check_vlan_veth(const struct porch_doctor_target *target, const char *vlan,
			   struct porch_report *report)
{
	struct porch_link link, peer;
	int r = find_peer(target, &link, &peer), beside = -ENOENT;

	if (r == 1)
		return 1;
	if (!r && peer.nsid == PORCH_NSID_HERE)
		beside = porch_link_feature(peer.name, "tx-vlan-hw-insert");
	if (!beside) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "the veth's peer puts VLAN tags into the frame, where XDP sees them");
		return 0;
	}
	porch_find(report, beside > 0 ? PORCH_DOCTOR_FAIL : PORCH_DOCTOR_WARN,
		   "a veth carries VLAN tags beside the frame, where XDP does not see them, unless the "
		   "sending end is "
		   "told not to: SYN-ACKs to %s would leave untagged",
		   vlan);
	porch_advise(report, "for the peer: ethtool -K %s txvlan off tx-vlan-stag-hw-insert off",
		     r ? "PEER" : peer.name);
	return 0;
}

static void check_vlan(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct vlans vlans = { .ifindex = target->ifindex };
	int stripped = porch_link_feature(target->ifname, "rx-vlan-hw-parse");

	(void)porch_link_each(find_vlan, &vlans);
	if (*vlans.name && !check_vlan_veth(target, vlans.name, report))
		return;
	if (stripped > 0 && *vlans.name) {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "%s takes VLAN tags off frames before XDP sees them: SYN-ACKs to %s would leave "
			   "untagged",
			   target->ifname, vlans.name);
		porch_advise(report, "ethtool -K %s rxvlan off", target->ifname);
	} else if (stripped > 0) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "VLAN tags are taken off before XDP, but no VLAN device is on %s", target->ifname);
	} else {
		porch_find(report, PORCH_DOCTOR_OK, "VLAN tags reach XDP");
	}
}

static void check_lro(const struct porch_doctor_target *target, struct porch_report *report)
{
	static const struct {
		const char *feature, *option;
	} merging[] = { { "rx-lro", "lro" }, { "rx-gro-hw", "rx-gro-hw" } };
	size_t i, on = 0;

	for (i = 0; i < sizeof(merging) / sizeof(merging[0]); i++) {
		if (porch_link_feature(target->ifname, merging[i].feature) <= 0)
			continue;
		on++;
		porch_find(report, target->skb_mode ? PORCH_DOCTOR_OK : PORCH_DOCTOR_FAIL,
			   "%s is on: the driver refuses XDP, or merges segments before it",
			   merging[i].feature);
		porch_advise(report, "ethtool -K %s %s off", target->ifname, merging[i].option);
	}
	if (!on)
		porch_find(report, PORCH_DOCTOR_OK, "LRO and hardware GRO are off");
}

static void check_mtu(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_link link, peer;
	bool veth = !find_peer(target, &link, &peer);
	__u32 mtu;

	if (!veth && porch_link_get(target->ifindex, PORCH_NSID_HERE, &link))
		return;
	mtu = veth && peer.mtu > link.mtu ? peer.mtu : link.mtu;
	if (mtu <= XDP_MTU_MAX || target->skb_mode) {
		porch_find(report, PORCH_DOCTOR_OK, "MTU %u fits", mtu);
		return;
	}
	/* what a NIC's driver accepts is its own affair, veth's limit is known */
	porch_find(report, veth ? PORCH_DOCTOR_FAIL : PORCH_DOCTOR_WARN,
		   "MTU %u: native XDP takes frames of one page, an MTU of %d at most%s", mtu, XDP_MTU_MAX,
		   veth ? "" : " with most drivers");
	porch_advise(report, "ip link set %s mtu 1500%s; or attach with --mode skb",
		     veth && peer.mtu > link.mtu ? peer.name : link.name,
		     veth && peer.mtu > XDP_MTU_MAX && link.mtu > XDP_MTU_MAX ? " (both ends)" : "");
}

static void check_queues(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_channels own, theirs;
	struct porch_link link, peer;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char driver[32] = "";
	int veth = find_peer(target, &link, &peer);

	if (porch_link_channels(target->ifname, &own)) {
		porch_find(report, PORCH_DOCTOR_OK, "%s has the one queue of a device that cannot count them",
			   target->ifname);
		return;
	}
	(void)porch_link_driver(target->ifname, driver, sizeof(driver));
	if (!veth && link.lower_nsid == PORCH_NSID_HERE && !porch_link_channels(peer.name, &theirs) &&
	    own.rx < theirs.tx) {
		porch_find(report, target->skb_mode ? PORCH_DOCTOR_OK : PORCH_DOCTOR_FAIL,
			   "%s has %u RX queues, its peer %s sends on %u: native XDP is refused",
			   target->ifname, own.rx, peer.name, theirs.tx);
		porch_advise(report, "ethtool -L %s rx %u, or ethtool -L %s tx %u", target->ifname, theirs.tx,
			     peer.name, own.rx);
	} else if (!strcmp(driver, "virtio_net") && own.tx + cpus > own.tx_max) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "virtio_net has %u of %u TX queues in use and %ld CPUs: none is left for XDP, "
			   "SYN-ACKs take a lock",
			   own.tx, own.tx_max, cpus);
		porch_advise(
			report,
			"give the guest more queues than twice its CPUs, or ethtool -L %s combined fewer",
			target->ifname);
	} else {
		porch_find(report, PORCH_DOCTOR_OK, "%u RX queues%s", own.rx,
			   !veth && link.lower_nsid != PORCH_NSID_HERE
				   ? "; those of the veth's peer cannot be seen from here"
				   : "");
	}
}

static int program_name(__u32 id, char *name, size_t size)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd, r;

	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (r)
		return r;
	strncpy(name, info.name, size - 1);
	name[size - 1] = '\0';
	return 0;
}

static void check_foreign(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_link link;
	char name[32] = "unnamed";
	__u32 id;

	if (porch_link_get(target->ifindex, PORCH_NSID_HERE, &link))
		return;
	id = link.xdp_driver_id ? link.xdp_driver_id : link.xdp_skb_id ? link.xdp_skb_id : link.xdp_hw_id;
	if (!id) {
		porch_find(report, PORCH_DOCTOR_OK, "no other XDP program is on %s", target->ifname);
		return;
	}
	(void)program_name(id, name, sizeof(name));
	if (!strcmp(name, "xdp_dispatcher")) {
		porch_find(report, PORCH_DOCTOR_OK, "libxdp's dispatcher is on %s: porch shares the hook",
			   target->ifname);
	} else if (target->attached && !strcmp(name, "porch_xdp")) {
		porch_find(report, PORCH_DOCTOR_OK, "porch itself is on %s, by a bpf_link", target->ifname);
	} else {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "another XDP program, %s (id %u), has the hook of %s for itself", name, id,
			   target->ifname);
		porch_advise(report,
			     "load it with xdp-loader, so that both share the hook, or remove it: ip link "
			     "set %s %s off",
			     target->ifname,
			     link.xdp_driver_id ? "xdpdrv"
			     : link.xdp_skb_id	? "xdpgeneric"
						: "xdpoffload");
	}
}

const struct porch_doctor_check porch_doctor_device_checks[] = {
	{ "veth_peer", check_peer },
	{ "checksum_offload", check_checksums },
	{ "vlan_offload", check_vlan },
	{ "lro", check_lro },
	{ "mtu", check_mtu },
	{ "queues", check_queues },
	{ "foreign_xdp", check_foreign },
	{},
};
