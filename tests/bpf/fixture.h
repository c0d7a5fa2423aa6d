/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A data path for tests: in namespaces of its own, with a policy made by hand. */
#ifndef TESTS_BPF_FIXTURE_H
#define TESTS_BPF_FIXTURE_H

#include "tests/test.h"

#include "datapath/internal.h"

#define BPFFS "/sys/fs/bpf"
#define PINS  BPFFS "/bulkhead"

/*
 * A mount namespace with a bpf filesystem of its own, and a network namespace with nothing in it:
 * the kernel cleans up whatever way a test ends.
 */
int enter_namespaces(void **state);

/* Teardown: removes the pins, and interface bh0. */
int remove_all(void **state);

/*
 * Group fixtures: one without pins, and with what the tests before left in it, for loading is what
 * takes the time.
 */
extern struct datapath *shared;
int open_shared(void **state);
int close_shared(void **state);

void run_command(const char *command);
bool is_there(const char *path);

struct datapath *open_at(const char *bpffs);

/* Reads an entry of an array, as a program would. */
struct bpf_map;
void read_entry(const struct bpf_map *map, uint32_t key, void *ret);

void grid_init(struct image_grid *g, uint32_t rows, uint32_t columns);
void image_add_prefix(struct image *image, uint32_t word, uint8_t len, uint32_t identity);

/*
 * 10.0.0.0/8 is identity 1, 10.0.0.<last> identity 2; class = identity.  1 may reach 2 on tcp/443,
 * by rule @rule; nothing else is allowed.
 */
void image_make(struct image *image, uint32_t last, uint32_t rule);
void image_free(struct image *image);
#define _image_ _cleanup_(image_free)

/* The cell for tcp in the policy in force, found in the maps as programs do. */
uint32_t decide_by_maps(const struct datapath *dp, uint32_t src, uint32_t dst, uint16_t port);

/* What image_make(last, rule) says, and nothing that another image said. */
void assert_in_force(const struct datapath *dp, uint32_t last, uint32_t rule);

/* Swaps that policy in. */
struct datapath_swap swap_to(struct datapath *dp, uint32_t last, uint32_t rule);

#endif
