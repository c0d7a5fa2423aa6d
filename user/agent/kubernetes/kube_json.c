/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_json.h"

#include <assert.h>
#include <pthread.h>

#include <cjson/cJSON.h>

#include "util/arena.h"
#include "util/mem.h"

static _Thread_local struct {
	struct arena arena;
	bool is_on;
} scratch;

static void *take(size_t size)
{
	return scratch.is_on ? arena_alloc(&scratch.arena, size) : xmalloc(size);
}

static void give_back(void *p)
{
	if (!scratch.is_on)
		free(p);
}

static void set_hooks(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){take, give_back});
}

bool kube_json_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	assert(!scratch.is_on);
	pthread_once(&once, set_hooks);
	return scratch.is_on = true;
}

void kube_json_end(const bool *has_begun)
{
	(void)has_begun;
	scratch.is_on = false;
	arena_clear(&scratch.arena);
}

void kube_json_leave(void)
{
	arena_release(&scratch.arena);
}
