/* SPDX-License-Identifier: Apache-2.0 */
#include "app/files.h"

#include "base/buf.h"

enum { HASHED_MAX = 64 << 20 };

void files_each(const struct config *c, const struct ruleset *rules, files_visit visit, void *arg)
{
	const struct config_source *from;

	for (size_t i = 0; (from = config_file(c, i)); i++)
		visit(arg, &(struct file){FILE_CONFIG, from->name, from->sha256});
	for (size_t i = 0; rules && i < rules->n_files; i++)
		visit(arg,
		      &(struct file){FILE_RULES, rules->files[i].name.p, rules->files[i].sha256});
}

/* As sha256sum(1) writes it. */
static void add_file(void *arg, const struct file *f)
{
	buf_addf(arg, "%s  %s\n", f->sha256, f->path);
}

void files_hash(const struct config *c, const struct ruleset *rules, char ret[SHA256_TEXT])
{
	struct buf all;

	buf_init(&all, HASHED_MAX);
	files_each(c, rules, add_file, &all);
	sha256_text(buf_str(&all), ret);
	buf_done(&all);
}
