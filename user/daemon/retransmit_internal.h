/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What retransmit.c and retransmit_room.c share. */
#ifndef PORCH_DAEMON_RETRANSMIT_INTERNAL_H
#define PORCH_DAEMON_RETRANSMIT_INTERNAL_H

#include "daemon/loop.h"
#include "daemon/retransmit.h"

#define ROOM_NS (20 * NS_PER_MS) /* from one walk to the next while there is room that others wait for */

/* A queue that was full and has room. */
struct room {
	bool asked;
	bool again;	  /* somebody has been asked too lately to be asked now */
	uint32_t left;	  /* in this walk */
	uint32_t invited; /* who has been asked and may be on the way */
	uint64_t invited_at;
};

struct retransmit {
	struct known_hash hash;
	struct loop_timer timer;
	struct porch_tuple *keys;
	struct porch_half_open *values;
	uint8_t secret[16];
	struct retransmit_rows rows;
	uint32_t limit; /* retries, from what the last walk found */
	uint64_t next;	/* walk, if there is no room to fill before */
	/* this walk */
	bool walking;
	uint32_t position; /* the kernel's, opaque */
	uint32_t pass;
	uint32_t entries, young;
	uint64_t took; /* ns so far */
	/* this second */
	uint64_t second;
	uint32_t spent;
	/* retransmit_room.c */
	struct room room[PORCH_LISTENERS_MAX];
	bool room_asked;    /* of any */
	uint64_t parked;    /* proofs that XDP has refused for want of room, when last counted, */
	uint64_t parked_at; /* and when there was a new one */
};

void retransmit_tick(struct daemon *d, void *arg);

/* At the start of a walk: counts what each queue could take. False: nobody waits for room that there is. */
bool room_begin(struct daemon *d);
/* May the entry, `age` old, be asked to prove itself again? */
bool room_wants(struct daemon *d, const struct porch_half_open *e, uint64_t age,
		const struct retransmit_row *row);
void room_taken(struct daemon *d, const struct porch_half_open *e);
/* At the end of a walk. */
void room_end(struct daemon *d);
/* Is it too young for any of this? Then it has no row. */
bool room_is_open(const struct daemon *d, const struct porch_half_open *e, uint64_t age);

#endif /* PORCH_DAEMON_RETRANSMIT_INTERNAL_H */
