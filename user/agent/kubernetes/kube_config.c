/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_config.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"

#define SCHEME "https://"

void kube_config_release(struct kube_config *c)
{
	free(c->node);
	free(c->server);
	free(c->ca_file);
	free(c->token_file);
	*c = (struct kube_config){};
}

static bool find_server(struct kube_config *c, struct text *reterr)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	bool is_v6 = host && strchr(host, ':');
	_text_ struct text url = TEXT_INIT;

	if (!host || !*host || !port || !*port) {
		text_add(reterr, "no API server is given, and this is no pod: "
				 "KUBERNETES_SERVICE_HOST and _PORT are not set");
		return false;
	}
	text_addf(&url, SCHEME "%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
	c->server = text_take(&url);
	return true;
}

static bool find_node(struct kube_config *c, struct text *reterr)
{
	char name[HOST_NAME_MAX + 1] = "";
	const char *given = getenv("NODE_NAME");

	if (!given || !*given) {
		if (gethostname(name, sizeof(name) - 1)) {
			text_add(reterr, "no node is given, and this machine has no name");
			return false;
		}
		given = name;
	}
	c->node = xstrdup(given);
	return true;
}

bool kube_config_complete(struct kube_config *c, struct text *reterr)
{
	if (!c->node && !find_node(c, reterr))
		return false;
	if (!c->server && !find_server(c, reterr))
		return false;
	if (strncmp(c->server, SCHEME, strlen(SCHEME)) != 0) {
		text_addf(reterr, "'%s' is no API server; it begins with " SCHEME, c->server);
		return false;
	}
	if (!c->ca_file)
		c->ca_file = xstrdup(KUBE_ACCOUNT "ca.crt");
	if (!c->token_file)
		c->token_file = xstrdup(KUBE_ACCOUNT "token");
	if (!c->silence_s)
		c->silence_s = KUBE_SILENCE_S;
	return true;
}
