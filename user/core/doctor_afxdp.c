// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks of what deliver=afxdp needs: porchd, applications, AF_XDP sockets and
 * frames that fit them. Without such a listener, only whether there could be one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/config.h"
#include "core/doctor.h"
#include "core/doctor_link.h"
#include "core/listeners.h"
#include "core/liveness.h"

/* A frame of 4096 octets, less the kernel's headroom, Ethernet and two tags: as native XDP itself. */
#define AFXDP_MTU_MAX 3506

static bool wanted(const struct porch_doctor_target *target)
{
	return porch_doctor_afxdp(target) > 0;
}

static void check_sockets(const struct porch_doctor_target *target, struct porch_report *report)
{
	int fd;

	/* a host that has decided on deliver=kernel need not be asked */
	if (target->n_listeners && !wanted(target))
		return;
	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		close(fd);
		porch_find(report, PORCH_DOCTOR_OK, "AF_XDP sockets can be made");
		return;
	}
	porch_find(report, wanted(target) ? PORCH_DOCTOR_FAIL : PORCH_DOCTOR_WARN,
		   "no AF_XDP socket can be made: %s", strerror(errno));
	porch_advise(
		report,
		errno == EAFNOSUPPORT
			? "deliver=afxdp needs a kernel with CONFIG_XDP_SOCKETS=y; deliver=kernel does not"
			: "run doctor as root, outside of a sandbox that filters system calls");
}

static void check_porchd(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_liveness porchd;
	size_t i, always = 0;

	if (!target->host)
		return;
	for (i = 0; i < target->n_listeners; i++)
		always += target->listeners[i].always;
	if (!always && !wanted(target))
		return;
	porch_liveness(target->host, &porchd);
	if (porchd.running) {
		porch_find(report, PORCH_DOCTOR_OK, "porchd is running (process %u)", porchd.pid);
		return;
	}
	if (porchd.ever)
		porch_find(report, wanted(target) ? PORCH_DOCTOR_FAIL : PORCH_DOCTOR_WARN,
			   "porchd (process %u) has given no sign for %llu s: stopped, killed, or starved of "
			   "CPU",
			   porchd.pid, porchd.age_ms / 1000);
	else if (wanted(target))
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "porchd is not running: nobody is admitted where deliver=afxdp");
	else
		porch_find(report, PORCH_DOCTOR_WARN,
			   "porchd is not running: where protect=always, no SYN-ACK is sent again, and a "
			   "client of a "
			   "service that speaks first hangs when its final ACK is lost");
	porch_advise(report, "systemctl %s porchd", porchd.ever ? "restart" : "start");
}

static void check_applications(const struct porch_doctor_target *target, struct porch_report *report)
{
	char text[PORCH_LISTEN_TEXT];
	size_t i;

	for (i = 0; i < target->n_listeners; i++) {
		const struct porch_doctor_listener *l = &target->listeners[i];
		struct porch_listen_spec spec = { .any = l->any, .port = l->port };

		if (!l->afxdp)
			continue;
		memcpy(spec.address, l->address, sizeof(spec.address));
		porch_listen_spec_format(&spec, text);
		if (l->workers) {
			porch_find(report, PORCH_DOCTOR_OK, "%s: %u worker%s listen%s over AF_XDP", text,
				   l->workers, l->workers == 1 ? "" : "s", l->workers == 1 ? "s" : "");
			continue;
		}
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "%s: no application listens there over AF_XDP: its SYNs are refused", text);
		porch_advise(report,
			     "start the program that links libporch; porchd's log says whom it turned away");
	}
}

static void check_frames(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_link link;

	if (!wanted(target) || porch_link_get(target->ifindex, PORCH_NSID_HERE, &link))
		return;
	if (link.mtu <= AFXDP_MTU_MAX) {
		porch_find(report, PORCH_DOCTOR_OK, "MTU %u fits an AF_XDP frame", link.mtu);
		return;
	}
	porch_find(report, PORCH_DOCTOR_FAIL,
		   "MTU %u: a segment must fit one AF_XDP frame, an MTU of %d at most", link.mtu,
		   AFXDP_MTU_MAX);
	porch_advise(report, "ip link set %s mtu 1500; porchd takes no application on it before",
		     target->ifname);
}

/* What merges segments in front of XDP; of a native program only the driver could, which is the check "lro".
 */
static void check_merging(const struct porch_doctor_target *target, struct porch_report *report)
{
	if (!wanted(target) || !target->skb_mode)
		return;
	if (porch_link_feature(target->ifname, "rx-gro") > 0) {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "generic-receive-offload is on, and in skb mode XDP comes behind it: merged "
			   "segments fit no "
			   "AF_XDP frame and are lost");
		porch_advise(report, "ethtool -K %s gro off (of a veth also: tso off gso off at its peer)",
			     target->ifname);
		return;
	}
	porch_find(report, PORCH_DOCTOR_OK, "segments are not merged in front of XDP");
}

static void check_mode(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_channels channels = { .rx = 1 };
	bool offers = false;
	__u64 features;

	if (!wanted(target))
		return;
	(void)porch_link_channels(target->ifname, &channels);
	offers = !porch_link_xdp_features(target->ifindex, &features) &&
		 (features & PORCH_XDP_FEATURE_ZEROCOPY);
	if (target->zero_copy)
		porch_find(report, PORCH_DOCTOR_OK, "%u RX queue%s, AF_XDP sockets in zero-copy mode",
			   channels.rx, channels.rx == 1 ? "" : "s");
	else
		porch_find(report, PORCH_DOCTOR_OK, "%u RX queue%s, AF_XDP sockets in copy mode%s",
			   channels.rx, channels.rx == 1 ? "" : "s",
			   offers ? "; the driver offers zero-copy, and zero-copy = yes in porch.conf asks "
				    "for it"
				  : ", which is all that is known of the driver");
}

static void check_visibility(const struct porch_doctor_target *target, struct porch_report *report)
{
	if (!wanted(target))
		return;
	porch_find(report, PORCH_DOCTOR_WARN,
		   "tcpdump, ss, conntrack and traffic shaping see nothing of connections over AF_XDP");
	porch_advise(report, "porch capture %s -w FILE; porch flows %s; porch queues", target->ifname,
		     target->ifname);
}

const struct porch_doctor_check porch_doctor_afxdp_checks[] = {
	{ "af_xdp", check_sockets },	       { "porchd", check_porchd },
	{ "application", check_applications }, { "frames", check_frames },
	{ "merging", check_merging },	       { "copy_mode", check_mode },
	{ "visibility", check_visibility },    {},
};
