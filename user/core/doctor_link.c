// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/sockios.h>

#include "core/doctor_link.h"
#include "core/netlink.h"

/* <linux/netdev.h> came with 6.3; these numbers are its ABI. */
#define NETDEV_FAMILY		 "netdev"
#define NETDEV_COMMAND_DEV_GET	 1
#define NETDEV_ATTR_IFINDEX	 1
#define NETDEV_ATTR_XDP_FEATURES 3

#define FEATURES_MAX		 256 /* far above the 60-odd of today */

static void copy_text(char *to, size_t size, const struct rtattr *attr)
{
	size_t n = attr ? RTA_PAYLOAD(attr) : 0;

	if (n >= size)
		n = size - 1;
	if (n)
		memcpy(to, RTA_DATA(attr), n);
	to[n] = '\0';
}

static void parse_xdp(const struct rtattr *attr, struct porch_link *link)
{
	const struct rtattr *xdp[IFLA_XDP_MAX + 1];
	__u32 id;

	porch_nl_nested(attr, xdp, IFLA_XDP_MAX);
	if (xdp[IFLA_XDP_ATTACHED] && RTA_PAYLOAD(xdp[IFLA_XDP_ATTACHED]) >= 1)
		link->xdp_attached = *(const __u8 *)RTA_DATA(xdp[IFLA_XDP_ATTACHED]);
	id = porch_nl_u32(xdp[IFLA_XDP_PROG_ID], 0);
	link->xdp_driver_id = porch_nl_u32(xdp[IFLA_XDP_DRV_PROG_ID], 0);
	link->xdp_skb_id = porch_nl_u32(xdp[IFLA_XDP_SKB_PROG_ID], 0);
	link->xdp_hw_id = porch_nl_u32(xdp[IFLA_XDP_HW_PROG_ID], 0);
	if (link->xdp_attached == XDP_ATTACHED_DRV && !link->xdp_driver_id)
		link->xdp_driver_id = id;
	if (link->xdp_attached == XDP_ATTACHED_SKB && !link->xdp_skb_id)
		link->xdp_skb_id = id;
}

static bool parse_link(const struct nlmsghdr *message, int nsid, struct porch_link *ret)
{
	const struct rtattr *attr[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	const struct ifinfomsg *header = NLMSG_DATA(message);

	if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return false;
	porch_nl_attrs(message, sizeof(*header), attr, IFLA_MAX);
	memset(ret, 0, sizeof(*ret));
	ret->ifindex = header->ifi_index;
	ret->flags = header->ifi_flags;
	ret->type = header->ifi_type;
	ret->nsid = nsid;
	copy_text(ret->name, sizeof(ret->name), attr[IFLA_IFNAME]);
	porch_nl_nested(attr[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	copy_text(ret->kind, sizeof(ret->kind), info[IFLA_INFO_KIND]);
	copy_text(ret->slave_kind, sizeof(ret->slave_kind), info[IFLA_INFO_SLAVE_KIND]);
	ret->master = porch_nl_u32(attr[IFLA_MASTER], 0);
	ret->lower = porch_nl_u32(attr[IFLA_LINK], 0);
	ret->lower_nsid = porch_nl_u32(attr[IFLA_LINK_NETNSID], PORCH_NSID_HERE);
	ret->mtu = porch_nl_u32(attr[IFLA_MTU], 0);
	ret->tx_queues = porch_nl_u32(attr[IFLA_NUM_TX_QUEUES], 0);
	ret->rx_queues = porch_nl_u32(attr[IFLA_NUM_RX_QUEUES], 0);
	parse_xdp(attr[IFLA_XDP], ret);
	return true;
}

struct get {
	struct porch_link link;
	int nsid;
	bool found;
};

static int got_link(const struct nlmsghdr *message, void *arg)
{
	struct get *get = arg;

	if (parse_link(message, get->nsid, &get->link))
		get->found = true;
	return 0;
}

int porch_link_get(int ifindex, int nsid, struct porch_link *ret)
{
	struct porch_nl_request request;
	struct ifinfomsg *header;
	struct get get = { .nsid = nsid };
	int r;

	header = porch_nl_request(&request, RTM_GETLINK, 0, sizeof(*header));
	header->ifi_index = ifindex;
	if (nsid != PORCH_NSID_HERE)
		porch_nl_attr(&request, IFLA_TARGET_NETNSID, &nsid, sizeof(nsid));
	r = porch_nl_ask(NETLINK_ROUTE, &request, got_link, &get);
	if (r)
		return r;
	if (!get.found)
		return -ENODEV;
	*ret = get.link;
	return 0;
}

struct each {
	void (*fn)(const struct porch_link *link, void *arg);
	void *arg;
};

static int each_link(const struct nlmsghdr *message, void *arg)
{
	struct each *each = arg;
	struct porch_link link;

	if (parse_link(message, PORCH_NSID_HERE, &link))
		each->fn(&link, each->arg);
	return 0;
}

int porch_link_each(void (*fn)(const struct porch_link *link, void *arg), void *arg)
{
	struct each each = { fn, arg };
	struct porch_nl_request request;

	porch_nl_request(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	return porch_nl_ask(NETLINK_ROUTE, &request, each_link, &each);
}

/* ---- ethtool, by ioctl: every kernel has it ---- */

static int ethtool(const char *ifname, void *command)
{
	struct ifreq request = {};
	int fd, r = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
	request.ifr_data = command;
	if (ioctl(fd, SIOCETHTOOL, &request) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int feature_count(const char *ifname)
{
	struct {
		struct ethtool_sset_info info;
		__u32 count;
	} ask = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES } };
	int r;

	r = ethtool(ifname, &ask);
	if (r)
		return r;
	return ask.info.sset_mask && ask.count <= FEATURES_MAX ? (int)ask.count : -EOPNOTSUPP;
}

int porch_link_feature(const char *ifname, const char *feature)
{
	struct ethtool_gfeatures *state = NULL;
	struct ethtool_gstrings *names = NULL;
	int count = feature_count(ifname);
	__u32 blocks = (FEATURES_MAX + 31) / 32, i;
	int r;

	if (count < 0)
		return count;
	names = calloc(1, sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	state = calloc(1, sizeof(*state) + blocks * sizeof(state->features[0]));
	if (!names || !state) {
		r = -ENOMEM;
		goto out;
	}
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = count;
	r = ethtool(ifname, names);
	if (r)
		goto out;
	state->cmd = ETHTOOL_GFEATURES;
	state->size = blocks;
	r = ethtool(ifname, state);
	if (r)
		goto out;
	r = -ENOENT;
	for (i = 0; i < (__u32)count; i++) {
		if (strncmp((char *)names->data + i * ETH_GSTRING_LEN, feature, ETH_GSTRING_LEN))
			continue;
		r = !!(state->features[i / 32].active & (1u << (i % 32)));
		break;
	}
out:
	free(names);
	free(state);
	return r;
}

int porch_link_driver(const char *ifname, char *buf, size_t size)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int r;

	r = ethtool(ifname, &info);
	if (r)
		return r;
	info.driver[sizeof(info.driver) - 1] = '\0';
	strncpy(buf, info.driver, size - 1);
	buf[size - 1] = '\0';
	return 0;
}

int porch_link_channels(const char *ifname, struct porch_channels *ret)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	int r;

	r = ethtool(ifname, &channels);
	if (r)
		return r;
	ret->rx = channels.rx_count + channels.combined_count;
	ret->tx = channels.tx_count + channels.combined_count;
	ret->tx_max = channels.max_tx + channels.max_combined;
	return 0;
}

/* ---- the netdev family: what a driver can do with XDP ---- */

static int got_family(const struct nlmsghdr *message, void *arg)
{
	const struct rtattr *attr[CTRL_ATTR_MAX + 1];

	porch_nl_attrs(message, sizeof(struct genlmsghdr), attr, CTRL_ATTR_MAX);
	if (attr[CTRL_ATTR_FAMILY_ID] && RTA_PAYLOAD(attr[CTRL_ATTR_FAMILY_ID]) >= sizeof(__u16))
		memcpy(arg, RTA_DATA(attr[CTRL_ATTR_FAMILY_ID]), sizeof(__u16));
	return 0;
}

static int got_features(const struct nlmsghdr *message, void *arg)
{
	const struct rtattr *attr[NETDEV_ATTR_XDP_FEATURES + 1];

	porch_nl_attrs(message, sizeof(struct genlmsghdr), attr, NETDEV_ATTR_XDP_FEATURES);
	if (attr[NETDEV_ATTR_XDP_FEATURES] && RTA_PAYLOAD(attr[NETDEV_ATTR_XDP_FEATURES]) >= sizeof(__u64))
		memcpy(arg, RTA_DATA(attr[NETDEV_ATTR_XDP_FEATURES]), sizeof(__u64));
	return 0;
}

int porch_link_xdp_features(int ifindex, __u64 *ret)
{
	struct porch_nl_request request;
	struct genlmsghdr *header;
	__u64 features = ~0ULL;
	__u32 index = ifindex;
	__u16 family = 0;
	int r;

	header = porch_nl_request(&request, GENL_ID_CTRL, 0, sizeof(*header));
	header->cmd = CTRL_CMD_GETFAMILY;
	header->version = 1;
	porch_nl_attr(&request, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY, sizeof(NETDEV_FAMILY));
	r = porch_nl_ask(NETLINK_GENERIC, &request, got_family, &family);
	if (r == -ENOENT || (!r && !family))
		return -EOPNOTSUPP;
	if (r)
		return r;
	header = porch_nl_request(&request, family, 0, sizeof(*header));
	header->cmd = NETDEV_COMMAND_DEV_GET;
	header->version = 1;
	porch_nl_attr(&request, NETDEV_ATTR_IFINDEX, &index, sizeof(index));
	r = porch_nl_ask(NETLINK_GENERIC, &request, got_features, &features);
	if (r)
		return r;
	if (features == ~0ULL)
		return -EOPNOTSUPP;
	*ret = features;
	return 0;
}
