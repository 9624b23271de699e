/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is this address and port ours, and what does its listener want? */
#ifndef PORCH_BPF_LISTENERS_H
#define PORCH_BPF_LISTENERS_H

INLINE struct porch_host *host_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&porch_host, &zero);
}

INLINE struct porch_listener_entry *listener_at(__u32 index)
{
	return bpf_map_lookup_elem(&porch_listeners, &index);
}

/* 1: d is an address of this host. */
INLINE int address_is_local(const __u64 d[2])
{
	__u32 zero = 0;
	struct porch_addrs *a = bpf_map_lookup_elem(&porch_addrs, &zero);
	const __u64 *slot;

	if (!a)
		return 0;
	slot = (void *)&a->slot[porch_addr_slot(a->multiplier, d[0], d[1]) & (PORCH_ADDR_SLOTS - 1)];
	return slot[0] == d[0] && slot[1] == d[1] && (d[0] | d[1]);
}

INLINE int listener_has_address(const struct porch_listener_entry *l, const __u64 d[2])
{
	const __u64 *a = (const void *)l->address;

	return l->any_address ? address_is_local(d) : (a[0] == d[0] && a[1] == d[1]);
}

INLINE __u32 port_listener(__u16 port)
{
	__u32 zero = 0, index = port;
	struct porch_ports *p = bpf_map_lookup_elem(&porch_ports, &zero);

	BOUND(index, 0xffff);
	return p ? p->listener[index] : 0;
}

/* Index of the listener of d:port, 0: none. An exact address comes before `*`
 * because porch links it in front. */
INLINE __u32 listener_find(const __u64 d[2], __u16 port, struct porch_listener_entry **ret)
{
	__u32 index = port_listener(port);

	if (likely(!index))
		return 0;
	for (int i = 0; i < PORCH_CHAIN_MAX; i++) {
		struct porch_listener_entry *l = listener_at(index);

		if (!l)
			return 0;
		if (likely(l->used && listener_has_address(l, d))) {
			*ret = l;
			return index;
		}
		index = l->next;
		if (!index)
			return 0;
	}
	return 0;
}

/* Was anything issued by this listener within the last `seconds`? 0 is "never". */
INLINE int issued_within(__u32 stamp, __u32 tick, __u32 seconds)
{
	return stamp && tick - stamp <= seconds * PORCH_TICKS_PER_SEC;
}

INLINE int listener_expects_proofs(const struct porch_listener_entry *l, const struct porch_host *h)
{
	return issued_within(l->issued_ts, h->tick, PORCH_FORM_SECONDS) ||
	       issued_within(l->issued_plain, h->tick, PORCH_FORM_SECONDS) ||
	       issued_within(l->issued_tracked, h->tick, h->half_open_seconds);
}

/* The regime in force: what the switch says, where protect leaves a choice. */
INLINE __u8 regime_of(const struct porch_listener_entry *l)
{
	if (l->protect == PORCH_PROTECT_OFF)
		return PORCH_REGIME_KERNEL;
	if (l->protect == PORCH_PROTECT_ALWAYS && l->regime == PORCH_REGIME_KERNEL)
		return PORCH_REGIME_TRACKED;
	return l->regime;
}

/* The window scale that its SYN-ACKs announce. */
INLINE __u8 our_wscale(const struct porch_listener_entry *l, const struct porch_host *h)
{
	if (unlikely(l->deliver == PORCH_DELIVER_AFXDP))
		return PORCH_AFXDP_WSCALE;
	return l->rcv_space ? l->rcv_wscale : h->rcv_wscale;
}

#endif /* PORCH_BPF_LISTENERS_H */
