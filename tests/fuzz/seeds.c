// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * seeds TARGET DIRECTORY [COUNT]: first inputs for a corpus, the same every time.
 * Octets are drawn so that the records of the target are met as often as one
 * another; what is worth keeping, `TARGET -merge=1` says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static uint64_t seed = 20261121;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(unit_random(&seed) >> 33) % n;
}

/* Mostly small numbers and single bits, as in what programs write. */
static uint8_t octet(void)
{
	switch (below(4)) {
	case 0:
		return (uint8_t)below(16);
	case 1:
		return (uint8_t)(1 << below(8));
	case 2:
		return (uint8_t)(below(8) << 4);
	default:
		return (uint8_t)below(256);
	}
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 3 ? (uint32_t)atoi(argv[3]) : 2000, i, n;
	char path[4096];
	FILE *file;

	if (argc < 3) {
		fprintf(stderr, "seeds TARGET DIRECTORY [COUNT]\n");
		return 2;
	}
	for (n = 0; argv[1][n]; n++)
		seed = seed * 31 + (uint8_t)argv[1][n];
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/seed-%04u", argv[2], i);
		file = fopen(path, "w");
		if (!file) {
			perror(path);
			return 1;
		}
		for (n = 4 + below(120); n > 0; n--)
			fputc(octet(), file);
		fclose(file);
	}
	return 0;
}
