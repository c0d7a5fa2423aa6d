/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whole files of the state directory: the old one or the new one, whenever the machine stops. */
#ifndef AGENT_STATE_FILE_H
#define AGENT_STATE_FILE_H

#include "util/text.h"

#define STATE_FILE_MAX (256ul * 1024 * 1024) /* bytes; a larger one is neither written nor read */

/* On disk when it returns 0; after an error the file is what it was. */
int state_file_write(const char *directory, const char *name, const struct text *content);

/*
 * -ENOENT: there is no such file.  -EPERM: it is no regular file, or may have been written by
 * somebody else.
 */
int state_file_read(const char *directory, const char *name, struct text *ret);

#endif
