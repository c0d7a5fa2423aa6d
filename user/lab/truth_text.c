/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/truth_text.h"

#include <string.h>

#include "lab/truth.h"
#include "policy/services.h"

/* How the echo of either ICMP is called. */
enum echo_name {
	ECHO_OWN,  /* by the probe's family */
	ECHO_BOTH, /* both: the line speaks of both families */
};

/* Services with something in common: the rule that allows them, or what went wrong. */
struct group {
	char *note;       /* behind the services; "" for none */
	struct text list; /* of services */
	size_t count;
};
typedef VEC(struct group) groups;

static void groups_release(groups *g)
{
	vec_foreach (group, g) {
		free(group->note);
		text_release(&group->list);
	}
	vec_release(g);
}
#define _groups_ _cleanup_(groups_release)

static struct group *group_of(groups *g, const struct text *note)
{
	struct text copy = TEXT_INIT;

	vec_foreach (group, g)
		if (!strcmp(group->note, note->buf))
			return group;
	text_add(&copy, note->buf);
	vec_push(g, (struct group){.note = text_take(&copy), .list = TEXT_INIT});
	return &g->items[g->count - 1];
}

/* False when the probe should not get through: nothing is said of it. */
static bool note_expected(const struct compiled *c, const struct lab_probe *p, struct text *note)
{
	if (!lab_probe_expects_answer(p))
		return false;
	if (p->expected.verdict == BH_VERDICT_AUDIT)
		text_add(note, " audit");
	text_addf(note, " (%s)", compiled_rule_name(c, p->expected.rule));
	return true;
}

static bool note_seen(const struct lab_probe *p, struct text *note)
{
	if (p->seen == LAB_ANSWERED)
		return true;
	if (p->seen != LAB_SILENT)
		text_addf(note, " %s", lab_outcome_word(p->seen));
	else if (!lab_probe_expects_answer(p) && !p->drops)
		text_add(note, " without a drop event");
	else
		return false;
	return true;
}

static void add_service(const struct lab_service *s, enum echo_name name, struct text *out)
{
	bool is_echo = s->table == BH_SERVICE_ICMP || s->table == BH_SERVICE_ICMP6;

	if (out->len)
		text_add(out, ", ");
	if (is_echo && name == ECHO_BOTH) {
		service_format(BH_SERVICE_ICMP, LAB_ECHO, out);
		text_add(out, ", ");
		service_format(BH_SERVICE_ICMP6, LAB_ECHO6, out);
	} else {
		service_format(s->table, s->number, out);
	}
}

static void add_groups(const groups *g, size_t probes, struct text *out)
{
	if (!g->count)
		text_add(out, "none");
	vec_foreach (group, g)
		text_addf(out, "%s%s%s", group == g->items ? "" : "; ",
			  group->count == probes ? "all" : group->list.buf, group->note);
}

struct family_text {
	const struct compiled *c;
	const struct lab_plan *plan;
	enum truth_side side;
	enum echo_name echo;
};

static void describe(const struct family_text *how, const struct lab_probe *probes, size_t count,
		     struct text *out)
{
	_groups_ groups g = {};

	for (size_t i = 0; i < count; i++) {
		const struct lab_probe *p = &probes[i];
		_text_ struct text note = TEXT_INIT;
		struct group *group;

		if (how->side == TRUTH_EXPECTED ? !note_expected(how->c, p, &note)
						: !note_seen(p, &note))
			continue;
		group = group_of(&g, &note);
		add_service(&how->plan->services.items[p->service], how->echo, &group->list);
		group->count++;
	}
	add_groups(&g, count, out);
}

char *truth_text(const struct compiled *c, const struct lab_plan *plan,
		 const struct lab_probe *probes, size_t count, enum truth_side side)
{
	struct family_text how = {.c = c, .plan = plan, .side = side, .echo = ECHO_BOTH};
	_text_ struct text v4 = TEXT_INIT, v6 = TEXT_INIT;
	struct text out = TEXT_INIT;
	size_t n4 = 0;

	while (n4 < count && probes[n4].family == LAB_V4)
		n4++;
	if (n4 && n4 < count) {
		describe(&how, probes, n4, &v4);
		describe(&how, probes + n4, count - n4, &v6);
		if (!strcmp(v4.buf, v6.buf))
			return text_take(&v4);
		text_reset(&v4);
		text_reset(&v6);
	}

	how.echo = ECHO_OWN;
	if (n4) {
		describe(&how, probes, n4, &v4);
		text_addf(&out, "%s%s", n4 < count ? "v4: " : "", v4.buf);
	}
	if (n4 < count) {
		describe(&how, probes + n4, count - n4, &v6);
		text_addf(&out, "%s%s", n4 ? "; v6: " : "", v6.buf);
	}
	return text_take(&out);
}
