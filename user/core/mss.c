// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <bpf/bpf.h>

#include "core/netlink.h"
#include "core/err.h"
#include "core/mss.h"
#include "core/sysctl.h"
#include "core/tables.h"
#include "core/util.h"

#define V4_BITS 96 /* of ::ffff:0:0/96 */

/* net/ipv4/route.c: ipv4_default_advmss(); net/ipv6/route.c: ip6_default_advmss() */
#define MIN_ADVMSS_V4 256
#define MIN_ADVMSS_V6 1220

struct route {
	struct porch_prefix prefix;
	__u16 mss;
};

/* Default routes count for the interface they leave by, others for their prefix. */
struct routes {
	struct route *all;
	size_t n;
	struct {
		__u32 mtu, advmss, metric;
		bool found;
	} way_out[2][PORCH_IFACE_SLOTS]; /* [0]: IPv4; of known interfaces */
	struct porch_iface known[PORCH_IFACE_SLOTS];
	int family;
};

__u16 porch_mss(int family, __u32 mtu, __u32 advmss)
{
	__u32 headers = family == AF_INET ? 40 : 60, min = family == AF_INET ? MIN_ADVMSS_V4 : MIN_ADVMSS_V6;
	__u32 mss = advmss;

	if (!mss)
		mss = mtu < headers + min ? min : mtu - headers;
	return mss > 65535 - headers ? 65535 - headers : mss;
}

static int keep_route(struct routes *routes, const struct rtmsg *header, const struct rtattr *destination,
		      __u32 mtu, __u32 advmss)
{
	bool v4 = header->rtm_family == AF_INET;
	struct route *all, route = { .prefix.length = header->rtm_dst_len + (v4 ? V4_BITS : 0) };

	if (v4)
		route.prefix.address[10] = route.prefix.address[11] = 0xff;
	if (destination && RTA_PAYLOAD(destination) == (v4 ? 4 : 16))
		memcpy(route.prefix.address + (v4 ? 12 : 0), RTA_DATA(destination), v4 ? 4 : 16);
	route.mss = porch_mss(header->rtm_family, mtu, advmss);
	all = reallocarray(routes->all, routes->n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	routes->all = all;
	all[routes->n++] = route;
	return 0;
}

static int take_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *header = NLMSG_DATA(message);
	const struct rtattr *attrs[RTA_MAX + 1], *metrics[RTAX_MAX + 1];
	struct routes *routes = arg;
	__u32 mtu, advmss, ifindex, metric;
	int v6 = routes->family == AF_INET6;

	if (message->nlmsg_type != RTM_NEWROUTE || header->rtm_family != routes->family ||
	    header->rtm_type != RTN_UNICAST || (header->rtm_flags & RTM_F_CLONED))
		return 0;
	porch_nl_attrs(message, sizeof(*header), attrs, RTA_MAX);
	if (porch_nl_u32(attrs[RTA_TABLE], header->rtm_table) != RT_TABLE_MAIN)
		return 0;
	porch_nl_nested(attrs[RTA_METRICS], metrics, RTAX_MAX);
	mtu = porch_nl_u32(metrics[RTAX_MTU], 0);
	advmss = porch_nl_u32(metrics[RTAX_ADVMSS], 0);
	if (header->rtm_dst_len)
		return mtu || advmss ? keep_route(routes, header, attrs[RTA_DST], mtu, advmss) : 0;
	ifindex = porch_nl_u32(attrs[RTA_OIF], 0);
	metric = porch_nl_u32(attrs[RTA_PRIORITY], 0);
	if (ifindex && routes->known[ifindex % PORCH_IFACE_SLOTS].ifindex == ifindex) {
		typeof(routes->way_out[0][0]) *way = &routes->way_out[v6][ifindex % PORCH_IFACE_SLOTS];

		if (!way->found || metric < way->metric) {
			way->found = true;
			way->mtu = mtu;
			way->advmss = advmss;
			way->metric = metric;
		}
	}
	return 0;
}

static int list_routes(struct routes *routes, int family)
{
	struct porch_nl_request request;
	struct rtmsg *header = porch_nl_request(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof(*header));
	int r;

	header->rtm_family = routes->family = family;
	header->rtm_table = RT_TABLE_MAIN;
	r = porch_nl_ask(NETLINK_ROUTE, &request, take_route, routes);
	/* no such table yet, or no such family: no routes */
	return r == -ENOENT || r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

/* By ioctl: /sys/class/net shows the namespace in which it was mounted. */
static __u32 link_mtu(const char *ifname, bool v6)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};
	char path[128];
	long mtu;

	/* routers may have announced a smaller one for IPv6 */
	snprintf(path, sizeof(path), "ipv6/conf/%s/mtu", ifname);
	if (v6 && !porch_sysctl_get(path, 0, &mtu) && mtu > 0)
		return mtu;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	return fd < 0 || ioctl(fd, SIOCGIFMTU, &request) ? 0 : request.ifr_mtu;
}

static void refresh_interface(const struct porch_tables *tables, const struct routes *routes, __u32 slot)
{
	struct porch_iface iface = routes->known[slot];
	char ifname[IF_NAMESIZE];
	int v6;

	if (!if_indextoname(iface.ifindex, ifname))
		return;
	for (v6 = 0; v6 < 2; v6++) {
		__u32 mtu = link_mtu(ifname, v6), way_mtu = routes->way_out[v6][slot].mtu;

		*(v6 ? &iface.mss6 : &iface.mss4) = porch_mss(
			v6 ? AF_INET6 : AF_INET, way_mtu ? way_mtu : mtu, routes->way_out[v6][slot].advmss);
	}
	/* porchd writes the rest of the entry */
	tables->ifaces[slot].mss4 = iface.mss4;
	tables->ifaces[slot].mss6 = iface.mss6;
}

static bool wanted(const struct routes *routes, const struct porch_prefix *prefix)
{
	size_t i;

	for (i = 0; i < routes->n; i++) {
		if (!memcmp(&routes->all[i].prefix, prefix, sizeof(*prefix)))
			return true;
	}
	return false;
}

static int store_routes(const struct porch_tables *tables, const struct routes *routes)
{
	struct porch_prefix key, next;
	size_t i;
	int r;

	if (!routes->n)
		tables->host->flags &= ~PORCH_HOST_ROUTES;
	r = bpf_map_get_next_key(tables->routes_fd, NULL, &next);
	while (!r) {
		key = next;
		r = bpf_map_get_next_key(tables->routes_fd, &key, &next);
		if (!wanted(routes, &key))
			bpf_map_delete_elem(tables->routes_fd, &key);
	}
	for (i = 0; i < routes->n; i++) {
		struct porch_route value = { .mss = routes->all[i].mss };

		if (bpf_map_update_elem(tables->routes_fd, &routes->all[i].prefix, &value, BPF_ANY))
			return -errno;
	}
	if (routes->n)
		tables->host->flags |= PORCH_HOST_ROUTES;
	return 0;
}

int porch_mss_refresh(const struct porch_tables *tables, struct porch_err *err)
{
	_cleanup_free_ struct routes *routes = calloc(1, sizeof(*routes));
	__u32 slot;
	int r = 0;

	if (!routes)
		return porch_err_set(err, -ENOMEM, "out of memory");
	memcpy(routes->known, tables->ifaces, sizeof(routes->known));
	r = list_routes(routes, AF_INET);
	if (!r)
		r = list_routes(routes, AF_INET6);
	for (slot = 0; !r && slot < PORCH_IFACE_SLOTS; slot++) {
		if (routes->known[slot].ifindex)
			refresh_interface(tables, routes, slot);
	}
	if (!r)
		r = store_routes(tables, routes);
	free(routes->all);
	return r ? porch_err_set(err, r, "routes of this host: %s", strerror(-r)) : 0;
}

int porch_addrs_add_interface(const struct porch_tables *tables, int ifindex, struct porch_err *err)
{
	struct porch_iface *iface = &tables->ifaces[(__u32)ifindex % PORCH_IFACE_SLOTS];
	char ifname[IF_NAMESIZE];

	if (iface->ifindex && (int)iface->ifindex != ifindex && if_indextoname(iface->ifindex, ifname))
		return porch_err_set(err, -ENOSPC,
				     "%d: an interface whose number differs by a multiple of %d (%s) is "
				     "attached already; detach it first",
				     ifindex, PORCH_IFACE_SLOTS, ifname);
	if ((int)iface->ifindex != ifindex)
		*iface = (struct porch_iface){ .ifindex = ifindex };
	return porch_mss_refresh(tables, err);
}

void porch_addrs_del_interface(const struct porch_tables *tables, int ifindex)
{
	struct porch_iface *iface = &tables->ifaces[(__u32)ifindex % PORCH_IFACE_SLOTS];

	if ((int)iface->ifindex == ifindex)
		*iface = (struct porch_iface){};
}
