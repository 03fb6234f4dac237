/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/utf8.h"
#include "rules/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct loader {
	struct loader_config cfg;
	struct arena arena; /* YAML trees, definitions and verdicts */
	struct definitions definitions;
	struct verdict *first, **end;
	struct rule_file **files;
	size_t n_files, cap_files;
	struct ruleset *set;  /* of all files so far; NULL after an error */
	struct verdict *last; /* the one that set belongs to */
	bool failed;
};

struct loader *loader_new(const struct loader_config *cfg)
{
	struct loader *l = xcalloc(1, sizeof(*l));

	l->cfg = *cfg;
	arena_init(&l->arena, 0);
	definitions_init(&l->definitions, &l->arena);
	l->definitions.plugins = cfg->plugins;
	l->definitions.n_plugins = cfg->n_plugins;
	l->end = &l->first;
	return l;
}

void loader_free(struct loader *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n_files; i++)
		free((char *)l->files[i]->text.p);
	free(l->files);
	ruleset_free(l->set);
	definitions_done(&l->definitions);
	arena_done(&l->arena);
	free(l);
}

/*
 * The byte order mark of some editors is no part of the text, nor counted in places of it; two of
 * them say that the text is UTF-16.  Takes over text.p.
 */
static struct str without_bom(struct str text)
{
	static const struct str bom = {"\xef\xbb\xbf", 3};
	bool little = str_starts(text, STR("\xff\xfe")), big = str_starts(text, STR("\xfe\xff"));
	struct buf b;

	if (little || big) {
		buf_init(&b, YAML_MAX_BYTES + 1);
		utf8_add_utf16(&b, str_from(text, 2), big);
		free((char *)(uintptr_t)text.p);
		buf_z(&b);
		return buf_str(&b);
	}
	if (str_starts(text, bom)) {
		text.n -= bom.n;
		memmove((char *)(uintptr_t)text.p, text.p + bom.n, text.n);
	}
	return text;
}

/* Takes over text.p. */
static struct rule_file *add_file(struct loader *l, const char *name, struct str text)
{
	struct rule_file *f = arena_alloc(&l->arena, sizeof(*f));

	*f = (struct rule_file){.name = arena_str(&l->arena, str_of(name))};
	if (l->cfg.hashes)
		sha256_text(text, f->sha256);
	f->text = without_bom(text);
	if (l->n_files == l->cap_files)
		l->files = xgrow(l->files, &l->cap_files, l->n_files + 1, sizeof(*l->files));
	l->files[l->n_files++] = f;
	return f;
}

static struct verdict *add_verdict(struct loader *l, const struct rule_file *f)
{
	struct verdict *v = arena_alloc(&l->arena, sizeof(*v));

	verdict_init(v, &l->arena, f);
	*l->end = v;
	l->end = &v->next;
	return v;
}

static struct place *file_place(struct loader *l, const struct rule_file *f, enum item_type type)
{
	struct place *p = place_new(&l->arena, NULL, ITEM_RULES_CONTENT, STR_EMPTY, NULL);

	p->file = f;
	return type == ITEM_RULES_CONTENT ? p : place_new(&l->arena, p, type, STR_EMPTY, NULL);
}

static int read_documents(struct loader *l, const struct rule_file *f, struct verdict *v)
{
	const struct place *root = file_place(l, f, ITEM_RULES_CONTENT);
	struct yaml **documents;
	struct yaml_mark where;
	struct err e = {0};
	size_t n;

	if (yaml_parse(f->text, &l->arena, &documents, &n, &where, &e)) {
		struct place *p = file_place(l, f, ITEM_VALUE_FOR);

		p->at = where;
		return verdict_adds(v, ISSUE_YAML_PARSE, p, str_of(e.msg));
	}
	for (size_t i = 0; i < n; i++)
		schema_check(documents[i], v);
	for (size_t i = 0; i < n; i++)
		definitions_read(&l->definitions, documents[i], root, v);
	return v->n_errors ? -EINVAL : 0;
}

static int load(struct loader *l, const struct rule_file *f)
{
	struct verdict *v = add_verdict(l, f);
	uint32_t n_items = l->definitions.n_items;
	bool ok = !read_documents(l, f, v);

	if (ok && l->set && n_items == l->definitions.n_items) {
		/* All comments, as local rule files often are. */
		verdict_compile(v, l->last);
	} else {
		ruleset_free(l->set);
		verdict_compile(v, NULL);
		l->set = ok ? definitions_compile(&l->definitions, &l->cfg, v) : NULL;
	}
	l->last = v;
	l->failed |= !l->set;
	return l->set ? 0 : -EINVAL;
}

int loader_add_text(struct loader *l, const char *name, struct str text)
{
	return load(l, add_file(l, name, (struct str){xstrndup(text.p, text.n), text.n}));
}

static int read_fd(int fd, struct str *ret)
{
	struct buf b;
	ssize_t n;

	/* One byte more than is allowed, so that too long a file can be told. */
	buf_init(&b, YAML_MAX_BYTES + 1);
	do {
		char block[16384];

		n = read(fd, block, sizeof(block));
		if (n > 0)
			buf_add(&b, block, (size_t)n);
	} while ((n > 0 && !b.truncated) || (n < 0 && errno == EINTR));
	if (n < 0) {
		n = -errno;
		buf_done(&b);
		return (int)n;
	}
	buf_z(&b);
	*ret = buf_str(&b);
	return 0;
}

static int read_file(const char *path, struct str *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = read_fd(fd, ret);
	close(fd);
	return rc;
}

int loader_add_file(struct loader *l, const char *path)
{
	struct str text = STR_EMPTY;
	int rc = read_file(path, &text);
	struct rule_file *f;

	if (!rc)
		return load(l, add_file(l, path, text));
	f = add_file(l, path, (struct str){xstrdup(""), 0});
	l->failed = true;
	return verdict_add(add_verdict(l, f), ISSUE_FILE_READ, file_place(l, f, ITEM_RULES_CONTENT),
			   "Could not read file: %s", strerror(-rc));
}

int loader_add_condition(struct loader *l, const char *name, struct str text, struct program *into)
{
	const struct rule_file *f =
		add_file(l, name, (struct str){xstrndup(text.p, text.n), text.n});
	struct verdict *v = add_verdict(l, f);
	struct place *at = file_place(l, f, ITEM_RULE_CONDITION);
	int r;

	at->end = (uint32_t)f->text.n;
	r = definitions_add_condition(&l->definitions, &l->cfg, f->text, at, into, v);
	l->failed |= r < 0;
	return r;
}

static void list_files(const struct loader *l, struct ruleset *set)
{
	set->n_files = l->n_files;
	set->files = arena_alloc(&set->arena, l->n_files * sizeof(*set->files));
	for (size_t i = 0; i < l->n_files; i++) {
		set->files[i].name = arena_str(&set->arena, l->files[i]->name);
		memcpy(set->files[i].sha256, l->files[i]->sha256, SHA256_TEXT);
	}
}

struct ruleset *loader_take(struct loader *l)
{
	struct ruleset *set = l->failed ? NULL : l->set;

	if (!set)
		return NULL;
	ruleset_describe(set, &l->definitions);
	program_seal(set->program);
	list_files(l, set);
	l->set = NULL;
	return set;
}

bool loader_ok(const struct loader *l)
{
	return !l->failed;
}

void loader_results_json(const struct loader *l, struct buf *out)
{
	buf_addz(out, "{\"falco_load_results\":[");
	for (const struct verdict *v = l->first; v; v = v->next) {
		if (v != l->first)
			buf_addc(out, ',');
		verdict_json(v, out);
	}
	buf_addz(out, "]}");
}

void loader_results_text(const struct loader *l, bool verbose, struct buf *out)
{
	for (const struct verdict *v = l->first; v; v = v->next)
		verdict_text(v, verbose, out);
}

void loader_last_result_text(const struct loader *l, struct buf *out)
{
	const struct verdict *v = l->first;

	while (v && v->next)
		v = v->next;
	if (v)
		verdict_text(v, false, out);
}
