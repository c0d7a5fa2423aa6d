/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files that are there whole or not at all, whenever the machine stops. */
#ifndef AGENT_POLICIES_DURABLE_H
#define AGENT_POLICIES_DURABLE_H

#include "util/text.h"

#define DURABLE_MAX (256ul * 1024 * 1024) /* bytes; a larger file is neither written nor read */

/* One that is written piece by piece. */
struct durable_file {
	int directory, fd;
	struct text name, fresh;
	size_t len;
	int err; /* the first one; then nothing is written any more */
};

/* To take the place of @directory/@name, once durable_end() returns 0. */
void durable_begin(const char *directory, const char *name, struct durable_file *ret);
void durable_put(struct durable_file *f, const char *bytes, size_t len);
/* In place of what was put @at bytes from the begin. */
void durable_put_at(struct durable_file *f, size_t at, const char *bytes, size_t len);
int durable_end(struct durable_file *f);

/* Replaces @directory/@name; on disk when it returns.  -errno. */
int durable_write(const char *directory, const char *name, const struct text *content);

/* Appends one line, made so that a reader sees all of it or none.  -errno. */
int durable_append(const char *directory, const char *name, const struct text *line);

/* Of a directory that another one is to hold; -errno, 0 if it is there. */
int durable_directory(const char *directory, const char *name, struct text *ret_path);

/*
 * -ENOENT: there is none.  -EPERM: it is no regular file, or may have been written by somebody
 * else.
 */
int durable_read(const char *directory, const char *name, struct text *ret);
int durable_remove(const char *directory, const char *name);

/* Where there is room for such files, an empty one that nobody else finds; it ends with its last
 * user.  -errno: -EOPNOTSUPP, if it is no such filesystem. */
int durable_nameless(const char *directory);

#endif
