/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Between porchd and a worker: messages on the control socket, and the memory
 * both map. This header says who writes each field; nobody else does.
 *
 * A worker is one thread's context (one struct porch). It is numbered 1 to
 * PORCH_WORKERS_MAX - 1 by porchd; 0 is porchd.
 *
 * Control socket: AF_UNIX SOCK_SEQPACKET. Every message is one struct porch_msg,
 * sent whole; file descriptors ride on it with SCM_RIGHTS. porchd closes the
 * connection of a peer that sends anything else, takes longer than
 * PORCH_STEP_MS for a step, or whose uid is not listed.
 *
 *   worker                         porchd
 *   HELLO                      ->
 *                              <-  WELCOME   fds: session memfd, wake_worker, wake_daemon (eventfds)
 *                              <-  AREA      fds: group memfd, XSK of the area's queue owner   } once per
 *                              <-  SOCKET    fds: XSK of this worker                            } area
 *   (maps RX, TX of its XSK, and FILL, COMPLETION if it can)
 *   MAPPED                     ->
 *                              <-  BOUND     (the XSK is bound; mode says how)                  } once per area
 *                              <-  READY
 *   LISTEN                     ->
 *                              <-  LISTENING (result, handle)
 *   UNLISTEN                   ->
 *                              <-  UNLISTENED
 *   HANDBACK                   ->  fd: a memfd of what is still to be said (struct porch_handback_entry)
 *                                  (no fd: it has none, and had to reset some; not answered)
 *                              <-  HANDBACK  (how many connections porchd has taken; the rest it resets)
 *   GOODBYE                    ->  (orderly end; a closed socket means the same, with resets)
 *
 * An area is one RX queue of one interface. The RX and TX rings of an XSK are
 * mapped before it is bound, which every kernel allows (XDP_PGOFF_RX_RING ...,
 * linux/if_xdp.h); FILL and COMPLETION belong to the area's first socket: a
 * worker maps them from the second fd of AREA if it lets it (before bind, or
 * Linux 6.4), and says so in MAPPED: without, it can never hold the lease.
 *
 * AREA_DOWN: the worker closes the area's XSK and unmaps its rings and the group
 * memory (a mapping that lives keeps the queue busy for everybody). Connections
 * stay. AREA_NEW, AREA, SOCKET with the same number may follow: MAPPED, BOUND.
 *
 * After porchd's death the worker keeps everything and connects anew: REJOIN
 * (fds: session memfd, wake_worker, wake_daemon) instead of HELLO, then AREA
 * and SOCKET in the worker's direction, with the same fds, once per area, and
 * MAPPED as the end; then porchd answers READY, and a LISTENING for each listener of the session, or
 * REFUSED: the worker drops everything and may say HELLO.
 *
 * All integers in host order, except addresses (network order, as in maps.h).
 */
#ifndef PORCH_WIRE_H
#define PORCH_WIRE_H

#include <stdint.h>

#include <porch/ring.h>

#define PORCH_WIRE_VERSION 2
#define PORCH_SOCKET_DEFAULT "/run/porch/porchd.sock"
#define PORCH_STEP_MS 2000		/* for each step of the handshake above */

#define PORCH_AREAS_MAX 64		/* per worker */
#define PORCH_WORKER_LISTENERS 32	/* per worker */
#define PORCH_QUEUE_ANY 0xffffffffu

/*
 * Octets in front of every frame for sending, where the UMEM was registered with
 * that many (XDP_UMEM_TX_METADATA_LEN, Linux 6.11): descriptors then point that
 * far into their frames, and those with PORCH_TXMD_OPTION have a struct
 * porch_tx_metadata there. Without, the kernel refuses that option.
 */
#define PORCH_TX_METADATA 32
#define PORCH_TXMD_OPTION (1u << 1)	/* XDP_TX_METADATA */
#define PORCH_TXMD_CHECKSUM (1u << 1)	/* XDP_TXMD_FLAGS_CHECKSUM */

/* struct xsk_tx_metadata of linux/if_xdp.h, which older headers do not have. */
struct porch_tx_metadata {
	uint64_t flags;			/* PORCH_TXMD_CHECKSUM: the sum field holds that of the pseudo-header */
	uint16_t csum_start;		/* octets from the start of the frame: the TCP header */
	uint16_t csum_offset;		/* from there: its sum field */
	uint8_t reserved[12];
};
_Static_assert(sizeof(struct porch_tx_metadata) <= PORCH_TX_METADATA, "it lies there");

enum porch_msg_type {
	PORCH_MSG_HELLO = 1,
	PORCH_MSG_WELCOME = 2,
	PORCH_MSG_AREA = 3,
	PORCH_MSG_SOCKET = 4,
	PORCH_MSG_MAPPED = 5,
	PORCH_MSG_BOUND = 6,
	PORCH_MSG_READY = 7,
	PORCH_MSG_LISTEN = 8,
	PORCH_MSG_LISTENING = 9,
	PORCH_MSG_UNLISTEN = 10,
	PORCH_MSG_UNLISTENED = 11,
	PORCH_MSG_GOODBYE = 12,
	PORCH_MSG_REJOIN = 13,
	PORCH_MSG_REFUSED = 14,		/* instead of an answer; result and text say why */
	PORCH_MSG_AREA_DOWN = 15,	/* porchd: the area's interface, program or queue is gone */
	PORCH_MSG_AREA_NEW = 16,	/* porchd: AREA, SOCKET, ... follow, for one area more */
	PORCH_MSG_CAPTURE = 17,		/* `porch capture` -> porchd -> workers; fd: a pipe for pcap records */
	PORCH_MSG_NEIGHBOUR = 18,	/* porchd: a next hop has another MAC */
	PORCH_MSG_HANDBACK = 19,	/* before GOODBYE: connections that porchd is to finish; and its answer */
};

struct porch_msg {
	uint32_t type;			/* enum porch_msg_type */
	uint32_t version;		/* PORCH_WIRE_VERSION */
	int32_t result;			/* 0 or -errno */
	uint32_t reserved;
	union {
		struct {		/* HELLO, REJOIN */
			uint32_t queue;		/* RX queue wanted of every interface; PORCH_QUEUE_ANY: all */
			uint32_t worker;	/* REJOIN: number it had */
			uint64_t generation;	/* REJOIN: of WELCOME */
			char name[32];		/* for people; terminated */
		} hello;
		struct {		/* WELCOME */
			uint32_t worker;
			uint32_t areas;		/* AREA and SOCKET messages that follow */
			uint64_t generation;	/* random; names this run of porchd */
			uint64_t session_size;	/* octets of the session memfd */
			uint64_t handback;	/* octets that HANDBACK may bring; 0: porchd takes nothing back */
		} welcome;
		struct {		/* AREA */
			uint32_t area;		/* number, 0 to PORCH_AREAS_MAX - 1 */
			uint32_t ifindex;
			uint32_t queue;
			uint32_t mtu;		/* of the interface, octets above Ethernet */
			uint64_t group_size;	/* octets of the group memfd */
			uint64_t head;		/* offset of this area's struct porch_area_head in it */
			uint64_t umem;		/* offset of its UMEM: address 0 of every descriptor */
			uint64_t umem_size;
			uint32_t frame_size;	/* 2048 or 4096 */
			uint32_t rx_frames;	/* frames 0 to rx_frames - 1 receive */
			uint32_t fill_entries;
			uint32_t completion_entries;
			uint32_t tx_metadata;	/* 0, or PORCH_TX_METADATA */
			uint32_t reserved;
		} area;
		struct {		/* SOCKET */
			uint32_t area;
			uint32_t rx_entries;
			uint32_t tx_entries;
			uint32_t tx_first;	/* this worker's frames for sending: first, */
			uint32_t tx_frames;	/* and how many */
			uint32_t can_lease;	/* REJOIN: as MAPPED said */
			uint32_t zero_copy;
		} socket;
		struct {		/* MAPPED: bit n for area n; BOUND: area and mode */
			uint64_t can_lease;
			uint32_t area;
			uint32_t zero_copy;
		} mapped;
		struct {		/* LISTEN, LISTENING, UNLISTEN, UNLISTENED */
			uint8_t address[16];	/* all zero: every address */
			uint16_t port;		/* host order */
			uint16_t reserved;
			uint32_t backlog;
			uint32_t handle;	/* index into porch_session.listener[] */
			uint32_t limit;		/* LISTENING: what the queue holds at most, less one */
		} listen;
		struct {		/* AREA_DOWN, AREA_NEW */
			uint32_t area;
		} down;
		struct {		/* CAPTURE: until the pipe's reader is gone */
			uint32_t ifindex;
			uint32_t snaplen;	/* octets of each frame; records are written whole, at most PIPE_BUF */
		} capture;
		struct {		/* HANDBACK */
			uint32_t connections;	/* entries in the memfd; answer: of these taken */
			uint32_t reset;		/* connections that the worker had to reset: too much to say */
			uint64_t size;		/* octets of the memfd that count */
		} handback;
		struct {		/* NEIGHBOUR */
			uint32_t ifindex;
			uint8_t was[6], is[6];
		} neighbour;
		char text[176];		/* REFUSED: one line, terminated */
	};
};
_Static_assert(sizeof(struct porch_msg) == 192, "part of the protocol");

/* ---- group memory: one memfd per interface; every worker of the interface maps it ---- */

/*
 * Who may touch the FILL and COMPLETION rings of an area. Whoever means to does
 *   compare-and-swap LEASE(owner=me, idle, g) -> LEASE(me, busy, g); if that
 *   fails it is no longer the holder and uses its `give` and `back` rings;
 * works on the rings, reading their indices anew; then compare-and-swaps back to
 * LEASE(me, idle, g); if that fails porchd has torn the area down meanwhile.
 * porchd alone changes the owner, from idle to idle, with g + 1. So it can take
 * the rings from a stopped process, unless that was stopped while busy (a batch
 * of microseconds): then the area is torn down.
 *
 * A holder that does nothing is left alone; it loses the lease when FILL runs
 * low or COMPLETION is full and its `beat` has not moved for 100 ms. porchd
 * wakes a sleeping holder when an eighth of the RX frames lies in `give`.
 */
#define PORCH_LEASE(owner, busy, generation) \
	((uint64_t)(generation) << 32 | (uint64_t)(!!(busy)) << 16 | (uint16_t)(owner))
#define PORCH_LEASE_OWNER(word) ((uint16_t)(word))
#define PORCH_LEASE_BUSY(word) ((uint32_t)((word) >> 16) & 1)
#define PORCH_LEASE_GENERATION(word) ((uint32_t)((word) >> 32))

struct porch_area_head {
	_Alignas(64) uint64_t lease;	/* writers: porchd; its owner, as above */
	uint64_t reserved[7];
};

/* ---- session memory: one memfd per worker, sealed against resizing ---- */

/* A ring in the session memory. */
struct porch_ring_place {
	uint64_t offset;		/* from the start of the memory */
	uint32_t entries;
	uint32_t entry_size;
};

struct porch_session_area {		/* writer of all: porchd, before AREA is sent */
	struct porch_ring_place give;	/* porchd -> worker: frame addresses (uint64_t): its own TX frames, sent,
					 * while it does not hold the lease; RX frames that porchd has read, to
					 * be put into FILL, while it does (if not any more: into `back`) */
	struct porch_ring_place back;	/* worker -> porchd: RX frames received, without the lease. Always
					 * room for every RX frame of the area. After writing it, and when half
					 * of its TX frames are away, the worker wakes a sleeping porchd: that
					 * reads COMPLETION */
};

struct porch_session_listener {
	uint64_t granted;		/* writer: worker. Connections it was ever ready to take */
	uint64_t accepted;		/* writer: worker. Of those handed, returned by porch_accept() */
	_Alignas(64) uint64_t handed;	/* writer: porchd */
	uint32_t state;			/* writer: porchd. 1 listening, 0 not */
	uint32_t reserved;
	uint8_t address[16];		/* writer: porchd; for REJOIN */
	uint16_t port;
	uint16_t reserved1;
	uint32_t backlog;
};

#define PORCH_SESSION_MAGIC 0x3153525043524f50ull

struct porch_session {
	/* writer: porchd, before WELCOME */
	uint64_t magic;			/* PORCH_SESSION_MAGIC */
	uint32_t version;		/* PORCH_WIRE_VERSION */
	uint32_t worker;
	uint64_t generation;
	struct porch_ring_place accept;	/* porchd -> worker: struct porch_accept_entry */
	struct porch_ring_place inject;	/* porchd -> worker: struct porch_inject_entry and the frame */
	struct porch_ring_place finish;	/* worker -> porchd: struct porch_finish_entry */
	struct porch_session_area area[PORCH_AREAS_MAX];
	/*
	 * Sleeping: set the flag, fence (seq_cst), look at every ring once more, then
	 * block on the eventfd. Producer: publish, fence, and if the flag is set, clear
	 * it and write the eventfd. The XSK's own readiness needs no flag.
	 */
	_Alignas(64) uint32_t worker_sleeps;	/* writers: worker sets, porchd clears */
	_Alignas(64) uint32_t daemon_sleeps;	/* writers: porchd sets, worker clears */
	_Alignas(64) uint64_t beat;		/* writer: worker. Grows with each porch_poll() and call */
	_Alignas(64) struct porch_session_listener listener[PORCH_WORKER_LISTENERS];
	/* rings follow, where their places say */
};

/*
 * A connection, proven and the worker's from now on. Published before the flow
 * is steered; so the worker empties this ring, then `inject`, then its XSKs:
 * whatever it still does not know it counts and drops.
 */
#define PORCH_CLAIM_FREE 0
#define PORCH_CLAIM_TAKEN 1		/* the worker: it is mine from now on */
#define PORCH_CLAIM_RETURNED 2		/* porchd: the worker has read nothing for a second while another does; skip it */

struct porch_accept_entry {
	uint32_t flow;			/* index into porch_flows, */
	uint32_t serial;		/* and its serial: together the connection's name */
	uint32_t listener;		/* handle */
	uint32_t area;			/* where it came in */
	uint8_t remote[16];
	uint8_t local[16];
	uint16_t remote_port;
	uint16_t local_port;
	uint32_t irs;
	uint32_t iss;
	uint32_t ts_recent;		/* TSval of the proving segment */
	uint32_t ts_ecr;		/* its TSecr: the TSval of our SYN-ACK */
	uint16_t mss;			/* client's */
	uint16_t window;		/* of the proving segment, not scaled */
	uint8_t options;		/* PORCH_OPT_* of maps.h */
	uint8_t wscale;			/* client's low four bits, ours high four */
	uint8_t remote_mac[6];
	uint8_t local_mac[6];
	uint16_t tags[2];
	uint16_t early;			/* frames in `inject` that belong to it */
	uint64_t proven_ns;		/* CLOCK_MONOTONIC at XDP */
	uint64_t queued_ns;		/* nanoseconds between admission and handover */
	uint32_t claim;			/* PORCH_CLAIM_*; writers: both, by compare-and-swap from FREE */
	uint32_t rtt_us;		/* from the SYN-ACK to the proof; 0: not known */
	uint64_t reserved1;
};
_Static_assert(sizeof(struct porch_accept_entry) == 128, "part of the protocol");

/* A frame that reached porchd though the flow is the worker's: early, or from another queue. */
struct porch_inject_entry {
	uint32_t flow;
	uint32_t serial;
	uint32_t length;		/* octets of `frame` */
	uint16_t l3;			/* as in struct porch_record */
	uint16_t l4;
	uint16_t segment;		/* porch_record.length */
	uint8_t kind;			/* PORCH_RECORD_* */
	uint8_t reserved[13];
	uint8_t frame[];
};
_Static_assert(sizeof(struct porch_inject_entry) == 32, "part of the protocol");

/* The worker is done with a connection. */
enum porch_finish {
	PORCH_FINISH_CLOSED = 1,	/* reset, or closed without TIME-WAIT: a tombstone */
	PORCH_FINISH_TIME_WAIT = 2,	/* the numbers below answer a repeated FIN */
};

struct porch_finish_entry {
	uint32_t flow;
	uint32_t serial;
	uint32_t how;			/* enum porch_finish */
	uint32_t snd_nxt;
	uint32_t rcv_nxt;
	uint32_t ts_offset;		/* TSval less CLOCK_MONOTONIC in milliseconds */
	uint32_t reserved[2];
};
_Static_assert(sizeof(struct porch_finish_entry) == 32, "part of the protocol");

/*
 * In the memfd of HANDBACK, sealed against writing and resizing: a connection
 * that its application has closed and its peer not yet. Behind each entry follow
 * `state_size` octets of struct tcp_handback (user/tcp/tcp.h; another size is
 * another version, and refused), then `octets` of data from its snd_una on; the
 * next entry begins at a multiple of 8. The worker reads and sends nothing on
 * these connections any more; those not taken it need not reset.
 */
struct porch_handback_entry {
	uint32_t flow;
	uint32_t serial;
	uint32_t state_size;
	uint32_t octets;
};
_Static_assert(sizeof(struct porch_handback_entry) == 16, "part of the protocol");

/* Octets of an entry with all that follows it. */
static inline uint64_t porch_handback_size(const struct porch_handback_entry *e)
{
	return (sizeof(*e) + (uint64_t)e->state_size + e->octets + 7) & ~7ull;
}

#endif /* PORCH_WIRE_H */
