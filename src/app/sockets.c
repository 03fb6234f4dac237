/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sockets.h"

#include "app/privilege.h"
#include "enrich/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <unistd.h>

/* In the helper: it can connect to any socket, and do nothing else. */
static int only_connect(struct err *e)
{
	int r = privilege_drop(1ULL << CAP_DAC_OVERRIDE, e);

	return r < 0 ? r : privilege_confine(NEED_SOCKETS, e);
}

static bool is_denied_later(const char *path, uint64_t held)
{
	bool r;

	privilege_use(held & privilege_to_keep(NEED_HEAL));
	r = faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 && errno == EACCES;
	privilege_use(held);
	return r;
}

/* Whether somebody whose socket would fit may come. */
static bool may_come(const struct place_pattern *p)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", (int)strcspn(p->path, "*"), p->path);
	return !access(folder, F_OK);
}

int sockets_connector(const struct enricher_config *cfg, struct connector **ret, struct err *e)
{
	uint64_t held = privilege_held();
	struct place_list places = {.n = 0};
	bool may_help = held & 1ULL << CAP_DAC_OVERRIDE;
	const char *paths[PLACES_MAX + PLACE_PATTERNS_MAX];
	size_t n = 0;
	int r = places_find(cfg, &places, e);

	*ret = NULL;
	for (size_t i = 0; i < places.n && may_help; i++) {
		if (is_denied_later(places.at[i].path, held))
			paths[n++] = places.at[i].path;
	}
	for (size_t i = 0; i < places.n_patterns && may_help; i++) {
		if (may_come(&places.patterns[i]))
			paths[n++] = places.patterns[i].path;
	}
	if (!r && n)
		r = connector_open(paths, n, only_connect, ret, e);
	places_done(&places);
	/* Who may have no sockets at all watches without: it is said why metadata is missing. */
	if (n && (r == -EACCES || r == -EPERM)) {
		*e = (struct err){0};
		r = 0;
	}
	return r;
}
