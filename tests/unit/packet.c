// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include "cli/packet.h"

/* clang-format off */
/* From 10.0.0.2:40000 to 10.0.0.1:80, [P.], seq 1, ack 2, win 512, timestamps, five octets. */
static const __u8 data4[] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00,
	0x45, 0, 0, 57, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1,
	0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0x18, 2, 0, 0, 0, 0, 0,
	1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9,
	'h', 'e', 'l', 'l', 'o',
};

/* A SYN with a tag, from [fd00::2]:40000 to [fd00::1]:443, with a header of options in between. */
static const __u8 syn6[] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0x00, 0xe0, 5, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 40, 0, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	6, 0, 1, 4, 0, 0, 0, 0,
	0x9c, 0x40, 1, 0xbb, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x80, 2, 0xff, 0xff, 0, 0, 0, 0,
	2, 4, 5, 0xa0, 3, 3, 7, 4, 2, 0, 0, 0,
};
/* clang-format on */

static const char *text_of(const __u8 *frame, size_t length, size_t wire, char buf[PACKET_TEXT])
{
	json_t *packet = packet_describe(frame, length, wire);

	assert_non_null(packet);
	packet_text(packet, buf);
	json_decref(packet);
	return buf;
}

static void a_segment_is_one_line(void **state)
{
	char text[PACKET_TEXT];

	assert_string_equal(text_of(data4, sizeof(data4), sizeof(data4), text),
			    "10.0.0.2:40000 > 10.0.0.1:80: Flags [P.], seq 1:6, ack 2, win 512, "
			    "TS val 7 ecr 9, length 5");
	assert_string_equal(text_of(syn6, sizeof(syn6), sizeof(syn6), text),
			    "vlan 5, [fd00::2]:40000 > [fd00::1]:443: Flags [S], seq 4294967295, win 65535, "
			    "mss 1440, wscale 7, length 0");
}

static void a_line_is_an_object_too(void **state)
{
	json_t *packet = packet_describe(data4, sizeof(data4), 999);

	assert_int_equal(json_integer_value(json_object_get(packet, "length")), 999);
	assert_int_equal(json_integer_value(json_object_get(packet, "payload")), 5);
	assert_string_equal(json_string_value(json_object_get(packet, "protocol")), "tcp");
	assert_string_equal(json_string_value(json_object_get(packet, "source")), "10.0.0.2:40000");
	assert_true(json_is_integer(json_object_get(packet, "ts_ecr")));
	json_decref(packet);
}

static void cut_frames_say_what_they_still_hold(void **state)
{
	char text[PACKET_TEXT];
	size_t n;

	/* the header is whole, its options are not */
	assert_string_equal(text_of(data4, 60, sizeof(data4), text),
			    "10.0.0.2:40000 > 10.0.0.1:80: Flags [P.], seq 1:6, ack 2, win 512, length 5");
	assert_string_equal(text_of(data4, 40, sizeof(data4), text), "tcp, length 71");
	assert_string_equal(text_of(data4, 3, 71, text), "a piece of a frame, length 71");
	/* each length on memory that ends there, so that a sanitizer sees one octet too many */
	for (n = 0; n <= sizeof(syn6); n++) {
		__u8 *copy = malloc(n + !n);

		memcpy(copy, syn6, n);
		text_of(copy, n, sizeof(syn6), text);
		assert_true(*text);
		free(copy);
	}
}

static void what_is_no_tcp_has_a_name(void **state)
{
	__u8 frame[sizeof(data4)];
	char text[PACKET_TEXT];

	memcpy(frame, data4, sizeof(frame));
	frame[23] = 1;
	frame[34] = 3;
	frame[35] = 4;
	assert_string_equal(text_of(frame, sizeof(frame), 71, text), "icmp type 3 code 4, length 71");
	frame[23] = 17;
	assert_string_equal(text_of(frame, sizeof(frame), 71, text), "ip protocol 17, length 71");
	frame[21] = 1;
	assert_string_equal(text_of(frame, sizeof(frame), 71, text), "ip fragment, length 71");
	frame[12] = frame[13] = 0x99;
	assert_string_equal(text_of(frame, sizeof(frame), 71, text), "ethertype 0x9999, length 71");
}

/* Whatever the octets: a line, and nothing read behind the end. */
static void any_octets_are_survived(void **state)
{
	char text[PACKET_TEXT];
	uint64_t seed = 20250103;
	int i, j;

	for (i = 0; i < 50000; i++) {
		const __u8 *base = i & 1 ? data4 : syn6;
		size_t size = i & 1 ? sizeof(data4) : sizeof(syn6), n = 1 + unit_random(&seed) % size;
		__u8 *frame = malloc(n);

		memcpy(frame, base, n);
		for (j = unit_random(&seed) % 6; j; j--)
			frame[unit_random(&seed) % n] = unit_random(&seed);
		text_of(frame, n, n, text);
		assert_in_range(strlen(text), 1, PACKET_TEXT - 1);
		free(frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_is_one_line),
		cmocka_unit_test(a_line_is_an_object_too),
		cmocka_unit_test(cut_frames_say_what_they_still_hold),
		cmocka_unit_test(what_is_no_tcp_has_a_name),
		cmocka_unit_test(any_octets_are_survived),
	};

	return unit_run("packet", tests);
}
