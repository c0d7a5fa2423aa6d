/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/pinned_maps.h"

#include <inttypes.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/info.h"
#include "datapath/layout.h"
#include "util/map.h"
#include "util/mem.h"

#define CONTROL "bh_control"

/* The others hold nothing that isn't found again, and constants belong to the programs. */
static bool is_lasting(const struct bpf_map *map)
{
	static const char *const own[] = {"bh_packet",  "bh_answer",   "bh_sweep",
					  "bh_clock",   "bh_opener",   "bh_ends",
					  "bh_denials", "bh_rest_xdp", "bh_rest_tc"};

	for (size_t i = 0; i < COUNT(own); i++) {
		if (!strcmp(bpf_map__name(map), own[i]))
			return false;
	}
	return !bpf_map__is_internal(map);
}

static bool is_kept(const struct datapath *dp, const struct bpf_map *map)
{
	return is_lasting(map) && (flows_are_logged(dp) || !flows_own(dp, map));
}

/* A version for what they mean; what they are made of is looked up. */
uint32_t pinned_maps_layout(const struct datapath *dp)
{
	const struct btf *btf = bpf_object__btf(dp->skel->obj);
	uint32_t hash = LAYOUT_START ^ BH_LAYOUT_VERSION;
	const struct bpf_map *map;

	bpf_object__for_each_map(map, dp->skel->obj)
	{
		if (is_lasting(map))
			hash = layout_add(hash, btf, map);
	}
	return hash;
}

/* --- whether they are ours --- */

static int compare_info(struct datapath *dp, int fd, const struct bpf_map *map, struct text *reterr)
{
	struct bpf_map_info info;
	int err = map_info(fd, &info);

	if (err)
		return explain_error(reterr, err, "cannot inspect '%s/maps/%s'", dp->pins.dir,
				     bpf_map__name(map));
	if (info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	    info.value_size == bpf_map__value_size(map) &&
	    (growth_sizes(dp, map) || info.max_entries == bpf_map__max_entries(map)) &&
	    info.map_flags == bpf_map__map_flags(map))
		return 0;
	text_addf(&dp->beside, "'%s' is of another size or kind", bpf_map__name(map));
	return 0;
}

static int compare_layout(struct datapath *dp, int fd, struct text *reterr)
{
	uint32_t ours = pinned_maps_layout(dp);
	struct bh_control control = {};
	const __u32 key = 0;
	int err = bpf_map_lookup_elem(fd, &key, &control);

	if (err)
		return explain_error(reterr, err, "cannot read '%s/maps/" CONTROL "'",
				     dp->pins.dir);
	if (control.layout != ours)
		text_addf(&dp->beside, "they are of layout %08" PRIx32 ", not %08" PRIx32,
			  control.layout, ours);
	return 0;
}

/* One that isn't there yet is made. */
static int compare(struct datapath *dp, const struct bpf_map *map, struct text *reterr)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, bpf_map__name(map));
	int err;

	if (fd == -ENOENT)
		return 0;
	if (fd == -EPERM) /* of a file it would be EACCES */
		return explain_error(reterr, fd,
				     "bpf(2) is refused, for want of CAP_BPF or by a container's "
				     "seccomp profile");
	if (fd < 0)
		return explain_error(reterr, fd, "cannot open '%s/maps/%s'", dp->pins.dir,
				     bpf_map__name(map));
	err = compare_info(dp, fd, map, reterr);
	if (!err && !dp->beside.len && map == dp->skel->maps.bh_control)
		err = compare_layout(dp, fd, reterr);
	return err;
}

static int compare_all(struct datapath *dp, struct text *reterr)
{
	const struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, dp->skel->obj)
	{
		if (!err && !dp->beside.len && is_kept(dp, map))
			err = compare(dp, map, reterr);
	}
	return err;
}

static bool has_links(const struct pins *pins)
{
	_pin_names_ pin_names names = {};

	pins_list(pins, PIN_LINK, &names);
	return names.count;
}

/* --- to use them again --- */

static int reuse(const struct datapath *dp, struct bpf_map *map, struct text *reterr)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, bpf_map__name(map));
	int err = fd >= 0 ? bpf_map__reuse_fd(map, fd) : fd;

	if (!err || err == -ENOENT)
		return 0;
	return explain_error(reterr, err, "cannot use '%s/maps/%s' again", dp->pins.dir,
			     bpf_map__name(map));
}

static void drop_all(struct datapath *dp)
{
	_pin_names_ pin_names names = {};

	pins_list(&dp->pins, PIN_MAP, &names);
	vec_foreach (name, &names)
		pins_drop(&dp->pins, PIN_MAP, *name);
}

/*
 * bh_control is pinned last: without it, what is there was left by a start that did not get so
 * far; was it in force, there are links.
 */
int pinned_maps_compare(struct datapath *dp, struct text *reterr)
{
	_close_ int control = pins_get(&dp->pins, PIN_MAP, CONTROL);
	int err;

	dp->is_fresh = control == -ENOENT;
	if (has_links(&dp->pins))
		dp->kinds_off = 0;
	if (dp->is_fresh) {
		if (has_links(&dp->pins))
			text_addf(&dp->beside, "'" CONTROL "' is gone");
		else
			drop_all(dp);
		return 0;
	}
	err = compare_all(dp, reterr);
	dp->is_fresh = dp->beside.len;
	return err;
}

uint64_t pinned_maps_sum(const struct datapath *dp)
{
	const struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map(map, dp->skel->obj)
	{
		struct bpf_map_info info;

		if (!is_kept(dp, map))
			continue;
		if (map_info(bpf_map__fd(map), &info))
			return 0;
		sum = hash_bytes(&info.id, sizeof(info.id), sum);
	}
	return sum;
}

int pinned_maps_adopt(struct datapath *dp, struct text *reterr)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, dp->skel->obj)
	{
		if (!err && !dp->is_fresh && is_kept(dp, map) && !growth_replaces(dp, map))
			err = reuse(dp, map, reterr);
	}
	return err;
}

/* Their layout may be another one; but the word comes first in all of them. */
bool pinned_maps_are_in_force(const struct pins *pins)
{
	_close_ int fd = pins_get(pins, PIN_MAP, CONTROL);
	struct bpf_map_info info;
	_free_ uint64_t *active = NULL;
	const __u32 key = 0;

	if (has_links(pins))
		return true;
	if (map_info(fd, &info) || info.value_size < sizeof(*active))
		return false;
	active = xcalloc(1, info.value_size);
	return !bpf_map_lookup_elem(fd, &key, active) && *active;
}

/* --- to keep them for the next start --- */

static int pin(struct datapath *dp, const struct bpf_map *map)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, bpf_map__name(map));

	if (fd >= 0)
		return 0;
	return pins_put(&dp->pins, PIN_MAP, bpf_map__name(map), dup(bpf_map__fd(map)));
}

/* Should we be stopped in between, the next start finds no bh_control. */
int pinned_maps_keep(struct datapath *dp, struct text *reterr)
{
	const struct bpf_map *control = dp->skel->maps.bh_control;
	struct bpf_map *map;
	int err = 0;

	if (!dp->pins.dir)
		return 0;
	if (dp->beside.len) {
		pins_drop(&dp->pins, PIN_MAP, CONTROL);
		drop_all(dp);
	}
	bpf_object__for_each_map(map, dp->skel->obj)
	{
		if (!is_kept(dp, map))
			pins_drop(&dp->pins, PIN_MAP, bpf_map__name(map));
		else if (!err && map != control)
			err = pin(dp, map);
	}
	if (!err)
		err = pin(dp, control);
	if (err)
		explain_error(reterr, err, "cannot pin maps under '%s'", dp->pins.dir);
	return err;
}
