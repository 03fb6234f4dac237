/* SPDX-License-Identifier: Apache-2.0 */
#include "app/restart.h"

#include "base/buf.h"
#include "base/str.h"

enum { NAMES_MAX = 4096, DEPTH_MAX = 64 };

/* Parts of the program that read their keys anew, and what they read only once all the same. */
static const char *const read_again[] = {"loader", "rules", "alerts", "system calls"};
static const enum config_id read_once[] = {CONFIG_KEY_STDOUT_ENABLED, CONFIG_KEY_JSON_OUTPUT,
					   CONFIG_KEY_METADATA_DEADLINE};

static bool is_read_again(enum config_id id)
{
	const struct config_key *k = &config_keys[id];

	for (size_t i = 0; i < sizeof(read_once) / sizeof(read_once[0]); i++)
		if (read_once[i] == id)
			return false;
	if (!config_key_is_read(k))
		return true;
	for (size_t i = 0; i < sizeof(read_again) / sizeof(read_again[0]); i++)
		if (!strcmp(read_again[i], k->reader))
			return true;
	return false;
}

static uint64_t hash_more(uint64_t h, struct str s)
{
	return hash_bytes(s.p, s.n, h + 1);
}

static uint64_t hash_node(uint64_t h, const struct node *n, unsigned depth)
{
	h = hash_more(hash_more(h, n->key), n->text);
	for (uint32_t i = 0; i < n->n && depth < DEPTH_MAX; i++)
		h = hash_node(h, n->items[i], depth + 1);
	return h;
}

static void add(void *arg, const char *path, const struct config_key *k, const struct node *n)
{
	uint64_t *hashes = arg, *h = &hashes[k - config_keys];

	if (n)
		*h = hash_node(hash_more(*h, str_of(path)), n, 0);
}

const char *restart_keys(const struct config *before, const struct config *now, struct arena *a)
{
	uint64_t old[CONFIG_KEY_COUNT] = {0}, new[CONFIG_KEY_COUNT] = {0};
	const char *ret;
	struct buf names;

	config_each(before, add, old);
	config_each(now, add, new);
	buf_init(&names, NAMES_MAX);
	for (unsigned id = 0; id < CONFIG_KEY_COUNT; id++)
		if (old[id] != new[id] && !is_read_again((enum config_id)id))
			buf_addf(&names, "%s%s", names.n ? ", " : "", config_keys[id].path);
	ret = arena_str(a, buf_str(&names)).p;
	buf_done(&names);
	return ret;
}
