// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The part of retransmit.h that knows neither clock nor kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"
#include "daemon/retransmit.h"

#define ROWS_MIN 1024

uint64_t retransmit_after(uint32_t n)
{
	return ((1ull << n) - 1) * NS_PER_SEC;
}

uint32_t retransmit_passed(uint64_t age)
{
	uint32_t n = 0;

	while (n < RETRANSMIT_RETRIES_MAX && age >= retransmit_after(n + 1))
		n++;
	return n;
}

uint32_t retransmit_limit(uint32_t retries, uint32_t entries, uint32_t young, uint32_t max)
{
	uint64_t twice = 2ull * young;

	if (2ull * entries <= max)
		return retries;
	for (; retries > 2 && entries >= twice; retries--)
		twice *= 2;
	return retries;
}

bool retransmit_proven(const struct porch_flow *flow, const struct porch_steer *steer, uint32_t irs)
{
	uint64_t word;
	uint8_t phase;

	switch (flow->state) {
	case PORCH_FLOW_PROVEN:
	case PORCH_FLOW_TOMBSTONE:
		return flow->irs == irs; /* else of another attempt, given up or over */
	case PORCH_FLOW_HANDED:
		word = __atomic_load_n(&steer->word, __ATOMIC_ACQUIRE);
		phase = PORCH_STEER_SERIAL(word) == steer->serial ? PORCH_STEER_PHASE(word)
								  : PORCH_PHASE_PENDING;
		if (phase == PORCH_PHASE_FORGOTTEN)
			return false;
		return flow->irs == irs || (phase != PORCH_PHASE_TIME_WAIT && phase != PORCH_PHASE_TOMBSTONE);
	default:
		return flow->state != PORCH_FLOW_FREE;
	}
}

static struct retransmit_row *probe(const struct retransmit_rows *rows, uint64_t name)
{
	uint32_t i = name & (rows->size - 1);

	while (rows->at[i].name && rows->at[i].name != name)
		i = (i + 1) & (rows->size - 1);
	return &rows->at[i];
}

/* To `size`, without the rows older than walk `pass` if `purge`. */
static int resize(struct retransmit_rows *rows, uint32_t size, bool purge, uint32_t pass)
{
	struct retransmit_rows moved = { .size = size };
	uint32_t i;

	moved.at = calloc(size, sizeof(*moved.at));
	if (!moved.at)
		return -ENOMEM;
	for (i = 0; i < rows->size; i++) {
		const struct retransmit_row *row = &rows->at[i];

		if (!row->name || (purge && row->pass != pass))
			continue;
		*probe(&moved, row->name) = *row;
		moved.used++;
	}
	free(rows->at);
	*rows = moved;
	return 0;
}

struct retransmit_row *retransmit_row(struct retransmit_rows *rows, uint64_t name, uint32_t pass)
{
	struct retransmit_row *row;

	name |= !name;
	if (rows->used >= rows->size / 2 && rows->size < 2 * RETRANSMIT_ROWS_MAX)
		(void)resize(rows, rows->size ? 2 * rows->size : ROWS_MIN, false, pass);
	if (!rows->size)
		return NULL;
	row = probe(rows, name);
	if (!row->name) {
		if (rows->used >= RETRANSMIT_ROWS_MAX || rows->used >= rows->size / 2)
			return NULL;
		rows->used++;
		*row = (struct retransmit_row){ .name = name };
	}
	row->pass = pass;
	return row;
}

void retransmit_rows_purge(struct retransmit_rows *rows, uint32_t pass)
{
	uint32_t i, live = 0, size = ROWS_MIN;

	for (i = 0; i < rows->size; i++)
		live += rows->at[i].name && rows->at[i].pass == pass;
	if (live == rows->used)
		return;
	if (!live) {
		retransmit_rows_free(rows);
		return;
	}
	while (size / 2 <= live)
		size *= 2;
	(void)resize(rows, size, true, pass);
}

void retransmit_rows_free(struct retransmit_rows *rows)
{
	free(rows->at);
	*rows = (struct retransmit_rows){};
}
