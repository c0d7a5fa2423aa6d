/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* BULKHEAD_GOLDEN=write makes the golden files anew; review the difference. */
#include "policy/graph.h"

#include <stdio.h>

#include "policy/graph_layout.h"
#include "policy/graph_text.h"
#include "policy/graph_write.h"
#include "policy/load.h"
#include "policy/services.h"
#include "tests/test.h"
#include "tests/unit/policy_text.h"
#include "util/mem.h"
#include "util/xml.h"

#define ZONES                                                                                      \
	"  zones:\n"                                                                               \
	"  - {name: internet, cidrs: [0.0.0.0/0, \"::/0\"]}\n"                                     \
	"  - {name: dmz, cidrs: [10.0.0.0/24]}\n"                                                  \
	"  - {name: data, cidrs: [10.0.1.0/24]}\n"                                                 \
	"  - {name: empty}\n"                                                                      \
	"  workloads:\n"                                                                           \
	"  - {name: a, zone: dmz, addresses: [10.0.0.1], labels: {app: web}}\n"                    \
	"  - {name: b, zone: dmz, addresses: [10.0.0.2], labels: {app: web}}\n"                    \
	"  - {name: c, zone: dmz, addresses: [10.0.0.3], labels: {app: web}}\n"                    \
	"  - {name: d, zone: dmz, addresses: [10.0.0.4], labels: {app: web}}\n"                    \
	"  - {name: e, zone: dmz, addresses: [10.0.0.5], labels: {app: web, canary: \"1\"}}\n"     \
	"  - {name: f, zone: dmz, addresses: [10.0.0.6]}\n"                                        \
	"  - {name: db, zone: data, addresses: [10.0.1.1], labels: {app: db}}\n"                   \
	"  - {name: db2, zone: data, addresses: [10.0.1.2], labels: {app: db}}\n"

struct flow_case {
	const char *name;
	const char *rules; /* behind ZONES */
	const char
		*flows; /* "from>to services", "!" before a promise; then "-rule": draws nothing */
};

/* clang-format off */
#define RULES "  rules:\n"
#define ALLOW "  - {name: r, action: allow, "
static const struct flow_case flow_cases[] = {
	{ "workload to workload", RULES
	  ALLOW "from: a, to: db, services: tcp/1}\n",
	  "a>db tcp/1\n" },
	{ "zones, at their level", RULES
	  ALLOW "from: dmz, to: data, services: tcp/1}\n",
	  "all of dmz>all of data tcp/1\n" },
	{ "a list fans out", RULES
	  ALLOW "from: [a, data], to: [b, internet], services: tcp/1}\n",
	  "a>b tcp/1\n" "a>all of internet tcp/1\n"
	  "all of data>b tcp/1\n" "all of data>all of internet tcp/1\n" },
	{ "a few by label are each for itself", RULES
	  ALLOW "from: a, to: {labels: {app: db}}, services: tcp/1}\n",
	  "a>db tcp/1\n" "a>db2 tcp/1\n" },
	{ "many by label are one", RULES
	  ALLOW "from: {labels: {app: web}}, to: db, services: tcp/1}\n",
	  "app=web (5)>db tcp/1\n" },
	{ "labels and a zone", RULES
	  ALLOW "from: {zone: dmz, labels: {canary: \"1\"}}, to: db, services: tcp/1}\n",
	  "e>db tcp/1\n" },
	{ "addresses and names of none", RULES
	  ALLOW "from: {cidr: 192.0.2.0/24, except: [192.0.2.1]}, to: a, services: tcp/1}\n"
	  "  - {name: s, from: any, to: host, services: tcp/2}\n"
	  "  - {name: t, from: {except: data}, to: a, services: tcp/3}\n",
	  "192.0.2.0/24 but 192.0.2.1>a tcp/1\n" "any>host tcp/2\n" "all but data>a tcp/3\n" },
	{ "equal ends are one flow", RULES
	  ALLOW "from: a, to: db, services: tcp/1}\n"
	  "  - {name: s, from: a, to: db, services: [udp/53, tcp/2]}\n",
	  "a>db tcp/1-2, udp/53\n" },
	{ "many that are alike, by many rules, are one", RULES
	  ALLOW "from: a, to: db, services: tcp/1}\n"
	  "  - {name: s, from: c, to: db, services: tcp/1}\n"
	  "  - {name: t, from: b, to: db, services: tcp/1}\n"
	  "  - {name: u, from: e, to: db, services: tcp/1}\n"
	  "  - {name: v, from: f, to: db, services: tcp/1}\n"
	  "  - {name: w, from: d, to: db, services: tcp/1}\n",
	  "all 6 workloads>db tcp/1\n" },
	{ "what is bundled merges with what has its ends", RULES
	  ALLOW "from: {labels: {app: web}}, to: db, services: tcp/1}\n"
	  "  - {name: s, from: c, to: db, services: tcp/2}\n"
	  "  - {name: t, from: b, to: db, services: tcp/2}\n"
	  "  - {name: u, from: e, to: db, services: tcp/2}\n"
	  "  - {name: v, from: a, to: db, services: tcp/2}\n"
	  "  - {name: w, from: d, to: db, services: tcp/2}\n",
	  "app=web (5)>db tcp/1-2\n" },
	{ "a deny takes a whole flow away", RULES
	  ALLOW "from: dmz, to: db, services: tcp/1}\n"
	  "  - {name: n, from: any, to: data, services: any, action: deny}\n",
	  "-r\n" },
	{ "a deny takes a service away", RULES
	  ALLOW "from: dmz, to: db, services: [tcp/1, tcp/23]}\n"
	  "  - {name: n, from: any, to: any, services: tcp/23, action: deny}\n",
	  "all of dmz>db tcp/1\n" },
	{ "a deny of a part of the ends takes nothing away", RULES
	  ALLOW "from: dmz, to: data, services: [tcp/1, tcp/23]}\n"
	  "  - {name: n, from: a, to: any, services: tcp/23, action: deny}\n",
	  "all of dmz>all of data tcp/1, tcp/23\n" },
	{ "what one of two rules allows is drawn for both", RULES
	  ALLOW "from: a, to: db, services: tcp/1}\n"
	  "  - {name: s, from: dmz, to: data, services: tcp/1}\n",
	  "a>db tcp/1\n" "all of dmz>all of data tcp/1\n" },
	{ "a zone without addresses", RULES
	  ALLOW "from: empty, to: db, services: tcp/1}\n",
	  "-r\n" },
	{ "a service of the other family stays as written", RULES
	  ALLOW "from: a, to: db, services: [icmp/echo-request, icmp6/echo-request]}\n",
	  "a>db icmp/echo-request, icmp6/echo-request\n" },
	{ "promises", "  never:\n"
	  "  - {name: n, from: internet, to: data}\n"
	  "  - {name: o, from: dmz, to: {except: data}, services: tcp/1}\n",
	  "!all of internet>all of data any\n" "!all of dmz>all but data tcp/1\n" },
	{ "within a zone, and to itself", RULES
	  ALLOW "from: dmz, to: dmz, services: tcp/1}\n"
	  "  - {name: s, from: a, to: a, services: tcp/2}\n",
	  "all of dmz>all of dmz tcp/1\n" "a>a tcp/2\n" },
};
/* clang-format on */

static void format_flows(const struct graph *g, struct text *out)
{
	vec_foreach (flow, &g->flows) {
		text_add(out, flow->is_never ? "!" : "");
		graph_node_title(&g->nodes.items[flow->from], out);
		text_add(out, ">");
		graph_node_title(&g->nodes.items[flow->to], out);
		text_add(out, " ");
		services_format(&flow->services, out);
		text_add(out, "\n");
	}
	vec_foreach (name, &g->idle)
		text_addf(out, "-%s\n", *name);
}

static void a_flow_is_what_is_really_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(flow_cases); i++) {
		_text_ struct text spec = TEXT_INIT, seen = TEXT_INIT;
		_graph_ struct graph g = {};

		text_addf(&spec, ZONES "%s", flow_cases[i].rules);
		_policy_text_ struct compiled_text t = policy_text(spec.buf, NULL);
		graph_build(t.compiled, &g);
		format_flows(&g, &seen);
		assert_row_string(flow_cases[i].name, seen.buf, flow_cases[i].flows);
	}
}

/* Makes the workload a pod of the policy's only namespace, and of a group if that isn't none. */
static void pods_of_one_kind_are_drawn_each(void **state)
{
	/* The zone of two is that of its address. */
	_policy_text_ struct compiled_text t = policy_text(
		"  zones: [{name: data, cidrs: [10.8.1.0/24]}]\n---\n"
		"apiVersion: v1\nkind: PodList\nitems:\n"
		"- {metadata: {name: web}, status: {podIP: 10.8.0.1}}\n"
		"- {metadata: {name: one, labels: {app: db}}, status: {podIP: 10.8.0.2}}\n"
		"- {metadata: {name: two, labels: {app: db}}, status: {podIP: 10.8.1.2}}\n"
		"- {metadata: {name: three, labels: {app: db}}, status: {podIP: 10.8.1.3}}\n---\n"
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n}\n"
		"spec:\n"
		"  podSelector: {matchLabels: {app: db}}\n"
		"  ingress: [{from: [{podSelector: {}}], ports: [{port: 5432}]}]\n",
		NULL);
	const struct policy *p = t.policy;
	_graph_ struct graph g = {};
	size_t in_data = 0;

	(void)state;
	graph_build(t.compiled, &g);
	for (size_t i = 0; i < p->workloads.count; i++) {
		bool is_drawn = false;

		vec_foreach (node, &g.nodes) {
			if (strcmp(node->name, p->workloads.items[i].name) != 0)
				continue;
			is_drawn = true;
			in_data += !strcmp(g.boxes.items[node->box].name, "data");
		}
		assert_row(p->workloads.items[i].name, is_drawn);
	}
	assert_int_equal(in_data, 2);
	for (size_t to = 1; to < p->workloads.count; to++) {
		bool is_reached = false;

		vec_foreach (flow, &g.flows) {
			const struct graph_node *node = &g.nodes.items[flow->to];

			is_reached |= !strcmp(node->name, p->workloads.items[to].name);
		}
		assert_row(p->workloads.items[to].name, is_reached);
	}
}

static void make_pod(struct policy *p, size_t workload, size_t group)
{
	p->workloads.items[workload].kind = WORKLOAD_POD;
	p->workloads.items[workload].space = 0;
	p->workloads.items[workload].group = group;
}

static void pods_stand_in_their_namespace_or_behind_their_workload(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text("  zones:\n"
			    "  - {name: dmz, cidrs: [10.0.0.0/24]}\n"
			    "  workloads:\n"
			    "  - {name: web, zone: dmz, addresses: [10.0.0.1]}\n"
			    "  - {name: web-1, addresses: [10.0.0.2]}\n"
			    "  - {name: web-2, addresses: [10.0.0.3]}\n"
			    "  - {name: job, addresses: [192.0.2.1]}\n"
			    "  rules:\n"
			    "  - {name: r, from: web, to: job, services: tcp/1}\n"
			    "  - {name: s, from: web-2, to: job, services: tcp/2}\n",
			    NULL);
	_compiled_ struct compiled *again = NULL;
	_text_ struct text seen = TEXT_INIT;
	_graph_ struct graph g = {};
	_diags_ struct diags d = {};

	(void)state;
	vec_push(&t.policy->namespaces,
		 (struct namespace){.name = xstrdup("shop"), .mode = MODE_AUDIT});
	make_pod(t.policy, 1, 0);
	make_pod(t.policy, 2, 0);
	make_pod(t.policy, 3, POLICY_NONE);
	assert_int_equal(policy_compile(t.policy, &(struct environment){}, &d, &again), 0);
	graph_build(again, &g);
	format_flows(&g, &seen);
	assert_string_equal(seen.buf, "web (2 pods)>job tcp/1\n"
				      "web-2>job tcp/2\n");
	assert_int_equal(g.boxes.count, 2);
	assert_int_equal(g.boxes.items[1].kind, GRAPH_NAMESPACE);
	text_reset(&seen);
	graph_box_title(&g.boxes.items[1], &seen);
	assert_string_equal(seen.buf, "namespace shop (audit)");
	vec_foreach (node, &g.nodes) {
		assert_row(node->name, !!strcmp(node->name, "web-1"));
		if (!strcmp(node->name, "web-2"))
			assert_int_equal(node->box, 0);
		if (!strcmp(node->name, "job"))
			assert_int_equal(node->box, 1);
	}
}

/* clang-format off */
static const struct {
	const char *name;
	const char *services;
	size_t most;
	const char *label;
} label_cases[] = {
	{ "one",                    "tcp/443",                              0,  "tcp/443" },
	{ "a protocol once",        "tcp/80 tcp/443",                       0,  "tcp/80, 443" },
	{ "protocols alike",        "tcp/53 udp/53",                        0,  "tcp+udp/53" },
	{ "protocols that aren't",  "tcp/80 udp/53",                        0,  "tcp/80; udp/53" },
	{ "ping",                   "icmp/echo-request icmp6/echo-request", 0,  "ping" },
	{ "a range",                "tcp/8000-8100",                        0,  "tcp/8000-8100" },
	{ "everything",             "any",                                  0,  "any" },
	{ "nearly everything",      "tcp/0-22 tcp/24-65535 udp/0-65535 sctp/0-65535",
	  0, "tcp/0-22, 24-65535; udp+sctp/0-65535" },
	{ "cut",                    "tcp/1 tcp/3 tcp/5 tcp/7 udp/53",      16, "tcp/1, 3, 5 +2" },
	{ "cut where it fits",      "tcp/1 tcp/3",                          8,  "tcp/1, 3" },
};
/* clang-format on */

static void a_label_is_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(label_cases); i++) {
		_free_ char *list = xstrdup(label_cases[i].services);
		_text_ struct text label = TEXT_INIT, error = TEXT_INIT;
		services s = {};
		char *rest = list, *word;

		while ((word = strsep(&rest, " ")))
			assert_row(label_cases[i].name, services_parse(word, &s, &error));
		services_normalise(&s);
		graph_services(&s, label_cases[i].most, &label);
		vec_release(&s);
		assert_row_string(label_cases[i].name, label.buf, label_cases[i].label);
	}
}

/* clang-format off */
static const struct {
	const char *plain;
	const char *xml, *dot, *mermaid;
} escapes[] = {
	{ "web-1",       "web-1",                     "\"web-1\"",        "\"web-1\"" },
	{ "a\"b'c",      "a&quot;b&apos;c",           "\"a\\\"b'c\"",     "\"a#34;b#39;c\"" },
	{ "<b>&amp;",    "&lt;b&gt;&amp;amp;",        "\"<b>&amp;\"",     "\"#60;b#62;#38;amp#59;\"" },
	{ "a\\",         "a\\",                       "\"a\\\\\"",        "\"a#92;\"" },
	{ "x\n%% y]|",   "x&#10;%% y]|",              "\"x?%% y]|\"",     "\"x#63;#37;#37; y#93;#124;\"" },
	{ "\xc3\xbc\xff\xef\xbf\xbf", "\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd",
	  "\"\xc3\xbc????\"", "\"\xc3\xbc#63;#63;#63;#63;\"" },
};
/* clang-format on */

static void text_stays_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(escapes); i++) {
		_text_ struct text xml = TEXT_INIT, dot = TEXT_INIT, mermaid = TEXT_INIT;

		text_add_xml(&xml, escapes[i].plain);
		text_add_dot(&dot, escapes[i].plain);
		text_add_mermaid(&mermaid, escapes[i].plain);
		assert_row_string(escapes[i].plain, xml.buf, escapes[i].xml);
		assert_row_string(escapes[i].plain, dot.buf, escapes[i].dot);
		assert_row_string(escapes[i].plain, mermaid.buf, escapes[i].mermaid);
	}
}

/* Behind a tag's name: attributes, each quoted; returns what follows the tag, NULL if malformed. */
static const char *skip_attributes(const char *s, bool *ret_is_empty)
{
	while (*s == ' ') {
		size_t name = strspn(++s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

		if (!name || s[name] != '=' || s[name + 1] != '"')
			return NULL;
		s += name + 2;
		s += strcspn(s, "\"<");
		if (*s++ != '"')
			return NULL;
	}
	*ret_is_empty = *s == '/';
	s += *ret_is_empty;
	return *s == '>' ? s + 1 : NULL;
}

static bool is_entity(const char *s)
{
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#10;"};

	for (size_t i = 0; i < COUNT(known); i++) {
		if (!strncmp(s, known[i], strlen(known[i])))
			return true;
	}
	return false;
}

/* What is no element: a comment, a declaration, a section of plain characters. */
static const char *skip_special(const char *s)
{
	static const char *const pairs[][2] = {
		{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?xml", "?>"}, {"<!DOCTYPE", ">"}};

	for (size_t i = 0; i < COUNT(pairs); i++) {
		const char *end;

		if (strncmp(s, pairs[i][0], strlen(pairs[i][0])) != 0)
			continue;
		end = strstr(s, pairs[i][1]);
		return end ? end + strlen(pairs[i][1]) : NULL;
	}
	return s;
}

#define DEPTH_MAX 32

/* Where a document stops being well-formed XML; its end if it is. */
static const char *well_formed_until(const char *s)
{
	const char *open[DEPTH_MAX];
	size_t depth = 0;

	while (*s) {
		const char *next = skip_special(s), *name = s + 1;
		size_t len;
		bool is_empty = false;

		if (*s == '&' && !is_entity(s))
			return s;
		if (*s != '<' || next != s) {
			s = !next || next != s ? next : s + 1;
			continue;
		}
		name += *name == '/';
		len = strcspn(name, " />");
		next = skip_attributes(name + len, &is_empty);
		if (!next || (s[1] == '/' && (!depth || strncmp(open[--depth], name, len) != 0)))
			return s;
		if (s[1] != '/' && !is_empty) {
			assert_true(depth < DEPTH_MAX);
			open[depth++] = name;
		}
		s = next;
	}
	return depth ? open[depth - 1] : s;
}

/* clang-format off */
static const struct {
	const char *format;
	void (*write)(const struct graph *g, struct text *out);
	const char *golden;
	bool is_xml;
} writers[] = {
	{ "dot",     graph_write_dot,     "tests/golden/graph/three-tier.dot", false },
	{ "mermaid", graph_write_mermaid, "tests/golden/graph/three-tier.mmd", false },
	{ "svg",     graph_write_svg,     "tests/golden/graph/three-tier.svg", true },
	{ "html",    graph_write_html,    NULL,                                true },
};
/* clang-format on */

/* Whether a word is nowhere in a DOT or Mermaid text but in strings and comments. */
static bool is_quoted(const char *s, const char *word)
{
	bool is_inside = false;

	for (; *s; s++) {
		if (!is_inside && (!strncmp(s, "//", 2) || !strncmp(s, "%%", 2)))
			s += strcspn(s, "\n");
		else if (*s == '"')
			is_inside = !is_inside;
		else if (*s == '\\' && is_inside)
			s++;
		else if (!is_inside && !strncmp(s, word, strlen(word)))
			return false;
	}
	return !is_inside;
}

static void hostile_names_stay_inside(void **state)
{
	static const char evil[] = "</title><script>alert(1)</script>\"]; n0 -> n0; -->\n]]>'{{\\";
	struct graph g = {.folded = 1};
	size_t from, to;

	(void)state;
	vec_push(&g.boxes, (struct graph_box){.name = evil, .role = ROLE_DATA, .mode = MODE_AUDIT});
	vec_push(&g.nodes, (struct graph_node){.name = xstrdup(evil), .is_end = true});
	vec_push(&g.nodes, (struct graph_node){.kind = GRAPH_WORKLOAD, .name = xstrdup(evil)});
	for (from = 0; from < 2; from++) {
		for (to = 0; to < 2; to++) {
			vec_push(&g.flows,
				 (struct graph_flow){.from = from, .to = to, .is_never = to});
			vec_push(&g.flows.items[g.flows.count - 1].names, evil);
			services_add_any(&g.flows.items[g.flows.count - 1].services);
		}
	}
	vec_push(&g.idle, evil);
	for (size_t i = 0; i < COUNT(writers); i++) {
		_text_ struct text out = TEXT_INIT;

		writers[i].write(&g, &out);
		assert_row(writers[i].format, !writers[i].is_xml || !*well_formed_until(out.buf));
		assert_row(writers[i].format,
			   !writers[i].is_xml || !strstr(out.buf, "<script>alert"));
		assert_row(writers[i].format, writers[i].is_xml || is_quoted(out.buf, "alert"));
	}
	graph_release(&g);
}

static void load_graph(const char *path, struct graph *ret, struct compiled **ret_compiled,
		       struct policy **ret_policy)
{
	_diags_ struct diags d = {};

	assert_int_equal(policy_load(&path, 1, &d, ret_policy), 0);
	assert_int_equal(policy_compile(*ret_policy, &(struct environment){}, &d, ret_compiled), 0);
	graph_build(*ret_compiled, ret);
}

static void every_example_is_well_formed(void **state)
{
	static const char *const paths[] = {"policies/five-zone.yaml", "policies/three-tier.yaml",
					    "policies/web-server.yaml"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths) * COUNT(writers); i++) {
		_policy_ struct policy *p = NULL;
		_compiled_ struct compiled *c = NULL;
		_graph_ struct graph g = {};
		_text_ struct text out = TEXT_INIT;
		const char *path = paths[i / COUNT(writers)];

		load_graph(path, &g, &c, &p);
		writers[i % COUNT(writers)].write(&g, &out);
		if (writers[i % COUNT(writers)].is_xml)
			assert_row_string(path, well_formed_until(out.buf), "");
		assert_row(path, out.buf[out.len - 1] == '\n');
	}
}

static void check_golden(const char *path, const struct text *seen)
{
	const char *golden = getenv("BULKHEAD_GOLDEN");
	struct source expected = {};

	if (golden && !strcmp(golden, "write")) {
		_fclose_ FILE *f = fopen(path, "w");

		assert_non_null(f);
		assert_int_equal(fwrite(seen->buf, 1, seen->len, f), seen->len);
		return;
	}
	assert_row(path, !source_read(path, &expected));
	assert_row_string(path, seen->buf, expected.text);
	source_release(&expected);
}

static void pictures_are_as_they_were_reviewed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(writers); i++) {
		_policy_ struct policy *p = NULL;
		_compiled_ struct compiled *c = NULL;
		_graph_ struct graph g = {};
		_text_ struct text out = TEXT_INIT;

		load_graph("policies/three-tier.yaml", &g, &c, &p);
		writers[i].write(&g, &out);
		if (writers[i].golden)
			check_golden(writers[i].golden, &out);
	}
}

/* Whether the line from @a to @b, without its ends, runs over a place. */
static bool does_cross(struct graph_point a, struct graph_point b, const struct graph_place *p)
{
	int left = a.x < b.x ? a.x : b.x, right = a.x + b.x - left;
	int top = a.y < b.y ? a.y : b.y, bottom = a.y + b.y - top;

	return left < p->x + p->w && right > p->x && top < p->y + p->h && bottom > p->y;
}

static void no_arrow_runs_across_a_node(void **state)
{
	_policy_ struct policy *p = NULL;
	_compiled_ struct compiled *c = NULL;
	_graph_ struct graph g = {};
	_graph_layout_ struct graph_layout l = {};

	(void)state;
	load_graph("policies/five-zone.yaml", &g, &c, &p);
	graph_layout(&g, &l);
	for (size_t i = 0; i < g.flows.count; i++) {
		const struct graph_route *r = &l.routes[i];

		assert_true(r->count >= 4);
		for (size_t k = g.boxes.count; k < g.nodes.count; k++) {
			for (size_t j = 1; l.nodes[k].is_drawn && j < r->count; j++)
				assert_row(
					g.nodes.items[k].name,
					!does_cross(r->points[j - 1], r->points[j], &l.nodes[k]));
		}
	}
}

#define MANY 3000

static void many_workloads_are_folded(void **state)
{
	_text_ struct text spec = TEXT_INIT, seen = TEXT_INIT;
	_graph_ struct graph g = {};

	(void)state;
	text_add(&spec, "  zones:\n  - {name: dmz, cidrs: [10.0.0.0/8]}\n"
			"  - {name: data, cidrs: [172.16.0.0/16]}\n  workloads:\n"
			"  - {name: db, zone: data, addresses: [172.16.0.1]}\n");
	for (unsigned int i = 0; i < MANY; i++)
		text_addf(&spec, "  - {name: w%u, zone: dmz, addresses: [10.0.%u.%u]}\n", i,
			  i / 200, i % 200 + 1);
	text_add(&spec, "  rules:\n"
			"  - {name: r, from: w7, to: db, services: tcp/1}\n"
			"  - {name: s, from: w8, to: w9, services: tcp/2}\n"
			"  - {name: t, from: w9, to: db, services: tcp/3}\n");
	_policy_text_ struct compiled_text t = policy_text(spec.buf, NULL);
	graph_build(t.compiled, &g);
	format_flows(&g, &seen);
	assert_string_equal(seen.buf, "3000 workloads>db tcp/1, tcp/3\n"
				      "3000 workloads>3000 workloads tcp/2\n");
	assert_int_equal(g.folded, MANY);
	assert_true(g.nodes.count < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_what_is_really_allowed),
		cmocka_unit_test(pods_of_one_kind_are_drawn_each),
		cmocka_unit_test(pods_stand_in_their_namespace_or_behind_their_workload),
		cmocka_unit_test(a_label_is_short),
		cmocka_unit_test(text_stays_text),
		cmocka_unit_test(hostile_names_stay_inside),
		cmocka_unit_test(every_example_is_well_formed),
		cmocka_unit_test(pictures_are_as_they_were_reviewed),
		cmocka_unit_test(no_arrow_runs_across_a_node),
		cmocka_unit_test(many_workloads_are_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
