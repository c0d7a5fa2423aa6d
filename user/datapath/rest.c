/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/rest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/info.h"
#include "datapath/kept.h"

#define NAME_LEN 32

static const char *const kinds[PROGRAM_HALVES] = {"xdp", "tc"};

/* Every start has its own: programs of two starts may be at hooks at the same time. */
static void format_name(unsigned int half, uint32_t id, char ret[static NAME_LEN])
{
	snprintf(ret, NAME_LEN, "%s-%" PRIu32, kinds[half], id);
}

static int name_of(int fd, unsigned int half, char ret[static NAME_LEN])
{
	struct bpf_map_info info;
	int err = map_info(fd, &info);

	if (!err)
		format_name(half, info.id, ret);
	return err;
}

static int names_of(const struct datapath *dp, char ret[static PROGRAM_HALVES][NAME_LEN])
{
	int err = name_of(bpf_map__fd(dp->skel->maps.bh_rest_xdp), 0, ret[0]);

	return err ? err : name_of(bpf_map__fd(dp->skel->maps.bh_rest_tc), 1, ret[1]);
}

int rest_get(const struct datapath *dp, unsigned int half, uint32_t id)
{
	char called[NAME_LEN];

	format_name(half, id, called);
	return pins_get(&dp->pins, PIN_REST, called);
}

int rest_keep(struct datapath *dp, struct text *reterr)
{
	const struct bpf_map *maps[PROGRAM_HALVES] = {dp->skel->maps.bh_rest_xdp,
						      dp->skel->maps.bh_rest_tc};
	char names[PROGRAM_HALVES][NAME_LEN];
	int err;

	if (!dp->pins.dir)
		return 0;
	err = names_of(dp, names);
	for (int i = 0; !err && i < PROGRAM_HALVES; i++)
		err = pins_put(&dp->pins, PIN_REST, names[i], dup(bpf_map__fd(maps[i])));
	return err ? explain_error(reterr, err, "cannot pin maps under '%s'", dp->pins.dir) : 0;
}

void rest_settle(struct datapath *dp)
{
	_pin_names_ pin_names names = {};
	char ours[PROGRAM_HALVES][NAME_LEN];

	if (names_of(dp, ours))
		return;
	pins_list(&dp->pins, PIN_REST, &names);
	vec_foreach (name, &names) {
		if (strcmp(*name, ours[0]) != 0 && strcmp(*name, ours[1]) != 0 &&
		    !kept_is_name(*name))
			pins_drop(&dp->pins, PIN_REST, *name);
	}
}

void rest_remove(struct pins *pins)
{
	_pin_names_ pin_names names = {};

	pins_list(pins, PIN_REST, &names);
	vec_foreach (name, &names)
		pins_drop(pins, PIN_REST, *name);
}
