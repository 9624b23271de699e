// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * crowd IFACE to=ADDR:PORT from=ADDR mac=SRC,DST key=value...: many clients of one
 * server, in BPF on this end of a veth pair. One line of name=value; times are
 * those of the threads named, from the first SYN to the last answer.
 *
 *   kind=connect|ask|idle   see crowd.h
 *   count=N rate=N          clients, and SYNs per second
 *   burst=N                 SYNs that leave together
 *   tries=N                 SYNs of a client that gets nowhere, a second apart
 *   seconds=S               of asking; then every client resets
 *   times=NAME:PID,...      whose CPU time is printed
 *   cpu=N seed=N
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bench/cputime.h"
#include "tests/bench/crowd.h"
#include "crowd.skel.h"

#define CLIENTS_MAX (8u << 20)

struct crowd {
	const char *interface;
	struct crowd_config config;
	double rate, seconds;
	int tries, cpu;
	struct cputime times;
};

static int usage(const char *what)
{
	fprintf(stderr,
		"crowd: %s\n"
		"usage: crowd IFACE to=ADDR:PORT from=ADDR mac=SRC,DST [kind=connect|ask|idle] [count=N] "
		"[rate=N]\n"
		"  [burst=N] [tries=N] [seconds=S] [times=NAME:PID[+PID],...] [cpu=N] [seed=N]\n",
		what);
	return 2;
}

static int parse_kind(const char *value, __u16 *ret)
{
	static const char *const kinds[] = { "connect", "ask", "idle" };

	for (__u16 i = 0; i < 3; i++) {
		if (strcmp(value, kinds[i]))
			continue;
		*ret = i;
		return 0;
	}
	return -EINVAL;
}

static int parse_address(const char *value, __u32 *ret)
{
	struct in_addr a;

	if (inet_pton(AF_INET, value, &a) != 1)
		return -EINVAL;
	*ret = ntohl(a.s_addr);
	return 0;
}

static int parse_to(char *value, struct crowd_config *c)
{
	char *colon = strrchr(value, ':');

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	c->port = strtoul(colon + 1, NULL, 10);
	return parse_address(value, &c->destination);
}

static int parse(char *word, struct crowd *crowd)
{
	struct crowd_config *c = &crowd->config;
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (!strcmp(word, "kind"))
		return parse_kind(value, &c->kind);
	if (!strcmp(word, "to"))
		return parse_to(value, c);
	if (!strcmp(word, "from"))
		return parse_address(value, &c->source);
	if (!strcmp(word, "times"))
		return cputime_parse(value, &crowd->times);
	if (!strcmp(word, "mac"))
		return sscanf(value, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx,%hhx:%hhx:%hhx:%hhx:%hhx:%hhx",
			      &c->mac[6], &c->mac[7], &c->mac[8], &c->mac[9], &c->mac[10], &c->mac[11],
			      &c->mac[0], &c->mac[1], &c->mac[2], &c->mac[3], &c->mac[4], &c->mac[5]) == 12
			       ? 0
			       : -EINVAL;
	if (!strcmp(word, "count"))
		c->count = strtoul(value, NULL, 10);
	else if (!strcmp(word, "rate"))
		crowd->rate = strtod(value, NULL);
	else if (!strcmp(word, "burst"))
		c->burst = strtoul(value, NULL, 10);
	else if (!strcmp(word, "tries"))
		crowd->tries = strtol(value, NULL, 10);
	else if (!strcmp(word, "seconds"))
		crowd->seconds = strtod(value, NULL);
	else if (!strcmp(word, "cpu"))
		crowd->cpu = strtol(value, NULL, 10);
	else if (!strcmp(word, "seed"))
		c->isn = strtoul(value, NULL, 10) * 0x9e3779b1u;
	else
		return -EINVAL;
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void alarmed(int number)
{
}

/* A timer's signal ends a test run; it comes again, in case it came between two. */
static int alarm_in(double seconds)
{
	struct itimerval timer = { .it_interval.tv_usec = 250000 };
	struct sigaction act = { .sa_handler = alarmed };

	timer.it_value.tv_sec = seconds;
	timer.it_value.tv_usec = (seconds - timer.it_value.tv_sec) * 1e6 + 1;
	if (sigaction(SIGALRM, &act, NULL) || setitimer(ITIMER_REAL, &timer, NULL))
		return -errno;
	return 0;
}

static int alarm_off(void)
{
	const struct itimerval none = {};

	return setitimer(ITIMER_REAL, &none, NULL) ? -errno : 0;
}

/* Every client that has not finished sends its SYN, once. */
static int send_syns(const struct crowd *crowd, struct crowd_bpf *skel)
{
	__u8 frame[128] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = 74, .repeat = 0x40000000,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
	double limit = now() + 2 * crowd->config.count / crowd->rate + 2;
	int r;

	skel->bss->next_client = 0;
	r = alarm_in(crowd->config.count / crowd->rate + 0.03);
	while (!r && skel->bss->next_client < crowd->config.count) {
		r = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.generate), &opts);
		if (r == -EINTR)
			r = now() > limit ? -ETIMEDOUT : 0;
	}
	alarm_off();
	return r;
}

/* Until nothing has been finished or asked for a while. */
static void settle(struct crowd_bpf *skel, int ms)
{
	__u64 before;

	do {
		before = skel->bss->done + skel->bss->acks + skel->bss->requests;
		usleep(ms * 1000);
	} while (before != skel->bss->done + skel->bss->acks + skel->bss->requests);
}

static int load(struct crowd *crowd, struct crowd_bpf **ret)
{
	struct crowd_bpf *skel = crowd_bpf__open();
	int r;

	if (!skel)
		return -errno;
	memcpy((void *)&skel->rodata->config, &crowd->config, sizeof(crowd->config));
	r = bpf_map__set_max_entries(skel->maps.clients, crowd->config.count);
	if (!r)
		r = crowd_bpf__load(skel);
	if (!r) /* in place of what is there; it stays when we go, until the next one's */
		r = bpf_xdp_attach(crowd->config.ifindex, bpf_program__fd(skel->progs.client),
				   XDP_FLAGS_DRV_MODE, NULL);
	if (r)
		crowd_bpf__destroy(skel);
	else
		*ret = skel;
	return r;
}

static int run(struct crowd *crowd)
{
	struct crowd_bpf *skel = NULL;
	__u64 asked, done_first;
	double start, ask_start = 0, ask_end = 0, first;
	int r = load(crowd, &skel);

	if (r) {
		fprintf(stderr, "crowd: %s: %s\n", crowd->interface, strerror(-r));
		return 1;
	}
	r = crowd->config.kind == CROWD_ASK ? 0 : cputime_start(&crowd->times);
	start = now();
	if (!r)
		r = send_syns(crowd, skel);
	first = now() - start;
	if (!r && crowd->config.kind != CROWD_ASK)
		settle(skel, 20);
	done_first = skel->bss->done;
	for (int i = 1; i < crowd->tries && !r && skel->bss->done < crowd->config.count; i++) {
		usleep(1000000);
		r = send_syns(crowd, skel);
		settle(skel, 20);
	}
	asked = skel->bss->requests;
	if (!r && crowd->config.kind == CROWD_ASK) {
		usleep(200000); /* until everybody asks */
		r = cputime_start(&crowd->times);
		asked = skel->bss->requests;
		ask_start = now();
		usleep(crowd->seconds * 1e6);
		asked = skel->bss->requests - asked;
		ask_end = now();
	}
	if (!r) {
		printf("seconds=%.4f syns=%llu connected=%llu done=%llu done_first=%llu resets=%llu "
		       "fins=%llu odd=%llu requests=%llu "
		       "ask_seconds=%.4f",
		       first, skel->bss->syns, skel->bss->acks, skel->bss->done, done_first,
		       skel->bss->resets, skel->bss->fins, skel->bss->odd, asked, ask_end - ask_start);
		r = cputime_print(&crowd->times);
		printf("\n");
	}
	skel->bss->stop = 1;
	if (crowd->config.kind == CROWD_ASK)
		usleep(100000);
	if (r)
		fprintf(stderr, "crowd: %s\n", strerror(-r));
	crowd_bpf__destroy(skel);
	return r ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct crowd crowd = { .rate = 10000, .tries = 1, .seconds = 1, .cpu = -1 };
	cpu_set_t set;

	if (argc < 2)
		return usage("which interface?");
	crowd.interface = argv[1];
	crowd.config.burst = 1;
	for (int i = 2; i < argc; i++)
		if (parse(argv[i], &crowd))
			return usage(argv[i]);
	crowd.config.ifindex = if_nametoindex(crowd.interface);
	if (!crowd.config.ifindex)
		return usage("no such interface");
	if (!crowd.config.port || !crowd.config.source || !crowd.config.burst || crowd.rate <= 0 ||
	    !crowd.config.count || crowd.config.count > CLIENTS_MAX)
		return usage("to=, from=, mac= and count= are needed");
	crowd.config.gap_ns = 1e9 / crowd.rate;
	if (crowd.cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(crowd.cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			return usage("no such cpu");
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	return run(&crowd);
}
