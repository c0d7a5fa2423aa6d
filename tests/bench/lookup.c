/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/lookup.h"

#include <errno.h>

#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "lookup.skel.h"
#include "util/mem.h"

struct lookup {
	struct lookup_bpf *skel;
};

/* Maps are those of the bed, but for what is this program's own. */
static int share_maps(const struct lookup *l, const struct bed *bed)
{
	struct bpf_map *map, *theirs;
	int err = 0;

	bpf_object__for_each_map(map, l->skel->obj)
	{
		theirs = bpf_object__find_map_by_name(bed->dp->skel->obj, bpf_map__name(map));
		if (!err && theirs && !bpf_map__is_internal(map))
			err = bpf_map__reuse_fd(map, bpf_map__fd(theirs));
	}
	return err;
}

int lookup_open(const struct bed *bed, struct lookup **ret)
{
	struct lookup *l = xcalloc(1, sizeof(*l));
	int err;

	l->skel = lookup_bpf__open();
	err = l->skel ? share_maps(l, bed) : -errno;
	if (!err)
		err = lookup_bpf__load(l->skel);
	if (err) {
		lookup_free(l);
		return err;
	}
	l->skel->bss->slot = BH_ACTIVE_SLOT(bed->dp->tables.control->active);
	*ret = l;
	return 0;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	lookup_bpf__destroy(l->skel);
	free(l);
}

int lookup_program(const struct lookup *l, bool is_v6)
{
	return bpf_program__fd(is_v6 ? l->skel->progs.lookup_v6 : l->skel->progs.lookup_v4);
}

uint32_t lookup_identity(const struct lookup *l)
{
	return *(volatile uint32_t *)&l->skel->bss->identity;
}
