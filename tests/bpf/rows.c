// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rows: sentences, expectations, and every counter accounted for. */
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

#define COUNTERS (sizeof(struct porch_counters) / sizeof(__u64))

static int rows, passed, failed, skipped;
static char sentence[512];
static char faults[2048];
static bool open_row, skip_row;
static bool reason_hit[PORCH_REASON_END];

static const char *const reason_name[PORCH_REASON_END] = {
#define X(number, name, field, text) [number] = "refused_" #field,
	PORCH_REASON_LIST(X)
#undef X
};

void fail(const char *what, ...)
{
	size_t at = strlen(faults);
	va_list args;

	va_start(args, what);
	at += snprintf(faults + at, sizeof(faults) - at, "#   ");
	if (at < sizeof(faults))
		vsnprintf(faults + at, sizeof(faults) - at, what, args);
	va_end(args);
	at = strlen(faults);
	if (at + 2 < sizeof(faults))
		strcpy(faults + at, "\n");
}

void row(const char *text, ...)
{
	va_list args;

	if (open_row) {
		fprintf(stderr, "row \"%s\" was not ended\n", sentence);
		abort();
	}
	va_start(args, text);
	vsnprintf(sentence, sizeof(sentence), text, args);
	va_end(args);
	open_row = true;
	skip_row = false;
	faults[0] = 0;
	world_reset();
}

void row_skip(const char *why)
{
	skip_row = true;
	printf("# %s\n", why);
}

/* ---- counters, by the names of the object's own BTF ---- */

static const char *counter_name(__u32 i)
{
	static const char *names[COUNTERS];
	const struct btf *btf = bpf_object__btf(harness_skeleton()->obj);
	const struct btf_type *t;
	int id;

	if (!names[0]) {
		id = btf__find_by_name_kind(btf, "porch_counters", BTF_KIND_STRUCT);
		t = btf__type_by_id(btf, id);
		for (__u32 m = 0; m < btf_vlen(t) && m < COUNTERS; m++)
			names[m] = strdup(btf__name_by_offset(btf, btf_members(t)[m].name_off));
	}
	return names[i] ? names[i] : "?";
}

static void counters_sum(__u64 sum[COUNTERS])
{
	int cpus = libbpf_num_possible_cpus();
	struct porch_counters *all = calloc(cpus, sizeof(*all));
	__u32 zero = 0;

	memset(sum, 0, sizeof(__u64) * COUNTERS);
	bpf_map_lookup_elem(bpf_map__fd(harness_skeleton()->maps.porch_counters), &zero, all);
	for (int c = 0; c < cpus; c++)
		for (__u32 i = 0; i < COUNTERS; i++)
			sum[i] += ((const __u64 *)&all[c])[i];
	free(all);
}

__u64 counter(const char *name)
{
	__u64 sum[COUNTERS];

	counters_sum(sum);
	for (__u32 i = 0; i < COUNTERS; i++)
		if (!strcmp(counter_name(i), name))
			return sum[i];
	fail("there is no counter %s", name);
	return 0;
}

/* "a b=2": a once, b twice. `would_answer` stands for the listeners' own. */
static void wanted_parse(const char *text, __u64 wanted[COUNTERS], __u64 *would_answer)
{
	char copy[512], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(word, '=');
		__u64 n = equals ? strtoull(equals + 1, NULL, 10) : 1;
		__u32 i = 0;

		if (equals)
			*equals = 0;
		if (!strcmp(word, "would_answer")) {
			*would_answer = n;
			continue;
		}
		while (i < COUNTERS && strcmp(counter_name(i), word))
			i++;
		if (i == COUNTERS)
			fail("there is no counter %s", word);
		else
			wanted[i] = n;
	}
}

/* What status shows per listener must add up to what it shows as a whole. */
static void check_listeners(const __u64 sum[COUNTERS], __u64 would_answer)
{
	const struct porch_counters *c = (const void *)sum;
	struct porch_stats total = {}, s;
	__u64 refused = 0;

	for (__u32 l = 0; l < 16; l++) {
		stats_get(l, &s);
		total.syn_received += s.syn_received;
		total.syn_passed += s.syn_passed;
		total.synack_sent += s.synack_sent;
		total.proven += s.proven;
		total.delivered += s.delivered;
		total.refused += s.refused;
		total.would_answer += s.would_answer;
	}
#define X(number, name, field, text) refused += c->refused_##field;
	PORCH_REASON_LIST(X)
#undef X
#define SAME(field, whole)                                                                                   \
	if (total.field != (whole))                                                                          \
	fail("listeners' " #field " add up to %llu, the whole is %llu", total.field, (__u64)(whole))
	SAME(syn_received, c->syn_received);
	SAME(syn_passed, c->syn_passed);
	SAME(synack_sent, c->synack_sent);
	SAME(proven, c->proven);
	SAME(delivered, c->delivered);
	SAME(refused, refused);
	SAME(would_answer, would_answer);
#undef SAME
}

static void check_counters(const char *text)
{
	__u64 sum[COUNTERS], wanted[COUNTERS] = {}, would_answer = 0;

	counters_sum(sum);
	wanted_parse(text, wanted, &would_answer);
	for (__u32 i = 0; i < COUNTERS; i++) {
		const char *name = counter_name(i);

		for (int r = 1; r < PORCH_REASON_END; r++)
			if (wanted[i] && sum[i] && !strcmp(reason_name[r], name))
				reason_hit[r] = true;
		if (sum[i] != wanted[i] && strcmp(name, "rtt_us_sum"))
			fail("%s is %llu, not %llu", name, sum[i], wanted[i]);
	}
	check_listeners(sum, would_answer);
}

static void finish(void)
{
	open_row = false;
	rows++;
	if (skip_row) {
		skipped++;
		printf("ok %d - %s # SKIP\n", rows, sentence);
	} else if (faults[0]) {
		failed++;
		printf("not ok %d - %s\n%s", rows, sentence, faults);
	} else {
		passed++;
		printf("ok %d - %s\n", rows, sentence);
	}
}

void row_end(const char *counters)
{
	if (!skip_row)
		check_counters(counters);
	finish();
}

void row_end_any(void)
{
	finish();
}

int harness_end(void)
{
	if (open_row)
		abort();
	/* tests/bpf/run wants to see each of them at least once */
	printf("# reasons:");
	for (int r = 1; r < PORCH_REASON_END; r++)
		if (reason_hit[r])
			printf(" %s", reason_name[r] + strlen("refused_"));
	printf("\n%d passed, %d failed", passed, failed);
	printf(skipped ? ", %d skipped\n" : "\n", skipped);
	return failed ? 1 : 0;
}

/* ---- expectations ---- */

const char *verdict_name(int verdict)
{
	static const char *const names[] = { "XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
					     "XDP_REDIRECT" };

	return verdict < 0 ? strerror(-verdict) : verdict < 5 ? names[verdict] : "?";
}

void expect_verdict(int got, int wanted, const char *of)
{
	if (got != wanted)
		fail("%s: %s, not %s", of, verdict_name(got), verdict_name(wanted));
}

void expect_u32(const char *what, __u32 got, __u32 wanted)
{
	if (got != wanted)
		fail("%s is %u (0x%x), not %u (0x%x)", what, got, got, wanted, wanted);
}

void expect_same(const struct frame *in, const struct frame *out)
{
	if (in->length != out->length || in->meta != out->meta)
		fail("%u octets (%u metadata) came out as %u (%u)", in->length, in->meta, out->length,
		     out->meta);
	else if (memcmp(in->bytes, out->bytes, in->length))
		fail("the frame was changed");
}

const struct porch_meta *expect_meta(const struct frame *in, const struct frame *out, int kind)
{
	const struct porch_meta *m = (const void *)out->bytes;

	if (out->meta != in->meta + sizeof(*m) || m->magic != PORCH_META_MAGIC) {
		fail("no record in front of the frame (%u octets)", out->meta);
		return NULL;
	}
	if (out->length - out->meta != in->length - in->meta ||
	    memcmp(out->bytes + out->meta, in->bytes + in->meta, in->length - in->meta))
		fail("the frame behind the record was changed");
	expect_u32("meta.kind", m->kind, kind);
	return m;
}
