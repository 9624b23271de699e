/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmocka, with the summary line that every runner here ends with. */
#ifndef PORCH_TESTS_UNIT_H
#define PORCH_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define unit_run(name, tests) unit_run_n(name, tests, sizeof(tests) / sizeof((tests)[0]))

static inline int unit_run_n(const char *name, const struct CMUnitTest *tests, size_t n)
{
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
	if (failed < 0)
		failed = n;
	printf("%zu passed, %d failed\n", n - failed, failed);
	return failed ? 1 : 0;
}

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t unit_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

#endif /* PORCH_TESTS_UNIT_H */
