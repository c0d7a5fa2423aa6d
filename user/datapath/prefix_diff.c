/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/prefix_diff.h"

int prefix_diff(const struct prefix_table *now, const struct prefix_table *want,
		const struct prefix_sink *sink)
{
	size_t n = 0, w = 0;
	int err = 0;

	while (!err && (n < now->count || w < want->count)) {
		const struct image_prefix *have = n < now->count ? &now->items[n] : NULL;
		const struct image_prefix *need = w < want->count ? &want->items[w] : NULL;
		int order = !have ? 1 : !need ? -1 : prefix_cmp(&have->prefix, &need->prefix);

		if (order < 0) {
			err = sink->drop(sink->user, &have->prefix);
			n++;
		} else if (order > 0) {
			err = sink->put(sink->user, need);
			w++;
		} else {
			if (have->identity != need->identity)
				err = sink->put(sink->user, need);
			n++;
			w++;
		}
	}
	return err;
}
