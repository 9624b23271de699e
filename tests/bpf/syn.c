// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* SYNs: which are answered, which refused, which left to the kernel. */
#include "client.h"

#include <stdio.h>

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 1024 };

#define ANSWERED "syn_received synack_sent"
#define PASSED	 "syn_received syn_passed"

struct syn_row {
	const char *sentence;
	const char *offers;
	void (*prepare)(struct packet *syn);
	int verdict;
	struct answer answer;
	const char *counters;
	__u8 only; /* 4 or 6: the other family has no such thing */
};

/* ---- what differs from the usual SYN ---- */

/* clang-format off */
static void other_port(struct packet *p) { p->dport = 81; }
static void other_address(struct packet *p) { address_server(p->dest, p->v6, 2); }
static void mapped_address(struct packet *p) { address_server(p->dest, 0, 1); }
static void other_family(struct packet *p) { l()->health[!p->v6] = PORCH_HEALTH_NO_SOCKET; }
static void exact_address(struct packet *p)
{
	l()->any_address = 0;
	memcpy(l()->address, p->dest, 16);
}
static void exact_other_address(struct packet *p)
{
	exact_address(p);
	address_server(p->dest, p->v6, 2);
	address_add(p->dest);
}
static void unused(struct packet *p) { l()->used = 0; }
static void protect_off(struct packet *p) { l()->protect = PORCH_PROTECT_OFF; }
static void protect_monitor(struct packet *p) { l()->protect = PORCH_PROTECT_MONITOR; }
static void monitor_bad_flags(struct packet *p) { protect_monitor(p); p->flags |= FIN; }
static void regime_kernel(struct packet *p) { l()->regime = PORCH_REGIME_KERNEL; }
static void monitor_quiet(struct packet *p) { protect_monitor(p); regime_kernel(p); }

static void payload(struct packet *p) { p->payload = 100; }
static void payload_odd(struct packet *p) { p->payload = 101; p->options = BYTES(2, 4, 5, 0xb4); }
static void padding(struct packet *p) { p->trailer = 6; }
static void urgent(struct packet *p) { p->flags |= URG | PSH; p->urgent = 7; }
static void wrap(struct packet *p) { p->seq = 0xffffffff; }
static void zero_isn(struct packet *p) { p->seq = 0; }
static void acked(struct packet *p) { p->ack = 0xdeadbeef; }
static void tos(struct packet *p) { p->tos = 0xb8; p->ttl = 3; p->id = 77; p->flow_label = 0xabcde; }
static void df(struct packet *p) { p->fragment = DONT_FRAGMENT; }
static void tcp_sum(struct packet *p) { p->bad_tcp_checksum = 1; }
static void ip_sum(struct packet *p) { p->bad_ip_checksum = 1; }
static void host_ttl(struct packet *p) { world.host->ttl = 255; world.host->hop_limit = 1; }

static void ecn(struct packet *p) { p->flags |= ECE | CWR; }
static void ecn_ect(struct packet *p) { ecn(p); p->tos = 2; }
static void ecn_ece_only(struct packet *p) { p->flags |= ECE; }
static void ecn_cwr_only(struct packet *p) { p->flags |= CWR; }
static void ecn_off(struct packet *p) { ecn(p); world.host->tcp_ecn = 0; }
static void ecn_one(struct packet *p) { ecn(p); world.host->tcp_ecn = 1; }
static void accecn(struct packet *p) { p->flags |= AE | ECE | CWR; }
static void ae_only(struct packet *p) { p->flags |= AE; }
static void dscp_ecn(struct packet *p) { ecn(p); p->tos = 0xb8; }

static void syn_fin(struct packet *p) { p->flags |= FIN; }
static void syn_rst(struct packet *p) { p->flags |= RST; }
static void all_but_ack(struct packet *p) { p->flags |= FIN | RST | PSH | URG | ECE | CWR; }

static void port_zero(struct packet *p) { p->sport = 0; }
static void from_itself(struct packet *p) { memcpy(p->source, p->dest, 16); }
static void from_zero(struct packet *p) { memset(p->source + 12, 0, 4); p->source[15] = 1; }
static void from_loopback(struct packet *p) { put32(p->source + 12, 0x7f000001); }
static void from_multicast(struct packet *p) { put32(p->source + 12, 0xe0000001); }
static void from_future(struct packet *p) { put32(p->source + 12, 0xf0000001); }
static void from_broadcast(struct packet *p) { put32(p->source + 12, 0xffffffff); }
static void from_edge_223(struct packet *p) { put32(p->source + 12, 0xdfffffff); }
static void from_edge_126(struct packet *p) { put32(p->source + 12, 0x7effffff); }
static void from_edge_128(struct packet *p) { put32(p->source + 12, 0x80000001); }
static void from6_unspecified(struct packet *p) { memset(p->source, 0, 16); }
static void from6_loopback(struct packet *p) { memset(p->source, 0, 16); p->source[15] = 1; }
static void from6_multicast(struct packet *p) { p->source[0] = 0xff; }
static void from6_mapped(struct packet *p)
{
	memset(p->source, 0, 16);
	memset(p->source + 10, 0xff, 2);
	put32(p->source + 12, 0xc6336401);
}
static void from6_link_local(struct packet *p) { put32(p->source, 0xfe800000); }
static void from6_nat64(struct packet *p) { memset(p->source, 0, 16); put32(p->source, 0x0064ff9b); p->source[15] = 9; }

static void denied(struct packet *p) { deny_add(p->source, 128); }
static void denied_prefix(struct packet *p) { deny_add(p->source, p->v6 ? 64 : 96 + 24); }
static void denied_neighbour(struct packet *p)
{
	__u8 other[16];

	address_client(other, p->v6, 8);
	deny_add(other, 128);
}
static void denied_family(struct packet *p)
{
	__u8 other[16];

	address_client(other, !p->v6, 7);
	deny_add(other, 16);
}
static void denied_quiet(struct packet *p) { denied(p); regime_kernel(p); }
static void denied_monitor(struct packet *p) { denied(p); protect_monitor(p); }
static void denied_flag_off(struct packet *p) { denied(p); world.host->flags = 0; }

static void full(struct packet *p) { l()->accept_queue_full = 1; l()->probe_tick[p->v6] = world.host->tick; }
static void full_later(struct packet *p) { l()->accept_queue_full = 1; l()->probe_tick[p->v6] = world.host->tick - 1; }
static void full_quiet(struct packet *p) { full(p); regime_kernel(p); }

static void unprobed(struct packet *p) { l()->health[p->v6] = PORCH_HEALTH_UNPROBED; l()->probe_tick[p->v6] = 0; }
static void no_socket_now(struct packet *p) { l()->health[p->v6] = PORCH_HEALTH_NO_SOCKET; l()->probe_tick[p->v6] = world.host->tick; }
static void mptcp_now(struct packet *p) { l()->health[p->v6] = PORCH_HEALTH_MPTCP; l()->probe_tick[p->v6] = world.host->tick; }
static void refused_recently(struct packet *p) { l()->health[p->v6] = PORCH_HEALTH_REFUSED; l()->probe_tick[p->v6] = world.host->tick - 99; }
static void refused_long_ago(struct packet *p) { l()->health[p->v6] = PORCH_HEALTH_REFUSED; l()->probe_tick[p->v6] = world.host->tick - 100; }

static void mss_listener(struct packet *p) { l()->mss = 1111; }
static void mss_route(struct packet *p) { route_add(p->source, p->v6 ? 64 : 96 + 24, 1333); }
static void mss_route_elsewhere(struct packet *p)
{
	__u8 other[16];

	address_client(other, p->v6, 8);
	route_add(other, 128, 1333);
}
static void mss_both(struct packet *p) { mss_listener(p); mss_route(p); }
static void mss_no_iface(struct packet *p) { iface_set(1, 0, 0); world.host->flags = 0; iface_set(257, 9000, 9000); }

static void mss_user(struct packet *p) { l()->user_mss = 900; }
static void mss_user_more(struct packet *p) { l()->user_mss = 9000; }
static void mss_user_listener(struct packet *p) { mss_user(p); mss_listener(p); }
static void space_small(struct packet *p) { l()->rcv_space = 4000; l()->rcv_wscale = 0; }
static void space_tiny(struct packet *p) { l()->rcv_space = 1000; l()->rcv_wscale = 2; }
static void space_huge(struct packet *p) { l()->rcv_space = 6291456; l()->rcv_wscale = 10; }
static void scale_host(struct packet *p) { world.host->rcv_wscale = 3; }
static void space_host(struct packet *p) { world.host->rcv_space = 30000; }

static void no_timestamps(struct packet *p) { world.host->tcp_timestamps = 0; }
static void no_sack(struct packet *p) { world.host->tcp_sack = 0; }
static void no_scaling(struct packet *p) { world.host->tcp_window_scaling = 0; }
static void nothing_allowed(struct packet *p) { no_timestamps(p); no_sack(p); no_scaling(p); }

#define LINUX_ANSWER { .options = "M S T N W7", .window = 64240, .in_place = 1 }

static const struct syn_row rows[] = {
	{ "a SYN of a Linux client is answered", OFFERS_LINUX, NULL, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "a SYN to a port without listener passes", OFFERS_LINUX, other_port, XDP_PASS, {}, "" },
	{ "a SYN to somebody else's address passes", OFFERS_LINUX, other_address, XDP_PASS, {}, "" },
	{ "a SYN to the address a listener names is answered", OFFERS_LINUX, exact_address, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "a SYN to another address than the listener names passes", OFFERS_LINUX, exact_other_address, XDP_PASS, {}, "" },
	{ "an IPv4-mapped destination on the IPv6 wire is nobody's", OFFERS_LINUX, mapped_address, XDP_PASS, {}, "", 6 },
	{ "the other family's health does not matter", OFFERS_LINUX, other_family, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "a SYN for a listener being deleted passes", OFFERS_LINUX, unused, XDP_PASS, {}, "" },
	{ "protect=off passes a SYN uncounted", OFFERS_LINUX, protect_off, XDP_PASS, {}, "" },
	{ "protect=monitor says what it would answer and passes it", OFFERS_LINUX, protect_monitor, XDP_PASS, {}, "syn_received would_answer" },
	{ "protect=monitor passes what the kernel answers anyway", OFFERS_LINUX, monitor_quiet, XDP_PASS, {}, PASSED },
	{ "protect=monitor passes even SYN and FIN", OFFERS_LINUX, monitor_bad_flags, XDP_PASS, {}, "syn_received refused_bad_flags" },
	{ "in the kernel's regime a SYN passes", OFFERS_LINUX, regime_kernel, XDP_PASS, {}, PASSED },

	{ "payload in a SYN is ignored and cut off", OFFERS_LINUX, payload, XDP_TX, { .options = "M S T N W7" }, "syn_received synack_sent synack_slow" },
	{ "payload in a SYN without usual options is cut off", "", payload_odd, XDP_TX, { .options = "M" }, "syn_received synack_sent synack_slow" },
	{ "Ethernet padding behind a SYN is cut off", "", padding, XDP_TX, { .options = "M" }, "syn_received synack_sent synack_slow" },
	{ "PSH, URG and an urgent pointer in a SYN change nothing", OFFERS_LINUX, urgent, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "sequence number 2^32-1 is acknowledged as 0", OFFERS_LINUX, wrap, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "sequence number 0 is a sequence number", OFFERS_LINUX, zero_isn, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "an acknowledgment number without ACK is nothing", OFFERS_LINUX, acked, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "TOS, TTL, id and flow label are not mirrored", OFFERS_LINUX, tos, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "DF in a SYN is fine", OFFERS_LINUX, df, XDP_TX, LINUX_ANSWER, ANSWERED, 4 },
	{ "a partial TCP checksum (offload) does not matter", OFFERS_LINUX, tcp_sum, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "a wrong IPv4 header checksum is refused", OFFERS_LINUX, ip_sum, XDP_DROP, {}, "refused_bad_checksum", 4 },
	{ "a wrong IPv4 header checksum is refused with odd options, too", "M1460 N N", ip_sum, XDP_DROP, {}, "refused_bad_checksum", 4 },
	{ "TTL and hop limit are the host's", OFFERS_LINUX, host_ttl, XDP_TX, LINUX_ANSWER, ANSWERED },

	{ "ECN setup is accepted", OFFERS_LINUX, ecn, XDP_TX, { .options = "M S T N W7", .ecn = 1 }, ANSWERED },
	{ "ECN setup is accepted with tcp_ecn=1", OFFERS_LINUX, ecn_one, XDP_TX, { .options = "M S T N W7", .ecn = 1 }, ANSWERED },
	{ "ECN setup is accepted in a marked class", OFFERS_LINUX, dscp_ecn, XDP_TX, { .options = "M S T N W7", .ecn = 1 }, ANSWERED },
	{ "ECN setup in an ECT packet is declined", OFFERS_LINUX, ecn_ect, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "ECE alone is no ECN setup", OFFERS_LINUX, ecn_ece_only, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "CWR alone is no ECN setup", OFFERS_LINUX, ecn_cwr_only, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "ECN setup with tcp_ecn=0 is declined", OFFERS_LINUX, ecn_off, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "ECN setup without timestamps is declined: the cookie has no bit", OFFERS_LINUX_PLAIN, ecn, XDP_TX, { .options = "M N N S N W7" }, ANSWERED },
	{ "AccECN setup is met as classic ECN", OFFERS_LINUX, accecn, XDP_TX, { .options = "M S T N W7", .ecn = 1 }, ANSWERED },
	{ "AE alone is no ECN setup", OFFERS_LINUX, ae_only, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "ECN setup by the general path is accepted", "T S", ecn, XDP_TX, { .options = "M S T", .ecn = 1 }, "syn_received synack_sent synack_slow" },

	{ "SYN and FIN is refused", OFFERS_LINUX, syn_fin, XDP_DROP, {}, "syn_received refused_bad_flags" },
	{ "SYN and RST is refused", OFFERS_LINUX, syn_rst, XDP_DROP, {}, "syn_received refused_bad_flags" },
	{ "all flags but ACK are refused", OFFERS_LINUX, all_but_ack, XDP_DROP, {}, "syn_received refused_bad_flags" },
	{ "SYN and FIN with odd options is refused", "S", syn_fin, XDP_DROP, {}, "syn_received refused_bad_flags" },

	{ "source port 0 is refused", OFFERS_LINUX, port_zero, XDP_DROP, {}, "syn_received refused_bad_source" },
	{ "our own address as source is refused", OFFERS_LINUX, from_itself, XDP_DROP, {}, "syn_received refused_bad_source" },
	{ "a source in 0.0.0.0/8 is refused", OFFERS_LINUX, from_zero, XDP_DROP, {}, "syn_received refused_bad_source", 4 },
	{ "a source in 127.0.0.0/8 is refused", OFFERS_LINUX, from_loopback, XDP_DROP, {}, "syn_received refused_bad_source", 4 },
	{ "a multicast source is refused", OFFERS_LINUX, from_multicast, XDP_DROP, {}, "syn_received refused_bad_source", 4 },
	{ "a source in 240.0.0.0/4 is refused", OFFERS_LINUX, from_future, XDP_DROP, {}, "syn_received refused_bad_source", 4 },
	{ "the broadcast address as source is refused", OFFERS_LINUX, from_broadcast, XDP_DROP, {}, "syn_received refused_bad_source", 4 },
	{ "223.255.255.255 is a source", OFFERS_LINUX, from_edge_223, XDP_TX, LINUX_ANSWER, ANSWERED, 4 },
	{ "126.255.255.255 is a source", OFFERS_LINUX, from_edge_126, XDP_TX, LINUX_ANSWER, ANSWERED, 4 },
	{ "128.0.0.1 is a source", OFFERS_LINUX, from_edge_128, XDP_TX, LINUX_ANSWER, ANSWERED, 4 },
	{ ":: as source is refused", OFFERS_LINUX, from6_unspecified, XDP_DROP, {}, "syn_received refused_bad_source", 6 },
	{ "::1 as source is refused", OFFERS_LINUX, from6_loopback, XDP_DROP, {}, "syn_received refused_bad_source", 6 },
	{ "ff00::/8 as source is refused", OFFERS_LINUX, from6_multicast, XDP_DROP, {}, "syn_received refused_bad_source", 6 },
	{ "an IPv4-mapped source on the wire is refused", OFFERS_LINUX, from6_mapped, XDP_DROP, {}, "syn_received refused_bad_source", 6 },
	{ "a link-local source is a source", OFFERS_LINUX, from6_link_local, XDP_TX, LINUX_ANSWER, ANSWERED, 6 },
	{ "a NAT64 source is a source", OFFERS_LINUX, from6_nat64, XDP_TX, LINUX_ANSWER, ANSWERED, 6 },

	{ "a denied source is refused", OFFERS_LINUX, denied, XDP_DROP, {}, "syn_received refused_denied" },
	{ "a denied prefix is refused", OFFERS_LINUX, denied_prefix, XDP_DROP, {}, "syn_received refused_denied" },
	{ "the neighbour of a denied source is answered", OFFERS_LINUX, denied_neighbour, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "a prefix of the other family denies nobody here", OFFERS_LINUX, denied_family, XDP_TX, LINUX_ANSWER, ANSWERED, 4 },
	{ "a denied source is refused in the kernel's regime, too", OFFERS_LINUX, denied_quiet, XDP_DROP, {}, "syn_received refused_denied" },
	{ "protect=monitor counts a denied source and passes it", OFFERS_LINUX, denied_monitor, XDP_PASS, {}, "syn_received refused_denied" },
	{ "without the deny flag the list is not read", OFFERS_LINUX, denied_flag_off, XDP_TX, LINUX_ANSWER, ANSWERED },

	{ "while the accept queue is full a SYN is refused", OFFERS_LINUX, full, XDP_DROP, {}, "syn_received refused_accept_queue_full" },
	{ "the accept queue is looked at again, once per tick", OFFERS_LINUX, full_later, XDP_DROP, {}, "syn_received probes refused_accept_queue_full" },
	{ "a full accept queue is the kernel's business in its regime", OFFERS_LINUX, full_quiet, XDP_PASS, {}, PASSED },

	{ "a listener nobody has looked at is looked at; without a socket the SYN passes", OFFERS_LINUX, unprobed, XDP_PASS, {}, "syn_received syn_passed probes" },
	{ "a listener without socket is probed once per tick only", OFFERS_LINUX, no_socket_now, XDP_PASS, {}, PASSED },
	{ "SYNs of an MPTCP listener pass", OFFERS_LINUX, mptcp_now, XDP_PASS, {}, PASSED },
	{ "a listener the kernel refused rests for ten seconds", OFFERS_LINUX, refused_recently, XDP_PASS, {}, PASSED },
	{ "a listener the kernel refused is probed after ten seconds", OFFERS_LINUX, refused_long_ago, XDP_PASS, {}, "syn_received syn_passed probes" },

	{ "the listener's MSS is announced", OFFERS_LINUX, mss_listener, XDP_TX, { .options = "M1111 S T N W7", .window = 64240 }, ANSWERED },
	{ "the route's MSS is announced", OFFERS_LINUX, mss_route, XDP_TX, { .options = "M1333 S T N W7", .window = 64240 }, ANSWERED },
	{ "another route's MSS is not announced", OFFERS_LINUX, mss_route_elsewhere, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "the listener's MSS comes before the route's", OFFERS_LINUX, mss_both, XDP_TX, { .options = "M1111 S T N W7" }, ANSWERED },
	{ "a socket's own MSS is announced where it is less", OFFERS_LINUX, mss_user, XDP_TX, { .options = "M900 S T N W7" }, ANSWERED },
	{ "a socket's own MSS does not raise the interface's", OFFERS_LINUX, mss_user_more, XDP_TX, LINUX_ANSWER, ANSWERED },
	{ "what the listener is told to announce comes before the socket's", OFFERS_LINUX, mss_user_listener, XDP_TX, { .options = "M1111 S T N W7" }, ANSWERED },
	{ "on an unknown IPv4 interface the MSS is 536", OFFERS_LINUX, mss_no_iface, XDP_TX, { .options = "M536 S T N W7" }, ANSWERED, 4 },
	{ "on an unknown IPv6 interface the MSS is 1220", OFFERS_LINUX, mss_no_iface, XDP_TX, { .options = "M1220 S T N W7" }, ANSWERED, 6 },

	{ "a small receive space is announced in whole segments", OFFERS_LINUX, space_small, XDP_TX, { .options = "M S T N W0", .window = 2920 }, ANSWERED },
	{ "a receive space below one segment is announced whole", OFFERS_LINUX, space_tiny, XDP_TX, { .options = "M S T N W2", .window = 1000 }, ANSWERED },
	{ "a huge receive space is announced as 65535", OFFERS_LINUX, space_huge, XDP_TX, { .options = "M S T N W10", .window = 65535 }, ANSWERED },
	{ "the window scale is the host's", OFFERS_LINUX, scale_host, XDP_TX, { .options = "M S T N W3" }, ANSWERED },
	{ "the receive space is the host's where the listener has none", OFFERS_LINUX, space_host, XDP_TX, { .options = "M S T N W7", .window = 29200 }, ANSWERED },
	{ "the window follows the client's MSS", "M1000 S T N W7", space_host, XDP_TX, { .options = "M S T N W7", .window = 30000 }, ANSWERED, 4 },

	{ "tcp_timestamps=0 declines timestamps", OFFERS_LINUX, no_timestamps, XDP_TX, { .options = "M N N S N W7" }, "syn_received synack_sent synack_slow" },
	{ "tcp_sack=0 declines SACK", OFFERS_LINUX, no_sack, XDP_TX, { .options = "M N N T N W7" }, "syn_received synack_sent synack_slow" },
	{ "tcp_window_scaling=0 declines scaling", OFFERS_LINUX, no_scaling, XDP_TX, { .options = "M S T" }, "syn_received synack_sent synack_slow" },
	{ "with all three off only the MSS is left", OFFERS_LINUX, nothing_allowed, XDP_TX, { .options = "M" }, "syn_received synack_sent synack_slow" },
};
/* clang-format on */

static void run_row(const struct syn_row *r, int v6)
{
	struct packet syn = client_syn(v6, r->offers);
	struct frame in, out;
	struct decoded d;
	int verdict;

	if (r->only && r->only != (v6 ? 6 : 4))
		return;
	row("%s, %s", r->sentence, FAMILY(v6));
	if (r->prepare)
		r->prepare(&syn);
	packet_build(&syn, &in);
	verdict = run_xdp(&in, &out);
	expect_verdict(verdict, r->verdict, "SYN");
	if (verdict == XDP_TX && r->verdict == XDP_TX)
		expect_synack(&syn, &out, &r->answer, &d);
	else
		expect_same(&in, &out);
	row_end(r->counters);
}

int main(void)
{
	harness_load(&options);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int v6 = 0; v6 < 2; v6++)
			run_row(&rows[i], v6);
	return harness_end();
}
