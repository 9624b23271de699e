// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include <linux/genetlink.h>

#include "core/netlink.h"
#include "daemon/log.h"
#include "daemon/tx_checksum.h"

/* linux/netdev.h, which older headers do not have. */
#define NETDEV_DEV_GET	    1
#define NETDEV_IFINDEX	    1
#define NETDEV_XSK_FEATURES 6

static int take_family(const struct nlmsghdr *message, void *arg)
{
	const struct rtattr *attr[CTRL_ATTR_MAX + 1];
	uint16_t *family = arg;

	porch_nl_attrs(message, sizeof(struct genlmsghdr), attr, CTRL_ATTR_MAX);
	if (attr[CTRL_ATTR_FAMILY_ID] && RTA_PAYLOAD(attr[CTRL_ATTR_FAMILY_ID]) >= sizeof(*family))
		memcpy(family, RTA_DATA(attr[CTRL_ATTR_FAMILY_ID]), sizeof(*family));
	return 0;
}

static int take_features(const struct nlmsghdr *message, void *arg)
{
	const struct rtattr *attr[NETDEV_XSK_FEATURES + 1], *a;
	uint64_t *features = arg;

	porch_nl_attrs(message, sizeof(struct genlmsghdr), attr, NETDEV_XSK_FEATURES);
	a = attr[NETDEV_XSK_FEATURES];
	if (a && RTA_PAYLOAD(a) >= sizeof(*features))
		memcpy(features, RTA_DATA(a), sizeof(*features));
	return 0;
}

static int family_of(const char *name, uint16_t *ret)
{
	struct porch_nl_request request = {};
	struct genlmsghdr *g = porch_nl_request(&request, GENL_ID_CTRL, 0, sizeof(*g));
	uint16_t family = 0;
	int r;

	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 1;
	porch_nl_attr(&request, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	r = porch_nl_ask(NETLINK_GENERIC, &request, take_family, &family);
	if (r || !family)
		return r && r != -ENOENT ? r : -EOPNOTSUPP;
	*ret = family;
	return 0;
}

int tx_checksum_features(uint32_t ifindex, uint64_t *ret)
{
	struct porch_nl_request request = {};
	struct genlmsghdr *g;
	uint64_t features = 0;
	uint16_t family;
	int r = family_of("netdev", &family);

	if (r)
		return r;
	g = porch_nl_request(&request, family, 0, sizeof(*g));
	g->cmd = NETDEV_DEV_GET;
	g->version = 1;
	porch_nl_attr(&request, NETDEV_IFINDEX, &ifindex, sizeof(ifindex));
	r = porch_nl_ask(NETLINK_GENERIC, &request, take_features, &features);
	if (r)
		return r;
	*ret = features;
	return 0;
}

uint32_t tx_checksum_decide(uint8_t asked, bool zero_copy, bool can)
{
	if (asked == PORCH_TX_CHECKSUM_NO || (zero_copy && !can))
		return 0;
	return zero_copy || asked == PORCH_TX_CHECKSUM_YES ? PORCH_TX_METADATA : 0;
}

uint32_t tx_checksum_wanted(const struct daemon *d, const struct area *a)
{
	uint8_t asked = d->config.tx_checksum;
	bool zero_copy = d->config.zero_copy, can = false;
	uint64_t features;

	if (zero_copy && asked != PORCH_TX_CHECKSUM_NO)
		can = !tx_checksum_features(a->group->ifindex, &features) && features & TX_CHECKSUM_FEATURE;
	if (zero_copy && asked == PORCH_TX_CHECKSUM_YES && !can)
		log_limited(
			d->now, LOG_WARNING,
			"%s: tx-checksum = yes, and its driver makes no sums in zero-copy mode: workers do",
			a->group->name);
	return tx_checksum_decide(asked, zero_copy, can);
}
