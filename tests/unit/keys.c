// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>
#include <unistd.h>

#include "core/err.h"
#include "core/keys.h"

static const __u8 counting[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void keys_are_read_in_hex_or_raw(void **state)
{
	static const char *const same[] = {
		"000102030405060708090a0b0c0d0e0f",
		"000102030405060708090A0B0C0D0E0F",
		"000102030405060708090a0b0c0d0e0f\n",
		"000102030405060708090a0b0c0d0e0f\r\n",
	};
	__u8 key[16];
	struct porch_err err;
	size_t i;

	for (i = 0; i < 4; i++) {
		memset(key, 0x5a, sizeof(key));
		assert_int_equal(porch_key_parse(same[i], strlen(same[i]), key, &err), 0);
		assert_memory_equal(key, counting, sizeof(key));
	}
	memset(key, 0x5a, sizeof(key));
	assert_int_equal(porch_key_parse(counting, 16, key, &err), 0);
	assert_memory_equal(key, counting, sizeof(key));
}

static void other_lengths_are_no_keys(void **state)
{
	static const char *const wrong[] = {
		"",
		"00",
		"000102030405060708090a0b0c0d0e0",
		"000102030405060708090a0b0c0d0e0f0",
		"000102030405060708090a0b0c0d0e0f\n\n",
		"000102030405060708090a0b0c0d0e0g",
		"0x0102030405060708090a0b0c0d0e0f",
		" 00102030405060708090a0b0c0d0e0f",
	};
	__u8 key[16];
	struct porch_err err;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(key, 0x5a, sizeof(key));
		assert_int_equal(porch_key_parse(wrong[i], strlen(wrong[i]), key, &err), -EINVAL);
		assert_int_equal(key[0], 0x5a);
		/* what was read is a secret, even when it is no key */
		assert_null(strstr(err.text, "0102"));
	}
}

static void files_are_read_whole(void **state)
{
	char path[] = "/tmp/porch-unit-keys-XXXXXX";
	__u8 key[16];
	struct porch_err err;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, counting, 16), 16);
	assert_int_equal(porch_key_read(path, key, &err), 0);
	assert_memory_equal(key, counting, 16);
	assert_int_equal(write(fd, counting, 16), 16);
	assert_int_equal(write(fd, counting, 16), 16);
	assert_int_equal(porch_key_read(path, key, &err), -EINVAL);
	assert_non_null(strstr(err.text, path));
	close(fd);
	unlink(path);
	assert_int_equal(porch_key_read(path, key, &err), -ENOENT);
}

static void ids_tell_keys_apart(void **state)
{
	__u8 other[16];

	memcpy(other, counting, 16);
	other[15] ^= 1;
	assert_int_equal(porch_key_id(counting), porch_key_id(counting));
	assert_int_not_equal(porch_key_id(counting), porch_key_id(other));
	assert_int_not_equal(porch_key_id(counting), 0);
}

static void a_new_key_waits_for_its_epoch(void **state)
{
	struct porch_master masters[PORCH_MASTERS] = {};
	__u8 key[16] = {};
	__u32 first, second;

	key[0] = 1;
	first = porch_key_id(key);
	porch_masters_push(masters, key, 100);
	assert_int_equal(masters[0].id, first);
	assert_int_equal(masters[0].from_epoch, 100);
	key[0] = 2;
	second = porch_key_id(key);
	porch_masters_push(masters, key, 200);
	assert_int_equal(masters[0].id, second);
	assert_int_equal(masters[1].id, first);
	assert_int_equal(masters[1].from_epoch, 100);
	/* a third, before the second made any cookie, leaves the first where it is */
	key[0] = 3;
	porch_masters_push(masters, key, 200);
	assert_int_equal(masters[0].id, porch_key_id(key));
	assert_int_equal(masters[1].id, first);
	/* and the oldest goes when there is no room */
	key[0] = 4;
	porch_masters_push(masters, key, 300);
	key[0] = 5;
	porch_masters_push(masters, key, 400);
	assert_int_equal(masters[0].from_epoch, 400);
	assert_int_equal(masters[1].from_epoch, 300);
	assert_int_equal(masters[2].from_epoch, 200);
}

static void halves_are_little_endian(void **state)
{
	struct porch_master masters[PORCH_MASTERS] = {};

	porch_masters_push(masters, counting, 1);
	assert_true(masters[0].key.k[0] == 0x0706050403020100ull);
	assert_true(masters[0].key.k[1] == 0x0f0e0d0c0b0a0908ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_read_in_hex_or_raw),	 cmocka_unit_test(other_lengths_are_no_keys),
		cmocka_unit_test(files_are_read_whole),		 cmocka_unit_test(ids_tell_keys_apart),
		cmocka_unit_test(a_new_key_waits_for_its_epoch), cmocka_unit_test(halves_are_little_endian),
	};

	return unit_run("keys", tests);
}
