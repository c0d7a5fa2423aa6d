/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the pins alone: the programs that made them need not be these. */
#include "datapath/attached.h"
#include "datapath/internal.h"
#include "datapath/rest.h"
#include "util/mem.h"

#define TRIES 3

bool datapath_is_removed(const struct datapath *dp)
{
	return !pins_are_there(&dp->pins, PIN_MAP);
}

/*
 * Without maps, an agent that runs knows that all goes, and repairs nothing.  A repair that was
 * under way may have brought something back.
 */
int datapath_remove(const char *bpffs, size_t *ret_links)
{
	_cleanup_(pins_release)
	struct pins pins = {};
	_pin_names_ pin_names maps = {};
	int err = -ENOTEMPTY;

	*ret_links = 0;
	if (access(bpffs, F_OK))
		return errno == ENOENT ? 0 : -errno;
	pins.dir = xstrdup(bpffs);
	pins_list(&pins, PIN_MAP, &maps);
	vec_foreach (name, &maps)
		pins_drop(&pins, PIN_MAP, *name);
	for (int i = 0; err == -ENOTEMPTY && i < TRIES; i++) {
		pins_rmdir(&pins);
		*ret_links += attached_remove_all(&pins, 0);
		rest_remove(&pins);
		err = pins_rmdir(&pins);
	}
	return err;
}
