// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* tcp_parse() on any frame; and what it, the walk of bpf/options.h and the usual layouts say of the same
 * options. */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/bpf_native.h"
#include "bpf/options.h"
#include "tests/fuzz/options.h"

#define BEHIND 36 /* as aligned as XDP finds it */

static void compare(struct input *in)
{
	uint32_t n = take(in, 1) % 11 * 4, header = 20 + n, i;
	uint8_t *frame = calloc(1, BEHIND + header), *tcp = frame + BEHIND;
	struct segment walked = {}, usual = {}, ack = {};
	struct parsed p;
	struct xdp_md ctx = { frame, BEHIND + header };
	struct general g = { .l4 = BEHIND, .header = header };
	struct porch_scratch scratch;

	frame[14] = 0x45;
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = take(in, 1) & 1 ? 0x02 : 0x10;
	take_octets(in, tcp + 20, n);
	memset(&scratch, 0x01, sizeof(scratch));
	walked.flags = tcp[13];
	check(!options_walk(&ctx, &scratch, &g, &walked), "the walk failed");
	check(walked.wscale <= 14, "scale %u", walked.wscale);
	check(!parse_frame(frame, BEHIND + header, 14, BEHIND, header, &p), "well formed, and refused");
	if (tcp[13] == 0x10) {
		/* both end at a malformed option, and both take the last of two */
		check(p.timestamps == !!(walked.options & PORCH_OPT_TIMESTAMPS), "timestamps or not");
		if (p.timestamps)
			check(p.tsval == walked.tsval && p.tsecr == walked.tsecr, "other timestamps");
		if (options_of_ack((void *)tcp, frame + BEHIND + header, &ack)) {
			check(ack.options == (walked.options & PORCH_OPT_TIMESTAMPS),
			      "the quick look says other options");
			check(!ack.options || (ack.tsval == walked.tsval && ack.tsecr == walked.tsecr),
			      "other timestamps");
		}
	} else if (options_usual((void *)tcp, frame + BEHIND + header, &usual) != LAYOUT_OTHER) {
		check(usual.mss == walked.mss && usual.options == walked.options &&
			      usual.wscale == walked.wscale,
		      "the usual layout says otherwise");
		check(!(usual.options & PORCH_OPT_TIMESTAMPS) || usual.tsval == walked.tsval,
		      "another TSval");
	}
	for (i = 0; i < p.sack_blocks; i++)
		check(n >= 10, "a SACK block out of nothing");
	free(frame);
}

static void any_frame(struct input *in)
{
	uint32_t l3 = take(in, 1), l4 = take(in, 1), octets = take(in, 2), n;
	uint8_t *frame;
	struct parsed p;

	if (l3 & 0x80)
		l3 = (uint32_t[]){ 14, 18, 22, 0xffffffff }[l3 & 3];
	if (l4 & 0x80)
		l4 = l3 + (l4 & 1 ? 20 : 40);
	n = (uint32_t)in->left;
	if (octets & 0x8000)
		octets = n - l4;
	frame = malloc(n + !n); /* no octet more than there is */
	take_octets(in, frame, n);
	if (!parse_frame(frame, n, l3, l4, octets, &p)) {
		check(p.payload >= frame + l4 + 20 && p.payload + p.length == frame + l4 + octets,
		      "the payload is elsewhere");
		check(p.sack_blocks <= 4, "%u blocks", p.sack_blocks);
	}
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	if (take(&in, 1) & 1)
		any_frame(&in);
	else
		compare(&in);
	return 0;
}
