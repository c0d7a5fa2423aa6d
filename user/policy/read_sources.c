/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_sources.h"

#include "policy/address_check.h"
#include "policy/read_common.h"
#include "policy/yaml.h"
#include "util/map.h"
#include "util/mem.h"

#define ADDRESS_BITS 128

static void read_source(struct reader *r, const struct source *source, struct yaml *ret)
{
	int err = yaml_parse_folded(source, r->folding, r->diags, ret);

	if (err)
		r->names.is_incomplete = true;
	else if (!ret->documents.count)
		diag_error(r->diags, (struct span){.source = source}, "there is no document in it");
	vec_foreach (document, &ret->documents) {
		if (!is_zone_policy(*document))
			yaml_unfold_all(ret, *document, r->diags);
		read_document(r, *document);
	}
	r->folded += ret->folded;
}

/* What is over after the first pass, as objects of a cluster are, is not kept for the second. */
static void read_first(struct reader *r, const struct source *source, struct yaml *ret)
{
	size_t documents = r->documents.count;

	read_source(r, source, ret);
	if (r->documents.count == documents)
		yaml_release(ret);
}

static void claim_single_addresses(const struct policy *p, struct map *out)
{
	vec_foreach (w, &p->workloads) {
		vec_foreach (placed, &w->prefixes) {
			const struct bh_addr *a = &placed->prefix.addr;

			if (placed->prefix.len == ADDRESS_BITS)
				map_put(out, a, sizeof(*a), 0, NULL);
		}
	}
}

/* An address that a document gives to somebody is that one's. */
static void read_addresses(struct reader *r, const struct pod_addresses *pod, struct map *taken)
{
	const struct name *name = names_find(&r->names, SCOPE_MEMBERS, pod->pod);
	struct workload *w;

	if (!name || name->kind != NAME_POD)
		return;
	w = &r->policy->workloads.items[name->index];
	for (size_t i = 0; w->kind == WORKLOAD_POD && i < pod->count; i++) {
		const struct bh_addr *a = &pod->addresses[i];
		bool is_new;

		map_put(taken, a, sizeof(*a), 0, &is_new);
		if (is_new)
			vec_push(&w->prefixes, (struct placed_prefix){prefix_of_addr(a), w->at});
	}
}

static void read_pods(struct reader *r, const struct pod_addresses *pods)
{
	struct map taken = {};

	claim_single_addresses(r->policy, &taken);
	for (; pods->pod; pods++)
		read_addresses(r, pods, &taken);
	map_release(&taken);
}

/* Whether everything was read, and there is no error. */
static bool read_all(struct policy *p, const struct pod_addresses *pods, enum yaml_folding folding,
		     struct diags *d)
{
	size_t count = p->sources.count;
	struct yaml *trees = xcalloc(count + 1, sizeof(*trees));
	struct reader r;
	bool is_whole;

	reader_init(&r, p, d);
	r.folding = folding;
	r.names.is_incomplete = d->errors > 0;
	for (size_t i = 0; i < count; i++)
		read_first(&r, p->sources.items[i], &trees[i]);
	if (pods)
		read_pods(&r, pods);
	read_references(&r);
	is_whole = !r.folded;
	reader_release(&r);
	for (size_t i = 0; i < count; i++)
		yaml_release(&trees[i]);
	free(trees);
	address_check(p, d);
	return is_whole && !d->errors;
}

/* Policies mostly have no errors.  What is wrong with one is only known once it has been seen. */
void read_sources(struct policy *p, const struct pod_addresses *pods, struct diags *d)
{
	const struct diags before = *d;

	if (!d->errors && read_all(p, pods, YAML_FOLDED_UNSEEN, d))
		return;
	diags_cut(d, &before);
	policy_clear(p);
	read_all(p, pods, YAML_FOLDED, d);
}
