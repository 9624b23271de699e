// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>

#include "core/names.h"

static void words_and_numbers_match(void **state)
{
	unsigned int i;

	for (i = PORCH_PROTECT_OFF; i <= PORCH_PROTECT_ALWAYS; i++)
		assert_int_equal(porch_protect_parse(porch_protect_name(i)), i);
	for (i = PORCH_DELIVER_KERNEL; i <= PORCH_DELIVER_AFXDP; i++)
		assert_int_equal(porch_deliver_parse(porch_deliver_name(i)), i);
	for (i = PORCH_OVERFLOW_DROP; i <= PORCH_OVERFLOW_RESET; i++)
		assert_int_equal(porch_overflow_parse(porch_overflow_name(i)), i);
	assert_int_equal(porch_protect_parse("ALWAYS"), -EINVAL);
	assert_int_equal(porch_protect_parse(""), -EINVAL);
	assert_int_equal(porch_deliver_parse("unknown"), -EINVAL);
	assert_int_equal(porch_overflow_parse("dropp"), -EINVAL);
}

/* Scripts compare these: a word that changes breaks them. */
static void fixed_words(void **state)
{
	assert_string_equal(porch_protect_name(PORCH_PROTECT_ON_ATTACK), "on-attack");
	assert_string_equal(porch_protect_name(PORCH_PROTECT_ALWAYS), "always");
	assert_string_equal(porch_protect_name(PORCH_PROTECT_MONITOR), "monitor");
	assert_string_equal(porch_protect_name(PORCH_PROTECT_OFF), "off");
	assert_string_equal(porch_deliver_name(PORCH_DELIVER_KERNEL), "kernel");
	assert_string_equal(porch_deliver_name(PORCH_DELIVER_AFXDP), "afxdp");
	assert_string_equal(porch_regime_name(PORCH_REGIME_KERNEL), "kernel");
	assert_string_equal(porch_regime_name(PORCH_REGIME_TRACKED), "tracked");
	assert_string_equal(porch_regime_name(PORCH_REGIME_STATELESS), "stateless");
	assert_string_equal(porch_reason_name(PORCH_REASON_BAD_COOKIE), "bad_cookie");
	assert_string_equal(porch_flow_state_name(PORCH_FLOW_TOMBSTONE), "tombstone");
	assert_string_equal(porch_flow_state_name(PORCH_FLOW_HANDED), "handed");
	assert_string_equal(porch_phase_name(PORCH_PHASE_PENDING), "pending");
	assert_string_equal(porch_phase_name(PORCH_PHASE_STEERED), "steered");
	assert_string_equal(porch_phase_name(PORCH_PHASE_TIME_WAIT), "time_wait");
	assert_string_equal(porch_reason_name(PORCH_REASON_NO_DAEMON), "no_daemon");
	assert_string_equal(porch_reason_name(PORCH_REASON_GUARDED), "guarded");
}

static void every_number_has_a_word(void **state)
{
	unsigned int i;

	for (i = 1; i < PORCH_REASON_END; i++) {
		assert_string_not_equal(porch_reason_name(i), "unknown");
		assert_string_not_equal(porch_reason_text(i), "unknown");
	}
	for (i = PORCH_HEALTH_UNPROBED; i <= PORCH_HEALTH_REFUSED; i++) {
		assert_string_not_equal(porch_health_name(i), "unknown");
		assert_string_not_equal(porch_health_text(i), "unknown");
	}
	for (i = PORCH_FLOW_FREE; i <= PORCH_FLOW_HANDED; i++)
		assert_string_not_equal(porch_flow_state_name(i), "unknown");
	for (i = PORCH_PHASE_PENDING; i <= PORCH_PHASE_FORGOTTEN; i++)
		assert_string_not_equal(porch_phase_name(i), "unknown");
	assert_string_equal(porch_phase_name(PORCH_PHASE_FORGOTTEN + 1), "unknown");
	assert_string_equal(porch_reason_name(PORCH_REASON_END), "unknown");
	assert_string_equal(porch_reason_name(~0u), "unknown");
	assert_string_equal(porch_protect_name(255), "unknown");
	assert_string_equal(porch_health_name(255), "unknown");
}

static void counters_are_named_once(void **state)
{
	size_t i, j, refusals = 0;

	assert_int_equal(porch_n_counter_names, sizeof(struct porch_counters) / sizeof(__u64));
	for (i = 0; i < porch_n_counter_names; i++) {
		assert_true(porch_counter_names[i].offset < sizeof(struct porch_counters));
		assert_int_equal(porch_counter_names[i].offset % sizeof(__u64), 0);
		refusals += porch_counter_names[i].reason != 0;
		for (j = 0; j < i; j++) {
			assert_int_not_equal(porch_counter_names[i].offset, porch_counter_names[j].offset);
			if (!porch_counter_names[i].reason == !porch_counter_names[j].reason)
				assert_string_not_equal(porch_counter_names[i].name,
							porch_counter_names[j].name);
		}
	}
	assert_int_equal(refusals, PORCH_REASON_END - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_numbers_match),
		cmocka_unit_test(fixed_words),
		cmocka_unit_test(every_number_has_a_word),
		cmocka_unit_test(counters_are_named_once),
	};

	return unit_run("names", tests);
}
