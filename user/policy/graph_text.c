/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_text.h"

#include <ctype.h>
#include <string.h>

#include "policy/services.h"

#define NAMES_SHOWN 12
#define BUT         "any but "
#define LACK_MAX    4096 /* numbers that are worth naming */

/* "443" of "tcp/443". */
static const char *behind_slash(const char *s)
{
	const char *slash = strchr(s, '/');

	return slash ? slash + 1 : s;
}

static void format_table(const services *s, enum bh_service_table table, struct text *out)
{
	services own = {};
	_text_ struct text text = TEXT_INIT;
	char *rest, *word;

	vec_foreach (range, s) {
		if (range->table == table)
			vec_push(&own, *range);
	}
	if (own.count)
		services_format(&own, &text);
	vec_release(&own);
	/* "tcp/80, tcp/443" to "80, 443" */
	for (rest = text.len ? text.buf : NULL; (word = strsep(&rest, ","));) {
		while (*word == ' ')
			word++;
		text_addf(out, "%s%s", out->len ? ", " : "", behind_slash(word));
	}
}

/* The services of each table, as numbers; tables of the same numbers stand together. */
static void format_compact(const services *s, struct text *out)
{
	/* clang-format off */
	static const char *const words[BH_SERVICE_TABLES] = {
		[BH_SERVICE_TCP] = "tcp",   [BH_SERVICE_UDP] = "udp",
		[BH_SERVICE_SCTP] = "sctp", [BH_SERVICE_ICMP] = "icmp",
		[BH_SERVICE_ICMP6] = "icmp6", [BH_SERVICE_PROTO] = "proto",
	};
	/* clang-format on */
	struct text tables[BH_SERVICE_TABLES];

	for (int i = 0; i < BH_SERVICE_TABLES; i++) {
		tables[i] = (struct text)TEXT_INIT;
		format_table(s, (enum bh_service_table)i, &tables[i]);
	}
	for (int i = 0; i < BH_SERVICE_TABLES; i++) {
		_text_ struct text name = TEXT_INIT;

		if (!tables[i].len)
			continue;
		text_add(&name, words[i]);
		for (int k = i + 1; k < BH_SERVICE_TABLES; k++) {
			if (strcmp(tables[i].buf, tables[k].buf) != 0)
				continue;
			text_addf(&name, "+%s", words[k]);
			text_reset(&tables[k]);
		}
		if (out->len)
			text_add(out, "; ");
		if (!strcmp(tables[i].buf, "echo-request"))
			text_add(out, "ping");
		else
			text_addf(out, "%s/%s", name.buf, tables[i].buf);
	}
	for (int i = 0; i < BH_SERVICE_TABLES; i++)
		text_release(&tables[i]);
}

/* Every service but those of @s. */
static void others(const services *s, services *out)
{
	services any = {};

	services_add_any(&any);
	services_normalise(&any);
	vec_foreach (whole, &any) {
		uint32_t next = whole->lo;

		vec_foreach (range, s) {
			if (range->table != whole->table || range->hi < whole->lo ||
			    range->lo > whole->hi)
				continue;
			if (range->lo > next)
				vec_push(out, (struct service_range){whole->table, (uint16_t)next,
								     range->lo - 1});
			next = range->hi + 1u;
		}
		if (next <= whole->hi)
			vec_push(out,
				 (struct service_range){whole->table, (uint16_t)next, whole->hi});
	}
	vec_release(&any);
}

/* Writes @s, or what it lacks, whichever @format makes shorter. */
static void format_shorter(const services *s, void (*format)(const services *, struct text *),
			   struct text *out)
{
	_text_ struct text plain = TEXT_INIT, lack = TEXT_INIT;
	services rest = {};
	size_t numbers = 0;

	others(s, &rest);
	vec_foreach (range, &rest)
		numbers += range->hi - range->lo + 1u;
	if (numbers && numbers <= LACK_MAX)
		format(&rest, &lack);
	format(s, &plain);
	if (!numbers)
		text_add(out, "any");
	else if (lack.len && lack.len + strlen(BUT) < plain.len)
		text_addf(out, BUT "%s", lack.buf);
	else
		text_add(out, plain.buf);
	vec_release(&rest);
}

void graph_services_all(const services *s, struct text *out)
{
	format_shorter(s, services_format, out);
}

/* Cuts at a comma or semicolon, and says how many entries went. */
static void add_cut(const char *s, size_t most, struct text *out)
{
	size_t end = 0, left = 0;

	for (size_t i = 0; s[i] && i + 4 <= most; i++) {
		if (s[i] == ',' || s[i] == ';')
			end = i;
	}
	for (size_t i = end; s[i]; i++)
		left += s[i] == ',' || s[i] == ';';
	if (end)
		text_addf(out, "%.*s +%zu", (int)end, s, left);
	else
		text_addf(out, "%.*s...", (int)most - 3, s);
}

void graph_services(const services *s, size_t most, struct text *out)
{
	_text_ struct text whole = TEXT_INIT;

	format_shorter(s, format_compact, &whole);
	if (most && whole.len > most)
		add_cut(whole.buf, most, out);
	else
		text_add(out, whole.buf);
}

void graph_label(const struct graph_flow *flow, size_t most, struct text *out)
{
	_text_ struct text spoken = TEXT_INIT;

	graph_services(&flow->services, most, &spoken);
	if (!flow->is_never)
		text_add(out, spoken.buf);
	else if (!strcmp(spoken.buf, "any"))
		text_add(out, "never");
	else
		text_addf(out, "never %s", spoken.buf);
}

void graph_names(const struct graph_flow *flow, struct text *out)
{
	for (size_t i = 0; i < flow->names.count; i++) {
		if (i == NAMES_SHOWN) {
			text_addf(out, " and %zu more", flow->names.count - i);
			return;
		}
		text_addf(out, "%s%s", i ? ", " : "", flow->names.items[i]);
	}
}

void graph_box_title(const struct graph_box *box, struct text *out)
{
	if (box->kind == GRAPH_NAMESPACE)
		text_add(out, "namespace ");
	text_add(out, box->name);
	if (box->mode == MODE_AUDIT || box->mode == MODE_OFF)
		text_addf(out, " (%s)", mode_word(box->mode));
}

void graph_node_title(const struct graph_node *node, struct text *out)
{
	if (node->kind == GRAPH_WHOLE)
		text_add(out, "all of ");
	text_add(out, node->name);
	if (node->kind == GRAPH_WORKLOAD && node->count)
		text_addf(out, " (%zu pod%s)", node->count, node->count == 1 ? "" : "s");
	if (node->mode != MODE_UNSET)
		text_addf(out, " (%s)", mode_word(node->mode));
}

void graph_notes(const struct graph *g, void (*add)(struct text *out, const char *line),
		 struct text *out)
{
	_text_ struct text line = TEXT_INIT;

	if (g->folded) {
		text_addf(&line, "%zu workloads are folded: more than %d are in the policy",
			  g->folded, GRAPH_WORKLOADS_SHOWN);
		add(out, line.buf);
	}
	vec_foreach (name, &g->idle) {
		text_reset(&line);
		text_addf(&line, "not drawn: rule %s lets nothing through", *name);
		add(out, line.buf);
	}
}

/* Without what is no character in XML, or would control a terminal. */
static void add_clean(struct text *t, const char *s)
{
	_text_ struct text plain = TEXT_INIT;
	const char *bad;

	text_add_plain(&plain, s, strlen(s));
	/* U+FFFE and U+FFFF */
	while ((bad = strstr(plain.buf, "\xef\xbf\xbe")) ||
	       (bad = strstr(plain.buf, "\xef\xbf\xbf")))
		memset(plain.buf + (bad - plain.buf), '?', 3);
	text_add(t, plain.buf);
}

static void escape(struct text *t, const char *s, const char *(*replacement)(unsigned char c))
{
	_text_ struct text clean = TEXT_INIT;

	add_clean(&clean, s);
	for (const char *c = clean.buf; *c; c++) {
		const char *instead = replacement((unsigned char)*c);

		if (instead)
			text_add(t, instead);
		else
			text_addc(t, *c);
	}
}

static const char *dot_of(unsigned char c)
{
	return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

void text_add_dot(struct text *t, const char *s)
{
	text_addc(t, '"');
	escape(t, s, dot_of);
	text_addc(t, '"');
}

void text_add_mermaid(struct text *t, const char *s)
{
	_text_ struct text clean = TEXT_INIT;

	add_clean(&clean, s);
	text_addc(t, '"');
	for (const char *c = clean.buf; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr(" ./,:+()-_=", *c) || (*c & 0x80))
			text_addc(t, *c);
		else
			text_addf(t, "#%d;", *c);
	}
	text_addc(t, '"');
}
