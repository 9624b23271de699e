// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>

#include "core/err.h"
#include "core/keys.h"
#include "core/namespace.h"
#include "core/siphash.h"
#include "core/util.h"

#define HEX_DIGITS (2 * PORCH_KEY_BYTES)

static __u64 half(const __u8 *bytes)
{
	__u64 v = 0;
	int i;

	for (i = 7; i >= 0; i--)
		v = v << 8 | bytes[i];
	return v;
}

/* One-way, and never 0: "no key". */
__u32 porch_key_id(const __u8 key[PORCH_KEY_BYTES])
{
	__u32 id = porch_siphash24(key, "porch key id", 12);

	return id ? id : 1;
}

void porch_masters_push(struct porch_master masters[PORCH_MASTERS], const __u8 key[PORCH_KEY_BYTES],
			__u32 from_epoch)
{
	struct porch_master made = { .from_epoch = from_epoch, .id = porch_key_id(key) };
	int i;

	made.key.k[0] = half(key);
	made.key.k[1] = half(key + 8);
	/*
	 * A second change within one epoch takes the first one's place: that key
	 * has made no cookie yet, and pushing would cost an older one that has.
	 */
	if (!masters[0].id || masters[0].from_epoch < from_epoch) {
		for (i = PORCH_MASTERS - 1; i > 0; i--)
			masters[i] = masters[i - 1];
	}
	masters[0] = made;
}

static int load(const struct porch_namespace *ns, struct porch_keys *keys, struct porch_err *err)
{
	__u32 zero = 0;
	int r;

	if (!bpf_map_lookup_elem(ns->tables.keys_fd, &zero, keys))
		return 0;
	r = -errno;
	return porch_err_set(err, r, "%s/porch_keys: %s", ns->pins.dir, strerror(-r));
}

static void describe(const struct porch_master *master, __u32 epoch, struct porch_key_info *ret)
{
	ret->id = master->id;
	ret->from_epoch = master->from_epoch;
	ret->from_unix = (__s64)master->from_epoch * PORCH_EPOCH_SECONDS;
	ret->current = master->from_epoch <= epoch;
}

int porch_keys_list(const struct porch_namespace *ns, struct porch_key_info *list, size_t *n,
		    struct porch_err *err)
{
	struct porch_keys keys;
	bool found = false;
	size_t i, count = 0;
	int r;

	r = load(ns, &keys, err);
	if (r)
		return r;
	for (i = 0; i < PORCH_MASTERS && keys.master[i].id; i++) {
		describe(&keys.master[i], ns->tables.host->epoch, &list[count]);
		/* the newest in force makes the cookies, older ones are only accepted */
		list[count].current = list[count].current && !found;
		found |= list[count++].current;
	}
	explicit_bzero(&keys, sizeof(keys));
	*n = count;
	return 0;
}

int porch_keys_import(const struct porch_namespace *ns, const __u8 key[PORCH_KEY_BYTES],
		      struct porch_key_info *info, struct porch_err *err)
{
	__u32 zero = 0, from = ns->tables.host->epoch + 1;
	struct porch_keys keys;
	int r;

	r = load(ns, &keys, err);
	if (r)
		return r;
	if (keys.master[0].id == porch_key_id(key)) {
		/* imported again: nothing changes, so nothing may be pushed out */
		describe(&keys.master[0], from - 1, info ? info : &(struct porch_key_info){});
		explicit_bzero(&keys, sizeof(keys));
		return 0;
	}
	porch_masters_push(keys.master, key, from);
	/* the next epoch's key has been made of the old master: have it made again */
	keys.derived[from % PORCH_EPOCH_KEYS] = 0;
	if (info)
		describe(&keys.master[0], from - 1, info);
	r = bpf_map_update_elem(ns->tables.keys_fd, &zero, &keys, BPF_ANY) ? -errno : 0;
	explicit_bzero(&keys, sizeof(keys));
	if (r)
		return porch_err_set(err, r, "%s/porch_keys: %s", ns->pins.dir, strerror(-r));
	return porch_namespace_arm(ns, err);
}

static int random_key(__u8 key[PORCH_KEY_BYTES], struct porch_err *err)
{
	if (getrandom(key, PORCH_KEY_BYTES, 0) != PORCH_KEY_BYTES)
		return porch_err_set(err, -EIO, "getrandom: no random numbers");
	return 0;
}

int porch_keys_rotate(const struct porch_namespace *ns, struct porch_key_info *info, struct porch_err *err)
{
	__u8 key[PORCH_KEY_BYTES];
	int r;

	r = random_key(key, err);
	if (!r)
		r = porch_keys_import(ns, key, info, err);
	explicit_bzero(key, sizeof(key));
	return r;
}

int porch_keys_create(int keys_fd, __u32 epoch, struct porch_err *err)
{
	struct porch_keys keys = {};
	__u8 key[PORCH_KEY_BYTES];
	__u32 zero = 0;
	int r;

	r = random_key(key, err);
	if (r)
		return r;
	porch_masters_push(keys.master, key, epoch - 1);
	r = bpf_map_update_elem(keys_fd, &zero, &keys, BPF_ANY) ? -errno : 0;
	explicit_bzero(&keys, sizeof(keys));
	explicit_bzero(key, sizeof(key));
	return r ? porch_err_set(err, r, "porch_keys: %s", strerror(-r)) : 0;
}

static int hex(__u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int porch_key_parse(const void *data, size_t size, __u8 key[PORCH_KEY_BYTES], struct porch_err *err)
{
	__u8 made[PORCH_KEY_BYTES];
	const __u8 *bytes = data;
	int i, high, low, r = 0;

	if (size == PORCH_KEY_BYTES) {
		memcpy(key, bytes, PORCH_KEY_BYTES);
		return 0;
	}
	if (size == HEX_DIGITS + 2 && bytes[size - 2] == '\r' && bytes[size - 1] == '\n')
		size -= 2;
	else if (size == HEX_DIGITS + 1 && bytes[size - 1] == '\n')
		size--;
	if (size != HEX_DIGITS)
		return porch_err_set(err, -EINVAL, "a key is %d hexadecimal digits or %d octets", HEX_DIGITS,
				     PORCH_KEY_BYTES);
	for (i = 0; i < PORCH_KEY_BYTES && !r; i++) {
		high = hex(bytes[2 * i]);
		low = hex(bytes[2 * i + 1]);
		if (high < 0 || low < 0)
			r = porch_err_set(err, -EINVAL,
					  "a key is %d hexadecimal digits, and character %d is none",
					  HEX_DIGITS, 2 * i + (high < 0 ? 1 : 2));
		else
			made[i] = high << 4 | low;
	}
	if (!r)
		memcpy(key, made, sizeof(made));
	explicit_bzero(made, sizeof(made));
	return r;
}

int porch_key_read(const char *path, __u8 key[PORCH_KEY_BYTES], struct porch_err *err)
{
	bool is_stdin = !strcmp(path, "-");
	const char *name = is_stdin ? "stdin" : path;
	__u8 data[HEX_DIGITS + 8];
	struct porch_err why = {};
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	ssize_t n = 1;
	int r;

	/* no stdio: its buffer would keep a copy */
	fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s", name, strerror(-r));
	}
	while (n > 0 && size < sizeof(data)) {
		n = read(fd, data + size, sizeof(data) - size);
		if (n > 0)
			size += n;
	}
	if (n < 0) {
		r = -errno;
		porch_err_set(err, r, "%s: %s", name, strerror(-r));
	} else {
		r = porch_key_parse(data, size, key, &why);
		if (r)
			porch_err_set(err, r, "%s: %s", name, why.text);
	}
	explicit_bzero(data, sizeof(data));
	return r;
}
