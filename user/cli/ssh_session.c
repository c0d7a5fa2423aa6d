/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/ssh_session.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "util/address.h"
#include "util/source.h"

#define SERVER          "sshd" /* and "sshd-session" */
#define ANCESTORS_MAX   64
#define LINK_MAX_LEN    64
#define TCP_ESTABLISHED 1
#define V4_DIGITS       8 /* of an address in /proc/net/tcp */
#define V6_DIGITS       32

/* Fields of a line of /proc/net/tcp. */
enum field {
	FIELD_PLACE,
	FIELD_LOCAL,
	FIELD_REMOTE,
	FIELD_STATE,
	FIELD_QUEUES,
	FIELD_TIMER,
	FIELD_RETRANSMITS,
	FIELD_UID,
	FIELD_TIMEOUT,
	FIELD_INODE,
	FIELDS
};

/* Words of 32 bits, each as this machine has it in memory. */
static bool read_words(const char *digits, size_t len, uint8_t *ret)
{
	for (size_t at = 0; at < len; at += V4_DIGITS) {
		char word[V4_DIGITS + 1] = "";
		uint32_t value;
		char *end;

		memcpy(word, digits + at, V4_DIGITS);
		value = (uint32_t)strtoul(word, &end, 16);
		if (*end)
			return false;
		memcpy(ret + at / 2, &value, sizeof(value));
	}
	return true;
}

/* "0100007F:0016" to "127.0.0.1 22" */
static bool add_end(const char *s, struct text *out)
{
	static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	size_t len = strcspn(s, ":");
	uint8_t bytes[sizeof(struct bh_addr)];
	char buf[ADDRESS_STRLEN];
	struct bh_addr addr;

	if (!s[len] || (len != V4_DIGITS && len != V6_DIGITS))
		return false;
	memcpy(bytes, mapped, sizeof(mapped));
	if (!read_words(s, len, len == V4_DIGITS ? bytes + sizeof(mapped) : bytes))
		return false;
	memcpy(&addr, bytes, sizeof(addr));
	text_addf(out, "%s %lu", addr_format(&addr, buf), strtoul(s + len + 1, NULL, 16));
	return true;
}

static bool take_line(char *line, const char *inode, struct text *out)
{
	const char *fields[FIELDS];
	size_t count = 0;

	while (line && count < FIELDS) {
		const char *field = strsep(&line, " ");

		if (*field)
			fields[count++] = field;
	}
	if (count < FIELDS || strcmp(fields[FIELD_INODE], inode) != 0 ||
	    strtoul(fields[FIELD_STATE], NULL, 16) != TCP_ESTABLISHED)
		return false;
	if (!add_end(fields[FIELD_REMOTE], out))
		return false;
	text_addc(out, ' ');
	return add_end(fields[FIELD_LOCAL], out);
}

bool ssh_session_in_table(const char *lines, const char *inode, struct text *out)
{
	_text_ struct text copy = TEXT_INIT;
	char *rest;

	text_add(&copy, lines);
	rest = copy.buf;
	while (rest) {
		_text_ struct text found = TEXT_INIT;

		if (!take_line(strsep(&rest, "\n"), inode, &found))
			continue;
		text_add(out, found.buf);
		return true;
	}
	return false;
}

static bool read_proc(unsigned long pid, const char *name, struct text *ret)
{
	_text_ struct text path = TEXT_INIT;
	struct source source;

	text_addf(&path, "/proc/%lu/%s", pid, name);
	if (source_read(path.buf, &source))
		return false;
	text_reset(ret);
	text_addn(ret, source.text, source.len);
	source_release(&source);
	return true;
}

static bool find_socket(unsigned long pid, const char *inode, struct text *out)
{
	static const char *const tables[] = {"net/tcp", "net/tcp6"};
	_text_ struct text lines = TEXT_INIT;

	for (size_t i = 0; i < COUNT(tables); i++) {
		if (read_proc(pid, tables[i], &lines) &&
		    ssh_session_in_table(lines.buf, inode, out))
			return true;
	}
	return false;
}

/* "socket:[1234]" to "1234" */
static bool read_inode(const char *directory, const char *name, char *ret, size_t size)
{
	static const char prefix[] = "socket:[";
	_text_ struct text path = TEXT_INIT;
	char target[LINK_MAX_LEN] = "";
	size_t len;

	text_addf(&path, "%s/%s", directory, name);
	if (readlink(path.buf, target, sizeof(target) - 1) < 0 ||
	    strncmp(target, prefix, strlen(prefix)) != 0)
		return false;
	len = strcspn(target + strlen(prefix), "]");
	if (len >= size)
		return false;
	memcpy(ret, target + strlen(prefix), len);
	ret[len] = '\0';
	return true;
}

static bool find_connection(unsigned long pid, struct text *out)
{
	_text_ struct text path = TEXT_INIT;
	char inode[LINK_MAX_LEN];
	const struct dirent *entry;
	bool is_found = false;
	DIR *dir;

	text_addf(&path, "/proc/%lu/fd", pid);
	dir = opendir(path.buf);
	while (dir && !is_found && (entry = readdir(dir))) {
		if (read_inode(path.buf, entry->d_name, inode, sizeof(inode)))
			is_found = find_socket(pid, inode, out);
	}
	if (dir)
		closedir(dir);
	return is_found;
}

/* "1 (name) S PARENT …": the name may have anything in it. */
static unsigned long parent_of(unsigned long pid, bool *ret_is_server)
{
	_text_ struct text stat = TEXT_INIT;
	const char *name, *end;

	if (!read_proc(pid, "stat", &stat))
		return 0;
	name = strchr(stat.buf, '(');
	end = strrchr(stat.buf, ')');
	if (!name || !end || strlen(end) < strlen(") S 1"))
		return 0;
	*ret_is_server = !strncmp(name + 1, SERVER, strlen(SERVER));
	return strtoul(end + strlen(") S "), NULL, 10);
}

bool ssh_session_find(struct text *out)
{
	const char *given = getenv("SSH_CONNECTION");
	unsigned long pid = (unsigned long)getppid();

	if (given && *given) {
		text_add(out, given);
		return true;
	}
	for (int i = 0; pid > 1 && i < ANCESTORS_MAX; i++) {
		bool is_server = false;
		unsigned long parent = parent_of(pid, &is_server);

		if (is_server && find_connection(pid, out))
			return true;
		pid = parent;
	}
	return false;
}
