// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* user/daemon/synack.c: octet by octet what bpf/reply.h writes, and right by its own checksums. */
#include "tests/unit/unit.h"

#include "tests/unit/bpf_native.h"
#include "bpf/options.h"

#include "daemon/daemon.h"
#include "daemon/synack.h"

#define ALL (PORCH_OPT_TIMESTAMPS | PORCH_OPT_SACK | PORCH_OPT_WSCALE)

static struct synack usual(bool v6)
{
	struct synack s = {
		.remote_port = 40000,
		.local_port = 80,
		.irs = 0x01020304,
		.iss = 0xa1a2a3a4,
		.tsval = 0x11223344,
		.ts_recent = 0x55667788,
		.mss = 1460,
		.window = 65160,
		.options = ALL,
		.wscale = 7,
		.ttl = 64,
		.remote_mac = { 2, 0, 0, 0, 0, 2 },
		.local_mac = { 2, 0, 0, 0, 0, 1 },
		.tags = { 0xffff, 0xffff },
	};
	static const uint8_t r6[16] = { 0xfd, [15] = 2 }, l6[16] = { 0xfd, [15] = 1 };
	static const uint8_t r4[16] = { [10] = 0xff, 0xff, 10, 0, 0, 2 },
			     l4[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };

	memcpy(s.remote, v6 ? r6 : r4, 16);
	memcpy(s.local, v6 ? l6 : l4, 16);
	return s;
}

/* RFC 1071 in another way: 32 bits at a time, in memory order. */
static uint16_t folded(const uint8_t *p, uint32_t n, uint64_t sum)
{
	uint8_t padded[128] = {};
	uint32_t w, i;

	memcpy(padded, p, n);
	for (i = 0; i < n; i += 4) {
		memcpy(&w, padded + i, 4);
		sum += w;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_sums(const uint8_t *ip, uint32_t length, bool v6)
{
	uint32_t header = v6 ? 40 : 20, tcp = length - header;
	uint64_t pseudo = htons(6) + (uint64_t)htons(tcp);

	if (!v6)
		assert_int_equal(folded(ip, 20, 0), 0xffff);
	pseudo += folded(ip + (v6 ? 8 : 12), v6 ? 32 : 8, 0);
	assert_int_equal(folded(ip + header, tcp, pseudo), 0xffff);
}

static void octets(const char *hex, const uint8_t *frame, uint32_t n)
{
	char got[4 * SYNACK_FRAME_MAX + 1] = "";
	uint32_t i;

	for (i = 0; i < n; i++)
		sprintf(got + 2 * i, "%02x", frame[i]);
	assert_string_equal(got, hex);
}

static void ipv4(void **state)
{
	uint8_t frame[SYNACK_FRAME_MAX];
	struct synack s = usual(false);
	uint32_t n = synack_build(&s, frame);

	assert_int_equal(n, 14 + 20 + 40);
	check_sums(frame + 14, n - 14, false);
	frame[14 + 10] = frame[14 + 11] = frame[34 + 16] = frame[34 + 17] = 0; /* checked above */
	octets("020000000002"
	       "020000000001"
	       "0800"
	       "4500003c"
	       "00004000"
	       "40060000"
	       "0a000001"
	       "0a000002"
	       "00509c40"
	       "a1a2a3a4"
	       "01020305"
	       "a012fe88"
	       "00000000"
	       "020405b4"
	       "0402080a"
	       "11223344"
	       "55667788"
	       "01030307",
	       frame, n);
}

static void ipv6(void **state)
{
	uint8_t frame[SYNACK_FRAME_MAX];
	struct synack s = usual(true);
	uint32_t n = synack_build(&s, frame);

	assert_int_equal(n, 14 + 40 + 40);
	check_sums(frame + 14, n - 14, true);
	frame[54 + 16] = frame[54 + 17] = 0;
	octets("020000000002"
	       "020000000001"
	       "86dd"
	       "60000000"
	       "00280640"
	       "fd000000000000000000000000000001"
	       "fd000000000000000000000000000002"
	       "00509c40"
	       "a1a2a3a4"
	       "01020305"
	       "a012fe88"
	       "00000000"
	       "020405b4"
	       "0402080a"
	       "11223344"
	       "55667788"
	       "01030307",
	       frame, n);
}

static void tags_of_the_syn(void **state)
{
	uint8_t frame[SYNACK_FRAME_MAX];
	struct synack s = usual(true);
	uint32_t n;

	s.tags[0] = 0xe02a; /* priority 7, VLAN 42 */
	n = synack_build(&s, frame);
	assert_int_equal(n, 18 + 80);
	octets("020000000002"
	       "020000000001"
	       "8100e02a"
	       "86dd",
	       frame, 18);
	check_sums(frame + 18, n - 18, true);
	s.tags[0] = PORCH_VLAN_8021AD | 7;
	s.tags[1] = 42;
	n = synack_build(&s, frame);
	assert_int_equal(n, 22 + 80);
	assert_true(n <= SYNACK_FRAME_MAX);
	octets("020000000002"
	       "020000000001"
	       "88a80007"
	       "8100002a"
	       "86dd",
	       frame, 22);
	check_sums(frame + 22, n - 22, true);
	s.tags[0] = 7; /* QinQ of before 802.1ad */
	assert_int_equal(synack_build(&s, frame), n);
	octets("020000000002"
	       "020000000001"
	       "81000007"
	       "8100002a"
	       "86dd",
	       frame, 22);
}

/* Every set of options, against write_options() of bpf/reply.h, in whose words they are expected here. */
static void options(void **state)
{
	uint8_t frame[SYNACK_FRAME_MAX];
	uint32_t set, n, words, i, v6;
	uint32_t expected[6];

	for (set = 0; set < 32; set++) {
		struct synack s = usual(set & 16);

		v6 = !!(set & 16);
		s.options = set & 15;
		n = synack_build(&s, frame);
		words = 0;
		expected[words++] = OPT_MSS_WORD(1460);
		if (set & PORCH_OPT_TIMESTAMPS) {
			expected[words++] = set & PORCH_OPT_SACK ? OPT_SACK_TS : OPT_NOP_NOP_TS;
			expected[words++] = htonl(s.tsval);
			expected[words++] = htonl(s.ts_recent);
		} else if (set & PORCH_OPT_SACK) {
			expected[words++] = OPT_NOP_NOP_SACK;
		}
		if (set & PORCH_OPT_WSCALE)
			expected[words++] = OPT_WSCALE_WORD(7);
		i = 14 + (v6 ? 40 : 20);
		assert_int_equal(n, i + 20 + 4 * words);
		assert_memory_equal(frame + i + 20, expected, 4 * words);
		assert_int_equal(frame[i + 12] >> 4, 5 + words);
		assert_int_equal(frame[i + 13], set & PORCH_OPT_ECN ? 0x52 : 0x12);
		check_sums(frame + 14, n - 14, v6);
	}
}

/* Sums that carry, and the addresses and numbers of anybody. */
static void sums_of_anything(void **state)
{
	uint8_t frame[SYNACK_FRAME_MAX];
	uint64_t seed = 7;
	uint32_t i, n;
	bool v6;

	for (i = 0; i < 20000; i++) {
		struct synack s = usual(v6 = i & 1);
		uint64_t a = unit_random(&seed), b = unit_random(&seed),
			 c = i % 3 ? unit_random(&seed) : ~0ull;

		memcpy(s.remote + 12, &a, 4);
		memcpy(s.local + 12, &b, 4);
		s.irs = c;
		s.iss = c >> 32;
		s.remote_port = a >> 40;
		s.window = b >> 40;
		s.tsval = a >> 32;
		s.options = i >> 1 & 15;
		n = synack_build(&s, frame);
		check_sums(frame + 14, n - 14, v6);
	}
}

/* window_round() of bpf/syn.h in its plain form. */
static void window(void **state)
{
	assert_int_equal(synack_window(65535, 1460), 64240);
	assert_int_equal(synack_window(65160, 1448), 65160);
	assert_int_equal(synack_window(1000, 1460), 1000);
	assert_int_equal(synack_window(1460, 1460), 1460);
	assert_int_equal(synack_window(66000, 65495), 65495);
	assert_int_equal(synack_window(4 << 20, 1460), 65535);
	assert_int_equal(synack_window(5000, 0), 5000);
}

static void settings(void **state)
{
	static struct porch_iface ifaces[PORCH_IFACE_SLOTS];
	struct porch_host host = { .ttl = 61, .hop_limit = 62, .rcv_space = 65535, .rcv_wscale = 7 };
	struct porch_listener_entry l = {};
	static struct daemon d;
	struct synack s = usual(false);

	d.tables.host = &host;
	d.tables.ifaces = ifaces;
	ifaces[3] = (struct porch_iface){ .ifindex = 3, .mss4 = 1460, .mss6 = 1440 };
	synack_settings(&d, &l, 3, 1000, &s);
	assert_int_equal(s.mss, 1460);
	assert_int_equal(s.ttl, 61);
	assert_int_equal(s.window, 65000);
	l.rcv_space = 6000;
	l.user_mss = 900;
	synack_settings(&d, &l, 3, 1460, &s);
	assert_int_equal(s.mss, 900);
	assert_int_equal(s.window, 5840);
	l.user_mss = 9000;
	synack_settings(&d, &l, 3, 1460, &s);
	assert_int_equal(s.mss, 1460);
	l.mss = 1111;
	synack_settings(&d, &l, 3, 1460, &s);
	assert_int_equal(s.mss, 1111);
	l.mss = 0;
	synack_settings(&d, &l, 259, 1460, &s); /* that slot is another interface's */
	assert_int_equal(s.mss, 536);
	s = usual(true);
	synack_settings(&d, &l, 3, 1440, &s);
	assert_int_equal(s.mss, 1440);
	assert_int_equal(s.ttl, 62);
	synack_settings(&d, &l, 259, 1440, &s);
	assert_int_equal(s.mss, 1220);
	l.deliver = PORCH_DELIVER_AFXDP;
	synack_settings(&d, &l, 3, 1440, &s);
	assert_int_equal(s.window, PORCH_AFXDP_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(tags_of_the_syn),
		cmocka_unit_test(options),
		cmocka_unit_test(sums_of_anything),
		cmocka_unit_test(window),
		cmocka_unit_test(settings),
	};

	return unit_run("synack_frame", tests);
}
