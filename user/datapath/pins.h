/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where things live while no agent runs: DIR/maps/NAME and so on, on a bpf filesystem.
 * Without a directory the same names lead to descriptors, and all ends with the process.
 */
#ifndef DATAPATH_PINS_H
#define DATAPATH_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/text.h"
#include "util/vec.h"

enum pin_kind {
	PIN_MAP,
	PIN_LINK,
	PIN_REST,
	PIN_KINDS,
};

struct held_pin {
	enum pin_kind kind;
	char *name;
	int fd;
};

struct pins {
	char *dir; /* NULL: not on a filesystem, but in `held` */
	VEC(struct held_pin) held;
};

typedef VEC(char *) pin_names;

/* Makes the directories; @dir may be NULL. */
int pins_init(struct pins *pins, const char *dir, struct text *reterr);
void pins_release(struct pins *pins);

/* Takes @fd over, also on failure.  A pin of that name is replaced. */
int pins_put(struct pins *pins, enum pin_kind kind, const char *name, int fd);

/* A descriptor to be closed, or -ENOENT. */
int pins_get(const struct pins *pins, enum pin_kind kind, const char *name);
void pins_drop(struct pins *pins, enum pin_kind kind, const char *name);

/* On a filesystem, in place of what is called @to.  -ENOENT: there is no @from. */
int pins_rename(const struct pins *pins, enum pin_kind kind, const char *from, const char *to);

/* All names of a kind; empty if there are none. */
void pins_list(const struct pins *pins, enum pin_kind kind, pin_names *ret);
void pin_names_release(pin_names *names);
#define _pin_names_ _cleanup_(pin_names_release)

bool pins_are_there(const struct pins *pins, enum pin_kind kind); /* their directory, at least */

/* Removes the directories; -ENOTEMPTY if something else is there, too. */
int pins_rmdir(const struct pins *pins);

#endif
