// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include <bpf/bpf.h>

#include "core/err.h"
#include "core/pins.h"
#include "core/pins_internal.h"
#include "core/util.h"

static const char *bpffs(void)
{
	const char *root = getenv("PORCH_BPFFS");

	return root && *root ? root : PORCH_BPFFS_DEFAULT;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (__u32)fs.f_type == BPF_FS_MAGIC;
}

/* 1: `pid` is in another mount namespace and has another file system than we at `root`; *parent: its parent.
 */
static int sees_another(int pid, const char *root, int *parent)
{
	char path[PORCH_PIN_PATH], line[512], *state;
	struct stat here, there;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	if (!state || sscanf(state + 1, " %*c %d", parent) != 1)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	if (stat("/proc/self/ns/mnt", &here) || stat(path, &there) || here.st_ino == there.st_ino)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root%.*s", pid, PORCH_PIN_PATH / 2, root);
	return !stat(root, &here) && !stat(path, &there) && here.st_dev != there.st_dev;
}

/*
 * `ip netns exec` runs its command in a mount namespace of its own, with a
 * bpffs of its own: what is pinned there ends with the command, and what the
 * rest of the host has pinned is not seen. Whoever started us sees the host's.
 */
static int check_passing(const char *root, struct porch_err *err)
{
	int pid, parent = 0;

	if (getenv("PORCH_BPFFS"))
		return 0;
	for (pid = getppid(); pid > 0; pid = parent) {
		parent = 0;
		if (sees_another(pid, root, &parent))
			return porch_err_set(
				err, -ENXIO,
				"%s: not the host's bpffs but one that ends with this command; use "
				"'nsenter --net=/run/netns/NAME' in place of 'ip netns exec NAME', or set "
				"PORCH_BPFFS",
				root);
	}
	return 0;
}

static int mount_bpffs(const char *path, struct porch_err *err)
{
	int r;

	if (is_bpffs(path))
		return 0;
	if (mkdir(path, 0700) && errno != EEXIST) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s; make it, or set PORCH_BPFFS to a mounted bpffs", path,
				     strerror(-r));
	}
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		r = -errno;
		return porch_err_set(err, r, "%s: mounting bpffs: %s; run as root with CAP_SYS_ADMIN", path,
				     strerror(-r));
	}
	return 0;
}

int porch_pins_open_dir(struct porch_pins *pins)
{
	_cleanup_close_ int fd = open(pins->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!porch_pins_is_own(fd))
		return -ENOENT;
	/* tells sweepers that somebody is at work; of writers there is but one */
	if (pins->access != PORCH_READ && flock(fd, LOCK_EX))
		return -errno;
	if (pins->dir_fd >= 0)
		close(pins->dir_fd);
	pins->dir_fd = TAKE_FD(fd);
	return 0;
}

static int open_writer(struct porch_pins *pins, const char *root, struct porch_err *err)
{
	int r;

	while (flock(pins->netns_fd, LOCK_EX)) {
		r = -errno;
		if (r != -EINTR)
			return porch_err_set(err, r, "network namespace %u: cannot be locked: %s",
					     pins->netns_inum, strerror(-r));
	}
	if (pins->access == PORCH_CREATE) {
		r = mount_bpffs(root, err);
		if (r)
			return r;
	}
	r = porch_pins_settle(pins);
	if (r)
		return porch_err_set(err, r, "%s: %s%s", pins->root, strerror(-r),
				     r == -EACCES ? "; run as root" : "");
	return 0;
}

int porch_pins_open(struct porch_pins *ret, enum porch_access access, struct porch_err *err)
{
	struct porch_pins pins = { .netns_fd = -1, .dir_fd = -1, .stage_fd = -1, .access = access };
	const char *root = bpffs();
	struct stat st;
	int r;

	if (strlen(root) > PORCH_PIN_PATH / 2)
		return porch_err_set(err, -ENAMETOOLONG,
				     "PORCH_BPFFS: longer than %d octets; use a shorter path",
				     PORCH_PIN_PATH / 2);
	pins.netns_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (pins.netns_fd < 0 || fstat(pins.netns_fd, &st)) {
		r = -errno;
		porch_pins_close(&pins);
		return porch_err_set(err, r, "/proc/thread-self/ns/net: %s; is /proc mounted?", strerror(-r));
	}
	pins.netns_inum = st.st_ino;
	snprintf(pins.root, sizeof(pins.root), "%s/porch", root);
	snprintf(pins.dir, sizeof(pins.dir), "%s/porch/%u", root, pins.netns_inum);
	r = check_passing(root, err);
	if (!r && access != PORCH_READ)
		r = open_writer(&pins, root, err);
	if (!r) {
		r = porch_pins_open_dir(&pins);
		if (r == -ENOENT)
			r = 0;
		else if (r)
			porch_err_set(err, r, "%s: %s%s", pins.dir, strerror(-r),
				      r == -EACCES ? "; run as root" : "");
	}
	if (r) {
		porch_pins_close(&pins);
		return r;
	}
	*ret = pins;
	return 0;
}

void porch_pins_close(struct porch_pins *pins)
{
	/* the last to go leaves nothing; it stays while anything is in it */
	if (pins->access != PORCH_READ && *pins->root)
		rmdir(pins->root);
	if (pins->stage_fd >= 0)
		close(pins->stage_fd);
	if (pins->dir_fd >= 0)
		close(pins->dir_fd);
	if (pins->netns_fd >= 0)
		close(pins->netns_fd);
	pins->stage_fd = pins->dir_fd = pins->netns_fd = -1;
}

char *porch_pins_path(const struct porch_pins *pins, int ifindex, const char *name, char buf[PORCH_PIN_PATH])
{
	if (ifindex > 0)
		snprintf(buf, PORCH_PIN_PATH, "%.*s/%d/%s", PORCH_PIN_PATH / 2 + 32, pins->dir, ifindex,
			 name);
	else
		snprintf(buf, PORCH_PIN_PATH, "%.*s/%s", PORCH_PIN_PATH / 2 + 32, pins->dir, name);
	return buf;
}

int porch_pins_get(const struct porch_pins *pins, int ifindex, const char *name)
{
	char path[PORCH_PIN_PATH];
	int fd = bpf_obj_get(porch_pins_path(pins, ifindex, name, path));

	return fd < 0 ? -errno : fd;
}

bool porch_pins_is_number(const char *name)
{
	return *name && strspn(name, "0123456789") == strlen(name);
}

int porch_pins_each_interface(const struct porch_pins *pins, int (*fn)(int ifindex, void *arg), void *arg)
{
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	if (!porch_pins_exist(pins))
		return 0;
	dir = opendir(pins->dir);
	if (!dir)
		return -errno;
	while (!r && (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && porch_pins_is_number(entry->d_name))
			r = fn(atoi(entry->d_name), arg);
	}
	closedir(dir);
	return r;
}

int porch_pins_remove(struct porch_pins *pins, int ifindex, const char *name)
{
	char path[PORCH_PIN_PATH];

	return unlink(porch_pins_path(pins, ifindex, name, path)) && errno != ENOENT ? -errno : 0;
}

int porch_pins_remove_interface(struct porch_pins *pins, int ifindex)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", ifindex);
	return porch_pins_remove_tree(pins->dir_fd, name);
}

int porch_pins_remove_all(struct porch_pins *pins)
{
	int r = porch_pins_remove_tree(AT_FDCWD, pins->dir);

	if (!r && pins->dir_fd >= 0) {
		close(pins->dir_fd);
		pins->dir_fd = -1;
	}
	return r;
}

int porch_pin(int fd, const char *dir, const char *name)
{
	char path[2 * PORCH_PIN_PATH];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* the kernel itself makes pins 0600, less the umask */
	return bpf_obj_pin(fd, path) ? -errno : 0;
}
