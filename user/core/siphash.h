/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SipHash-2-4 (Aumasson, Bernstein 2012), to derive key ids; the packet path has its own in bpf/. */
#ifndef PORCH_CORE_SIPHASH_H
#define PORCH_CORE_SIPHASH_H

#include <stddef.h>
#include <linux/types.h>

__u64 porch_siphash24(const __u8 key[16], const void *data, size_t size);

#endif /* PORCH_CORE_SIPHASH_H */
