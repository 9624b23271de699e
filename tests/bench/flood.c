// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * flood IFACE key=value...: a bounded stream of TCP frames out of IFACE, and what it cost the server.
 *
 * Runs in the namespace of IFACE, one end of a veth pair whose other end is the
 * server's. Prints one line of name=value; everything but `sent` and `seconds`
 * is a difference over the run. Without count= or seconds= it sends nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "porch/maps.h"
#include "tests/bench/flood.h"
#include "generator.skel.h"

#define REPEAT_MAX 0x40000000u /* frames of one test run */
#define BATCH	   64

static int usage(const char *what)
{
	fprintf(stderr,
		"flood: %s\n"
		"usage: flood IFACE [kind=syn|bad|good|data|seed|forget] "
		"[layout=linux|windows|apple|none|mss-only|shuffled|nops|ts|plain]\n"
		"  to=ADDR:PORT from=ADDR[/BITS] mac=SRC,DST [payload=N] [tuples=N] [count=N] [seconds=S] "
		"[rate=N] [seed=N]\n"
		"  [cpu=N] [server=NETNS/IFACE] [napi=PID] [pins=DIR] [runtime=1]\n",
		what);
	return 2;
}

static int parse_address(const char *text, __u8 ret[16], bool *v6)
{
	*v6 = strchr(text, ':') != NULL;
	if (*v6)
		return inet_pton(AF_INET6, text, ret) == 1 ? 0 : -EINVAL;
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	return inet_pton(AF_INET, text, ret + 12) == 1 ? 0 : -EINVAL;
}

static int parse_to(char *text, struct flood *flood)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	flood->port = strtoul(colon + 1, NULL, 10);
	if (*text == '[') {
		text[strcspn(text, "]")] = '\0';
		text++;
	}
	return flood->port ? parse_address(text, flood->destination, &flood->v6) : -EINVAL;
}

static int parse_mac(const char *text, __u8 a[6], __u8 b[6])
{
	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx,%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &a[0], &a[1],
		      &a[2], &a[3], &a[4], &a[5], &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) == 12
		       ? 0
		       : -EINVAL;
}

enum action { ACTION_FLOOD, ACTION_SEED, ACTION_FORGET };

static int parse_kind(const char *value, struct flood *flood, enum action *action)
{
	static const char *const kinds[] = { "syn", "bad", "good", "data", "seed", "forget" };

	for (__u32 i = 0; i < 6; i++) {
		if (strcmp(value, kinds[i]))
			continue;
		*action = i == 4 ? ACTION_SEED : i == 5 ? ACTION_FORGET : ACTION_FLOOD;
		flood->kind = i < 4 ? i : GENERATOR_DATA;
		return 0;
	}
	return -EINVAL;
}

static int parse(char *word, struct flood *flood, enum action *action)
{
	char *value = strchr(word, '='), *slash;
	bool v6;

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (!strcmp(word, "kind"))
		return parse_kind(value, flood, action);
	if (!strcmp(word, "to"))
		return parse_to(value, flood);
	if (!strcmp(word, "mac"))
		return parse_mac(value, flood->source_mac, flood->destination_mac);
	slash = strchr(value, '/');
	if (!strcmp(word, "from")) {
		if (slash)
			*slash++ = '\0';
		flood->source_bits = slash ? 32 - strtoul(slash, NULL, 10) : 0;
		return flood->source_bits > 31 ? -EINVAL : parse_address(value, flood->source, &v6);
	}
	if (!strcmp(word, "server") && slash) {
		*slash++ = '\0';
		flood->server_ns = value;
		flood->server_if = slash;
	} else if (!strcmp(word, "layout")) {
		flood->layout = value;
	} else if (!strcmp(word, "pins")) {
		flood->pins = value;
	} else if (!strcmp(word, "payload")) {
		flood->payload = strtoul(value, NULL, 10);
	} else if (!strcmp(word, "tuples")) {
		flood->tuples = strtoul(value, NULL, 10);
	} else if (!strcmp(word, "count")) {
		flood->count = strtoull(value, NULL, 10);
	} else if (!strcmp(word, "seconds")) {
		flood->seconds = strtod(value, NULL);
	} else if (!strcmp(word, "rate")) {
		flood->rate = strtoull(value, NULL, 10);
	} else if (!strcmp(word, "seed")) {
		flood->seed = strtoull(value, NULL, 10);
	} else if (!strcmp(word, "cpu")) {
		flood->cpu = strtol(value, NULL, 10);
	} else if (!strcmp(word, "runtime")) {
		flood->runtime = *value == '1';
	} else if (!strcmp(word, "napi")) {
		flood->napi = strtol(value, NULL, 10);
	} else {
		return -EINVAL;
	}
	return 0;
}

static volatile sig_atomic_t over;

static void alarmed(int number)
{
	over = 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int load(const struct flood *flood, struct generator_bpf **ret, int *prog)
{
	struct generator_config config = { .kind = flood->kind, .tuples = flood->tuples };
	struct generator_bpf *skel;
	int r;

	config.ifindex = if_nametoindex(flood->interface);
	if (!config.ifindex)
		return -ENODEV;
	config.gap_ns = flood->rate ? 1000000000ull / flood->rate : 0;
	r = frame_build(flood, &config);
	if (r)
		return r;
	if (flood->kind == GENERATOR_ACK_GOOD) {
		if (!flood->pins)
			return -EINVAL;
		r = pins_epoch_key(flood->pins, &config.epoch, config.key);
		if (r)
			return r;
	}
	skel = generator_bpf__open();
	if (!skel)
		return -errno;
	memcpy((void *)&skel->rodata->config, &config, sizeof(config));
	explicit_bzero(&config.key, sizeof(config.key));
	skel->bss->random_state = flood->seed;
	bpf_program__set_autoload(flood->v6 ? skel->progs.generate4 : skel->progs.generate6, false);
	r = generator_bpf__load(skel);
	if (r) {
		generator_bpf__destroy(skel);
		return r;
	}
	*prog = bpf_program__fd(flood->v6 ? skel->progs.generate6 : skel->progs.generate4);
	*ret = skel;
	return 0;
}

/*
 * One test run for the whole flood: each costs a grace period of milliseconds,
 * in which nothing is sent. A timer's signal ends it.
 */
static int send_frames(const struct flood *flood, struct generator_bpf *skel, int prog, double *seconds)
{
	__u8 frame[GENERATOR_FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = skel->rodata->config.length,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	struct itimerval timer = {};
	double start = now();
	int r = 0;

	memcpy(frame, (const void *)skel->rodata->config.frame, sizeof(frame));
	timer.it_value.tv_sec = flood->seconds;
	timer.it_value.tv_usec = (flood->seconds - timer.it_value.tv_sec) * 1e6;
	if (flood->seconds && (signal(SIGALRM, alarmed) == SIG_ERR || setitimer(ITIMER_REAL, &timer, NULL)))
		return -errno;
	while (!r && !over && (!flood->count || skel->bss->sent < flood->count)) {
		__u64 left = flood->count ? flood->count - skel->bss->sent : REPEAT_MAX;

		opts.repeat = left < REPEAT_MAX ? left : REPEAT_MAX;
		r = bpf_prog_test_run_opts(prog, &opts);
	}
	*seconds = now() - start;
	return r == -EINTR && over ? 0 : r;
}

static int run(const struct flood *flood)
{
	struct generator_bpf *skel = NULL;
	struct meter *meter = NULL;
	struct meters before = {}, after = {};
	double seconds = 0;
	int prog = -1, r;

	r = load(flood, &skel, &prog);
	if (r) {
		fprintf(stderr, "flood: loading the generator: %s\n", strerror(-r));
		return 1;
	}
	r = meter_open(flood, &meter);
	if (!r)
		r = meter_read(meter, &before);
	if (!r)
		r = send_frames(flood, skel, prog, &seconds);
	if (!r) {
		usleep(20000); /* what is in the rings */
		r = meter_read(meter, &after);
	}
	if (r)
		fprintf(stderr, "flood: %s\n", strerror(-r));
	else
		printf("sent=%llu seconds=%.4f rx=%llu tx=%llu run_cnt=%llu run_ns=%llu napi_ns=%llu "
		       "synack_sent=%llu synack_slow=%llu "
		       "proven=%llu bad_cookie=%llu syn_passed=%llu unknown_passed=%llu half_open_full=%llu "
		       "flow_table_full=%llu\n",
		       skel->bss->sent, seconds, after.rx - before.rx, after.tx - before.tx,
		       after.run_cnt - before.run_cnt, after.run_ns - before.run_ns,
		       after.napi_ns - before.napi_ns, after.synack_sent - before.synack_sent,
		       after.synack_slow - before.synack_slow, after.proven - before.proven,
		       after.bad_cookie - before.bad_cookie, after.syn_passed - before.syn_passed,
		       after.unknown_passed - before.unknown_passed,
		       after.half_open_full - before.half_open_full,
		       after.flow_table_full - before.flow_table_full);
	if (meter)
		meter_close(meter);
	generator_bpf__destroy(skel);
	return r ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct flood flood = { .layout = "linux", .cpu = -1, .seed = 1, .tuples = 1 };
	enum action action = ACTION_FLOOD;
	cpu_set_t set;
	int r;

	if (argc < 2)
		return usage("which interface?");
	flood.interface = argv[1];
	for (int i = 2; i < argc; i++)
		if (parse(argv[i], &flood, &action))
			return usage(argv[i]);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (action != ACTION_FLOOD) {
		if (!flood.pins)
			return usage("pins= is missing");
		r = action == ACTION_SEED ? pins_seed(flood.pins, &flood) : pins_forget(flood.pins);
		if (r)
			fprintf(stderr, "flood: %s: %s\n", flood.pins, strerror(-r));
		return r ? 1 : 0;
	}
	if (!flood.port || (!flood.count && !flood.seconds))
		return usage("to= and count= or seconds= are needed");
	if (flood.cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(flood.cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			return usage("no such cpu");
	}
	return run(&flood);
}
