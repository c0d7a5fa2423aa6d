/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the pins alone: the programs that made them need not be these. */
#include "datapath/attached.h"
#include "datapath/internal.h"
#include "util/mem.h"

int datapath_remove(const char *bpffs, size_t *ret_links)
{
	_cleanup_(pins_release)
	struct pins pins = {};
	_pin_names_ pin_names maps = {};

	*ret_links = 0;
	if (access(bpffs, F_OK))
		return errno == ENOENT ? 0 : -errno;
	pins.dir = xstrdup(bpffs);
	*ret_links = attached_remove_all(&pins, 0);
	pins_list(&pins, PIN_MAP, &maps);
	vec_foreach (name, &maps)
		pins_drop(&pins, PIN_MAP, *name);
	return pins_rmdir(&pins);
}
