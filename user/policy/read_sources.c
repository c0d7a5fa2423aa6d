/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_sources.h"

#include "policy/address_check.h"
#include "policy/read_common.h"
#include "policy/yaml.h"
#include "util/mem.h"

static void read_source(struct reader *r, const struct source *source, struct yaml *ret)
{
	int err = yaml_parse(source, r->diags, ret);

	if (err)
		r->names.is_incomplete = true;
	else if (!ret->documents.count)
		diag_error(r->diags, (struct span){.source = source}, "there is no document in it");
	vec_foreach (document, &ret->documents)
		read_document(r, *document);
}

void read_sources(struct policy *p, struct diags *d)
{
	size_t count = p->sources.count;
	struct yaml *trees = xcalloc(count + 1, sizeof(*trees));
	struct reader r;

	reader_init(&r, p, d);
	r.names.is_incomplete = d->errors > 0;
	for (size_t i = 0; i < count; i++)
		read_source(&r, p->sources.items[i], &trees[i]);
	read_references(&r);
	address_check(p, d);
	reader_release(&r);
	for (size_t i = 0; i < count; i++)
		yaml_release(&trees[i]);
	free(trees);
}
