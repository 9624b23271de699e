// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks of sysctls: those that forbid delivery, and those that porch mirrors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor.h"
#include "core/doctor_link.h"
#include "core/sysctl.h"

static void check_syncookies(const struct porch_doctor_target *target, struct porch_report *report)
{
	long value;
	int r = porch_sysctl_get("ipv4/tcp_syncookies", 0, &value);

	if (r) {
		porch_find(report, PORCH_DOCTOR_FAIL, "net.ipv4.tcp_syncookies cannot be read: %s",
			   strerror(-r));
		porch_advise(report, "the kernel needs CONFIG_SYN_COOKIES=y to take proven connections");
	} else if (!value && !porch_doctor_needs_kernel(target)) {
		porch_find(report, PORCH_DOCTOR_OK, "net.ipv4.tcp_syncookies is 0, which concerns deliver=kernel only");
	} else if (!value) {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "net.ipv4.tcp_syncookies is 0: the kernel would reset every connection porch "
			   "delivers");
		porch_advise(report, "sysctl -w net.ipv4.tcp_syncookies=1");
	} else {
		porch_find(report, PORCH_DOCTOR_OK, "net.ipv4.tcp_syncookies is %ld", value);
	}
}

/* Changed after attach, these make the kernel refuse what porch agreed with a client. */
static void check_mirrored(const struct porch_doctor_target *target, struct porch_report *report)
{
	const struct porch_host *host = target->host;
	const struct {
		const char *path, *name;
		int mirrored;
		const char *loss;
	} sysctls[] = {
		{ "ipv4/tcp_timestamps", "tcp_timestamps", host ? host->tcp_timestamps : -1,
		  "without timestamps a cookie has six bits for options" },
		{ "ipv4/tcp_sack", "tcp_sack", host ? host->tcp_sack : -1, NULL },
		{ "ipv4/tcp_window_scaling", "tcp_window_scaling", host ? host->tcp_window_scaling : -1,
		  NULL },
		{ "ipv4/tcp_ecn", "tcp_ecn", host ? host->tcp_ecn : -1, NULL },
	};
	size_t i, odd = 0;
	long value;

	for (i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		if (porch_sysctl_get(sysctls[i].path, 0, &value))
			continue;
		if (sysctls[i].mirrored >= 0 && value != sysctls[i].mirrored) {
			odd++;
			porch_find(report, PORCH_DOCTOR_WARN,
				   "net.ipv4.%s is %ld, porch still has %d from its attachment",
				   sysctls[i].name, value, sysctls[i].mirrored);
			porch_advise(report, "porch attach %s once more: it takes over the new value",
				     target->ifname);
		} else if (!value && sysctls[i].loss) {
			odd++;
			porch_find(report, PORCH_DOCTOR_WARN,
				   "net.ipv4.%s is 0: %s, and MSS and window scale are rounded",
				   sysctls[i].name, sysctls[i].loss);
			porch_advise(report, "sysctl -w net.ipv4.%s=1", sysctls[i].name);
		}
	}
	if (!odd)
		porch_find(report, PORCH_DOCTOR_OK,
			   "TCP options follow net.ipv4.tcp_{timestamps,sack,window_scaling,ecn}");
}

static void count_wired(const struct porch_link *link, void *arg)
{
	size_t *n = arg;

	*n += !(link->flags & IFF_LOOPBACK) && (link->flags & IFF_UP);
}

/*
 * A SYN-ACK of porch leaves where the SYN came in, whatever the routes say.
 * With one way out there is no difference; with several, a strict rp_filter
 * drops the final ACK of a client whose route points elsewhere.
 */
static void check_rp_filter(const struct porch_doctor_target *target, struct porch_report *report)
{
	long all = 0, own = 0, mode;
	char path[96];
	size_t n = 0;

	(void)porch_sysctl_get("ipv4/conf/all/rp_filter", 0, &all);
	snprintf(path, sizeof(path), "ipv4/conf/%s/rp_filter", target->ifname);
	(void)porch_sysctl_get(path, 0, &own);
	mode = all > own ? all : own;
	(void)porch_link_each(count_wired, &n);
	if (mode == 1 && n > 1) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "rp_filter is strict and the host has %zu interfaces: a client that is routed out "
			   "elsewhere gets "
			   "its SYN-ACK here, but its final ACK is dropped",
			   n);
		porch_advise(
			report,
			"with asymmetric routes: sysctl -w net.ipv4.conf.%s.rp_filter=2 (and 'all' not 1)",
			target->ifname);
	} else if (n > 1) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "rp_filter is %ld; SYN-ACKs leave through the interface the SYN came in by", mode);
	} else {
		porch_find(report, PORCH_DOCTOR_OK, "one interface: SYN-ACKs leave as the routes say");
	}
}

const struct porch_doctor_check porch_doctor_sysctl_checks[] = {
	{ "syncookies", check_syncookies },
	{ "tcp_options", check_mirrored },
	{ "rp_filter", check_rp_filter },
	{},
};
