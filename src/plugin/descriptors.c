/* SPDX-License-Identifier: Apache-2.0 */
/* The table "file_descriptors" of a thread. */
#include "plugin/life.h"
#include "plugin/table.h"

static int set_text(const struct place *p, const struct held *h, void *row, const struct column *c,
		    const ss_plugin_state_data *in)
{
	struct str text;

	if (!take_plugin_text(p->v, in->str, &text))
		return SS_PLUGIN_FAILURE;
	fd_set_text(p->state, row,
		    c->at == offsetof(struct fd, name) ? FD_TEXT_NAME : FD_TEXT_NAME_RAW, text);
	return 0;
}

/* Nobody keeps what a descriptor was called before, nor its mount. */
static bool get_nothing(const struct place *p, const struct held *h, const void *row,
			const struct column *c, ss_plugin_state_data *out)
{
	out->u64 = 0;
	if (c->type == SS_PLUGIN_ST_STRING)
		out->str = "";
	return true;
}

static int set_type(const struct place *p, const struct held *h, void *row, const struct column *c,
		    const ss_plugin_state_data *in)
{
	if (in->u8 >= FD_TYPE_COUNT)
		return life_refuse(p->v->life, "%u is no type of descriptors", in->u8);
	fd_set_type(p->state, row, (enum fd_type)in->u8);
	return 0;
}

static bool get_num(const struct place *p, const struct held *h, const void *row,
		    const struct column *c, ss_plugin_state_data *out)
{
	out->s64 = h->is_new ? -1 : h->key;
	return true;
}

/* Which of ours and which of theirs. */
static const struct {
	uint8_t ours;
	uint32_t theirs;
} flag_bits[] = {{FDF_FROM_SCAN, 1 << 0},  {FDF_ROLE_CLIENT, 1 << 2},  {FDF_ROLE_SERVER, 1 << 3},
		 {FDF_CONNECTED, 1 << 13}, {FDF_UPPER_LAYER, 1 << 17}, {FDF_LOWER_LAYER, 1 << 18}};

enum { N_FLAG_BITS = sizeof(flag_bits) / sizeof(flag_bits[0]) };

static bool get_flags(const struct place *p, const struct held *h, const void *row,
		      const struct column *c, ss_plugin_state_data *out)
{
	const struct fd *fd = row;

	out->u32 = 0;
	for (unsigned i = 0; i < N_FLAG_BITS; i++)
		if (fd->flags & flag_bits[i].ours)
			out->u32 |= flag_bits[i].theirs;
	return true;
}

static int set_flags(const struct place *p, const struct held *h, void *row, const struct column *c,
		     const ss_plugin_state_data *in)
{
	struct fd *fd = row;

	for (unsigned i = 0; i < N_FLAG_BITS; i++) {
		fd->flags &= (uint8_t)~flag_bits[i].ours;
		if (in->u32 & flag_bits[i].theirs)
			fd->flags |= flag_bits[i].ours;
	}
	return 0;
}

/* ---- sockets: what a descriptor of another type does not have is 0 ---- */

static unsigned type_of(const struct column *c)
{
	if (!strncmp(c->name, "socket_ipv4_server", 18))
		return FD_IPV4_SERVSOCK;
	if (!strncmp(c->name, "socket_ipv6_server", 18))
		return FD_IPV6_SERVSOCK;
	if (!strncmp(c->name, "socket_ipv4", 11))
		return FD_IPV4_SOCK;
	return strncmp(c->name, "socket_ipv6", 11) ? FD_UNIX_SOCK : FD_IPV6_SOCK;
}

static bool get_socket(const struct place *p, const struct held *h, const void *row,
		       const struct column *c, ss_plugin_state_data *out)
{
	out->u64 = 0;
	if (((const struct fd *)row)->type == type_of(c))
		memcpy(out, (const char *)row + c->at, state_type_bytes(c->type));
	return true;
}

static int set_socket(const struct place *p, const struct held *h, void *row,
		      const struct column *c, const ss_plugin_state_data *in)
{
	struct fd *fd = row;

	if (fd->type != type_of(c))
		return life_refuse(p->v->life, "%s is of another type of descriptors", c->name);
	memcpy((char *)row + c->at, in, state_type_bytes(c->type));
	fd->stale_name = true;
	return 0;
}

#define COLUMN(name, type, get, set, at)                                                           \
	{                                                                                          \
		name, SS_PLUGIN_ST_##type, get, set, at                                            \
	}
#define MEMBER(name, type, member)                                                                 \
	COLUMN(name, type, column_get_member, column_set_member, offsetof(struct fd, member))
#define SOCKET(name, type, member, plus)                                                           \
	COLUMN("socket_" name, type, get_socket, set_socket, offsetof(struct fd, member) + (plus))

/* A server's own end is dst. */
static const struct column columns[] = {
	COLUMN("type", UINT8, column_get_member, set_type, offsetof(struct fd, type)),
	MEMBER("open_flags", UINT32, open_flags),
	COLUMN("name", STRING, column_get_text, set_text, offsetof(struct fd, name)),
	COLUMN("name_raw", STRING, column_get_text, set_text, offsetof(struct fd, name_raw)),
	COLUMN("old_name", STRING, get_nothing, NULL, 0),
	COLUMN("flags", UINT32, get_flags, set_flags, 0),
	MEMBER("dev", UINT32, dev),
	COLUMN("mount_id", UINT32, get_nothing, NULL, 0),
	MEMBER("ino", UINT64, ino),
	MEMBER("pid", INT64, pid),
	COLUMN("fd", INT64, get_num, NULL, 0),
	SOCKET("ipv4_src_ip", UINT32, tuple.src, 0),
	SOCKET("ipv4_dest_dip", UINT32, tuple.dst, 0),
	SOCKET("ipv4_src_port", UINT16, tuple.sport, 0),
	SOCKET("ipv4_dst_port", UINT16, tuple.dport, 0),
	SOCKET("ipv4_l4_proto", UINT8, tuple.l4, 0),
	SOCKET("ipv6_src_ip_low", UINT64, tuple.src, 0),
	SOCKET("ipv6_src_ip_high", UINT64, tuple.src, 8),
	SOCKET("ipv6_dest_ip_low", UINT64, tuple.dst, 0),
	SOCKET("ipv6_dest_ip_high", UINT64, tuple.dst, 8),
	SOCKET("ipv6_src_port", UINT16, tuple.sport, 0),
	SOCKET("ipv6_dst_port", UINT16, tuple.dport, 0),
	SOCKET("ipv6_l4_proto", UINT8, tuple.l4, 0),
	SOCKET("ipv4_server_ip", UINT32, tuple.dst, 0),
	SOCKET("ipv4_server_port", UINT16, tuple.dport, 0),
	SOCKET("ipv4_server_l4_proto", UINT8, tuple.l4, 0),
	SOCKET("ipv6_server_ip_low", UINT64, tuple.dst, 0),
	SOCKET("ipv6_server_ip_high", UINT64, tuple.dst, 8),
	SOCKET("ipv6_server_port", UINT16, tuple.dport, 0),
	SOCKET("ipv6_server_l4_proto", UINT8, tuple.l4, 0),
	SOCKET("unix_src", UINT64, unix_sock.src, 0),
	SOCKET("unix_dest", UINT64, unix_sock.dst, 0),
};

/* ---- the table ---- */

static struct added_columns *added(const struct place *p)
{
	return &p->v->tables->fd_columns;
}

static void *row_of(const struct place *p, const struct held *h, bool to_write)
{
	struct thread *t;

	if (h->is_new)
		return h->fresh;
	t = held_thread(p->v, h);
	if (!t)
		return NULL;
	return to_write ? fd_edit(p->state, t, h->key) : fd_find(p->state, t, h->key);
}

static bool get_extra(const struct state *s, const void *row, unsigned i, struct extra *ret)
{
	return fd_extra(s, row, i, ret);
}

static bool set_extra(struct state *s, void *row, unsigned i, const struct extra *v)
{
	return fd_set_extra(s, row, i, v);
}

static uint64_t size(const struct place *p)
{
	const struct thread *t = held_thread(p->v, p->of);

	return t ? fd_count(p->state, t) : 0;
}

static bool find(const struct place *p, int64_t key, struct held *ret)
{
	const struct thread *t = held_thread(p->v, p->of);

	if (!t || !fd_find(p->state, t, key))
		return false;
	*ret = (struct held){.kind = TABLE_FDS, .key = key};
	return true;
}

struct gathering {
	int64_t *keys;
	size_t n, max;
};

static bool gather(int64_t num, struct fd *fd, void *arg)
{
	struct gathering *g = arg;

	if (g->n == g->max)
		return false;
	g->keys[g->n++] = num;
	return true;
}

static size_t keys(const struct place *p, int64_t *ret, size_t max)
{
	const struct thread *t = held_thread(p->v, p->of);
	struct gathering g = {.keys = ret, .max = max};

	if (t)
		fd_each(p->state, t, gather, &g);
	return g.n;
}

static bool erase(const struct place *p, int64_t key)
{
	struct thread *t = held_thread(p->v, p->of);

	return t && fd_erase(p->state, t, key);
}

static void clear(const struct place *p)
{
	struct thread *t = held_thread(p->v, p->of);

	if (t)
		fds_erase(p->state, t);
}

static void *make(const struct place *p)
{
	return fd_make(p->state);
}

static void unmake(struct state *s, void *fresh)
{
	fd_unmake(s, fresh);
}

static bool add(const struct place *p, int64_t key, void *fresh)
{
	struct thread *t = held_thread(p->v, p->of);

	if (t)
		return fd_insert(p->state, t, key, fresh);
	fd_unmake(p->state, fresh);
	return false;
}

const struct table_ops descriptors_table = {
	.kind = TABLE_FDS,
	.name = "file_descriptors",
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
