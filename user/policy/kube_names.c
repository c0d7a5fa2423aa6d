/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/kube_names.h"

#include <stdbool.h>
#include <string.h>

#define LABEL_MAX     63
#define SUBDOMAIN_MAX 253
#define PORT_MAX      15

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_lower_or_digit(char c)
{
	return is_lower(c) || (c >= '0' && c <= '9');
}

static bool is_letter_or_digit(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* Letters, digits and what is in @inside between the first and the last character. */
static bool has_shape(const char *s, size_t len, bool (*is_good)(char c), const char *inside)
{
	if (!len || !is_good(s[0]) || !is_good(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_good(s[i]) && !strchr(inside, s[i]))
			return false;
	}
	return true;
}

static bool is_subdomain(const char *s, size_t len)
{
	while (len) {
		const char *dot = memchr(s, '.', len);
		size_t part = dot ? (size_t)(dot - s) : len;

		if (!has_shape(s, part, is_lower_or_digit, "-"))
			return false;
		if (!dot)
			return true;
		s += part + 1;
		len -= part + 1;
	}
	return false;
}

const char *kube_label_fault(const char *s)
{
	size_t len = strnlen(s, LABEL_MAX + 1);

	if (len > LABEL_MAX)
		return "is longer than 63 characters";
	if (!has_shape(s, len, is_lower_or_digit, "-"))
		return "must be of a-z, 0-9 and '-', with a letter or a digit at both ends";
	return NULL;
}

const char *kube_name_fault(const char *s)
{
	size_t len = strnlen(s, SUBDOMAIN_MAX + 1);

	if (len > SUBDOMAIN_MAX)
		return "is longer than 253 characters";
	if (!is_subdomain(s, len))
		return "must be of a-z, 0-9, '-' and '.', with a letter or a digit at both ends "
		       "and beside each dot";
	return NULL;
}

const char *kube_port_fault(const char *s)
{
	size_t len = strnlen(s, PORT_MAX + 1);

	if (len > PORT_MAX)
		return "is longer than 15 characters";
	if (!has_shape(s, len, is_lower_or_digit, "-"))
		return "must be of a-z, 0-9 and '-', with a letter or a digit at both ends";
	if (strstr(s, "--"))
		return "has two '-' in a row";
	while (*s && !is_lower(*s))
		s++;
	return *s ? NULL : "has no letter";
}

const char *kube_value_fault(const char *s)
{
	size_t len = strnlen(s, LABEL_MAX + 1);

	if (len > LABEL_MAX)
		return "is longer than 63 characters";
	if (len && !has_shape(s, len, is_letter_or_digit, "-_."))
		return "must be empty or of letters, digits, '-', '_' and '.', with a letter or a "
		       "digit at both ends";
	return NULL;
}

const char *kube_key_fault(const char *s)
{
	const char *slash = strchr(s, '/');
	const char *name = slash ? slash + 1 : s;

	if (!*s)
		return "is empty";
	if (slash && (slash - s > SUBDOMAIN_MAX || !is_subdomain(s, (size_t)(slash - s))))
		return "must have a DNS name before its slash";
	if (!*name)
		return "has nothing behind its slash";
	return kube_value_fault(name) ? "must be of letters, digits, '-', '_' and '.', at most 63, "
					"with a letter or a digit at both ends"
				      : NULL;
}
