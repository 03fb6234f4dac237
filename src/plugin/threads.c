/* SPDX-License-Identifier: Apache-2.0 */
/* The table "threads". */
#include "plugin/life.h"
#include "plugin/table.h"

/* What others find it by: it changes only while the thread is in no table. */
static int set_id(const struct place *p, const struct held *h, void *row, const struct column *c,
		  const ss_plugin_state_data *in)
{
	if (!h->is_new)
		return life_refuse(p->v->life, "%s of a thread that is known is not to be written",
				   c->name);
	return column_set_member(p, h, row, c, in);
}

/* Others follow from what state does with these. */
static int set_flags(const struct place *p, const struct held *h, void *row, const struct column *c,
		     const ss_plugin_state_data *in)
{
	const uint32_t kept =
		PPM_CL_CLOSED | PPM_CL_IS_MAIN_THREAD | PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
	struct thread *t = row;

	t->flags = h->is_new ? in->u32 & ~(uint32_t)PPM_CL_CLOSED
			     : (t->flags & kept) | (in->u32 & ~kept);
	thread_touch(p->state, t);
	return 0;
}

static int set_text(const struct place *p, const struct held *h, void *row, const struct column *c,
		    const ss_plugin_state_data *in)
{
	static const struct {
		size_t at;
		enum thread_text which;
	} texts[] = {{offsetof(struct thread, comm), THREAD_COMM},
		     {offsetof(struct thread, exe), THREAD_EXE},
		     {offsetof(struct thread, exepath), THREAD_EXEPATH},
		     {offsetof(struct thread, root), THREAD_ROOT}};
	struct str text;

	if (!take_plugin_text(p->v, in->str, &text))
		return SS_PLUGIN_FAILURE;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].at == c->at)
			thread_set_text(p->state, row, texts[i].which, text);
	return 0;
}

static int set_member(const struct place *p, const struct held *h, void *row,
		      const struct column *c, const ss_plugin_state_data *in)
{
	int r = column_set_member(p, h, row, c, in);

	if (!r)
		thread_touch(p->state, row);
	return r;
}

static bool get_cwd(const struct place *p, const struct held *h, const void *row,
		    const struct column *c, ss_plugin_state_data *out)
{
	out->str = visit_text(p->v, thread_cwd(p->state, row));
	return true;
}

static bool get_subtable(const struct place *p, const struct held *h, const void *row,
			 const struct column *c, ss_plugin_state_data *out)
{
	out->table = handle_of_subtable(p->v, h, (enum table_kind)c->at);
	return true;
}

#define COLUMN(name, type, get, set, at)                                                           \
	{                                                                                          \
		name, SS_PLUGIN_ST_##type, get, set, at                                            \
	}
#define MEMBER(name, type, member, set)                                                            \
	COLUMN(name, type, column_get_member, set, offsetof(struct thread, member))
#define TEXT(name, member, set)                                                                    \
	COLUMN(name, STRING, column_get_text, set, offsetof(struct thread, member))

static const struct column columns[] = {
	MEMBER("tid", INT64, tid, set_id),
	MEMBER("pid", INT64, pid, set_id),
	MEMBER("ptid", INT64, ptid, set_id),
	MEMBER("reaper_tid", INT64, reaper_tid, set_member),
	MEMBER("sid", INT64, sid, set_member),
	TEXT("comm", comm, set_text),
	TEXT("exe", exe, set_text),
	TEXT("exe_path", exepath, set_text),
	MEMBER("exe_writable", BOOL, exe_writable, set_member),
	MEMBER("exe_upper_layer", BOOL, exe_upper_layer, set_member),
	MEMBER("exe_lower_layer", BOOL, exe_lower_layer, set_member),
	MEMBER("exe_from_memfd", BOOL, exe_from_memfd, set_member),
	COLUMN("args", TABLE, get_subtable, NULL, TABLE_ARGS),
	COLUMN("env", TABLE, get_subtable, NULL, TABLE_ENV),
	COLUMN("cgroups", TABLE, get_subtable, NULL, TABLE_CGROUPS),
	MEMBER("flags", UINT32, flags, set_flags),
	MEMBER("fd_limit", INT64, fdlimit, set_member),
	MEMBER("uid", UINT32, uid, set_member),
	MEMBER("gid", UINT32, gid, set_member),
	MEMBER("loginuid", UINT32, loginuid, set_member),
	MEMBER("exe_ino", UINT64, exe_ino, set_member),
	MEMBER("exe_ino_ctime", UINT64, exe_ino_ctime_ns, set_member),
	MEMBER("exe_ino_mtime", UINT64, exe_ino_mtime_ns, set_member),
	MEMBER("vtid", INT64, vtid, set_member),
	MEMBER("vpid", INT64, vpid, set_member),
	MEMBER("vpgid", INT64, vpgid, set_member),
	MEMBER("pgid", INT64, pgid, set_member),
	MEMBER("pidns_init_start_ts", UINT64, pidns_init_start_ns, set_member),
	TEXT("root", root, set_text),
	MEMBER("tty", UINT32, tty, set_member),
	COLUMN("file_descriptors", TABLE, get_subtable, NULL, TABLE_FDS),
	COLUMN("cwd", STRING, get_cwd, NULL, 0),
	/* Elsewhere a plugin adds it; here it is known without. */
	TEXT("container_id", container_id, NULL),
};

static struct added_columns *added(const struct place *p)
{
	return &p->v->tables->thread_columns;
}

static void *row_of(const struct place *p, const struct held *h, bool to_write)
{
	return held_thread(p->v, h);
}

static bool get_extra(const struct state *s, const void *row, unsigned i, struct extra *ret)
{
	return thread_extra(s, row, i, ret);
}

/* No field of Saker's reads it, and those of plugins are read anew at each event. */
static bool set_extra(struct state *s, void *row, unsigned i, const struct extra *v)
{
	return thread_set_extra(s, row, i, v);
}

static uint64_t size(const struct place *p)
{
	return thread_count(p->state);
}

static bool find(const struct place *p, int64_t key, struct held *ret)
{
	if (key < 0 || !thread_find(p->state, key))
		return false;
	*ret = (struct held){.kind = TABLE_THREADS, .tid = key};
	return true;
}

static size_t keys(const struct place *p, int64_t *ret, size_t max)
{
	return thread_ids(p->state, ret, max);
}

static bool erase(const struct place *p, int64_t key)
{
	return thread_erase(p->state, key);
}

static void clear(const struct place *p)
{
	threads_erase(p->state);
}

static void *make(const struct place *p)
{
	return thread_make(p->state);
}

static void unmake(struct state *s, void *fresh)
{
	thread_unmake(s, fresh);
}

static bool add(const struct place *p, int64_t key, void *fresh)
{
	if (key < 0) {
		thread_unmake(p->state, fresh);
		return false;
	}
	thread_insert(p->state, fresh, key);
	return true;
}

const struct table_ops threads_table = {
	.kind = TABLE_THREADS,
	.name = "threads",
	.key_type = SS_PLUGIN_ST_INT64,
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
	.added = added,
	.row = row_of,
	.get_extra = get_extra,
	.set_extra = set_extra,
	.size = size,
	.find = find,
	.keys = keys,
	.erase = erase,
	.clear = clear,
	.make = make,
	.unmake = unmake,
	.add = add,
};
