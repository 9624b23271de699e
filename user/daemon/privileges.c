// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

#include <bpf/bpf.h>

#include "core/err.h"
#include "daemon/loop.h"
#include "daemon/privileges.h"

int privileges_find(const char *user, struct privileges *ret, struct porch_err *err)
{
	const struct passwd *p;

	errno = 0;
	p = getpwnam(user);
	if (!p)
		return porch_err_set(err, errno ? -errno : -ENOENT, "user %s: %s", user,
				     errno ? strerror(errno) : "no such user; see user= in porch.conf(5)");
	*ret = (struct privileges){ .uid = p->pw_uid, .gid = p->pw_gid };
	return 0;
}

static int limit(int what, rlim_t wanted)
{
	struct rlimit both = { wanted, wanted }, have;

	if (!setrlimit(what, &both))
		return 0;
	/* as far as we may */
	if (getrlimit(what, &have))
		return -errno;
	have.rlim_cur = have.rlim_max;
	(void)setrlimit(what, &have);
	return have.rlim_max >= wanted ? 0 : -EPERM;
}

int privileges_limits(struct privileges *to, struct porch_err *err)
{
	if (limit(RLIMIT_MEMLOCK, RLIM_INFINITY))
		to->keep |= PRIVILEGES_IPC_LOCK;
	if (limit(RLIMIT_NOFILE, LOOP_FDS_MAX))
		return porch_err_set(err, -EPERM,
				     "RLIMIT_NOFILE stays below %d; raise LimitNOFILE=", LOOP_FDS_MAX);
	return 0;
}

static int set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)keep, .permitted = (uint32_t)keep },
		{ .effective = keep >> 32, .permitted = keep >> 32 },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int get_capabilities(uint64_t *any)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return -errno;
	*any = (uint64_t)(data[1].effective | data[1].permitted | data[1].inheritable) << 32 |
	       data[0].effective | data[0].permitted | data[0].inheritable;
	return 0;
}

/* What no execve() can give back. Fails only past the last capability the kernel knows. */
static int drop_bounding(void)
{
	int i;

	for (i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i) < 0)
			return 0;
		if (prctl(PR_CAPBSET_DROP, i))
			return -errno;
	}
	return 0;
}

static int drop(const struct privileges *to)
{
	int r;

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	r = drop_bounding();
	if (r)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(to->gid, to->gid, to->gid) ||
	    setresuid(to->uid, to->uid, to->uid) || prctl(PR_SET_KEEPCAPS, 0))
		return -errno;
	r = set_capabilities(to->keep);
	if (r)
		return r;
	/* nor may anybody of the same user look into it, or at what it holds in /proc */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0) ? -errno : 0;
}

/* The proof: what has been given up cannot be had back. */
static int verify(const struct privileges *to)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	uint64_t any = 0;

	if (getresuid(&r, &e, &s) || getresgid(&rg, &eg, &sg) || get_capabilities(&any))
		return -errno;
	if (r != to->uid || e != to->uid || s != to->uid || rg != to->gid || eg != to->gid || sg != to->gid ||
	    getgroups(0, NULL) != 0 || any != to->keep || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -EPERM;
	if (to->uid && (!setuid(0) || !seteuid(0)))
		return -EPERM;
	if (to->gid && (!setgid(0) || !setegid(0)))
		return -EPERM;
	if (!set_capabilities(to->keep | 1ull << CAP_SETUID))
		return -EPERM;
	return 0;
}

int privileges_drop(const struct privileges *to, struct porch_err *err)
{
	int r = drop(to);

	if (r)
		return porch_err_set(err, r,
				     "privileges could not be dropped: %s; porchd has to be started as root",
				     strerror(-r));
	r = verify(to);
	return r ? porch_err_set(
			   err, r,
			   "privileges were dropped but could be had back; this must not be: nothing is run")
		 : 0;
}

/* Deleting beyond the last entry changes nothing: who may is told -EINVAL or -ENOENT. */
static bool try_map(int fd)
{
	__u32 beyond = ~0u;

	return !bpf_map_delete_elem(fd, &beyond) || (errno != EPERM && errno != EACCES);
}

bool privileges_may_write_map(const struct privileges *to, int map_fd)
{
	struct porch_err err;
	pid_t child = fork();
	int status;

	if (!child)
		_exit(privileges_drop(to, &err) || !try_map(map_fd));
	if (child < 0)
		return false;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status);
}
