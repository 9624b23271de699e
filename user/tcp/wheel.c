// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hierarchical timer wheel: six levels of 64 slots, one word of occupancy each.
 * Adding and removing are O(1); a timer moves down a level at most five times.
 * A timer on level n > 0 lies one slot early, so that it is looked at before it
 * is due and then put where it is exact.
 */
#include "tcp/internal.h"

#define BITS	6
#define MASK	(TCP_WHEEL_SLOTS - 1)
#define LONGEST ((1ull << (BITS * TCP_WHEEL_LEVELS)) - 1)

static inline uint64_t rotl(uint64_t v, unsigned int n)
{
	n &= MASK;
	return n ? v << n | v >> (64 - n) : v;
}

static inline uint64_t rotr(uint64_t v, unsigned int n)
{
	return rotl(v, 64 - (n & MASK));
}

void wheel_init(struct tcp_wheel *wheel, uint64_t now)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->tick = now >> TCP_WHEEL_SHIFT;
}

static void place(struct tcp_wheel *wheel, struct tcp_timer *timer)
{
	uint64_t left = timer->expires - wheel->tick;
	unsigned int level, slot;
	struct tcp_timer **head;

	if (left > LONGEST)
		left = LONGEST;
	level = (63 - __builtin_clzll(left)) / BITS;
	slot = ((wheel->tick + left) >> (level * BITS)) - !!level;
	slot &= MASK;
	head = &wheel->slot[level][slot];
	timer->next = *head;
	if (timer->next)
		timer->next->pprev = &timer->next;
	timer->pprev = head;
	*head = timer;
	wheel->busy[level] |= 1ull << slot;
}

/* Never early: rounded up to the next tick. */
void wheel_add(struct tcp_wheel *wheel, struct tcp_timer *timer, uint64_t when)
{
	timer->expires = (when >> TCP_WHEEL_SHIFT) + 1;
	if (timer->expires <= wheel->tick)
		timer->expires = wheel->tick + 1;
	place(wheel, timer);
}

void wheel_del(struct tcp_wheel *wheel, struct tcp_timer *timer)
{
	struct tcp_timer **first = &wheel->slot[0][0], **pprev = timer->pprev;

	if (!pprev)
		return;
	*pprev = timer->next;
	if (timer->next)
		timer->next->pprev = pprev;
	else if (pprev >= first && pprev < first + TCP_WHEEL_LEVELS * TCP_WHEEL_SLOTS)
		wheel->busy[(pprev - first) / TCP_WHEEL_SLOTS] &=
			~(1ull << ((pprev - first) % TCP_WHEEL_SLOTS));
	timer->pprev = NULL;
}

/* Slots of a level that lie between two ticks, the later one included. */
static uint64_t passed(uint64_t from, uint64_t elapsed, unsigned int level)
{
	uint64_t steps = elapsed >> (level * BITS), run;

	if (steps > MASK)
		return ~0ull;
	run = (1ull << steps) - 1;
	return rotl(run, from >> (level * BITS)) |
	       rotr(rotl(run, (from + elapsed) >> (level * BITS)), steps) |
	       1ull << (((from + elapsed) >> (level * BITS)) & MASK);
}

struct tcp_timer *wheel_run(struct tcp_wheel *wheel, uint64_t now)
{
	uint64_t tick = now >> TCP_WHEEL_SHIFT, elapsed, slots;
	struct tcp_timer *found = NULL, *due = NULL, *timer;
	unsigned int level;

	if (tick <= wheel->tick)
		return NULL;
	elapsed = tick - wheel->tick;
	for (level = 0; level < TCP_WHEEL_LEVELS; level++) {
		uint64_t look = passed(wheel->tick, elapsed, level);

		for (slots = look & wheel->busy[level]; slots; slots &= slots - 1) {
			struct tcp_timer **head = &wheel->slot[level][__builtin_ctzll(slots)];

			while ((timer = *head)) {
				*head = timer->next;
				timer->next = found;
				found = timer;
			}
		}
		wheel->busy[level] &= ~look;
		if (!(look & 1)) /* no turn of this level is complete */
			break;
		elapsed = max_u64(elapsed, (uint64_t)TCP_WHEEL_SLOTS << (level * BITS));
	}
	wheel->tick = tick;
	while ((timer = found)) {
		found = timer->next;
		if (timer->expires > tick) {
			place(wheel, timer);
		} else {
			timer->pprev = NULL;
			timer->next = due;
			due = timer;
		}
	}
	return due;
}

uint64_t wheel_next(const struct tcp_wheel *wheel)
{
	uint64_t next = TCP_NEVER, below = 0, left;
	unsigned int level;

	for (level = 0; level < TCP_WHEEL_LEVELS; level++) {
		if (wheel->busy[level]) {
			left = rotr(wheel->busy[level], wheel->tick >> (level * BITS));
			left = (uint64_t)(__builtin_ctzll(left) + !!level) << (level * BITS);
			left -= below & wheel->tick;
			next = min_u64(next, left);
		}
		below = below << BITS | MASK;
	}
	return next == TCP_NEVER ? TCP_NEVER : (wheel->tick + next) << TCP_WHEEL_SHIFT;
}
