/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Saker itself put on the stream: what was lost on the way here (capture/loss.h), and what
 * became of containers' metadata (enrich/note.h).
 */
#include "state/private.h"

/* The value behind "key=" among words. */
static struct str value_of(struct str words, const char *key)
{
	while (words.n) {
		ptrdiff_t blank = str_chr(words, ' ');
		struct str word = blank < 0 ? words : str_head(words, (size_t)blank);
		ptrdiff_t equals = str_chr(word, '=');

		if (equals > 0 && str_is(str_head(word, (size_t)equals), key))
			return str_from(word, (size_t)equals + 1);
		words = str_from(words, word.n + 1);
	}
	return STR_EMPTY;
}

static int lane_of_name(struct str name)
{
	for (int i = 0; i < LANE_COUNT; i++) {
		if (str_is(name, lane_names[i]))
			return i;
	}
	return -1;
}

static bool parse(struct str words, struct lossy_span *ret)
{
	return str_u64(value_of(words, "from"), &ret->from_ns) &&
	       str_u64(value_of(words, "until"), &ret->until_ns) &&
	       str_u64(value_of(words, "lost"), &ret->n) && ret->n && ret->from_ns <= ret->until_ns;
}

/* One that begins before the last has ended goes on with it. */
static void apply_loss(struct state *s, struct moment *m)
{
	struct str words = str_until_nul(event_param(&m->ev, 2));
	struct lossy_span new, *span;
	int lane = lane_of_name(value_of(words, "lane"));

	if (lane < 0 || !parse(words, &new)) {
		s->stats.n_bad_records++;
		return;
	}
	new.from_ns -= (uint64_t)m->ev.wall_by_ns;
	new.until_ns -= (uint64_t)m->ev.wall_by_ns;
	span = &s->lossy[lane];
	if (span->n && new.from_ns <= span->until_ns &&new.until_ns >= span->from_ns) {
		new.n = new.n <= UINT64_MAX - span->n ? new.n + span->n : UINT64_MAX;
		if (span->from_ns < new.from_ns)
			new.from_ns = span->from_ns;
		if (span->until_ns > new.until_ns)
			new.until_ns = span->until_ns;
	}
	*span = new;
}

/* "status=waiting": whether any runtime can tell of containers. */
static void apply_runtimes(struct state *s, struct moment *m)
{
	static const struct {
		const char *text;
		enum metadata_status status;
	} sources[] = {{"waiting", METADATA_PENDING},
		       {"no_runtime", METADATA_NO_RUNTIME},
		       {"permission_denied", METADATA_DENIED}};
	struct str said = value_of(str_until_nul(event_param(&m->ev, 2)), "status");

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (str_is(said, sources[i].text)) {
			awaited_source(s, sources[i].status);
			return;
		}
	}
	s->stats.n_bad_records++;
}

/* "status=waiting": whether the API server can tell of pods. */
static void apply_cluster(struct state *s, struct moment *m)
{
	struct str said = value_of(str_until_nul(event_param(&m->ev, 2)), "status");

	if (!str_is(said, "waiting") && !str_is(said, "away"))
		s->stats.n_bad_records++;
	else if (s->as_live && s->cfg.awaits)
		awaited_cluster(s, str_is(said, "waiting"));
}

/* "id=0123456789ab status=gone" */
static void apply_metadata(struct state *s, struct moment *m)
{
	struct str words = str_until_nul(event_param(&m->ev, 2));
	struct str id = value_of(words, "id");

	if (id.n && str_is(value_of(words, "status"), "gone"))
		awaited_gone(s, id);
	else
		s->stats.n_bad_records++;
}

void apply_infra(struct state *s, struct moment *m)
{
	static const struct {
		const char *name;
		apply_fn apply;
	} rows[] = {{"loss", apply_loss},
		    {"runtimes", apply_runtimes},
		    {"cluster", apply_cluster},
		    {"metadata", apply_metadata}};
	struct str name = str_until_nul(event_param(&m->ev, 1));

	if (!str_is(str_until_nul(event_param(&m->ev, 0)), "saker"))
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_is(name, rows[i].name))
			rows[i].apply(s, m);
	}
}

static uint64_t lost_at(const struct lossy_span *span, uint64_t ts)
{
	return ts >= span->from_ns && ts <= span->until_ns ? span->n : 0;
}

uint64_t state_lost(const struct state *s, const struct moment *m)
{
	uint64_t n = lost_at(&s->lossy[LANE_LIFE], m->ev.ts), more = 0;

	for (unsigned lane = LANE_LIFE + 1; lane < LANE_COUNT; lane++) {
		if (lost_at(&s->lossy[lane], m->ev.ts) && lane_of(m->ev.type) == lane)
			more = s->lossy[lane].n;
	}
	return n <= UINT64_MAX - more ? n + more : UINT64_MAX;
}
