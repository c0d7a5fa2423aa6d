/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/caller.h"

#include <string.h>
#include <sys/socket.h>

#include "util/source.h"

static uint32_t login_of(uint32_t pid)
{
	_text_ struct text path = TEXT_INIT;
	struct source source;
	uint64_t login = CALLER_NO_LOGIN;

	text_addf(&path, "/proc/%u/loginuid", pid);
	if (source_read(path.buf, &source))
		return CALLER_NO_LOGIN;
	source.text[strcspn(source.text, "\n")] = '\0';
	if (!text_to_u64(source.text, 0, UINT32_MAX, &login))
		login = CALLER_NO_LOGIN;
	source_release(&source);
	return (uint32_t)login;
}

void caller_of(int fd, struct caller *ret)
{
	struct ucred peer = {};
	socklen_t len = sizeof(peer);

	*ret = (struct caller){.is_peer = true, .login = CALLER_NO_LOGIN};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return;
	ret->uid = peer.uid;
	ret->gid = peer.gid;
	ret->pid = (uint32_t)peer.pid;
	ret->login = login_of(ret->pid);
}

void caller_json(struct json *j, const char *key, const struct caller *who)
{
	if (!who || !who->is_peer) {
		json_string(j, key, NULL);
		return;
	}
	json_object(j, key);
	json_number(j, "uid", who->uid);
	json_number(j, "gid", who->gid);
	json_number(j, "pid", who->pid);
	if (who->login == CALLER_NO_LOGIN)
		json_string(j, "login", NULL);
	else
		json_number(j, "login", who->login);
	json_end(j, '}');
}
