// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_addr.h>

#include "core/addrs.h"
#include "core/netlink.h"
#include "core/err.h"
#include "core/mss.h"
#include "core/tables.h"
#include "core/util.h"

/* 65536 tries find a place for about 130 addresses; see the birthday problem. */
#define TRIES 65536

struct addresses {
	__u8 (*all)[16];
	size_t n;
};

static __u32 slot_of(__u64 multiplier, const __u8 address[16])
{
	__u64 half[2];

	memcpy(half, address, sizeof(half));
	return porch_addr_slot(multiplier, half[0], half[1]);
}

static __u64 next_multiplier(__u64 *state)
{
	/* splitmix64: any sequence without regularity does */
	__u64 z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (z ^ (z >> 31)) | 1;
}

static bool all_apart(const __u8 (*addresses)[16], size_t n, __u64 multiplier)
{
	__u64 taken[PORCH_ADDR_SLOTS / 64] = {};
	size_t i;

	for (i = 0; i < n; i++) {
		__u32 slot = slot_of(multiplier, addresses[i]);

		if (taken[slot / 64] & (1ull << slot % 64))
			return false;
		taken[slot / 64] |= 1ull << slot % 64;
	}
	return true;
}

int porch_addrs_multiplier(const __u8 (*addresses)[16], size_t n, __u64 first, __u64 *ret)
{
	__u64 state = first, multiplier = first | 1;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (all_apart(addresses, n, multiplier)) {
			*ret = multiplier;
			return 0;
		}
		multiplier = next_multiplier(&state);
	}
	return -ENOSPC;
}

static bool is_loopback(const __u8 address[16])
{
	static const __u8 v4[13] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 };
	static const __u8 v6[16] = { [15] = 1 };

	return !memcmp(address, v4, sizeof(v4)) || !memcmp(address, v6, sizeof(v6));
}

static int take_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *header = NLMSG_DATA(message);
	const struct rtattr *attrs[IFA_MAX + 1], *which;
	struct addresses *list = arg;
	__u8 address[16] = { [10] = 0xff, [11] = 0xff }, (*all)[16];
	size_t size = header->ifa_family == AF_INET ? 4 : 16, i;
	__u32 flags;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
		return 0;
	porch_nl_attrs(message, sizeof(*header), attrs, IFA_MAX);
	/* IFA_ADDRESS is the peer's on a point-to-point link */
	which = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!which || RTA_PAYLOAD(which) != size)
		return 0;
	flags = porch_nl_u32(attrs[IFA_FLAGS], header->ifa_flags);
	if ((flags & IFA_F_DADFAILED) || ((flags & IFA_F_TENTATIVE) && !(flags & IFA_F_OPTIMISTIC)))
		return 0;
	memcpy(address + 16 - size, RTA_DATA(which), size);
	if (is_loopback(address))
		return 0;
	for (i = 0; i < list->n; i++) {
		/* link-local addresses may stand on several interfaces */
		if (!memcmp(list->all[i], address, 16))
			return 0;
	}
	all = reallocarray(list->all, list->n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	list->all = all;
	memcpy(all[list->n++], address, 16);
	return 0;
}

static int list_addresses(struct addresses *list)
{
	struct porch_nl_request request;
	struct ifaddrmsg *header = porch_nl_request(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(*header));

	header->ifa_family = AF_UNSPEC;
	return porch_nl_ask(NETLINK_ROUTE, &request, take_address, list);
}

/*
 * BPF reads while this writes. An address that stays keeps its slot unless the
 * multiplier must change; for a moment, then, SYNs go to the kernel.
 */
static void store(struct porch_addrs *map, const struct addresses *list, __u64 multiplier)
{
	_cleanup_free_ struct porch_addr *next = calloc(PORCH_ADDR_SLOTS, sizeof(*next));
	size_t i;

	if (!next)
		return;
	for (i = 0; i < list->n; i++)
		memcpy(next[slot_of(multiplier, list->all[i])].address, list->all[i], 16);
	if (map->multiplier != multiplier)
		__atomic_store_n(&map->multiplier, multiplier, __ATOMIC_RELEASE);
	for (i = 0; i < PORCH_ADDR_SLOTS; i++) {
		if (memcmp(&map->slot[i], &next[i], sizeof(next[i])))
			map->slot[i] = next[i];
	}
}

int porch_addrs_refresh(const struct porch_tables *tables, struct porch_err *err)
{
	struct addresses list = {};
	__u64 multiplier = tables->addrs->multiplier | 1;
	int r;

	r = list_addresses(&list);
	if (r) {
		free(list.all);
		return porch_err_set(err, r, "addresses of this host: rtnetlink: %s", strerror(-r));
	}
	/* When they are too many, those that share a slot lose it to the last: the kernel answers for them.
	 */
	(void)porch_addrs_multiplier((const __u8(*)[16])list.all, list.n, multiplier, &multiplier);
	store(tables->addrs, &list, multiplier);
	free(list.all);
	return porch_mss_refresh(tables, err);
}
