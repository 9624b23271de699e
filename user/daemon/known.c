// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/err.h"
#include "core/pins.h"
#include "core/tables.h"
#include "core/util.h"
#include "daemon/known.h"
#include "handshake.skel.h"

struct place {
	uint32_t fingerprint, set1, set2;
};

/* The section as this build has it: variables, then strings that have no names. */
static size_t section_size(void)
{
	struct handshake *object = handshake__open();
	size_t size = object ? bpf_map__value_size(object->maps.rodata) : 0;

	handshake__destroy(object);
	return size;
}

int known_read(const char *dir, uint32_t n_flows, struct known_hash *ret, struct porch_err *err)
{
	__typeof__(((struct handshake *)0)->rodata) rodata;
	char path[2 * PORCH_PIN_PATH];
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), zero = 0;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ void *value = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/rodata", dir);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size)) {
		r = -errno;
		return porch_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	rodata = value = calloc(1, info.value_size + sizeof(*rodata));
	if (!value)
		return porch_err_set(err, -ENOMEM, "out of memory");
	if (info.value_size != section_size() || bpf_map_lookup_elem(fd, &zero, value) ||
	    (rodata->flow_set_mask + 1ull) * PORCH_SET_WAYS != n_flows)
		return porch_err_set(err, -EPROTO,
				     "%s: made by another version of porch; detach, then attach again", path);
	ret->set_mask = rodata->flow_set_mask;
	ret->mix = rodata->flow_hash_mix;
	memcpy(ret->key, (const void *)rodata->flow_hash_key, sizeof(ret->key));
	return 0;
}

static uint64_t nh(const struct known_hash *hash, uint32_t a, uint32_t b, int i)
{
	return (uint64_t)(a + hash->key[i]) * (uint32_t)(b + hash->key[i + 1]);
}

/* flow_hash() of bpf/flows.h */
static struct place place_of(const struct known_hash *hash, const struct porch_tuple *t)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint32_t ports = htons(t->remote_port) | (uint32_t)htons(t->local_port) << 16;
	struct place at;
	uint32_t s[4], d[4];
	uint64_t h;

	memcpy(s, t->remote, 16);
	memcpy(d, t->local, 16);
	if (memcmp(t->remote, mapped, 12))
		h = nh(hash, s[0], s[1], 2) + nh(hash, s[2], s[3], 4) + nh(hash, d[0], d[1], 6) +
		    nh(hash, d[2], d[3], 8) + nh(hash, ports, 0, 10);
	else
		h = nh(hash, s[3], d[3], 12) + nh(hash, ports, 0, 14);
	h *= hash->mix;
	h ^= h >> 29;
	at.fingerprint = h >> 49;
	at.fingerprint |= !at.fingerprint;
	at.set1 = (h >> 16) & hash->set_mask;
	at.set2 = (at.set1 ^ (at.fingerprint * 0x9e3779b1u >> 7)) & hash->set_mask;
	return at;
}

uint32_t known_find(const struct porch_tables *t, const struct known_hash *hash,
		    const struct porch_tuple *tuple)
{
	struct place at = place_of(hash, tuple);
	int i;

	for (i = 0; i < 2 * PORCH_SET_WAYS; i++) {
		uint32_t set = i < PORCH_SET_WAYS ? at.set1 : at.set2, way = i % PORCH_SET_WAYS;
		uint32_t index = set * PORCH_SET_WAYS + way;
		uint64_t word = __atomic_load_n(&t->flow_tags[set], __ATOMIC_ACQUIRE);
		const struct porch_flow *f = &t->flows[index];
		uint8_t state;

		if ((word >> way * 16 & PORCH_TAG_MASK) != at.fingerprint)
			continue;
		state = __atomic_load_n(&f->state, __ATOMIC_ACQUIRE);
		if (state != PORCH_FLOW_FREE && state != PORCH_FLOW_BUSY &&
		    !memcmp(f->remote, tuple->remote, 16) && !memcmp(f->local, tuple->local, 16) &&
		    f->remote_port == tuple->remote_port && f->local_port == tuple->local_port)
			return index;
	}
	return PORCH_NO_FLOW;
}
