/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration, "+++" before each that is merged into it, and "+o+" before each option: an
 * error is told if and only if it is refused, and what is accepted can be read.
 */
#include "config/config.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *arg, const char *path, const struct config_key *k, const struct node *n)
{
	if (!k || !*path)
		abort();
	++*(unsigned *)arg;
}

/* Up to the next separator; *ret_is_option says of which kind that is. */
static struct str take(struct str *rest, bool *ret_is_option)
{
	ptrdiff_t file = str_find(*rest, STR("\n+++\n")), option = str_find(*rest, STR("\n+o+\n")),
		  at = file < 0 || (option >= 0 && option < file) ? option : file;
	struct str part = at < 0 ? *rest : str_head(*rest, (size_t)at);

	*ret_is_option = at >= 0 && at == option;
	*rest = at < 0 ? STR_EMPTY : str_from(*rest, (size_t)at + 5);
	return part;
}

static int set(struct config *c, struct str text)
{
	char *z = strndup(text.p, text.n);
	int r = config_set(c, z);

	free(z);
	return r;
}

static void read_all(const struct config *c)
{
	unsigned n = 0;

	config_each(c, visit, &n);
	for (unsigned id = 0; id < CONFIG_KEY_COUNT; id++) {
		const struct config_key *k = &config_keys[id];
		struct config_value v;
		size_t n_texts;

		if (strstr(k->path, "[]") || strchr(k->path, '*'))
			continue;
		if (config_type_is_list(k->type))
			config_texts(c, (enum config_id)id, &n_texts);
		else if (k->type != CONFIG_LIST && k->type != CONFIG_ANY &&
			 (*k->fallback || config_node(c, (enum config_id)id)) &&
			 config_node_value(c, config_node(c, (enum config_id)id),
					   (enum config_id)id, &v) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = config_new();
	struct str rest = {(const char *)data, size};
	bool is_option = false, next_is_option;
	int r = 0;

	do {
		struct str part = take(&rest, &next_is_option);

		if (is_option)
			r = set(c, part);
		else
			r = config_add_text(c, "part", part,
					    (enum config_merge)(part.n % MERGE_COUNT));
		is_option = next_is_option;
	} while (!r && rest.n);
	if (!r)
		r = config_check(c);
	if (!r != !config_issues(c)->n_errors)
		abort();
	if (!r)
		read_all(c);
	config_free(c);
	return 0;
}
