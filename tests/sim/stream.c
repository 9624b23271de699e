// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What either end sends: octets that follow from their place, so that nothing need be kept to know them. */
#include "tests/sim/sim.h"

#define PERIOD 65521 /* a prime: no power of two and no segment size away is the same again */

const uint8_t *sim_stream(int index, uint32_t offset)
{
	static uint8_t octets[2][PERIOD + SIM_RUN];
	static bool made;
	uint32_t i, k;

	for (k = 0; !made && k < 2; k++)
		for (i = 0; i < PERIOD + SIM_RUN; i++) {
			uint32_t v = i % PERIOD * 2654435761u + k * 97;

			octets[k][i] = (uint8_t)(v >> 24 ^ v >> 11);
		}
	made = true;
	return octets[index] + offset % PERIOD;
}
