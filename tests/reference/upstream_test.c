/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Each policy below tests/upstream decides as its truth table says, compiled and by the reference,
 * in each family that both ends have.  A pod and itself are not asked.
 */
#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>

#include "policy/compile.h"
#include "policy/load.h"
#include "policy/promise.h"
#include "policy/services.h"
#include "tests/reference/random_policy.h"
#include "tests/reference/reference.h"
#include "tests/reference/sheet.h"
#include "util/mem.h"

#define PODS     "pods.yaml"
#define FAMILIES 2 /* IPv4, IPv6 */

struct end {
	const char *name;
	bool has[FAMILIES];
	struct reference_end at[FAMILIES];
};

struct judge {
	const char *path;
	struct sheet sheet;
	struct policy *policy;
	struct compiled *compiled;
	struct reference reference;
	VEC(struct end *) ends;
	size_t asked, wrong;
};

/* One table, one service of it, in one family. */
struct page {
	struct judge *judge;
	const struct sheet_table *table;
	struct reference_service service;
	unsigned int family;
};

static const struct workload *find_workload(const struct policy *p, const char *name)
{
	vec_foreach (w, &p->workloads) {
		if (!strcmp(w->name, name))
			return w;
	}
	vec_foreach (alias, &p->aliases) {
		if (!strcmp(alias->name, name))
			return &p->workloads.items[alias->workload];
	}
	return NULL;
}

static void end_add(const struct judge *j, struct end *end, const struct bh_addr *a)
{
	unsigned int family = !addr_is_v4(a);

	if (end->has[family])
		return;
	end->has[family] = true;
	reference_end_make(&j->reference, a, &end->at[family]);
}

/* A pod, a node, or an address. */
static const struct end *find_end(struct judge *j, const char *name)
{
	const struct workload *w = find_workload(j->policy, name);
	struct end *made;
	struct bh_addr a;

	vec_foreach (end, &j->ends) {
		if (!strcmp((*end)->name, name))
			return *end;
	}
	made = xcalloc(1, sizeof(*made));
	made->name = name;
	vec_push(&j->ends, made);
	if (!w) {
		if (addr_parse(name, &a))
			fail_msg("%s: there is no '%s'", j->path, name);
		end_add(j, made, &a);
		return made;
	}
	if (!w->prefixes.count)
		fail_msg("%s: '%s' has no address", j->path, name);
	vec_foreach (placed, &w->prefixes)
		end_add(j, made, &placed->prefix.addr);
	return made;
}

static char mark_of(enum bh_verdict verdict)
{
	static const char marks[] = {
		[BH_VERDICT_DENY] = 'X',
		[BH_VERDICT_ALLOW] = '.',
		[BH_VERDICT_REJECT] = 'R',
		[BH_VERDICT_AUDIT] = 'A',
	};

	return marks[verdict];
}

static char seen_by_tables(const struct page *page, const struct end *src, const struct end *dst)
{
	const struct image *image = &page->judge->compiled->image;
	uint32_t cell = image_decide(image, &src->at[page->family].addr,
				     &dst->at[page->family].addr, page->service.table,
				     page->service.number);

	return mark_of(decision_of_cell(cell).verdict);
}

static char seen_by_reference(const struct page *page, const struct end *src, const struct end *dst)
{
	return mark_of(reference_answer_for(&page->judge->reference, &src->at[page->family],
					    &dst->at[page->family], &page->service)
			       .verdict);
}

typedef char (*see_fn)(const struct page *page, const struct end *src, const struct end *dst);

/* Adds what is seen, and what is wanted where that is another thing; true if it is nowhere. */
static bool add_row(const struct page *page, const struct sheet_row *row, const char *from,
		    see_fn see, struct text *out)
{
	const struct end *src = find_end(page->judge, from);
	bool is_good = true;

	text_addf(out, "  %-16s", from);
	for (size_t i = 0; i < row->marks.count; i++) {
		const struct end *dst = find_end(page->judge, page->table->to.items[i]);
		char wanted = *row->marks.items[i], seen = wanted;

		if (wanted != '-' && src != dst && src->has[page->family] &&
		    dst->has[page->family]) {
			page->judge->asked++;
			seen = see(page, src, dst);
		}
		if (seen == wanted)
			text_addf(out, " %-7c", seen);
		else
			text_addf(out, " %c not %c", seen, wanted);
		is_good = is_good && seen == wanted;
	}
	text_addc(out, '\n');
	return is_good;
}

static void judge_page(const struct page *page, see_fn see, const char *by)
{
	_text_ struct text service = TEXT_INIT, out = TEXT_INIT;
	bool is_good = true;

	text_addf(&out, "  %-16s", "");
	vec_foreach (name, &page->table->to)
		text_addf(&out, " %-7s", *name);
	text_addc(&out, '\n');
	vec_foreach (row, &page->table->rows) {
		vec_foreach (from, &row->from)
			is_good &= add_row(page, row, *from, see, &out);
	}
	if (is_good)
		return;
	page->judge->wrong++;
	service_format(page->service.table, page->service.number, &service);
	/* cmocka's own print cuts off what is long. */
	fprintf(stderr, "%s: %s over %s, %s\n%s", page->judge->path, service.buf,
		page->family ? "IPv6" : "IPv4", by, out.buf);
}

static void judge_service(struct judge *j, const struct sheet_table *table,
			  enum bh_service_table kind, uint16_t number)
{
	struct page page = {.judge = j, .table = table};

	reference_service_make(&j->reference, kind, number, &page.service);
	for (page.family = 0; page.family < FAMILIES; page.family++) {
		if (!is_asked(!page.family, kind, number))
			continue;
		judge_page(&page, seen_by_tables, "compiled");
		judge_page(&page, seen_by_reference, "by the reference");
	}
	reference_service_release(&page.service);
}

static void judge_tables(struct judge *j)
{
	vec_foreach (table, &j->sheet.tables) {
		vec_foreach (range, &table->services) {
			judge_service(j, table, range->table, range->lo);
			if (range->hi != range->lo)
				judge_service(j, table, range->table, range->hi);
		}
	}
}

static void judge_release(struct judge *j)
{
	vec_foreach (end, &j->ends) {
		for (unsigned int f = 0; f < FAMILIES; f++) {
			if ((*end)->has[f])
				reference_end_release(&(*end)->at[f]);
		}
		free(*end);
	}
	vec_release(&j->ends);
	compiled_free(j->compiled);
	policy_free(j->policy);
	sheet_release(&j->sheet);
}

static void read_sheet(struct judge *j)
{
	_text_ struct text error = TEXT_INIT;
	struct source source;

	assert_int_equal(source_read(j->path, &source), 0);
	if (!sheet_read(source.text, &j->sheet, &error))
		fail_msg("%s: %s", j->path, error.buf);
	source_release(&source);
}

static void judge_promises(struct judge *j)
{
	_diags_ struct diags diags = {};
	size_t broken = promise_check_never(j->compiled, &diags) +
			promise_check_expect(j->compiled, &diags);

	if (j->sheet.is_broken == (broken > 0))
		return;
	diags_print(&diags, stderr);
	print_error("%s: %zu promises are broken\n", j->path, broken);
	j->wrong++;
}

static void judge_all(struct judge *j)
{
	j->reference.policy = j->policy;
	judge_tables(j);
	judge_promises(j);
	if (j->asked)
		return;
	print_error("%s asks nothing\n", j->path);
	j->wrong++;
}

/* The number of wrong pages, and of other things that are wrong. */
static size_t judge_file(const char *dir, const char *name)
{
	_text_ struct text path = TEXT_INIT, pods = TEXT_INIT;
	_diags_ struct diags diags = {};
	struct judge j = {};
	int err;

	text_addf(&path, "%s/%s", dir, name);
	text_addf(&pods, "%s/" PODS, dir);
	j.path = path.buf;
	read_sheet(&j);
	err = policy_load((const char *[]){path.buf, pods.buf}, j.sheet.is_alone ? 1 : 2, &diags,
			  &j.policy);
	if (!err)
		err = policy_compile(j.policy, &(struct environment){}, &diags, &j.compiled);
	if (err) {
		diags_print(&diags, stderr);
		print_error("%s doesn't load\n", path.buf);
		j.wrong++;
	} else {
		judge_all(&j);
	}
	judge_release(&j);
	return j.wrong;
}

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".yaml") && strcmp(entry->d_name, PODS) != 0;
}

static void judge_directory(const char *dir, int least)
{
	struct dirent **entries;
	size_t wrong = 0;
	int count;

	count = scandir(dir, &entries, is_case, alphasort);
	if (count < least)
		fail_msg("%s has %d cases", dir, count);
	for (int i = 0; i < count; i++) {
		wrong += judge_file(dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(wrong, 0);
}

/* POL-01 */
static void network_policies_decide_as_their_suite_says(void **state)
{
	(void)state;
	judge_directory("tests/upstream/networkpolicy", 48);
}

/* POL-02 */
static void cluster_network_policies_decide_as_their_suite_says(void **state)
{
	(void)state;
	judge_directory("tests/upstream/clusternetworkpolicy", 30);
}

static void corners_are_as_the_api_documents_them(void **state)
{
	(void)state;
	judge_directory("tests/upstream/corners", 20);
}

static void zones_and_kubernetes_policies_mix_as_the_language_says(void **state)
{
	(void)state;
	judge_directory("tests/upstream/mixed", 5);
}

static void policies_that_pull_both_ways_add_up(void **state)
{
	(void)state;
	judge_directory("tests/upstream/conflicts", 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network_policies_decide_as_their_suite_says),
		cmocka_unit_test(cluster_network_policies_decide_as_their_suite_says),
		cmocka_unit_test(corners_are_as_the_api_documents_them),
		cmocka_unit_test(zones_and_kubernetes_policies_mix_as_the_language_says),
		cmocka_unit_test(policies_that_pull_both_ways_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
