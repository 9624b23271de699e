/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What bpf/ and user/ share: every struct that lies in a map, once.
 *
 * Included by BPF programs (behind vmlinux.h) and by userspace (behind
 * <linux/types.h>), so it uses the kernel's integer names and nothing else.
 * tests/bpf/layout.c compares each struct with the BTF of the built object.
 *
 * Conventions, unless a field says otherwise
 *   addresses  16 bytes in network order; IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2)
 *   ports      host order, so that `bpftool map dump` shows 80 as 80
 *   sequence   numbers in host order
 *   ticks      100 ms since boot (CLOCK_BOOTTIME), 32 bits, compared by difference
 *   "writer"   the only party that stores into the field after creation
 */
#ifndef PORCH_MAPS_H
#define PORCH_MAPS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Raised whenever anything in this file changes meaning. Kept in porch_host;
 * attach refuses to touch pinned maps of another layout. */
#define PORCH_LAYOUT 2

#define PORCH_TICKS_PER_SEC 10
#define PORCH_EPOCH_SECONDS 30		/* a cookie lives one to two epochs */
#define PORCH_COOKIE_LIFE_SECONDS (2 * PORCH_EPOCH_SECONDS)
#define PORCH_FORM_SECONDS 60		/* a cookie form is accepted this long after its last use */

#define PORCH_LISTENERS_MAX 256		/* index 0 is never used: it means "no listener" */
#define PORCH_CHAIN_MAX 8		/* listeners with one port and different addresses */
#define PORCH_PORTS 65536
#define PORCH_ADDR_SLOTS 1024		/* a power of two */
#define PORCH_IFACE_SLOTS 256		/* a power of two; slot = ifindex modulo this */
#define PORCH_BUDGET_SLOTS 2048		/* a power of two */
#define PORCH_SET_WAYS 4		/* flows per set; their fingerprints fill one __u64 */
#define PORCH_SLOTS 4096		/* AF_XDP sockets of a namespace: interface x worker x RX queue */
#define PORCH_WORKERS_MAX 64		/* worker 0 is porchd itself */
#define PORCH_HEARTBEAT_TICKS 30	/* without a sign of porchd for so long, nobody is admitted */
#define PORCH_AFXDP_WINDOW 65535	/* octets that the SYN-ACK of an afxdp listener announces */
#define PORCH_AFXDP_WSCALE 8		/* and its window scale, RFC 7323: up to 16 MiB */

/* ---- vocabulary: the numbers are in maps, the names in JSON, metrics and man pages ---- */

enum porch_deliver {
	PORCH_DELIVER_KERNEL = 0,
	PORCH_DELIVER_AFXDP = 1,
};

enum porch_protect {
	PORCH_PROTECT_OFF = 0,
	PORCH_PROTECT_MONITOR = 1,
	PORCH_PROTECT_ON_ATTACK = 2,
	PORCH_PROTECT_ALWAYS = 3,
};

enum porch_regime {
	PORCH_REGIME_KERNEL = 0,
	PORCH_REGIME_TRACKED = 1,
	PORCH_REGIME_STATELESS = 2,
};

enum porch_overflow {
	PORCH_OVERFLOW_DROP = 0,
	PORCH_OVERFLOW_RESET = 1,
};

/* Why SYNs of a listener pass to the kernel although its regime says otherwise. */
#define PORCH_HEALTH_LIST(X)                                                                       \
	X(0, UNPROBED, "unprobed", "nobody has looked since the socket, or porch, appeared")       \
	X(1, WELL, "well", "the kernel takes this listener's connections")                         \
	X(2, NO_SOCKET, "no_socket", "no listening socket for this address and port")              \
	X(3, MPTCP, "mptcp", "the socket is an MPTCP listener, which the kernel's kfunc refuses")   \
	X(4, MD5, "md5", "the socket has MD5 or AO keys, whose check a cookie would bypass")        \
	X(5, SYNCOOKIES_OFF, "syncookies_off", "net.ipv4.tcp_syncookies is 0")                     \
	X(6, REFUSED, "refused", "bpf_sk_assign_tcp_reqsk() returned an error")

enum porch_health {
#define X(number, name, text, why) PORCH_HEALTH_##name = number,
	PORCH_HEALTH_LIST(X)
#undef X
};

/*
 * Refusals. A number is never reused, a name never changes meaning. Every
 * reason has one counter, porch_counters.refused_<text>, and one row at least
 * in tests/bpf. "Refused" means that the packet went no further.
 */
#define PORCH_REASON_LIST(X)                                                                       \
	X(1, BAD_HEADER, bad_header, "TCP header or IP length does not fit the frame")             \
	X(2, BAD_CHECKSUM, bad_checksum, "IPv4 header checksum is wrong")                          \
	X(3, BAD_SOURCE, bad_source, "source address or port that no peer can have")               \
	X(4, BAD_FLAGS, bad_flags, "TCP flags that open or continue nothing (SYN+FIN, none, ...)") \
	X(5, DENIED, denied, "source is on the deny list")                                         \
	X(6, REPLY_BUDGET, reply_budget, "SYN-ACKs to this source prefix exceed the budget")       \
	X(7, ACCEPT_QUEUE_FULL, accept_queue_full, "SYN while the accept queue is full")           \
	X(8, BAD_COOKIE, bad_cookie, "ACK that no cookie and no half-open entry proves")           \
	X(9, NOT_ISSUED, not_issued, "right cookie of a form not issued in the last minute")       \
	X(10, REPLAYED, replayed, "final ACK of a connection that is already closed")              \
	X(11, UNKNOWN_RST, unknown_rst, "RST for nothing that is held")                            \
	X(12, UNEXPECTED_SYNACK, unexpected_synack, "SYN-ACK for nothing that is held")            \
	X(13, DUPLICATE_SYN, duplicate_syn, "SYN of a handshake that is already proven")           \
	X(14, DUPLICATE_ACK, duplicate_ack, "final ACK that another CPU is just proving")          \
	X(15, UNDELIVERED, undelivered, "segment beyond the proof of a flow nobody holds yet")     \
	X(16, PARKED, parked, "proof waits: the accept queue is full")                             \
	X(17, NO_ROOM, no_room, "reply does not fit the frame and its headroom")                   \
	X(18, BAD_RST, bad_rst, "RST outside, or not exactly at, the expected sequence number")    \
	X(19, HELD_ELSEWHERE, held_elsewhere, "proof of a tuple that a kernel socket still holds") \
	X(20, NO_LISTENER, no_listener, "proof for a listener whose socket is gone")               \
	X(21, LISTENER_REFUSED, listener_refused, "proof for a socket the kernel cannot serve")    \
	X(22, BAD_ACK, bad_ack, "ACK of a half-open entry with a wrong number (RFC 9293 3.10.7.4)") \
	X(23, NO_DAEMON, no_daemon, "SYN or proof for deliver=afxdp while porchd gives no sign")   \
	X(24, NO_APPLICATION, no_application, "SYN or proof that no application listens for")      \
	X(25, NO_SLOT, no_slot, "segment of a flow for which this RX queue has no AF_XDP socket")  \
	X(26, TIME_WAIT, time_wait, "segment of a TIME-WAIT flow that needs no answer")            \
	X(27, GUARDED, guarded, "TCP for deliver=afxdp that no kernel socket would take")          \
	X(28, FRAGMENT, fragment, "IP fragment of TCP for deliver=afxdp")

enum porch_reason {
	PORCH_REASON_NONE = 0,
#define X(number, name, field, text) PORCH_REASON_##name = number,
	PORCH_REASON_LIST(X)
#undef X
	PORCH_REASON_END,
};

enum porch_flow_state {
	PORCH_FLOW_FREE = 0,
	PORCH_FLOW_BUSY = 1,		/* claimed, fields not yet valid */
	PORCH_FLOW_PROVEN = 2,		/* the final ACK was right; no kernel socket seen yet */
	PORCH_FLOW_DELIVERED = 3,	/* a kernel socket answers for it */
	PORCH_FLOW_CLOSING = 4,		/* the kernel holds its TIME-WAIT or orphan */
	PORCH_FLOW_TOMBSTONE = 5,	/* closed, but its cookie would still prove it */
	PORCH_FLOW_HANDED = 6,		/* deliver=afxdp: porchd's, see porch_steer */
};

/* What porchd has done with a flow that is HANDED: the phase in porch_steer.word. */
enum porch_phase {
	PORCH_PHASE_PENDING = 0,	/* porchd's: on its way to the accept queue, or in it */
	PORCH_PHASE_STEERED = 1,	/* a worker's; segments go to its AF_XDP socket */
	PORCH_PHASE_CLOSING = 2,	/* porchd's again: it answers what still comes */
	PORCH_PHASE_TIME_WAIT = 3,	/* XDP answers a repeated FIN until `until` (RFC 9293 3.10.7.4) */
	PORCH_PHASE_TOMBSTONE = 4,	/* closed, but its cookie would still prove it, until `until` */
	PORCH_PHASE_FORGOTTEN = 5,	/* as if it had never been: the same ACK may prove it again */
};

/* Options both ends agreed on: porch_flow.options, porch_half_open.options. */
#define PORCH_OPT_TIMESTAMPS 0x01
#define PORCH_OPT_SACK 0x02
#define PORCH_OPT_WSCALE 0x04
#define PORCH_OPT_ECN 0x08

/* ---- porch_half_open: a handshake between SYN and final ACK (tracked regime) ---- */

struct porch_tuple {
	__u8 remote[16];
	__u8 local[16];
	__u16 remote_port;
	__u16 local_port;
};

/* A VLAN tag as the maps keep it: the TCI in host order, and in the place of its DEI, which no
 * answer repeats, whether its TPID is that of 802.1ad, 0x88a8, instead of 0x8100. No tag: 0xffff. */
#define PORCH_VLAN_8021AD 0x1000

struct porch_half_open {
	__u32 irs;		/* client's ISN */
	__u32 iss;		/* ours: a cookie, in this regime too */
	__u32 tsval;		/* TSval of our SYN-ACK; 0 without timestamps */
	__u32 ts_recent;	/* client's TSval */
	__u32 born_us;		/* CLOCK_MONOTONIC in microseconds, low 32 bits */
	__u32 expires;		/* tick */
	__u32 ifindex;		/* where the SYN came in */
	__u16 mss;		/* client's, octets */
	__u8 options;		/* PORCH_OPT_* */
	__u8 wscale;		/* client's in the low four bits, ours in the high four */
	__u8 listener;		/* index */
	__u8 retransmits;	/* SYN-ACKs sent again; writer: porchd */
	__u8 remote_mac[6];
	__u16 tags[2];		/* VLAN tags, outer first; 0xffff: none */
};

/* ---- porch_flows and porch_flow_tags ----
 *
 * A set-associative table. porch_flow_tags[set] is one 64-bit word of four
 * 16-bit fingerprints; way w of set s is porch_flows[4 * s + w]. A fingerprint
 * of 0 is a free way; its top bit (HELD) says that the kernel answers for the
 * flow, so that the usual segment is decided by the word alone. A way is
 * claimed and freed by atomic operations on that word; the fields of a flow
 * are written by whoever claimed it, `state` last.
 */
#define PORCH_TAG_HELD 0x8000u
#define PORCH_TAG_MASK 0x7fffu
#define PORCH_NO_FLOW 0xffffffffu

struct porch_flow {
	__u8 remote[16];
	__u8 local[16];
	__u16 remote_port;
	__u16 local_port;
	__u8 state;		/* enum porch_flow_state; writers: XDP, tc, tracepoint */
	__u8 listener;
	__u8 options;		/* PORCH_OPT_* */
	__u8 wscale;		/* client's in the low four bits, ours in the high four */
	__u16 mss;		/* client's */
	__u8 assigned;		/* tc has given the kernel a request for it; counts what was sent round since */
	__u8 by_cookie;		/* 1: proven here; 0: the kernel's own handshake, irs and iss unknown */
	__u32 irs;
	__u32 iss;
	__u32 ts_recent;	/* TSval of the proving segment */
	__u32 ts_ecr;		/* TSecr of the proving segment */
	__u32 expires;		/* tick after which the entry, unless delivered, is swept */
};

/*
 * ---- porch_steer: entry i belongs to porch_flows[i] while that is HANDED ----
 *
 * XDP writes its half before it stores porch_flow.state; porchd writes the
 * other half by plain stores through a mapping, `word` last. The word carries
 * the serial of the flow it is meant for: with another serial it counts as
 * {PENDING, worker 0}, so a new owner of the entry needs no reset and a late
 * store of porchd for the old one does nothing.
 */
struct porch_steer {
	/* writer: XDP */
	__u64 proven_ns;	/* CLOCK_MONOTONIC of the proof */
	__u32 serial;		/* differs from that of the entry's last owner; never 0 */
	__u32 ifindex;		/* where the proof came in */
	__u8 remote_mac[6];	/* source of that frame */
	__u8 local_mac[6];	/* and its destination */
	__u16 tags[2];		/* VLAN tags, outer first; 0xffff: none */
	__u16 window;		/* client's, of the proving segment, not scaled */
	__u16 rx_queue;
	__u32 rtt_us;		/* from the SYN-ACK to the proof, if that is known; 0: not */
	/* writer: porchd */
	__u64 word;		/* PORCH_STEER() */
	__u32 snd_nxt;		/* TIME-WAIT: SEG.SEQ of the ACK that XDP sends */
	__u32 rcv_nxt;		/* TIME-WAIT: its SEG.ACK */
	__u32 ts_offset;	/* TIME-WAIT: its TSval less CLOCK_MONOTONIC in milliseconds */
	__u32 until;		/* tick: end of TIME-WAIT or TOMBSTONE */
};

#define PORCH_STEER(serial, phase, worker) ((__u64)(serial) << 32 | (__u64)(phase) << 16 | (__u16)(worker))
#define PORCH_STEER_SERIAL(word) ((__u32)((word) >> 32))
#define PORCH_STEER_PHASE(word) ((__u8)((word) >> 16))
#define PORCH_STEER_WORKER(word) ((__u16)(word))

/*
 * porch_xsks[i] is an AF_XDP socket, porch_slots[i] says which (an XSKMAP cannot
 * be read). i = xsk_base + worker * xsk_queues + RX queue, the first two from
 * porch_ifaces. An empty slot of a worker means: porchd's socket of that queue.
 */
struct porch_slot {
	__u32 ifindex;		/* 0: free */
	__u32 queue;
	__u32 worker;
	__u32 pid;		/* of the worker's process, as SO_PEERCRED gave it */
	__u32 uid;
	__u8 zero_copy;		/* mode obtained */
	__u8 lease;		/* 1: this worker owns the queue's FILL and COMPLETION rings */
	__u8 tx_checksum;	/* 1: not the worker makes the sums of what it sends */
	__u8 reserved;
	__u64 since_ns;		/* CLOCK_MONOTONIC */
};

/*
 * porch_queues: the accept queue of each listener, by index; writer: porchd.
 * XDP reads the first three fields before it answers or proves.
 */
struct porch_queue {
	__u32 depth;		/* connections in it; none is admitted while depth > limit */
	__u32 limit;		/* min(backlog, porchd's); the queue holds one more, as the kernel's does */
	__u32 workers;		/* that listen; 0: SYNs are refused */
	__u32 credit;		/* connections that workers were ready to take, at the last look */
	__u32 peak;		/* greatest depth */
	__u32 parked;		/* proven, waiting outside for room */
	__u32 finishing;	/* that porchd finishes for applications that have closed them and gone */
	__u32 reserved0;
	__u64 handed_back;	/* of these so far; counted like those below */
	__u64 reserved[3];
	__u64 admitted;		/* from here on counted since the listener has its queue */
	__u64 handed;		/* to a worker */
	__u64 accepted;		/* by porch_accept() */
	__u64 overflowed;	/* proofs that met a full queue */
	__u64 reset;		/* by overflow=reset, or unaccepted for too long */
	__u64 aborted;		/* RST of the client while queued */
	__u64 wait_ns_sum;	/* time in the queue, of those handed */
	__u64 wait_ns_max;
};

/* ---- porch_listeners ---- */

struct porch_listener_entry {
	/* configuration; writer: porch, under the namespace lock */
	__u8 address[16];	/* all zero with any_address set */
	__u16 port;
	__u8 used;		/* written last when adding, first when deleting */
	__u8 any_address;	/* `*`: every address in porch_addrs */
	__u8 deliver;		/* enum porch_deliver */
	__u8 protect;		/* enum porch_protect */
	__u8 overflow;		/* enum porch_overflow */
	__u8 next;		/* next listener of the same port, 0: none */
	__u16 mss;		/* announced instead of the route's, octets; 0: the route's */
	__u16 reserved0;
	__u32 backlog;		/* afxdp only; a kernel listener's backlog is the kernel's */
	__u32 syn_rate;		/* SYNs per second that arm the stateless regime */
	__u32 reserved1[7];
	/* run time; writer: BPF, unless it says otherwise */
	__u8 regime;		/* enum porch_regime */
	__u8 health[2];		/* enum porch_health, for [0] IPv4 and [1] IPv6: sockets may differ */
	__u8 accept_queue_full;	/* seen full by tc; cleared by a probe */
	__u8 rcv_wscale;	/* window scale of the listening socket */
	__u8 reserved3;
	__u16 user_mss;		/* TCP_MAXSEG of the listening socket, octets; 0: not set */
	__u32 rcv_space;	/* octets the listening socket can announce; 0: the host's */
	__u32 probe_tick[2];	/* last time the socket was looked at, IPv4 and IPv6 */
	__u32 issued_ts;	/* tick of the last cookie with timestamps */
	__u32 issued_plain;	/* tick of the last cookie without */
	__u32 issued_tracked;	/* tick of the last half-open entry */
	__u32 left_kernel;	/* tick at which the kernel stopped answering SYNs */
	__u32 calm_since;	/* tick since which the rate is below a quarter of syn_rate */
	__u64 syn_total;	/* SYNs of all CPUs at the last tick; writer: the timer */
	__u32 syn_per_second;	/* over the last second; writer: the timer */
	__u32 reserved2;
} __attribute__((aligned(64)));

/* Per CPU and listener; status sums them. */
struct porch_stats {
	__u64 syn_received;
	__u64 syn_passed;
	__u64 synack_sent;
	__u64 proven;
	__u64 delivered;
	__u64 refused;
	__u64 would_answer;	/* protect=monitor */
	__u32 window_tick;	/* the tick that window_syns counts */
	__u32 window_syns;
};

/* ---- porch_counters: one struct per CPU, one named field per event ---- */

struct porch_counters {
	__u64 syn_received;
	__u64 syn_passed;
	__u64 synack_sent;
	__u64 synack_slow;		/* of these, built by the general path */
	__u64 proven;
	__u64 proven_by_entry;
	__u64 delivered;
	__u64 flow_table_full;		/* no room to remember a flow; it was served all the same */
	__u64 flows_lost;		/* unknown flows found in the kernel and remembered again */
	__u64 unknown_passed;		/* unknown segments given to the kernel within the budget */
	__u64 half_open_full;		/* tracked regime: entry not inserted */
	__u64 half_open_expired;
	__u64 flows_expired;
	__u64 flows_reused;		/* closed flows that gave way before their time: their sets were full */
	__u64 regime_up;
	__u64 regime_down;
	__u64 probes;
	__u64 deferred;			/* segments sent round once, behind the proof they follow */
	__u64 addresses_learned;
	__u64 rtt_samples;
	__u64 rtt_us_sum;		/* SYN-ACK to final ACK, tracked regime */
#define X(number, name, field, text) __u64 refused_##field;
	PORCH_REASON_LIST(X)
#undef X
};

/* ---- one-element maps ---- */

/* porch_ports: port -> first listener's index, 0: not ours. Writer: porch. */
struct porch_ports {
	__u8 listener[PORCH_PORTS];
};

/*
 * porch_addrs: the addresses of this host, a hash table without collisions.
 * Slot of an address: see porch_addr_slot(). porch chooses `multiplier` so
 * that no two addresses share a slot; BPF adds an address on which the kernel
 * completed a connection, if its slot is free.
 */
struct porch_addr {
	__u8 address[16];	/* all zero: free */
};

struct porch_addrs {
	__u64 multiplier;	/* odd */
	__u64 reserved;
	struct porch_addr slot[PORCH_ADDR_SLOTS];
};

static inline __attribute__((always_inline)) __u32
porch_addr_slot(__u64 multiplier, __u64 high, __u64 low)
{
	/* `high` and `low`: the two halves of the address as loaded from memory */
	return (__u32)((((high * multiplier) ^ low) * multiplier) >> 54) & (PORCH_ADDR_SLOTS - 1);
}

#define PORCH_HOST_DENY 0x01	/* porch_deny is not empty */
#define PORCH_HOST_ROUTES 0x02	/* porch_routes is not empty */
#define PORCH_HOST_NO_META 0x04	/* the driver has no room for metadata: tc finds flows itself */

/* porch_host: clock and settings that every packet reads. */
struct porch_host {
	__u32 tick;		/* writer: the timer */
	__u32 epoch;		/* unix time / 30 s; writer: the timer */
	__u8 tcp_timestamps;	/* sysctls of this namespace; writer: porch, refreshed by probes */
	__u8 tcp_sack;
	__u8 tcp_window_scaling;
	__u8 tcp_ecn;
	__u8 ttl;		/* IPv4 TTL of replies */
	__u8 hop_limit;		/* IPv6 */
	__u8 flags;		/* PORCH_HOST_* */
	__u8 rcv_wscale;	/* default window scale, RFC 7323 */
	__u32 rcv_space;	/* default receive space, octets */
	__u32 reply_rate;	/* SYN-ACKs per second and source prefix (/24, /64); 0: no limit */
	__u32 unknown_rate;	/* unknown segments per tick and CPU that the kernel may see */
	__u32 half_open_seconds;
	__u32 layout;		/* PORCH_LAYOUT */
	__u32 test_clock_ms;	/* instead of CLOCK_MONOTONIC where porch_test_clock of bpf/clock.h is set; else unused */
	__s64 wall_offset;	/* CLOCK_REALTIME - CLOCK_TAI, ns; writer: porch */
	__u32 sweep_set;	/* where the timer's sweep stands */
	__u32 flows;		/* entries in use, as of the last whole sweep */
	__u32 sweep_flows;
	__u32 half_open;	/* entries, as of the last sweep */
	__u32 ticks_missed;
	__u32 daemon_tick;	/* last sign of porchd; 0: it said goodbye, or never was; writer: porchd */
	__u32 daemon_pid;	/* writer: porchd */
	__u8 fallback;		/* enum porch_fallback; writer: porchd */
	__u8 afxdp;		/* listeners with deliver=afxdp: 1 some, 0 none; writer: porch */
	__u8 reserved1[6];
};

/* What becomes of SYNs for deliver=afxdp while porchd gives no sign. */
enum porch_fallback {
	PORCH_FALLBACK_DROP = 0,	/* refused, NO_DAEMON */
	PORCH_FALLBACK_KERNEL = 1,	/* to the kernel, if a socket listens there */
};

struct porch_key {
	__u64 k[2];		/* SipHash key, little-endian halves of 16 bytes */
};

struct porch_master {
	struct porch_key key;
	__u32 from_epoch;	/* first epoch whose cookies it makes */
	__u32 id;		/* what `porch key show` prints instead of the key */
};

#define PORCH_MASTERS 3
#define PORCH_EPOCH_KEYS 4

/* porch_keys: secrets. Epoch keys are derived one epoch ahead by the timer. */
struct porch_keys {
	struct porch_key epoch_key[PORCH_EPOCH_KEYS];	/* of epoch e at [e % 4] */
	__u32 derived[PORCH_EPOCH_KEYS];		/* the epoch each belongs to */
	struct porch_master master[PORCH_MASTERS];	/* writer: porch; newest first */
};

/* porch_ifaces: what depends on the interface a packet came in on. Writer: porch, unless a field says otherwise. */
struct porch_iface {
	__u32 ifindex;		/* 0: free */
	__u16 mss4;		/* announced to IPv4 clients, octets */
	__u16 mss6;
	__u32 xsk_base;		/* first of its slots in porch_xsks; writer: porchd */
	__u16 xsk_queues;	/* RX queues; 0: no AF_XDP socket; writer: porchd, base first */
	__u16 reserved;
};

/* porch_deny and porch_routes: longest prefix match; IPv4 prefixes are +96. */
struct porch_prefix {
	__u32 length;
	__u8 address[16];
};

/* porch_routes: routes whose MTU or advmss differs from their interface's. */
struct porch_route {
	__u16 mss;
	__u16 reserved;
};

/* porch_budget: the SYN-ACKs of one bucket of source prefixes in one second. */
struct porch_budget {
	__u32 second;		/* tick / 10 */
	__u32 spent;
};

/* Rides in front of a frame from XDP to tc. */
#define PORCH_META_MAGIC 0x70724331u	/* "prC1" */
#define PORCH_META_PROOF 1		/* the segment proves, or proves again */
#define PORCH_META_CHECK 2		/* beyond the proof: only for a socket that is there */
#define PORCH_META_RESET 3		/* an RST that ends the flow, if no socket is there */

struct porch_meta {
	__u32 magic;
	__u32 flow;		/* index into porch_flows or PORCH_NO_FLOW */
	__u32 ts_val;
	__u32 ts_ecr;
	__u16 mss;
	__u8 options;		/* PORCH_OPT_* */
	__u8 wscale;
	__u8 kind;		/* PORCH_META_* */
	__u8 listener;
	__u8 deferred;		/* writer: tc */
	__u8 tcp_offset;	/* TCP header behind the IP header's start, octets */
};

/*
 * Rides in front of every frame that XDP redirects to an AF_XDP socket: the
 * PORCH_RECORD octets below the address in the descriptor. Whoever reads it
 * checks the magic, the offsets and the flow's serial: members of a trust group
 * can write into each other's frames.
 */
#define PORCH_RECORD_MAGIC 0x70725231u	/* "prR1" */
#define PORCH_RECORD_PROOF 1		/* proves the flow, or proves it again while PENDING */
#define PORCH_RECORD_SEGMENT 2		/* any other segment of the flow */
#define PORCH_RECORD_ICMP 3		/* ICMP error that quotes a segment of the flow */

struct porch_record {
	__u32 magic;
	__u32 flow;		/* index into porch_flows */
	__u32 serial;		/* of porch_steer */
	__u8 kind;		/* PORCH_RECORD_* */
	__u8 listener;
	__u16 l3;		/* offset of the IP header */
	__u16 l4;		/* of the TCP header; of the ICMP header for PORCH_RECORD_ICMP */
	__u16 length;		/* from the TCP header's start to the segment's end, octets */
	__u16 rx_queue;
	__u16 reserved;
	__u64 time_ns;		/* CLOCK_MONOTONIC at XDP; only with PROOF, else 0 */
};

/* ---- arguments of the syscall programs ---- */

/* porch_seed: remember a connection that the kernel holds already. */
struct porch_seed_args {
	struct porch_tuple tuple;
	__u8 closing;		/* 1: TIME-WAIT or orphan in FIN-WAIT */
	__u8 reserved[3];
};

/* porch_tick_once: one tick of the timer. */
struct porch_tick_args {
	__u32 keep_time;	/* 1: leave porch_host.tick and .epoch as they are */
};

#endif /* PORCH_MAPS_H */
