// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Directories that appear complete or not at all, and the sweeping after crashes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "core/err.h"
#include "core/pins.h"
#include "core/pins_internal.h"
#include "core/util.h"

#define STAGING	    "staging_"
#define COOKIE	    "cookie"
#define COOKIE_TEXT 24

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* Calls `fn` for each name of a directory until it returns non-zero. Removing meanwhile is fine. */
static int each_name(int dir_fd, int (*fn)(int dir_fd, const char *name, void *arg), void *arg)
{
	struct dirent *entry;
	int fd, r = 0;
	DIR *dir;

	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (!r && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = fn(dir_fd, entry->d_name, arg);
	}
	closedir(dir);
	return r;
}

static bool is_staging(const char *name)
{
	return !strncmp(name, STAGING, strlen(STAGING)) && porch_pins_is_number(name + strlen(STAGING));
}

static int remove_name(int dir_fd, const char *name, void *arg)
{
	if (!unlinkat(dir_fd, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	return porch_pins_remove_tree(dir_fd, name);
}

static int remove_interface(int dir_fd, const char *name, void *arg)
{
	return porch_pins_is_number(name) || is_staging(name) ? porch_pins_remove_tree(dir_fd, name) : 0;
}

int porch_pins_remove_tree(int parent_fd, const char *name)
{
	_cleanup_close_ int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* XDP off first, so that nothing is proven that nobody would deliver */
	r = remove_name(fd, "xdp", NULL);
	if (!r)
		r = each_name(fd, remove_interface, NULL);
	if (!r)
		r = each_name(fd, remove_name, NULL);
	if (!r && unlinkat(parent_fd, name, AT_REMOVEDIR) && errno != ENOENT)
		r = -errno;
	return r;
}

static bool has(int dir_fd, const char *name)
{
	return !faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* Whether an interface directory had got as far as its XDP program. */
static bool is_complete(int parent_fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%.32s/xdp", name);
	if (has(parent_fd, path))
		return true;
	snprintf(path, sizeof(path), "%.32s/xdp_prog", name);
	return has(parent_fd, path);
}

/* 1: the link at `name` is on a device. That of a device that is gone stays, on none. */
static bool link_is_on_device(int dir_fd, const char *name)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[128];

	/* bpf(2) of older kernels takes no directory fd */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%.64s", dir_fd, name);
	fd = bpf_obj_get(path);
	/* ifindex stands at the same place for XDP and TCX */
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && info.xdp.ifindex;
}

static int any_complete(int dir_fd, const char *name, void *arg)
{
	return porch_pins_is_number(name) && is_complete(dir_fd, name);
}

static int any_on_device(int dir_fd, const char *name, void *arg)
{
	char path[64];

	if (!porch_pins_is_number(name) && !is_staging(name))
		return 0;
	snprintf(path, sizeof(path), "%.32s/xdp", name);
	if (link_is_on_device(dir_fd, path))
		return 1;
	snprintf(path, sizeof(path), "%.32s/tc", name);
	return link_is_on_device(dir_fd, path);
}

/* Interfaces of a live namespace: complete what was complete, remove what has no device. */
static int settle_interface(int dir_fd, const char *name, void *alive)
{
	char ifname[IF_NAMESIZE];

	if (is_staging(name)) {
		if (is_complete(dir_fd, name) &&
		    !renameat2(dir_fd, name, dir_fd, name + strlen(STAGING), RENAME_NOREPLACE))
			*(bool *)alive = true;
		else
			return porch_pins_remove_tree(dir_fd, name);
	} else if (porch_pins_is_number(name)) {
		if (!if_indextoname(atoi(name), ifname))
			return porch_pins_remove_tree(dir_fd, name);
		*(bool *)alive = true;
	}
	return 0;
}

static int own_cookie(char text[COOKIE_TEXT])
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	__u64 cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0)
		return -errno;
	/* older than 5.14: all cookies read 0, and the inode number has to do */
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
		cookie = 0;
	snprintf(text, COOKIE_TEXT, "%" PRIu64, (uint64_t)cookie);
	return 0;
}

bool porch_pins_is_own(int dir_fd)
{
	char own[COOKIE_TEXT], there[COOKIE_TEXT];
	ssize_t n = readlinkat(dir_fd, COOKIE, there, sizeof(there) - 1);

	if (n < 0 || own_cookie(own))
		return false;
	there[n] = '\0';
	return !strcmp(own, there);
}

/* Staging directory of the namespace, or of one interface in it. */
static void staging_path(const struct porch_pins *pins, int ifindex, char buf[PORCH_PIN_PATH])
{
	int room = PORCH_PIN_PATH / 2 + 32;

	if (ifindex)
		snprintf(buf, PORCH_PIN_PATH, "%.*s/" STAGING "%d", room, pins->dir, ifindex);
	else
		snprintf(buf, PORCH_PIN_PATH, "%.*s/" STAGING "%u", room, pins->root, pins->netns_inum);
}

int porch_pins_settle(struct porch_pins *pins)
{
	char staging[PORCH_PIN_PATH];
	_cleanup_close_ int stage = -1, fd = -1;
	bool alive = false;
	int r;

	staging_path(pins, 0, staging);
	stage = open(staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (stage >= 0 && (!porch_pins_is_own(stage) || each_name(stage, any_complete, NULL) != 1 ||
			   renameat2(AT_FDCWD, staging, AT_FDCWD, pins->dir, RENAME_NOREPLACE))) {
		r = porch_pins_remove_tree(AT_FDCWD, staging);
		if (r)
			return r;
	}
	fd = open(pins->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = porch_pins_is_own(fd) ? each_name(fd, settle_interface, &alive) : 0;
	if (!r && !alive)
		r = porch_pins_remove_tree(AT_FDCWD, pins->dir);
	return r;
}

/* Others may remove what is empty or not yet locked: then once more. */
static int stage_namespace(struct porch_pins *pins, const char *path)
{
	char cookie[COOKIE_TEXT];
	int r = own_cookie(cookie);

	while (!r) {
		struct stat st;
		_cleanup_close_ int fd = -1;

		if (mkdir(pins->root, 0700) && errno != EEXIST)
			return -errno;
		if (mkdir(path, 0700) && errno != ENOENT)
			return -errno;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || flock(fd, LOCK_EX) || fstat(fd, &st))
			return -errno;
		if (!st.st_nlink)
			continue;
		if (symlinkat(cookie, fd, COOKIE))
			return -errno;
		pins->stage_fd = TAKE_FD(fd);
		return 0;
	}
	return r;
}

int porch_pins_stage(struct porch_pins *pins, int ifindex, char path[PORCH_PIN_PATH], struct porch_err *err)
{
	char stage[PORCH_PIN_PATH];
	int r = 0;

	if (ifindex && !porch_pins_exist(pins)) {
		/* the namespace itself is in the making: no second stage is needed */
		staging_path(pins, 0, stage);
		snprintf(path, PORCH_PIN_PATH, "%.*s/%d", PORCH_PIN_PATH - 16, stage, ifindex);
	} else {
		staging_path(pins, ifindex, path);
	}
	if (!ifindex)
		r = stage_namespace(pins, path);
	else if (mkdir(path, 0700))
		r = -errno;
	return r ? porch_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

int porch_pins_commit(struct porch_pins *pins, int ifindex, struct porch_err *err)
{
	char staging[PORCH_PIN_PATH], final[PORCH_PIN_PATH];
	int r;

	staging_path(pins, ifindex, staging);
	if (ifindex)
		snprintf(final, sizeof(final), "%.*s/%d", PORCH_PIN_PATH / 2 + 32, pins->dir, ifindex);
	if (renameat2(AT_FDCWD, staging, AT_FDCWD, ifindex ? final : pins->dir, RENAME_NOREPLACE)) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s", staging, strerror(-r));
	}
	if (!ifindex)
		pins->dir_fd = TAKE_FD(pins->stage_fd);
	return 0;
}

void porch_pins_drop(struct porch_pins *pins, int ifindex)
{
	char staging[PORCH_PIN_PATH];

	staging_path(pins, ifindex, staging);
	porch_pins_remove_tree(AT_FDCWD, staging);
	if (!ifindex && pins->stage_fd >= 0)
		close(TAKE_FD(pins->stage_fd));
}

static int sweep(int dir_fd, const char *name, void *arg)
{
	const struct porch_pins *pins = arg;
	_cleanup_close_ int fd = -1;
	const char *number = is_staging(name) ? name + strlen(STAGING) : name;

	if (!porch_pins_is_number(number) || (__u32)strtoul(number, NULL, 10) == pins->netns_inum)
		return 0;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && !each_name(fd, any_on_device, NULL))
		porch_pins_remove_tree(dir_fd, name);
	return 0;
}

/*
 * A namespace that ended took its devices along, so its links are on none; its
 * directory would keep the tracepoint busy for everybody. A directory that
 * somebody works in is locked; one that is attached has a link on a device.
 */
void porch_pins_sweep_dead(const struct porch_pins *pins)
{
	_cleanup_close_ int fd = open(pins->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		each_name(fd, sweep, (void *)pins);
}
