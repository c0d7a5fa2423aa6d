/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/read_sources.h"
#include "util/map.h"
#include "util/mem.h"

/* Which file it is, however it is called. */
struct file_id {
	dev_t device;
	ino_t inode;
};

struct loader {
	struct policy *policy;
	struct diags *diags;
	struct map seen; /* struct file_id of the files that were read */
};

static const struct span nowhere;

static void add_source(struct loader *l, struct source source)
{
	struct source *copy = xmalloc(sizeof(*copy));

	*copy = source;
	vec_push(&l->policy->sources, copy);
}

static bool is_new_file(struct loader *l, const struct stat *st)
{
	struct file_id id;
	bool is_new;

	memset(&id, 0, sizeof(id)); /* padding is part of the key */
	id.device = st->st_dev;
	id.inode = st->st_ino;
	map_put(&l->seen, &id, sizeof(id), 0, &is_new);
	return is_new;
}

static void add_file(struct loader *l, const char *path, const struct stat *st)
{
	struct source source;
	int err;

	if (!is_new_file(l, st))
		return;
	err = source_read(path, &source);
	if (err == -EFBIG)
		diag_error(l->diags, nowhere, "'%s' is larger than %lu MiB", path,
			   SOURCE_MAX / (1024 * 1024));
	else if (err)
		diag_error(l->diags, nowhere, "cannot read '%s': %s", path, strerror(-err));
	else
		add_source(l, source);
}

static bool has_ending(const char *name, const char *ending)
{
	size_t len = strlen(name), end = strlen(ending);

	return len > end && !strcmp(name + len - end, ending);
}

static int is_policy_file(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return name[0] != '.' && (has_ending(name, ".yaml") || has_ending(name, ".yml"));
}

/* As bytes, whatever the locale. */
static int entry_cmp(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Whether there was a file; directories within aren't entered. */
static bool add_entry(struct loader *l, const char *directory, const char *name)
{
	size_t len = strlen(directory);
	_text_ struct text path = TEXT_INIT;
	struct stat st;

	text_add(&path, directory);
	text_add(&path, len && directory[len - 1] == '/' ? "" : "/");
	text_add(&path, name);
	if (stat(path.buf, &st) < 0) {
		diag_error(l->diags, nowhere, "cannot read '%s': %s", path.buf, strerror(errno));
		return true;
	}
	if (!S_ISREG(st.st_mode))
		return false;
	add_file(l, path.buf, &st);
	return true;
}

static void add_directory(struct loader *l, const char *path)
{
	struct dirent **entries;
	bool is_empty = true;
	int count;

	count = scandir(path, &entries, is_policy_file, entry_cmp);
	if (count < 0) {
		diag_error(l->diags, nowhere, "cannot read '%s': %s", path, strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		is_empty = !add_entry(l, path, entries[i]->d_name) && is_empty;
		free(entries[i]);
	}
	free(entries);
	if (is_empty)
		diag_error(l->diags, nowhere, "the directory '%s' has no *.yaml or *.yml file",
			   path);
}

static void add_path(struct loader *l, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	struct stat st;

	if ((is_stdin ? fstat(STDIN_FILENO, &st) : stat(path, &st)) < 0) {
		diag_error(l->diags, nowhere, "cannot read '%s': %s", path, strerror(errno));
		return;
	}
	if (S_ISDIR(st.st_mode))
		add_directory(l, path);
	else
		add_file(l, path, &st);
}

/* A diagnostic and its notes, which stay with it. */
struct group {
	size_t source; /* in the order they were read */
	struct span at;
	size_t first; /* in the list */
	size_t count;
};

static int group_cmp(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	if (a->at.column != b->at.column)
		return a->at.column < b->at.column ? -1 : 1;
	return a->first < b->first ? -1 : 1;
}

void policy_sort_diags(const struct policy *p, struct diags *d, size_t from)
{
	VEC(struct group) groups = {};
	typeof(d->list) sorted = {};
	struct map order = {};

	for (size_t i = 0; i < p->sources.count; i++)
		map_put(&order, &p->sources.items[i], sizeof(p->sources.items[i]), i + 1, NULL);
	for (size_t i = from; i < d->list.count; i++) {
		const struct diag *item = &d->list.items[i];
		const uint64_t *place = map_get(&order, &item->at.source, sizeof(item->at.source));

		if (item->level == DIAG_NOTE && groups.count)
			groups.items[groups.count - 1].count++;
		else
			vec_push(&groups, (struct group){place ? *place : 0, item->at, i, 1});
	}
	if (groups.count)
		qsort(groups.items, groups.count, sizeof(*groups.items), group_cmp);
	vec_foreach (group, &groups) {
		for (size_t i = 0; i < group->count; i++)
			vec_push(&sorted, d->list.items[group->first + i]);
	}
	if (sorted.count)
		memcpy(d->list.items + from, sorted.items, sorted.count * sizeof(*sorted.items));
	vec_release(&sorted);
	vec_release(&groups);
	map_release(&order);
}

/* Before the texts that stay last. */
static struct pod_addresses *add_more(struct loader *l, const struct load_more *more)
{
	size_t at = l->policy->sources.count - more->last;
	struct pod_addresses *pods = NULL;
	source_list texts = {};

	more->fn(more->user, l->policy->sources.items, l->policy->sources.count, &texts, &pods);
	vec_foreach (text, &texts) {
		struct source *copy = xmalloc(sizeof(*copy));

		*copy = *text;
		vec_insert(&l->policy->sources, at, copy);
		at++;
	}
	vec_release(&texts);
	return pods;
}

int policy_load_input(const struct load_input *input, struct diags *d, struct policy **ret)
{
	struct loader l = {.policy = policy_new(), .diags = d};
	size_t first_diag = d->list.count, errors = d->errors;
	_free_ struct pod_addresses *pods = NULL;

	for (size_t i = 0; i < input->path_count; i++)
		add_path(&l, input->paths[i]);
	for (size_t i = 0; i < input->source_count; i++)
		add_source(&l, input->sources[i]);
	if (input->more)
		pods = add_more(&l, input->more);
	read_sources(l.policy, pods, d);
	policy_sort_diags(l.policy, d, first_diag);
	map_release(&l.seen);
	*ret = l.policy;
	return d->errors > errors ? -EINVAL : 0;
}

int policy_load(const char *const *paths, size_t count, struct diags *d, struct policy **ret)
{
	const struct load_input input = {.paths = paths, .path_count = count};

	return policy_load_input(&input, d, ret);
}

int policy_load_sources(struct source *sources, size_t count, struct diags *d, struct policy **ret)
{
	const struct load_input input = {.sources = sources, .source_count = count};

	return policy_load_input(&input, d, ret);
}
