/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <pthread.h>

#include <bpf/bpf.h>

#include "datapath/internal.h"
#include "util/cleanup.h"
#include "util/mem.h"

struct grace {
	pthread_t thread;
	int err;
};

/* A write to a map of maps returns only when no program runs that began before it. */
int grace_wait(void)
{
	_close_ int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bh_grace_inner", sizeof(uint32_t),
					   sizeof(uint32_t), 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = (__u32)inner);
	_close_ int outer = -1;
	const uint32_t key = 0;

	if (inner < 0)
		return inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "bh_grace", sizeof(uint32_t),
			       sizeof(uint32_t), 1, &opts);
	return outer < 0 ? outer : bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
}

static void *run(void *user)
{
	struct grace *grace = user;

	grace->err = grace_wait();
	return NULL;
}

struct grace *datapath_grace_begin(void)
{
	struct grace *grace = xcalloc(1, sizeof(*grace));

	if (!pthread_create(&grace->thread, NULL, run, grace))
		return grace;
	free(grace);
	return NULL;
}

bool datapath_grace_end(struct grace *grace)
{
	bool is_over;

	if (!grace)
		return false;
	pthread_join(grace->thread, NULL);
	is_over = !grace->err;
	free(grace);
	return is_over;
}
