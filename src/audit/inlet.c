/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/inlet.h"

#include "audit/reader.h"
#include "base/alloc.h"
#include "web/web.h"

#include <errno.h>
#include <stdlib.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, LINES_AT_ONCE = 64 };

struct inlet {
	struct audit_events events;
	struct audit_reader *reader; /* of the two, one */
	struct web *web;
	char path[256];
};

const char *const inlet_count_names[INLET_COUNTS] = {"events", "events_broken", "events_too_long",
						     "events_refused_full"};

uint64_t inlet_count(const struct inlet *in, unsigned which)
{
	const atomic_uint_least64_t *const counts[INLET_COUNTS] = {
		&in->events.n_taken, &in->events.n_broken, &in->events.n_long,
		&in->events.n_refused};

	return atomic_load(counts[which]);
}

/* ---- where ---- */

/* "", "localhost", "1.2.3.4", "[::1]" */
static bool copy_address(struct str host, char *ret, size_t max)
{
	if (!host.n)
		host = STR("0.0.0.0");
	else if (str_is(host, "localhost"))
		host = STR("127.0.0.1");
	else if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
		host = str_head(str_from(host, 1), host.n - 2);
	if (host.n >= max)
		return false;
	memcpy(ret, host.p, host.n);
	ret[host.n] = '\0';
	return true;
}

int inlet_parse(const char *where, struct inlet_place *ret, struct err *e)
{
	struct str rest = str_of(where), host, port;
	ptrdiff_t at = str_find(rest, STR("://"));
	uint64_t number;

	if (at < 0)
		return 1;
	*ret = (struct inlet_place){.is_secure = str_starts(rest, STR("https:"))};
	if (!ret->is_secure && !str_starts(rest, STR("http:")))
		return err_set(e, -EINVAL, "'%.64s' is neither http nor https", where);
	rest = str_from(rest, (size_t)at + 3);
	at = str_chr(rest, '/');
	host = at < 0 ? rest : str_head(rest, (size_t)at);
	rest = at < 0 ? STR("/") : str_from(rest, (size_t)at);
	number = ret->is_secure ? PORT_HTTPS : PORT_HTTP;
	at = str_rchr(host, ':');
	if (at > str_rchr(host, ']')) {
		port = str_from(host, (size_t)at + 1);
		host = str_head(host, (size_t)at);
		if (!str_u64(port, &number) || number > UINT16_MAX)
			return err_set(e, -EINVAL, "'%.*s' is no port", STR_ARG(port));
	}
	ret->port = (uint16_t)number;
	if (!copy_address(host, ret->address, sizeof(ret->address)) || rest.n >= sizeof(ret->path))
		return err_set(e, -E2BIG, "'%.64s...' is too long", where);
	memcpy(ret->path, rest.p, rest.n);
	return 0;
}

/* ---- in ---- */

/* Of the web server's thread. */
static unsigned take_body(void *arg, struct str body, const char **ret_why)
{
	static const struct {
		unsigned status;
		const char *why;
	} answers[] = {
		[AUDIT_TAKEN] = {200, ""},
		[AUDIT_BROKEN] = {400, "no audit event\n"},
		[AUDIT_FULL] = {503, "too many events wait; later\n"},
	};
	struct inlet *in = arg;
	enum audit_verdict v = audit_events_put(&in->events, body);

	*ret_why = answers[v].why;
	return answers[v].status;
}

static int listen_at(struct inlet *in, const struct inlet_config *cfg,
		     const struct inlet_place *place, struct err *e)
{
	struct web_taker taker = {.path = in->path,
				  .type = "application/json",
				  .body_max = cfg->body_max,
				  .bodies_max = cfg->waiting_max,
				  .take = take_body,
				  .arg = in};
	struct web_config web = {.address = place->address,
				 .port = place->port,
				 .certificate = place->is_secure ? cfg->certificate : NULL,
				 .taker = &taker};

	memcpy(in->path, place->path, sizeof(in->path));
	return web_open(&web, &in->web, e);
}

int inlet_open(const struct inlet_config *cfg, const char *where, struct inlet **ret, struct err *e)
{
	struct inlet *in = xcalloc(1, sizeof(*in));
	struct inlet_place place;
	int r = inlet_parse(where, &place, e);

	audit_events_init(&in->events, cfg->waiting_max, cfg->event_max);
	if (r > 0)
		r = audit_reader_open(where, cfg->body_max, &in->reader, e);
	else if (!r)
		r = listen_at(in, cfg, &place, e);
	if (r < 0) {
		inlet_close(in);
		return r;
	}
	*ret = in;
	return 0;
}

void inlet_close(struct inlet *in)
{
	if (!in)
		return;
	web_close(in->web);
	audit_reader_close(in->reader);
	audit_events_done(&in->events);
	free(in);
}

bool inlet_next(struct inlet *in, unsigned timeout_ms, ss_plugin_event ***ret, uint32_t *ret_n)
{
	bool is_open = true;

	*ret_n = audit_events_take(&in->events, in->reader ? 0 : timeout_ms);
	for (unsigned i = 0; in->reader && !*ret_n && is_open && i < LINES_AT_ONCE; i++) {
		is_open = audit_reader_next(in->reader, &in->events);
		*ret_n = audit_events_take(&in->events, 0);
	}
	*ret = in->events.batch;
	return is_open;
}
