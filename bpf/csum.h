/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksum (RFC 1071) over 32-bit loads summed into 64 bits. Always
 * from scratch: the sum in a received segment may be partial (veth, tx offload).
 */
#ifndef PORCH_BPF_CSUM_H
#define PORCH_BPF_CSUM_H

INLINE __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* Written out: clang does not unroll a loop whose bound it learns by inlining. */
INLINE __u64 csum_4(const __u32 *w)
{
	return (__u64)w[0] + w[1] + w[2] + w[3];
}

INLINE __u64 csum_5(const __u32 *w)
{
	return csum_4(w) + w[4];
}

/* Pseudo header, RFC 9293 3.1; `length`: TCP header and data. */
INLINE __u64 csum_pseudo(const struct segment *seg, __u32 length)
{
	__u64 sum = CONST_HTONL(IPPROTO_TCP) + (__u64)htonl(length);

	if (seg->v6)
		sum += (seg->s[0] & 0xffffffff) + (seg->s[0] >> 32) + (seg->s[1] & 0xffffffff) +
		       (seg->s[1] >> 32) + (seg->d[0] & 0xffffffff) + (seg->d[0] >> 32) +
		       (seg->d[1] & 0xffffffff) + (seg->d[1] >> 32);
	else
		sum += (seg->s[1] >> 32) + (seg->d[1] >> 32);
	return sum;
}

#endif /* PORCH_BPF_CSUM_H */
