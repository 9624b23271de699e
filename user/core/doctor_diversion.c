// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks of what takes packets away without a firewall rule: IPVS and IPsec. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/xfrm.h>

#include "core/doctor.h"
#include "core/netlink.h"

static void check_ipvs(const struct porch_doctor_target *target, struct porch_report *report)
{
	FILE *file = fopen("/proc/net/ip_vs", "re");
	char line[256], *colon;
	size_t n = 0;

	/* "TCP  C0A80001:0050 rr", or with [IPv6] in front of the port */
	while (file && fgets(line, sizeof(line), file)) {
		char address[64];
		long port;

		if (strncmp(line, "TCP ", 4) || sscanf(line, "TCP %63s", address) != 1)
			continue;
		colon = strrchr(address, ':');
		port = colon ? strtol(colon + 1, NULL, 16) : 0;
		if (port < 1 || port > 65535 || !porch_doctor_concerns(target, port, port))
			continue;
		n++;
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "IPVS balances port %ld (%s): its connections go to real servers", port, address);
		porch_advise(report, "attach on the real servers, or do not list the port");
	}
	if (file)
		fclose(file);
	if (!n)
		porch_find(report, PORCH_DOCTOR_OK, "IPVS has none of the ports");
}

static int count_policy(const struct nlmsghdr *message, void *arg)
{
	const struct xfrm_userpolicy_info *policy = NLMSG_DATA(message);

	if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(*policy)) && policy->dir == XFRM_POLICY_IN)
		(*(size_t *)arg)++;
	return 0;
}

static void check_xfrm(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct porch_nl_request request;
	size_t n = 0;
	int r;

	porch_nl_request(&request, XFRM_MSG_GETPOLICY, NLM_F_DUMP, sizeof(struct xfrm_userpolicy_id));
	r = porch_nl_ask(NETLINK_XFRM, &request, count_policy, &n);
	if (r && r != -EPROTONOSUPPORT) {
		porch_find(report, PORCH_DOCTOR_WARN, "IPsec policies cannot be listed: %s", strerror(-r));
		porch_advise(report, "run doctor as root");
	} else if (n) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "%zu incoming IPsec polic%s: SYNs that come in clear are answered although the "
			   "policy drops the rest",
			   n, n == 1 ? "y" : "ies");
		porch_advise(report, "do not list ports that are to be reached through IPsec only");
	} else {
		porch_find(report, PORCH_DOCTOR_OK, "no IPsec policy");
	}
}

const struct porch_doctor_check porch_doctor_diversion_checks[] = {
	{ "ipvs", check_ipvs },
	{ "xfrm", check_xfrm },
	{},
};
