/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Master keys. A key makes the cookies of the epochs from its first one on, so
 * a change loses no handshake: cookies of earlier epochs keep their key.
 * Nothing here prints a key, and no function gives one out.
 */
#ifndef PORCH_CORE_KEYS_H
#define PORCH_CORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <porch/maps.h>

struct porch_err;
struct porch_namespace;

#define PORCH_KEY_BYTES 16

struct porch_key_info {
	__u32 id;		/* tells keys apart, says nothing about them */
	__u32 from_epoch;	/* first epoch it makes cookies of */
	__s64 from_unix;	/* the same as unix time, seconds */
	bool current;		/* makes the cookies of this epoch */
};

/* The newest first. `list` holds PORCH_MASTERS. */
int porch_keys_list(const struct porch_namespace *ns, struct porch_key_info *list, size_t *n, struct porch_err *err);
/* A random key, respectively the given one, from the next epoch on. `*info` (may be NULL) says which. */
int porch_keys_rotate(const struct porch_namespace *ns, struct porch_key_info *info, struct porch_err *err);
int porch_keys_import(const struct porch_namespace *ns, const __u8 key[PORCH_KEY_BYTES],
		      struct porch_key_info *info, struct porch_err *err);
/* At first attach: a random key for all epochs from `epoch` - 1 on. */
int porch_keys_create(int keys_fd, __u32 epoch, struct porch_err *err);

/* 32 hexadecimal digits, with or without a line end, or 16 raw octets. -EINVAL otherwise. */
int porch_key_parse(const void *data, size_t size, __u8 key[PORCH_KEY_BYTES], struct porch_err *err);
/* From a file, or from stdin when `path` is "-". */
int porch_key_read(const char *path, __u8 key[PORCH_KEY_BYTES], struct porch_err *err);
__u32 porch_key_id(const __u8 key[PORCH_KEY_BYTES]);

/* The pure part: puts `key` in front of `masters`, in force from `from_epoch` on. */
void porch_masters_push(struct porch_master masters[PORCH_MASTERS], const __u8 key[PORCH_KEY_BYTES],
			__u32 from_epoch);

#endif /* PORCH_CORE_KEYS_H */
