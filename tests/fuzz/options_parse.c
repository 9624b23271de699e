// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/fuzz/options.h"
#include "tcp/internal.h"

int parse_frame(const void *frame, uint32_t length, uint32_t l3, uint32_t l4, uint32_t octets,
		struct parsed *ret)
{
	struct tcp_segment s;
	int r = tcp_parse(frame, length, l3, l4, octets, &s);

	if (r)
		return r;
	*ret = (struct parsed){
		.timestamps = s.options & TCP_HAS_TIMESTAMPS,
		.tsval = s.tsval,
		.tsecr = s.tsecr,
		.sack_blocks = s.sack_blocks,
		.length = s.length,
		.payload = s.payload,
	};
	return 0;
}
