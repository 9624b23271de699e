// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include <porch/maps.h>

#include "core/err.h"
#include "core/object.h"
#include "core/pins.h"
#include "core/util.h"
#include "handshake.skel.h"

static void (*log_line)(const char *line);

static int log_print(const char *format, va_list args)
{
	char text[4096], *line, *rest = text;

	if (!log_line)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			log_line(line);
	}
	return 0;
}

static int on_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : log_print(format, args);
}

static int on_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	return level == LIBXDP_DEBUG ? 0 : log_print(format, args);
}

void porch_object_set_log(void (*log)(const char *line))
{
	log_line = log;
	libbpf_set_print(on_libbpf);
	libxdp_set_print(on_libxdp);
}

bool porch_kernel_can_deliver(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool can;

	if (libbpf_get_error(btf))
		return false;
	can = btf__find_by_name_kind(btf, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return can;
}

bool porch_kernel_can_freplace(void)
{
	porch_object_set_log(log_line);
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) == 1;
}

__u32 porch_flow_sets(__u32 flows)
{
	__u64 ways = 2ull * flows;
	__u32 sets = 64;

	while ((__u64)sets * PORCH_SET_WAYS < ways)
		sets *= 2;
	return sets;
}

int porch_rodata_make(__u32 flow_sets, __u32 netns_inum, struct porch_rodata *ret)
{
	struct porch_rodata made = { .flow_set_mask = flow_sets - 1, .netns_inum = netns_inum };

	if (getrandom(made.flow_hash_key, sizeof(made.flow_hash_key), 0) != sizeof(made.flow_hash_key) ||
	    getrandom(&made.flow_hash_mix, sizeof(made.flow_hash_mix), 0) != sizeof(made.flow_hash_mix))
		return -EIO;
	made.flow_hash_mix |= 1;
	*ret = made;
	return 0;
}

static void set_rodata(struct handshake *object, const struct porch_rodata *rodata)
{
	/* `const volatile` for BPF, plain memory here before loading */
	object->rodata->flow_set_mask = rodata->flow_set_mask;
	memcpy((void *)object->rodata->flow_hash_key, rodata->flow_hash_key, sizeof(rodata->flow_hash_key));
	object->rodata->flow_hash_mix = rodata->flow_hash_mix;
	object->rodata->netns_inum = rodata->netns_inum;
}

static int set_sizes(struct handshake *object, const struct porch_rodata *rodata,
		     const struct porch_sizes *sizes)
{
	__u32 sets = rodata->flow_set_mask + 1;
	int r;

	r = bpf_map__set_max_entries(object->maps.porch_flow_tags, sets);
	if (!r)
		r = bpf_map__set_max_entries(object->maps.porch_flows, sets * PORCH_SET_WAYS);
	if (!r)
		r = bpf_map__set_max_entries(object->maps.porch_steer, sets * PORCH_SET_WAYS);
	if (!r)
		r = bpf_map__set_max_entries(object->maps.porch_half_open, sizes->half_open);
	return r;
}

static int explain_load(int r, struct porch_err *err)
{
	if (r != -EPERM && r != -ENOMEM && !porch_kernel_can_deliver())
		return porch_err_set(
			err, r,
			"BPF programs: this kernel does not take them; porch needs Linux 6.1 or newer, and for "
			"deliver=kernel 6.9 (Debian 12: apt-get install linux-image-6.12-amd64); -v shows "
			"what it says");
	switch (r) {
	case -EPERM:
		return porch_err_set(
			err, r,
			"BPF programs: the kernel refuses to load them; run as root with CAP_BPF, "
			"CAP_NET_ADMIN and CAP_PERFMON");
	case -ENOMEM:
	case -E2BIG:
		return porch_err_set(err, r, "BPF maps: %s; use smaller values for flows and half_open",
				     strerror(-r));
	case -EACCES:
		return porch_err_set(
			err, r,
			"BPF programs: this kernel's verifier does not take them; -v shows what it says");
	case -ESRCH:
	case -ENOENT:
		return porch_err_set(
			err, r,
			"BPF programs: the kernel lacks BTF or a type they need; porch needs 6.1 or "
			"newer with CONFIG_DEBUG_INFO_BTF");
	default:
		return porch_err_set(err, r,
				     "BPF programs: loading failed: %s; -v shows what the kernel says",
				     strerror(-r));
	}
}

int porch_object_load(const struct porch_rodata *rodata, const struct porch_sizes *sizes,
		      struct handshake **ret, struct porch_err *err)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct handshake *object;
	int r;

	porch_object_set_log(log_line);
	/* counts for kernels before 5.11 only; where it is refused, loading says so */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	object = handshake__open();
	if (!object)
		return explain_load(-errno, err);
	set_rodata(object, rodata);
	r = set_sizes(object, rodata, sizes);
	if (!r)
		r = handshake__load(object);
	if (r) {
		handshake__destroy(object);
		return explain_load(r, err);
	}
	*ret = object;
	return 0;
}

/* "porch_flows", and for "handshake.rodata", whose dot bpffs refuses, "rodata". */
static void map_name(const struct bpf_map *map, char *buf, size_t size)
{
	const char *name = bpf_map__name(map), *dot = strrchr(name, '.');

	snprintf(buf, size, "%s", dot ? dot + 1 : name);
}

static int pinned(const char *dir, const char *name)
{
	char path[2 * PORCH_PIN_PATH];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int porch_object_open_xdp(const char *dir, struct handshake **ret, struct porch_err *err)
{
	struct handshake *object;
	struct bpf_program *program;
	struct bpf_map *map;
	char name[64];
	int r = 0;

	porch_object_set_log(log_line);
	object = handshake__open();
	if (!object)
		return explain_load(-errno, err);
	bpf_object__for_each_program (program, object->obj) {
		if (!r && program != object->progs.porch_xdp)
			r = bpf_program__set_autoload(program, false);
	}
	bpf_object__for_each_map (map, object->obj) {
		_cleanup_close_ int fd = -1;

		if (r)
			break;
		/* the constants too: the map that is there is used, and frozen, as it is */
		map_name(map, name, sizeof(name));
		fd = pinned(dir, name);
		r = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
	}
	if (r) {
		handshake__destroy(object);
		return explain_load(r, err);
	}
	*ret = object;
	return 0;
}

struct xdp_program *porch_object_xdp_program(struct handshake *object)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = object->obj, .prog_name = "porch_xdp");

	return xdp_program__create(&opts);
}

int porch_object_program(const struct handshake *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object->obj, name);

	return program ? bpf_program__fd(program) : -ENOENT;
}

static int pin_and_forget(struct bpf_link *link, const char *dir, const char *name, struct porch_err *err)
{
	int r = link ? porch_pin(bpf_link__fd(link), dir, name) : -errno;

	/* the pin keeps it */
	bpf_link__destroy(link);
	return r ? porch_err_set(err, r, "%s: %s; -v shows what the kernel says", name, strerror(-r)) : 0;
}

int porch_object_links(struct handshake *object, const char *dir, struct porch_err *err)
{
	union bpf_iter_link_info info = { .map.map_fd = bpf_map__fd(object->maps.porch_flows) };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	int r;

	r = pin_and_forget(bpf_program__attach(object->progs.porch_sk_state), dir, "sk_state", err);
	if (!r)
		r = pin_and_forget(bpf_program__attach_iter(object->progs.porch_flows_txt, &opts), dir,
				   "flows", err);
	return r;
}

void porch_object_free(struct handshake *object)
{
	handshake__destroy(object);
}

int porch_object_pin(struct handshake *object, const char *dir, struct porch_err *err)
{
	struct bpf_program *program;
	struct bpf_map *map;
	char name[64];
	int r = 0;

	bpf_object__for_each_map (map, object->obj) {
		map_name(map, name, sizeof(name));
		r = porch_pin(bpf_map__fd(map), dir, name);
		if (r)
			return porch_err_set(err, r, "%s/%s: %s", dir, name, strerror(-r));
	}
	bpf_object__for_each_program (program, object->obj) {
		if (bpf_program__fd(program) < 0)
			continue; /* not for this kernel */
		r = porch_pin(bpf_program__fd(program), dir, bpf_program__name(program));
		if (r)
			return porch_err_set(err, r, "%s/%s: %s", dir, bpf_program__name(program),
					     strerror(-r));
	}
	return 0;
}
