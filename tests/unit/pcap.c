// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>

#include "cli/pcap.h"

static void put(struct pcap_stream *s, const void *data, size_t n)
{
	size_t room;
	void *at = pcap_room(s, &room);

	assert_true(n <= room);
	memcpy(at, data, n);
	s->to += n;
}

static void a_file_begins_as_libpcap_wants_it(void **state)
{
	static const __u8 want[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0,
				     0,	   0,	 0,    0,    0, 1, 0, 0, 1, 0, 0, 0 };
	struct pcap_file header;

	pcap_file_header(&header, 256);
	assert_int_equal(sizeof(header), sizeof(want));
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		assert_memory_equal(&header, want, sizeof(want));
}

/* However the pipe cuts the stream, the records are the same. */
static void records_come_out_as_they_went_in(void **state)
{
	static struct pcap_stream s;
	__u8 whole[8192], frame[600];
	uint64_t seed = 20250104;
	size_t n = 0, at = 0, i;
	unsigned int in = 0, out = 0;

	while (n + sizeof(frame) + sizeof(struct pcap_record) < sizeof(whole)) {
		struct pcap_record r = { .sec = in, .usec = in, .included = unit_random(&seed) % 600 };

		r.length = r.included + unit_random(&seed) % 100;
		memset(frame, in++, sizeof(frame));
		memcpy(whole + n, &r, sizeof(r));
		memcpy(whole + n + sizeof(r), frame, r.included);
		n += sizeof(r) + r.included;
	}
	while (at < n) {
		size_t piece = 1 + unit_random(&seed) % 700;
		struct pcap_record r;
		const __u8 *got;

		piece = piece < n - at ? piece : n - at;
		put(&s, whole + at, piece);
		at += piece;
		while (pcap_next(&s, &r, &got) == 1) {
			assert_int_equal(r.sec, out);
			for (i = 0; i < r.included; i++)
				assert_int_equal(got[i], out & 0xff);
			out++;
		}
	}
	assert_int_equal(out, in);
	assert_true(in > 10);
}

static void what_is_no_record_is_refused(void **state)
{
	static const struct pcap_record wrong[] = {
		{ .included = PCAP_FRAME_MAX + 1, .length = PCAP_FRAME_MAX + 1 },
		{ .included = 0xffffffff, .length = 0xffffffff },
		{ .included = 100, .length = 99 },
		{ .included = 10, .length = 65536 },
		{ .usec = 1000000, .included = 10, .length = 10 },
	};
	const __u8 *frame = (void *)1;
	struct pcap_record r = { 5, 5, 5, 5 }, before = r;
	static struct pcap_stream s;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		s.from = s.to = 0;
		put(&s, &wrong[i], sizeof(wrong[i]));
		assert_int_equal(pcap_next(&s, &r, &frame), -EPROTO);
		assert_memory_equal(&r, &before, sizeof(r));
		assert_ptr_equal(frame, (void *)1);
	}
}

static void the_longest_record_fits(void **state)
{
	static struct pcap_stream s;
	static __u8 frame[PCAP_FRAME_MAX];
	struct pcap_record r = { .included = PCAP_FRAME_MAX, .length = 65535 };
	const __u8 *got;
	int i;

	for (i = 0; i < 40; i++) {
		put(&s, &r, sizeof(r));
		assert_int_equal(pcap_next(&s, &r, &got), 0);
		put(&s, frame, sizeof(frame));
		assert_int_equal(pcap_next(&s, &r, &got), 1);
		assert_int_equal(r.included, PCAP_FRAME_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_begins_as_libpcap_wants_it),
		cmocka_unit_test(records_come_out_as_they_went_in),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(the_longest_record_fits),
	};

	return unit_run("pcap", tests);
}
