// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch_flows_txt: what `cat <pin>/flows` prints. */
#include "handed.h"

#include <stdio.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

static const struct harness_options options = { .flow_sets = 64, .half_open_max = 16 };

/* The iterator's whole text, at most `size` octets with the final 0. */
static void read_flows(char *text, size_t size)
{
	union bpf_iter_link_info info = { .map.map_fd = bpf_map__fd(harness_skeleton()->maps.porch_flows) };
	LIBBPF_OPTS(bpf_iter_attach_opts, o, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(harness_skeleton()->progs.porch_flows_txt, &o);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	size_t at = 0;
	ssize_t n;

	if (fd < 0)
		fail("the iterator does not attach");
	while (fd >= 0 && at < size - 1 && (n = read(fd, text + at, size - 1 - at)) > 0)
		at += n;
	text[at] = 0;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

static void rows_of(int v6)
{
	static const char *const lines[2] = {
		"proven 198.51.100.7:40000 192.0.2.1:80 listener 1\n",
		"proven [2001:0db8:000c:0000:0000:0000:0000:0007]:40000 "
		"[2001:0db8:0005:0000:0000:0000:0000:0001]:80 listener 1\n",
	};
	static const char *const states[] = { "proven", "delivered", "closing", "tombstone" };
	static const char *const phases[] = { "pending", "steered", "closing", "time_wait", "tombstone", "forgotten" };
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	char text[8192], wanted[8192];
	struct porch_flow *f;

	row("an empty flow table reads as nothing, %s", FAMILY(v6));
	read_flows(text, sizeof(text));
	if (text[0])
		fail("it reads \"%s\"", text);
	row_end("");

	row("a flow reads as one line, %s", FAMILY(v6));
	connect_whole(&syn, &ack);
	read_flows(text, sizeof(text));
	if (strcmp(text, lines[v6]))
		fail("it reads \"%s\", not \"%s\"", text, lines[v6]);
	row_end("syn_received synack_sent proven");

	row("each state of a flow has its word, %s", FAMILY(v6));
	connect_whole(&syn, &ack);
	for (int i = 0; i < 4; i++) {
		struct porch_tuple t = tuple_of(&syn);

		if (flow_of(&t))
			flow_of(&t)->state = PORCH_FLOW_PROVEN + i;
		read_flows(text, sizeof(text));
		if (strncmp(text, states[i], strlen(states[i])))
			fail("it reads \"%s\", not \"%s...\"", text, states[i]);
	}
	row_end("syn_received synack_sent proven");

	row("a HANDED flow says its phase and worker, %s", FAMILY(v6));
	world_afxdp();
	syn = client_syn(v6, OFFERS_LINUX);
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	for (int i = 0; f && i < 7; i++) {
		const char *line = lines[v6] + strlen("proven");

		if (i)
			phase_set(f, i - 1, i);
		snprintf(wanted, sizeof(wanted), "handed%.*s %s worker %d\n", (int)strlen(line) - 1, line,
			 phases[i ? i - 1 : 0], i);
		read_flows(text, sizeof(text));
		if (strcmp(text, wanted))
			fail("it reads \"%s\", not \"%s\"", text, wanted);
	}
	row_end("syn_received synack_sent proven");

	row("a hundred flows read as a hundred lines, %s", FAMILY(v6));
	for (int i = 0; i < 100; i++) {
		syn.sport = CLIENT_PORT + i;
		connect_whole(&syn, &ack);
	}
	static char long_text[65536];
	int lines_read = 0;
	read_flows(long_text, sizeof(long_text));
	for (const char *c = long_text; *c; c++)
		lines_read += *c == '\n';
	expect_u32("lines", lines_read, 100);
	row_end("syn_received=100 synack_sent=100 proven=100");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++)
		rows_of(v6);
	return harness_end();
}
