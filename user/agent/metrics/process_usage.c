/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/process_usage.h"

#include <dirent.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/text.h"

#define NS_PER_S  1000000000ull
#define LINE_LEN  1024
#define MAX_FILES "Max open files"

/* Fields of /proc/self/stat, as proc(5) numbers them. */
enum field {
	FIELD_AFTER_NAME = 3,
	FIELD_USER_TICKS = 14,
	FIELD_SYSTEM_TICKS = 15,
	FIELD_VIRTUAL_BYTES = 23,
	FIELD_RESIDENT_PAGES = 24,
	FIELD_COUNT
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The name in brackets may have spaces and brackets in it; no later field has. */
static void read_stat(uint64_t ret[static FIELD_COUNT])
{
	_fclose_ FILE *file = fopen("/proc/self/stat", "re");
	char line[LINE_LEN];
	char *word;

	if (!file || !fgets(line, sizeof(line), file) || !strrchr(line, ')'))
		return;
	word = strrchr(line, ')') + 1;
	for (size_t i = FIELD_AFTER_NAME; *word && i < FIELD_COUNT; i++) {
		size_t len;

		word += strspn(word, " ");
		len = strcspn(word, " \n");
		if (word[len])
			word[len++] = '\0';
		text_to_u64(word, 0, UINT64_MAX, &ret[i]);
		word += len;
	}
}

static uint64_t count_fds(void)
{
	_cleanup_(closedirp)
	DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;

	while (dir && readdir(dir))
		count++;
	return count > 3 ? count - 3 : 0; /* ".", "..", and the directory itself */
}

static uint64_t read_max_fds(void)
{
	_fclose_ FILE *file = fopen("/proc/self/limits", "re");
	char line[LINE_LEN];
	uint64_t max = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *word = line + strlen(MAX_FILES);

		if (strncmp(line, MAX_FILES, strlen(MAX_FILES)) != 0)
			continue;
		word += strspn(word, " ");
		word[strcspn(word, " ")] = '\0';
		if (text_to_u64(word, 0, UINT64_MAX, &max))
			break;
	}
	return max;
}

void process_usage_read(struct process_usage *ret)
{
	uint64_t stat[FIELD_COUNT] = {};
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);

	read_stat(stat);
	*ret = (struct process_usage){
		.cpu_ns = (stat[FIELD_USER_TICKS] + stat[FIELD_SYSTEM_TICKS]) * tick_ns,
		.resident_bytes = stat[FIELD_RESIDENT_PAGES] * (uint64_t)sysconf(_SC_PAGESIZE),
		.virtual_bytes = stat[FIELD_VIRTUAL_BYTES],
		.open_fds = count_fds(),
		.max_fds = read_max_fds(),
	};
}
