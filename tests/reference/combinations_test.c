/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * POL-03: NetworkPolicies of every form of subject, peer and port, alone and in pairs.  Each form
 * says beside itself whom and what it means, so that what is wanted needs no evaluator: a pod is
 * selected, and then one peer and one port of its policy must mean the packet.
 */
#include "tests/test.h"

#include <netinet/in.h>

#include "policy/compile.h"
#include "policy/load.h"

#define PODS_FILE "tests/upstream/conflicts/pods.yaml"
#define PODS      9
#define FAMILIES  2 /* IPv4, IPv6 */

/* Pods in the order x/a x/b x/c y/a ... z/c, as '1' where they are meant. */
struct form {
	const char *yaml;
	const char *pods[FAMILIES];
};

#define BOTH(pods)                                                                                 \
	{                                                                                          \
		pods, pods                                                                         \
	}

/* clang-format off */
static const struct form subjects[] = {
	{ "namespace: x, podSelector: {matchLabels: {pod: a}}", BOTH("100 000 000") },
	{ "namespace: x, podSelector: {}", BOTH("111 000 000") },
	{ "namespace: y, podSelector: {}", BOTH("000 111 000") },
	{ "namespace: z, podSelector: {matchLabels: {pod: a}}", BOTH("000 000 100") },
	{ "namespace: x, podSelector: {matchExpressions: [{key: pod, operator: In, values: [a, b]}]}", BOTH("110 000 000") },
	{ "namespace: x, podSelector: {matchExpressions: [{key: pod, operator: NotIn, values: [a, b]}]}", BOTH("001 000 000") },
	{ "namespace: x, podSelector: {matchExpressions: [{key: pod, operator: DoesNotExist}]}", BOTH("000 000 000") },
};

/* Of a policy in x.  The first is any: no list of peers. */
static const struct form peers[] = {
	{ "", BOTH("111 111 111") },
	{ "podSelector: {}", BOTH("111 000 000") },
	{ "podSelector: {matchLabels: {pod: c}}", BOTH("001 000 000") },
	{ "namespaceSelector: {}", BOTH("111 111 111") },
	{ "namespaceSelector: {}, podSelector: {}", BOTH("111 111 111") },
	{ "namespaceSelector: {}, podSelector: {matchLabels: {pod: c}}", BOTH("001 001 001") },
	{ "namespaceSelector: {matchLabels: {ns: y}}", BOTH("000 111 000") },
	{ "namespaceSelector: {matchLabels: {ns: y}}, podSelector: {}", BOTH("000 111 000") },
	{ "namespaceSelector: {matchLabels: {ns: y}}, podSelector: {matchLabels: {pod: c}}", BOTH("000 001 000") },
	{ "namespaceSelector: {matchExpressions: [{key: ns, operator: NotIn, values: [x]}]}", BOTH("000 111 111") },
	{ "ipBlock: {cidr: 10.0.0.0/8}", { "111 111 111", "000 000 000" } },
	{ "ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}", { "000 111 111", "000 000 000" } },
	{ "ipBlock: {cidr: 10.2.0.2/32}", { "000 010 000", "000 000 000" } },
	{ "ipBlock: {cidr: \"fd00::/16\"}", { "000 000 000", "111 111 111" } },
	{ "ipBlock: {cidr: \"fd00::/16\", except: [\"fd00:2::/32\", \"fd00:1::1/128\"]}", { "000 000 000", "011 000 111" } },
};

/* The first is any: no list of ports.  A name that no pod has for the protocol means nothing. */
static const struct port {
	const char *yaml;
	uint8_t protocol; /* 0: any */
	uint16_t first, last;
} ports[] = {
	{ "", 0, 0, 65535 },
	{ "", IPPROTO_TCP, 0, 65535 },
	{ "port: 80", IPPROTO_TCP, 80, 80 },
	{ "port: 81", IPPROTO_TCP, 81, 81 },
	{ "protocol: TCP", IPPROTO_TCP, 0, 65535 },
	{ "protocol: TCP, port: 80", IPPROTO_TCP, 80, 80 },
	{ "protocol: TCP, port: 81", IPPROTO_TCP, 81, 81 },
	{ "protocol: UDP", IPPROTO_UDP, 0, 65535 },
	{ "protocol: UDP, port: 80", IPPROTO_UDP, 80, 80 },
	{ "protocol: UDP, port: 81", IPPROTO_UDP, 81, 81 },
	{ "protocol: SCTP", IPPROTO_SCTP, 0, 65535 },
	{ "protocol: SCTP, port: 80", IPPROTO_SCTP, 80, 80 },
	{ "protocol: SCTP, port: 81", IPPROTO_SCTP, 81, 81 },
	{ "protocol: TCP, port: serve-80-tcp", IPPROTO_TCP, 80, 80 },
	{ "protocol: TCP, port: serve-81-tcp", IPPROTO_TCP, 81, 81 },
	{ "protocol: UDP, port: serve-80-udp", IPPROTO_UDP, 80, 80 },
	{ "protocol: UDP, port: serve-81-udp", IPPROTO_UDP, 81, 81 },
	{ "protocol: SCTP, port: serve-80-sctp", IPPROTO_SCTP, 80, 80 },
	{ "protocol: SCTP, port: serve-81-sctp", IPPROTO_SCTP, 81, 81 },
	{ "protocol: TCP, port: 53, endPort: 80", IPPROTO_TCP, 53, 80 },
	{ "protocol: TCP, port: 53, endPort: 84", IPPROTO_TCP, 53, 84 },
	{ "protocol: UDP, port: 53, endPort: 80", IPPROTO_UDP, 53, 80 },
	{ "protocol: UDP, port: 53, endPort: 84", IPPROTO_UDP, 53, 84 },
	{ "protocol: SCTP, port: 53, endPort: 80", IPPROTO_SCTP, 53, 80 },
	{ "protocol: SCTP, port: 53, endPort: 84", IPPROTO_SCTP, 53, 84 },
	{ "protocol: TCP, port: serve-81-udp", IPPROTO_TCP, 1, 0 },
	{ "protocol: TCP, port: serve-7981-tcp", IPPROTO_TCP, 1, 0 },
	{ "protocol: TCP, port: 7981", IPPROTO_TCP, 7981, 7981 },
};

static const struct {
	uint8_t number;
	enum bh_service_table table;
} protocols[] = {
	{ IPPROTO_TCP,  BH_SERVICE_TCP },
	{ IPPROTO_UDP,  BH_SERVICE_UDP },
	{ IPPROTO_SCTP, BH_SERVICE_SCTP },
};
/* clang-format on */

/* Not every combination of the two is tried: the forms of one don't know of the other. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 8
#else
#define STRIDE 4
#endif

static const uint16_t asked_ports[] = {52, 53, 80, 81, 84, 85, 7981};

/* One policy: indices into the tables, each with one or two peers and ports. */
struct combination {
	bool is_ingress;
	size_t subject;
	size_t peers[2], ports[2];
};

static bool means_pod(const struct form *form, size_t pod, unsigned int family)
{
	return form->pods[family][pod + pod / 3] == '1';
}

static bool means_port(const struct port *port, uint8_t protocol, uint16_t number)
{
	return (!port->protocol || port->protocol == protocol) && port->first <= number &&
	       number <= port->last;
}

static bool is_wanted(const struct combination *c, const size_t pair[2], unsigned int family,
		      uint8_t protocol, uint16_t number)
{
	size_t subject = pair[c->is_ingress], peer = pair[!c->is_ingress];
	bool is_peer = false, is_port = false;

	if (!means_pod(&subjects[c->subject], subject, family))
		return true;
	for (int i = 0; i < 2; i++) {
		is_peer |= means_pod(&peers[c->peers[i]], peer, family);
		is_port |= means_port(&ports[c->ports[i]], protocol, number);
	}
	return is_peer && is_port;
}

static struct bh_addr address_of(size_t pod, unsigned int family)
{
	char buf[ADDRESS_STRLEN];
	struct bh_addr a;

	snprintf(buf, sizeof(buf), family ? "fd00:%zu::%zu" : "10.%zu.0.%zu", pod / 3 + 1,
		 pod % 3 + 1);
	assert_null(addr_parse(buf, &a));
	return a;
}

static void write_policy(const struct combination *c, struct text *out)
{
	const char *direction = c->is_ingress ? "ingress" : "egress";

	text_add(out, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p");
	/* The subject begins with its namespace. */
	text_addf(out, ", %.12s}\nspec:\n  %s\n", subjects[c->subject].yaml,
		  subjects[c->subject].yaml + strlen("namespace: x, "));
	text_addf(out, "  policyTypes: [%s]\n  %s:\n    - {", c->is_ingress ? "Ingress" : "Egress",
		  direction);
	if (c->peers[0])
		text_addf(out, "%s: [{%s}, {%s}], ", c->is_ingress ? "from" : "to",
			  peers[c->peers[0]].yaml, peers[c->peers[1]].yaml);
	if (c->ports[0])
		text_addf(out, "ports: [{%s}, {%s}]", ports[c->ports[0]].yaml,
			  ports[c->ports[1]].yaml);
	text_add(out, "}\n");
}

static void ask_pair(const struct combination *c, const struct compiled *compiled,
		     const size_t pair[2], const char *yaml)
{
	for (unsigned int family = 0; family < FAMILIES; family++) {
		struct bh_addr src = address_of(pair[0], family), dst = address_of(pair[1], family);

		for (size_t i = 0; i < COUNT(protocols) * COUNT(asked_ports); i++) {
			size_t at = i % COUNT(protocols);
			uint16_t number = asked_ports[i / COUNT(protocols)];
			uint32_t cell = image_decide(&compiled->image, &src, &dst,
						     protocols[at].table, number);
			bool is_let = decision_of_cell(cell).verdict == BH_VERDICT_ALLOW;

			if (is_let != is_wanted(c, pair, family, protocols[at].number, number))
				fail_msg("protocol %u, port %u, from pod %zu to %zu, IPv%d, "
					 "let through %d:\n%s",
					 protocols[at].number, number, pair[0], pair[1],
					 family ? 6 : 4, is_let, yaml);
		}
	}
}

static void try(const struct combination *c)
{
	static const char *const paths[] = {PODS_FILE};
	_text_ struct text yaml = TEXT_INIT;
	_diags_ struct diags diags = {};
	_policy_ struct policy *policy = NULL;
	_compiled_ struct compiled *compiled = NULL;
	struct source source;
	const struct load_input input = {
		.paths = paths, .path_count = 1, .sources = &source, .source_count = 1};
	int err;

	write_policy(c, &yaml);
	source = source_of("p.yaml", yaml.buf, yaml.len);
	err = policy_load_input(&input, &diags, &policy);
	if (!err)
		err = policy_compile(policy, &(struct environment){}, &diags, &compiled);
	diags_print(&diags, stderr);
	assert_row(yaml.buf, !err);
	for (size_t i = 0; i < PODS * PODS; i++) {
		/* A pod always reaches itself. */
		if (i % PODS != i / PODS)
			ask_pair(c, compiled, (size_t[]){i % PODS, i / PODS}, yaml.buf);
	}
}

/* Of a table whose first row stands alone: each row with itself and with each later one. */
static bool next_pair(size_t pair[2], size_t count)
{
	pair[1]++;
	if (pair[0] && pair[1] < count)
		return true;
	pair[0]++;
	pair[1] = pair[0];
	return pair[0] < count;
}

static void try_both_directions(struct combination c)
{
	c.is_ingress = false;
	try(&c);
	c.is_ingress = true;
	try(&c);
}

static void pairs_of_peers_add_up_with_each_port(void **state)
{
	struct combination c = {};

	(void)state;
	do {
		for (size_t port = 0; port < COUNT(ports); port += c.peers[0] ? STRIDE : 1) {
			c.ports[0] = c.ports[1] = port;
			try_both_directions(c);
		}
	} while (next_pair(c.peers, COUNT(peers)));
}

static void pairs_of_ports_add_up_with_some_peers(void **state)
{
	struct combination c = {};
	size_t turn = 0;

	(void)state;
	do {
		c.peers[0] = c.peers[1] = turn++ % COUNT(peers);
		if (turn % STRIDE == 0)
			try_both_directions(c);
	} while (next_pair(c.ports, COUNT(ports)));
}

/* No peer of these depends on the namespace. */
static void each_form_of_subject_is_whom_it_means(void **state)
{
	struct combination c = {.peers = {5, 5}, .ports = {2, 2}};

	(void)state;
	for (c.subject = 0; c.subject < COUNT(subjects); c.subject++)
		try_both_directions(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_of_peers_add_up_with_each_port),
		cmocka_unit_test(pairs_of_ports_add_up_with_some_peers),
		cmocka_unit_test(each_form_of_subject_is_whom_it_means),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
