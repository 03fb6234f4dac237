/* SPDX-License-Identifier: Apache-2.0 */
#include "app/files.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/test.h"

#include <stdlib.h>

static const char rules_text[] = "- rule: A\n  desc: d\n  condition: evt.type=open\n"
				 "  output: o\n  priority: INFO\n";

static struct ruleset *load(const char *name, const char *before)
{
	const struct loader_config cfg = {.min_priority = PRIORITY_DEBUG, .hashes = true};
	struct loader *l = loader_new(&cfg);
	char *text = xasprintf("%s%s", before, rules_text);
	struct ruleset *ret;

	CHECK_INT(loader_add_text(l, name, str_of(text)), 0);
	ret = loader_take(l);
	loader_free(l);
	free(text);
	return ret;
}

static void list(void *arg, const struct file *f)
{
	buf_addf(arg, "%s %s %.8s\n", f->kind == FILE_CONFIG ? "config" : "rules", f->path,
		 f->sha256);
}

TEST(files_are_known_by_what_was_read)
{
	struct config *c = config_new();
	struct ruleset *r = load("r.yaml", "");
	struct buf text;

	buf_init(&text, 4096);
	CHECK_INT(config_add_text(c, "f.yaml", STR("json_output: true\n"), MERGE_APPEND), 0);
	files_each(c, r, list, &text);
	CHECK_STR(buf_z(&text), "config f.yaml 4bab8b25\nrules r.yaml 609ad1e7\n");
	buf_done(&text);
	ruleset_free(r);
	config_free(c);
}

TEST(a_byte_order_mark_is_part_of_the_file)
{
	struct ruleset *with = load("r.yaml", "\xef\xbb\xbf"), *without = load("r.yaml", "");

	CHECK_INT(with->n_rules, 1);
	CHECK(strcmp(with->files[0].sha256, without->files[0].sha256) != 0);
	ruleset_free(with);
	ruleset_free(without);
}

TEST(one_hash_tells_whether_anything_changed)
{
	struct ruleset *sets[] = {load("r.yaml", ""), load("r.yaml", "# more\n"),
				  load("s.yaml", "")};
	struct config *c = config_new();
	char hashes[4][SHA256_TEXT];

	for (unsigned i = 0; i < 3; i++)
		files_hash(c, sets[i], hashes[i]);
	files_hash(c, sets[0], hashes[3]);
	CHECK_STR(hashes[0], hashes[3]);
	CHECK(strcmp(hashes[0], hashes[1]) && strcmp(hashes[0], hashes[2]) &&
	      strcmp(hashes[1], hashes[2]));
	for (unsigned i = 0; i < 3; i++)
		ruleset_free(sets[i]);
	config_free(c);
}
