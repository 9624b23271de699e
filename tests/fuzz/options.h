/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tcp_parse() for a file that has bpf/ around it: names of the two worlds do not go together. */
#ifndef PORCH_TESTS_FUZZ_OPTIONS_H
#define PORCH_TESTS_FUZZ_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct parsed {
	bool timestamps;
	uint32_t tsval, tsecr, sack_blocks, length;
	const uint8_t *payload;
};

int parse_frame(const void *frame, uint32_t length, uint32_t l3, uint32_t l4, uint32_t octets,
		struct parsed *ret);

#endif /* PORCH_TESTS_FUZZ_OPTIONS_H */
