/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/private.h"

#include "field/get_fd.h"

/* More than this is cut off, or does not fit with a directory before it. */
enum { PATH_BYTES_MAX = 1000 };

const char *const gate_input_words[GATE_INPUTS] = {
	[GATE_RESULT] = "result",	[GATE_FLAGS] = "flags",	      [GATE_PATH] = "path",
	[GATE_TEXT] = "text",		[GATE_NUMBER] = "number",     [GATE_PROCESS] = "process",
	[GATE_CONTAINER] = "container", [GATE_LINEAGE] = "ancestors",
};

const uint8_t gate_verdict_inputs[MEMO_COUNT] = {[MEMO_PROCESS] = GATE_PROCESS,
						 [MEMO_CONTAINER] = GATE_CONTAINER,
						 [MEMO_LINEAGE] = GATE_LINEAGE};

/* What is compared with constants one by one, at their ends or by pieces, or in order. */
static bool is_cheap(const struct leaf *l)
{
	switch ((enum operator)l->op) {
	case OP_EXISTS:
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
	case OP_IN:
	case OP_STARTSWITH:
	case OP_ENDSWITH:
	case OP_CONTAINS:
	case OP_PMATCH:
		return true;
	default:
		return false;
	}
}

/* Fields whose value is in the record, whatever the event. */
static bool is_plain_field(const char *name, uint8_t *ret_input)
{
	static const struct {
		const char *name;
		uint8_t input;
	} fields[] = {
		{"evt.rawres", GATE_RESULT},	    {"evt.failed", GATE_RESULT},
		{"evt.res", GATE_RESULT},	    {"evt.is_open_read", GATE_FLAGS},
		{"evt.is_open_write", GATE_FLAGS},  {"evt.is_open_exec", GATE_FLAGS},
		{"evt.is_open_create", GATE_FLAGS}, {"fd.num", GATE_NUMBER},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!strcmp(name, fields[i].name)) {
			*ret_input = fields[i].input;
			return true;
		}
	}
	return false;
}

/* Which parameter an evt.arg means in events of this type, or -1. */
static int param_of(const struct field *f, unsigned type)
{
	const struct event_info *info = &event_table[type];

	if (!f->has_arg)
		return -1;
	if (!f->arg_is_index)
		return event_param_index(info, f->arg);
	return f->index < info->n_params ? (int)f->index : -1;
}

/* Their text is a function of a number: of some bits, or of one of few values. */
static bool has_flag_names(enum param_type t)
{
	switch (t) {
	case PT_FLAGS8:
	case PT_FLAGS16:
	case PT_FLAGS32:
	case PT_ENUMFLAGS8:
	case PT_ENUMFLAGS16:
	case PT_ENUMFLAGS32:
	case PT_SIGTYPE:
		return true;
	default:
		return false;
	}
}

static bool find_arg(const struct field *f, unsigned type, bool raw, struct gate_source *ret)
{
	int i = param_of(f, type);
	enum param_type t;

	if (i < 0)
		return false;
	t = (enum param_type)event_table[type].params[i].type;
	ret->path = (uint8_t)i;
	ret->how = HOW_FIELD;
	if (t == PT_CHARBUF) {
		ret->input = GATE_TEXT;
		return true;
	}
	if (t == PT_FSPATH || t == PT_FSRELPATH) {
		ret->input = GATE_PATH;
		ret->how = raw ? HOW_FIELD : HOW_FULL_PATH;
		return true;
	}
	if (!raw && has_flag_names(t)) {
		ret->input = GATE_FLAGS;
		return true;
	}
	ret->input = GATE_NUMBER;
	return raw && param_type_size(t) && !type_is_ip(t);
}

int gate_opened_path(unsigned type)
{
	switch (type) {
	case EV_SYSCALL_OPEN_X:
	case EV_SYSCALL_CREAT_X:
		return 1;
	case EV_SYSCALL_OPENAT_2_X:
	case EV_SYSCALL_OPENAT2_X:
		return 2;
	default:
		return -1;
	}
}

static bool find_opened(const char *name, unsigned type, struct gate_source *ret)
{
	static const struct {
		const char *name;
		uint8_t how;
	} fields[] = {
		{"fd.name", HOW_OPENED},
		{"fd.directory", HOW_DIRECTORY},
		{"fd.filename", HOW_FILENAME},
		{"fd.nameraw", HOW_RAW_NAME},
	};
	int path = gate_opened_path(type);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && path > 0; i++) {
		if (strcmp(name, fields[i].name))
			continue;
		*ret = (struct gate_source){GATE_PATH, fields[i].how, (uint8_t)path};
		return true;
	}
	return false;
}

static bool find_field(const struct field *f, unsigned type, struct gate_source *ret)
{
	const char *name = f->info->name;
	unsigned path;

	*ret = (struct gate_source){.how = HOW_FIELD};
	if (is_plain_field(name, &ret->input))
		return true;
	if (!strcmp(name, "evt.arg") || !strcmp(name, "evt.rawarg"))
		return find_arg(f, type, name[4] == 'r', ret);
	if (find_opened(name, type, ret))
		return true;
	path = strncmp(name, "fs.path.", 8) ? 0 : field_fs_path_param(f, (uint16_t)type);
	*ret = (struct gate_source){GATE_PATH, HOW_FULL_PATH, (uint8_t)path};
	return path > 0;
}

bool gate_source_find(const struct leaf *l, unsigned type, struct gate_source *ret)
{
	return is_cheap(l) && !l->right && !l->is_list && l->left->kind == EXTRACT_FIELD &&
	       find_field(l->left->field, type, ret);
}

/* ---- Reading ---- */

static enum gate_read read_field(const struct leaf *l, const struct field_ctx *c, struct value *ret)
{
	switch (field_get(l->left->field, c, ret)) {
	case FIELD_OK:
		return READ_VALUE;
	case FIELD_NULL:
		return READ_NULL;
	case FIELD_UNKNOWN:
		break;
	}
	return READ_UNSURE;
}

/* A path from the root: no working directory or descriptor is needed to tell what it means. */
static bool full_path(const struct gate_source *s, const struct field_ctx *c, struct str *ret)
{
	if (c->m->enter || !event_text(&c->m->ev, s->path, ret))
		return false;
	return ret->n && ret->n <= PATH_BYTES_MAX && ret->p[0] == '/';
}

/* Nothing in it would be resolved. */
static bool is_settled(struct str path)
{
	return path.p[path.n - 1] != '/' && path_is_plain(path);
}

static bool opens_directory(const struct event *ev)
{
	int flags = event_param_index(ev->info, STR("flags"));

	return ev->type != EV_SYSCALL_CREAT_X && flags >= 0 &&
	       event_u64(ev, (unsigned)flags) & PPM_O_DIRECTORY;
}

static enum gate_read read_opened(const struct gate_source *s, const struct field_ctx *c,
				  struct value *ret)
{
	struct str path;
	size_t slash;

	if (!full_path(s, c, &path))
		return READ_UNSURE;
	*ret = (struct value){.s = path_squeeze(c->scratch, path)};
	if (s->how == HOW_RAW_NAME)
		return READ_VALUE;
	/* What was not opened has the name that was given. */
	if (!c->m->has_res || (c->m->res < 0 && !is_settled(path)))
		return READ_UNSURE;
	ret->s = path = path_absolute(c, STR_EMPTY, path);
	if (s->how == HOW_OPENED)
		return READ_VALUE;
	if (opens_directory(&c->m->ev))
		return READ_UNSURE;
	slash = (size_t)str_rchr(path, '/');
	if (s->how == HOW_DIRECTORY)
		ret->s = slash ? str_head(path, slash) : STR("/");
	else
		ret->s = path.n > 1 ? str_from(path, slash + 1) : path;
	return s->how == HOW_FILENAME && c->m->res < 0 ? READ_NULL : READ_VALUE;
}

enum gate_read gate_source_read(const struct gate_source *s, const struct leaf *l,
				const struct field_ctx *c, struct value *ret)
{
	struct str path;

	switch ((enum gate_how)s->how) {
	case HOW_FIELD:
		return read_field(l, c, ret);
	case HOW_FULL_PATH:
		return full_path(s, c, &path) ? read_field(l, c, ret) : READ_UNSURE;
	case HOW_OPENED:
	case HOW_RAW_NAME:
	case HOW_DIRECTORY:
	case HOW_FILENAME:
		return read_opened(s, c, ret);
	}
	return READ_UNSURE;
}
