/* SPDX-License-Identifier: Apache-2.0 */
#include "output/alert.h"

#include "base/clock.h"
#include "base/json.h"
#include "filter/residue.h"

#include <inttypes.h>

/* One member of output_fields; both are NULL for the event's time, which is always there. */
struct member {
	struct str name;
	struct extractor *x;
	struct message *text;
};

void alert_add_time(const struct alert_config *cfg, uint64_t ts, struct buf *out)
{
	if (!cfg->time_iso8601) {
		clock_add_local(out, ts);
		return;
	}
	clock_add_utc(out, ts);
	buf_addz(out, "+0000");
}

static void add_value(struct extractor *x, const struct field_ctx *c, struct buf *out)
{
	struct value v = {0};

	if (extractor_get(x, c, &v) == FIELD_OK)
		value_json(&v, v.type ? v.type : extractor_type(x), extractor_format(x), out);
	else
		buf_addz(out, "null");
}

/* Into the first n, which are in order.  Short lists, often in order already. */
static void insert(struct member *list, size_t n, struct member m)
{
	while (n && str_cmp(list[n - 1].name, m.name) > 0) {
		list[n] = list[n - 1];
		n--;
	}
	list[n] = m;
}

/* The two texts of the event's time stand for one number in JSON. */
static bool is_event_time(struct str name)
{
	return str_is(name, "evt.time") || str_is(name, "evt.time.iso8601");
}

/* Rules have few of them. */
static bool is_extra(const struct rule *r, struct str name)
{
	for (size_t i = 0; i < r->n_extras; i++) {
		if (str_eq(r->extras[i].name, name))
			return true;
	}
	return false;
}

static size_t collect_members(const struct alert_config *cfg, const struct rule *r,
			      struct member *list)
{
	struct str time = cfg->time_iso8601 ? STR("evt.time.iso8601") : STR("evt.time");
	size_t n = 0;

	if (!is_extra(r, time))
		insert(list, n++, (struct member){time, NULL, NULL});
	for (size_t i = 0; i < r->n_extras; i++)
		insert(list, n++, (struct member){r->extras[i].name, NULL, r->extras[i].message});
	for (size_t i = 0; i < r->n_tokens; i++) {
		struct member m = {r->tokens[i].text, r->tokens[i].x, NULL};

		if (is_event_time(m.name))
			m.x = NULL;
		if (!str_eq(m.name, time) && !is_extra(r, m.name))
			insert(list, n++, m);
	}
	return n;
}

static void add_text(struct message *m, const struct field_ctx *c, struct buf *out)
{
	size_t start = out->n;
	struct str text;

	/* Made where it belongs, as there is room; then once more as JSON. */
	message_format(m, c, out);
	text = arena_str(c->scratch, (struct str){out->p + start, out->n - start});
	out->n = start;
	json_add_string(out, text);
}

static void add_member(const struct member *m, const struct field_ctx *c, struct buf *out)
{
	json_add_string(out, m->name);
	buf_addc(out, ':');
	if (m->x)
		add_value(m->x, c, out);
	else if (m->text)
		add_text(m->text, c, out);
	else
		buf_add_u64(out, event_wall_ns(&c->m->ev));
}

static void add_fields(const struct alert_config *cfg, const struct rule *r,
		       const struct field_ctx *c, struct buf *out)
{
	struct member *list =
		arena_alloc(c->scratch, (r->n_tokens + r->n_extras + 1) * sizeof(*list));
	size_t n = collect_members(cfg, r, list);

	buf_addz(out, ",\"output_fields\":{");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(out, ',');
		add_member(&list[i], c, out);
	}
	buf_addc(out, '}');
}

static void add_tags(const struct rule *r, struct buf *out)
{
	buf_addz(out, ",\"tags\":[");
	for (size_t i = 0; i < r->n_tags; i++) {
		if (i)
			buf_addc(out, ',');
		json_add_string(out, r->tags[i]);
	}
	buf_addc(out, ']');
}

/* key: with the punctuation around it. */
static void add_string(struct buf *out, const char *key, struct str value)
{
	buf_addz(out, key);
	json_add_string(out, value);
}

/* Why metadata of the container is missing; NULL when it is not, or may still come. */
static const char *missing_metadata(const struct field_ctx *c)
{
	enum metadata_status m = moment_metadata(c);

	if (m == METADATA_READY || m == METADATA_PENDING || m == METADATA_NONE)
		return NULL;
	return metadata_status_text(m);
}

/* What Saker has to say of its own; nothing when nothing was lost and nothing is missing. */
static void add_saker(const struct field_ctx *c, const struct alert_rolled *rolled, struct buf *out)
{
	uint64_t lost = c->kept ? c->kept->lost : c->source ? 0 : state_lost(c->state, c->m);
	const char *missing = missing_metadata(c);
	struct str verdict = c->kept ? c->kept->verdict : STR_EMPTY;

	const char *comma = ",\"saker\":{";

	if (!lost && !missing && !verdict.n && !rolled->n)
		return;
	if (lost) {
		buf_addf(out, "%s\"lossy\":true,\"lost\":%" PRIu64, comma, lost);
		comma = ",";
	}
	if (missing) {
		buf_addf(out, "%s\"metadata_status\":\"%s\"", comma, missing);
		comma = ",";
	}
	if (rolled->n) {
		buf_addf(out, "%s\"rolled_up\":%" PRIu64 ",\"rolled_up_ns\":%" PRIu64, comma,
			 rolled->n, rolled->span_ns);
		comma = ",";
	}
	if (verdict.n) {
		buf_addz(out, comma);
		add_string(out, "\"scan_verdict\":", verdict);
	}
	buf_addc(out, '}');
}

/* `line` is the alert as text; the message begins at offset message_at in it. */
static void add_json(const struct alert_config *cfg, const struct rule *r,
		     const struct field_ctx *c, const struct alert_rolled *rolled, struct str line,
		     size_t message_at, struct buf *out)
{
	add_string(out, "{\"hostname\":", str_of(cfg->hostname ? cfg->hostname : ""));
	if (cfg->json_include_message)
		add_string(out, ",\"message\":", str_from(line, message_at));
	if (cfg->json_include_output)
		add_string(out, ",\"output\":", line);
	if (cfg->json_include_output_fields)
		add_fields(cfg, r, c, out);
	add_string(out, ",\"priority\":", str_of(priority_text(r->priority)));
	add_string(out, ",\"rule\":", r->name);
	add_saker(c, rolled, out);
	add_string(out, ",\"source\":", r->source);
	if (cfg->json_include_tags)
		add_tags(r, out);
	buf_addz(out, ",\"time\":\"");
	clock_add_utc(out, event_wall_ns(&c->m->ev));
	buf_addz(out, "Z\"}");
}

static bool is_full(const struct buf *out)
{
	return out->n >= out->max;
}

/* Turn the text line at `start` into JSON.  One that does not fit loses all that is optional. */
static void text_to_json(const struct alert_config *cfg, const struct rule *r,
			 const struct field_ctx *c, const struct alert_rolled *rolled, size_t start,
			 size_t message_at, struct buf *out)
{
	static const struct alert_config brief = {.json = true};
	struct str line = {out->p + start, out->n - start};

	line = arena_str(c->scratch, line);
	out->n = start;
	add_json(cfg, r, c, rolled, line, message_at, out);
	if (is_full(out)) {
		out->n = start;
		add_json(&brief, r, c, rolled, STR_EMPTY, 0, out);
	}
}

/* In a full buffer text loses its end; JSON that does not parse is not worth having. */
static void end_line(const struct alert_config *cfg, size_t start, struct buf *out)
{
	if (!is_full(out))
		buf_addc(out, '\n');
	else if (cfg->json)
		out->n = start;
	else if (out->n > start)
		out->p[out->n - 1] = '\n';
}

bool alert_keep(const struct rule *r, const struct field_ctx *c, struct kept *k)
{
	struct field_ctx printing = *c;
	bool all = message_keep(r->message, c, k);

	printing.printing = true;
	for (size_t i = 0; i < r->n_tokens; i++)
		all = extractor_keep(r->tokens[i].x, &printing, k) && all;
	for (size_t i = 0; i < r->n_extras; i++)
		all = message_keep(r->extras[i].message, c, k) && all;
	if (r->rollup_key)
		all = message_keep(r->rollup_key, c, k) && all;
	return all;
}

/* It is why the alert is given, so no output goes without. */
static void add_verdict(const struct rule *r, const struct field_ctx *c, struct buf *out)
{
	if (!c->kept || !c->kept->verdict.n)
		return;
	for (size_t i = 0; i < r->n_tokens; i++) {
		if (str_is(r->tokens[i].text, "evt.close_write.verdict"))
			return;
	}
	buf_addz(out, " scan_verdict=");
	buf_adds(out, c->kept->verdict);
}

static void add_rolled(const struct alert_rolled *rolled, struct buf *out)
{
	if (rolled->n)
		buf_addf(out, " (x %" PRIu64 " in %" PRIu64 ".%03us)", rolled->n,
			 rolled->span_ns / 1000000000,
			 (unsigned)(rolled->span_ns / 1000000 % 1000));
}

void alert_format(const struct alert_config *cfg, const struct rule *r, const struct field_ctx *c,
		  struct buf *out)
{
	alert_format_rolled(cfg, r, c, NULL, out);
}

void alert_format_rolled(const struct alert_config *cfg, const struct rule *r,
			 const struct field_ctx *c, const struct alert_rolled *rolled,
			 struct buf *out)
{
	static const struct alert_rolled single;

	struct field_ctx printing = *c;
	size_t start = out->n, message_at;

	if (!rolled)
		rolled = &single;
	printing.printing = true;
	printing.redaction = cfg->redaction;
	alert_add_time(cfg, event_wall_ns(&c->m->ev), out);
	buf_addz(out, ": ");
	buf_addz(out, priority_text(r->priority));
	buf_addc(out, ' ');
	message_at = out->n - start;
	message_format(r->message, &printing, out);
	add_verdict(r, c, out);
	add_rolled(rolled, out);
	if (cfg->json)
		text_to_json(cfg, r, &printing, rolled, start, message_at, out);
	end_line(cfg, start, out);
}
