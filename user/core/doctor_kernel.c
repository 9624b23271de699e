// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks of the running kernel: what porch's programs ask of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "core/doctor.h"
#include "core/sysctl.h"

static const char *release(void)
{
	static struct utsname name;

	return uname(&name) ? "this kernel" : name.release;
}

/* Does an enum of the kernel have this constant? 1, 0 or -errno. */
static int btf_has_constant(const struct btf *btf, const char *type, const char *constant)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *e;
	int i;

	if (id < 0)
		return id;
	t = btf__type_by_id(btf, id);
	e = btf_enum(t);
	for (i = 0; i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, e[i].name_off), constant))
			return 1;
	}
	return 0;
}

static struct btf *kernel_btf(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	return libbpf_get_error(btf) ? NULL : btf;
}

static void check_btf(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct btf *btf = kernel_btf();

	if (btf) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "the kernel describes its types (/sys/kernel/btf/vmlinux)");
	} else {
		porch_find(report, PORCH_DOCTOR_FAIL, "%s has no BTF: no program of porch can be loaded",
			   release());
		porch_advise(report,
			     "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distribution kernels are");
	}
	btf__free(btf);
}

static void check_kfunc(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct btf *btf = kernel_btf();

	if (!btf)
		return;
	if (btf__find_by_name_kind(btf, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "the kernel takes proven connections (bpf_sk_assign_tcp_reqsk)");
	} else if (!porch_doctor_needs_kernel(target)) {
		porch_find(report, PORCH_DOCTOR_OK,
			   "the kernel cannot take a proven connection, and with deliver=afxdp need not");
	} else {
		porch_find(report, PORCH_DOCTOR_FAIL,
			   "%s cannot take a proven connection: no bpf_sk_assign_tcp_reqsk()", release());
		porch_advise(report, "use Linux 6.9 or newer with CONFIG_SYN_COOKIES=y (Debian 12: "
				     "apt-get install linux-image-6.12-amd64)");
	}
	btf__free(btf);
}

static void check_hooks(const struct porch_doctor_target *target, struct porch_report *report)
{
	static const struct {
		const char *what;
		const char *name; /* of a type, unless `constant_of` says of which enum */
		const char *constant_of;
		int kind;
		const char *since;
	} wanted[] = {
		{ "TCX links", "BPF_TCX_INGRESS", "bpf_attach_type", 0, "6.6" },
		{ "BPF timers", "bpf_timer", NULL, BTF_KIND_STRUCT, "5.15" },
		{ "bpf_ktime_get_tai_ns()", "BPF_FUNC_ktime_get_tai_ns", "bpf_func_id", 0, "6.1" },
		{ "the tracepoint inet_sock_set_state", "btf_trace_inet_sock_set_state", NULL,
		  BTF_KIND_TYPEDEF, "5.5" },
	};
	struct btf *btf = kernel_btf();
	size_t i, missing = 0;

	if (!btf)
		return;
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		int r = wanted[i].constant_of ? btf_has_constant(btf, wanted[i].constant_of, wanted[i].name)
					      : btf__find_by_name_kind(btf, wanted[i].name, wanted[i].kind);

		if (r > 0)
			continue;
		missing++;
		if (!strcmp(wanted[i].what, "TCX links") && !porch_doctor_needs_kernel(target)) {
			porch_find(report, PORCH_DOCTOR_OK, "%s has no TCX links: the guard is a filter of clsact",
				   release());
			continue;
		}
		porch_find(report, PORCH_DOCTOR_FAIL, "%s lacks %s", release(), wanted[i].what);
		porch_advise(report, "they came with Linux %s; porch as a whole needs 6.9", wanted[i].since);
	}
	if (!missing)
		porch_find(report, PORCH_DOCTOR_OK,
			   "TCX links, BPF timers, TAI clock and socket tracepoint are there");
	btf__free(btf);
}

/* The kernel compares what an extension does with what the function it replaces did. */
static bool wants_new_dispatcher(void)
{
	unsigned int major = 0, minor = 0, patch = 0;

	sscanf(release(), "%u.%u.%u", &major, &minor, &patch);
	return major > 6 || (major == 6 && (minor > 12 || (minor == 12 && patch >= 6)));
}

static void check_dispatcher(const struct porch_doctor_target *target, struct porch_report *report)
{
	/* libxdp's dispatcher replaces functions of a loaded program (freplace) */
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) == 1) {
		if (wants_new_dispatcher())
			porch_find(report, PORCH_DOCTOR_OK,
				   "libxdp's dispatcher can run; from Linux 6.12.6 on it takes porch, which "
				   "changes packets, if "
				   "it is that of libxdp 1.5.5 or newer, and else porch takes the XDP hook "
				   "alone, by a bpf_link");
		else
			porch_find(report, PORCH_DOCTOR_OK,
				   "libxdp's dispatcher can run: other XDP programs can share the hook");
		return;
	}
	porch_find(report, PORCH_DOCTOR_WARN,
		   "libxdp's dispatcher cannot run here (no freplace): porch takes the XDP hook alone, by a "
		   "bpf_link");
	porch_advise(report, "no other XDP program can be on this interface; nothing else changes");
}

static void check_jit(const struct porch_doctor_target *target, struct porch_report *report)
{
	long jit;

	/* absent: compiled in for good (CONFIG_BPF_JIT_ALWAYS_ON) or not readable without root */
	if (porch_sysctl_get("core/bpf_jit_enable", 0, &jit) || jit) {
		porch_find(report, PORCH_DOCTOR_OK, "BPF programs are compiled");
		return;
	}
	porch_find(report, PORCH_DOCTOR_WARN,
		   "BPF programs are interpreted: a SYN costs about ten times as much");
	porch_advise(report, "sysctl -w net.core.bpf_jit_enable=1");
}

static void check_clock(const struct porch_doctor_target *target, struct porch_report *report)
{
	struct timex state = {};
	struct timespec wall, tai;
	long long offset, drift;

	if (clock_gettime(CLOCK_REALTIME, &wall) || clock_gettime(CLOCK_TAI, &tai) || adjtimex(&state) < 0) {
		porch_find(report, PORCH_DOCTOR_WARN, "the clocks cannot be read: %s", strerror(errno));
		return;
	}
	offset = (wall.tv_sec - tai.tv_sec) * 1000000000LL + (wall.tv_nsec - tai.tv_nsec);
	/* the two reads are microseconds apart, a TAI step is whole seconds */
	drift = target->host ? target->host->wall_offset - offset : 0;
	if (drift > 500000000LL || drift < -500000000LL) {
		porch_find(report, PORCH_DOCTOR_WARN,
			   "a time daemon set the TAI offset to %d s after attach: epochs are %lld s off the "
			   "wall clock",
			   state.tai, drift / 1000000000LL);
		porch_advise(report,
			     "porch attach %s once more; other nodes with the same key count epochs by the "
			     "wall clock",
			     target->ifname);
		return;
	}
	if (!state.tai)
		porch_find(report, PORCH_DOCTOR_OK,
			   "TAI offset 0: no time daemon has set it; if one does later, attach once more");
	else
		porch_find(report, PORCH_DOCTOR_OK, "TAI offset %d s", state.tai);
}

const struct porch_doctor_check porch_doctor_kernel_checks[] = {
	{ "btf", check_btf },
	{ "kfunc", check_kfunc },
	{ "hooks", check_hooks },
	{ "dispatcher", check_dispatcher },
	{ "jit", check_jit },
	{ "clock", check_clock },
	{},
};
