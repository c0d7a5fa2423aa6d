/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A note beside the pins says which programs they are, by what the kernel alone gives out: number,
 * tag and time of loading.  It can't be written to once it is there, and it is pinned last.
 */
#include "datapath/kept.h"

#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/info.h"
#include "datapath/loader.h"
#include "datapath/pinned_maps.h"
#include "datapath/rest.h"
#include "util/mem.h"

#define NOTE      "kept"
#define CONSTANTS "constants"
#define KEPT      (PROGRAMS + PROGRAM_HALVES)

struct kept_program {
	uint64_t loaded_ns;
	uint8_t tag[BPF_TAG_SIZE];
	uint32_t id; /* 0: it was not loaded */
	uint32_t unused;
};

struct note {
	uint64_t build; /* object_hash() */
	uint64_t maps;  /* pinned_maps_sum() */
	struct kept_program of[KEPT];
	uint32_t rests[PROGRAM_HALVES]; /* ids of maps */
	uint32_t constants;
	uint32_t unused;
};

struct kept_set {
	int programs[KEPT];
	int rests[PROGRAM_HALVES];
	int constants;
};

static const char *name_of(unsigned int i)
{
	static const char *const rests[PROGRAM_HALVES] = {"bh_xdp_rest", "bh_tc_rest"};

	return i < PROGRAMS ? program_word((enum program)i) : rests[i - PROGRAMS];
}

bool kept_is_name(const char *name)
{
	for (unsigned int i = 0; i < KEPT; i++) {
		if (!strcmp(name, name_of(i)))
			return true;
	}
	return !strcmp(name, NOTE) || !strcmp(name, CONSTANTS);
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info;

	return map_info(fd, &info) ? 0 : info.id;
}

static bool describe(int fd, struct kept_program *ret)
{
	struct bpf_prog_info info;

	*ret = (struct kept_program){};
	if (program_info(fd, &info))
		return false;
	ret->loaded_ns = info.load_time;
	ret->id = info.id;
	memcpy(ret->tag, info.tag, sizeof(ret->tag));
	return true;
}

/* --- to take them --- */

static void set_begin(struct kept_set *set)
{
	memset(set, 0xff, sizeof(*set));
}

static void set_release(struct kept_set *set)
{
	for (unsigned int i = 0; i < KEPT; i++)
		closep(&set->programs[i]);
	for (unsigned int i = 0; i < PROGRAM_HALVES; i++)
		closep(&set->rests[i]);
	closep(&set->constants);
}

static bool read_note(const struct datapath *dp, struct note *ret)
{
	_close_ int fd = pins_get(&dp->pins, PIN_REST, NOTE);
	struct bpf_map_info info;
	const __u32 key = 0;

	if (map_info(fd, &info) || info.value_size != sizeof(*ret) ||
	    info.type != BPF_MAP_TYPE_ARRAY || bpf_map_lookup_elem(fd, &key, ret))
		return false;
	return ret->maps && ret->maps == pinned_maps_sum(dp) && ret->build == object_hash();
}

static bool is_enough(const struct note *note, uint32_t kinds_off)
{
	for (enum program i = 0; i < PROGRAMS; i++) {
		if (!note->of[i].id && loader_is_of_kinds(i, kinds_off))
			return false;
	}
	return true;
}

static bool take_programs(const struct datapath *dp, const struct note *note, struct kept_set *set)
{
	for (unsigned int i = 0; i < KEPT; i++) {
		struct kept_program there;

		if (!note->of[i].id)
			continue;
		set->programs[i] = pins_get(&dp->pins, PIN_REST, name_of(i));
		if (!describe(set->programs[i], &there) ||
		    memcmp(&there, &note->of[i], sizeof(there)) != 0)
			return false;
	}
	return true;
}

/* The maps by which programs go on, and that it is where they should. */
static bool take_rests(const struct datapath *dp, const struct note *note, struct kept_set *set)
{
	const __u32 key = 0;

	for (unsigned int i = 0; i < PROGRAM_HALVES; i++) {
		uint32_t program = 0;

		set->rests[i] = rest_get(dp, i, note->rests[i]);
		if (map_id(set->rests[i]) != note->rests[i] || set->rests[i] < 0)
			return false;
		if (bpf_map_lookup_elem(set->rests[i], &key, &program) && errno != ENOENT)
			return false;
		if (program != note->of[PROGRAMS + i].id)
			return false;
	}
	return true;
}

/* By which the programs know their own: random, and the only ones that may differ. */
static void take_secrets(struct bulkhead_bpf__rodata *to, const struct bulkhead_bpf__rodata *from)
{
	memcpy((void *)to->bh_answer_mac, (const void *)from->bh_answer_mac,
	       sizeof(to->bh_answer_mac));
	to->bh_answer_mark = from->bh_answer_mark;
	to->bh_answer_tag = from->bh_answer_tag;
}

static bool take_constants(const struct datapath *dp, const struct note *note, struct kept_set *set)
{
	const size_t size = bpf_map__value_size(dp->skel->maps.rodata);
	_free_ struct bulkhead_bpf__rodata *theirs = xcalloc(1, size + sizeof(*theirs));
	_free_ struct bulkhead_bpf__rodata *ours = xcalloc(1, size + sizeof(*ours));
	struct bpf_map_info info;
	const __u32 key = 0;

	set->constants = pins_get(&dp->pins, PIN_REST, CONSTANTS);
	if (map_info(set->constants, &info) || info.id != note->constants ||
	    info.value_size != size || bpf_map_lookup_elem(set->constants, &key, theirs))
		return false;
	memcpy(ours, dp->skel->rodata, size);
	take_secrets(ours, theirs);
	return !memcmp(ours, theirs, size);
}

static bool find_set(const struct datapath *dp, uint32_t kinds_off, struct kept_set *set)
{
	struct note note;

	return read_note(dp, &note) && is_enough(&note, kinds_off) &&
	       take_programs(dp, &note, set) && take_rests(dp, &note, set) &&
	       take_constants(dp, &note, set);
}

static int give_maps(struct datapath *dp, const struct kept_set *set)
{
	struct bpf_map *const rests[PROGRAM_HALVES] = {dp->skel->maps.bh_rest_xdp,
						       dp->skel->maps.bh_rest_tc};
	int err = bpf_map__reuse_fd(dp->skel->maps.rodata, set->constants);

	for (unsigned int i = 0; !err && i < PROGRAM_HALVES; i++)
		err = bpf_map__reuse_fd(rests[i], set->rests[i]);
	return err;
}

int kept_take(struct datapath *dp, uint32_t kinds_off)
{
	struct kept_set set;
	int err = 0;

	if (!dp->pins.dir || dp->is_fresh || dp->grown)
		return 0;
	set_begin(&set);
	if (find_set(dp, kinds_off, &set)) {
		err = give_maps(dp, &set);
		dp->is_kept = !err;
	}
	for (enum program i = 0; dp->is_kept && i < PROGRAMS; i++)
		dp->programs[i] = TAKE_FD(set.programs[i]);
	set_release(&set);
	return err;
}

/* --- to pin them --- */

static int fd_of(const struct datapath *dp, unsigned int i)
{
	return i < PROGRAMS ? dp->programs[i] : dp->rests[i - PROGRAMS];
}

static void write_note(const struct datapath *dp, struct note *ret)
{
	*ret = (struct note){
		.build = object_hash(),
		.maps = pinned_maps_sum(dp),
		.rests = {map_id(bpf_map__fd(dp->skel->maps.bh_rest_xdp)),
			  map_id(bpf_map__fd(dp->skel->maps.bh_rest_tc))},
		.constants = map_id(bpf_map__fd(dp->skel->maps.rodata)),
	};
	for (unsigned int i = 0; i < KEPT; i++)
		describe(fd_of(dp, i), &ret->of[i]);
}

static int make_note(const struct datapath *dp)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_RDONLY_PROG);
	_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bh_kept", sizeof(__u32),
					sizeof(struct note), 1, &opts);
	const __u32 key = 0;
	struct note note;
	int err = fd < 0 ? fd : 0;

	write_note(dp, &note);
	if (!err)
		err = bpf_map_update_elem(fd, &key, &note, BPF_ANY);
	if (!err)
		err = bpf_map_freeze(fd);
	return err ? err : TAKE_FD(fd);
}

static int pin_programs(struct datapath *dp)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < KEPT; i++) {
		int fd = fd_of(dp, i);

		if (fd < 0)
			pins_drop(&dp->pins, PIN_REST, name_of(i));
		else
			err = pins_put(&dp->pins, PIN_REST, name_of(i), dup(fd));
	}
	return err;
}

void kept_pin(struct datapath *dp)
{
	int note;

	if (!dp->pins.dir || dp->is_kept)
		return;
	pins_drop(&dp->pins, PIN_REST, NOTE);
	if (pin_programs(dp) ||
	    pins_put(&dp->pins, PIN_REST, CONSTANTS, dup(bpf_map__fd(dp->skel->maps.rodata))))
		return;
	note = make_note(dp);
	if (note >= 0)
		pins_put(&dp->pins, PIN_REST, NOTE, note);
}
