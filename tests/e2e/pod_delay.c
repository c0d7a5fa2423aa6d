/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long it takes until the kernel knows of a pod's change.  Standard input has what
 * kube_load.py tells: "NANOSECONDS ADDRESS SAME-AS"; the tables that programs read are looked at
 * again and again until it is so.  An empty line ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "policy/prefix_table.h"
#include "util/address.h"
#include "util/map.h"
#include "util/vec.h"

#define PINS      "/sys/fs/bpf/bulkhead/maps/"
#define LOOK_NS   300000      /* between two looks */
#define LATE_NS   20000000000 /* a busy machine takes seconds */
#define NS_PER_S  1000000000ull
#define LINE_SIZE 256

struct tables {
	const struct bh_control *control;
	struct bh_prefix_line *prefixes;
	int policies;
};

struct change {
	uint64_t since_ns;
	struct bh_addr address, same;
	bool is_nobody;
};

struct watch {
	struct tables tables;
	VEC(struct change) pending;
	VEC(uint64_t) delays;
	uint64_t late, superseded;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_pin(const char *name)
{
	char path[sizeof(PINS) + 64];
	union bpf_attr attr = {.pathname = (uintptr_t)path};
	long fd;

	snprintf(path, sizeof(path), PINS "%s", name);
	fd = bpf(BPF_OBJ_GET, &attr);
	if (fd < 0)
		die(path);
	return (int)fd;
}

static void *map_pin(const char *name, size_t value_size)
{
	struct bpf_map_info info = {};
	union bpf_attr attr = {.info.bpf_fd = (uint32_t)open_pin(name),
			       .info.info_len = sizeof(info),
			       .info.info = (uintptr_t)&info};
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
	void *bytes;

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		die(name);
	size = ((size_t)info.max_entries * value_size + page - 1) / page * page;
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, (int)attr.info.bpf_fd, 0);
	if (bytes == MAP_FAILED)
		die(name);
	return bytes;
}

static void open_tables(struct tables *t)
{
	t->control = map_pin("bh_control", sizeof(struct bh_control));
	t->prefixes = map_pin("bh_prefixes", sizeof(struct bh_prefix_line));
	t->policies = open_pin("bh_policies");
}

static void read_policy(const struct tables *t, struct bh_policy *ret)
{
	uint32_t slot = BH_ACTIVE_SLOT(t->control->active);
	union bpf_attr attr = {
		.map_fd = (uint32_t)t->policies, .key = (uintptr_t)&slot, .value = (uintptr_t)ret};

	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		die("bh_policies");
}

static bool is_there(const struct tables *t, const struct bh_policy *p, const struct change *c)
{
	const struct bh_prefix_line *lines = t->prefixes + p->prefixes.line;
	uint32_t own = prefix_lines_identity(lines, &p->prefixes, &c->address);
	uint32_t same = c->is_nobody ? 0 : prefix_lines_identity(lines, &p->prefixes, &c->same);

	return own == same;
}

static void look(struct watch *w)
{
	struct bh_policy policy;
	size_t kept = 0;
	uint64_t now;

	if (!w->pending.count)
		return;
	read_policy(&w->tables, &policy);
	now = now_ns();
	vec_foreach (change, &w->pending) {
		uint64_t delay = now - change->since_ns;

		if (is_there(&w->tables, &policy, change))
			vec_push(&w->delays, delay);
		else if (delay > LATE_NS)
			w->late++;
		else
			w->pending.items[kept++] = *change;
	}
	w->pending.count = kept;
}

/* An address that changes again is not waited for any more. */
static void add(struct watch *w, const struct change *fresh)
{
	size_t kept = 0;

	vec_foreach (change, &w->pending) {
		if (addr_cmp(&change->address, &fresh->address) != 0)
			w->pending.items[kept++] = *change;
	}
	w->superseded += w->pending.count - kept;
	w->pending.count = kept;
	vec_push(&w->pending, *fresh);
}

/* False: it was the last one. */
static bool take_line(struct watch *w, const char *line)
{
	char address[LINE_SIZE], same[LINE_SIZE];
	struct change c = {};

	if (sscanf(line, "%" SCNu64 " %255s %255s", &c.since_ns, address, same) != 3)
		return *line != '\n';
	c.is_nobody = !strcmp(same, "-");
	if (!addr_parse(address, &c.address) && (c.is_nobody || !addr_parse(same, &c.same)))
		add(w, &c);
	return true;
}

static bool read_lines(struct watch *w)
{
	static char buf[65536];
	static size_t len;
	ssize_t got = read(STDIN_FILENO, buf + len, sizeof(buf) - 1 - len);
	char *line = buf, *end;

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	len += (size_t)got;
	buf[len] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1) {
		if (!take_line(w, line))
			return false;
	}
	len -= (size_t)(line - buf);
	memmove(buf, line, len);
	return true;
}

static int delay_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double ms_at(const struct watch *w, size_t permille)
{
	return (double)w->delays.items[(w->delays.count - 1) * permille / 1000] / 1000000;
}

int main(void)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	struct watch w = {};
	bool is_over = false;

	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	open_tables(&w.tables);
	while (!is_over || w.pending.count) {
		if (!is_over)
			is_over = !read_lines(&w);
		look(&w);
		nanosleep(&pause, NULL);
	}
	if (!w.delays.count)
		return 1;
	qsort(w.delays.items, w.delays.count, sizeof(*w.delays.items), delay_cmp);
	printf("changes=%zu late=%" PRIu64 " superseded=%" PRIu64
	       " p50=%.1f p90=%.1f p99=%.1f max=%.1f\n",
	       w.delays.count, w.late, w.superseded, ms_at(&w, 500), ms_at(&w, 900), ms_at(&w, 990),
	       ms_at(&w, 1000));
	return 0;
}
