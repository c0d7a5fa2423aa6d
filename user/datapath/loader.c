/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verifier takes much of a start, and one program at a time.  So the programs for hooks are
 * loaded in two halves at once, each an object of its own around the maps of the first one.
 */
#include "datapath/loader.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "util/mem.h"

#define LOG_TAIL_LINES 12 /* of the verifier's log in an error */

/* What either half loads: of one kind each, with the program where those at hooks go on. */
static const unsigned int half_of[PROGRAMS] = {
	[PROGRAM_XDP_IN] = 0, [PROGRAM_HOST_IN] = 1, [PROGRAM_HOST_OUT] = 1,
	[PROGRAM_FROM] = 1,   [PROGRAM_TO] = 1,
};

/* libbpf's warnings while this thread loads; it has one print function for the process. */
static _Thread_local struct text *warnings;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (getenv("BULKHEAD_DEBUG"))
		return vfprintf(stderr, format, args);
	if (warnings && level == LIBBPF_WARN)
		text_vaddf(warnings, format, args);
	return 0;
}

void loader_init(void)
{
	libbpf_set_print(print_libbpf);
}

/* The end of @log, where the verifier says what it refused. */
static const char *tail_of(struct text *log)
{
	const char *at;
	int lines = 0;

	while (log->len && log->buf[log->len - 1] == '\n')
		log->buf[--log->len] = '\0';
	for (at = log->buf + log->len; at > log->buf; at--) {
		if (at[-1] == '\n' && ++lines == LOG_TAIL_LINES)
			break;
	}
	return at;
}

static int explain(int err, struct text *log, struct text *reterr)
{
	explain_error(reterr, err, "cannot load the programs into the kernel");
	if (err == -EPERM)
		text_add(reterr, "; that takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root "
				 "with all of its capabilities");
	text_addf(reterr, "\n%s", tail_of(log));
	return err;
}

static int load(struct bulkhead_bpf *skel, struct text *log)
{
	int err;

	warnings = log;
	err = bulkhead_bpf__load(skel);
	warnings = NULL;
	return err;
}

static struct bpf_program *program_in(const struct bulkhead_bpf *skel, enum program program)
{
	return bpf_object__find_program_by_name(skel->obj, program_word(program));
}

/* Where the others of a half go on. */
static struct bpf_program *rest_of(const struct bulkhead_bpf *skel, unsigned int half)
{
	return half ? skel->progs.bh_tc_rest : skel->progs.bh_xdp_rest;
}

bool loader_is_of_kinds(enum program program, uint32_t kinds_off)
{
	enum bh_endpoint_kind kind = program_is_host(program) ? BH_ENDPOINT_IS_HOST
							      : BH_ENDPOINT_WORKLOAD;

	return !(kinds_off & 1u << kind);
}

static bool is_wanted(const struct datapath *dp, enum program program)
{
	return loader_is_of_kinds(program, dp->kinds_off);
}

/* --- a half --- */

struct half {
	const struct datapath *dp;
	struct bulkhead_bpf *skel; /* NULL: there is nothing to load */
	struct text log;
	int err;
};

/* The map that takes a section's place, so that programs know its memory by an address. */
static const struct bpf_map *map_of_section(const struct datapath *dp, const char *section)
{
	if (!strcmp(section, ".data.control"))
		return dp->skel->maps.bh_control;
	return !strcmp(section, ".data.epochs") ? dp->skel->maps.bh_epochs : NULL;
}

static const struct bpf_map *map_in_place_of(const struct datapath *dp, const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return bpf_map__is_internal(map) ? map_of_section(dp, name)
					 : bpf_object__find_map_by_name(dp->skel->obj, name);
}

int loader_share(const struct datapath *dp, struct bpf_object *obj)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj)
	{
		const struct bpf_map *ours = map_in_place_of(dp, map);

		if (err || (bpf_map__is_internal(map) && !ours))
			continue;
		err = ours ? bpf_map__reuse_fd(map, bpf_map__fd(ours)) : -ENOENT;
	}
	return err;
}

static int configure(const struct datapath *dp, const struct bulkhead_bpf *skel, unsigned int half)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, skel->obj) bpf_program__set_autoload(program, false);
	for (enum program i = 0; i < PROGRAMS; i++) {
		program = program_in(skel, i);
		bpf_program__set_flags(program, bpf_program__flags(program_in(dp->skel, i)));
		bpf_program__set_autoload(program, half_of[i] == half && is_wanted(dp, i));
	}
	bpf_program__set_flags(rest_of(skel, half), bpf_program__flags(rest_of(dp->skel, half)));
	bpf_program__set_autoload(rest_of(skel, half), true);
	/* The constants, too: they are frozen, and chosen once. */
	return bpf_map__reuse_fd(skel->maps.rodata, bpf_map__fd(dp->skel->maps.rodata))
		       ?: loader_share(dp, skel->obj);
}

static bool has_work(const struct datapath *dp, unsigned int half)
{
	for (enum program i = 0; i < PROGRAMS; i++) {
		if (half_of[i] == half && is_wanted(dp, i))
			return true;
	}
	return false;
}

static int open_half(struct datapath *dp, unsigned int number, struct half *ret)
{
	int err;

	*ret = (struct half){.dp = dp, .log = TEXT_INIT};
	if (!has_work(dp, number))
		return 0;
	ret->skel = object_open();
	if (!ret->skel)
		return -errno;
	err = configure(dp, ret->skel, number);
	return err;
}

static void *load_half(void *context)
{
	struct half *half = context;

	if (half->skel)
		half->err = load(half->skel, &half->log);
	return NULL;
}

/* Without a second thread one does both. */
static void load_both(struct half halves[static PROGRAM_HALVES])
{
	pthread_t thread;
	bool is_alone = !halves[0].skel || !halves[1].skel ||
			pthread_create(&thread, NULL, load_half, &halves[1]);

	load_half(&halves[0]);
	if (is_alone)
		load_half(&halves[1]);
	else
		pthread_join(thread, NULL);
}

static int enter_rest(const struct half *half, unsigned int number)
{
	const struct bpf_map *map = number ? half->skel->maps.bh_rest_tc
					   : half->skel->maps.bh_rest_xdp;
	const __u32 key = 0;
	int fd = bpf_program__fd(rest_of(half->skel, number));

	return bpf_map_update_elem(bpf_map__fd(map), &key, &fd, BPF_ANY);
}

static int hold(const struct bpf_program *program, int *ret)
{
	*ret = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? -errno : 0;
}

/* Of an object that is loaded nothing is needed but its programs; all it takes is given back. */
static int keep_half(struct datapath *dp, const struct half *half, unsigned int number)
{
	int err = enter_rest(half, number);

	if (!err)
		err = hold(rest_of(half->skel, number), &dp->rests[number]);
	for (enum program i = 0; !err && i < PROGRAMS; i++) {
		if (half_of[i] == number && is_wanted(dp, i))
			err = hold(program_in(half->skel, i), &dp->programs[i]);
	}
	return err;
}

static int load_halves(struct datapath *dp, struct text *reterr)
{
	struct half halves[PROGRAM_HALVES];
	int err = 0;

	for (unsigned int i = 0; i < PROGRAM_HALVES; i++) {
		int failed = open_half(dp, i, &halves[i]);

		if (failed)
			err = failed;
	}
	if (err)
		explain_error(reterr, err, "cannot read the programs");
	else
		load_both(halves);
	for (unsigned int i = 0; i < PROGRAM_HALVES; i++) {
		if (!err && halves[i].skel && !halves[i].err)
			halves[i].err = keep_half(dp, &halves[i], i);
		if (!err && halves[i].err)
			err = explain(halves[i].err, &halves[i].log, reterr);
		text_release(&halves[i].log);
		bulkhead_bpf__destroy(halves[i].skel);
	}
	return err;
}

/* --- all of it --- */

/* What is loaded here has no address of them, or the kernel refuses it: these are not the maps. */
static int leave_sections(const struct datapath *dp)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, dp->skel->obj)
	{
		if (err || !map_of_section(dp, bpf_map__name(map)))
			continue;
		err = bpf_map__set_autocreate(map, false);
		/* Or the skeleton wants to map it. */
		if (!err)
			err = bpf_map__set_map_flags(map, 0);
	}
	return err;
}

int loader_load(struct datapath *dp, struct text *reterr)
{
	_text_ struct text log = TEXT_INIT;
	int err;

	for (enum program i = 0; i < PROGRAMS; i++)
		bpf_program__set_autoload(program_in(dp->skel, i), false);
	for (unsigned int i = 0; i < PROGRAM_HALVES; i++)
		bpf_program__set_autoload(rest_of(dp->skel, i), false);
	err = leave_sections(dp);
	if (!err)
		err = load(dp->skel, &log);
	if (err)
		return explain(err, &log, reterr);
	return dp->is_kept ? 0 : load_halves(dp, reterr);
}

int loader_program(const struct datapath *dp, enum program program)
{
	return dp->programs[program];
}

int loader_find(const struct datapath *dp, const char *name)
{
	const struct bpf_program *alone;

	for (enum program i = 0; i < PROGRAMS; i++) {
		if (!strcmp(program_word(i), name))
			return dp->programs[i];
	}
	alone = bpf_object__find_program_by_name(dp->skel->obj, name);
	return alone ? bpf_program__fd(alone) : -1;
}

void loader_begin(struct datapath *dp)
{
	for (enum program i = 0; i < PROGRAMS; i++)
		dp->programs[i] = -1;
	for (unsigned int i = 0; i < PROGRAM_HALVES; i++)
		dp->rests[i] = -1;
}

void loader_release(struct datapath *dp)
{
	for (enum program i = 0; i < PROGRAMS; i++)
		closep(&dp->programs[i]);
	for (unsigned int i = 0; i < PROGRAM_HALVES; i++)
		closep(&dp->rests[i]);
}
