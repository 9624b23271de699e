// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Instructions of the engine's paths, counted by callgrind: the same on every run
 * and every machine, so a regression shows without a quiet one. `instructions`
 * runs itself under valgrind once for each path and compares with what is allowed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tcp/internal.h"

#define ROUNDS 300
#define BATCH  16

static uint8_t frames[64][2048];
static uint32_t lengths[64], made;
static void *spare;
static struct tcp_stack stacks[2];
static struct tcp_conn conns[2];
static uint8_t data[1 << 16];

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return frames[made % 64];
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	lengths[made++ % 64] = length;
}

static void notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
}

static void *block_get(struct tcp_stack *stack)
{
	void *block = spare;

	if (!block)
		return aligned_alloc(64, TCP_BLOCK);
	memcpy(&spare, block, sizeof(spare));
	return block;
}

static void block_put(struct tcp_stack *stack, void *block)
{
	memcpy(block, &spare, sizeof(spare));
	spare = block;
}

static void begin(int i)
{
	struct tcp_start start = {
		.remote = { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(2 - i) },
		.local = { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(1 + i) },
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = i ? 1000 : 2000,
		.iss = i ? 2000 : 1000,
		.ts_recent = 5,
		.ts_ecr = 5,
		.proven = stacks[i].now,
		.mss = 1460,
		.window = 512,
		.mtu = 1500,
		.options = TCP_OPT_TIMESTAMPS | TCP_OPT_SACK | TCP_OPT_WSCALE,
		.wscale_snd = 7,
		.wscale_rcv = 7,
		.rcv_wnd = 65535,
	};

	tcp_open(&stacks[i], &conns[i], &start);
}

/* What is counted, each by its name. */
void count_parse(struct tcp_segment *seg, uint32_t from);
void count_receive(const struct tcp_segment *seg);
void count_send(void);
void count_ack(const struct tcp_segment *seg);
void count_handover(const struct tcp_segment *seg);
void count_sums(const struct tcp_segment *seg);

__attribute__((noinline)) void count_parse(struct tcp_segment *seg, uint32_t from)
{
	for (uint32_t i = from; i != from + BATCH; i++)
		tcp_parse(frames[i % 64], lengths[i % 64], 14, 34, lengths[i % 64] - 34, seg++);
}

__attribute__((noinline)) void count_receive(const struct tcp_segment *seg)
{
	for (int i = 0; i < BATCH; i++)
		tcp_input(&stacks[1], &conns[1], seg + i);
}

__attribute__((noinline)) void count_send(void)
{
	tcp_stack_flush(&stacks[0]);
}

__attribute__((noinline)) void count_ack(const struct tcp_segment *seg)
{
	tcp_input(&stacks[0], &conns[0], seg);
}

__attribute__((noinline)) void count_handover(const struct tcp_segment *seg)
{
	begin(1);
	tcp_input(&stacks[1], &conns[1], seg);
	tcp_release(&stacks[1], &conns[1]);
}

/* Copy and checksum of a batch, which the budget of the others does not include. */
__attribute__((noinline)) void count_sums(const struct tcp_segment *seg)
{
	static uint8_t to[2048];
	uint32_t at = 0;

	/* in two pieces where a block ends, as the data lies */
	for (int i = 0; i < BATCH; i++) {
		uint32_t first = min_u32(seg[i].length, TCP_BLOCK_DATA - at);

		tcp_csum_copy(to, seg[i].payload, first);
		if (first != seg[i].length)
			tcp_csum_copy(to, seg[i].payload + first, seg[i].length - first);
		at = first != seg[i].length ? seg[i].length - first : at + first;
	}
}

/* The work itself: batches of full segments, one ACK for every two. */
static int work(void)
{
	static const struct tcp_ops ops = { frame_get, frame_send, notify, block_get, block_put };
	struct tcp_settings settings = { .frame_size = 2048, .recv_buffer = 1 << 20, .send_buffer = 1 << 20 };
	struct tcp_segment seg[BATCH], reset, ack;
	uint32_t from, mss;

	for (int i = 0; i < 2; i++) {
		tcp_stack_init(&stacks[i], &ops, &settings, 1000 * TCP_SECOND);
		begin(i);
	}
	mss = conns[0].mss;
	for (int round = 0; round < ROUNDS; round++) {
		conns[0].cwnd = BATCH * mss;
		stacks[0].now = stacks[1].now += 2 * TCP_MS;
		tcp_send(&stacks[0], &conns[0], data, BATCH * mss);
		from = made;
		count_send();
		if (made - from != BATCH)
			return 1;
		count_parse(seg, from);
		count_receive(seg);
		count_sums(seg);
		tcp_recv(&stacks[1], &conns[1], data, sizeof(data));
		conns[1].notified = false;
		from = made;
		tcp_stack_flush(&stacks[1]);
		if (made - from != 1)
			return 1;
		tcp_parse(frames[from % 64], lengths[from % 64], 14, 34, lengths[from % 64] - 34, &ack);
		for (uint32_t last = ack.ack, n = BATCH - 2; (int32_t)n >= 0; n -= 2) {
			ack.ack = last - n * mss;
			count_ack(&ack);
		}
	}
	reset = seg[0];
	reset.flags = TCP_FLAG_RST | TCP_FLAG_ACK;
	reset.seq = 1001;
	reset.length = 0;
	reset.checked = 1;
	for (int round = 0; round < ROUNDS; round++)
		count_handover(&reset);
	return 0;
}

/* Instructions of one function over the whole run; 0: cannot be counted. */
static uint64_t count(const char *self, const char *name)
{
	char command[512], line[512];
	uint64_t n = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=count_%s '%s' "
		 "work 2>&1",
		 name, self);
	f = popen(command, "r");
	while (f && fgets(line, sizeof(line), f)) {
		char *at = strstr(line, "Collected : ");

		if (at)
			n = strtoull(at + 12, NULL, 10);
	}
	if (f)
		pclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *text;
		uint32_t divisor, limit;
		bool sums;
	} paths[] = {
		{ "receive", "in-order segment received, batch of 16", ROUNDS * BATCH, 225, true },
		{ "parse", "segment found in its frame", ROUNDS * BATCH, 195, false },
		{ "ack", "ACK of two segments", ROUNDS * BATCH / 2, 640, false },
		{ "send", "segment sent", ROUNDS * BATCH, 640, true },
		{ "handover", "connection opened, reset, released", ROUNDS, 720, false },
	};
	uint64_t sums, n;
	int passed = 0, failed = 0;

	if (argc > 1)
		return work();
	if (work()) {
		printf("not ok - the frames that are counted are not those that were meant\n0 passed, 1 "
		       "failed\n");
		return 1;
	}
	sums = count(argv[0], "sums");
	if (!sums) {
		printf("skipped: no valgrind here, or it does not know this processor\n0 passed, 0 failed, 1 "
		       "skipped\n");
		return 0;
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		n = count(argv[0], paths[i].name);
		if (paths[i].sums)
			n -= min_u64(n, sums);
		n /= paths[i].divisor;
		printf("%s - %s: %llu instructions, at most %u%s\n",
		       n && n <= paths[i].limit ? "ok" : "not ok", paths[i].text, (unsigned long long)n,
		       paths[i].limit, paths[i].sums ? ", copy and sums apart" : "");
		passed += n && n <= paths[i].limit;
		failed += !n || n > paths[i].limit;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
