/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What pinned maps are made of, so that nobody takes those of another build for its own. */
#ifndef DATAPATH_LAYOUT_H
#define DATAPATH_LAYOUT_H

#include <stdint.h>

struct bpf_map;
struct btf;

#define LAYOUT_START 2166136261u

/*
 * Goes on from @hash, which is LAYOUT_START at first: the same only where @map has the name, and
 * its keys and values the size, members and offsets that those had.
 */
uint32_t layout_add(uint32_t hash, const struct btf *btf, const struct bpf_map *map);

#endif
