/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel says about a network interface: rtnetlink, ethtool, netdev. */
#ifndef PORCH_CORE_DOCTOR_LINK_H
#define PORCH_CORE_DOCTOR_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <linux/types.h>

#define PORCH_NSID_HERE (-1)

struct porch_link {
	char name[IFNAMSIZ];
	int ifindex;
	int nsid;	     /* where it was looked up: PORCH_NSID_HERE or an id of this namespace */
	char kind[16];	     /* "veth", "bond", ...; empty: hardware */
	char slave_kind[16]; /* what its master makes of it; empty: no master */
	int master;	     /* ifindex, 0: none */
	int lower;	     /* IFLA_LINK: lower device, or peer of a veth; 0: none */
	int lower_nsid;	     /* namespace of `lower` */
	__u32 mtu;
	__u32 flags;				    /* IFF_* */
	__u16 type;				    /* ARPHRD_* */
	__u32 tx_queues, rx_queues;		    /* allocated, not necessarily in use */
	__u8 xdp_attached;			    /* XDP_ATTACHED_* */
	__u32 xdp_driver_id, xdp_skb_id, xdp_hw_id; /* program ids, 0: none */
};

/* 0, -ENODEV, or another -errno. `nsid` other than PORCH_NSID_HERE asks another namespace. */
int porch_link_get(int ifindex, int nsid, struct porch_link *ret);
/* Calls `fn` for each interface of this namespace. */
int porch_link_each(void (*fn)(const struct porch_link *link, void *arg), void *arg);

/* A feature of ethtool -k by its kernel name ("rx-lro"): 1, 0, or -errno (-ENOENT: unknown here). */
int porch_link_feature(const char *ifname, const char *feature);
/* Driver's name into `buf`; 0 or -errno. */
int porch_link_driver(const char *ifname, char *buf, size_t size);

struct porch_channels {
	__u32 rx, tx; /* queues in use */
	__u32 tx_max;
};

int porch_link_channels(const char *ifname, struct porch_channels *ret);

/* NETDEV_XDP_ACT_* bits: 0, or -EOPNOTSUPP where the kernel cannot tell (before 6.3). */
#define PORCH_XDP_FEATURE_BASIC 0x01
#define PORCH_XDP_FEATURE_ZEROCOPY 0x08
#define PORCH_XDP_FEATURE_RX_SG 0x20
int porch_link_xdp_features(int ifindex, __u64 *ret);

#endif /* PORCH_CORE_DOCTOR_LINK_H */
