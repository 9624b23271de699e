/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What porchd has done with a HANDED flow: its phase and worker, one 64-bit
 * word that porchd stores and everybody else only reads, once per packet.
 */
#ifndef PORCH_BPF_PHASE_H
#define PORCH_BPF_PHASE_H

INLINE struct porch_steer *steer_at(__u32 index)
{
	return bpf_map_lookup_elem(&porch_steer, &index);
}

/* The word, as it counts for this owner of the entry: one for another serial
 * was meant for an earlier owner, and says {PENDING, worker 0}. */
INLINE __u64 steer_word(const struct porch_steer *s, __u32 serial)
{
	__u64 word = *(const volatile __u64 *)&s->word;

	return PORCH_STEER_SERIAL(word) == serial ? word : PORCH_STEER(serial, PORCH_PHASE_PENDING, 0);
}

INLINE __u32 steer_serial(const struct porch_steer *s)
{
	return *(const volatile __u32 *)&s->serial;
}

/* Has porchd ever taken note of this owner? */
INLINE int steer_is_noted(const struct porch_steer *s)
{
	return PORCH_STEER_SERIAL(*(const volatile __u64 *)&s->word) == steer_serial(s);
}

INLINE __u8 steer_phase(const struct porch_steer *s)
{
	return PORCH_STEER_PHASE(steer_word(s, steer_serial(s)));
}

/* Somebody, porchd or a worker, has the connection. CLOSING is what a dead
 * worker leaves: porchd answers for it, but there is no connection any more. */
INLINE int phase_is_alive(__u8 phase)
{
	return phase < PORCH_PHASE_CLOSING;
}

/* Nobody has it: it is remembered for its tuple's sake only. */
INLINE int phase_is_over(__u8 phase)
{
	return phase > PORCH_PHASE_CLOSING;
}

/* The same, of the HANDED flow with this index. */
INLINE int flow_is_alive(__u32 index)
{
	struct porch_steer *s = steer_at(index);

	return s && phase_is_alive(steer_phase(s));
}

#endif /* PORCH_BPF_PHASE_H */
