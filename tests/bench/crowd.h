/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the crowd tool and its BPF programs agree on. */
#ifndef PORCH_BENCH_CROWD_H
#define PORCH_BENCH_CROWD_H

#define CROWD_PORTS 16384 /* ports of one address, from CROWD_PORT on */
#define CROWD_PORT  32768

enum crowd_kind {
	CROWD_CONNECT = 0, /* connects, and waits for the server's RST or FIN */
	CROWD_ASK = 1,	   /* one octet, its answer, one octet, ... */
	CROWD_IDLE = 2,	   /* connects, and says nothing more */
};

/* rodata */
struct crowd_config {
	__u32 ifindex;	   /* where the clients' frames go out */
	__u32 count;	   /* clients */
	__u32 source;	   /* address of the first, host order */
	__u32 destination; /* host order */
	__u16 port;
	__u16 kind;  /* enum crowd_kind */
	__u32 burst; /* SYNs that leave together */
	__u32 isn;
	__u64 gap_ns; /* between two SYNs, on average */
	__u8 mac[12]; /* destination, source */
};

/* A client's state, one __u64 in the map `clients`. */
enum crowd_state {
	CROWD_NEW = 0,
	CROWD_SYN_SENT = 1,
	CROWD_CONNECTED = 2,
	CROWD_FIN_SENT = 3,
	CROWD_DONE = 4,
};

#endif /* PORCH_BENCH_CROWD_H */
