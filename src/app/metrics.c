/* SPDX-License-Identifier: Apache-2.0 */
#include "app/metrics.h"

#include "app/endpoints.h"
#include "app/exposition.h"
#include "app/falco.h"
#include "app/privilege.h"
#include "app/settings.h"
#include "app/snapshot.h"
#include "base/alloc.h"
#include "base/stop.h"

#include <stdlib.h>

enum { PAGE_BYTES_MAX = 4 << 20 };

static void publish(struct metrics *m)
{
	struct numbers *n = xcalloc(1, sizeof(*n));
	struct buf out;

	numbers_take(&m->counted, n);
	buf_init(&out, PAGE_BYTES_MAX);
	exposition_add(&m->counted, n, &out);
	endpoint_publish(m->web, ENDPOINT_METRICS, buf_str(&out));
	buf_done(&out);
	free(n);
}

static void publish_fixed(struct metrics *m)
{
	struct buf versions;

	endpoint_publish(m->web, ENDPOINT_HEALTH, STR("{\"status\": \"ok\"}"));
	buf_init(&versions, PAGE_BYTES_MAX);
	falco_versions(true, &versions);
	endpoint_publish(m->web, ENDPOINT_VERSIONS, buf_str(&versions));
	buf_done(&versions);
}

static bool has_server(void)
{
	return config_bool(settings(), CONFIG_KEY_WEB_ENABLED);
}

static bool has_metrics(void)
{
	return config_bool(settings(), CONFIG_KEY_METRICS_ENABLED);
}

unsigned metrics_needs(void)
{
	return has_server() ? NEED_LISTEN : 0;
}

/* This machine alone may ask, unless an address is said. */
static const char *address(void)
{
	return config_node(settings(), CONFIG_KEY_WEB_ADDRESS)
		       ? config_text(settings(), CONFIG_KEY_WEB_ADDRESS)
		       : "127.0.0.1";
}

static int open_server(struct metrics *m, struct err *e)
{
	const struct config *c = settings();
	struct web_config cfg = {.address = address(),
				 .port = (uint16_t)config_number(c, CONFIG_KEY_WEB_PORT),
				 .n_threads = (unsigned)config_number(c, CONFIG_KEY_WEB_THREADS)};
	int r;

	if (config_bool(c, CONFIG_KEY_WEB_SSL))
		cfg.certificate = config_text(c, CONFIG_KEY_WEB_CERT);
	r = web_open(&cfg, &m->web, e);
	if (r < 0)
		return r;
	publish_fixed(m);
	m->publishes = has_metrics() && config_bool(c, CONFIG_KEY_WEB_METRICS);
	return 0;
}

int metrics_open(struct metrics *m, struct watch *w, struct live *live, struct err *e)
{
	uint64_t now = numbers_wall_ns();
	int r;

	*m = (struct metrics){
		.watch = w,
		.counted = {.watch = w, .live = live, .start_ns = now, .reload_ns = now}};
	r = snapshots_open(&m->snapshots, e);
	return r < 0 || !has_server() ? r : open_server(m, e);
}

void metrics_picture(struct metrics *m, const struct record *r)
{
	pictured_count(&m->counted.picture, r);
}

void metrics_pictured(struct metrics *m, const struct scan_stats *stats)
{
	pictured_end(&m->counted.picture, stats);
}

bool metrics_tick(struct metrics *m)
{
	double now;

	if (!m->publishes && !m->snapshots)
		return true;
	now = stop_seconds();
	if (m->publishes && now >= m->due) {
		m->due = now + METRICS_SECONDS;
		publish(m);
	}
	return snapshots_tick(m->snapshots, &m->counted, m->watch);
}

void metrics_close(struct metrics *m)
{
	web_close(m->web);
	m->web = NULL;
	snapshots_close(m->snapshots);
	m->snapshots = NULL;
}
