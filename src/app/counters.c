/* SPDX-License-Identifier: Apache-2.0 */
#include "app/counters.h"

#include "app/report.h"

#include <inttypes.h>

struct counters {
	struct source_stats source;
	struct state_stats state;
};

/* How a counter gets into the line that complains. */
enum worry {
	WORRY_NONE,
	WORRY_RECORD, /* a record was skipped */
	WORRY_ROOM,   /* a table was full */
	WORRY_WRONG,  /* a record said what cannot be */
};

static const struct counter {
	const char *name;
	size_t offset; /* of a uint64_t */
	enum worry worry;
} table[] = {
#define SOURCE(member, name, worry)                                                                \
	{                                                                                          \
		name, offsetof(struct counters, source.member), WORRY_##worry                      \
	}
#define STATE(member, name, worry)                                                                 \
	{                                                                                          \
		name, offsetof(struct counters, state.member), WORRY_##worry                       \
	}
	SOURCE(n_bytes, "bytes read", NONE),
	SOURCE(n_events, "event records", NONE),
	SOURCE(n_skipped, "of unknown types", RECORD),
	SOURCE(n_absorbed, "enter records joined to their exits", NONE),
	SOURCE(n_evicted, "enter records given up before their exits", NONE),
	STATE(n_events, "events applied", NONE),
	STATE(n_bad_records, "malformed", RECORD),
	STATE(n_threads, "threads known", NONE),
	STATE(threads_added, "threads added", NONE),
	STATE(threads_removed, "threads removed", NONE),
	STATE(threads_refused, "threads refused", ROOM),
	STATE(threads_evicted, "threads evicted", ROOM),
	STATE(n_fds, "descriptors known", NONE),
	STATE(fds_added, "descriptors added", NONE),
	STATE(fds_removed, "descriptors removed", NONE),
	STATE(fds_refused, "descriptors refused", ROOM),
	STATE(fds_impossible, "descriptors of numbers that cannot be", WRONG),
	STATE(n_containers, "containers known", NONE),
	STATE(containers_evicted, "containers evicted", ROOM),
	STATE(threads_posing, "threads named after containers that they are not in", NONE),
	STATE(n_kube_objects, "Kubernetes objects known", NONE),
	STATE(kube_evicted, "Kubernetes objects evicted", ROOM),
	STATE(n_users, "users known", NONE),
	STATE(users_refused, "users refused", ROOM),
	STATE(thread_lookups_failed, "look-ups of unknown threads", NONE),
	STATE(fd_lookups_failed, "look-ups of unknown descriptors", NONE),
	STATE(n_bytes, "bytes of tables", NONE),
#undef SOURCE
#undef STATE
};

enum { N_COUNTERS = sizeof(table) / sizeof(table[0]) };

static struct counters counters_get(const struct input *in)
{
	struct counters ret;

	source_stats(in->source, &ret.source);
	state_get_stats(in->state, &ret.state);
	return ret;
}

static uint64_t count_of(const struct counters *c, const struct counter *row)
{
	return *(const uint64_t *)((const char *)c + row->offset);
}

void counters_list(const struct input *in)
{
	struct counters c = counters_get(in);

	for (size_t i = 0; i < N_COUNTERS; i++) {
		uint64_t n = count_of(&c, &table[i]);

		if (n)
			report("%12" PRIu64 "  %s%s", n, table[i].name,
			       table[i].worry == WORRY_RECORD ? ": skipped" : "");
	}
}

/* "2 of unknown types, 1 malformed"; returns the sum. */
static uint64_t add_worries(const struct counters *c, enum worry worry, struct buf *out)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < N_COUNTERS; i++) {
		uint64_t n = table[i].worry == worry ? count_of(c, &table[i]) : 0;

		if (n)
			buf_addf(out, "%s%" PRIu64 " %s", sum ? ", " : "", n, table[i].name);
		sum += n;
	}
	return sum;
}

void counters_complain(const struct input *in)
{
	struct counters c = counters_get(in);
	struct buf records, room, wrong;
	uint64_t n;
	bool full;

	buf_init(&records, 1024);
	buf_init(&room, 1024);
	buf_init(&wrong, 1024);
	n = add_worries(&c, WORRY_RECORD, &records);
	full = add_worries(&c, WORRY_ROOM, &room) > 0;
	if (n)
		report("%" PRIu64 " record%s skipped: %s%s%s", n, n == 1 ? "" : "s",
		       buf_z(&records), full ? "; tables were full: " : "", buf_z(&room));
	else if (full)
		report("tables were full: %s (see --max-threads, --max-fds, --max-memory and "
		       "--max-containers)",
		       buf_z(&room));
	if (add_worries(&c, WORRY_WRONG, &wrong))
		report("left out: %s", buf_z(&wrong));
	buf_done(&wrong);
	buf_done(&records);
	buf_done(&room);
}
