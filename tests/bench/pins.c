// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch's maps, reached through their pins: the key a right cookie needs, the counters, the tables. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "porch/maps.h"
#include "tests/bench/flood.h"

static int pin_open(const char *pins, const char *name)
{
	char path[256];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", pins, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	if (fd < 0)
		fprintf(stderr, "flood: %s: %s\n", path, strerror(errno));
	return fd < 0 ? -errno : fd;
}

int pins_epoch_key(const char *pins, __u32 *epoch, __u64 key[2])
{
	struct porch_host host;
	struct porch_keys keys;
	__u32 zero = 0;
	int host_map, keys_map, ret = -ENOENT;

	host_map = pin_open(pins, "porch_host");
	keys_map = pin_open(pins, "porch_keys");
	if (host_map >= 0 && keys_map >= 0 && !bpf_map_lookup_elem(host_map, &zero, &host) &&
	    !bpf_map_lookup_elem(keys_map, &zero, &keys) &&
	    keys.derived[host.epoch % PORCH_EPOCH_KEYS] == host.epoch) {
		*epoch = host.epoch;
		memcpy(key, keys.epoch_key[host.epoch % PORCH_EPOCH_KEYS].k, 16);
		ret = 0;
	}
	explicit_bzero(&keys, sizeof(keys));
	if (host_map >= 0)
		close(host_map);
	if (keys_map >= 0)
		close(keys_map);
	return ret;
}

int pins_counters(int map, struct meters *ret)
{
	int cpus = libbpf_num_possible_cpus();
	struct porch_counters *values;
	__u32 zero = 0;

	if (cpus < 0)
		return cpus;
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map, &zero, values)) {
		free(values);
		return -errno;
	}
	for (int i = 0; i < cpus; i++) {
		ret->synack_sent += values[i].synack_sent;
		ret->synack_slow += values[i].synack_slow;
		ret->proven += values[i].proven;
		ret->bad_cookie += values[i].refused_bad_cookie;
		ret->syn_passed += values[i].syn_passed;
		ret->unknown_passed += values[i].unknown_passed;
		ret->half_open_full += values[i].half_open_full;
		ret->flow_table_full += values[i].flow_table_full;
	}
	free(values);
	return 0;
}

int pins_seed(const char *pins, const struct flood *flood)
{
	struct porch_seed_args args = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	int prog = pin_open(pins, "porch_seed"), ret = 0;

	if (prog < 0)
		return prog;
	memcpy(args.tuple.local, flood->destination, 16);
	args.tuple.local_port = flood->port;
	memcpy(args.tuple.remote, flood->source, 16);
	for (__u32 i = 0; i < flood->tuples && !ret; i++) {
		__u32 address = generator_tuple_address(i);

		for (int j = 0; j < 4; j++)
			args.tuple.remote[15 - j] = flood->source[15 - j] | address >> (8 * j);
		args.tuple.remote_port = generator_tuple_port(i);
		ret = bpf_prog_test_run_opts(prog, &opts);
	}
	close(prog);
	return ret;
}

static int forget_half_open(const char *pins)
{
	int map = pin_open(pins, "porch_half_open");
	struct porch_tuple key;

	if (map < 0)
		return map;
	while (!bpf_map_get_next_key(map, NULL, &key))
		bpf_map_delete_elem(map, &key);
	close(map);
	return 0;
}

static int forget_array(const char *pins, const char *name)
{
	int map = pin_open(pins, name), ret = 0;
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	void *zero;

	if (map < 0)
		return map;
	if (bpf_obj_get_info_by_fd(map, &info, &length)) {
		close(map);
		return -errno;
	}
	zero = calloc(1, info.value_size);
	for (__u32 i = 0; zero && i < info.max_entries && !ret; i++)
		ret = bpf_map_update_elem(map, &i, zero, 0);
	free(zero);
	close(map);
	return zero ? ret : -ENOMEM;
}

int pins_forget(const char *pins)
{
	int ret = forget_array(pins, "porch_flow_tags");

	if (!ret)
		ret = forget_array(pins, "porch_flows");
	return ret ? ret : forget_half_open(pins);
}
